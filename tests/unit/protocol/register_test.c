/* The register engine on an active node (rules B1 to B5, D1 to D5): one node, three disks, blocks of others planted. */
#include "rig.h"

#include <criterion/criterion.h>
#include <string.h>

enum { OTHER = 7 }; /* a slot that nobody owns: tests write its blocks */

static struct rig rig;
static struct node *node;
static uint32_t row;

/* What the operation under test is to write and how it ended. */
static uint8_t wanted;
static bool is_declining;
static uint32_t ended;
static enum op_outcome outcome;
static uint8_t ended_value;

static bool change_to_wanted(struct node *at, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    (void)at;
    (void)op;
    memcpy(ret_value, seen, VALUE_BYTES);
    ret_value[0] = wanted;
    return !is_declining;
}

static void note_end(struct node *at, const struct op *op, enum op_outcome how)
{
    (void)at;
    ended++;
    outcome = how;
    ended_value = op->value[0];
}

static void setup(void)
{
    rig_init(&rig, 3);
    node = rig_join(&rig, 0);
    row = layout_register_row(&rig.header.layout, 2);
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(registers, .init = setup, .fini = teardown);

static void set_mode(enum rig_disk_mode mode)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = mode;
    }
}

static struct op *start(enum op_goal goal, uint8_t value)
{
    wanted = value;
    struct op *op = op_start(node, row, goal, OP_NO_ROLE, goal == OP_UPDATE ? change_to_wanted : NULL, note_end);
    cr_assert_not_null(op);
    rig_tick(&rig, 0);
    return op;
}

/* One whole operation on healthy disks. */
static void finish(enum op_goal goal, uint8_t value)
{
    uint32_t before = ended;
    start(goal, value);
    rig_run(&rig, NS_PER_S);
    cr_assert_eq(ended, before + 1);
}

static void exchange(uint32_t disk)
{
    rig_complete(&rig, 0, rig_find(&rig, 0, disk, row, IO_EXCHANGE));
}

static void read_row(uint32_t disk)
{
    rig_complete(&rig, 0, rig_find(&rig, 0, disk, row, IO_READ));
}

static struct ballot other_ballot(uint64_t round)
{
    return (struct ballot){round, OTHER, 4242};
}

/* The other slot has accepted `value` in that round on this disk, or only promised when value is 0. */
static void put_other(uint32_t disk, uint64_t round, uint8_t value)
{
    struct register_block block = {.author = {4242, round}, .promised = other_ballot(round)};
    if (value != 0) {
        block.accepted = other_ballot(round);
        block.value[0] = value;
    }
    rig_put_register(&rig, disk, row, OTHER, &block);
}

/* My block as it was submitted to this disk and not yet landed. */
static struct register_block submitted(uint32_t disk)
{
    struct rig_request *request = rig_find(&rig, 0, disk, row, IO_EXCHANGE);
    cr_assert_not_null(request);
    struct block_place place = rig_place(&rig, disk, row, node->self.slot);
    struct register_block block = {0};
    cr_assert(block_decode_register(request->block, RIG_BLOCK_BYTES, &place, &block));
    return block;
}

/* ---- Phases ------------------------------------------------------------------------------------------------------- */

Test(registers, a_value_written_is_read_back)
{
    finish(OP_UPDATE, 5);
    cr_expect_eq(outcome, OP_COMMITTED);
    finish(OP_PROVE, 0);
    cr_expect_eq(outcome, OP_SEEN);
    cr_expect_eq(ended_value, 5);
}

Test(registers, phase_1_keeps_accepted_and_value)
{
    finish(OP_UPDATE, 5);
    struct register_block before = rig_register(&rig, 0, row, node->self.slot);
    register_row(node, row)->is_next_promised = false; /* as after an abort */
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 6);
    struct register_block block = submitted(0);
    cr_expect(ballot_is_above(block.promised, before.promised));
    cr_expect(ballot_is_same(block.accepted, before.accepted));
    cr_expect_eq(block.value[0], 5);
}

Test(registers, phase_1_adopts_the_highest_accepted_value_seen)
{
    put_other(1, 3, 9);
    is_declining = true;
    finish(OP_UPDATE, 1);
    cr_expect_eq(outcome, OP_COMMITTED);
    cr_expect_eq(ended_value, 9);
    cr_expect_eq(rig_register(&rig, 0, row, node->self.slot).value[0], 9, "phase 2 rewrites what was seen");
    cr_expect_eq(rig_register(&rig, 2, row, node->self.slot).value[0], 9);
}

