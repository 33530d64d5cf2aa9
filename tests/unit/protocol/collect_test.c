/* When reads of one row prove what they showed (rules B1 and D5). Two slots, three disks. */
#include "protocol/collect.h"

#include "rig.h"

#include <criterion/criterion.h>

enum { MINE, THEIRS };

static struct rig rig;
static uint32_t row;
static struct collect first, second;

static struct ballot ballot_of(uint64_t round, uint32_t slot)
{
    return (struct ballot){round, slot, 100 + slot};
}

static void begin(struct collect *collect)
{
    collect_begin(collect, &rig.header.layout, rig.set_tag, rig.header.disk_count, row);
}

static void begin_with_disks(uint32_t disk_count)
{
    rig_init(&rig, disk_count);
    rig.header.layout.slots = 2;
    rig_format(&rig);
    row = layout_register_row(&rig.header.layout, 1);
    begin(&first);
    begin(&second);
}

static void setup(void)
{
    begin_with_disks(3);
}

TestSuite(collect, .init = setup);

static void add(struct collect *collect, uint32_t disk)
{
    collect_add(collect, disk, rig.disks[disk].rows[row]);
}

static void put(uint32_t disk, uint32_t slot, struct ballot promised, struct ballot accepted, struct ballot committed)
{
    struct register_block block = {
        .author = {100 + slot, 1}, .promised = promised, .accepted = accepted, .committed = committed};
    block.value[0] = (uint8_t)accepted.round;
    rig_put_register(&rig, disk, row, slot, &block);
}

static void accept_on(uint32_t disk, uint64_t round)
{
    put(disk, THEIRS, ballot_of(round, THEIRS), ballot_of(round, THEIRS), (struct ballot){0});
}

Test(collect, D5_every_slot_needs_its_own_majority)
{
    rig_damage(&rig, 0, row, MINE);
    rig_damage(&rig, 1, row, THEIRS);
    add(&first, 0);
    add(&first, 1);
    cr_expect_not(collect_is_majority(&first));
    add(&first, 2);
    cr_expect(collect_is_majority(&first));
}

Test(collect, D5_each_disk_counts_once)
{
    add(&first, 0);
    add(&first, 0);
    cr_expect_not(collect_is_majority(&first));
    add(&first, 2);
    cr_expect(collect_is_majority(&first));
}

Test(collect, D5_two_of_five_are_not_enough)
{
    begin_with_disks(5);
    add(&first, 0);
    add(&first, 1);
    cr_expect_not(collect_is_majority(&first));
    add(&first, 4);
    cr_expect(collect_is_majority(&first));
}

Test(collect, the_value_of_the_highest_accepted_ballot_is_taken)
{
    accept_on(0, 3);
    put(1, MINE, ballot_of(9, MINE), ballot_of(2, MINE), (struct ballot){0});
    add(&first, 0);
    add(&first, 1);
    cr_expect(ballot_is_same(first.accepted, ballot_of(3, THEIRS)));
    cr_expect_eq(first.value[0], 3);
    cr_expect(ballot_is_same(first.promised, ballot_of(9, MINE)));
}

Test(collect, B1a_a_commit_mark_proves_the_ballot_it_equals)
{
    accept_on(0, 3);
    put(1, MINE, ballot_of(3, MINE), ballot_of(2, MINE), ballot_of(3, THEIRS));
    add(&first, 0);
    cr_expect_not(collect_is_proven(&first, (struct ballot){0}), "one disk of three");
    add(&first, 1);
    cr_expect(collect_is_proven(&first, (struct ballot){0}));
}

Test(collect, B1a_a_commit_mark_above_the_highest_accepted_proves_nothing)
{
    accept_on(0, 3);
    put(1, MINE, ballot_of(5, MINE), (struct ballot){0}, ballot_of(5, MINE));
    add(&first, 0);
    add(&first, 1);
    cr_expect_not(collect_is_proven(&first, (struct ballot){0}));
    cr_expect_not(collect_is_proven(&first, ballot_of(5, MINE)));
}

