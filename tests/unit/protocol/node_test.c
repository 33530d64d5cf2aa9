/* The life of an incarnation (rules T1, T3, T4, T9, N5): from joining to its end. */
#include "rig.h"

#include <criterion/criterion.h>

enum { ALPHA, BETA };

static struct rig rig;
static struct node *node;

static void setup(void)
{
    rig_init(&rig, 3);
    node = rig_join(&rig, ALPHA);
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(node, .init = setup, .fini = teardown);

static void set_mode(enum rig_disk_mode mode)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = mode;
    }
}

static void lead(void)
{
    rig_campaign(&rig, ALPHA, 0, "db");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_LEADER, NS_PER_S));
}

static uint32_t submitted(uint32_t index)
{
    uint32_t count = 0;
    for (uint32_t disk = 0; disk < 3; disk++) {
        for (uint32_t row = 0; row < RIG_ROWS_MAX; row++) {
            for (int operation = IO_READ; operation <= IO_HEADER; operation++) {
                count += rig.nodes[index].submitted[disk][row][operation];
            }
        }
    }
    return count;
}

static enum over_reason over_reason(void)
{
    return rig_notice(&rig, ALPHA, NOTICE_OVER)->notice.reason;
}

static void lose_the_lease(void)
{
    set_mode(RIG_HOLDS);
    rig_run(&rig, rig.header.timings.lease_ns + NS_PER_S);
    cr_assert(node_is_over(node));
}

/* ---- T1, T3, T4 ------------------------------------------------------------------------------------------------------- */

Test(node, T1_what_is_held_is_judged_by_the_fast_clock)
{
    lead();
    int64_t left_ns = node_lease_end_ns(node) - rig.nodes[ALPHA].fast_ns;
    rig_pass(&rig, ALPHA, left_ns, 0);
    rig_tick(&rig, ALPHA);
    cr_expect(node_is_over(node));
    cr_expect_eq(over_reason(), OVER_LEASE);
}

Test(node, T1_what_is_waited_for_is_judged_by_the_slow_clock)
{
    lead();
    rig_join(&rig, BETA);
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, 2 * NS_PER_S);
    rig_kill(&rig, ALPHA);
    int64_t w_ns = timings_watch_ns(&rig.header.timings), slow_ns = 0;
    while (node_role_epoch(rig.nodes[BETA].node, 0) == 0 && slow_ns < 2 * w_ns) {
        rig_pass(&rig, BETA, NS_PER_S / 10, NS_PER_S / 20);
        slow_ns += NS_PER_S / 20;
        rig_tick(&rig, BETA);
        rig_settle(&rig);
    }
    cr_expect_neq(node_role_epoch(rig.nodes[BETA].node, 0), 0U);
    cr_expect_geq(slow_ns, w_ns - NS_PER_S);
}

Test(node, T3_nothing_is_held_before_the_first_heartbeat_has_counted)
{
    rig_start(&rig, BETA);
    rig_campaign(&rig, BETA, 0, "db");
    while (rig_notice_count(&rig, BETA, NOTICE_JOINED) == 0) {
        cr_assert_eq(rig_notice_count(&rig, BETA, NOTICE_LEADER), 0U);
        cr_assert(node_id_is_none(node_identity(rig.nodes[BETA].node)));
        cr_assert_eq(node_lease_end_ns(rig.nodes[BETA].node), 0);
        rig_run(&rig, NS_PER_S / 100);
    }
    cr_expect(rig_await(&rig, BETA, NOTICE_LEADER, NS_PER_S) || rig_notice_count(&rig, BETA, NOTICE_LEADER) == 1);
}

Test(node, T4_when_the_lease_ends_every_role_is_lost)
{
    lead();
    int64_t end_ns = node_lease_end_ns(node);
    lose_the_lease();
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LOST), 1U);
    const struct rig_notice *lost = rig_notice(&rig, ALPHA, NOTICE_LOST);
    cr_expect_eq(lost->notice.epoch, 1U);
    cr_expect_eq(lost->notice.reason, OVER_LEASE);
    cr_expect_eq(lost->fast_ns, end_ns, "at the very instant, by a tick of its own");
    cr_expect_eq(node_role_epoch(node, 0), 0U);
    cr_expect_eq(node_lease_end_ns(node), 0);
}

Test(node, T4_an_incarnation_that_is_over_never_submits_again)
{
    lead();
    lose_the_lease();
    uint32_t before = submitted(ALPHA);
    set_mode(RIG_RUNS);
    rig_settle(&rig); /* what was in flight comes back, too late */
    rig_campaign(&rig, ALPHA, 1, "web");
    rig_run(&rig, 30 * NS_PER_S);
    cr_expect_eq(submitted(ALPHA), before);
    cr_expect_eq(node_in_flight(node), 0U);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_OVER), 1U);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LEADER), 1U);
}

Test(node, T4_a_step_that_comes_after_the_end_submits_nothing_that_it_wanted)
{
    lead();
    uint32_t before = submitted(ALPHA);
    rig_pass(&rig, ALPHA, 20 * NS_PER_S, 20 * NS_PER_S); /* stopped for twice the lease */
    rig_tick(&rig, ALPHA);
    cr_expect_eq(submitted(ALPHA), before);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LOST), 1U);
}