Test(registers, a_phase_ends_when_every_slot_has_its_majority)
{
    set_mode(RIG_HOLDS);
    rig_damage(&rig, 0, row, 3);
    start(OP_UPDATE, 5);
    read_row(0);
    read_row(1);
    cr_expect_eq(rig_pending(&rig, 0, 0, row), 0U, "slot 3 lacks its second disk");
    read_row(2);
    exchange(0);
    exchange(1);
    cr_expect(ballot_is_none(submitted(2).accepted), "still phase 1");
    exchange(2);
    exchange(1);
    exchange(2);
    cr_expect_eq(ended, 1U);
    cr_expect_eq(outcome, OP_COMMITTED);
}

Test(registers, first_use_recovers_the_own_block_with_the_highest_accepted)
{
    struct register_block mine = {.author = {99, 1}};
    mine.promised = (struct ballot){8, node->self.slot, 99};
    mine.accepted = (struct ballot){2, node->self.slot, 99};
    mine.value[0] = 2;
    rig_put_register(&rig, 0, row, node->self.slot, &mine);
    mine.promised = mine.accepted = (struct ballot){7, node->self.slot, 99};
    mine.value[0] = 7;
    rig_put_register(&rig, 1, row, node->self.slot, &mine);
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 5);
    read_row(0);
    read_row(1);
    struct register_block block = submitted(0);
    cr_expect(ballot_is_same(block.accepted, mine.accepted));
    cr_expect_eq(block.value[0], 7);
    cr_expect_gt(block.promised.round, 8U, "above every promise seen, my predecessor's included");
}

/* ---- B1 ----------------------------------------------------------------------------------------------------------- */

Test(registers, B1_an_unsettled_row_gets_a_ballot)
{
    put_other(0, 3, 9); /* on one disk: nobody can tell what became of it */
    finish(OP_PROVE, 0);
    cr_expect_eq(outcome, OP_COMMITTED);
    cr_expect_eq(ended_value, 9);
    cr_expect(ballot_is_same(rig_register(&rig, 1, row, node->self.slot).accepted,
                             rig_register(&rig, 2, row, node->self.slot).accepted));
    cr_expect_eq(rig_register(&rig, 1, row, node->self.slot).value[0], 9);
}

Test(registers, B1_a_value_shown_twice_by_a_majority_needs_no_ballot)
{
    put_other(0, 3, 9);
    put_other(1, 3, 9);
    finish(OP_PROVE, 0);
    cr_expect_eq(outcome, OP_SEEN);
    cr_expect_eq(ended_value, 9);
    cr_expect_eq(rig.nodes[0].submitted[0][row][IO_EXCHANGE], 0U);
    cr_expect_eq(rig.nodes[0].submitted[0][row][IO_READ], 2U);
}

Test(registers, B1_the_second_read_begins_after_the_first_has_ended)
{
    put_other(0, 3, 9);
    put_other(1, 3, 9);
    set_mode(RIG_HOLDS);
    start(OP_PROVE, 0);
    struct rig_request *late = rig_find(&rig, 0, 2, row, IO_READ);
    read_row(0);
    read_row(1);
    read_row(0);
    rig_complete(&rig, 0, late); /* of the first pass: it counts for neither */
    cr_expect_eq(ended, 0U);
    read_row(1);
    cr_expect_eq(ended, 1U);
    cr_expect_eq(outcome, OP_SEEN);
}

Test(registers, B1_the_commit_mark_is_written_with_the_next_write)
{
    finish(OP_UPDATE, 5);
    struct ballot proven = rig_register(&rig, 0, row, node->self.slot).accepted;
    cr_expect_not(ballot_is_same(rig_register(&rig, 0, row, node->self.slot).committed, proven));
    finish(OP_UPDATE, 6);
    cr_expect(ballot_is_same(rig_register(&rig, 0, row, node->self.slot).committed, proven));
}

/* ---- B2 ----------------------------------------------------------------------------------------------------------- */

