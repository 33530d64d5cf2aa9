/*
 * The insides of the libaio engine, shared by its two halves: aio.c moves requests, aio_open.c begins and ends. The requests
 * themselves, and what becomes of them, are request_table.h's.
 */
#ifndef DISKARCH_DISK_AIO_H
#define DISKARCH_DISK_AIO_H

#include "disk/caretaker.h"
#include "disk/request_table.h"

#include <libaio.h>

struct aio {
    struct request_table table; /* first: the port's pointer is ours */
    io_context_t context;
    struct caretaker caretaker; /* this process can be ended although a disk hangs */
    int fds[DISKS_MAX];
    int wake_fd;
    int event_fd; /* readable when the kernel has finished something */
    /* What is on its way to the kernel, oldest first, in a circle: transfers wait here while the kernel is short of memory. */
    struct iocb *iocbs;
    uint32_t iocb_room;
    uint32_t iocb_head;
    uint32_t iocb_count;
};

extern const struct disk_engine_operations aio_operations;
extern const struct request_carrier aio_carrier;

/* Ends what has begun, and frees the engine. */
void aio_free(struct request_table *table);

#endif
