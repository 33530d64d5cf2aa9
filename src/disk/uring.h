/*
 * The insides of the io_uring engine, shared by its two halves: uring.c moves requests, uring_open.c begins and ends.
 *
 * A request owns one registered buffer: a block to write, then a row to read. It passes through its states in order:
 *
 *   free -> queued -> in flight (-> in flight again, block by block, rule D9) -> done -> reaped -> free
 */
#ifndef DISKARCH_DISK_URING_H
#define DISKARCH_DISK_URING_H

#include "block/layout.h"
#include "block/limits.h"
#include "disk/engine.h"

#include <liburing.h>

enum {
    /* Blocks of one row that are repeated at a time: the number of submissions one request can have in the ring. */
    REPAIR_WINDOW = 4,
    RING_ENTRIES_MAX = 32768, /* the kernel's limit */
};
_Static_assert(REPAIR_WINDOW >= 2, "a linked write and read must fit into a request's share of the ring");
_Static_assert(REPAIR_WINDOW *DISK_DEPTH_MAX *DISKS_MAX + 1 <= RING_ENTRIES_MAX, "the ring must hold every request");

enum uring_state { URING_FREE, URING_QUEUED, URING_IN_FLIGHT, URING_DONE, URING_REAPED };

struct uring_request {
    enum uring_state state;
    enum disk_operation operation;
    uint32_t disk;
    uint64_t tag;
    uint64_t write_offset;
    uint64_t read_offset;
    uint32_t read_bytes; /* 0: nothing is to be read */
    uint8_t *block;      /* written from here */
    uint8_t *row;        /* read into here */
    uint32_t pending;    /* completions that the kernel still owes */
    int write_error;
    int read_error;
    bool can_repair;        /* the read failed in a way that single blocks may not */
    uint32_t repair_next;   /* the next block of the row to be repeated */
    uint32_t repair_failed; /* blocks that failed again */
};

/* Request numbers in a circle. It has room for every request, so it never overflows. */
struct uring_fifo {
    uint32_t *items;
    uint32_t head;
    uint32_t count;
};

struct uring {
    struct disk_engine base; /* first: the port's pointer is ours */
    struct io_uring ring;
    struct layout layout;
    uint32_t disk_count;
    uint32_t depth;
    uint32_t request_count; /* depth of disk 0, of disk 1, ... */
    bool is_present[DISKS_MAX];
    int wake_fd;
    bool is_wake_armed;
    bool is_awake; /* wake_fd became readable */
    bool is_over;  /* closed: nothing more is sent */
    uint8_t *arena;
    struct uring_request *requests;
    struct uring_fifo queued;
    struct uring_fifo done;
    struct uring *next_parked;
};

extern const struct disk_engine_operations uring_operations;

/* Takes in what the kernel has finished. */
void uring_drain(struct uring *uring);

/* Whether the kernel still holds a buffer. */
bool uring_is_busy(const struct uring *uring);

/* Ends the engine, or parks it until the kernel has given every buffer back. */
void uring_close(struct disk_engine *engine);

#endif
