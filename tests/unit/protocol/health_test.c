/* What a node thinks of its disks (rules D2, D7, D8, and the naming of slow ones): three disks, renew = 1 s, d = 0.5 s. */
#include "rig.h"

#include <criterion/criterion.h>
#include <string.h>

enum { DISK = 1, BEATS = 20 };

static struct rig rig;
static struct node *node;
static uint32_t mine, other;
static int64_t d_ns;

static void setup(void)
{
    rig_init(&rig, 3);
    node = rig_join(&rig, 0);
    mine = node->self.slot;
    other = mine == 0 ? 1 : 0;
    d_ns = rig.header.timings.io_deadline_ns;
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(health, .init = setup, .fini = teardown);

static void expect_disk(enum disk_state state, enum disk_cause cause)
{
    cr_expect_eq(node_disk(node, DISK).state, state, "state %d", node_disk(node, DISK).state);
    cr_expect_eq(node_disk(node, DISK).cause, cause, "cause %d", node_disk(node, DISK).cause);
    cr_expect_eq(node_disk(node, 0).state, DISK_GOOD);
    cr_expect_eq(node_disk(node, 2).state, DISK_GOOD);
}

static uint32_t told(void)
{
    return rig_notice_count(&rig, 0, NOTICE_DISK);
}

static uint32_t requests(void)
{
    uint32_t count = 0;
    for (uint32_t row = 0; row < RIG_ROWS_MAX; row++) {
        for (int operation = IO_READ; operation <= IO_HEADER; operation++) {
            count += rig.nodes[0].submitted[DISK][row][operation];
        }
    }
    return count;
}

/* One heartbeat of which the write takes so long on the disk. */
static void beat_slowly(int64_t took_ns)
{
    rig.disks[DISK].mode = RIG_HOLDS;
    while (rig_find(&rig, 0, DISK, ROW_HEARTBEAT, IO_READ) == NULL) {
        rig_run(&rig, NS_PER_MS);
    }
    rig_complete(&rig, 0, rig_find(&rig, 0, DISK, ROW_HEARTBEAT, IO_READ));
    rig_run(&rig, took_ns);
    rig_complete(&rig, 0, rig_find(&rig, 0, DISK, ROW_HEARTBEAT, IO_WRITE));
    rig.disks[DISK].mode = RIG_RUNS;
}

/* ---- Failing and returning --------------------------------------------------------------------------------------------- */

Test(health, a_healthy_disk_is_good_and_nothing_is_told_of_it)
{
    rig_run(&rig, 20 * NS_PER_S);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
    cr_expect_eq(told(), 0U);
}

Test(health, D2_a_silent_disk_fails_at_its_deadline_and_is_asked_for_its_header_alone)
{
    rig.disks[DISK].mode = RIG_HOLDS;
    rig_run(&rig, NS_PER_S);
    cr_assert_not_null(rig_find(&rig, 0, DISK, ROW_HEARTBEAT, IO_READ));
    rig_run(&rig, d_ns - NS_PER_MS);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
    rig_run(&rig, NS_PER_MS);
    expect_disk(DISK_FAILED, DISK_CAUSE_SILENT);
    cr_expect_eq(told(), 1U);
    cr_expect_eq(rig_notice(&rig, 0, NOTICE_DISK)->notice.disk, (uint32_t)DISK);
    uint32_t before = requests();
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(requests(), before, "the header's read is in flight already");
    cr_expect_not_null(rig_find(&rig, 0, DISK, 0, IO_HEADER));
    cr_expect_not(node_is_over(node));
}

Test(health, D8_a_silent_disk_that_returns_catches_up_and_is_good)
{
    rig.disks[DISK].mode = RIG_HOLDS;
    rig_run(&rig, 5 * NS_PER_S);
    rig_complete(&rig, 0, rig_find(&rig, 0, DISK, 0, IO_HEADER));
    expect_disk(DISK_CATCHING_UP, DISK_CAUSE_SILENT);
    rig.disks[DISK].mode = RIG_RUNS;
    rig_run(&rig, 2 * NS_PER_S);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
    cr_expect_eq(told(), 3U);
    cr_expect_eq(rig_heartbeat(&rig, DISK, mine).counter, rig_heartbeat(&rig, 0, mine).counter);
}

Test(health, D2_the_late_answer_of_a_silent_disk_is_used)
{
    rig.disks[DISK].mode = RIG_HOLDS;
    rig_run(&rig, 5 * NS_PER_S);
    cr_assert_eq(node_disk(node, DISK).state, DISK_FAILED);
    cr_assert_null(rig_find(&rig, 0, DISK, ROW_HEARTBEAT, IO_WRITE));
    rig_complete(&rig, 0, rig_find(&rig, 0, DISK, ROW_HEARTBEAT, IO_READ));
    expect_disk(DISK_CATCHING_UP, DISK_CAUSE_SILENT);
    cr_expect_not_null(rig_find(&rig, 0, DISK, ROW_HEARTBEAT, IO_WRITE), "it shows my block: it counts at once");
}

Test(health, D2_a_process_that_was_stopped_finds_its_answers_before_it_finds_fault)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = RIG_HOLDS;
    }
    rig_run(&rig, NS_PER_S);
    rig_pass(&rig, 0, 5 * NS_PER_S, 5 * NS_PER_S);
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig_complete(&rig, 0, rig_find(&rig, 0, disk, ROW_HEARTBEAT, IO_READ));
        rig_complete(&rig, 0, rig_find(&rig, 0, disk, ROW_HEARTBEAT, IO_WRITE));
    }
    rig_tick(&rig, 0);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
    cr_expect_eq(told(), 0U);
}

