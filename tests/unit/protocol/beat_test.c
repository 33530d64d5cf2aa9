/* The heartbeat of an active node (rules T3, T5, T7, T8 and what a failed disk gets): three disks, renew = 1 s. */
#include "rig.h"

#include <criterion/criterion.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static uint32_t mine, free_slot;

static void setup(void)
{
    rig_init(&rig, 3);
    node = rig_join(&rig, 0);
    mine = node->self.slot;
    free_slot = mine == 0 ? 1 : 0;
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(beat, .init = setup, .fini = teardown);

static uint32_t submitted(uint32_t disk, enum io_operation operation)
{
    return rig.nodes[0].submitted[disk][ROW_HEARTBEAT][operation];
}

static enum over_reason over_reason(void)
{
    return rig_notice(&rig, 0, NOTICE_OVER)->notice.reason;
}

/* A stranger's heartbeat, on every disk. */
static void put_stranger(const struct heartbeat_block *block)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_put_heartbeat(&rig, disk, free_slot, block);
    }
}

static bool lists(const struct heartbeat_block *block, struct node_id id)
{
    for (uint32_t i = 0; i < block->verdict_count; i++) {
        if (node_id_is_same(block->verdicts[i], id)) {
            return true;
        }
    }
    return false;
}

/* ---- T2, T3 --------------------------------------------------------------------------------------------------------- */

Test(beat, T3_the_heartbeat_after_the_first_carries_ready_at_once)
{
    cr_expect_eq(rig_heartbeat(&rig, 0, mine).counter, 2U);
    cr_expect_eq(rig_heartbeat(&rig, 0, mine).state, HEARTBEAT_READY);
    cr_expect_eq(rig.nodes[0].fast_ns, rig_notice(&rig, 0, NOTICE_JOINED)->fast_ns, "no time has passed");
}

Test(beat, T2_all_disks_carry_one_counter_with_one_instant)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = RIG_HOLDS;
    }
    rig_run(&rig, NS_PER_S);
    int64_t first_ns = rig.nodes[0].fast_ns;
    rig_complete(&rig, 0, rig_find(&rig, 0, 0, ROW_HEARTBEAT, IO_READ));
    rig_pass(&rig, 0, NS_PER_S / 2, NS_PER_S / 2);
    rig_complete(&rig, 0, rig_find(&rig, 0, 1, ROW_HEARTBEAT, IO_READ));
    rig_complete(&rig, 0, rig_find(&rig, 0, 0, ROW_HEARTBEAT, IO_WRITE));
    rig_complete(&rig, 0, rig_find(&rig, 0, 1, ROW_HEARTBEAT, IO_WRITE));
    cr_expect_eq(rig_heartbeat(&rig, 0, mine).counter, rig_heartbeat(&rig, 1, mine).counter);
    cr_expect_eq(node_lease_end_ns(node), first_ns + rig.header.timings.lease_ns);
}

/* ---- T5 ------------------------------------------------------------------------------------------------------------- */

Test(beat, T5_each_disk_is_read_before_it_is_written)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = RIG_HOLDS;
    }
    rig_run(&rig, NS_PER_S);
    for (uint32_t disk = 0; disk < 3; disk++) {
        cr_expect_eq(rig_pending(&rig, 0, disk, ROW_HEARTBEAT), 1U);
        cr_expect_null(rig_find(&rig, 0, disk, ROW_HEARTBEAT, IO_WRITE));
        rig_complete(&rig, 0, rig_find(&rig, 0, disk, ROW_HEARTBEAT, IO_READ));
        cr_expect_not_null(rig_find(&rig, 0, disk, ROW_HEARTBEAT, IO_WRITE));
    }
}

Test(beat, T5_the_own_damaged_block_is_written_again)
{
    rig_damage(&rig, 1, ROW_HEARTBEAT, mine);
    rig_run(&rig, NS_PER_S);
    cr_expect_eq(rig_heartbeat(&rig, 1, mine).counter, rig_heartbeat(&rig, 0, mine).counter);
}

Test(beat, T5_another_incarnation_in_the_own_block_ends_the_node_before_it_writes)
{
    struct heartbeat_block block = rig_stranger(77, 1);
    rig_put_heartbeat(&rig, 2, mine, &block);
    uint32_t written = submitted(2, IO_WRITE);
    rig_run(&rig, NS_PER_S);
    cr_expect(node_is_over(node));
    cr_expect_eq(over_reason(), OVER_SLOT);
    cr_expect_eq(submitted(2, IO_WRITE), written);
    cr_expect_eq(rig_heartbeat(&rig, 2, mine).author.incarnation, 77U);
}

