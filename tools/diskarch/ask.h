/* What `resign`, `request` and `transfer` share: one question to the leader of a role, on whatever node that is. */
#ifndef DISKARCH_COMMAND_ASK_H
#define DISKARCH_COMMAND_ASK_H

#include "command_line.h"

#include <diskarch/diskarch.h>

enum { ASK_COMMON = COMMON_DISKS | COMMON_NODE | COMMON_ENGINE | COMMON_TIMEOUT };

/* Joins, asks, and waits until it has happened. successor: NULL unless a transfer is asked for. The exit code. */
int ask_do(const struct verb *verb, const struct command_line *line, const char *role, enum diskarch_ask ask,
           const char *successor);

#endif
