/* Which engine moves the blocks: what may be asked for, before any engine is open. */
#ifndef DISKARCH_DISK_ENGINE_KIND_H
#define DISKARCH_DISK_ENGINE_KIND_H

#include <stdbool.h>

enum disk_engine_kind {
    DISK_ENGINE_AUTO = 0, /* io_uring, or else libaio, which then says why in its warning */
    DISK_ENGINE_IO_URING = 1,
    DISK_ENGINE_LIBAIO = 2,
    DISK_ENGINE_SIMULATED = 3, /* of the tests; cannot be opened here */
};

/* Of "auto", "io_uring", "libaio". False for any other name; *ret is then untouched. */
bool disk_engine_kind_parse(const char *name, enum disk_engine_kind *ret);

#endif