Test(node, T4_a_process_rejoins_as_a_new_incarnation_under_a_new_epoch)
{
    lead();
    struct node_id former = node_identity(node);
    lose_the_lease();
    set_mode(RIG_RUNS);
    rig_settle(&rig);
    rig.nodes[ALPHA].params.former = former;
    rig.nodes[ALPHA].params.seed[1]++;
    rig_join(&rig, ALPHA);
    cr_expect_neq(node_identity(rig.nodes[ALPHA].node).incarnation, former.incarnation);
    rig_campaign(&rig, ALPHA, 0, "db");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_LEADER, NS_PER_S), "its own former self needs no W");
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_LEADER)->notice.epoch, 2U);
}

/* ---- N5 ----------------------------------------------------------------------------------------------------------------- */

Test(node, N5_at_risk_is_told_at_half_of_the_lease_and_nothing_is_lost_yet)
{
    lead();
    rig_run(&rig, 2 * NS_PER_S);
    int64_t end_ns = node_lease_end_ns(node);
    set_mode(RIG_HOLDS);
    cr_assert(rig_await(&rig, ALPHA, NOTICE_AT_RISK, 10 * NS_PER_S));
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_AT_RISK)->fast_ns, end_ns - rig.header.timings.lease_ns / 2);
    cr_expect_neq(node_role_epoch(node, 0), 0U);
    set_mode(RIG_RUNS);
    rig_run(&rig, 2 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_SAFE), 1U);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LOST), 0U);
}

/* ---- T9 ------------------------------------------------------------------------------------------------------------------ */

Test(node, T9_leaving_resigns_then_says_left_then_gives_the_slot_back)
{
    lead();
    uint32_t slot = node->self.slot;
    rig_leave(&rig, ALPHA);
    rig_run(&rig, 2 * NS_PER_S);
    cr_expect_eq(over_reason(), OVER_LEFT);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_RELEASED), 1U);
    cr_expect_eq(rig_role(&rig, rig_row_of(&rig, "db")).hold, ROLE_FREE);
    for (uint32_t disk = 0; disk < 3; disk++) {
        cr_expect_eq(rig_heartbeat(&rig, disk, slot).state, HEARTBEAT_LEFT);
        cr_expect(rig_claim(&rig, disk, slot).is_given_back);
    }
}

Test(node, T9_left_waits_for_everything_in_flight)
{
    lead();
    uint32_t slot = node->self.slot;
    rig.disks[2].mode = RIG_HOLDS; /* its heartbeat read never ends */
    rig_run(&rig, NS_PER_S);
    rig_leave(&rig, ALPHA);
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect_eq(over_reason(), OVER_STOPPED);
    cr_expect_eq(rig_role(&rig, rig_row_of(&rig, "db")).hold, ROLE_FREE, "the roles are resigned all the same");
    for (uint32_t disk = 0; disk < 3; disk++) {
        cr_expect_neq(rig_heartbeat(&rig, disk, slot).state, HEARTBEAT_LEFT);
    }
}

Test(node, T9_left_is_not_written_while_an_outcome_is_open)
{
    uint32_t row = rig_row_of(&rig, "db"), slot = node->self.slot;
    set_mode(RIG_HOLDS);
    rig_campaign(&rig, ALPHA, 0, "db");
    for (uint32_t disk = 0; disk < 2; disk++) {
        rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, disk, row, IO_READ));
    }
    rig_tick(&rig, ALPHA);
    for (uint32_t disk = 0; disk < 2; disk++) {
        rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, disk, row, IO_EXCHANGE));
    }
    cr_assert(register_row(node, row)->is_open);
    rig_leave(&rig, ALPHA);
    rig_pass(&rig, ALPHA, 5 * NS_PER_S, 5 * NS_PER_S);
    rig_tick(&rig, ALPHA);
    cr_expect_eq(node->stage, NODE_LEAVING);
    set_mode(RIG_RUNS);
    rig_run(&rig, 2 * NS_PER_S);
    cr_expect_eq(over_reason(), OVER_LEFT);
    cr_expect_eq(rig_role(&rig, row).hold, ROLE_FREE);
    cr_expect_eq(rig_heartbeat(&rig, 0, slot).state, HEARTBEAT_LEFT);
}

Test(node, T9_one_disk_that_says_left_is_enough_for_a_candidate)
{
    rig_join(&rig, BETA);
    lead();
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, 2 * NS_PER_S);
    struct heartbeat_block block = rig_heartbeat(&rig, 1, node->self.slot);
    rig_kill(&rig, ALPHA);
    block.state = HEARTBEAT_LEFT;
    rig_put_heartbeat(&rig, 1, node->self.slot, &block);
    cr_expect(rig_await(&rig, BETA, NOTICE_LEADER, 2 * NS_PER_S), "without waiting for W");
}

Test(node, T9_a_node_that_leaves_while_joining_holds_nothing)
{
    rig_start(&rig, BETA);
    rig_leave(&rig, BETA);
    cr_expect(node_is_over(rig.nodes[BETA].node));
    cr_expect_eq(rig_notice_count(&rig, BETA, NOTICE_JOINED), 0U);
}
