/*
 * Requests in flight. Holds D1 (one write in flight per disk and block) and D2 (timed out is not completed: a request past
 * its deadline stops being waited for, and its disk is failed, but its entry and its buffer stay until the completion
 * comes). What a disk is fit for is health.h's to say.
 */
#ifndef DISKARCH_PROTOCOL_IO_H
#define DISKARCH_PROTOCOL_IO_H

#include "protocol/node.h"

enum io_owner { IO_UNUSED, IO_FOR_BEAT, IO_FOR_CLAIM, IO_FOR_OP, IO_FOR_HEALTH, IO_FOR_MEND };

struct io {
    enum io_owner owner;
    enum io_operation operation;
    uint32_t disk;
    uint32_t row;
    uint32_t op;         /* IO_FOR_OP: which */
    uint64_t generation; /* of the owner when it was submitted (B5) */
    uint64_t submitted_step;
    int64_t submitted_fast_ns;
    bool is_overdue;   /* D2: its owner has gone on without it */
    uint64_t sequence; /* of the block it writes */
    uint64_t round;    /* register rows: of the promise in the block it writes */
    uint64_t floor; /* D7, of what it reads: my block there must not be older; a heartbeat's sequence, a row's round */
    uint8_t *block; /* block_bytes, its own until it completes */
};

struct io_table {
    struct io *entries; /* disks x per_disk */
    uint32_t per_disk;
    uint32_t in_flight;
    uint32_t op_count[DISKS_MAX];
    int64_t deadline_fast_ns; /* no request falls overdue before */
};

/* Whether a request of this owner may be submitted to the disk now: the disk is fit for it, an entry free, and, for a
 * write of this node's block in `row`, no other write of that block in flight (D1). */
bool io_can_submit(const struct node *node, uint32_t disk, enum io_owner owner, enum io_operation operation,
                   uint32_t row);

/* Takes an entry and emits the action. The caller has asked io_can_submit(), and fills io->block before the step ends
 * when it writes. */
struct io *io_begin(struct node *node, uint32_t disk, enum io_owner owner, enum io_operation operation, uint32_t row);

/* Whether a write of this node's block in `row` is in flight to the disk. */
bool io_is_writing(const struct node *node, uint32_t disk, uint32_t row);

/* The entry a completion belongs to. */
struct io *io_of_tag(struct node *node, uint32_t tag);

/* Gives the entry back; its fields may be read until the next io_begin(). */
void io_finish(struct node *node, struct io *io, const struct io_result *result);

/* D2: fails disks with a request past its deadline, and lets the owners go on. Only when all that was reaped has been
 * handled: a process that was stopped finds its answers before it finds fault. */
void io_check_deadlines(struct node *node);

#endif