Test(health, an_error_fails_the_disk)
{
    rig.disks[DISK].mode = RIG_FAILS;
    rig_run(&rig, 2 * NS_PER_S);
    expect_disk(DISK_FAILED, DISK_CAUSE_ERROR);
    cr_expect_eq(told(), 1U);
}

Test(health, a_disk_that_returns_only_to_fail_again_is_asked_less_often)
{
    rig.disks[DISK].mode = RIG_READS;
    rig_run(&rig, 10 * NS_PER_S);
    uint32_t before = told();
    rig_run(&rig, 40 * NS_PER_S);
    cr_expect_gt(told(), before);
    cr_expect_leq(told() - before, 24U, "back and failed again: two changes in four intervals");
    rig.disks[DISK].mode = RIG_RUNS;
    rig_run(&rig, 6 * NS_PER_S);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
}

Test(health, D7_a_disk_without_its_header_says_so_and_gets_no_writes)
{
    rig.disks[DISK].mode = RIG_FAILS;
    rig_run(&rig, 2 * NS_PER_S);
    rig.disks[DISK].mode = RIG_RUNS;
    memset(rig.disks[DISK].header, 0, RIG_BLOCK_BYTES);
    uint32_t written = rig.nodes[0].submitted[DISK][ROW_HEARTBEAT][IO_WRITE];
    rig_run(&rig, 20 * NS_PER_S);
    expect_disk(DISK_FAILED, DISK_CAUSE_HEADER);
    cr_expect_eq(rig.nodes[0].submitted[DISK][ROW_HEARTBEAT][IO_WRITE], written);
}

/* It answers every request: only what the row shows tells that everything was overwritten. */
Test(health, D7_a_disk_overwritten_in_use_gets_no_writes)
{
    memset(rig.disks[DISK].rows[ROW_HEARTBEAT], 0, sizeof rig.disks[DISK].rows[ROW_HEARTBEAT]);
    memset(rig.disks[DISK].header, 0, RIG_BLOCK_BYTES);
    rig_run(&rig, 2 * rig.header.timings.renew_ns);
    expect_disk(DISK_FAILED, DISK_CAUSE_HEADER);
    uint32_t written = rig.nodes[0].submitted[DISK][ROW_HEARTBEAT][IO_WRITE];
    rig_run(&rig, 20 * NS_PER_S);
    cr_expect_eq(rig.nodes[0].submitted[DISK][ROW_HEARTBEAT][IO_WRITE], written);
}

