/*
 * Reads bytes of several descriptors at once, with one deadline, for whoever looks at disks before a set is open or beside
 * it. It goes the way of the engines, so a disk that hangs costs one deadline and can be left behind (rule D2); it is not
 * asked again until it has answered.
 *
 * Knows descriptors and offsets; nothing of headers or rows.
 */
#ifndef DISKARCH_DISK_RANGE_READER_H
#define DISKARCH_DISK_RANGE_READER_H

#include "block/limits.h"
#include "disk/engine_kind.h"

#include <stddef.h>
#include <stdint.h>

/*
 * How long a disk may take to answer, where no header has told its timings: longer than any healthy one does. It runs from
 * the first answer of any disk: while there is none it may be this host that stands still, and then no disk is to blame.
 */
#define RANGE_DEADLINE_NS (5 * NS_PER_S)
#define RANGE_SILENCE_NS (15 * NS_PER_S) /* without any answer, from the beginning */

struct range_reader;

struct range_reader_options {
    const int *fds; /* up to DISKS_MAX, for direct I/O; -1: not read */
    uint32_t fd_count;
    uint32_t bytes_max; /* of one range */
    uint32_t depth;     /* ranges of one descriptor in one call, at most: there is a buffer for each */
    enum disk_engine_kind engine;
};

struct range {
    uint32_t fd;    /* its number among the reader's */
    uint32_t bytes; /* aligned for direct I/O, like offset */
    uint64_t offset;
    uint8_t *to; /* where the bytes are copied to; untouched on error */
    int error;   /* the outcome: 0, -ENODATA where the device ends before, -ETIMEDOUT, or another -errno */
};

/* Over at least one descriptor, all of which stay the caller's and must outlive the reader. 0 or DISKARCH_EENGINE with its
 * message. */
int range_reader_open(const struct range_reader_options *options, struct range_reader **ret, char *message,
                      size_t message_bytes);

/* Reads all, until everything is answered or the deadline has passed. */
void range_reader_read(struct range_reader *reader, struct range *ranges, uint32_t count);

/* As disk_engine_name() and disk_engine_warning(). */
const char *range_reader_engine(const struct range_reader *reader);
const char *range_reader_warning(const struct range_reader *reader);

/* NULL is fine. */
void range_reader_close(struct range_reader *reader);

#endif
