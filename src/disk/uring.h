/*
 * The insides of the io_uring engine, shared by its two halves: uring.c moves requests, uring_open.c begins and ends.
 * The requests themselves, and what becomes of them, are request_table.h's.
 */
#ifndef DISKARCH_DISK_URING_H
#define DISKARCH_DISK_URING_H

#include "disk/request_table.h"

#include <liburing.h>

enum { RING_ENTRIES_MAX = 32768 }; /* the kernel's limit */
_Static_assert(REPAIR_WINDOW *DISK_DEPTH_MAX *DISKS_MAX + 1 <= RING_ENTRIES_MAX, "the ring must hold every request");

struct uring {
    struct request_table table; /* first: the port's pointer is ours */
    struct io_uring ring;
    int wake_fd;
    bool is_wake_armed;
    bool is_awake;    /* wake_fd became readable */
    bool is_given_up; /* what the kernel had not taken at the end counts as failed */
};

extern const struct disk_engine_operations uring_operations;
extern const struct request_carrier uring_carrier;

/* Ends the ring, if it has begun, and frees the engine. */
void uring_free(struct request_table *table);

#endif
