/* What a challenger may conclude from heartbeat blocks (rule T6): three disks, two slots, W = 1000. */
#include "protocol/watch.h"

#include <criterion/criterion.h>
#include <string.h>

enum { DISKS = 3, SLOTS = 2, WATCH_NS = 1000, SLOT = 1 };

static const struct node_id someone = {SLOT, 77};
static struct watch_entry entries[SLOTS * WATCH_PER_SLOT];
static struct watch watch;

static void setup(void)
{
    memset(entries, 0, sizeof entries);
    watch_begin(&watch, entries, SLOTS, DISKS, WATCH_NS);
}

TestSuite(watch, .init = setup);

static void see_read(const struct heartbeat_block *block, uint32_t disk, uint64_t step, int64_t slow_ns)
{
    struct watch_read read = {.disk = disk, .submitted_step = step, .finished_step = step + 1, .slow_ns = slow_ns};
    watch_see(&watch, SLOT, block, &read);
}

static void see_block(uint32_t disk, uint64_t incarnation, enum heartbeat_state state, uint64_t counter, uint64_t step,
                      int64_t slow_ns)
{
    struct heartbeat_block block = {.author = {incarnation, counter}, .state = state, .counter = counter};
    see_read(&block, disk, step, slow_ns);
}

static void see(uint32_t disk, uint64_t counter, uint64_t step, int64_t slow_ns)
{
    see_block(disk, someone.incarnation, HEARTBEAT_READY, counter, step, slow_ns);
}

/* Seen with counter 5 at time 0 and silent since; W has passed in step 10. */
static void stand_still(void)
{
    see(0, 5, 1, 0);
    cr_assert(watch_tick(&watch, 10, WATCH_NS));
}

Test(watch, T6a_a_counter_must_stand_still_for_the_whole_of_W)
{
    see(0, 5, 1, 0);
    cr_expect_not(watch_tick(&watch, 10, WATCH_NS - 1));
    cr_expect(watch_tick(&watch, 11, WATCH_NS));
}

Test(watch, T6a_the_wait_counts_from_the_end_of_the_read_that_first_showed_the_counter)
{
    see(0, 5, 1, 0);
    see(1, 6, 2, 400); /* newer on another disk */
    see(2, 6, 2, 900); /* the same again: the wait goes on from 400 */
    cr_expect_not(watch_tick(&watch, 10, 400 + WATCH_NS - 1));
    cr_expect(watch_tick(&watch, 11, 400 + WATCH_NS));
}

Test(watch, T6a_an_older_counter_on_another_disk_does_not_move_it)
{
    see(0, 5, 1, 0);
    see(1, 4, 1, 500);
    cr_expect(watch_tick(&watch, 10, WATCH_NS));
}

/* A promise that no number of nanoseconds can hold is no promise to die early. */
Test(watch, T6a_whoever_promises_too_much_is_waited_for_without_end)
{
    static const uint64_t promises[] = {INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
        struct heartbeat_block block = {.author = {someone.incarnation, 5 + i},
                                        .state = HEARTBEAT_READY,
                                        .counter = 5 + i,
                                        .watchdog_promise_ns = promises[i]};
        see_read(&block, 0, 1 + i, 1);
        cr_expect_not(watch_tick(&watch, 10, 100 * (int64_t)WATCH_NS));
        cr_expect_not(watch_tick(&watch, 11, 365 * INT64_C(86400) * NS_PER_S));
    }
}

Test(watch, T6a_the_watchdog_promise_is_waited_for_as_well)
{
    struct heartbeat_block block = {
        .author = {someone.incarnation, 5}, .state = HEARTBEAT_READY, .counter = 5, .watchdog_promise_ns = 300};
    see_read(&block, 0, 1, 0);
    cr_expect_not(watch_tick(&watch, 10, WATCH_NS + 299));
    cr_expect(watch_tick(&watch, 11, WATCH_NS + 300));
}

Test(watch, T6b_standing_still_alone_is_no_death)
{
    stand_still();
    cr_expect_not(watch_is_gone(&watch, someone));
    see(0, 5, 10, WATCH_NS + 1);
    cr_expect_not(watch_is_gone(&watch, someone)); /* one disk of three */
    see(0, 5, 11, WATCH_NS + 2);
    cr_expect_not(watch_is_gone(&watch, someone)); /* still one */
    see(2, 5, 11, WATCH_NS + 3);
    cr_expect(watch_is_gone(&watch, someone));
}

Test(watch, T6b_a_read_submitted_before_the_wait_ended_confirms_nothing)
{
    stand_still();
    see(0, 5, 9, WATCH_NS + 1);
    see(1, 5, 9, WATCH_NS + 1);
    see(2, 5, 9, WATCH_NS + 1);
    cr_expect_not(watch_is_gone(&watch, someone));
}

Test(watch, T6b_one_newer_counter_begins_the_wait_anew)
{
    stand_still();
    see(0, 5, 10, WATCH_NS + 1);
    see(1, 6, 10, WATCH_NS + 5);
    see(2, 5, 10, WATCH_NS + 6);
    see(0, 5, 11, WATCH_NS + 7);
    cr_expect_not(watch_is_gone(&watch, someone));
    cr_expect_not(watch_tick(&watch, 12, 2 * WATCH_NS + 4));
    cr_expect(watch_tick(&watch, 13, 2 * WATCH_NS + 5));
}

