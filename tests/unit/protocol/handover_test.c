/* Handing over, asking, publishing, giving way (rules N2 to N4, T3): three nodes on three disks. */
#include "rig.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ALPHA, BETA, GAMMA };

static struct rig rig;
static uint32_t row;

static void setup(void)
{
    rig_init(&rig, 3);
    rig_join(&rig, ALPHA);
    rig_join(&rig, BETA);
    rig_join(&rig, GAMMA);
    row = rig_row_of(&rig, "db");
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(handover, .init = setup, .fini = teardown);

static uint64_t epoch_of(uint32_t node)
{
    return node_role_epoch(rig.nodes[node].node, 0);
}

static struct node_id id_of(uint32_t node)
{
    return node_identity(rig.nodes[node].node);
}

/* Leads "db", and everybody has seen everybody. */
static void lead(uint32_t node)
{
    rig_campaign(&rig, node, 0, "db");
    cr_assert(rig_await(&rig, node, NOTICE_LEADER, NS_PER_S));
    rig_run(&rig, 3 * NS_PER_S);
}

static void begin_transfer(uint32_t from, const char *successor_name)
{
    rig_transfer(&rig, from, 0, successor_name);
    cr_assert(rig_await(&rig, from, NOTICE_TRANSFER, NS_PER_S));
    cr_assert_str_eq(rig_notice(&rig, from, NOTICE_TRANSFER)->notice.holder_name, successor_name);
}

static void ask(uint32_t node, uint32_t call, enum ask_verb verb, const char *successor_name)
{
    rig_call(&rig, node,
             (struct call_command){
                 .call = call, .verb = CALL_ASK, .name = "db", .ask = verb, .successor_name = successor_name});
}

static enum call_outcome outcome_of(uint32_t node, uint32_t call)
{
    return rig.nodes[node].results[call].outcome;
}

/* What the heartbeat of the node asks, on the first disk. */
static struct ask standing_ask(uint32_t node)
{
    return rig_heartbeat(&rig, 0, id_of(node).slot).ask;
}

/* Another process in the last slot, with a heartbeat as given. */
static void put_stranger(uint64_t counter, enum heartbeat_state state)
{
    struct heartbeat_block block = rig_stranger(4242, counter);
    block.state = state;
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_heartbeat(&rig, disk, RIG_SLOTS_MAX - 1, &block);
    }
}

/* A slot that no node of the rig has taken. */
static bool last_slot_is_free(void)
{
    return id_of(ALPHA).slot != RIG_SLOTS_MAX - 1 && id_of(BETA).slot != RIG_SLOTS_MAX - 1 &&
           id_of(GAMMA).slot != RIG_SLOTS_MAX - 1;
}

/* ---- N2: transfer ----------------------------------------------------------------------------------------------------- */

Test(handover, N2_a_transfer_makes_the_successor_leader_under_the_next_epoch)
{
    lead(ALPHA);
    rig_campaign(&rig, BETA, 0, "db");
    rig_campaign(&rig, GAMMA, 0, "db");
    rig_run(&rig, NS_PER_S);
    begin_transfer(ALPHA, "beta");
    cr_expect_eq(epoch_of(ALPHA), 1U, "it leads until it resigns");
    cr_expect_eq(rig_role(&rig, row).hold, ROLE_TRANSFERRING);
    cr_expect(node_id_is_same(rig_role(&rig, row).successor, id_of(BETA)));
    rig_resign(&rig, ALPHA, 0);
    cr_expect_eq(epoch_of(ALPHA), 0U);
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, 2 * NS_PER_S));
    cr_expect_eq(epoch_of(BETA), 2U, "one change of holder, one epoch");
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_RELEASED), 1U);
    rig_run(&rig, 3 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, GAMMA, NOTICE_LEADER), 0U);
    cr_expect_eq(rig_role(&rig, row).epoch, 2U);
    cr_expect_str_eq(rig_role(&rig, row).node_name, "beta");
}

Test(handover, N2_a_role_that_is_being_handed_over_is_held)
{
    lead(ALPHA);
    begin_transfer(ALPHA, "beta");
    rig_campaign(&rig, GAMMA, 0, "db");
    rig_run(&rig, 30 * NS_PER_S);
    cr_expect_eq(epoch_of(ALPHA), 1U);
    cr_expect_eq(epoch_of(GAMMA), 0U);
    cr_expect_eq(rig_notice_count(&rig, GAMMA, NOTICE_CANDIDATE), 1U);
}

