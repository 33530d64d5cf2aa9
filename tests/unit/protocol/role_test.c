/* Roles (rules B2 to B4, T7, T8, T10, N1 to N3, N5): two or three nodes on three disks, 4 registers. */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { ALPHA, BETA, GAMMA };

static struct rig rig;

static void setup(void)
{
    rig_init(&rig, 3);
    rig_join(&rig, ALPHA);
    rig_join(&rig, BETA);
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(role, .init = setup, .fini = teardown);

static struct node *node_of(uint32_t index)
{
    return rig.nodes[index].node;
}

static void lead(uint32_t node, uint32_t role, const char *name)
{
    rig_campaign(&rig, node, role, name);
    cr_assert(rig_await(&rig, node, NOTICE_LEADER, NS_PER_S));
    cr_assert_neq(node_role_epoch(node_of(node), role), 0U);
}

static void hold_all(bool is_holding)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = is_holding ? RIG_HOLDS : RIG_RUNS;
    }
}

static uint32_t exchanges(uint32_t node, uint32_t row)
{
    uint32_t count = 0;
    for (uint32_t disk = 0; disk < 3; disk++) {
        count += rig.nodes[node].submitted[disk][row][IO_EXCHANGE];
    }
    return count;
}

static void complete(uint32_t node, uint32_t row, enum io_operation operation)
{
    for (uint32_t disk = 0; disk < 2; disk++) {
        rig_complete(&rig, node, rig_find(&rig, node, disk, row, operation));
    }
}

/* ALPHA's phase 2 for "db" is submitted, and the test holds it back. */
static uint32_t campaign_up_to_phase_2(void)
{
    uint32_t row = rig_row_of(&rig, "db");
    hold_all(true);
    rig_campaign(&rig, ALPHA, 0, "db");
    complete(ALPHA, row, IO_READ);
    rig_tick(&rig, ALPHA);
    complete(ALPHA, row, IO_EXCHANGE);
    return row;
}

/* What somebody else has written for a role, accepted on the first `disk_count` disks. */
static void put_role(const struct role_value *value, uint32_t row, uint64_t round, uint32_t disk_count)
{
    struct register_block block = {.author = {4242, round}, .promised = {round, 7, 4242}, .accepted = {round, 7, 4242}};
    role_value_encode(block.value, value);
    for (uint32_t disk = 0; disk < disk_count; disk++) {
        rig_put_register(&rig, disk, row, 7, &block);
    }
}

/* ---- B2 to B4 -------------------------------------------------------------------------------------------------------- */

Test(role, B2_an_open_acquisition_is_settled_and_resigned_when_its_client_has_gone)
{
    uint32_t row = campaign_up_to_phase_2();
    rig_resign(&rig, ALPHA, 0);
    rig_land(&rig, rig_find(&rig, ALPHA, 0, row, IO_EXCHANGE));
    hold_all(false);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LEADER), 0U);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_RELEASED), 1U);
    cr_expect_eq(rig_role(&rig, row).hold, ROLE_FREE);
    cr_expect_eq(rig_role(&rig, row).epoch, 1U, "it had been acquired");
}

Test(role, B2_an_acquisition_recognises_its_own_earlier_success)
{
    uint32_t row = campaign_up_to_phase_2();
    struct register_block promise = {.author = {4242, 1}, .promised = {90, 7, 4242}};
    rig_land(&rig, rig_find(&rig, ALPHA, 1, row, IO_EXCHANGE));
    rig_put_register(&rig, 0, row, 7, &promise);
    hold_all(false);
    cr_assert(rig_await(&rig, ALPHA, NOTICE_LEADER, NS_PER_S));
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_LEADER)->notice.epoch, 1U, "one acquisition, one epoch");
}

Test(role, B3_nobody_leads_before_a_majority_has_completed_phase_2)
{
    uint32_t row = campaign_up_to_phase_2();
    rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, 0, row, IO_EXCHANGE));
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LEADER), 0U);
    cr_expect_eq(node_role_epoch(node_of(ALPHA), 0), 0U);
    rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, 1, row, IO_EXCHANGE));
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LEADER), 1U);
    cr_expect_eq(node_role_epoch(node_of(ALPHA), 0), 1U);
}

