/* Repairing: what is made of the copies of a block, which disks count, what is refused, and that a cut anywhere can be mended. */
#include "block/layout.h"
#include "offline/tune.h"
#include "table.h"
#include "wraps.h"

#include <criterion/criterion.h>
#include <diskarch/diskarch.h>
#include <string.h>

enum { ALL = 7, TWO = 3, FIRST = 1, THIRD = 4, SLOT = 1, OTHER_SLOT = 2 };

static struct table table;
static char message[DISK_MESSAGE_BYTES];
static struct tune_result result;

static void setup(void)
{
    scratch_init();
    table_format(&table);
    wrap_reset();
}

TestSuite(repair, .init = setup, .fini = scratch_done);

static int repair(void)
{
    struct tune_options options = {
        .paths = table.paths, .path_count = TABLE_DISKS, .change = {-1, -1, -1, -1, -1, -1}, .is_repairing = true};
    return tune_set(&options, &result, message, sizeof message);
}

static struct block_place place_of(uint32_t disk, uint32_t row, uint32_t slot)
{
    return (struct block_place){.set_tag = set_header_tag(&table.header), .disk = disk, .row = row, .slot = slot};
}

static bool read_register(uint32_t disk, uint32_t index, uint32_t slot, struct register_block *ret)
{
    uint8_t bytes[512];
    uint32_t row = layout_register_row(&table.header.layout, index);
    struct block_place place = place_of(disk, row, slot);
    scratch_read(table.paths[disk], layout_offset(&table.header.layout, row, slot), bytes, sizeof bytes);
    return block_decode_register(bytes, sizeof bytes, &place, ret);
}

static void put_heartbeat(uint32_t disk, uint32_t slot, uint64_t counter, uint32_t counted_out)
{
    uint8_t bytes[512];
    struct block_place place = place_of(disk, ROW_HEARTBEAT, slot);
    struct heartbeat_block block = {.author = {.incarnation = 9, .sequence = counter},
                                    .state = HEARTBEAT_READY,
                                    .counter = counter,
                                    .node_name = "alpha",
                                    .counted_out = counted_out};
    block_encode_heartbeat(bytes, sizeof bytes, &place, &block);
    scratch_write(table.paths[disk], layout_offset(&table.header.layout, ROW_HEARTBEAT, slot), bytes, sizeof bytes);
}

static struct heartbeat_block heartbeat_of(uint32_t disk, uint32_t slot)
{
    uint8_t bytes[512];
    struct block_place place = place_of(disk, ROW_HEARTBEAT, slot);
    struct heartbeat_block block = {.counter = 0};
    scratch_read(table.paths[disk], layout_offset(&table.header.layout, ROW_HEARTBEAT, slot), bytes, sizeof bytes);
    cr_assert(block_decode_heartbeat(bytes, sizeof bytes, &place, &block));
    return block;
}

Test(repair, a_set_without_damage_keeps_every_block)
{
    table_put(&table, ALL, 0, SLOT, 5, "db", ROLE_FREE, 2);
    cr_assert_eq(repair(), 0, "%s", message);
    for (uint32_t disk = 0; disk < TABLE_DISKS; disk++) {
        cr_expect_eq(result.repair.written_blocks[disk], 0);
    }
    cr_expect_eq(result.repair.returned_disks, 0);
}

/* Whoever watched only for W would write over what the dead still have on its way. */
Test(repair, it_watches_for_a_quarantine_more)
{
    cr_assert_eq(repair(), 0, "%s", message);
    cr_expect_eq(wrap_watches, 2);
    cr_expect_eq(wrap_watch_more_ns, table.header.timings.quarantine_ns);
}

Test(repair, a_damaged_block_gets_what_the_other_disks_have)
{
    struct register_block block;
    uint32_t row = layout_register_row(&table.header.layout, 0);
    table_put(&table, ALL, 0, SLOT, 5, "db", ROLE_FREE, 2);
    table_damage(&table, 1, row, SLOT);
    table_damage(&table, 2, ROW_CLAIM, SLOT);
    table_damage(&table, 0, ROW_HEARTBEAT, SLOT);
    table_damage(&table, 0, ROW_LEDGER_FIRST, SLOT);
    cr_expect_not(read_register(1, 0, SLOT, &block));
    cr_assert_eq(repair(), 0, "%s", message);
    cr_assert(read_register(1, 0, SLOT, &block));
    cr_expect_eq(block.accepted.round, 5);
    cr_expect_eq(result.repair.written_blocks[0], 2);
    cr_expect_eq(result.repair.written_blocks[1], 1);
    cr_expect_eq(result.repair.written_blocks[2], 1);
}

