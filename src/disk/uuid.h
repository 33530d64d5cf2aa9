/* UUIDs of sets and disks: drawn from the system, and written for people. */
#ifndef DISKARCH_DISK_UUID_H
#define DISKARCH_DISK_UUID_H

#include "block/header.h"

#include <stdbool.h>

enum { UUID_TEXT_BYTES = 37 };

/* A random UUID (version 4). 0 or -errno. */
int uuid_draw(struct uuid *ret);

/* Writes 8-4-4-4-12 lower-case digits and a NUL. Returns text. */
const char *uuid_format(char text[UUID_TEXT_BYTES], const struct uuid *uuid);

bool uuid_is_same(const struct uuid *a, const struct uuid *b);

#endif