Test(collect, B1a_a_commit_mark_below_the_highest_accepted_proves_nothing)
{
    accept_on(0, 3);
    put(1, MINE, ballot_of(2, MINE), ballot_of(2, MINE), ballot_of(2, MINE));
    add(&first, 0);
    add(&first, 1);
    cr_expect_not(collect_is_proven(&first, (struct ballot){0}));
}

Test(collect, B1a_what_the_reader_itself_knows_is_a_mark)
{
    accept_on(0, 3);
    add(&first, 0);
    add(&first, 1);
    cr_expect_not(collect_is_proven(&first, (struct ballot){0}));
    cr_expect(collect_is_proven(&first, ballot_of(3, THEIRS)));
}

Test(collect, B1a_a_row_that_nobody_wrote_is_proven_empty)
{
    add(&first, 0);
    add(&first, 1);
    cr_expect(collect_is_proven(&first, (struct ballot){0}));
}

Test(collect, B1b_a_majority_that_shows_it_twice_proves_it)
{
    accept_on(0, 3);
    accept_on(1, 3);
    for (uint32_t disk = 0; disk < 2; disk++) {
        add(&first, disk);
        add(&second, disk);
    }
    cr_expect(collect_is_proven_twice(&first, &second));
}

Test(collect, B1b_a_promise_above_it_by_another_slot_spoils_that_disk)
{
    accept_on(0, 3);
    accept_on(1, 3);
    add(&first, 0);
    add(&first, 1);
    put(1, MINE, ballot_of(4, MINE), (struct ballot){0}, (struct ballot){0});
    add(&second, 0);
    add(&second, 1);
    cr_expect_not(collect_is_proven_twice(&first, &second));
}

Test(collect, B1b_a_promise_below_the_writers_own_higher_promise_is_still_seen)
{
    for (uint32_t disk = 0; disk < 2; disk++) {
        put(disk, THEIRS, ballot_of(9, THEIRS), ballot_of(3, THEIRS), (struct ballot){0});
        add(&first, disk);
        put(disk, MINE, ballot_of(4, MINE), (struct ballot){0}, (struct ballot){0});
        add(&second, disk);
    }
    cr_expect_not(collect_is_proven_twice(&first, &second));
}

Test(collect, B1b_the_writers_own_next_promise_spoils_nothing)
{
    for (uint32_t disk = 0; disk < 2; disk++) {
        put(disk, THEIRS, ballot_of(4, THEIRS), ballot_of(3, THEIRS), (struct ballot){0});
        add(&first, disk);
        add(&second, disk);
    }
    cr_expect(collect_is_proven_twice(&first, &second));
}

Test(collect, B1b_a_minority_that_shows_it_twice_proves_nothing)
{
    accept_on(0, 3);
    for (uint32_t disk = 0; disk < 3; disk++) {
        add(&first, disk);
        add(&second, disk);
    }
    cr_expect_not(collect_is_proven_twice(&first, &second));
}

Test(collect, B1b_a_damaged_block_spoils_that_disk)
{
    accept_on(0, 3);
    accept_on(1, 3);
    rig_damage(&rig, 1, row, MINE);
    for (uint32_t disk = 0; disk < 3; disk++) {
        add(&first, disk);
        add(&second, disk);
    }
    cr_expect(collect_is_majority(&second));
    cr_expect_not(collect_is_proven_twice(&first, &second));
}

Test(collect, B1b_a_newer_value_in_the_second_read_proves_nothing)
{
    accept_on(0, 3);
    accept_on(1, 3);
    add(&first, 0);
    add(&first, 1);
    accept_on(1, 5);
    add(&second, 0);
    add(&second, 1);
    cr_expect_not(collect_is_proven_twice(&first, &second));
}