/* Phase 2 of the value 5 has landed on disk 0 and was outbid there: nobody knows whether it is committed. */
static void leave_phase_2_open(void)
{
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 5);
    read_row(0);
    read_row(1);
    exchange(0);
    exchange(1);
    put_other(0, 30, 0);
    exchange(0);
    cr_assert(register_row(node, row)->is_open);
}

Test(registers, B2_an_aborted_phase_2_is_settled_by_a_ballot_of_ones_own)
{
    leave_phase_2_open();
    cr_expect_eq(ended, 0U, "its outcome is unknown");
    uint32_t reads = rig.nodes[0].submitted[0][row][IO_READ];
    set_mode(RIG_RUNS);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(ended, 1U);
    cr_expect_eq(outcome, OP_COMMITTED);
    cr_expect_eq(ended_value, 5);
    cr_expect_eq(rig.nodes[0].submitted[0][row][IO_READ], reads, "never by a read");
    cr_expect_gt(rig_register(&rig, 0, row, node->self.slot).accepted.round, 30U);
    cr_expect_not(register_row(node, row)->is_open);
}

Test(registers, B2_a_declining_change_still_rewrites_what_is_open)
{
    leave_phase_2_open();
    is_declining = true; /* f recognises its own earlier success */
    set_mode(RIG_RUNS);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(outcome, OP_COMMITTED);
    cr_expect_eq(ended_value, 5);
    struct register_block block = rig_register(&rig, 0, row, node->self.slot);
    cr_expect_gt(block.accepted.round, 30U);
    cr_expect_eq(block.value[0], 5);
}

Test(registers, B2_an_aborted_phase_1_has_changed_nothing)
{
    put_other(0, 30, 0);
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 5);
    read_row(1);
    read_row(2);
    exchange(0);
    cr_expect_eq(ended, 1U);
    cr_expect_eq(outcome, OP_ABORTED);
    cr_expect_not(register_row(node, row)->is_open);
}

/* ---- B4, B5 ------------------------------------------------------------------------------------------------------- */

Test(registers, B4_back_off_is_random_and_scaled_to_the_measured_exchange)
{
    for (uint32_t attempts = 0; attempts < 10; attempts++) {
        int64_t least_ns = node->exchange_ns / 2;
        int64_t span_ns = node->exchange_ns << (attempts < 6 ? attempts : 6);
        int64_t one_ns = op_back_off_ns(node, attempts);
        bool is_random = false;
        for (int i = 0; i < 50; i++) {
            int64_t ns = op_back_off_ns(node, attempts);
            cr_expect(ns >= least_ns && ns < least_ns + span_ns);
            is_random |= ns != one_ns;
        }
        cr_expect(is_random);
    }
}

Test(registers, B5_a_late_completion_counts_only_for_its_own_phase)
{
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 5);
    read_row(0);
    read_row(1);
    exchange(0);
    exchange(1);
    exchange(0); /* phase 2 on disk 0 */
    exchange(2); /* phase 1 on disk 2, late */
    cr_expect_eq(ended, 0U);
    exchange(2);
    cr_expect_eq(ended, 1U);
    cr_expect_eq(outcome, OP_COMMITTED);
}

Test(registers, B5_a_late_completion_of_an_earlier_operation_is_nobodys)
{
    finish(OP_UPDATE, 5);
    rig.disks[2].mode = RIG_HOLDS;
    uint32_t before = ended;
    start(OP_UPDATE, 6);
    rig_settle(&rig);
    cr_assert_eq(ended, before + 1);
    set_mode(RIG_HOLDS);
    before = ended;
    start(OP_UPDATE, 7);
    exchange(0);
    exchange(2); /* of the value 6 */
    cr_expect_eq(ended, before);
    exchange(2);
    cr_expect_eq(ended, before + 1);
}

/* ---- D --------------------------------------------------------------------------------------------------------------- */

Test(registers, D1_one_write_is_in_flight_per_disk_and_block)
{
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 5);
    read_row(0);
    read_row(1);
    read_row(2);
    cr_expect_eq(rig_pending(&rig, 0, 2, row), 1U);
    exchange(0);
    exchange(1);
    cr_expect_eq(rig_pending(&rig, 0, 2, row), 1U, "phase 2 waits on disk 2 for the write of phase 1");
    cr_expect(ballot_is_none(submitted(2).accepted));
    exchange(2);
    cr_expect_eq(rig_pending(&rig, 0, 2, row), 1U);
    cr_expect_not(ballot_is_none(submitted(2).accepted));
}

