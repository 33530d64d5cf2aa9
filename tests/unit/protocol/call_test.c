/* Calls on names (rules N1, B2, B4, T9): two nodes on three disks, 4 registers. */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { ALPHA, BETA, GAMMA };

static struct rig rig;
static uint32_t row;

static void setup(void)
{
    rig_init(&rig, 3);
    rig_join(&rig, ALPHA);
    rig_join(&rig, BETA);
    row = rig_row_of(&rig, "tablet");
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(call, .init = setup, .fini = teardown);

static void hold_all(bool is_holding)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = is_holding ? RIG_HOLDS : RIG_RUNS;
    }
}

static void begin(uint32_t node, enum call_verb verb, const char *name, const char *bytes)
{
    rig_call(&rig, node,
             (struct call_command){.verb = verb,
                                   .name = name,
                                   .bytes = (const uint8_t *)bytes,
                                   .byte_count = bytes == NULL ? 0 : (uint32_t)strlen(bytes)});
}

static const struct call_result *await(uint32_t node)
{
    cr_assert(rig_await(&rig, node, NOTICE_CALL_ENDED, 5 * NS_PER_S), "a call that does not end");
    return &rig.nodes[node].results[0];
}

static const struct call_result *call(uint32_t node, enum call_verb verb, const char *name, const char *bytes)
{
    begin(node, verb, name, bytes);
    return await(node);
}

/* Compare-and-set; expected NULL: only creates. */
static const struct call_result *swap(uint32_t node, const char *expected, const char *bytes)
{
    rig_call(&rig, node,
             (struct call_command){.verb = CALL_COMPARE_SET,
                                   .name = "tablet",
                                   .bytes = (const uint8_t *)bytes,
                                   .byte_count = (uint32_t)strlen(bytes),
                                   .has_expected = expected != NULL,
                                   .expected_bytes = (const uint8_t *)expected,
                                   .expected_count = expected == NULL ? 0 : (uint32_t)strlen(expected)});
    return await(node);
}

static void expect(const struct call_result *result, enum call_outcome outcome, uint64_t version, const char *bytes)
{
    cr_expect_eq(result->outcome, outcome, "outcome %d", (int)result->outcome);
    cr_expect_eq(result->version, version, "version %llu", (unsigned long long)result->version);
    cr_expect_eq(result->byte_count, strlen(bytes));
    cr_expect_arr_eq(result->bytes, bytes, strlen(bytes));
}

/* ALPHA's change of "tablet" is in phase 2 on all disks, and the test holds it back. */
static void set_up_to_phase_2(const char *bytes)
{
    hold_all(true);
    begin(ALPHA, CALL_SET, "tablet", bytes);
    rig_tick(&rig, ALPHA);
    for (int phase = 0; phase < 2; phase++) { /* the look, then phase 1 */
        enum io_operation operation = phase == 0 ? IO_READ : IO_EXCHANGE;
        for (uint32_t disk = 0; disk < 2; disk++) {
            rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, disk, row, operation));
        }
        rig_tick(&rig, ALPHA);
    }
    cr_assert(rig.nodes[ALPHA].node->calls.calls[0].is_written);
}

/* ---- Registers -------------------------------------------------------------------------------------------------------- */

Test(call, N1_a_register_is_created_read_and_counted_in_versions)
{
    expect(call(ALPHA, CALL_GET, "tablet", NULL), CALL_NONE, 0, "");
    expect(call(ALPHA, CALL_SET, "tablet", "one"), CALL_DONE, 1, "one");
    expect(call(BETA, CALL_GET, "tablet", NULL), CALL_DONE, 1, "one");
    expect(call(BETA, CALL_SET, "tablet", "two"), CALL_DONE, 2, "two");
    expect(call(ALPHA, CALL_SET, "tablet", ""), CALL_DONE, 3, "");
    expect(call(BETA, CALL_GET, "tablet", NULL), CALL_DONE, 3, "");
}

