/* How a disk that was away gets everything back (rule D8): three disks, the third comes and goes; renew = 1 s. */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { ALPHA, BETA, AWAY = 2, STRANGER = 7, ROLES = 40 };

static struct rig rig;
static struct node *node;

static void setup(void)
{
    rig_init(&rig, 3);
    rig.header.layout.registers = 64;
    rig_format(&rig);
    node = rig_join(&rig, ALPHA);
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(mend, .init = setup, .fini = teardown);

static void leave(void)
{
    rig.disks[AWAY].mode = RIG_FAILS;
    rig_run(&rig, 2 * NS_PER_S);
    cr_assert_eq(node_disk(node, AWAY).state, DISK_FAILED);
}

static void come_back(void)
{
    rig.disks[AWAY].mode = RIG_RUNS;
    rig_run(&rig, 3 * NS_PER_S);
    cr_assert_eq(node_disk(node, AWAY).state, DISK_GOOD);
}

static void lead(uint32_t index, uint32_t role, const char *name)
{
    rig_campaign(&rig, index, role, name);
    cr_assert(rig_await(&rig, index, NOTICE_LEADER, NS_PER_S));
}

static void expect_same_on_all_disks(uint32_t row, uint32_t slot)
{
    struct register_block first = rig_register(&rig, 0, row, slot);
    for (uint32_t disk = 1; disk < 3; disk++) {
        struct register_block block = rig_register(&rig, disk, row, slot);
        cr_expect(ballot_is_same(block.accepted, first.accepted));
        cr_expect(ballot_is_same(block.promised, first.promised));
        cr_expect_arr_eq(block.value, first.value, VALUE_BYTES);
    }
}

/* A value accepted by a stranger of whom no heartbeat stands, on the disks that are there. */
static void put_half_kept(uint32_t row, uint8_t value, bool is_marked)
{
    struct register_block block = {.author = {4242, 1}};
    block.promised = block.accepted = (struct ballot){3, STRANGER, 4242};
    block.committed = is_marked ? block.accepted : (struct ballot){0};
    block.value[0] = value;
    rig_put_register(&rig, 0, row, STRANGER, &block);
    rig_put_register(&rig, 1, row, STRANGER, &block);
}

static struct register_block highest_on(uint32_t disk, uint32_t row)
{
    struct register_block best = {0};
    for (uint32_t slot = 0; slot < RIG_SLOTS_MAX; slot++) {
        struct register_block block = rig_register(&rig, disk, row, slot);
        best = ballot_is_above(block.accepted, best.accepted) ? block : best;
    }
    return best;
}

Test(mend, D8_what_a_disk_missed_is_written_there_when_it_returns)
{
    leave();
    for (uint32_t i = 0; i < ROLES; i++) {
        char name[NAME_FIELD_BYTES];
        snprintf(name, sizeof name, "role-%u", i);
        lead(ALPHA, i, name);
    }
    come_back();
    for (uint32_t i = 0; i < rig.header.layout.registers; i++) {
        expect_same_on_all_disks(layout_register_row(&rig.header.layout, i), node->self.slot);
    }
}

Test(mend, D8_a_disk_is_catching_up_until_everything_stands_there)
{
    leave();
    lead(ALPHA, 0, "db");
    rig.disks[AWAY].mode = RIG_HOLDS;
    rig_run(&rig, NS_PER_S);
    rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, AWAY, 0, IO_HEADER));
    rig_tick(&rig, ALPHA);
    struct rig_request *write = rig_find(&rig, ALPHA, AWAY, rig_row_of(&rig, "db"), IO_WRITE);
    cr_assert_not_null(write);
    for (struct rig_request *beat; (beat = rig_find(&rig, ALPHA, AWAY, ROW_HEARTBEAT, IO_READ)) != NULL;) {
        rig_complete(&rig, ALPHA, beat);
    }
    rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, AWAY, ROW_HEARTBEAT, IO_WRITE));
    rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, AWAY, ROW_CLAIM, IO_READ));
    cr_expect_eq(node_disk(node, AWAY).state, DISK_CATCHING_UP);
    rig_complete(&rig, ALPHA, write);
    cr_expect_eq(node_disk(node, AWAY).state, DISK_GOOD);
}

Test(mend, D8_the_claim_is_written_again_where_it_is_missing)
{
    leave();
    rig_damage(&rig, AWAY, ROW_CLAIM, node->self.slot);
    come_back();
    cr_expect_eq(rig_claim(&rig, AWAY, node->self.slot).author.incarnation, node->self.incarnation);
}