Test(watch, T6_a_slot_that_looks_different_teaches_nothing)
{
    stand_still();
    see_block(0, 78, HEARTBEAT_READY, 1, 5, WATCH_NS + 1);
    cr_expect_not(watch_is_gone(&watch, someone));
    see_block(1, 78, HEARTBEAT_READY, 1, 5, WATCH_NS + 1);
    see_block(2, 78, HEARTBEAT_READY, 1, 5, WATCH_NS + 1);
    cr_expect_not(watch_is_gone(&watch, someone));
}

Test(watch, T6_an_incarnation_is_watched_once_a_register_names_it)
{
    cr_expect_null(watch_find(&watch, someone));
    watch_name(&watch, someone, 200);
    cr_expect_not(watch_tick(&watch, 10, 200 + WATCH_NS - 1));
    cr_expect(watch_tick(&watch, 11, 200 + WATCH_NS));
    struct heartbeat_block empty = {0};
    see_read(&empty, 0, 11, 200 + WATCH_NS);
    cr_expect_not(watch_is_gone(&watch, someone));
    see_read(&empty, 1, 11, 200 + WATCH_NS);
    cr_expect(watch_is_gone(&watch, someone));
}

Test(watch, T6_naming_again_does_not_begin_the_wait_anew)
{
    watch_name(&watch, someone, 0);
    watch_name(&watch, someone, 900);
    cr_expect(watch_tick(&watch, 10, WATCH_NS));
}

Test(watch, T6_dead_is_for_ever)
{
    stand_still();
    see(0, 5, 10, WATCH_NS);
    see(1, 5, 10, WATCH_NS);
    see(2, 9, 11, WATCH_NS + 1);
    cr_expect(watch_is_gone(&watch, someone));
    cr_expect_eq(watch_find(&watch, someone)->state, WATCH_DEAD);
}

/* ---- D7 ------------------------------------------------------------------------------------------------------------- */

/* A read of disk 1 that shows this counter of this incarnation; 0 is an empty block. */
static bool is_backwards(uint64_t incarnation, uint64_t counter, uint64_t submitted_step)
{
    struct heartbeat_block block = {.author = {incarnation, counter}, .counter = counter};
    struct watch_read read = {.disk = 1, .submitted_step = submitted_step, .finished_step = submitted_step + 9};
    return watch_is_backwards(&watch, SLOT, &block, &read);
}

Test(watch, D7_a_smaller_counter_than_an_earlier_finished_read_of_that_disk_is_backwards)
{
    see(0, 9, 3, 0); /* another disk may be ahead */
    see(1, 5, 3, 0); /* finished in step 4 */
    cr_expect(is_backwards(someone.incarnation, 4, 4));
    cr_expect(is_backwards(0, 0, 4));
    cr_expect_not(is_backwards(someone.incarnation, 5, 4));
    cr_expect_not(is_backwards(someone.incarnation, 6, 4));
    cr_expect_not(is_backwards(78, 1, 4));
}

Test(watch, D7_reads_that_overlapped_are_not_compared)
{
    see(1, 5, 3, 0); /* finished in step 4 */
    cr_expect_not(is_backwards(someone.incarnation, 4, 3));
    cr_expect_not(is_backwards(0, 0, 3));
}

Test(watch, D7_the_same_counter_again_does_not_make_the_first_sight_younger)
{
    see(1, 5, 3, 0);
    see(1, 5, 20, 0);
    cr_expect(is_backwards(someone.incarnation, 4, 4));
}

Test(watch, D7_what_a_forgotten_disk_showed_confirms_nothing_and_stands_nowhere)
{
    stand_still();
    see(1, 5, 10, WATCH_NS);
    watch_forget_disk(&watch, 1);
    see(0, 5, 10, WATCH_NS);
    cr_expect_not(watch_is_gone(&watch, someone));
    watch_forget_disk(&watch, 0);
    cr_expect_not(watch_is_standing(&watch, someone));
}

Test(watch, T7_somebody_elses_verdict_permits_no_takeover)
{
    see(0, 5, 1, 0);
    watch_hear_verdict(&watch, someone, 10);
    cr_expect_not(watch_is_gone(&watch, someone));
    cr_expect(watch_find(&watch, someone)->is_verdict_known);
    cr_expect_eq(watch_find(&watch, someone)->verdict_slow_ns, 10);
}

Test(watch, T9_left_seen_on_one_disk_is_enough)
{
    see(0, 5, 1, 0);
    see_block(2, someone.incarnation, HEARTBEAT_LEFT, 6, 2, 10);
    cr_expect(watch_is_gone(&watch, someone));
    see(1, 5, 3, 20); /* an older block on another disk */
    cr_expect(watch_is_gone(&watch, someone));
}

Test(watch, S5_a_process_declares_its_own_former_incarnation_dead)
{
    watch_declare_dead(&watch, someone, 0);
    cr_expect(watch_is_gone(&watch, someone));
}

Test(watch, a_slot_remembers_those_that_still_stand)
{
    for (uint32_t disk = 0; disk < DISKS; disk++) {
        see_block(disk, 100 + disk, HEARTBEAT_READY, 1, 1, 0);
    }
    watch_name(&watch, (struct node_id){SLOT, 200}, 5);
    watch_name(&watch, (struct node_id){SLOT, 201}, 6); /* no room: the one that stands nowhere goes */
    for (uint32_t disk = 0; disk < DISKS; disk++) {
        cr_expect(watch_is_standing(&watch, (struct node_id){SLOT, 100 + disk}));
    }
    cr_expect_null(watch_find(&watch, (struct node_id){SLOT, 200}));
    cr_expect_not_null(watch_find(&watch, (struct node_id){SLOT, 201}));
}