Test(call, a_value_is_replaced_only_if_it_is_the_expected_one)
{
    expect(swap(ALPHA, "one", "two"), CALL_UNCHANGED, 0, "");
    expect(swap(ALPHA, NULL, "one"), CALL_DONE, 1, "one");
    expect(swap(BETA, NULL, "two"), CALL_UNCHANGED, 1, "one");
    expect(swap(BETA, "on", "two"), CALL_UNCHANGED, 1, "one");
    expect(swap(BETA, "one", "two"), CALL_DONE, 2, "two");
    expect(swap(ALPHA, "one", "three"), CALL_UNCHANGED, 2, "two");
}

Test(call, the_first_proposal_stays)
{
    expect(call(ALPHA, CALL_PROPOSE, "decree", "one"), CALL_DONE, 1, "one");
    expect(call(BETA, CALL_PROPOSE, "decree", "two"), CALL_DONE, 1, "one");
    expect(call(BETA, CALL_GET, "decree", NULL), CALL_DONE, 1, "one");
    expect(call(BETA, CALL_SET, "decree", "two"), CALL_KIND, 1, "one");
}

Test(call, B1_a_value_is_answered_only_when_it_is_proven)
{
    struct role_value value = {
        .kind = VALUE_REGISTER, .epoch = 1, .payload = "x", .payload_bytes = 1, .name = "tablet"};
    struct register_block block = {.author = {4242, 1}, .promised = {5, 7, 4242}, .accepted = {5, 7, 4242}};
    role_value_encode(block.value, &value);
    rig_put_register(&rig, 0, row, 7, &block); /* on one disk of three */
    expect(call(ALPHA, CALL_GET, "tablet", NULL), CALL_DONE, 1, "x");
    cr_expect_gt(rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE], 0U, "a ballot has settled it");
}

/* A forged value whose version is the last there can be. */
Test(call, N3_a_version_that_cannot_grow_is_not_changed)
{
    struct role_value value = {
        .kind = VALUE_REGISTER, .epoch = UINT64_MAX, .payload = "x", .payload_bytes = 1, .name = "tablet"};
    struct register_block block = {
        .author = {4242, 1}, .promised = {5, 7, 4242}, .accepted = {5, 7, 4242}, .committed = {5, 7, 4242}};
    role_value_encode(block.value, &value);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_register(&rig, disk, row, 7, &block);
    }
    expect(call(ALPHA, CALL_SET, "tablet", "y"), CALL_FULL, UINT64_MAX, "x");
    expect(call(ALPHA, CALL_GET, "tablet", NULL), CALL_DONE, UINT64_MAX, "x");
}

/* A forged promise after which no ballot can come: the operation on that row does not end, and all else goes on. */
Test(call, B1_the_end_of_all_rounds_is_no_ballot)
{
    for (uint64_t before = 0; before < 3; before++) {
        struct register_block block = {.author = {4242, 1}, .promised = {UINT64_MAX - before, 7, 4242}};
        for (uint32_t disk = 0; disk < 3; disk++) {
            rig_put_register(&rig, disk, row, 7, &block);
        }
        struct call_command command = {.call = 1, .verb = CALL_SET, .name = "tablet"};
        rig_call(&rig, ALPHA, command);
        rig_run(&rig, NS_PER_S);
        rig_cancel(&rig, ALPHA, 1);
    }
    cr_assert_neq(rig_row_of(&rig, "db"), row);
    rig_campaign(&rig, ALPHA, 0, "db");
    cr_expect(rig_await(&rig, ALPHA, NOTICE_LEADER, NS_PER_S));
    cr_expect_not(node_is_over(rig.nodes[ALPHA].node));
}

Test(call, N1_roles_and_registers_share_one_name_space)
{
    call(ALPHA, CALL_SET, "tablet", "one");
    rig_campaign(&rig, BETA, 0, "tablet");
    cr_assert(rig_await(&rig, BETA, NOTICE_REFUSED, NS_PER_S));
    cr_expect_eq(rig_notice(&rig, BETA, NOTICE_REFUSED)->notice.refusal, REFUSED_KIND);
    rig_campaign(&rig, BETA, 0, "db");
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, NS_PER_S));
    cr_expect_eq(call(ALPHA, CALL_GET, "db", NULL)->outcome, CALL_KIND);
    cr_expect_eq(call(ALPHA, CALL_SET, "db", "x")->outcome, CALL_KIND);
    cr_expect_eq(call(ALPHA, CALL_PROPOSE, "tablet", "x")->outcome, CALL_KIND);
    cr_expect_eq(call(ALPHA, CALL_FORGET, "tablet", NULL)->outcome, CALL_KIND);
}

