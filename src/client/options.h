/* What the two kinds of handle share at their opening: reading struct diskarch_options of any earlier or later size. */
#ifndef DISKARCH_CLIENT_OPTIONS_H
#define DISKARCH_CLIENT_OPTIONS_H

#include "disk/disk.h"

#include <diskarch/diskarch.h>

#include <stddef.h>

/* Copies options into *ret, zeros for what the caller's size does not cover. 0 or DISKARCH_EUSAGE with a message. */
int options_copy(const struct diskarch_options *options, struct diskarch_options *ret, char *message,
                 size_t message_bytes);

/* The engine that a name means. 0 or DISKARCH_EUSAGE with a message. */
int options_engine(const char *name, enum disk_engine_kind *ret, char *message, size_t message_bytes);

/* Copies `bytes` of a result into the caller's struct, which begins with its own size and keeps it. */
void options_return(void *to, const void *from, size_t bytes);

#endif
