/*
 * A disk set as this host sees it: opens the named devices and files, reads their headers, and sorts them into the
 * formatted order. The order in which disks are named does not matter: the header tells the index.
 *
 * Refused by name, never counted: a disk of another set or generation, a duplicate, a short device, another block size,
 * a newer format, a file system without direct I/O, a disk on which diskarch tune has begun and not ended. A disk that
 * cannot be opened, does not answer or whose headers are both unreadable is absent: the set opens as long as a majority of
 * the formatted disks is present. A lack of descriptors or memory is refused too.
 */
#ifndef DISKARCH_DISK_DISK_SET_H
#define DISKARCH_DISK_DISK_SET_H

#include "block/header.h"
#include "disk/engine_kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISK_PATH_BYTES = 4096, DISK_MESSAGE_BYTES = 1024 };

struct disk_member {
    bool is_present;
    int fd;                     /* O_DIRECT | O_CLOEXEC, -1 if absent */
    struct set_header header;   /* as it stands on this disk */
    uint64_t header_offset;     /* of the header it was opened by: 0, or that of the copy where the first is damaged */
    char path[DISK_PATH_BYTES]; /* as the user named it; empty if no named path turned out to be this disk */
    char reason[256];           /* why it is absent, empty if present */
};

struct disk_set {
    struct set_header header;              /* of the first present disk; disk_index there has no meaning */
    struct disk_member members[DISKS_MAX]; /* by index in the set; header.disk_count of them */
    uint32_t present_count;
    bool is_writable;
    char unplaced[DISKS_MAX][DISK_PATH_BYTES]; /* named paths that could not be opened or have no header */
    char unplaced_reason[DISKS_MAX][256];
    uint32_t unplaced_count;
    char message[DISK_MESSAGE_BYTES]; /* thing, reason, remedy of the last failed call */
};

struct disk_set_options {
    const char *const *paths;
    size_t path_count;
    bool is_writable;    /* false: opened O_RDONLY, for observers */
    bool allow_tuning;   /* disks that are being tuned are fine, and may differ in what that changes: see members */
    bool allow_minority; /* dump and check look at whatever is there; otherwise a majority must be present */
    enum disk_engine_kind engine; /* which reads the headers */
};

/* Always initialises *ret. Blocks while disks are read; one that hangs costs a deadline (range_reader.h), two at most. 0 or an
 * error of diskarch.h; on error ret->message is set and nothing stays open. */
int disk_set_open(const struct disk_set_options *options, struct disk_set *ret);

/*
 * What a user is told of an absent disk: the path that was meant, as far as it can be told, and the reason. A path without a
 * readable header cannot tell its index, so the absent disks that no path turned out to be share, in order, the paths that
 * turned out to be no disk. The texts live as long as the set.
 */
struct disk_absence {
    const char *path; /* empty: none was named */
    const char *reason;
};
struct disk_absence disk_set_absence(const struct disk_set *set, uint32_t index);

/* Closes every descriptor. Fine on a set that failed to open. */
void disk_set_close(struct disk_set *set);

#endif