Test(call, N1_a_full_table_takes_no_new_name)
{
    for (int i = 0; i < 4; i++) {
        char name[NAME_FIELD_BYTES];
        snprintf(name, sizeof name, "name-%d", i);
        cr_assert_eq(call(ALPHA, CALL_SET, name, "x")->outcome, CALL_DONE);
    }
    expect(call(BETA, CALL_SET, "fifth", "x"), CALL_FULL, 0, "");
    expect(call(BETA, CALL_PROPOSE, "fifth", "x"), CALL_FULL, 0, "");
    expect(call(BETA, CALL_GET, "fifth", NULL), CALL_NONE, 0, "");
    expect(call(BETA, CALL_FORGET, "fifth", NULL), CALL_NONE, 0, "");
    expect(call(BETA, CALL_GET, "name-3", NULL), CALL_DONE, 1, "x");
}

Test(call, N1_new_registers_start_above_the_epoch_floor_and_count_by_one)
{
    rig.header.epoch_floor = 41;
    rig_format(&rig);
    rig.nodes[ALPHA].is_running = rig.nodes[BETA].is_running = false;
    rig_join(&rig, GAMMA);
    expect(call(GAMMA, CALL_SET, "tablet", "x"), CALL_DONE, 42, "x");
    expect(call(GAMMA, CALL_SET, "tablet", "y"), CALL_DONE, 43, "y");
}

Test(call, a_change_after_a_rival_is_three_exchanges)
{
    call(ALPHA, CALL_SET, "tablet", "one");
    call(BETA, CALL_SET, "tablet", "two");
    uint32_t exchanges = rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE];
    uint32_t reads = rig.nodes[ALPHA].submitted[0][row][IO_READ];
    call(ALPHA, CALL_SET, "tablet", "three");
    uint32_t more = rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE] - exchanges;
    cr_expect_eq(more, 3U, "the first shows that its promise of the next ballot was outbid");
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_READ], reads);
}

Test(call, a_change_by_a_stable_writer_is_one_exchange)
{
    call(ALPHA, CALL_SET, "tablet", "one");
    uint32_t reads = rig.nodes[ALPHA].submitted[0][row][IO_READ];
    uint32_t exchanges = rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE];
    call(ALPHA, CALL_SET, "tablet", "two");
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_READ], reads);
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE], exchanges + 1);
}

/* ---- Exactly once ----------------------------------------------------------------------------------------------------- */

Test(call, B2_a_change_that_others_adopted_and_overwrote_has_happened_once)
{
    set_up_to_phase_2("alpha");
    rig_land(&rig, rig_find(&rig, ALPHA, 0, row, IO_EXCHANGE));
    rig_freeze(&rig, ALPHA);
    hold_all(false);
    rig.disks[2].mode = RIG_HOLDS; /* so that BETA sees what landed on disk 0 */
    expect(call(BETA, CALL_SET, "tablet", "beta"), CALL_DONE, 2, "beta");
    rig.disks[2].mode = RIG_RUNS;
    rig_thaw(&rig, ALPHA);
    expect(await(ALPHA), CALL_DONE, 1, "alpha");
    expect(call(BETA, CALL_GET, "tablet", NULL), CALL_DONE, 2, "beta");
}

Test(call, B2_a_change_that_nobody_adopted_is_made_again)
{
    set_up_to_phase_2("alpha");
    rig_freeze(&rig, ALPHA);
    hold_all(false);
    expect(call(BETA, CALL_SET, "tablet", "beta"), CALL_DONE, 1, "beta");
    rig_thaw(&rig, ALPHA);
    expect(await(ALPHA), CALL_DONE, 2, "alpha");
    expect(call(BETA, CALL_GET, "tablet", NULL), CALL_DONE, 2, "alpha");
}