Test(health, a_damaged_block_beside_an_intact_header_costs_a_read_an_interval_and_nothing_else)
{
    memset(rig.disks[DISK].rows[ROW_HEARTBEAT] + (size_t)3 * RIG_BLOCK_BYTES, 0, RIG_BLOCK_BYTES);
    uint32_t headers = rig.nodes[0].submitted[DISK][ROW_CLAIM][IO_HEADER];
    rig_run(&rig, 10 * rig.header.timings.renew_ns);
    headers = rig.nodes[0].submitted[DISK][ROW_CLAIM][IO_HEADER] - headers;
    cr_expect(headers >= 9 && headers <= 11, "%u reads of the header", headers);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
}

/* ---- Slow ---------------------------------------------------------------------------------------------------------------- */

Test(health, a_disk_is_slow_above_half_of_the_deadline_and_good_again_well_below)
{
    for (int i = 0; i < BEATS; i++) {
        beat_slowly(d_ns * 2 / 3);
    }
    expect_disk(DISK_SLOW, DISK_CAUSE_NONE);
    cr_expect_eq(told(), 1U);
    cr_expect_eq(rig_notice(&rig, 0, NOTICE_DISK)->notice.disk, (uint32_t)DISK);
    cr_expect_gt(node_disk(node, DISK).latency_ns, d_ns / 2);
    for (int i = 0; i < BEATS; i++) {
        beat_slowly(d_ns / 3);
    }
    cr_expect_eq(node_disk(node, DISK).state, DISK_SLOW, "between the two marks nothing changes");
    rig_run(&rig, BEATS * NS_PER_S);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
    cr_expect_eq(told(), 2U);
}

Test(health, one_slow_answer_is_no_slow_disk)
{
    rig_run(&rig, NS_PER_S);
    beat_slowly(d_ns / 10);
    beat_slowly(d_ns * 9 / 10);
    beat_slowly(d_ns / 10);
    rig_run(&rig, BEATS * NS_PER_S);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
    cr_expect_eq(told(), 0U);
}

Test(health, a_process_that_was_stopped_finds_no_disk_slow)
{
    beat_slowly(d_ns / 10);
    rig.disks[DISK].mode = RIG_HOLDS;
    rig_run(&rig, NS_PER_S);
    rig_complete(&rig, 0, rig_find(&rig, 0, DISK, ROW_HEARTBEAT, IO_READ));
    rig_pass(&rig, 0, 8 * NS_PER_S, 8 * NS_PER_S);
    rig_complete(&rig, 0, rig_find(&rig, 0, DISK, ROW_HEARTBEAT, IO_WRITE));
    rig_tick(&rig, 0);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
}

Test(health, D2_a_disk_that_is_slow_and_not_silent_is_given_twice_its_time)
{
    for (int i = 0; i < BEATS; i++) {
        beat_slowly(d_ns * 2 / 3);
    }
    uint32_t before = told();
    beat_slowly(d_ns * 5 / 4);
    cr_expect_eq(node_disk(node, DISK).state, DISK_SLOW);
    cr_expect_eq(told(), before);
}

/* Lets time pass on disks that answer every request after exactly so long. */
static void run_late(int64_t ns, int64_t took_ns)
{
    static int64_t since_ns[RIG_REQUESTS_MAX];
    static uint64_t order[RIG_REQUESTS_MAX];
    int64_t step_ns = took_ns / 20;
    for (uint32_t disk = 0; disk < 3; disk++) {
        rig.disks[disk].mode = RIG_HOLDS;
    }
    for (int64_t end_ns = rig.nodes[0].fast_ns + ns; rig.nodes[0].fast_ns < end_ns; rig_run(&rig, step_ns)) {
        for (uint32_t i = 0; i < RIG_REQUESTS_MAX; i++) {
            struct rig_request *request = &rig.nodes[0].requests[i];
            if (request->is_used && order[i] != request->order) {
                order[i] = request->order;
                since_ns[i] = rig.nodes[0].fast_ns;
            } else if (request->is_used && rig.nodes[0].fast_ns - since_ns[i] >= took_ns) {
                rig_complete(&rig, 0, request);
            }
        }
    }
}

