/* Getting a slot (rules S1 to S5, D6): 8 slots, of which the last two are the kept quarter; d = 0.5 s, W = 10.1 s. */
#include "rig.h"

#include <criterion/criterion.h>
#include <string.h>

enum { KEPT_FIRST = 6 };

static const int64_t d_ns = NS_PER_S / 2;
static struct rig rig;

static void setup(void)
{
    rig_init(&rig, 3);
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(claim, .init = setup, .fini = teardown);

static struct node *node_of(uint32_t index)
{
    return rig.nodes[index].node;
}

static void hold_all(bool is_holding)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = is_holding ? RIG_HOLDS : RIG_RUNS;
    }
}

/* Somebody stands in this slot, on every disk, in both rows; one that has left has given it back as well. */
static void put_owner(uint32_t slot, const struct heartbeat_block *block)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_claim(&rig, disk, slot, block->author.incarnation, block->state == HEARTBEAT_LEFT);
        rig_put_heartbeat(&rig, disk, slot, block);
    }
}

static void put_strangers(uint32_t first, uint32_t end)
{
    for (uint32_t slot = first; slot < end; slot++) {
        struct heartbeat_block block = rig_stranger(900 + slot, 5);
        put_owner(slot, &block);
    }
}

static void complete_reads(uint32_t row)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_complete(&rig, 0, rig_find(&rig, 0, disk, row, IO_READ));
    }
}

static void complete_writes(uint32_t row)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_complete(&rig, 0, rig_find(&rig, 0, disk, row, IO_WRITE));
    }
}

static void complete_headers(void)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_complete(&rig, 0, rig_find(&rig, 0, disk, 0, IO_HEADER));
    }
}

/* Up to the three claim writes, which the test completes. */
static void start_claiming(void)
{
    hold_all(true);
    rig_start(&rig, 0);
    complete_reads(ROW_LEDGER_FIRST);
    complete_reads(ROW_CLAIM);
    complete_reads(ROW_HEARTBEAT);
    cr_assert_not_null(rig_find(&rig, 0, 0, ROW_CLAIM, IO_WRITE));
}

/* Up to the confirming read, which the test completes. */
static void claim_and_wait(void)
{
    start_claiming();
    complete_writes(ROW_CLAIM);
    rig_pass(&rig, 0, 3 * d_ns, 3 * d_ns);
    rig_tick(&rig, 0);
    cr_assert_not_null(rig_find(&rig, 0, 0, ROW_CLAIM, IO_READ));
}

/* Up to the three first heartbeats, of which the test completes the writes. */
static void claim_and_confirm(void)
{
    claim_and_wait();
    complete_reads(ROW_CLAIM);
    complete_reads(ROW_HEARTBEAT);
    complete_headers();
    complete_reads(ROW_HEARTBEAT); /* T5: each heartbeat begins with a read */
    cr_assert_not_null(rig_find(&rig, 0, 0, ROW_HEARTBEAT, IO_WRITE));
}

static uint32_t joined_slot(void)
{
    rig_join(&rig, 0);
    return node_identity(node_of(0)).slot;
}

static bool has_waited_for(enum join_wait wait)
{
    for (uint32_t i = 0; i < rig.nodes[0].notice_count; i++) {
        const struct notice *notice = &rig.nodes[0].notices[i].notice;
        if (notice->kind == NOTICE_JOIN_WAITS && notice->wait == wait) {
            return true;
        }
    }
    return false;
}

/* ---- S1 ------------------------------------------------------------------------------------------------------------ */

Test(claim, S1_the_claim_is_written_to_all_disks_outside_the_kept_quarter)
{
    start_claiming();
    for (uint32_t disk = 0; disk < 3; disk++) {
        const struct rig_request *request = rig_find(&rig, 0, disk, ROW_CLAIM, IO_WRITE);
        cr_expect_lt(request->action.slot, (uint32_t)KEPT_FIRST);
        cr_expect_eq(request->action.slot, node_of(0)->self.slot);
    }
}

Test(claim, S1_slots_are_picked_at_random)
{
    uint32_t seen = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        rig_init(&rig, 3);
        rig.nodes[0].params.seed[0] = seed;
        seen |= 1U << joined_slot();
    }
    cr_expect_eq(seen, (1U << KEPT_FIRST) - 1, "each of the first six was picked");
}

