#include "table.h"

#include "block/layout.h"
#include "block/name.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 512 };

static const struct layout layout = {.block_bytes = BLOCK_BYTES, .slots = TABLE_SLOTS, .registers = TABLE_REGISTERS};
static uint8_t *saved[TABLE_DISKS];

void table_format(struct table *table)
{
    static const char *const names[] = {"a", "b", "c"};
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        table->paths[i] = scratch_path(names[i]);
    }
    struct format_options options = scratch_format_options(table->paths, TABLE_DISKS);
    char message[DISK_MESSAGE_BYTES] = "";
    options.registers = TABLE_REGISTERS;
    options.slots = TABLE_SLOTS;
    cr_assert_eq(disk_format(&options, &table->header, message, sizeof message), 0, "%s", message);
}

void table_save(const struct table *table)
{
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        saved[i] = saved[i] != NULL ? saved[i] : malloc(layout_bytes(&layout));
        scratch_read(table->paths[i], 0, saved[i], layout_bytes(&layout));
    }
}

void table_restore(const struct table *table)
{
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        scratch_write(table->paths[i], 0, saved[i], layout_bytes(&layout));
    }
}

const char *table_name(uint32_t home, uint32_t n)
{
    static char names[16][16];
    static uint32_t next;
    char *name = names[next++ % 16];
    for (uint32_t i = 0; true; i++) {
        snprintf(name, sizeof names[0], "n%u", i);
        if (name_hash(name) % TABLE_REGISTERS == home && n-- == 0) {
            return name;
        }
    }
}

static struct block_place place_of(const struct table *table, uint32_t disk, uint32_t index, uint32_t slot)
{
    return (struct block_place){.set_tag = set_header_tag(&table->header),
                                .disk = disk,
                                .row = layout_register_row(&layout, index),
                                .slot = slot};
}

void table_put(const struct table *table, uint32_t disk_mask, uint32_t index, uint32_t slot, uint64_t round,
               const char *name, enum role_hold hold, uint64_t epoch)
{
    struct ballot ballot = {.round = round, .slot = slot, .incarnation = 100 + slot};
    struct register_block block = {.author = {.incarnation = 100 + slot, .sequence = round}, .promised = ballot};
    if (name[0] != '\0') {
        struct role_value value = {.kind = VALUE_ROLE, .hold = hold, .epoch = epoch};
        snprintf(value.name, sizeof value.name, "%s", name);
        snprintf(value.node_name, sizeof value.node_name, "alpha");
        block.accepted = ballot;
        role_value_encode(block.value, &value);
    }
    for (uint32_t disk = 0; disk < TABLE_DISKS; disk++) {
        struct block_place place = place_of(table, disk, index, slot);
        uint8_t bytes[BLOCK_BYTES];
        block_encode_register(bytes, sizeof bytes, &place, &block);
        if ((disk_mask >> disk & 1) != 0) {
            scratch_write(table->paths[disk], layout_offset(&layout, place.row, slot), bytes, sizeof bytes);
        }
    }
}

void table_damage(const struct table *table, uint32_t disk, uint32_t row, uint32_t slot)
{
    scratch_fill(table->paths[disk], layout_offset(&layout, row, slot) + 60, 0xdb, 8);
}

/* The value accepted last on the disks of the mask, in *ret; false if there is none. */
static bool read_row(const struct table *table, uint32_t disk_mask, uint32_t index, struct role_value *ret)
{
    struct register_block best = {.accepted = {0}};
    for (uint32_t i = 0; i < TABLE_DISKS * TABLE_SLOTS; i++) {
        struct block_place place = place_of(table, i / TABLE_SLOTS, index, i % TABLE_SLOTS);
        uint8_t bytes[BLOCK_BYTES];
        struct register_block block;
        if ((disk_mask >> place.disk & 1) == 0) {
            continue;
        }
        scratch_read(table->paths[place.disk], layout_offset(&layout, place.row, place.slot), bytes, sizeof bytes);
        cr_assert(block_decode_register(bytes, sizeof bytes, &place, &block));
        best = ballot_is_above(block.accepted, best.accepted) ? block : best;
    }
    cr_assert(role_value_decode(best.value, ret));
    return !ballot_is_none(best.accepted);
}

int table_find(const struct table *table, uint32_t disk_mask, const char *name, struct role_value *ret)
{
    uint32_t at = (uint32_t)(name_hash(name) % TABLE_REGISTERS);
    for (uint32_t probe = 0; probe < TABLE_REGISTERS; probe++, at = (at + 1) % TABLE_REGISTERS) {
        if (!read_row(table, disk_mask, at, ret)) {
            return -1;
        }
        if (strcmp(ret->name, name) == 0) {
            return (int)at;
        }
    }
    return -1;
}

bool table_has_nowhere(const struct table *table, const char *name)
{
    for (uint32_t i = 0; i < TABLE_DISKS * TABLE_REGISTERS; i++) {
        struct role_value value;
        if (read_row(table, 1U << i / TABLE_REGISTERS, i % TABLE_REGISTERS, &value) && strcmp(value.name, name) == 0) {
            return false;
        }
    }
    return true;
}