Test(health, D2_disks_that_all_need_more_than_the_deadline_cost_no_lease)
{
    rig_campaign(&rig, 0, 0, "db");
    cr_assert(rig_await(&rig, 0, NOTICE_LEADER, NS_PER_S));
    run_late(100 * NS_PER_S, d_ns * 3 / 2);
    cr_expect_not(node_is_over(node));
    cr_expect_neq(node_role_epoch(node, 0), 0U);
    uint32_t before = told();
    run_late(100 * NS_PER_S, d_ns * 5 / 4);
    cr_expect_eq(told(), before, "they are known to be slow by now, and are not failed any more");
    for (uint32_t disk = 0; disk < 3; disk++) {
        cr_expect_eq(node_disk(node, disk).state, DISK_SLOW);
    }
}

/* ---- D7 ------------------------------------------------------------------------------------------------------------------ */

static void expect_out(enum disk_cause cause)
{
    expect_disk(DISK_OUT, cause);
    uint32_t before = requests();
    rig_run(&rig, 20 * NS_PER_S);
    expect_disk(DISK_OUT, cause);
    cr_expect_eq(requests(), before, "a disk that is counted out gets nothing");
    cr_expect_eq(rig_heartbeat(&rig, 0, mine).counted_out, 1U << DISK);
    cr_expect_not(node_is_over(node));
}

Test(health, D7_a_disk_that_goes_back_to_an_earlier_image_is_counted_out)
{
    static struct rig_disk image;
    image = rig.disks[DISK];
    rig_run(&rig, 3 * NS_PER_S);
    rig.disks[DISK] = image;
    rig_run(&rig, NS_PER_S);
    expect_out(DISK_CAUSE_BACKWARDS);
}

/* Older by one write only: no read had shown the newer block yet, but it was acknowledged. */
Test(health, D7_a_disk_that_loses_the_last_acknowledged_heartbeat_is_counted_out)
{
    uint8_t last[RIG_BLOCK_BYTES];
    rig_run(&rig, 3 * NS_PER_S);
    memcpy(last, rig_block(&rig, DISK, ROW_HEARTBEAT, mine), sizeof last);
    rig_run(&rig, NS_PER_S);
    memcpy(rig_block(&rig, DISK, ROW_HEARTBEAT, mine), last, sizeof last);
    rig_run(&rig, NS_PER_S);
    expect_out(DISK_CAUSE_BACKWARDS);
}

Test(health, D7_a_disk_that_was_away_and_comes_back_as_an_earlier_image_is_counted_out)
{
    static struct rig_disk image;
    image = rig.disks[DISK];
    rig_run(&rig, 3 * NS_PER_S);
    rig.disks[DISK].mode = RIG_FAILS;
    rig_run(&rig, 3 * NS_PER_S);
    rig.disks[DISK] = image;
    rig_run(&rig, 3 * NS_PER_S);
    expect_out(DISK_CAUSE_BACKWARDS);
}

Test(health, D7_a_counter_of_another_that_falls_on_one_disk_counts_it_out)
{
    struct heartbeat_block block = rig_stranger(77, 9);
    rig_put_heartbeat(&rig, DISK, other, &block);
    block.counter = 5; /* on other disks it may be older */
    rig_put_heartbeat(&rig, 0, other, &block);
    rig_run(&rig, 2 * NS_PER_S);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
    block.counter = 8;
    rig_put_heartbeat(&rig, DISK, other, &block);
    rig_run(&rig, NS_PER_S);
    expect_out(DISK_CAUSE_BACKWARDS);
}

Test(health, D7_a_heartbeat_that_becomes_empty_again_counts_the_disk_out)
{
    struct heartbeat_block block = rig_stranger(77, 9);
    rig_put_heartbeat(&rig, DISK, other, &block);
    rig_run(&rig, 2 * NS_PER_S);
    struct block_place place = rig_place(&rig, DISK, ROW_HEARTBEAT, other);
    block_encode_empty(rig_block(&rig, DISK, ROW_HEARTBEAT, other), RIG_BLOCK_BYTES, &place);
    rig_run(&rig, NS_PER_S);
    expect_out(DISK_CAUSE_BACKWARDS);
}

