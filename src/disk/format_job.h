/*
 * The insides of disk_format(), shared by its parts: format_options.c judges what was asked for, format_look.c opens,
 * looks and refuses, format_write.c writes and reads back; format.c calls them in that order.
 */
#ifndef DISKARCH_DISK_FORMAT_JOB_H
#define DISKARCH_DISK_FORMAT_JOB_H

#include "disk/device.h"
#include "disk/format.h"
#include "disk/message.h"
#include "disk/probe.h"

struct format_target {
    const char *path;
    struct device device;
    bool is_created; /* by us: goes again if the format fails */
    bool is_grown;   /* an empty file made larger by us: becomes empty again if the format fails */
    struct probe probe;
};

struct format_job {
    const struct format_options *options;
    struct set_header header; /* disk_index 0 */
    struct format_target targets[DISKS_MAX];
    uint32_t count;
    uint64_t done_bytes; /* for progress */
    bool has_headers;    /* some new header may stand on a disk */
    char *message;
    size_t message_bytes;
};

#define FORMAT_REFUSE(job, error, ...) message_set((error), (job)->message, (job)->message_bytes, __VA_ARGS__)

/* Judges everything that can be judged without a disk. */
int format_check_options(struct format_job *job);

/* Opens every target, creating what is missing; then settles the block size and with it the layout. */
int format_open_targets(struct format_job *job);

/* Refuses, by name, what is in use, too small, or holds what was not forced. Blocks for W where a set is forced. */
int format_look(struct format_job *job);

/* Writes everything, headers last, and reads the headers again. */
int format_write(struct format_job *job);

/* After a failure: takes new headers off, created files away, grown files back to nothing. */
void format_undo(struct format_job *job);

#endif