Test(beat, T5_a_later_write_of_ones_own_that_was_never_acknowledged_is_fine)
{
    rig.disks[1].mode = RIG_HOLDS;
    rig_run(&rig, NS_PER_S);
    rig_complete(&rig, 0, rig_find(&rig, 0, 1, ROW_HEARTBEAT, IO_READ));
    struct rig_request *request = rig_find(&rig, 0, 1, ROW_HEARTBEAT, IO_WRITE);
    rig_land(&rig, request);
    rig_fail(&rig, 0, request); /* it landed, and an error came back */
    rig.disks[1].mode = RIG_RUNS;
    rig_run(&rig, 3 * NS_PER_S);
    cr_expect_not(node_is_over(node));
    cr_expect_eq(rig_heartbeat(&rig, 1, mine).counter, rig_heartbeat(&rig, 0, mine).counter);
}

Test(beat, T5_a_disk_that_shows_an_older_own_block_is_counted_out)
{
    uint8_t old[RIG_BLOCK_BYTES];
    memcpy(old, rig_block(&rig, 1, ROW_HEARTBEAT, mine), sizeof old);
    rig_run(&rig, 3 * NS_PER_S);
    memcpy(rig_block(&rig, 1, ROW_HEARTBEAT, mine), old, sizeof old);
    uint32_t written = submitted(1, IO_WRITE);
    rig_run(&rig, 5 * NS_PER_S);
    cr_expect_eq(submitted(1, IO_WRITE), written);
    cr_expect_not(node_is_over(node));
}

Test(beat, T6_an_active_node_waits_for_the_whole_of_W)
{
    struct heartbeat_block block = rig_stranger(77, 5);
    struct node_id id = {free_slot, 77};
    put_stranger(&block);
    rig_run(&rig, 2 * NS_PER_S);
    int64_t seen_ns = watch_find(&node->watch, id)->since_slow_ns;
    int64_t w_ns = timings_watch_ns(&rig.header.timings);
    cr_assert_gt(w_ns, rig.header.timings.lease_ns);
    rig_run(&rig, seen_ns + w_ns - 1 - rig.nodes[0].slow_ns);
    cr_expect_not(watch_is_gone(&node->watch, id));
    rig_run(&rig, 1);
    cr_expect(watch_is_gone(&node->watch, id), "the confirming read goes out at once");
}

/* ---- T7, T8 --------------------------------------------------------------------------------------------------------- */

Test(beat, T7_a_verdict_is_published_on_all_disks_once_its_subject_was_found_dead)
{
    struct heartbeat_block block = rig_stranger(77, 5);
    struct node_id id = {free_slot, 77};
    put_stranger(&block);
    int64_t w_ns = timings_watch_ns(&rig.header.timings);
    rig_run(&rig, w_ns - NS_PER_S / 10);
    struct heartbeat_block before = rig_heartbeat(&rig, 0, mine);
    cr_expect_not(lists(&before, id));
    rig_run(&rig, 2 * NS_PER_S);
    for (uint32_t disk = 0; disk < 3; disk++) {
        struct heartbeat_block after = rig_heartbeat(&rig, disk, mine);
        cr_expect(lists(&after, id));
    }
}

Test(beat, T7_a_verdict_stays_listed_while_its_subject_stands_there_and_no_longer)
{
    struct heartbeat_block block = rig_stranger(77, 5);
    struct node_id id = {free_slot, 77};
    put_stranger(&block);
    rig_run(&rig, 30 * NS_PER_S);
    block = rig_heartbeat(&rig, 0, mine);
    cr_expect(lists(&block, id));
    struct heartbeat_block other = rig_stranger(78, 1);
    put_stranger(&other);
    rig_run(&rig, 2 * NS_PER_S);
    block = rig_heartbeat(&rig, 0, mine);
    cr_expect_not(lists(&block, id));
}

Test(beat, T7_verdicts_of_others_are_copied_while_their_subject_stands_there)
{
    struct node_id standing = {2, 91};
    struct node_id gone = {3, 92};
    uint32_t teller = mine == 4 ? 5 : 4;
    standing.slot = mine == 2 ? 6 : 2;
    gone.slot = mine == 3 ? 7 : 3;
    struct heartbeat_block block = rig_stranger(91, 5);
    rig_put_heartbeat(&rig, 0, standing.slot, &block);
    rig_run(&rig, NS_PER_S);
    block = rig_stranger(93, 5);
    block.verdict_count = 2;
    block.verdicts[0] = standing;
    block.verdicts[1] = gone;
    rig_put_heartbeat(&rig, 0, teller, &block);
    rig_run(&rig, 2 * NS_PER_S);
    struct heartbeat_block told = rig_heartbeat(&rig, 1, mine);
    cr_expect(lists(&told, standing));
    cr_expect_not(lists(&told, gone));
    cr_expect_not(watch_is_gone(&node->watch, standing), "a copied verdict is a hint and no permission");
}

