/* The change beacon (rule T10): its lists by themselves, then three nodes on three disks. */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { ALPHA, BETA, GAMMA };

static struct rig rig;

static void setup(void)
{
    rig_init(&rig, 3);
    rig.header.layout.registers = RIG_REGISTERS_MAX;
    rig_format(&rig);
    rig.nodes[BETA].params.poll_ns = 600 * NS_PER_S; /* whoever looks earlier has been told */
    rig.nodes[GAMMA].params.poll_ns = 600 * NS_PER_S;
    rig_join(&rig, ALPHA);
    rig_join(&rig, BETA);
    rig_join(&rig, GAMMA);
    rig_run(&rig, 3 * NS_PER_S);
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(beacon, .init = setup, .fini = teardown);

static struct node *node_of(uint32_t node)
{
    return rig.nodes[node].node;
}

static void lead(uint32_t node, const char *name)
{
    rig_campaign(&rig, node, 0, name);
    cr_assert(rig_await(&rig, node, NOTICE_LEADER, NS_PER_S));
}

static uint32_t register_of(const char *name)
{
    return rig_row_of(&rig, name) - layout_register_row(&rig.header.layout, 0);
}

static void change(uint32_t index)
{
    beacon_note_begun(node_of(ALPHA), layout_register_row(&rig.header.layout, index));
}

/* Reads of register rows by the node so far, on the first disk. */
static uint32_t register_reads(uint32_t node)
{
    uint32_t count = 0;
    for (uint32_t row = layout_register_row(&rig.header.layout, 0); row < RIG_ROWS_MAX; row++) {
        count += rig.nodes[node].submitted[0][row][IO_READ];
    }
    return count;
}

/* ---- The list --------------------------------------------------------------------------------------------------------- */

Test(beacon, T10_changes_are_listed_once_and_newest_first)
{
    change(3);
    change(200);
    change(3);
    const struct beacon *said = &node_of(ALPHA)->beacon.said;
    cr_expect_eq(said->changes[0], 4U);
    cr_expect_eq(said->changes[1], 201U);
    cr_expect_eq(said->buckets[3], 2U);
    cr_expect_eq(said->buckets[200 % BEACON_BUCKETS], 1U);
}

Test(beacon, T10_rows_of_the_ledger_are_not_listed)
{
    struct beacon before = node_of(ALPHA)->beacon.said;
    beacon_note_begun(node_of(ALPHA), ROW_LEDGER_FIRST);
    cr_expect_eq(memcmp(&before, &node_of(ALPHA)->beacon.said, sizeof before), 0);
}

Test(beacon, T10_only_what_changed_has_changed_while_the_list_has_room)
{
    struct beacon before = node_of(ALPHA)->beacon.said;
    change(3);
    const struct beacon *now = &node_of(ALPHA)->beacon.said;
    cr_expect(beacon_has_changed(&before, now, 3));
    cr_expect_not(beacon_has_changed(&before, now, 3 + BEACON_BUCKETS), "the same bucket");
    cr_expect_not(beacon_has_changed(&before, now, 4));
    cr_expect_not(beacon_has_changed(now, now, 3), "listed still, but known");
}

Test(beacon, T10_what_was_pushed_out_of_the_list_is_still_found_by_its_bucket)
{
    struct beacon before = node_of(ALPHA)->beacon.said;
    change(3);
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        change(10 + i);
    }
    change(3 + BEACON_BUCKETS);
    const struct beacon *now = &node_of(ALPHA)->beacon.said;
    cr_expect(beacon_has_changed(&before, now, 3));
    cr_expect(beacon_has_changed(&before, now, 3 + BEACON_BUCKETS));
    cr_expect_not(beacon_has_changed(&before, now, 4));
}

Test(beacon, T10_what_is_wanted_does_not_push_out_what_nobody_was_told)
{
    beacon_seal(node_of(ALPHA));
    for (uint32_t i = 0; i + 1 < BEACON_CHANGES; i++) {
        change(10 + i);
    }
    cr_expect(beacon_want(node_of(ALPHA), 50));
    cr_expect_not(beacon_want(node_of(ALPHA), 51));
    beacon_seal(node_of(ALPHA));
    cr_expect(beacon_want(node_of(ALPHA), 51));
}

/* ---- Told ------------------------------------------------------------------------------------------------------------- */

Test(beacon, T10_a_change_is_followed_by_a_heartbeat_at_once)
{
    uint32_t slot = node_identity(node_of(ALPHA)).slot;
    uint64_t counter = rig_heartbeat(&rig, 0, slot).counter;
    lead(ALPHA, "db");
    rig_settle(&rig);
    struct heartbeat_block block = rig_heartbeat(&rig, 0, slot);
    cr_expect_gt(block.counter, counter);
    cr_expect_eq(block.beacon.changes[0], register_of("db") + 1);
    cr_expect_eq(block.beacon.buckets[register_of("db") % BEACON_BUCKETS], 2U, "begun, and committed");
}

