/*
 * Looks at every block of every disk of a set, and judges: what is damaged, what covers it, which disks agree. Writes nothing, and may
 * run while nodes live on the set: then a change under way shows as unsettled.
 */
#ifndef DISKARCH_OFFLINE_SURVEY_H
#define DISKARCH_OFFLINE_SURVEY_H

#include "block/role_value.h"
#include "disk/disk_set.h"
#include "disk/header_pair.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From good to bad; the worst of all findings is the verdict. */
enum survey_weight {
    SURVEY_HEALTHY,
    SURVEY_COVERED, /* something is missing or damaged on fewer disks than a majority: all goes on */
    SURVEY_REPAIR,  /* something does not work before it is mended, and nothing is lost by that */
    SURVEY_LOST,    /* what was accepted last may have stood only where nothing can be read */
};

enum survey_kind {
    SURVEY_DISK_ABSENT,
    SURVEY_HEADER,    /* a header or its copy is not what it should be */
    SURVEY_TUNING,    /* diskarch tune was cut off */
    SURVEY_BLOCK,     /* one block on one disk */
    SURVEY_SLOT,      /* the block of one slot, on too many disks */
    SURVEY_VALUE,     /* a value that is none */
    SURVEY_BEHIND,    /* a disk that shows less than others: it was away, or taken back to an older state */
    SURVEY_UNSETTLED, /* a change that nobody has proven; settled by the next node that uses the row */
};

#define SURVEY_NOWHERE UINT32_MAX

struct survey_finding {
    enum survey_kind kind;
    enum survey_weight weight;
    uint32_t disk, row, slot; /* SURVEY_NOWHERE: of no one in particular */
    char text[256];           /* a sentence: the thing, what is wrong, and the remedy unless that is one for all */
};

/* What stands on one disk. */
struct survey_disk {
    bool is_present;
    struct header_pair headers;
    uint64_t written_blocks, empty_blocks, damaged_blocks; /* damaged: all that are not intact, or could not be read */
};

struct survey {
    struct survey_disk disks[DISKS_MAX];
    uint32_t named_registers;
    uint32_t proven_registers;    /* of the named */
    uint32_t unsettled_registers; /* of all, ledger rows included */
    uint32_t
        newest_on_disks[DISKS_MAX + 1]; /* named registers, by the number of disks on which their newest value stands */
    enum survey_weight verdict;
};

/*
 * Surveys an opened set, with whatever disks are present. Calls `found` for each finding, in the order of disks, then rows. 0, or
 * -ENOMEM. Blocks as long as the disks do.
 */
int survey_run(const struct disk_set *set, void (*found)(void *context, const struct survey_finding *finding),
               void *context, struct survey *ret);

#endif
