/* What the tests put between src/offline and src/disk. */
#ifndef DISKARCH_TESTS_OFFLINE_WRAPS_H
#define DISKARCH_TESTS_OFFLINE_WRAPS_H

#include <stdbool.h>
#include <stdint.h>

/* After so many writes every further one fails and leaves nothing behind: the power is cut. -1: never. */
extern int64_t wrap_writes_left;

/* Writes that were done since this was set to 0. */
extern uint32_t wrap_writes_done;

/* Whether idle_watch() really watches; otherwise it finds at once that nobody lives there. */
extern bool wrap_is_watching;

/* Called at the beginning of each watch, with its number from 1; may be NULL. For what others do meanwhile. */
extern void (*wrap_on_watch)(uint32_t number);
extern uint32_t wrap_watches;
extern int64_t wrap_watch_more_ns; /* of the last one */

/* All of it as at the beginning, before each test: formatting has used it too. */
void wrap_reset(void);

#endif
