/*
 * Gives the registers of forgotten names to names to come, and keeps every other name where its probe finds it (rule N1). Can be cut
 * off anywhere and begun again: "Tuning a set at rest" in src/protocol/README.md. Inside tune only.
 */
#ifndef DISKARCH_OFFLINE_COMPACT_H
#define DISKARCH_OFFLINE_COMPACT_H

#include "block/limits.h"
#include "disk/device.h"
#include "disk/disk_set.h"
#include "offline/compact_row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct compaction {
    struct row_table table;
    struct compaction_entry {
        char name[NAME_FIELD_BYTES]; /* empty: none */
        bool is_forgotten;
    } * entries; /* by register */
    uint64_t highest_epoch;
    uint32_t freed_rows;
};

/*
 * Reads every register of all disks. 0; DISKARCH_EUNSETTLED, with a message, if one is damaged or, unless resuming one that was cut
 * off, not proven; or -errno. Always to be ended with compaction_end().
 */
int compaction_begin(const struct device *devices, const struct disk_set *set, bool is_resuming, struct compaction *ret,
                     char *message, size_t message_bytes);

/* The epoch floor must stand in every header, and no lower than this, before compaction_run(). */
uint64_t compaction_highest_epoch(const struct compaction *compaction);

/* Rewrites what has to be rewritten. 0, or an error with a message; then it can be begun again. */
int compaction_run(struct compaction *compaction, char *message, size_t message_bytes);

void compaction_end(struct compaction *compaction);

#endif