Test(role, B3_a_commit_learnt_after_the_lease_is_no_leadership)
{
    uint32_t row = campaign_up_to_phase_2();
    rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, 0, row, IO_EXCHANGE));
    int64_t left_ns = node_lease_end_ns(node_of(ALPHA)) - rig.nodes[ALPHA].fast_ns;
    rig_pass(&rig, ALPHA, left_ns, left_ns);
    rig_complete(&rig, ALPHA, rig_find(&rig, ALPHA, 1, row, IO_EXCHANGE));
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LEADER), 0U);
    cr_expect(node_is_over(node_of(ALPHA)));
}

Test(role, B4_no_ballot_is_started_on_a_role_that_a_living_node_holds)
{
    lead(ALPHA, 0, "db");
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, 60 * NS_PER_S);
    cr_expect_eq(exchanges(BETA, rig_row_of(&rig, "db")), 0U);
    cr_expect_eq(rig_notice_count(&rig, BETA, NOTICE_CANDIDATE), 1U);
    cr_expect_str_eq(rig_notice(&rig, BETA, NOTICE_CANDIDATE)->notice.holder_name, "alpha");
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LOST), 0U);
}

Test(role, B4_candidates_that_start_at_once_end_with_one_leader)
{
    rig_join(&rig, GAMMA);
    for (uint32_t node = ALPHA; node <= GAMMA; node++) {
        rig_campaign(&rig, node, 0, "db");
    }
    rig_run(&rig, 5 * NS_PER_S);
    uint32_t leaders = 0;
    for (uint32_t node = ALPHA; node <= GAMMA; node++) {
        leaders += node_role_epoch(node_of(node), 0) != 0;
    }
    cr_expect_eq(leaders, 1U);
}

static void ignore_end(struct node *node, const struct op *op, enum op_outcome outcome)
{
    (void)node;
    (void)op;
    (void)outcome;
}

/* ---- T7, T8, T10 ------------------------------------------------------------------------------------------------------ */

Test(role, T7_the_role_of_a_dead_holder_is_taken_over_after_W_and_not_before)
{
    lead(ALPHA, 0, "db");
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, 5 * NS_PER_S);
    rig_kill(&rig, ALPHA);
    int64_t w_ns = timings_watch_ns(&rig.header.timings);
    rig_run(&rig, w_ns - rig.header.timings.renew_ns);
    cr_expect_eq(node_role_epoch(node_of(BETA), 0), 0U);
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, 2 * rig.header.timings.renew_ns));
    cr_expect_eq(rig_notice(&rig, BETA, NOTICE_LEADER)->notice.epoch, 2U, "the epoch grows by one");
    cr_expect_geq(rig.nodes[BETA].fast_ns, node_lease_end_ns(node_of(ALPHA)), "its lease is over");
}

Test(role, T7_only_the_holder_found_dead_is_replaced)
{
    lead(ALPHA, 0, "db");
    rig_run(&rig, 2 * NS_PER_S);
    uint32_t row = rig_row_of(&rig, "db");
    struct role_value value = rig_role(&rig, row);
    value.holder = (struct node_id){6, 66};
    value.epoch = 5;
    put_role(&value, row, 50, 3);
    watch_declare_dead(&node_of(BETA)->watch, node_of(ALPHA)->self, rig.nodes[BETA].slow_ns);
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect_eq(node_role_epoch(node_of(BETA), 0), 0U);
    cr_expect_eq(rig_role(&rig, row).epoch, 5U);
}

Test(role, T8_a_higher_accepted_value_with_another_holder_ends_the_node)
{
    lead(ALPHA, 0, "db");
    uint32_t row = rig_row_of(&rig, "db");
    struct role_value value = rig_role(&rig, row);
    value.holder = (struct node_id){6, 66};
    value.epoch++;
    put_role(&value, row, 50, 1);
    cr_assert_not_null(op_start(node_of(ALPHA), row, OP_LOOK, 0, NULL, ignore_end));
    rig_tick(&rig, ALPHA);
    rig_settle(&rig);
    cr_expect(node_is_over(node_of(ALPHA)));
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_LOST)->notice.reason, OVER_REPLACED);
}

