/* T10: which registers a beacon asks an observer to read again. */
#include "client/beacons.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SLOTS = 4, REGISTERS = 200 };

static struct beacons beacons;
static struct heartbeat_block node;

static void note(void)
{
    node.counter++;
    beacons_note(&beacons, 1, &node, false);
}

static uint32_t wanted_count(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REGISTERS; i++) {
        count += beacons_is_wanted(&beacons, i);
    }
    return count;
}

/* Reads everything that is wanted; the beacons are quiet afterwards. */
static void read_all(void)
{
    for (uint32_t i = 0; i < REGISTERS; i++) {
        beacons_satisfy(&beacons, i);
    }
}

static void list(uint32_t entry)
{
    memmove(&node.beacon.changes[1], &node.beacon.changes[0], (BEACON_CHANGES - 1) * sizeof(uint32_t));
    node.beacon.changes[0] = entry;
}

static void change(uint32_t index)
{
    list(index + 1);
    node.beacon.buckets[index % BEACON_BUCKETS]++;
}

static void set_up(void)
{
    node = (struct heartbeat_block){.author.incarnation = 7, .state = HEARTBEAT_READY};
    cr_assert_eq(beacons_init(&beacons, SLOTS, REGISTERS), 0);
    cr_assert_eq(wanted_count(), REGISTERS, "nothing has been read yet");
    note();
    read_all();
}

static void tear_down(void)
{
    beacons_done(&beacons);
}

TestSuite(T10_beacons, .init = set_up, .fini = tear_down);

Test(T10_beacons, a_quiet_node_asks_for_nothing)
{
    note();
    cr_assert_eq(wanted_count(), 0);
}

Test(T10_beacons, a_change_is_read_when_it_begins_and_when_it_is_committed)
{
    for (int i = 0; i < 2; i++) {
        change(70);
        note();
        cr_assert(beacons_is_wanted(&beacons, 70));
        cr_assert_eq(wanted_count(), 1);
        beacons_satisfy(&beacons, 70);
        note();
        cr_assert_eq(wanted_count(), 0);
    }
}

Test(T10_beacons, what_is_wanted_but_not_changed_is_not_read)
{
    list((70 + 1) | BEACON_WANTED);
    note();
    cr_assert_eq(wanted_count(), 0);
}

/* A stable owner: the list has room, so it explains any count. */
Test(T10_beacons, many_changes_of_one_register_are_one)
{
    change(70);
    node.beacon.buckets[70 % BEACON_BUCKETS] = 1000;
    note();
    cr_assert_eq(wanted_count(), 1);
}

Test(T10_beacons, what_fell_off_the_list_is_found_in_its_bucket)
{
    change(3);
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        change(10 + i);
    }
    note();
    cr_assert(beacons_is_wanted(&beacons, 3));
    cr_assert(beacons_is_wanted(&beacons, 3 + BEACON_BUCKETS));
    cr_assert_eq(wanted_count(), BEACON_CHANGES + 4, "registers 3, 67, 131, 195 and the list");
}

/* What the list still has from before shows that nothing newer fell off. */
Test(T10_beacons, an_old_entry_vouches_for_the_new_ones)
{
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        change(10 + i);
    }
    note();
    read_all();
    change(70);
    change(70);
    node.beacon.changes[1] = node.beacon.changes[2]; /* the list has each register once */
    note();
    cr_assert_eq(wanted_count(), 1);
}

/* A bucket whose other registers are still listed, though they were changed before. */
Test(T10_beacons, a_listed_neighbour_does_not_explain_what_fell_off)
{
    for (uint32_t i = 0; i < BEACON_CHANGES - 1; i++) {
        change(10 + i);
    }
    change(3);
    note();
    read_all();
    change(3 + BEACON_BUCKETS);
    for (uint32_t i = 0; i < BEACON_CHANGES - 1; i++) {
        change(20 + i);
    }
    change(3);
    note();
    cr_assert(beacons_is_wanted(&beacons, 3 + BEACON_BUCKETS));
}

Test(T10_beacons, entries_that_are_no_changes_push_changes_off)
{
    change(3);
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        list((10 + i + 1) | BEACON_WANTED);
    }
    note();
    cr_assert(beacons_is_wanted(&beacons, 3));
}

Test(T10_beacons, counts_go_round)
{
    change(3);
    node.beacon.buckets[3] = UINT16_MAX;
    note();
    read_all();
    change(3);
    cr_assert_eq(node.beacon.buckets[3], 0);
    note();
    cr_assert(beacons_is_wanted(&beacons, 3));
}

Test(T10_beacons, after_a_long_absence_everything_is_read)
{
    node.counter += BEATS_TRUSTED;
    note();
    cr_assert_eq(wanted_count(), REGISTERS);
}

Test(T10_beacons, a_newcomer_has_changed_what_it_says)
{
    struct heartbeat_block newcomer = {.author.incarnation = 9, .state = HEARTBEAT_READY, .counter = 4};
    newcomer.beacon.changes[0] = 30 + 1;
    newcomer.beacon.buckets[30] = 1;
    beacons_note(&beacons, 2, &newcomer, false);
    cr_assert(beacons_is_wanted(&beacons, 30));
    cr_assert_eq(wanted_count(), 1);
    newcomer = (struct heartbeat_block){.author.incarnation = 10, .counter = BEATS_TRUSTED + 1};
    beacons_note(&beacons, 3, &newcomer, false);
    cr_assert_eq(wanted_count(), REGISTERS, "unknown and old");
}

Test(T10_beacons, one_that_was_replaced_unseen_may_have_changed_anything)
{
    node.author.incarnation = 8;
    node.counter = 0;
    note();
    cr_assert_eq(wanted_count(), REGISTERS);
}

Test(T10_beacons, one_that_had_left_had_said_everything)
{
    node.state = HEARTBEAT_LEFT;
    note();
    node = (struct heartbeat_block){.author.incarnation = 8};
    note();
    cr_assert_eq(wanted_count(), 0);
}

Test(T10_beacons, the_dead_may_have_changed_something_unsaid)
{
    beacons_note(&beacons, 1, &node, true);
    cr_assert_eq(wanted_count(), REGISTERS);
    read_all();
    beacons_note(&beacons, 1, &node, true);
    cr_assert_eq(wanted_count(), 0);
}

Test(T10_beacons, an_older_heartbeat_says_nothing)
{
    change(70);
    note();
    read_all();
    struct heartbeat_block older = {.author.incarnation = 7, .counter = node.counter - 1};
    beacons_note(&beacons, 1, &older, false);
    note();
    cr_assert_eq(wanted_count(), 0);
}

Test(T10_beacons, nonsense_is_harmless)
{
    change(REGISTERS + 5);
    list(BEACON_WANTED);
    note();
    cr_assert_eq(wanted_count(), 0);
}
