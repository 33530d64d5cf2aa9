/* Rule N8: what can be said of a node by watching it, and by watching only. */
#include "client/sightings.h"

#include <criterion/criterion.h>

enum { SLOTS = 4 };

static const int64_t renew_ns = 100 * NS_PER_MS;
static struct sightings sightings;

static void set_up(void)
{
    cr_assert_eq(sightings_init(&sightings, SLOTS, renew_ns), 0);
}

static void tear_down(void)
{
    sightings_done(&sightings);
}

TestSuite(N8_sightings, .init = set_up, .fini = tear_down);

static void begin_ms(int64_t now_ms)
{
    sightings_begin_round(&sightings, now_ms * NS_PER_MS);
}

static void show(uint32_t slot, uint64_t incarnation, uint64_t counter)
{
    struct heartbeat_block block = {
        .author = {.incarnation = incarnation, .sequence = counter}, .state = HEARTBEAT_READY, .counter = counter};
    sightings_add(&sightings, slot, &block);
}

static enum diskarch_liveness liveness_of(uint32_t slot, uint64_t incarnation, int64_t *silent_ns)
{
    struct node_id node = {.slot = slot, .incarnation = incarnation};
    const struct sighting *sighting = sightings_find(&sightings, node);
    cr_assert_not_null(sighting);
    return sightings_liveness(&sightings, sighting, silent_ns);
}

Test(N8_sightings, one_look_says_nothing)
{
    int64_t silent_ns = 1;
    begin_ms(1000);
    show(0, 77, 5);
    show(0, 77, 6); /* another disk, a beat ahead */
    cr_assert_eq(liveness_of(0, 77, &silent_ns), DISKARCH_NOT_OBSERVED);
    cr_assert_eq(silent_ns, 0);
    cr_assert_eq(sightings_of_slot(&sightings, 0)->block.counter, 6);
}

Test(N8_sightings, what_moves_is_alive_until_it_stands_still_for_two_intervals)
{
    int64_t silent_ns;
    begin_ms(1000);
    show(0, 77, 5);
    begin_ms(1100);
    show(0, 77, 6);
    cr_assert_eq(liveness_of(0, 77, &silent_ns), DISKARCH_ALIVE);
    begin_ms(1299);
    show(0, 77, 6);
    cr_assert_eq(liveness_of(0, 77, &silent_ns), DISKARCH_ALIVE);
    begin_ms(1300);
    show(0, 77, 6);
    cr_assert_eq(liveness_of(0, 77, &silent_ns), DISKARCH_SILENT);
    cr_assert_eq(silent_ns, 200 * NS_PER_MS);
    begin_ms(1400);
    show(0, 77, 7);
    cr_assert_eq(liveness_of(0, 77, &silent_ns), DISKARCH_ALIVE);
}

Test(N8_sightings, a_disk_that_lags_does_not_make_a_node_move)
{
    int64_t silent_ns;
    begin_ms(1000);
    show(0, 77, 9);
    begin_ms(1050);
    show(0, 77, 9);
    show(0, 77, 4);
    begin_ms(1150);
    show(0, 77, 9);
    show(0, 77, 8);
    cr_assert_eq(liveness_of(0, 77, &silent_ns), DISKARCH_NOT_OBSERVED);
}

Test(N8_sightings, left_is_believed_from_one_disk)
{
    int64_t silent_ns;
    struct heartbeat_block left = {.author = {.incarnation = 77}, .state = HEARTBEAT_LEFT, .counter = 10};
    begin_ms(1000);
    show(0, 77, 10);
    sightings_add(&sightings, 0, &left);
    show(0, 77, 9);
    cr_assert_eq(liveness_of(0, 77, &silent_ns), DISKARCH_LEFT);
}

Test(N8_sightings, a_slot_shows_who_moved_last_else_who_stands_on_most_disks)
{
    begin_ms(1000);
    show(1, 10, 5);
    show(1, 20, 3);
    show(1, 20, 3);
    cr_assert_eq(sightings_of_slot(&sightings, 1)->incarnation, 20);
    begin_ms(1100);
    show(1, 10, 6);
    show(1, 20, 3);
    show(1, 20, 3);
    cr_assert_eq(sightings_of_slot(&sightings, 1)->incarnation, 10);
    begin_ms(1200);
    show(1, 20, 3);
    cr_assert_eq(sightings_of_slot(&sightings, 1)->incarnation, 20);
}

Test(N8_sightings, empty_slots_show_nobody)
{
    struct heartbeat_block empty = {0};
    begin_ms(1000);
    sightings_add(&sightings, 2, &empty);
    cr_assert_null(sightings_of_slot(&sightings, 2));
    cr_assert_null(sightings_find(&sightings, (struct node_id){.slot = 2}));
    cr_assert_null(sightings_find(&sightings, (struct node_id){.slot = 4000, .incarnation = 1}));
}

Test(N8_sightings, verdicts_and_the_ledger_tell_who_is_dead)
{
    struct node_id convicted = {.slot = 3, .incarnation = 30}, retired = {.slot = 2, .incarnation = 40};
    struct heartbeat_block judge = {.author = {.incarnation = 10},
                                    .state = HEARTBEAT_READY,
                                    .counter = 1,
                                    .verdict_count = 2,
                                    .verdicts = {convicted, {.slot = 4000, .incarnation = 1}}};
    begin_ms(1000);
    cr_assert_not(sightings_is_dead(&sightings, convicted));
    sightings_add(&sightings, 0, &judge);
    sightings_add_retired(&sightings, 2, 40);
    sightings_add_retired(&sightings, 2, 0);
    begin_ms(1100);
    cr_assert(sightings_is_dead(&sightings, convicted), "dead is for ever, whether the verdict is still listed or not");
    cr_assert(sightings_is_dead(&sightings, retired));
    cr_assert_not(sightings_is_dead(&sightings, (struct node_id){.slot = 3, .incarnation = 31}));
    cr_assert_not(sightings_is_dead(&sightings, (struct node_id){0}));
}

Test(N8_sightings, more_incarnations_than_disks_over_time)
{
    for (uint64_t round = 1; round <= 50; round++) {
        begin_ms((int64_t)round * 10);
        for (uint64_t disk = 0; disk < DISKS_MAX; disk++) {
            show(0, round * 100 + disk, 1);
        }
    }
    cr_assert_not_null(sightings_find(&sightings, (struct node_id){.slot = 0, .incarnation = 5000}));
    cr_assert_null(sightings_find(&sightings, (struct node_id){.slot = 0, .incarnation = 100}));
}
