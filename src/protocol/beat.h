/*
 * The heartbeat (rules T5, T7, T8): on each disk read the row, check the own block, then write it. Every read feeds the
 * watch; the verdicts of others are copied and this node's own ones published.
 */
#ifndef DISKARCH_PROTOCOL_BEAT_H
#define DISKARCH_PROTOCOL_BEAT_H

#include "block/ballot.h"
#include "block/limits.h"
#include "protocol/node.h"

struct io;

enum beat_stage { BEAT_IDLE, BEAT_READING, BEAT_WRITING };

struct beat_disk {
    enum beat_stage stage;
    uint64_t written_counter;       /* carried by the write in flight, overdue or not (D1: there is one) */
    uint64_t acknowledged_sequence; /* of the last write acknowledged here; 0 before the first */
    bool has_left;                  /* `left` was acknowledged here */
};

struct beat {
    uint64_t generation; /* completions of an earlier incarnation's heartbeats mean nothing to this one */
    int64_t due_fast_ns;
    int64_t started_wall_ns;
    bool is_running;
    bool is_soon; /* there are news: a heartbeat is due as soon as the one under way has counted */
    struct beat_disk disks[DISKS_MAX];
    uint32_t verdict_count;
    struct node_id verdicts[VERDICTS_MAX]; /* newest first */
};

/* The claim has been confirmed: the first heartbeat goes out. */
void beat_begin(struct node *node);

/* No further heartbeat begins; those under way end. */
void beat_stop(struct node *node);

/* T9: the last heartbeat, `left`, once on each disk. */
void beat_sign_off(struct node *node);

/* Whether `left` was acknowledged by some disk: one is enough. */
bool beat_has_left(const struct node *node);

/* A heartbeat out of turn: readiness, a new verdict, a read that T6 (b) wants. */
void beat_now(struct node *node);

/* The same for news that may share a heartbeat: T10, N2. */
void beat_soon(struct node *node);

/* D2: a heartbeat's request is past its deadline: the next one may begin there without it. */
void beat_on_overdue(struct node *node, const struct io *io);

/* D8: the disk is back: its heartbeat goes out at once, if it owes one. */
void beat_on_return(struct node *node, uint32_t disk);

/* Submits what is due. */
void beat_run(struct node *node);

/* One of its requests has finished. */
void beat_on_io(struct node *node, const struct io *io, const struct io_result *result);

/* Lists a verdict, own or copied, in the next heartbeats. */
void beat_list_verdict(struct node *node, struct node_id id);

/* Whether every disk's heartbeat has ended and nothing is under way. */
bool beat_is_quiet(const struct node *node);

/* Feeds one read of the heartbeat row to the watch; also used while claiming a slot. False if nothing of the disk counts
 * any more (D7), or this node is over. */
bool beat_read_row(struct node *node, const struct io *io, const uint8_t *bytes);

#endif