Test(call, B2_a_change_under_too_many_others_is_unknown)
{
    set_up_to_phase_2("alpha");
    rig_land(&rig, rig_find(&rig, ALPHA, 0, row, IO_EXCHANGE));
    rig_freeze(&rig, ALPHA);
    hold_all(false);
    rig.disks[2].mode = RIG_HOLDS;
    for (uint32_t i = 0; i < WRITERS_KEPT; i++) {
        cr_assert_eq(call(BETA, CALL_SET, "tablet", "beta")->outcome, CALL_DONE);
    }
    rig.disks[2].mode = RIG_RUNS;
    rig_thaw(&rig, ALPHA);
    cr_expect_eq(await(ALPHA)->outcome, CALL_UNKNOWN);
    expect(call(BETA, CALL_GET, "tablet", NULL), CALL_DONE, WRITERS_KEPT + 1, "beta");
}

Test(call, B2_a_tag_that_would_still_be_kept_and_is_not_there_never_was)
{
    set_up_to_phase_2("alpha");
    rig_freeze(&rig, ALPHA);
    hold_all(false);
    for (uint32_t i = 0; i < WRITERS_KEPT; i++) {
        cr_assert_eq(call(BETA, CALL_SET, "tablet", "beta")->outcome, CALL_DONE);
    }
    rig_thaw(&rig, ALPHA);
    expect(await(ALPHA), CALL_DONE, WRITERS_KEPT + 1, "alpha");
}

Test(call, B2_the_last_place_in_which_a_tag_is_kept_still_counts)
{
    set_up_to_phase_2("alpha");
    rig_land(&rig, rig_find(&rig, ALPHA, 0, row, IO_EXCHANGE));
    rig_freeze(&rig, ALPHA);
    hold_all(false);
    rig.disks[2].mode = RIG_HOLDS;
    for (uint32_t i = 0; i + 1 < WRITERS_KEPT; i++) {
        cr_assert_eq(call(BETA, CALL_SET, "tablet", "beta")->outcome, CALL_DONE);
    }
    rig.disks[2].mode = RIG_RUNS;
    rig_thaw(&rig, ALPHA);
    expect(await(ALPHA), CALL_DONE, 1, "alpha");
}

/* ---- Taking back ------------------------------------------------------------------------------------------------------ */

Test(call, a_call_that_has_written_nothing_is_cancelled_at_once)
{
    hold_all(true);
    begin(ALPHA, CALL_SET, "tablet", "one");
    rig_tick(&rig, ALPHA);
    rig_cancel(&rig, ALPHA, 0);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_CALL_ENDED), 1U);
    cr_expect_eq(rig.nodes[ALPHA].results[0].outcome, CALL_CANCELLED);
    hold_all(false);
    rig_run(&rig, NS_PER_S);
    expect(call(BETA, CALL_GET, "tablet", NULL), CALL_NONE, 0, "");
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_CALL_ENDED), 1U, "its end is told once");
}

Test(call, B2_a_cancelled_call_that_may_have_happened_ends_with_the_truth)
{
    set_up_to_phase_2("alpha");
    rig_cancel(&rig, ALPHA, 0);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_CALL_ENDED), 0U);
    hold_all(false);
    expect(await(ALPHA), CALL_DONE, 1, "alpha");
}

Test(call, B2_a_cancelled_call_is_not_made_again)
{
    set_up_to_phase_2("alpha");
    rig_freeze(&rig, ALPHA);
    hold_all(false);
    expect(call(BETA, CALL_SET, "tablet", "beta"), CALL_DONE, 1, "beta");
    rig_thaw(&rig, ALPHA);
    rig_cancel(&rig, ALPHA, 0);
    cr_expect_eq(await(ALPHA)->outcome, CALL_CANCELLED);
    expect(call(BETA, CALL_GET, "tablet", NULL), CALL_DONE, 1, "beta");
}

Test(call, B2_when_the_node_is_over_an_open_outcome_is_unknown_and_the_rest_is_cancelled)
{
    set_up_to_phase_2("alpha");
    rig_call(&rig, ALPHA, (struct call_command){.call = 1, .verb = CALL_GET, .name = "decree"});
    rig_pass(&rig, ALPHA, 20 * NS_PER_S, 20 * NS_PER_S);
    rig_tick(&rig, ALPHA);
    cr_assert(node_is_over(rig.nodes[ALPHA].node));
    cr_expect_eq(rig.nodes[ALPHA].results[0].outcome, CALL_UNKNOWN);
    cr_expect_eq(rig.nodes[ALPHA].results[1].outcome, CALL_CANCELLED);
    const struct rig_node *at = &rig.nodes[ALPHA];
    cr_expect_eq(at->notices[at->notice_count - 1].notice.kind, NOTICE_OVER, "nothing follows it");
}

