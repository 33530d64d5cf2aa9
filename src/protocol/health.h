/*
 * What this node thinks of each disk (rules D2, D7, D8): one state machine a disk, whose table stands in health.c.
 *
 * A failed disk gets nothing but reads of its header until one comes back intact; then it counts at once and is brought up
 * to date (mend.h). A disk that went backwards is out for the rest of this incarnation. Knows disks and time; knows
 * nothing of what the rows mean.
 */
#ifndef DISKARCH_PROTOCOL_HEALTH_H
#define DISKARCH_PROTOCOL_HEALTH_H

#include "protocol/node.h"

struct io;

struct health {
    enum disk_state state;
    enum disk_cause cause;
    enum disk_state told_state; /* by the last NOTICE_DISK */
    enum disk_cause told_cause;
    int64_t latency_ns;    /* of heartbeat writes, smoothed; 0 before the first */
    bool is_probing;       /* a read of the header is in flight */
    int64_t probe_fast_ns; /* none goes out before */
    uint32_t relapses;     /* failures since it was good or slow, the first not counted */
};

struct health_table {
    struct health disks[DISKS_MAX];
};

/* Whether the disk gets requests, and what it answers counts. */
bool health_counts(const struct node *node, uint32_t disk);

/* D7: whether it is counted out. */
bool health_is_out(const struct node *node, uint32_t disk);

/* D7: the disks counted out, as heartbeats tell them: bit i for disk i. */
uint32_t health_out_mask(const struct node *node);

/* How long a request may take there before nobody waits for it any more (D2). */
int64_t health_deadline_ns(const struct node *node, uint32_t disk);

/* A request failed, or is past its deadline. */
void health_fail(struct node *node, uint32_t disk, enum disk_cause cause);

/* A silent disk has answered at last, and showed this node's own block intact: it is what it was. */
void health_answered_late(struct node *node, uint32_t disk);

/* D7: it went backwards, or another node says so. */
void health_count_out(struct node *node, uint32_t disk, enum disk_cause cause);

/* D7: somebody's heartbeat, read from a disk that counts, names these disks as counted out. */
void health_hear_out_mask(struct node *node, uint32_t mask);

/* A heartbeat's write took this long. */
void health_measure(struct node *node, uint32_t disk, int64_t took_ns);

/* D8: this node's blocks stand there again. */
void health_caught_up(struct node *node, uint32_t disk);

/* Whether these bytes are the header of that disk as it was when the set was opened, its timings included. */
bool health_is_header_unchanged(const struct node *node, uint32_t disk, const uint8_t *bytes);

/*
 * The heartbeat row shows a damaged block there. One sector may have died, or everything was overwritten, the header too: it
 * is read, at most once a renew interval, for a disk without it gets no writes (D7).
 */
void health_doubt(struct node *node, uint32_t disk);

/* A read of a header has finished. */
void health_on_header(struct node *node, const struct io *io, const struct io_result *result);

/* Reads the headers of failed disks whose time has come. */
void health_probe(struct node *node);

/* NOTICE_DISK for each disk of which something else was told last. */
void health_tell(struct node *node);

#endif