Test(beacon, T10_news_that_come_fast_share_a_heartbeat)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = RIG_HOLDS;
    }
    uint64_t counter = node_of(ALPHA)->lease.counter;
    for (uint32_t i = 0; i < 100; i++) {
        beacon_note_committed(node_of(ALPHA), layout_register_row(&rig.header.layout, i));
        rig_tick(&rig, ALPHA);
    }
    cr_expect_eq(node_of(ALPHA)->lease.counter, counter + 1, "the one under way is let through first");
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = RIG_RUNS;
    }
    rig_settle(&rig);
    rig_tick(&rig, ALPHA);
    rig_settle(&rig);
    cr_expect_eq(node_of(ALPHA)->lease.counter, counter + 2, "then one for all that came meanwhile");
}

Test(beacon, T10_a_candidate_looks_when_its_register_has_changed)
{
    lead(ALPHA, "db");
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, 5 * NS_PER_S);
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, 2 * rig.header.timings.renew_ns), "long before its poll");
}

Test(beacon, T10_changes_alone_cause_no_reads_on_idle_nodes)
{
    lead(ALPHA, "db");
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, 3 * NS_PER_S);
    uint32_t candidate = register_reads(BETA);
    uint32_t idle = register_reads(GAMMA);
    for (uint32_t i = 0; i < 20; i++) {
        char name[NAME_FIELD_BYTES];
        snprintf(name, sizeof name, "other-%u", i);
        rig_call(&rig, ALPHA, (struct call_command){.verb = CALL_SET, .name = name});
        cr_assert(rig_await(&rig, ALPHA, NOTICE_CALL_ENDED, NS_PER_S));
        rig_run(&rig, NS_PER_S);
    }
    cr_expect_eq(register_reads(GAMMA), idle);
    cr_expect_leq(register_reads(BETA), candidate + 2, "its bucket at most");
}

/* ---- Strays ----------------------------------------------------------------------------------------------------------- */

static void hand_over_to_one_that_does_not_campaign(void)
{
    lead(ALPHA, "db");
    rig_transfer(&rig, ALPHA, 0, "beta");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_TRANSFER, NS_PER_S));
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, ALPHA, NOTICE_RELEASED, NS_PER_S));
    cr_assert(node_id_is_same(rig_role(&rig, rig_row_of(&rig, "db")).holder, node_identity(node_of(BETA))));
}

Test(beacon, T10_a_holder_without_a_client_resigns_when_somebody_waits)
{
    hand_over_to_one_that_does_not_campaign();
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(register_reads(BETA), 0U, "nobody waits, nobody looks");
    rig_campaign(&rig, GAMMA, 0, "db");
    cr_assert(rig_await(&rig, GAMMA, NOTICE_LEADER, 5 * rig.header.timings.renew_ns));
    cr_expect_eq(node_role_epoch(node_of(GAMMA), 0), 3U);
}

/* What gamma says it wants looks the same before and after alpha has handed the role to beta, who has heard it already. */
Test(beacon, T10_a_holder_without_a_client_resigns_though_who_waits_has_waited_before)
{
    lead(ALPHA, "db");
    rig_campaign(&rig, GAMMA, 0, "db");
    rig_run(&rig, 5 * NS_PER_S);
    rig_transfer(&rig, ALPHA, 0, "beta");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_TRANSFER, NS_PER_S));
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, ALPHA, NOTICE_RELEASED, NS_PER_S));
    cr_assert(node_id_is_same(rig_role(&rig, rig_row_of(&rig, "db")).holder, node_identity(node_of(BETA))));
    cr_assert(rig_await(&rig, GAMMA, NOTICE_LEADER, rig.header.timings.lease_ns + 5 * rig.header.timings.renew_ns));
}

Test(beacon, T10_a_holder_without_a_client_resigns_when_it_is_asked)
{
    hand_over_to_one_that_does_not_campaign();
    rig_call(&rig, GAMMA, (struct call_command){.verb = CALL_ASK, .name = "db", .ask = ASK_REQUEST});
    cr_assert(rig_await(&rig, GAMMA, NOTICE_CALL_ENDED, 5 * rig.header.timings.renew_ns));
    cr_expect_eq(rig.nodes[GAMMA].results[0].outcome, CALL_DONE);
    cr_expect_eq(rig_role(&rig, rig_row_of(&rig, "db")).hold, ROLE_FREE);
}

Test(beacon, T10_who_waits_for_a_holder_with_a_client_only_waits)
{
    lead(ALPHA, "db");
    uint32_t reads = register_reads(ALPHA);
    rig_campaign(&rig, GAMMA, 0, "db");
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(node_role_epoch(node_of(ALPHA), 0), 1U);
    cr_expect_eq(register_reads(ALPHA), reads);
}