Test(health, D7_damage_and_another_incarnation_are_no_step_backwards)
{
    struct heartbeat_block block = rig_stranger(77, 9);
    rig_put_heartbeat(&rig, DISK, other, &block);
    rig_run(&rig, 2 * NS_PER_S);
    rig_damage(&rig, DISK, ROW_HEARTBEAT, other);
    rig_run(&rig, 2 * NS_PER_S);
    block = rig_stranger(76, 1);
    rig_put_heartbeat(&rig, DISK, other, &block);
    rig_run(&rig, 2 * NS_PER_S);
    block = rig_stranger(77, 9);
    rig_put_heartbeat(&rig, DISK, other, &block);
    rig_run(&rig, 2 * NS_PER_S);
    expect_disk(DISK_GOOD, DISK_CAUSE_NONE);
}

Test(health, D7_what_another_node_counted_out_is_counted_out_and_told_on)
{
    struct heartbeat_block block = rig_stranger(77, 9);
    block.counted_out = 1U << DISK | 1U << 8; /* the set has no disk 8 */
    rig_put_heartbeat(&rig, 2, other, &block);
    rig_run(&rig, NS_PER_S);
    expect_out(DISK_CAUSE_TOLD);
}

Test(health, D7_what_a_disk_that_is_counted_out_says_counts_nothing)
{
    struct heartbeat_block block = rig_stranger(77, 9);
    block.counted_out = 1U << DISK;
    rig_put_heartbeat(&rig, 0, other, &block);
    rig_run(&rig, NS_PER_S);
    block.counter = 10;
    block.counted_out = 1U << 0;
    rig_put_heartbeat(&rig, DISK, other, &block);
    expect_out(DISK_CAUSE_TOLD);
}

Test(health, D7_a_newcomer_counts_out_what_a_dead_node_counted_out)
{
    struct heartbeat_block block = rig_stranger(77, 9);
    block.counted_out = 1U << DISK;
    rig_put_heartbeat(&rig, 0, other, &block);
    rig_put_heartbeat(&rig, 2, other, &block);
    rig_kill(&rig, 0);
    struct node *newcomer = rig_join(&rig, 1);
    cr_expect_eq(node_disk(newcomer, DISK).state, DISK_OUT);
    cr_expect_eq(node_disk(newcomer, DISK).cause, DISK_CAUSE_TOLD);
    cr_expect_eq(rig.nodes[1].submitted[DISK][ROW_CLAIM][IO_WRITE], 0U);
    cr_expect_eq(rig_heartbeat(&rig, 0, newcomer->self.slot).counted_out, 1U << DISK);
}

Test(health, D7_a_mask_that_takes_the_majority_is_obeyed_and_joining_says_so)
{
    struct heartbeat_block block = rig_stranger(77, 9);
    block.counted_out = 1U << DISK | 1U << 2;
    rig_put_heartbeat(&rig, 0, other, &block);
    rig_kill(&rig, 0);
    rig_start(&rig, 1);
    rig_run(&rig, 10 * NS_PER_S);
    cr_expect_eq(rig_notice_count(&rig, 1, NOTICE_JOINED), 0U);
    cr_expect_eq(rig_notice(&rig, 1, NOTICE_JOIN_WAITS)->notice.wait, WAIT_NO_MAJORITY);
    cr_expect_eq(rig_notice_count(&rig, 1, NOTICE_DISK), 2U);
}

Test(health, D7_a_node_that_learns_that_the_majority_is_out_holds_nothing_after_its_lease)
{
    rig_campaign(&rig, 0, 0, "db");
    cr_assert(rig_await(&rig, 0, NOTICE_LEADER, NS_PER_S));
    struct heartbeat_block block = rig_stranger(77, 9);
    block.counted_out = 1U << DISK | 1U << 2;
    rig_put_heartbeat(&rig, 0, other, &block);
    rig_run(&rig, 15 * NS_PER_S);
    cr_expect(node_is_over(node));
    cr_expect_eq(rig_notice(&rig, 0, NOTICE_OVER)->notice.reason, OVER_LEASE);
}