Test(call, T9_leaving_waits_for_the_outcome_of_a_call)
{
    set_up_to_phase_2("alpha");
    rig_leave(&rig, ALPHA);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_CALL_ENDED), 0U);
    cr_expect_not(node_is_over(rig.nodes[ALPHA].node));
    hold_all(false);
    cr_assert(rig_await(&rig, ALPHA, NOTICE_OVER, 10 * NS_PER_S));
    expect(&rig.nodes[ALPHA].results[0], CALL_DONE, 1, "alpha");
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_OVER)->notice.reason, OVER_LEFT);
}

Test(call, T9_leaving_ends_calls_that_have_written_nothing)
{
    hold_all(true);
    begin(ALPHA, CALL_SET, "tablet", "one");
    rig_leave(&rig, ALPHA);
    cr_expect_eq(rig.nodes[ALPHA].results[0].outcome, CALL_CANCELLED);
    begin(ALPHA, CALL_SET, "tablet", "one");
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_CALL_ENDED), 2U, "and takes no new ones");
}

Test(call, T3_a_call_waits_until_its_node_has_joined)
{
    rig_start(&rig, GAMMA);
    begin(GAMMA, CALL_SET, "tablet", "one");
    for (uint32_t disk = 0; disk < 3; disk++) {
        cr_expect_eq(rig_pending(&rig, GAMMA, disk, row), 0U);
    }
    expect(await(GAMMA), CALL_DONE, 1, "one");
    cr_expect_eq(rig_notice_count(&rig, GAMMA, NOTICE_JOINED), 1U);
}

/* ---- Forgetting ------------------------------------------------------------------------------------------------------- */

static void lead(uint32_t node, const char *name)
{
    rig_campaign(&rig, node, 0, name);
    cr_assert(rig_await(&rig, node, NOTICE_LEADER, NS_PER_S));
}

Test(call, N1_only_a_free_role_is_forgotten_and_its_epoch_goes_on)
{
    uint32_t role_row = rig_row_of(&rig, "db");
    cr_expect_eq(call(BETA, CALL_FORGET, "db", NULL)->outcome, CALL_NONE);
    lead(ALPHA, "db");
    cr_expect_eq(call(BETA, CALL_FORGET, "db", NULL)->outcome, CALL_HELD);
    cr_expect_eq(rig.nodes[BETA].submitted[0][role_row][IO_EXCHANGE], 0U, "B4: no ballot on a role that is held");
    rig_resign(&rig, ALPHA, 0);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(call(BETA, CALL_FORGET, "db", NULL)->outcome, CALL_DONE);
    cr_expect_eq(rig_role(&rig, role_row).hold, ROLE_FORGOTTEN);
    cr_expect_str_eq(rig_role(&rig, role_row).name, "db", "the row keeps its name");
    cr_expect_eq(call(ALPHA, CALL_FORGET, "db", NULL)->outcome, CALL_NONE, "once");
    lead(BETA, "db");
    cr_expect_eq(node_role_epoch(rig.nodes[BETA].node, 0), 2U, "it goes on from the epoch before");
}

Test(call, T7_a_role_of_a_dead_holder_may_be_forgotten_and_one_that_only_stands_still_not)
{
    lead(ALPHA, "db");
    rig_run(&rig, 2 * NS_PER_S);
    rig_kill(&rig, ALPHA);
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect_eq(call(BETA, CALL_FORGET, "db", NULL)->outcome, CALL_HELD);
    rig_run(&rig, timings_watch_ns(&rig.header.timings));
    cr_expect_eq(call(BETA, CALL_FORGET, "db", NULL)->outcome, CALL_DONE);
    cr_expect_eq(rig_role(&rig, rig_row_of(&rig, "db")).epoch, 1U);
}
