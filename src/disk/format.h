/*
 * Formatting a disk set: look first, refuse what is not known to be free, then write. Nothing is written before every
 * disk has been looked at.
 */
#ifndef DISKARCH_DISK_FORMAT_H
#define DISKARCH_DISK_FORMAT_H

#include "block/header.h"
#include "disk/disk_set.h"

#include <stddef.h>

struct format_options {
    const char *const *paths; /* in the order that gives the disks their index; missing files are created */
    size_t path_count;
    const char *set_name;
    uint32_t slots;
    uint32_t registers;
    uint32_t block_bytes; /* 0: the largest physical sector (files: direct-I/O alignment, else 512) */
    struct timings timings;
    bool slot_reuse;
    const char *const *force; /* what may be overwritten: a set's name or UUID, a type such as ext4, unknown-data */
    size_t force_count;
    /* Called now and then, with bytes done and bytes in all; may be NULL. */
    void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes);
    void *progress_context;
};

/*
 * Formats. 0 or an error of diskarch.h; on error message (message_bytes long) names the thing, the reason and the remedy,
 * files that were created are removed, and no disk that was refused has been written to.
 * *ret_header is the header written (disk_index 0). Blocks for seconds on large sets, and for W where a diskarch set is
 * overwritten by force (to see that none of its heartbeats moves).
 */
int disk_format(const struct format_options *options, struct set_header *ret_header, char *message,
                size_t message_bytes);

#endif
