/*
 * How "something has happened" reaches the other threads of a process: a descriptor to poll, and a count to sleep on.
 *
 * The descriptor has one owner, who clears it; any number of threads may sleep on the count, and none takes a ring away
 * from another. Ringing never blocks.
 */
#ifndef DISKARCH_RUNTIME_BELL_H
#define DISKARCH_RUNTIME_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bell {
    int fd; /* an eventfd, readable from a ring until bell_clear(); -1 while not open */
    _Atomic uint32_t rings;
};

/* 0 or -errno. */
int bell_open(struct bell *bell);
void bell_close(struct bell *bell);

/* Any thread. */
void bell_ring(struct bell *bell);

/* Makes the descriptor unreadable. Clear first, then look at what the bell is rung for: a ring in between is kept. */
void bell_clear(struct bell *bell);

/* Makes the descriptor readable without waking those who sleep on the count: its owner has left something untaken. */
void bell_keep_readable(struct bell *bell);

/* The count to give to bell_wait(): read it first, then look, then sleep. */
uint32_t bell_rings(const struct bell *bell);

/* Sleeps until the count differs from `seen` or timeout_ns (-1: none) has passed; may also return early. */
void bell_wait(struct bell *bell, uint32_t seen, int64_t timeout_ns);

#endif