/* Otherwise what was committed would stay on a bare majority. */
Test(registers, D1_newer_state_reaches_a_disk_whose_older_write_comes_back_late)
{
    finish(OP_UPDATE, 5);
    rig.disks[2].mode = RIG_HOLDS;
    finish(OP_UPDATE, 6);
    finish(OP_UPDATE, 7);
    struct rig_request *older = rig_find(&rig, 0, 2, row, IO_EXCHANGE);
    cr_assert_not_null(older);
    rig.disks[2].mode = RIG_RUNS;
    rig_complete(&rig, 0, older);
    rig_run(&rig, NS_PER_S);
    struct register_block there = rig_register(&rig, 2, row, node->self.slot);
    struct register_block newest = rig_register(&rig, 0, row, node->self.slot);
    cr_expect(ballot_is_same(there.accepted, newest.accepted));
    cr_expect_arr_eq(there.value, newest.value, VALUE_BYTES);
}

Test(registers, D2_a_write_past_every_deadline_keeps_its_buffer_and_its_disk_out)
{
    finish(OP_UPDATE, 5);
    rig.disks[2].mode = RIG_HOLDS;
    finish(OP_UPDATE, 6);
    const struct rig_request *hung = rig_find(&rig, 0, 2, row, IO_EXCHANGE);
    rig_run(&rig, 100 * NS_PER_S);
    finish(OP_UPDATE, 7);
    cr_expect_eq(rig_pending(&rig, 0, 2, row), 1U);
    cr_expect(hung->is_used);
    cr_expect_arr_eq(hung->action.block, hung->block, RIG_BLOCK_BYTES);
    cr_expect_not(node_is_over(node));
}

Test(registers, D3_a_phase_asks_for_exchanges_only)
{
    finish(OP_UPDATE, 5);
    finish(OP_UPDATE, 6);
    for (uint32_t disk = 0; disk < 3; disk++) {
        cr_expect_eq(rig.nodes[0].submitted[disk][row][IO_READ], 1U); /* the first use of the row */
        cr_expect_eq(rig.nodes[0].submitted[disk][row][IO_WRITE], 0U);
        cr_expect_eq(rig.nodes[0].submitted[disk][row][IO_EXCHANGE], 3U);
    }
}

Test(registers, D3_a_disk_that_does_not_read_my_write_back_has_no_vote)
{
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 5);
    read_row(0);
    read_row(1);
    exchange(0);
    struct rig_request *lost = rig_find(&rig, 0, 1, row, IO_EXCHANGE);
    struct register_block stale = rig_register(&rig, 1, row, node->self.slot);
    struct block_place place = rig_place(&rig, 1, row, node->self.slot);
    block_encode_empty(lost->block, RIG_BLOCK_BYTES, &place); /* acknowledged, and yet the old block stands there */
    cr_assert_eq(stale.author.incarnation, 0U);
    rig_complete(&rig, 0, lost);
    cr_expect_not(node_is_over(node));
    cr_expect(ballot_is_none(register_row(node, row)->accepted), "still phase 1");
    cr_expect_eq(node_disk(node, 1).state, DISK_OUT, "D7: it acknowledged what it does not show");
}

Test(registers, D3_a_damaged_block_read_back_has_no_vote_and_is_written_again)
{
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 5);
    read_row(0);
    read_row(1);
    exchange(0);
    struct rig_request *torn = rig_find(&rig, 0, 1, row, IO_EXCHANGE);
    memset(torn->block + RIG_BLOCK_BYTES / 2, 0x5a, RIG_BLOCK_BYTES / 2);
    rig_complete(&rig, 0, torn);
    cr_expect(ballot_is_none(register_row(node, row)->accepted), "still phase 1");
    set_mode(RIG_RUNS);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(outcome, OP_COMMITTED);
    cr_expect_eq(rig_register(&rig, 1, row, node->self.slot).value[0], 5);
    cr_expect_eq(node_disk(node, 1).state, DISK_GOOD);
}

