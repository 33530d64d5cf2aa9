/*
 * A node for one call: it joins the set, calls, and leaves cleanly, within the time that -w gives. Its name tells the verb
 * and the host, as in "resign@alpha", so that nobody who asks for a node of the host's own name is given this one, which
 * is gone in a moment.
 */
#ifndef DISKARCH_COMMAND_JOINED_H
#define DISKARCH_COMMAND_JOINED_H

#include "command_line.h"

#include <diskarch/diskarch.h>
#include <stdint.h>

/* Every verb ends by itself: this is -w where it is not given. */
#define JOINED_TIMEOUT_NS (60 * INT64_C(1000000000))

struct joined {
    struct diskarch *node;
    int64_t end_ns; /* on CLOCK_MONOTONIC */
};

/* Joins. An exit code; unless EXIT_CODE_OK, it has complained, and nothing is left open. */
int joined_open(const struct verb *verb, const struct command_line *line, struct joined *ret);
void joined_close(struct joined *joined);

/* What is left of the time, at least 0: for the call. */
int64_t joined_left_ns(const struct joined *joined);

/* Complains that a call about `thing` "name" failed, with the reason and the remedy. The exit code of the error. */
int joined_failed(const char *thing, const char *name, int error);

#endif