Test(mend, D8_a_claim_that_stands_is_not_written_again)
{
    leave();
    uint32_t written = rig.nodes[ALPHA].submitted[AWAY][ROW_CLAIM][IO_WRITE];
    come_back();
    cr_expect_eq(rig.nodes[ALPHA].submitted[AWAY][ROW_CLAIM][IO_WRITE], written);
}

/* Heartbeats first, and never a burst that would delay them. */
Test(mend, D8_a_returning_disk_is_written_to_by_few_requests_at_a_time)
{
    leave();
    for (uint32_t i = 0; i < ROLES; i++) {
        char name[NAME_FIELD_BYTES];
        snprintf(name, sizeof name, "role-%u", i);
        lead(ALPHA, i, name);
    }
    rig.disks[AWAY].mode = RIG_HOLDS;
    rig_run(&rig, NS_PER_S);
    rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, AWAY, 0, IO_HEADER));
    cr_expect_not_null(rig_find(&rig, ALPHA, AWAY, ROW_HEARTBEAT, IO_READ));
    uint32_t rows = 0, written = 0;
    for (uint32_t i = 0; i < rig.header.layout.registers; i++) {
        uint32_t row = layout_register_row(&rig.header.layout, i);
        rows += rig_pending(&rig, ALPHA, AWAY, row);
        written += rig.nodes[ALPHA].submitted[AWAY][row][IO_WRITE];
    }
    cr_expect_eq(written, 2U);
    cr_expect_eq(rows, 2U);
}

static uint32_t looks_ended;

static void note_look(struct node *at, const struct op *op, enum op_outcome outcome)
{
    (void)at;
    (void)op;
    looks_ended += outcome == OP_SEEN;
}

Test(mend, an_own_damaged_block_is_rewritten_from_memory_when_it_is_seen)
{
    lead(ALPHA, 0, "db");
    uint32_t row = rig_row_of(&rig, "db");
    rig_damage(&rig, 1, row, node->self.slot);
    cr_assert_not_null(op_start(node, row, OP_LOOK, OP_NO_ROLE, NULL, note_look));
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(looks_ended, 1U);
    expect_same_on_all_disks(row, node->self.slot);
    cr_expect_eq(node_disk(node, 1).state, DISK_GOOD, "damage is not going backwards");
}

Test(mend, D8_a_half_kept_value_of_somebody_gone_gets_a_read_ballot)
{
    uint32_t row = layout_register_row(&rig.header.layout, 5);
    leave();
    put_half_kept(row, 9, false);
    come_back();
    rig_run(&rig, 20 * NS_PER_S);
    struct register_block kept = highest_on(AWAY, row);
    cr_expect_eq(kept.value[0], 9);
    cr_expect_eq(kept.author.incarnation, node->self.incarnation);
    cr_expect(ballot_is_same(kept.accepted, highest_on(0, row).accepted));
}

/* A ballot that only proves what it saw would find that proven, and write nothing. */
Test(mend, D8_a_half_kept_value_is_brought_to_all_disks_though_it_is_proven)
{
    uint32_t row = layout_register_row(&rig.header.layout, 5);
    leave();
    put_half_kept(row, 9, true);
    come_back();
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(highest_on(AWAY, row).value[0], 9);
}

Test(mend, D8_a_half_kept_value_is_left_to_an_author_who_may_be_alive)
{
    uint32_t row = layout_register_row(&rig.header.layout, 5);
    leave();
    put_half_kept(row, 9, false);
    struct heartbeat_block block = rig_stranger(4242, 1);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_heartbeat(&rig, disk, STRANGER, &block);
    }
    come_back();
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect_geq(rig.nodes[ALPHA].submitted[0][row][IO_READ], 1U);
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE], 0U);
    rig_run(&rig, 40 * NS_PER_S);
    cr_expect_eq(highest_on(AWAY, row).value[0], 9, "W has passed, and he was found dead");
}

Test(mend, D8_a_row_that_somebody_else_has_mended_meanwhile_gets_no_ballot)
{
    uint32_t row = layout_register_row(&rig.header.layout, 5);
    leave();
    put_half_kept(row, 9, false);
    node->exchange_ns = NS_PER_S; /* a slow sweep: there is time between its two looks */
    come_back();
    while (rig.nodes[ALPHA].submitted[0][row][IO_READ] == 0) {
        rig_run(&rig, NS_PER_MS);
    }
    struct register_block block = rig_register(&rig, 0, row, STRANGER);
    rig_put_register(&rig, AWAY, row, STRANGER, &block);
    rig_run(&rig, 60 * NS_PER_S);
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_READ], 2U);
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE], 0U);
}

