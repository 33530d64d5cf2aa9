#include "offline/compact_row.h"

#include "disk/message.h"
#include "protocol/collect.h"

#include <diskarch/diskarch.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int row_table_init(const struct device *devices, const struct disk_set *set, struct row_table *ret)
{
    struct row_table table = {
        .devices = devices, .set = set, .layout = set->header.layout, .set_tag = set_header_tag(&set->header)};
    table.rows = device_buffer_new((size_t)set->header.disk_count * layout_row_bytes(&table.layout));
    table.block = device_buffer_new(table.layout.block_bytes);
    if (table.rows == NULL || table.block == NULL) {
        row_table_done(&table);
        return -ENOMEM;
    }
    *ret = table;
    return 0;
}

void row_table_done(struct row_table *table)
{
    free(table->rows);
    free(table->block);
    table->rows = NULL;
    table->block = NULL;
}

static uint32_t disk_count(const struct row_table *table)
{
    return table->set->header.disk_count;
}

static uint8_t *row_of(const struct row_table *table, uint32_t disk)
{
    return table->rows + (size_t)disk * layout_row_bytes(&table->layout);
}

static const uint8_t *block_of(const struct row_table *table, uint32_t disk, uint32_t slot)
{
    return row_of(table, disk) + (size_t)slot * table->layout.block_bytes;
}

static struct block_place place_of(const struct row_table *table, uint32_t disk, uint32_t index, uint32_t slot)
{
    return (struct block_place){
        .set_tag = table->set_tag, .disk = disk, .row = layout_register_row(&table->layout, index), .slot = slot};
}

/* ---- Reading ---------------------------------------------------------------------------------------------------------- */

static int row_read(struct row_table *table, uint32_t index)
{
    for (uint32_t disk = 0; disk < disk_count(table); disk++) {
        int error = device_read(&table->devices[disk], row_of(table, disk), layout_row_bytes(&table->layout),
                                layout_offset(&table->layout, layout_register_row(&table->layout, index), 0));
        if (error != 0) {
            return message_set(error, table->message, table->message_bytes,
                               "%s: register %u cannot be read: %s; see the kernel log for the device's state",
                               table->set->members[disk].path, index, strerror(-error));
        }
    }
    return 0;
}

static int refuse_damage(struct row_table *table, uint32_t index, uint32_t disk, uint32_t slot)
{
    return message_set(DISKARCH_EUNSETTLED, table->message, table->message_bytes,
                       "%s: the block of slot %u in register %u is damaged; mend it first, see diskarch check",
                       table->set->members[disk].path, slot, index);
}

static bool is_block_empty(const struct register_block *block)
{
    return block->author.incarnation == 0;
}

static int take_blocks(struct row_table *table, uint32_t index, struct row_sight *sight)
{
    for (uint32_t disk = 0; disk < disk_count(table); disk++) {
        for (uint32_t slot = 0; slot < table->layout.slots; slot++) {
            struct block_place place = place_of(table, disk, index, slot);
            struct register_block block;
            if (!block_decode_register(block_of(table, disk, slot), table->layout.block_bytes, &place, &block)) {
                return refuse_damage(table, index, disk, slot);
            }
            sight->is_empty = sight->is_empty && is_block_empty(&block);
            if (ballot_is_above(block.accepted, sight->accepted.accepted)) {
                sight->has_accepted = true;
                sight->accepted = block;
                sight->slot = slot;
            }
        }
    }
    return 0;
}

/* With nobody else writing, one pass over all disks is as good as two. */
static bool is_proven(const struct row_table *table, uint32_t index)
{
    static struct collect collect; /* too large for a stack */
    collect_begin(&collect, &table->layout, table->set_tag, disk_count(table),
                  layout_register_row(&table->layout, index));
    for (uint32_t disk = 0; disk < disk_count(table); disk++) {
        collect_add(&collect, disk, row_of(table, disk));
    }
    return collect_is_proven(&collect, (struct ballot){0}) || collect_is_proven_twice(&collect, &collect);
}

int row_look(struct row_table *table, uint32_t index, struct row_sight *ret)
{
    struct row_sight sight = {.is_empty = true};
    int error = row_read(table, index);
    error = error != 0 ? error : take_blocks(table, index, &sight);
    if (error != 0) {
        return error;
    }
    if (!role_value_decode(sight.accepted.value, &sight.value)) {
        return message_set(DISKARCH_EUNSETTLED, table->message, table->message_bytes,
                           "set \"%s\": register %u holds what this program does not understand; see diskarch check",
                           table->set->header.set_name, index);
    }
    sight.is_proven = is_proven(table, index);
    *ret = sight;
    return 0;
}

/* ---- Writing ---------------------------------------------------------------------------------------------------------- */

static int fail_write(struct row_table *table, uint32_t disk, uint32_t index, int error)
{
    return message_set(
        error, table->message, table->message_bytes,
        "%s: register %u cannot be written: %s; see the kernel log for the device's state, then run diskarch "
        "tune again",
        table->set->members[disk].path, index, strerror(-error));
}

static int write_block(struct row_table *table, const struct block_place *place)
{
    return device_write(&table->devices[place->disk], table->block, table->layout.block_bytes,
                        layout_offset(&table->layout, place->row, place->slot));
}

/* Of one disk: the blocks that hold what was accepted last, or all others. The row was looked at before. */
static int empty_blocks(struct row_table *table, uint32_t disk, uint32_t index, const struct row_sight *sight,
                        bool is_last_accepted)
{
    for (uint32_t slot = 0; slot < table->layout.slots; slot++) {
        struct block_place place = place_of(table, disk, index, slot);
        struct register_block block = {.author = {0}};
        bool is_intact = block_decode_register(block_of(table, disk, slot), table->layout.block_bytes, &place, &block);
        assert(is_intact);
        bool holds_last = sight->has_accepted && ballot_is_same(block.accepted, sight->accepted.accepted);
        if (is_block_empty(&block) || holds_last != is_last_accepted) {
            continue;
        }
        block_encode_empty(table->block, table->layout.block_bytes, &place);
        int error = write_block(table, &place);
        if (error != 0) {
            return error;
        }
    }
    return fsync(table->devices[disk].fd) == 0 ? 0 : -errno;
}

int row_empty(struct row_table *table, uint32_t index)
{
    struct row_sight sight = {.has_accepted = false};
    int error = row_look(table, index, &sight);
    for (int is_last_accepted = 0; is_last_accepted < 2 && error == 0; is_last_accepted++) {
        for (uint32_t disk = 0; disk < disk_count(table) && error == 0; disk++) {
            error = empty_blocks(table, disk, index, &sight, is_last_accepted == 1);
            if (error != 0) {
                fail_write(table, disk, index, error);
            }
        }
    }
    return error;
}

int row_place(struct row_table *table, uint32_t index, const struct row_sight *from)
{
    assert(from->has_accepted);
    struct register_block block = from->accepted;
    block.promised = block.committed = block.accepted;
    for (uint32_t disk = 0; disk < disk_count(table); disk++) {
        struct block_place place = place_of(table, disk, index, from->slot);
        block_encode_register(table->block, table->layout.block_bytes, &place, &block);
        int error = write_block(table, &place);
        error = error == 0 && fsync(table->devices[disk].fd) != 0 ? -errno : error;
        if (error != 0) {
            return fail_write(table, disk, index, error);
        }
    }
    return 0;
}