Test(handover, N2_the_successor_acts_only_on_proving_itself_in_the_register)
{
    lead(ALPHA);
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, NS_PER_S);
    begin_transfer(ALPHA, "beta");
    rig_freeze(&rig, BETA);
    rig_resign(&rig, ALPHA, 0);
    rig_run(&rig, NS_PER_S);
    cr_expect(node_id_is_same(rig_role(&rig, row).holder, id_of(BETA)));
    cr_expect_eq(epoch_of(BETA), 0U);
    rig_thaw(&rig, BETA);
    cr_expect(rig_await(&rig, BETA, NOTICE_LEADER, 2 * NS_PER_S));
}

Test(handover, N2_a_transfer_to_nobody_or_to_itself_is_refused_and_changes_nothing)
{
    lead(ALPHA);
    rig_transfer(&rig, ALPHA, 0, "omega");
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_TRANSFER_REFUSED), 1U);
    rig_transfer(&rig, ALPHA, 0, "alpha");
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_TRANSFER_REFUSED), 2U);
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_TRANSFER_REFUSED)->notice.refusal, REFUSED_NOT_READY);
    rig_run(&rig, 2 * NS_PER_S);
    cr_expect_eq(rig_role(&rig, row).hold, ROLE_HELD);
    cr_expect_eq(epoch_of(ALPHA), 1U);
}

Test(handover, N2_who_does_not_lead_hands_nothing_over)
{
    lead(ALPHA);
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, NS_PER_S);
    rig_transfer(&rig, BETA, 0, "gamma");
    cr_expect_eq(rig_notice(&rig, BETA, NOTICE_TRANSFER_REFUSED)->notice.refusal, REFUSED_HELD);
    cr_expect_eq(rig_role(&rig, row).hold, ROLE_HELD);
}

Test(handover, T3_only_a_ready_incarnation_is_made_successor)
{
    cr_assert(last_slot_is_free());
    lead(ALPHA);
    put_stranger(1, HEARTBEAT_JOINED);
    rig_run(&rig, 2 * NS_PER_S);
    rig_transfer(&rig, ALPHA, 0, "stranger");
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_TRANSFER_REFUSED), 1U);
    put_stranger(2, HEARTBEAT_READY);
    rig_run(&rig, 2 * NS_PER_S);
    begin_transfer(ALPHA, "stranger");
}

Test(handover, T3_a_successor_that_died_meanwhile_gets_nothing)
{
    cr_assert(last_slot_is_free());
    lead(ALPHA);
    put_stranger(2, HEARTBEAT_READY);
    rig_run(&rig, 2 * NS_PER_S);
    begin_transfer(ALPHA, "stranger");
    rig_run(&rig, timings_watch_ns(&rig.header.timings) + 2 * NS_PER_S);
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, ALPHA, NOTICE_RELEASED, NS_PER_S));
    cr_expect_eq(rig_role(&rig, row).hold, ROLE_FREE);
    cr_expect_eq(rig_role(&rig, row).epoch, 1U);
}

Test(handover, T7_a_successor_that_dies_afterwards_is_waited_for_like_any_holder)
{
    lead(ALPHA);
    rig_campaign(&rig, BETA, 0, "db");
    rig_campaign(&rig, GAMMA, 0, "db");
    rig_run(&rig, NS_PER_S);
    begin_transfer(ALPHA, "beta");
    rig_kill(&rig, BETA);
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, GAMMA, NOTICE_LEADER, 20 * NS_PER_S));
    cr_expect_eq(epoch_of(GAMMA), 3U);
}

Test(handover, B2_a_hand_over_that_was_cut_off_happens_once)
{
    lead(ALPHA);
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, NS_PER_S);
    begin_transfer(ALPHA, "beta");
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = RIG_HOLDS;
    }
    rig_resign(&rig, ALPHA, 0);
    rig_tick(&rig, ALPHA);
    rig_land(&rig, rig_find(&rig, ALPHA, 0, row, IO_EXCHANGE));
    rig_land(&rig, rig_find(&rig, ALPHA, 1, row, IO_EXCHANGE));
    rig_freeze(&rig, ALPHA);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = RIG_RUNS;
    }
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, 3 * NS_PER_S), "it proves itself there");
    rig_thaw(&rig, ALPHA);
    rig_run(&rig, 2 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_RELEASED), 1U);
    cr_expect_eq(epoch_of(BETA), 2U);
    cr_expect_eq(rig_role(&rig, row).epoch, 2U);
    cr_expect_eq(rig_notice_count(&rig, BETA, NOTICE_LOST), 0U);
}

/* ---- N2: questions ---------------------------------------------------------------------------------------------------- */