/* A forged value under the last epoch there can be: nobody can come after its holder. */
Test(role, N3_an_epoch_that_cannot_grow_is_not_followed)
{
    struct role_value value = {.kind = VALUE_ROLE, .name = "db", .epoch = UINT64_MAX};
    put_role(&value, rig_row_of(&rig, "db"), 50, 3);
    rig_campaign(&rig, ALPHA, 0, "db");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_REFUSED, NS_PER_S));
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_REFUSED)->notice.refusal, REFUSED_FULL);
    cr_expect_not(node_is_over(node_of(ALPHA)));
}

Test(role, T10_a_waiter_reads_its_row_every_poll_and_a_holder_never)
{
    lead(ALPHA, 0, "db");
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, NS_PER_S);
    uint32_t row = rig_row_of(&rig, "db");
    uint32_t holder = rig.nodes[ALPHA].submitted[0][row][IO_READ];
    uint32_t waiter = rig.nodes[BETA].submitted[0][row][IO_READ];
    rig_run(&rig, 10 * NS_PER_S);
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_READ], holder);
    cr_expect_eq(rig.nodes[BETA].submitted[0][row][IO_READ], waiter + 40, "renew/4 is the default");
}

Test(role, T10_a_late_success_that_nobody_wants_is_resigned)
{
    uint32_t row = campaign_up_to_phase_2();
    rig_resign(&rig, ALPHA, 0);
    complete(ALPHA, row, IO_EXCHANGE);
    cr_expect_eq(node_role_epoch(node_of(ALPHA), 0), 0U);
    hold_all(false);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(rig_role(&rig, row).hold, ROLE_FREE);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_RELEASED), 1U);
}

/* ---- N1 --------------------------------------------------------------------------------------------------------------- */

/* A name, other than "db", whose probe begins in the same row. */
static const char *namesake(void)
{
    static char name[NAME_FIELD_BYTES];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "role-%d", i);
        if (rig_row_of(&rig, name) == rig_row_of(&rig, "db")) {
            return name;
        }
    }
    cr_assert_fail("no such name");
    return NULL;
}

Test(role, N1_names_that_begin_in_one_row_end_in_different_rows)
{
    const char *other = namesake();
    lead(ALPHA, 0, "db");
    lead(BETA, 0, other);
    uint32_t row = rig_row_of(&rig, "db");
    uint32_t next = layout_register_row(&rig.header.layout, (row - ROW_LEDGER_FIRST - 1 + 1) % 4);
    cr_expect_str_eq(rig_role(&rig, row).name, "db");
    cr_expect_str_eq(rig_role(&rig, next).name, other);
    cr_expect_neq(node_role_epoch(node_of(ALPHA), 0), 0U);
}

Test(role, N1_a_probe_settles_a_row_before_it_steps_over_it)
{
    uint32_t row = rig_row_of(&rig, "db");
    struct role_value value = {.kind = VALUE_ROLE, .hold = ROLE_FREE, .epoch = 3};
    strcpy(value.name, namesake());
    put_role(&value, row, 5, 1); /* on one disk of three: it may never have been */
    lead(ALPHA, 0, "db");
    cr_expect_gt(exchanges(ALPHA, row), 0U, "a ballot has settled it");
    cr_expect_str_eq(rig_role(&rig, row).name, value.name);
}

Test(role, N1_a_row_once_named_keeps_name_and_epoch)
{
    uint32_t row = rig_row_of(&rig, "db");
    lead(ALPHA, 0, "db");
    rig_resign(&rig, ALPHA, 0);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(rig_role(&rig, row).hold, ROLE_FREE);
    cr_expect_str_eq(rig_role(&rig, row).name, "db");
    cr_expect_eq(rig_role(&rig, row).epoch, 1U);
    lead(BETA, 0, "db");
    cr_expect_eq(node_role_epoch(node_of(BETA), 0), 2U);
}

Test(role, N1_a_full_table_refuses_a_new_name_and_leaves_the_others_alone)
{
    static const char *const names[] = {"one", "two", "three", "four"};
    for (uint32_t i = 0; i < 4; i++) {
        lead(ALPHA, i, names[i]);
    }
    rig_campaign(&rig, BETA, 0, "five");
    cr_assert(rig_await(&rig, BETA, NOTICE_REFUSED, 5 * NS_PER_S));
    cr_expect_eq(rig_notice(&rig, BETA, NOTICE_REFUSED)->notice.refusal, REFUSED_FULL);
    for (uint32_t i = 0; i < 4; i++) {
        cr_expect_neq(node_role_epoch(node_of(ALPHA), i), 0U);
    }
    rig_campaign(&rig, BETA, 1, "three");
    cr_expect(rig_await(&rig, BETA, NOTICE_CANDIDATE, 5 * NS_PER_S));
}