Test(claim, S1_a_disk_counts_only_if_it_acknowledged_before_t0_plus_d)
{
    start_claiming();
    uint64_t incarnation = node_of(0)->self.incarnation;
    rig_pass(&rig, 0, d_ns - 1, d_ns - 1);
    rig_complete(&rig, 0, rig_find(&rig, 0, 0, ROW_CLAIM, IO_WRITE));
    rig_pass(&rig, 0, 1, 1);
    rig_complete(&rig, 0, rig_find(&rig, 0, 1, ROW_CLAIM, IO_WRITE));
    rig_complete(&rig, 0, rig_find(&rig, 0, 2, ROW_CLAIM, IO_WRITE));
    hold_all(false);
    cr_assert(rig_await(&rig, 0, NOTICE_JOINED, 30 * NS_PER_S));
    cr_expect_neq(node_identity(node_of(0)).incarnation, incarnation, "the first attempt was given up");
}

enum { SEEDS = 10 }; /* among slots of one kind the choice is random */

Test(claim, S1_unused_slots_come_before_left_ones)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rig_init(&rig, 3);
        rig.nodes[0].params.seed[0] = seed;
        put_strangers(0, 4);
        struct heartbeat_block left = rig_stranger(500, 9);
        left.state = HEARTBEAT_LEFT;
        put_owner(4, &left);
        cr_expect_eq(joined_slot(), 5U);
    }
}

Test(claim, S1_left_slots_come_before_retired_ones)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rig_init(&rig, 3);
        rig.nodes[0].params.seed[0] = seed;
        put_strangers(0, 5);
        struct heartbeat_block left = rig_stranger(500, 9);
        left.state = HEARTBEAT_LEFT;
        put_owner(5, &left);
        struct register_block ledger = {.author = {1, 1}, .promised = {1, 0, 1}, .accepted = {1, 0, 1}};
        ledger_value_set(ledger.value, 0, 900);
        rig_put_register(&rig, 1, ROW_LEDGER_FIRST, 3, &ledger);
        cr_expect_eq(joined_slot(), 5U);
    }
}

Test(claim, S1_a_left_slot_that_somebody_else_claims_is_not_taken)
{
    put_strangers(0, 5);
    struct heartbeat_block left = rig_stranger(500, 9);
    left.state = HEARTBEAT_LEFT;
    put_owner(5, &left);
    rig_put_claim(&rig, 2, 5, 501, false);
    cr_expect_geq(joined_slot(), (uint32_t)KEPT_FIRST);
}

Test(claim, T9_a_left_slot_that_was_not_given_back_is_quarantined)
{
    struct heartbeat_block left = rig_stranger(500, 9);
    left.state = HEARTBEAT_LEFT;
    put_strangers(0, RIG_SLOTS_MAX);
    put_owner(5, &left);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_claim(&rig, disk, 5, 500, false); /* something of it may still be on its way */
    }
    for (uint32_t slot = 0; slot < RIG_SLOTS_MAX; slot++) {
        if (slot != 5) { /* out of the question */
            rig_damage(&rig, 0, ROW_HEARTBEAT, slot);
            rig_damage(&rig, 1, ROW_HEARTBEAT, slot);
        }
    }
    rig_start(&rig, 0);
    rig_run(&rig, timings_watch_ns(&rig.header.timings) + rig.header.timings.quarantine_ns);
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 0U);
    cr_expect(rig_await(&rig, 0, NOTICE_JOINED, 4 * NS_PER_S));
    cr_expect_eq(node_identity(node_of(0)).slot, 5U);
}

Test(claim, S1_a_slot_without_a_majority_of_intact_blocks_is_not_taken)
{
    put_strangers(0, 5);
    rig_damage(&rig, 0, ROW_HEARTBEAT, 5);
    rig_damage(&rig, 1, ROW_HEARTBEAT, 5);
    cr_expect_geq(joined_slot(), (uint32_t)KEPT_FIRST, "damage is never empty");
}

Test(claim, S1_without_a_majority_it_waits_and_says_so)
{
    rig.disks[0].mode = rig.disks[2].mode = RIG_FAILS;
    rig_start(&rig, 0);
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect(has_waited_for(WAIT_NO_MAJORITY));
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 0U);
    hold_all(false);
    cr_expect(rig_await(&rig, 0, NOTICE_JOINED, 10 * NS_PER_S));
}

/* ---- S2 ------------------------------------------------------------------------------------------------------------ */

Test(claim, S2_the_confirming_read_begins_3d_after_t0_by_the_slow_clock)
{
    start_claiming();
    complete_writes(ROW_CLAIM);
    rig_pass(&rig, 0, 4 * d_ns, 3 * d_ns - 1);
    rig_tick(&rig, 0);
    cr_expect_null(rig_find(&rig, 0, 0, ROW_CLAIM, IO_READ));
    rig_pass(&rig, 0, 0, 1);
    rig_tick(&rig, 0);
    cr_expect_not_null(rig_find(&rig, 0, 0, ROW_CLAIM, IO_READ));
}