Test(registers, D3_a_block_damaged_when_its_phase_ends_without_it_is_written_again)
{
    finish(OP_UPDATE, 5);
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 6);
    struct rig_request *torn = rig_find(&rig, 0, 2, row, IO_EXCHANGE);
    memset(torn->block + RIG_BLOCK_BYTES / 2, 0x5a, RIG_BLOCK_BYTES / 2);
    rig_complete(&rig, 0, torn);
    uint32_t before = ended;
    exchange(0);
    exchange(1);
    cr_assert_eq(ended, before + 1);
    set_mode(RIG_RUNS);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(rig_register(&rig, 2, row, node->self.slot).value[0], 6);
}

Test(registers, D7_an_own_block_older_than_acknowledged_counts_the_disk_out_when_it_is_read)
{
    uint8_t old[RIG_BLOCK_BYTES];
    finish(OP_UPDATE, 5);
    memcpy(old, rig_block(&rig, 2, row, node->self.slot), sizeof old);
    finish(OP_UPDATE, 6);
    memcpy(rig_block(&rig, 2, row, node->self.slot), old, sizeof old);
    finish(OP_LOOK, 0);
    cr_expect_eq(node_disk(node, 2).state, DISK_OUT);
    cr_expect_eq(node_disk(node, 2).cause, DISK_CAUSE_BACKWARDS);
    cr_expect_eq(ended_value, 6);
}

Test(registers, D7_a_block_never_acknowledged_may_be_missing)
{
    finish(OP_UPDATE, 5);
    rig.disks[2].mode = RIG_HOLDS;
    start(OP_UPDATE, 6);
    rig_settle(&rig);
    start(OP_LOOK, 0);
    read_row(2); /* still the 5 */
    cr_expect_eq(node_disk(node, 2).state, DISK_GOOD);
    rig.disks[2].mode = RIG_RUNS;
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(node_disk(node, 2).state, DISK_GOOD);
    cr_expect_eq(rig_register(&rig, 2, row, node->self.slot).value[0], 6);
}

Test(registers, D7_what_a_disk_answered_before_it_was_counted_out_counts_no_more)
{
    set_mode(RIG_HOLDS);
    start(OP_PROVE, 0);
    read_row(2);
    cr_expect_eq(ended, 0U);
    health_count_out(node, 2, DISK_CAUSE_TOLD);
    rig_tick(&rig, 0);
    read_row(0);
    read_row(0); /* asked anew, as is disk 1 */
    cr_expect_eq(ended, 0U, "one disk of three");
    read_row(1);
    read_row(1);
    cr_expect_eq(ended, 1U);
}

Test(registers, D3_another_incarnation_in_my_block_stops_the_node)
{
    set_mode(RIG_HOLDS);
    start(OP_UPDATE, 5);
    read_row(0);
    read_row(1);
    struct rig_request *request = rig_find(&rig, 0, 0, row, IO_EXCHANGE);
    struct register_block theirs = {.author = {99, 1}, .promised = {1, node->self.slot, 99}};
    struct block_place place = rig_place(&rig, 0, row, node->self.slot);
    block_encode_register(request->block, RIG_BLOCK_BYTES, &place, &theirs);
    rig_complete(&rig, 0, request);
    cr_expect(node_is_over(node));
    cr_expect_eq(rig_notice(&rig, 0, NOTICE_OVER)->notice.reason, OVER_SLOT);
}

Test(registers, D5_a_minority_decides_nothing)
{
    rig.disks[1].mode = rig.disks[2].mode = RIG_FAILS;
    start(OP_UPDATE, 5);
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect_eq(ended, 0U);
}

Test(registers, D5_a_majority_decides_without_the_rest)
{
    rig.disks[1].mode = RIG_FAILS;
    start(OP_UPDATE, 5);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(ended, 1U);
    cr_expect_eq(outcome, OP_COMMITTED);
}

Test(registers, a_promised_next_ballot_is_used_only_if_its_phase_2_completed)
{
    finish(OP_UPDATE, 5);
    uint64_t round = rig_register(&rig, 0, row, node->self.slot).promised.round;
    finish(OP_UPDATE, 6);
    struct register_block block = rig_register(&rig, 0, row, node->self.slot);
    cr_expect_eq(block.accepted.round, round, "the stable owner goes on without a phase 1");
    put_other(0, round + 9, 0);
    put_other(1, round + 9, 0);
    finish(OP_UPDATE, 7);
    cr_expect_gt(rig_register(&rig, 0, row, node->self.slot).accepted.round, round + 9);
}
