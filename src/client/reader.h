/*
 * An observer's reads: the same rows on all disks at once, with a deadline. A disk that does not answer in time sits
 * out until it has answered, so that a hung disk costs one deadline and no more.
 *
 * Knows disks and their health; knows nothing of what stands in the rows.
 */
#ifndef DISKARCH_CLIENT_READER_H
#define DISKARCH_CLIENT_READER_H

#include "disk/disk.h"

#include <stdbool.h>
#include <stdint.h>

enum { READER_WANTS_MAX = 16 };

struct reader_disk {
    bool is_good;       /* present, its header intact, not counted out, and everything it was asked last was read */
    bool is_out;        /* rule D7: counted out by a node */
    char reason[256];   /* why not */
    uint32_t in_flight; /* reads it has not answered yet, of this pass or an earlier one */
    int64_t latency_ns; /* of the last row it gave; -1 unknown */
};

struct reader {
    struct disk_set *set;
    struct disk_engine *engine;
    uint32_t depth;     /* wants one pass can have */
    uint32_t pass;      /* an answer to an earlier pass is not taken for one to this */
    int64_t begin_ns;   /* of this pass */
    uint64_t rows_read; /* asked for since the beginning, each once for all disks */
    struct reader_disk disks[DISKS_MAX];
};

struct reader_want {
    enum disk_operation operation; /* DISK_READ, DISK_HEADER */
    uint32_t row;
};

/* Takes what one disk gave for wants[want]: the row's bytes, valid during the call. */
typedef void reader_take(void *context, uint32_t disk, uint32_t want, const uint8_t *bytes);

/* The set stays open as long as the reader. 0 or an error of diskarch.h, told by the set's message. */
int reader_open(struct reader *reader, struct disk_set *set, enum disk_engine_kind kind);
void reader_close(struct reader *reader);

/*
 * First pass of every call: reads all headers, and up to reader->depth - 1 rows beside them, on every disk that is
 * present. From here on a disk is good or not. Blocks at most two io deadlines.
 */
void reader_look(struct reader *reader, const struct reader_want *wants, uint32_t count, reader_take *take,
                 void *context);

/* Reads rows on every good disk; begun after whatever was read before had ended. At most reader->depth wants. */
void reader_pass(struct reader *reader, const struct reader_want *wants, uint32_t count, reader_take *take,
                 void *context);

/* Rule D7: until the next look, this disk is asked nothing and counts for nothing; `who` says so. */
void reader_count_out(struct reader *reader, uint32_t index, const char *who);

uint32_t reader_good_count(const struct reader *reader);

/* What an observer measures by: this host's clock, going on in suspend. */
int64_t reader_now_ns(void);

#endif
