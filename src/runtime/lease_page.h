/*
 * What the node thread publishes so that any thread can ask "am I still leader, and for how long?" without a system
 * call, a lock or a disk (N7): the lease's end beside both clocks of the turn in which it was published, and each
 * role's epoch.
 *
 * The page is wiped in a child after fork: whoever is forked off leads nothing.
 */
#ifndef DISKARCH_RUNTIME_LEASE_PAGE_H
#define DISKARCH_RUNTIME_LEASE_PAGE_H

#include "runtime/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The lease as one turn saw it. */
struct lease_view {
    int64_t fast_ns;         /* of the turn */
    struct clock_reading at; /* both clocks in that turn */
    int64_t end_ns;          /* on the fast clock; 0: no lease */
};

struct lease_copy {
    _Atomic int64_t fast_ns;
    _Atomic int64_t boot_ns;
    _Atomic int64_t raw_ns;
    _Atomic int64_t end_ns;
};

/*
 * Two copies of the lease: copies[turns % 2] is whole while the other is being written, so that a reader never waits
 * for a writer, whatever their priorities.
 */
struct lease_page {
    _Atomic uint32_t is_alive; /* 0 only in a forked child */
    _Atomic uint32_t turns;
    struct lease_copy copies[2];
    _Atomic uint64_t epochs[]; /* by role number; 0: not leader */
};

/* A page of zeroes: all epochs are 0, and there is no lease. */
size_t lease_page_bytes(uint32_t roles_max);

/* 0 or -errno. */
int lease_page_map(uint32_t roles_max, struct lease_page **ret);
void lease_page_unmap(struct lease_page *page, uint32_t roles_max);
int lease_page_lock(struct lease_page *page, uint32_t roles_max);

/* The node thread only. An incarnation's epochs are zeroed before the lease of the next one is published. */
void lease_page_publish(struct lease_page *page, const struct lease_view *view);
void lease_page_set_epoch(struct lease_page *page, uint32_t role, uint64_t epoch);

/* Whether this process is a child forked off the one that made the page. Any thread. */
bool lease_page_is_wiped(const struct lease_page *page);

/* Any thread. */
struct lease_view lease_page_view(const struct lease_page *page);

/* The epoch under which the role is led while the lease, looked at before, has not ended; 0: not leader. Any thread. */
uint64_t lease_page_epoch(const struct lease_page *page, uint32_t role);

/* What is left of the lease at `now`, read after the view was taken; never negative. */
int64_t lease_view_remaining_ns(const struct lease_view *view, struct clock_reading now);

/* How long the role is still led, 0 if it is not; *ret_epoch (may be NULL) goes with a positive answer. Any thread. */
int64_t lease_page_remaining_ns(const struct lease_page *page, uint32_t role, uint64_t *ret_epoch);

#endif
