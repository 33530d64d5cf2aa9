/*
 * The lease of one incarnation (rules T2 to T4): which heartbeat was submitted when, which a majority has acknowledged,
 * and until when the node may act. Judges by the fast clock only. Knows no disk, no block and no other node.
 */
#ifndef DISKARCH_PROTOCOL_LEASE_H
#define DISKARCH_PROTOCOL_LEASE_H

#include "block/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum { LEASE_INSTANTS = 64 };

struct lease {
    int64_t lease_ns; /* L */
    uint32_t disk_count;
    uint64_t counter; /* of the newest heartbeat; 0 before the first */
    uint64_t counted; /* highest counter that a majority acknowledged in time */
    uint64_t acknowledged[DISKS_MAX];
    struct {
        uint64_t counter;
        int64_t submitted_ns;
    } instants[LEASE_INSTANTS]; /* by counter modulo; overwritten ones simply no longer extend the lease */
    int64_t end_ns;             /* 0: none yet */
    bool is_real;               /* T3: the first heartbeat has counted */
};

void lease_begin(struct lease *lease, int64_t lease_ns, uint32_t disk_count);

/* The next heartbeat has a new counter. */
void lease_advance(struct lease *lease);

/* T2: call right before the write of the current counter is submitted to a disk. Only the first call for a counter takes
 * its instant; further disks and retries never move it. T3: the first instant of all begins the provisional lease. */
void lease_submit(struct lease *lease, int64_t fast_ns);

/* A disk has acknowledged a counter. True if a renewal counted by it. */
bool lease_acknowledge(struct lease *lease, uint32_t disk, uint64_t counter, int64_t fast_ns);

/* T4: whether it is over. A lease that has not begun has not ended. */
bool lease_has_ended(const struct lease *lease, int64_t fast_ns);

#endif