/* Not the highest promise: phase 1 and phase 2 of one ballot share it (mutant 1 of a restart). And no promise is taken back. */
Test(repair, copies_that_differ_come_to_the_highest_accepted_under_the_highest_promise)
{
    table_put(&table, TWO, 0, SLOT, 5, "db", ROLE_FREE, 2);
    table_put(&table, THIRD, 0, SLOT, 8, "", ROLE_FREE, 0);
    cr_assert_eq(repair(), 0, "%s", message);
    for (uint32_t disk = 0; disk < TABLE_DISKS; disk++) {
        struct register_block block;
        struct role_value value;
        cr_assert(read_register(disk, 0, SLOT, &block));
        cr_expect_eq(block.accepted.round, 5);
        cr_expect_eq(block.promised.round, 8);
        cr_assert(role_value_decode(block.value, &value));
        cr_expect_str_eq(value.name, "db");
    }
}

Test(repair, D7_a_disk_that_was_counted_out_gets_everything_and_counts_again)
{
    table_put(&table, TWO, 0, SLOT, 7, "db", ROLE_FREE, 3);
    table_put(&table, THIRD, 0, SLOT, 4, "db", ROLE_FREE, 1);
    put_heartbeat(0, OTHER_SLOT, 90, THIRD);
    put_heartbeat(1, OTHER_SLOT, 91, THIRD);
    put_heartbeat(2, OTHER_SLOT, 40, 0);
    cr_assert_eq(repair(), 0, "%s", message);
    cr_expect_eq(result.repair.returned_disks, THIRD);
    for (uint32_t disk = 0; disk < TABLE_DISKS; disk++) {
        struct register_block block;
        cr_assert(read_register(disk, 0, SLOT, &block));
        cr_expect_eq(block.accepted.round, 7);
        cr_expect_eq(heartbeat_of(disk, OTHER_SLOT).counter, 91);
        cr_expect_eq(heartbeat_of(disk, OTHER_SLOT).counted_out, 0);
    }
}

/* What a disk says that forgot counts for nothing: two intact copies, one of them out, are no majority of three. */
Test(repair, D7_a_disk_that_is_out_does_not_cover_damage_elsewhere)
{
    uint32_t row = layout_register_row(&table.header.layout, 0);
    table_put(&table, TWO, 0, SLOT, 7, "db", ROLE_FREE, 3);
    table_put(&table, THIRD, 0, SLOT, 4, "db", ROLE_FREE, 1);
    table_damage(&table, 0, row, SLOT);
    put_heartbeat(1, OTHER_SLOT, 91, THIRD);
    uint64_t before[TABLE_DISKS];
    for (int i = 0; i < TABLE_DISKS; i++) {
        before[i] = scratch_checksum(table.paths[i]);
    }
    cr_assert_eq(repair(), DISKARCH_EUNSETTLED);
    cr_expect_not_null(strstr(message, "slot 1"), "%s", message);
    cr_expect_not_null(strstr(message, "the last change of db may be lost"), "%s", message);
    for (int i = 0; i < TABLE_DISKS; i++) {
        cr_expect_eq(scratch_checksum(table.paths[i]), before[i]);
    }
}

/* Cut off at every write in turn, then run to its end: the set is as if it had never been cut off. */
Test(repair, a_cut_anywhere_is_mended_by_the_next_run)
{
    uint32_t row = layout_register_row(&table.header.layout, 0);
    table_put(&table, TWO, 0, SLOT, 7, "db", ROLE_FREE, 3);
    table_put(&table, THIRD, 0, SLOT, 4, "db", ROLE_FREE, 1);
    put_heartbeat(0, OTHER_SLOT, 91, THIRD);
    put_heartbeat(1, OTHER_SLOT, 91, THIRD);
    table_damage(&table, 2, row, OTHER_SLOT);
    table_save(&table);
    bool is_cut = true;
    for (int64_t writes = 0; is_cut; writes++) {
        table_restore(&table);
        wrap_reset();
        wrap_writes_left = writes;
        is_cut = repair() != 0;
        wrap_writes_left = -1;
        /* While a disk lacks something, somebody still says that it is out, or nobody can join. */
        struct register_block block;
        bool is_whole = read_register(2, 0, SLOT, &block) && block.accepted.round == 7;
        bool is_told = heartbeat_of(0, OTHER_SLOT).counted_out != 0 && heartbeat_of(1, OTHER_SLOT).counted_out != 0;
        cr_assert(is_whole || is_told, "after %lld writes", (long long)writes);
        cr_assert_eq(repair(), 0, "%s", message);
        cr_assert(read_register(2, 0, SLOT, &block) && block.accepted.round == 7);
        cr_assert_eq(heartbeat_of(2, OTHER_SLOT).counter, 91);
        cr_assert_eq(heartbeat_of(0, OTHER_SLOT).counted_out, 0);
        cr_assert_lt(writes, 200);
    }
}
