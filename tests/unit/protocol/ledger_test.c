/* Retiring the slots of the dead (rules S4, T8): an active node and a stranger that has fallen silent. */
#include "rig.h"

#include <criterion/criterion.h>

enum { STRANGER = 77, COUNTER = 5 };

static struct rig rig;
static struct node *node;
static struct node_id dead;
static int64_t w_ns, quarantine_ns;

static void teardown(void)
{
    rig_done(&rig);
}

static void put_stranger(void)
{
    struct heartbeat_block block = rig_stranger(STRANGER, COUNTER);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_heartbeat(&rig, disk, dead.slot, &block);
    }
}

static void begin(bool is_reusing)
{
    rig_init(&rig, 3);
    rig.header.slot_reuse = is_reusing;
    rig_format(&rig);
    node = rig_join(&rig, 0);
    dead = (struct node_id){node->self.slot == 0 ? 1 : 0, STRANGER};
    put_stranger();
    w_ns = timings_watch_ns(&rig.header.timings);
    quarantine_ns = rig.header.timings.quarantine_ns;
}

static void setup(void)
{
    begin(true);
}

TestSuite(ledger, .init = setup, .fini = teardown);

/* What the ledger says about the dead slot, by the highest accepted ballot. */
static uint64_t retired(void)
{
    struct register_block best = {0};
    for (uint32_t disk = 0; disk < 3; disk++) {
        for (uint32_t slot = 0; slot < RIG_SLOTS_MAX; slot++) {
            struct register_block block = rig_register(&rig, disk, ROW_LEDGER_FIRST, slot);
            best = ballot_is_above(block.accepted, best.accepted) ? block : best;
        }
    }
    return ledger_value_get(best.value, dead.slot);
}

Test(ledger, S4_a_dead_incarnation_is_retired_after_its_quarantine_and_not_before)
{
    rig_run(&rig, w_ns + quarantine_ns);
    cr_expect_eq(retired(), 0U);
    rig_run(&rig, 8 * NS_PER_S); /* a random wait of up to four renewals */
    cr_expect_eq(retired(), (uint64_t)STRANGER);
}

Test(ledger, S4_a_verdict_heard_of_starts_the_quarantine_as_well)
{
    rig_run(&rig, NS_PER_S);
    struct heartbeat_block teller = rig_stranger(93, 1);
    teller.verdict_count = 1;
    teller.verdicts[0] = dead;
    uint32_t slot = node->self.slot == 3 ? 4 : 3;
    rig_put_heartbeat(&rig, 0, slot, &teller);
    rig_run(&rig, quarantine_ns);
    cr_expect_eq(retired(), 0U);
    rig_run(&rig, 6 * NS_PER_S);
    cr_expect_eq(retired(), (uint64_t)STRANGER, "sooner than its own watch would have led to");
}

Test(ledger, S4_it_is_written_once)
{
    rig_run(&rig, w_ns + quarantine_ns + 8 * NS_PER_S);
    uint32_t exchanges = rig.nodes[0].submitted[0][ROW_LEDGER_FIRST][IO_EXCHANGE];
    rig_run(&rig, 200 * NS_PER_S);
    cr_expect_eq(rig.nodes[0].submitted[0][ROW_LEDGER_FIRST][IO_EXCHANGE], exchanges);
}

Test(ledger, S4_what_another_has_written_is_not_written_again)
{
    struct register_block block = {.author = {93, 1}, .promised = {9, 6, 93}, .accepted = {9, 6, 93}};
    block.committed = block.accepted;
    ledger_value_set(block.value, dead.slot, STRANGER);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_register(&rig, disk, ROW_LEDGER_FIRST, 6, &block);
    }
    rig_run(&rig, w_ns + quarantine_ns + 8 * NS_PER_S);
    struct register_block own = rig_register(&rig, 0, ROW_LEDGER_FIRST, node->self.slot);
    cr_expect(ballot_is_none(own.accepted), "f declines, and what it saw is proven");
}

Test(ledger, S4_slot_reuse_never_retires_nobody)
{
    begin(false);
    rig_run(&rig, w_ns + 4 * quarantine_ns);
    cr_expect_eq(retired(), 0U);
}

Test(ledger, S4_one_that_left_needs_no_retirement)
{
    struct heartbeat_block block = rig_stranger(STRANGER, COUNTER + 1);
    block.state = HEARTBEAT_LEFT;
    rig_put_heartbeat(&rig, 1, dead.slot, &block);
    rig_run(&rig, w_ns + 2 * quarantine_ns);
    cr_expect_eq(retired(), 0U);
}

Test(ledger, S4_a_retirement_keeps_the_entries_of_other_slots)
{
    struct register_block block = {.author = {93, 1}, .promised = {9, 6, 93}, .accepted = {9, 6, 93}};
    ledger_value_set(block.value, 7, 4711);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_register(&rig, disk, ROW_LEDGER_FIRST, 6, &block);
    }
    rig_run(&rig, w_ns + quarantine_ns + 8 * NS_PER_S);
    cr_expect_eq(retired(), (uint64_t)STRANGER);
    cr_expect_eq(ledger_value_get(rig_register(&rig, 0, ROW_LEDGER_FIRST, node->self.slot).value, 7), 4711U);
}

Test(ledger, T8_a_node_that_the_ledger_calls_retired_is_over)
{
    struct register_block block = {.author = {93, 1}, .promised = {9, 6, 93}, .accepted = {9, 6, 93}};
    ledger_value_set(block.value, node->self.slot, node->self.incarnation);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_register(&rig, disk, ROW_LEDGER_FIRST, 6, &block);
    }
    rig_run(&rig, w_ns + quarantine_ns + 8 * NS_PER_S);
    cr_expect(node_is_over(node));
    cr_expect_eq(rig_notice(&rig, 0, NOTICE_OVER)->notice.reason, OVER_VERDICT);
}