Test(beat, T7_at_most_eight_verdicts_newest_first)
{
    for (uint64_t i = 1; i <= 9; i++) {
        beat_list_verdict(node, (struct node_id){free_slot, i});
        beat_list_verdict(node, (struct node_id){free_slot, i}); /* twice is once */
    }
    cr_expect_eq(node->beat.verdict_count, (uint32_t)VERDICTS_MAX);
    cr_expect_eq(node->beat.verdicts[0].incarnation, 9U);
    cr_expect_eq(node->beat.verdicts[VERDICTS_MAX - 1].incarnation, 2U);
}

Test(beat, T8_a_node_that_finds_itself_in_a_verdict_is_over)
{
    struct heartbeat_block block = rig_stranger(77, 5);
    block.verdict_count = 1;
    block.verdicts[0] = node->self;
    rig_put_heartbeat(&rig, 2, free_slot, &block);
    uint32_t written = submitted(2, IO_WRITE);
    rig_run(&rig, NS_PER_S);
    cr_expect(node_is_over(node));
    cr_expect_eq(over_reason(), OVER_VERDICT);
    cr_expect_eq(submitted(2, IO_WRITE), written);
}

Test(beat, T8_a_verdict_on_an_earlier_incarnation_of_the_slot_means_nothing_to_me)
{
    struct heartbeat_block block = rig_stranger(77, 5);
    block.verdict_count = 1;
    block.verdicts[0] = (struct node_id){mine, node->self.incarnation + 1};
    rig_put_heartbeat(&rig, 2, free_slot, &block);
    rig_run(&rig, 3 * NS_PER_S);
    cr_expect_not(node_is_over(node));
}

/* ---- Disks that fail -------------------------------------------------------------------------------------------------- */

static bool has_pending_io(uint32_t disk)
{
    for (uint32_t i = 0; i < RIG_REQUESTS_MAX; i++) {
        const struct rig_request *request = &rig.nodes[0].requests[i];
        if (request->is_used && request->action.disk == disk && request->action.operation != IO_HEADER) {
            return true;
        }
    }
    return false;
}

Test(beat, D8_a_disk_that_returns_with_its_header_intact_counts_at_once)
{
    rig.disks[1].mode = RIG_FAILS;
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_not(node_is_over(node), "two of three disks are enough");
    rig.disks[1].mode = RIG_RUNS;
    rig_run(&rig, 3 * NS_PER_S);
    cr_expect_eq(rig_heartbeat(&rig, 1, mine).counter, rig_heartbeat(&rig, 0, mine).counter);
}

Test(beat, D8_a_disk_whose_header_is_gone_gets_no_writes)
{
    rig.disks[1].mode = RIG_FAILS;
    rig_run(&rig, 2 * NS_PER_S);
    rig.disks[1].mode = RIG_RUNS;
    memset(rig.disks[1].header, 0, RIG_BLOCK_BYTES);
    uint32_t written = submitted(1, IO_WRITE), read = submitted(1, IO_READ);
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(submitted(1, IO_WRITE), written);
    cr_expect_eq(submitted(1, IO_READ), read);
    cr_expect_not(has_pending_io(1));
    cr_expect_not(node_is_over(node));
}

Test(beat, D8_a_disk_that_returns_as_one_of_another_set_gets_no_writes)
{
    rig.disks[1].mode = RIG_FAILS;
    rig_run(&rig, 2 * NS_PER_S);
    rig.disks[1].mode = RIG_RUNS;
    struct set_header header = rig.header;
    header.disk_index = 1;
    header.generation++;
    set_header_encode(rig.disks[1].header, RIG_BLOCK_BYTES, &header);
    uint32_t written = submitted(1, IO_WRITE);
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(submitted(1, IO_WRITE), written);
}

Test(beat, D2_a_hung_heartbeat_holds_one_request_and_delays_no_other_disk)
{
    rig.disks[1].mode = RIG_HOLDS;
    rig_run(&rig, 100 * NS_PER_S);
    cr_expect_eq(rig_pending(&rig, 0, 1, ROW_HEARTBEAT), 1U);
    cr_expect_eq(node_in_flight(node), 2U, "the heartbeat's, and one read of the header");
    cr_expect_gt(node_lease_end_ns(node), rig.nodes[0].fast_ns + 8 * NS_PER_S);
}