/* The attempt has been given up: nothing of it became a heartbeat. */
static void expect_abandoned(void)
{
    uint64_t incarnation = node_of(0)->self.incarnation;
    uint32_t slot = node_of(0)->self.slot;
    complete_reads(ROW_CLAIM);
    complete_reads(ROW_HEARTBEAT);
    complete_headers();
    hold_all(false);
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect_neq(node_of(0)->self.incarnation, incarnation);
    for (uint32_t disk = 0; disk < 3; disk++) {
        cr_expect_neq(rig_heartbeat(&rig, disk, slot).author.incarnation, incarnation);
    }
}

Test(claim, S2_a_claim_overwritten_on_a_majority_is_abandoned)
{
    claim_and_wait();
    rig_put_claim(&rig, 0, node_of(0)->self.slot, 77, false);
    rig_put_claim(&rig, 2, node_of(0)->self.slot, 77, false);
    expect_abandoned();
}

Test(claim, S2_only_counting_disks_confirm)
{
    start_claiming();
    rig_complete(&rig, 0, rig_find(&rig, 0, 0, ROW_CLAIM, IO_WRITE));
    rig_complete(&rig, 0, rig_find(&rig, 0, 1, ROW_CLAIM, IO_WRITE));
    rig_pass(&rig, 0, d_ns, d_ns);
    rig_tick(&rig, 0);
    rig_land(&rig, rig_find(&rig, 0, 2, ROW_CLAIM, IO_WRITE)); /* it lands, but was not acknowledged in time */
    rig_complete(&rig, 0, rig_find(&rig, 0, 2, 0, IO_HEADER)); /* the disk was silent, and is back */
    rig_put_claim(&rig, 1, node_of(0)->self.slot, 77, false);
    rig_pass(&rig, 0, 2 * d_ns, 2 * d_ns);
    rig_tick(&rig, 0);
    expect_abandoned();
}

Test(claim, S2_a_stranger_in_the_heartbeat_block_of_one_disk_is_enough_to_abandon)
{
    claim_and_wait();
    struct heartbeat_block block = rig_stranger(77, 1);
    rig_put_heartbeat(&rig, 2, node_of(0)->self.slot, &block);
    expect_abandoned();
}

/* What diskarch tune does to a header first. */
static void mark_header(uint32_t disk)
{
    struct set_header header = rig.header;
    header.disk_index = disk;
    header.tuning = 1;
    set_header_encode(rig.disks[disk].header, RIG_BLOCK_BYTES, &header);
}

Test(claim, S2_nobody_joins_a_set_whose_headers_changed_after_it_was_opened)
{
    claim_and_wait();
    mark_header(0);
    mark_header(2);
    expect_abandoned();
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 0U);
    cr_expect(has_waited_for(WAIT_TUNED));
}

Test(claim, S2_the_headers_are_read_after_the_claim_stands)
{
    start_claiming();
    cr_expect_null(rig_find(&rig, 0, 0, 0, IO_HEADER));
    complete_writes(ROW_CLAIM);
    cr_expect_null(rig_find(&rig, 0, 0, 0, IO_HEADER));
    rig_pass(&rig, 0, 3 * d_ns, 3 * d_ns);
    rig_tick(&rig, 0);
    cr_expect_not_null(rig_find(&rig, 0, 0, 0, IO_HEADER));
}

Test(claim, S2_headers_of_other_timings_keep_a_newcomer_out)
{
    claim_and_wait();
    for (uint32_t disk = 0; disk < 3; disk++) {
        struct set_header header = rig.header;
        header.disk_index = disk;
        header.timings.lease_ns *= 2;
        set_header_encode(rig.disks[disk].header, RIG_BLOCK_BYTES, &header);
    }
    expect_abandoned();
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 0U);
}

Test(claim, S2_a_majority_of_unchanged_headers_is_enough)
{
    claim_and_wait();
    memset(rig.disks[1].header, 0, RIG_BLOCK_BYTES);
    hold_all(false);
    cr_expect(rig_await(&rig, 0, NOTICE_JOINED, NS_PER_S));
}