Test(handover, N2_a_question_reaches_the_holder_once_and_ends_when_it_has_happened)
{
    lead(ALPHA);
    ask(BETA, 5, ASK_REQUEST, NULL);
    cr_assert(rig_await(&rig, ALPHA, NOTICE_ASKED, 3 * NS_PER_S));
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_ASKED), 1U);
    const struct notice *notice = &rig_notice(&rig, ALPHA, NOTICE_ASKED)->notice;
    cr_expect_eq(notice->ask, ASK_REQUEST);
    cr_expect_eq(notice->epoch, 1U);
    cr_expect_str_eq(notice->holder_name, "beta");
    cr_expect_eq(rig_notice_count(&rig, BETA, NOTICE_CALL_ENDED), 0U, "it stands until it has happened");
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, BETA, NOTICE_CALL_ENDED, 2 * NS_PER_S));
    cr_expect_eq(outcome_of(BETA, 5), CALL_DONE);
    rig_run(&rig, 2 * NS_PER_S);
    cr_expect_eq(standing_ask(BETA).verb, ASK_NONE);
}

Test(handover, N2_a_node_may_be_asked_by_itself)
{
    lead(ALPHA);
    ask(ALPHA, 0, ASK_RESIGN, NULL);
    cr_assert(rig_await(&rig, ALPHA, NOTICE_ASKED, 3 * NS_PER_S));
    cr_expect_eq(rig_notice(&rig, ALPHA, NOTICE_ASKED)->notice.ask, ASK_RESIGN);
}

Test(handover, N2_a_third_node_may_ask_for_a_transfer)
{
    lead(ALPHA);
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, NS_PER_S);
    ask(GAMMA, 0, ASK_TRANSFER, "beta");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_TRANSFER, 3 * NS_PER_S));
    cr_expect_str_eq(rig_notice(&rig, ALPHA, NOTICE_TRANSFER)->notice.holder_name, "beta");
    rig_run(&rig, 3 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_TRANSFER), 1U, "once, though the question still stands");
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, 2 * NS_PER_S));
    rig_run(&rig, 2 * NS_PER_S);
    cr_expect_eq(outcome_of(GAMMA, 0), CALL_DONE);
    cr_expect_eq(rig.nodes[GAMMA].results[0].version, 2U);
    cr_expect_str_eq(rig.nodes[GAMMA].results[0].node_name, "beta");
}

Test(handover, N2_questions_that_cannot_be_put)
{
    ask(BETA, 0, ASK_RESIGN, NULL);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(outcome_of(BETA, 0), CALL_NONE, "no such role");
    lead(ALPHA);
    ask(BETA, 0, ASK_TRANSFER, "omega");
    ask(BETA, 1, ASK_TRANSFER, "alpha");
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(outcome_of(BETA, 0), CALL_NOT_READY);
    cr_expect_eq(outcome_of(BETA, 1), CALL_NOT_READY, "the holder is no successor");
    rig_resign(&rig, ALPHA, 0);
    rig_run(&rig, NS_PER_S);
    ask(BETA, 0, ASK_RESIGN, NULL);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(outcome_of(BETA, 0), CALL_FREE);
    cr_expect_eq(rig_notice_count(&rig, BETA, NOTICE_CALL_ENDED), 4U);
}

Test(handover, N2_a_question_to_one_that_dies_ends)
{
    lead(ALPHA);
    ask(BETA, 0, ASK_RESIGN, NULL);
    rig_run(&rig, NS_PER_S);
    rig_kill(&rig, ALPHA);
    cr_assert(rig_await(&rig, BETA, NOTICE_CALL_ENDED, 20 * NS_PER_S));
    cr_expect_eq(outcome_of(BETA, 0), CALL_FREE);
}

Test(handover, N2_questions_are_put_one_at_a_time_and_may_be_taken_back)
{
    lead(ALPHA);
    ask(BETA, 0, ASK_REQUEST, NULL);
    ask(BETA, 1, ASK_RESIGN, NULL);
    rig_run(&rig, 3 * NS_PER_S);
    cr_expect_eq(standing_ask(BETA).verb, ASK_REQUEST);
    rig_cancel(&rig, BETA, 0);
    cr_expect_eq(outcome_of(BETA, 0), CALL_CANCELLED);
    rig_run(&rig, 3 * NS_PER_S);
    cr_expect_eq(standing_ask(BETA).verb, ASK_RESIGN);
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_ASKED), 2U);
    rig_cancel(&rig, BETA, 1);
    rig_run(&rig, 3 * NS_PER_S);
    cr_expect_eq(standing_ask(BETA).verb, ASK_NONE);
}