Test(role, N1_a_name_of_another_kind_is_refused)
{
    struct role_value value = {.kind = VALUE_REGISTER, .hold = ROLE_FREE, .name = "db"};
    put_role(&value, rig_row_of(&rig, "db"), 5, 3);
    rig_campaign(&rig, ALPHA, 0, "db");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_REFUSED, NS_PER_S));
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_REFUSED)->notice.refusal, REFUSED_KIND);
}

/* ---- N2, N3, N5 --------------------------------------------------------------------------------------------------------- */

Test(role, N2_a_try_is_refused_with_holder_and_epoch)
{
    lead(ALPHA, 0, "db");
    rig_try(&rig, BETA, 3, "db");
    cr_assert(rig_await(&rig, BETA, NOTICE_REFUSED, NS_PER_S));
    const struct notice *notice = &rig_notice(&rig, BETA, NOTICE_REFUSED)->notice;
    cr_expect_eq(notice->refusal, REFUSED_HELD);
    cr_expect_eq(notice->role, 3U);
    cr_expect_eq(notice->epoch, 1U);
    cr_expect_str_eq(notice->holder_name, "alpha");
}

Test(role, B3_a_try_is_refused_on_a_proven_value_only)
{
    uint32_t row = rig_row_of(&rig, "db");
    struct role_value value = {.kind = VALUE_ROLE, .hold = ROLE_HELD, .name = "db", .node_name = "beta", .epoch = 7};
    value.holder = node_of(BETA)->self;
    put_role(&value, row, 5, 1); /* on one disk of three */
    rig_try(&rig, ALPHA, 0, "db");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_REFUSED, NS_PER_S));
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_REFUSED)->notice.epoch, 7U);
    cr_expect_gt(exchanges(ALPHA, row), 0U, "a ballot has settled it first");
}

Test(role, N2_a_try_takes_a_free_role)
{
    rig_try(&rig, BETA, 3, "db");
    cr_expect(rig_await(&rig, BETA, NOTICE_LEADER, NS_PER_S));
}

Test(role, N2_resigning_hands_over_within_a_poll)
{
    lead(ALPHA, 0, "db");
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, 5 * NS_PER_S);
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, NS_PER_S / 4 + NS_PER_S / 20));
    cr_expect_eq(node_role_epoch(node_of(BETA), 0), 2U);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_RELEASED), 1U);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LOST), 0U);
}

Test(role, N3_the_value_tells_holder_name_epoch_and_state)
{
    lead(BETA, 0, "db");
    struct role_value value = rig_role(&rig, rig_row_of(&rig, "db"));
    cr_expect_eq(value.kind, VALUE_ROLE);
    cr_expect_eq(value.hold, ROLE_HELD);
    cr_expect(node_id_is_same(value.holder, node_identity(node_of(BETA))));
    cr_expect_str_eq(value.node_name, "beta");
    cr_expect_str_eq(value.name, "db");
    cr_expect_eq(value.epoch, 1U);
    cr_expect_eq(value.payload_bytes, 0U);
}

Test(role, N3_new_names_start_above_the_epoch_floor)
{
    rig.header.epoch_floor = 41;
    rig_format(&rig);
    rig.nodes[ALPHA].is_running = rig.nodes[BETA].is_running = false;
    rig_join(&rig, GAMMA);
    lead(GAMMA, 0, "db");
    cr_expect_eq(node_role_epoch(node_of(GAMMA), 0), 42U);
}

Test(role, N5_each_lost_follows_exactly_one_leader)
{
    lead(ALPHA, 0, "db");
    rig_campaign(&rig, ALPHA, 1, "web");
    rig_run(&rig, NS_PER_S);
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, NS_PER_S);
    hold_all(true);
    rig_run(&rig, 11 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LEADER), 2U);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_LOST), 2U);
    cr_expect_eq(rig_notice_count(&rig, BETA, NOTICE_LOST), 0U, "a candidate has nothing to lose");
    cr_expect_eq(rig_notice_count(&rig, BETA, NOTICE_OVER), 1U);
}