Test(claim, S2_the_former_owner_seen_at_the_look_is_no_stranger)
{
    struct heartbeat_block left = rig_stranger(500, 9);
    left.state = HEARTBEAT_LEFT;
    for (uint32_t slot = 0; slot < KEPT_FIRST; slot++) {
        left.author.incarnation = 500 + slot;
        put_owner(slot, &left);
    }
    put_strangers(KEPT_FIRST, RIG_SLOTS_MAX);
    rig_join(&rig, 0);
    cr_expect_eq(rig_notice(&rig, 0, NOTICE_JOINED)->fast_ns, NS_PER_S + 3 * d_ns, "at the first attempt");
}

Test(claim, S2_the_first_heartbeat_must_count_within_d_of_the_confirming_read)
{
    claim_and_confirm();
    uint64_t incarnation = node_of(0)->self.incarnation;
    rig_complete(&rig, 0, rig_find(&rig, 0, 0, ROW_HEARTBEAT, IO_WRITE));
    rig_pass(&rig, 0, d_ns, d_ns);
    rig_complete(&rig, 0, rig_find(&rig, 0, 1, ROW_HEARTBEAT, IO_WRITE));
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 0U);
    hold_all(false);
    cr_assert(rig_await(&rig, 0, NOTICE_JOINED, 60 * NS_PER_S));
    cr_expect_neq(node_identity(node_of(0)).incarnation, incarnation, "every attempt is a new incarnation");
}

Test(claim, S2_a_first_heartbeat_in_time_makes_the_slot_ours)
{
    claim_and_confirm();
    rig_complete(&rig, 0, rig_find(&rig, 0, 0, ROW_HEARTBEAT, IO_WRITE));
    rig_pass(&rig, 0, d_ns - 1, d_ns - 1);
    rig_complete(&rig, 0, rig_find(&rig, 0, 1, ROW_HEARTBEAT, IO_WRITE));
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 1U);
}

Test(claim, S2_no_register_block_is_written_before_the_slot_is_ours)
{
    claim_and_confirm();
    rig_campaign(&rig, 0, 0, "db");
    for (uint32_t disk = 0; disk < 3; disk++) {
        for (uint32_t row = ROW_LEDGER_FIRST; row < RIG_ROWS_MAX; row++) {
            cr_expect_eq(rig.nodes[0].submitted[disk][row][IO_EXCHANGE], 0U);
            cr_expect_eq(rig.nodes[0].submitted[disk][row][IO_WRITE], 0U);
        }
    }
    hold_all(false);
    cr_expect(rig_await(&rig, 0, NOTICE_LEADER, NS_PER_S), "the campaign goes on when the slot is ours");
}

Test(claim, S2_two_that_start_at_once_get_different_slots)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        rig_init(&rig, 3);
        rig.nodes[0].params.seed[0] = seed;
        rig.nodes[1].params.seed[0] = seed + 1000;
        rig_start(&rig, 0);
        rig_start(&rig, 1);
        rig_run(&rig, 20 * NS_PER_S);
        cr_assert_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 1U);
        cr_assert_eq(rig_notice_count(&rig, 1, NOTICE_JOINED), 1U);
        cr_expect_neq(node_identity(node_of(0)).slot, node_identity(node_of(1)).slot);
    }
}

Test(claim, a_slow_claim_write_is_warned_of_by_disk)
{
    start_claiming();
    rig_complete(&rig, 0, rig_find(&rig, 0, 0, ROW_CLAIM, IO_WRITE));
    rig_complete(&rig, 0, rig_find(&rig, 0, 1, ROW_CLAIM, IO_WRITE));
    rig_pass(&rig, 0, d_ns / 2 + 1, d_ns / 2 + 1);
    rig_complete(&rig, 0, rig_find(&rig, 0, 2, ROW_CLAIM, IO_WRITE));
    cr_expect(has_waited_for(WAIT_SLOW_DISK));
    cr_expect_eq(rig_notice(&rig, 0, NOTICE_JOIN_WAITS)->notice.disk, 2U);
}

/* ---- S3 to S5, D6 ---------------------------------------------------------------------------------------------------- */

Test(claim, S3_a_foreign_claim_is_left_alone_for_W_and_the_quarantine)
{
    put_strangers(1, RIG_SLOTS_MAX);
    rig.header.slot_reuse = false; /* so that the dead ones stay out of it */
    rig_format(&rig);
    put_strangers(1, RIG_SLOTS_MAX);
    rig_put_claim(&rig, 1, 0, 77, false);
    int64_t w_ns = timings_watch_ns(&rig.header.timings);
    rig_start(&rig, 0);
    rig_run(&rig, 5 * NS_PER_S);
    rig_put_claim(&rig, 1, 0, 78, false); /* another one: the wait begins anew */
    rig_run(&rig, w_ns + rig.header.timings.quarantine_ns);
    cr_expect_null(rig_find(&rig, 0, 0, ROW_CLAIM, IO_WRITE));
    cr_expect_neq(rig_claim(&rig, 0, 0).author.incarnation, node_of(0)->self.incarnation);
    cr_expect(rig_await(&rig, 0, NOTICE_JOINED, 6 * NS_PER_S));
    cr_expect_eq(node_identity(node_of(0)).slot, 0U);
}

