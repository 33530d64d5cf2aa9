/* What a process has of things that have to be given back. */
#ifndef DISKARCH_TESTS_STARTUP_CENSUS_H
#define DISKARCH_TESTS_STARTUP_CENSUS_H

#include "injection.h"

#include <stddef.h>

struct census {
    uint32_t descriptors;
    uint32_t threads;
    uint32_t rings; /* mappings of io_uring */
    int64_t blocks; /* allocated since the page was made */
    int64_t mapped_bytes;
    bool has_children;
};

/* Waits a while for what ends in the background: a thread that was joined shows a little longer in /proc, and an engine that
 * was closed with requests in flight lasts until they have ended. */
struct census census_take(const struct census *expected);

/* Says in words how `after` differs from `before`; empty: not at all. */
void census_compare(const struct census *before, const struct census *after, char *text, size_t text_bytes);

#endif
