/*
 * Requests in flight, and the health of each disk. Holds D1 (one write in flight per disk and block), D2 (timed out is
 * not completed: an entry stays until its completion comes) and what is done about a disk that failed a request: until
 * its header has been read back intact it gets nothing else.
 */
#ifndef DISKARCH_PROTOCOL_IO_H
#define DISKARCH_PROTOCOL_IO_H

#include "protocol/node.h"

enum {
    IO_RESERVED = 7, /* entries per disk beside the register requests: claim, heartbeat, header, and stragglers */
    IO_PER_DISK_MAX = NODE_DEPTH_MAX + IO_RESERVED,
};

enum io_owner { IO_UNUSED, IO_FOR_BEAT, IO_FOR_CLAIM, IO_FOR_OP, IO_FOR_HEALTH };

struct io {
    enum io_owner owner;
    enum io_operation operation;
    uint32_t disk;
    uint32_t row;
    uint32_t op;         /* IO_FOR_OP: which */
    uint64_t generation; /* of the owner when it was submitted (B5) */
    uint64_t submitted_step;
    int64_t submitted_fast_ns;
    uint64_t sequence; /* of the block it writes */
    uint8_t *block;    /* block_bytes, its own until it completes */
};

enum disk_health {
    DISK_GOOD,
    DISK_SUSPECT, /* failed a request; its header must be read back intact first */
    DISK_OUT,     /* D7: counted out for the rest of this incarnation */
};

struct io_table {
    struct io *entries; /* disks x per_disk */
    uint32_t per_disk;
    uint32_t in_flight;
    uint32_t op_count[DISKS_MAX];
    enum disk_health health[DISKS_MAX];
    bool is_probing[DISKS_MAX];
    int64_t probe_fast_ns[DISKS_MAX];
};

/* Whether a request of this owner may be submitted to the disk now: healthy, an entry free, and, for a write of this
 * node's block in `row`, no other write of that block in flight (D1). */
bool io_can_submit(const struct node *node, uint32_t disk, enum io_owner owner, enum io_operation operation,
                   uint32_t row);

/* Takes an entry and emits the action. The caller has asked io_can_submit(), and fills io->block before the step ends
 * when it writes. */
struct io *io_begin(struct node *node, uint32_t disk, enum io_owner owner, enum io_operation operation, uint32_t row);

/* The entry a completion belongs to. */
struct io *io_of_tag(struct node *node, uint32_t tag);

/* Gives the entry back; its fields may be read until the next io_begin(). */
void io_finish(struct node *node, struct io *io, const struct io_result *result);

/* Whether these bytes are the header of that disk as it was when the set was opened, its timings included. */
bool io_is_header_unchanged(const struct node *node, uint32_t disk, const uint8_t *bytes);

/* Probes suspect disks whose time has come. */
void io_probe_suspects(struct node *node);

/* D7: the disk went backwards. */
void io_count_out(struct node *node, uint32_t disk);

#endif