/* ---- N3 --------------------------------------------------------------------------------------------------------------- */

static void expect_payload(const char *text)
{
    struct role_value value = rig_role(&rig, row);
    cr_expect_eq(value.payload_bytes, strlen(text));
    cr_expect_arr_eq(value.payload, text, strlen(text));
}

Test(handover, N3_the_payload_is_written_with_the_acquisition)
{
    rig_campaign_as(&rig, ALPHA,
                    (struct role_command){.name = "db", .payload = (const uint8_t *)"here", .payload_bytes = 4});
    cr_assert(rig_await(&rig, ALPHA, NOTICE_LEADER, NS_PER_S));
    expect_payload("here");
    cr_expect_eq(rig_notice_count(&rig, ALPHA, NOTICE_PUBLISHED), 0U);
}

Test(handover, N3_of_several_payloads_the_newest_stays_and_costs_no_epoch)
{
    lead(ALPHA);
    rig_publish(&rig, ALPHA, 0, "one");
    rig_publish(&rig, ALPHA, 0, "two");
    rig_publish(&rig, ALPHA, 0, "three");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_PUBLISHED, NS_PER_S));
    expect_payload("three");
    cr_expect_eq(rig_role(&rig, row).epoch, 1U);
    rig_resign(&rig, ALPHA, 0);
    rig_run(&rig, NS_PER_S);
    expect_payload("");
}

Test(handover, N3_publishing_is_one_exchange)
{
    lead(ALPHA);
    uint32_t before = rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE];
    rig_publish(&rig, ALPHA, 0, "one");
    cr_assert(rig_await(&rig, ALPHA, NOTICE_PUBLISHED, NS_PER_S));
    cr_expect_eq(rig.nodes[ALPHA].submitted[0][row][IO_EXCHANGE], before + 1);
}

Test(handover, N3_the_payload_of_a_successor_is_published_when_it_leads)
{
    lead(ALPHA);
    rig_campaign_as(&rig, BETA,
                    (struct role_command){.name = "db", .payload = (const uint8_t *)"there", .payload_bytes = 5});
    rig_run(&rig, NS_PER_S);
    begin_transfer(ALPHA, "beta");
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, 2 * NS_PER_S));
    rig_run(&rig, NS_PER_S);
    expect_payload("there");
    cr_expect_eq(rig_role(&rig, row).hold, ROLE_HELD);
}

/* ---- N4 --------------------------------------------------------------------------------------------------------------- */

static void campaign_with_priority(uint32_t node, uint32_t priority)
{
    rig_campaign_as(&rig, node, (struct role_command){.name = "db", .priority = priority});
    rig_run(&rig, NS_PER_S / 10);
}

Test(handover, N4_a_free_role_goes_to_the_preferred_candidate)
{
    lead(ALPHA);
    campaign_with_priority(BETA, 1); /* it looks first, and finds the role free first */
    campaign_with_priority(GAMMA, 0);
    rig_run(&rig, NS_PER_S);
    rig_resign(&rig, ALPHA, 0);
    cr_assert(rig_await(&rig, GAMMA, NOTICE_LEADER, 2 * NS_PER_S));
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, BETA, NOTICE_LEADER), 0U);
}

Test(handover, N4_a_dead_holders_role_goes_to_the_preferred_candidate)
{
    lead(ALPHA);
    campaign_with_priority(BETA, 1);
    campaign_with_priority(GAMMA, 0);
    rig_run(&rig, NS_PER_S);
    rig_kill(&rig, ALPHA);
    cr_assert(rig_await(&rig, GAMMA, NOTICE_LEADER, 20 * NS_PER_S));
    cr_expect_eq(rig_notice_count(&rig, BETA, NOTICE_LEADER), 0U);
}

Test(handover, N4_a_less_preferred_candidate_alone_leads_after_its_wait)
{
    int64_t begun_ns = rig.nodes[BETA].fast_ns;
    campaign_with_priority(BETA, 4);
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, 5 * NS_PER_S));
    int64_t waited_ns = rig_notice(&rig, BETA, NOTICE_LEADER)->fast_ns - begun_ns;
    cr_expect_geq(waited_ns, 4 * rig.header.timings.renew_ns / 4);
}

Test(handover, N4_there_is_no_fail_back)
{
    campaign_with_priority(BETA, 4);
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, 5 * NS_PER_S));
    campaign_with_priority(GAMMA, 0);
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(epoch_of(BETA), 1U);
    cr_expect_eq(epoch_of(GAMMA), 0U);
}
