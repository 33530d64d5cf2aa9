/*
 * The requests of an engine, whatever kernel interface carries them: their buffers and states, what an answer of the
 * kernel makes of them, the repair of a row block by block (rule D9), and the engines that were closed while the kernel
 * still held a buffer (rule D2). An engine adds its carrier: how bytes are sent, and how answers are taken in.
 *
 * A request owns a block to write, then a row to read. It passes through its states in order:
 *
 *   free -> queued -> in flight (-> in flight again, block by block) -> done -> reaped -> free
 *
 * Knows offsets and bytes; never what a block means, nor which kernel interface there is.
 */
#ifndef DISKARCH_DISK_REQUEST_TABLE_H
#define DISKARCH_DISK_REQUEST_TABLE_H

#include "block/layout.h"
#include "block/limits.h"
#include "disk/engine.h"

/* Blocks of one row that are repeated at a time: the number of transfers one request can have under way. */
enum { REPAIR_WINDOW = 4 };
_Static_assert(REPAIR_WINDOW >= 2, "a write and the read behind it must fit into a request's share");

enum request_state { REQUEST_FREE, REQUEST_QUEUED, REQUEST_IN_FLIGHT, REQUEST_DONE, REQUEST_REAPED };

enum request_stage { STAGE_WRITE, STAGE_READ, STAGE_REPAIR };

struct table_request {
    enum request_state state;
    enum disk_operation operation;
    uint32_t disk;
    uint64_t tag;
    uint64_t write_offset;
    uint64_t read_offset;
    uint32_t read_bytes; /* 0: nothing is to be read */
    uint8_t *block;      /* written from here */
    uint8_t *row;        /* read into here */
    uint32_t pending;    /* answers that the kernel still owes */
    int write_error;
    int read_error;
    bool can_repair;        /* the read failed in a way that single blocks may not */
    uint32_t repair_next;   /* the next block of the row to be repeated */
    uint32_t repair_failed; /* blocks that failed again */
};

/* Request numbers in a circle. It has room for every request, so it never overflows. */
struct request_fifo {
    uint32_t *items;
    uint32_t head;
    uint32_t count;
};

struct request_table;

struct request_carrier {
    /* Prepares one read of the request's disk, to be sent with the next drain or submission. `token` comes back. */
    void (*read)(struct request_table *table, struct table_request *request, uint8_t *to, uint32_t bytes,
                 uint64_t offset, uint64_t token);
    /* Takes in what the kernel has finished, and sends the repairs that follow. Never blocks. */
    void (*drain)(struct request_table *table);
    /* Gives everything back; the kernel holds no buffer any more. */
    void (*free)(struct request_table *table);
};

struct request_table {
    struct disk_engine base; /* first: the port's pointer is ours */
    const struct request_carrier *carrier;
    struct layout layout;
    uint32_t disk_count;
    uint32_t depth;
    uint32_t request_count; /* depth of disk 0, of disk 1, ... */
    bool is_present[DISKS_MAX];
    uint64_t header_offset[DISKS_MAX]; /* of the header that the disk was opened by */
    bool is_over;                      /* closed: nothing more is sent */
    uint8_t *arena;
    struct table_request *requests;
    struct request_fifo queued;
    struct request_fifo done;
    struct request_table *next_parked;
};

/* Sets the table up for the set. Allocates every buffer. 0 or -ENOMEM; request_table_done() in either case. */
int request_table_init(struct request_table *table, const struct request_carrier *carrier, const struct disk_set *set,
                       uint32_t depth);
void request_table_done(struct request_table *table);

/* Bytes of all buffers of such a table, and of one request's share of them, which begins with its block. */
uint64_t request_table_bytes(const struct request_table *table);
uint64_t request_table_share_bytes(const struct request_table *table);

/* ---- For the carrier -------------------------------------------------------------------------------------------------- */

/* The oldest queued request, now in flight; NULL if there is none. */
struct table_request *request_table_next(struct request_table *table);

bool request_is_writing(const struct table_request *request);

/* What an answer answers, in the bits that the kernel carries for us. */
uint64_t request_token(const struct request_table *table, const struct table_request *request, enum request_stage stage,
                       uint32_t block);
enum request_stage request_token_stage(uint64_t token);
struct table_request *request_of_token(const struct request_table *table, uint64_t token);

/* An answer of the kernel: bytes transferred, or -errno. */
void request_table_take(struct request_table *table, uint64_t token, int result);

/* CLOCK_MONOTONIC, for waiting. */
int64_t request_now_ns(void);

/* ---- Operations that are the same for every such engine -------------------------------------------------------------- */

int request_table_queue(struct disk_engine *engine, const struct disk_request *request);
bool request_table_reap(struct disk_engine *engine, struct disk_completion *ret);
void request_table_release(struct disk_engine *engine, uint32_t request);

/* Ends the engine, or parks it until the kernel has given every buffer back. */
void request_table_close(struct disk_engine *engine);

/* Frees the parked engines whose buffers have come back. */
void request_table_reap_parked(void);

#endif