Test(claim, D6_a_dead_slot_is_not_taken_before_its_quarantine_is_over)
{
    put_strangers(0, RIG_SLOTS_MAX);
    int64_t w_ns = timings_watch_ns(&rig.header.timings);
    rig_start(&rig, 0);
    rig_run(&rig, w_ns + rig.header.timings.quarantine_ns);
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 0U);
    cr_expect(has_waited_for(WAIT_NO_SLOT));
    cr_expect(rig_await(&rig, 0, NOTICE_JOINED, 6 * NS_PER_S), "S5: waiting never depends on others");
}

Test(claim, D6_slot_reuse_never_means_never)
{
    rig.header.slot_reuse = false;
    rig_format(&rig);
    put_strangers(0, RIG_SLOTS_MAX);
    struct register_block ledger = {.author = {1, 1}, .promised = {1, 0, 1}, .accepted = {1, 0, 1}};
    ledger_value_set(ledger.value, 3, 903);
    rig_put_register(&rig, 0, ROW_LEDGER_FIRST, 0, &ledger);
    rig_start(&rig, 0);
    rig_run(&rig, 300 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 0U);
}

Test(claim, S4_any_intact_block_of_the_ledger_is_believed)
{
    put_strangers(0, RIG_SLOTS_MAX);
    struct register_block ledger = {.author = {1, 1}, .promised = {1, 0, 1}, .accepted = {1, 0, 1}};
    ledger_value_set(ledger.value, 3, 903);
    rig_put_register(&rig, 1, ROW_LEDGER_FIRST, 6, &ledger);
    cr_expect_eq(joined_slot(), 3U);
    cr_expect_lt(rig_notice(&rig, 0, NOTICE_JOINED)->fast_ns, 4 * NS_PER_S);
}

Test(claim, S4_a_ledger_entry_frees_the_incarnation_it_names_and_no_other)
{
    put_strangers(0, RIG_SLOTS_MAX);
    struct register_block ledger = {.author = {1, 1}, .promised = {1, 0, 1}, .accepted = {1, 0, 1}};
    ledger_value_set(ledger.value, 3, 804);
    rig_put_register(&rig, 2, ROW_LEDGER_FIRST, 6, &ledger);
    rig_start(&rig, 0);
    rig_run(&rig, 9 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 0U);
}

static void put_namesake(uint64_t counter)
{
    struct heartbeat_block block = rig_stranger(900, counter);
    strcpy(block.node_name, "alpha");
    put_owner(0, &block);
}

Test(claim, S5_the_kept_quarter_is_for_names_that_have_no_slot)
{
    put_strangers(0, KEPT_FIRST);
    cr_expect_geq(joined_slot(), (uint32_t)KEPT_FIRST);
}

Test(claim, S5_a_name_whose_slot_stands_still_waits_and_says_so)
{
    put_strangers(0, KEPT_FIRST);
    put_namesake(5);
    rig_start(&rig, 0);
    rig_run(&rig, 9 * NS_PER_S);
    cr_expect(has_waited_for(WAIT_NAME_HAS_SLOT));
    cr_expect_eq(rig_notice_count(&rig, 0, NOTICE_JOINED), 0U);
}

Test(claim, S5_a_slot_that_moves_does_not_count_against_its_name)
{
    put_strangers(0, KEPT_FIRST);
    put_namesake(5);
    rig_start(&rig, 0);
    rig_run(&rig, 2 * NS_PER_S);
    put_namesake(6);
    cr_expect(rig_await(&rig, 0, NOTICE_JOINED, 5 * NS_PER_S));
    cr_expect_geq(node_identity(node_of(0)).slot, (uint32_t)KEPT_FIRST);
}

Test(claim, S5_a_process_that_rejoins_takes_its_former_slot_at_once)
{
    put_strangers(0, RIG_SLOTS_MAX);
    rig.nodes[0].params.former = (struct node_id){4, 904};
    cr_expect_eq(joined_slot(), 4U);
    cr_expect_lt(rig_notice(&rig, 0, NOTICE_JOINED)->fast_ns, 4 * NS_PER_S);
}
