/*
 * One register row of a set at rest, on all of its disks at once: what it says, emptying it, writing a value into it. Every disk
 * must be there, and nobody else may write.
 */
#ifndef DISKARCH_OFFLINE_COMPACT_ROW_H
#define DISKARCH_OFFLINE_COMPACT_ROW_H

#include "block/block.h"
#include "block/layout.h"
#include "block/role_value.h"
#include "disk/device.h"
#include "disk/disk_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The registers of a set, of which one row at a time is in memory. */
struct row_table {
    const struct device *devices; /* by index in the set */
    const struct disk_set *set;
    struct layout layout;
    uint64_t set_tag;
    uint8_t *rows;  /* the row that was read last, of each disk */
    uint8_t *block; /* being written */
    char *message;  /* of whoever began; thing, reason, remedy */
    size_t message_bytes;
};

/* What a row says: the block accepted last is what it says, on however many disks it stands. */
struct row_sight {
    bool is_proven;    /* also to whoever reads no more than a majority */
    bool is_empty;     /* nothing was ever written there */
    bool has_accepted; /* `accepted` and `slot` mean something */
    uint32_t slot;     /* in which that block stands */
    struct register_block accepted;
    struct role_value value;
};

/* 0 or -ENOMEM. */
int row_table_init(const struct device *devices, const struct disk_set *set, struct row_table *ret);
void row_table_done(struct row_table *table);

/* Reads register `index` on every disk. 0; DISKARCH_EUNSETTLED if a block is damaged or the value is none; or -errno. */
int row_look(struct row_table *table, uint32_t index, struct row_sight *ret);

/* Makes every block of it empty: those that hold the value accepted last after all others, so that a row in which this was cut off
 * says what it said. 0 or -errno. */
int row_empty(struct row_table *table, uint32_t index);

/* Writes into an empty row the value of another: proven, on every disk. 0 or -errno. */
int row_place(struct row_table *table, uint32_t index, const struct row_sight *from);

#endif
