/* A set on three files whose registers a test writes by hand, and reads as a node would. */
#ifndef DISKARCH_TESTS_OFFLINE_TABLE_H
#define DISKARCH_TESTS_OFFLINE_TABLE_H

#include "../../contract/scratch.h"

#include "block/block.h"
#include "block/role_value.h"

enum { TABLE_DISKS = 3, TABLE_REGISTERS = 8, TABLE_SLOTS = 4 };

struct table {
    const char *paths[TABLE_DISKS];
    struct set_header header;
};

/* Formats a set of TABLE_REGISTERS registers. */
void table_format(struct table *table);

/* Puts the bytes of all disks aside, and back again. */
void table_save(const struct table *table);
void table_restore(const struct table *table);

/* The n-th name (from 0) whose probe begins in that register. Static storage, one for each of 16 calls. */
const char *table_name(uint32_t home, uint32_t n);

/* A block on the disks of the mask (bit i: disk i), accepted by that round. name "": only promised. */
void table_put(const struct table *table, uint32_t disk_mask, uint32_t index, uint32_t slot, uint64_t round,
               const char *name, enum role_hold hold, uint64_t epoch);

/* Damages a block. */
void table_damage(const struct table *table, uint32_t disk, uint32_t row, uint32_t slot);

/* The register in which a node's probe finds the name on the disks of the mask; -1 if it ends at a row without a name. */
int table_find(const struct table *table, uint32_t disk_mask, const char *name, struct role_value *ret);

/* Whether no block of any disk holds that name in its value. */
bool table_has_nowhere(const struct table *table, const char *name);

#endif