/* A row that lost a slot's block on most disks keeps an operation busy until its owner writes it again. */
Test(mend, D8_a_row_on_which_an_operation_does_not_end_holds_up_no_other)
{
    uint32_t stuck = layout_register_row(&rig.header.layout, 3);
    uint32_t row = layout_register_row(&rig.header.layout, 5);
    uint32_t before = looks_ended;
    leave();
    put_half_kept(row, 9, false);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_damage(&rig, disk, stuck, STRANGER);
    }
    cr_assert_not_null(op_start(node, stuck, OP_LOOK, OP_NO_ROLE, NULL, note_look));
    come_back();
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(looks_ended, before);
    cr_expect_eq(highest_on(AWAY, row).value[0], 9);
}

/* Of such a row nothing can be mended: no ballot on it would end. */
Test(mend, D8_a_half_kept_row_without_a_majority_for_each_slot_gets_no_ballot)
{
    uint32_t row = layout_register_row(&rig.header.layout, 5);
    leave();
    put_half_kept(row, 9, false);
    uint32_t lost = node->self.slot == 0 ? 1 : 0;
    rig_damage(&rig, 0, row, lost);
    rig_damage(&rig, 1, row, lost);
    come_back();
    rig_run(&rig, 60 * NS_PER_S);
    cr_expect_geq(rig.nodes[ALPHA].submitted[0][row][IO_READ], 1U);
    cr_expect_eq(node->registers.running, 0U);
}

Test(mend, D8_only_half_kept_rows_get_a_ballot_and_only_after_a_return)
{
    uint32_t row = layout_register_row(&rig.header.layout, 5);
    put_half_kept(row, 9, false);
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_READ], 0U);
    leave();
    come_back();
    rig_run(&rig, 20 * NS_PER_S);
    for (uint32_t i = 0; i < rig.header.layout.registers; i++) {
        uint32_t at = layout_register_row(&rig.header.layout, i);
        cr_expect_geq(rig.nodes[ALPHA].submitted[0][at][IO_READ], 1U, "every row is looked at");
        cr_expect_eq(rig.nodes[ALPHA].submitted[0][at][IO_EXCHANGE] > 0, at == row);
    }
}

Test(mend, D8_a_value_that_a_living_node_keeps_is_left_to_it)
{
    rig_join(&rig, BETA);
    leave();
    lead(BETA, 0, "db");
    uint32_t row = rig_row_of(&rig, "db");
    come_back();
    rig_run(&rig, 40 * NS_PER_S);
    expect_same_on_all_disks(row, rig.nodes[BETA].node->self.slot);
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE], 0U);
    cr_expect_neq(node_role_epoch(rig.nodes[BETA].node, 0), 0U);
}

Test(mend, D8_a_role_held_by_a_living_node_is_that_nodes_whoever_wrote_it_last)
{
    rig_join(&rig, BETA);
    lead(BETA, 0, "db");
    uint32_t row = rig_row_of(&rig, "db");
    leave();
    struct register_block held = highest_on(0, row);
    struct register_block block = {.author = {4242, 1}};
    block.promised = block.accepted = (struct ballot){held.accepted.round + 5, STRANGER, 4242};
    memcpy(block.value, held.value, VALUE_BYTES);
    rig_put_register(&rig, 0, row, STRANGER, &block); /* somebody who is gone settled it, and changed nothing */
    rig_put_register(&rig, 1, row, STRANGER, &block);
    come_back();
    rig_run(&rig, 40 * NS_PER_S);
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE], 0U);
    cr_expect(ballot_is_same(highest_on(AWAY, row).accepted, highest_on(0, row).accepted));
    cr_expect_eq(highest_on(AWAY, row).author.incarnation, rig.nodes[BETA].node->self.incarnation);
    cr_expect_neq(node_role_epoch(rig.nodes[BETA].node, 0), 0U);
}

Test(mend, D8_of_several_nodes_that_saw_it_return_one_or_a_few_run_the_ballot)
{
    rig_join(&rig, BETA);
    uint32_t row = layout_register_row(&rig.header.layout, 5);
    leave();
    put_half_kept(row, 9, false);
    come_back();
    rig_run(&rig, 30 * NS_PER_S);
    uint32_t ballots = rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE] + rig.nodes[BETA].submitted[0][row][IO_EXCHANGE];
    cr_expect_geq(ballots, 2U);
    cr_expect_leq(ballots, 8U);
    cr_expect_eq(highest_on(AWAY, row).value[0], 9);
}

Test(mend, an_own_damaged_block_of_a_row_never_used_is_restored_by_the_sweep)
{
    uint32_t row = layout_register_row(&rig.header.layout, 5);
    leave();
    rig_damage(&rig, 1, row, node->self.slot);
    come_back();
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(rig_register(&rig, 1, row, node->self.slot).author.incarnation, node->self.incarnation);
}
