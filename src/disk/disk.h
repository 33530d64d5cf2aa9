/*
 * The disk port: what the runtime asks of the disks of an opened set, whatever engine does it.
 *
 * Three primitives, each on one disk. read: one whole row. write: one block, durable when acknowledged (O_DIRECT and
 * RWF_DSYNC). exchange: write one block and, only after that write is acknowledged, read the whole row (rule D3). Two more
 * are for looking: header reads the header by which the disk was opened (the first block, or its copy where that was damaged),
 * range any bytes. Knows nothing of ballots, leases or roles.
 *
 * Threads: an engine belongs to one thread at a time. Nothing is allocated after disk_engine_open().
 */
#ifndef DISKARCH_DISK_DISK_H
#define DISKARCH_DISK_DISK_H

#include "disk/disk_set.h"
#include "disk/engine_kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_operation { DISK_READ, DISK_WRITE, DISK_EXCHANGE, DISK_HEADER, DISK_RANGE };

struct disk_request {
    enum disk_operation operation;
    uint32_t disk;        /* index in the set */
    uint32_t row;         /* read, write, exchange */
    uint32_t slot;        /* write, exchange: which block of the row */
    const uint8_t *block; /* write, exchange: block_bytes bytes, copied by disk_engine_queue() */
    uint64_t offset;      /* range: aligned as the disk wants it */
    uint32_t bytes;       /* range: at most a row's */
    uint64_t tag;         /* comes back in the completion */
};

struct disk_completion {
    uint64_t tag;
    uint32_t disk;
    int write_error;      /* 0 or -errno; 0 when nothing was to be written */
    int read_error;       /* 0 or -errno; -ECANCELED when the write before it failed; 0 when nothing was to be read */
    const uint8_t *bytes; /* the row, the header, the range; NULL unless read without error */
    uint32_t request;     /* for disk_engine_release() */
};

struct disk_engine_options {
    enum disk_engine_kind kind;
    uint32_t depth; /* requests in flight per disk, 1..64 */
    int wake_fd;    /* an eventfd that ends disk_engine_wait() when readable, or -1; never read by the engine */
};

struct disk_engine;

/*
 * Opens an engine over the present disks of the set; the set must outlive it. Preallocates and registers every buffer
 * (depth x disks x (block + row)). 0 or DISKARCH_EENGINE; then `set`'s message names the likely cause and the remedy.
 */
int disk_engine_open(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret);

/*
 * Ends the engine. Requests still in flight are left to the kernel; their buffers stay mapped until the kernel gives
 * them back (rule D2). NULL is fine.
 */
void disk_engine_close(struct disk_engine *engine);

/* "io_uring" or "libaio": the engine that really runs. */
const char *disk_engine_name(const struct disk_engine *engine);
enum disk_engine_kind disk_engine_kind(const struct disk_engine *engine);

/* Why DISK_ENGINE_AUTO did not get io_uring, and the remedy; empty if nothing was refused. */
const char *disk_engine_warning(const struct disk_engine *engine);

/*
 * Takes one request; nothing is sent before disk_engine_submit(). 0, -ENODEV if that disk is not present, -EBUSY if
 * `depth` requests of that disk are in flight. Never blocks.
 */
int disk_engine_queue(struct disk_engine *engine, const struct disk_request *request);

/* Sends everything queued, for all disks, in one submission. 0 or -errno. */
int disk_engine_submit(struct disk_engine *engine);

/* Blocks until a completion can be reaped, wake_fd is readable, or timeout_ns (-1: for ever) has passed. 0 or -errno. */
int disk_engine_wait(struct disk_engine *engine, int64_t timeout_ns);

/* One finished request; false if there is none. Never blocks. *ret's bytes are valid until disk_engine_release(). */
bool disk_engine_reap(struct disk_engine *engine, struct disk_completion *ret);

/* Gives the buffers of a reaped completion back. */
void disk_engine_release(struct disk_engine *engine, uint32_t request);

/* Requests queued, in flight, or reaped and not yet released. */
uint32_t disk_engine_in_flight(const struct disk_engine *engine);

#endif
