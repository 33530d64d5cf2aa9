/*
 * The disk sets that this host can see. Reads headers and nothing else, writes nothing, and trusts no name: a disk is known
 * by what stands on it.
 */
#ifndef DISKARCH_DISK_SCAN_H
#define DISKARCH_DISK_SCAN_H

#include "block/header.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SCAN_REASON_BYTES = 256 };

/* Stands for every block device of the host where paths are given. */
#define SCAN_ALL_DEVICES "/dev"

enum scan_state {
    SCAN_USABLE,
    SCAN_LOWER_PATH,     /* another path that was found stands on this one: that one is to be used */
    SCAN_TWIN,           /* another path shows the same disk of the set: a second path to it, or a copy of it */
    SCAN_OLD_GENERATION, /* replaced: the set has a newer generation */
    SCAN_UNFIT,          /* too short, or sectors too large for the set */
    SCAN_NEWER_FORMAT,   /* no set is known of it */
    SCAN_DAMAGED,        /* had a header once; no set is known of it */
    SCAN_NO_DISK,        /* cannot be read, or has no header; no set is known of it */
};

struct scan_disk {
    char *path;
    enum scan_state state;
    char reason
        [SCAN_REASON_BYTES];  /* what is wrong, and the remedy; empty if nothing is. Also a usable disk may have one */
    struct set_header header; /* of disks that belong to a set */
    dev_t identity_device;    /* see struct device */
    ino_t identity_inode;
};

struct scan_set {
    struct set_header header;      /* of the newest generation; disk_index there has no meaning */
    const struct scan_disk *disks; /* by index, then path; those of older generations last */
    size_t disk_count;
    uint32_t usable_count; /* different disks of the newest generation that can be used */
};

struct scan {
    struct scan_disk *disks; /* those of sets first */
    size_t disk_count;
    struct scan_set *sets; /* by name, then UUID */
    size_t set_count;
    const struct scan_disk *others; /* behind the disks of the sets: no set is known of them */
    size_t other_count;
};

/*
 * Looks at the paths: devices, files, directories (their files; SCAN_ALL_DEVICES: all block devices). What was named itself and
 * cannot be read is among the others; what was only come across and is no diskarch disk is left out. 0 or -ENOMEM; *ret is
 * always to be ended with scan_done(). One that hangs costs a deadline
 * (range_reader.h).
 */
int scan_look(const char *const *paths, size_t path_count, struct scan *ret);

void scan_done(struct scan *scan);

/*
 * Finds a set by its name or UUID. 0 and *ret; DISKARCH_ENOSET if there is none; DISKARCH_EUSAGE if the name has several;
 * DISKARCH_EFOREIGN if a disk of it is seen twice. On error the message names the thing, the reason and the remedy.
 */
int scan_choose(const struct scan *scan, const char *name_or_uuid, const struct scan_set **ret, char *message,
                size_t message_bytes);

#endif
