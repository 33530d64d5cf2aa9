/* The port's contract when disks fail: one completion for each request, with the error where it belongs; no hangs. */
#include "hanging.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t heartbeat_offset(const struct rig *rig, uint32_t slot)
{
    return layout_offset(&rig->header.layout, ROW_HEARTBEAT, slot);
}

/* ---- Writes that fail ------------------------------------------------------------------------------------------------ */

static void expect_failed_write(struct rig *rig, struct disk_engine *engine, uint32_t disk)
{
    struct disk_completion done;
    rig_do(engine, DISK_EXCHANGE, disk, ROW_HEARTBEAT, 0, rig_block(rig, disk, 0, 9), &done);
    cr_assert_lt(done.write_error, 0);
    cr_assert_eq(done.read_error, -ECANCELED, "the read must wait for the write, not only follow it");
    cr_assert_null(done.bytes);
    disk_engine_release(engine, done.request);
    rig_do(engine, DISK_WRITE, disk, ROW_HEARTBEAT, 0, rig_block(rig, disk, 0, 9), &done);
    cr_assert_lt(done.write_error, 0);
    cr_assert_eq(done.read_error, 0, "nothing was to be read");
    disk_engine_release(engine, done.request);
    cr_assert_eq(disk_engine_in_flight(engine), 0);
    cr_assert_not(disk_engine_reap(engine, &done), "one completion for each request");
}

static void write_through_read_only_descriptor(struct rig *rig)
{
    struct disk_set *set = calloc(1, sizeof *set);
    struct disk_engine *engine;
    rig_open_set(rig, false, set);
    rig_open_engine(set, -1, &engine);
    uint64_t before = scratch_checksum(rig->files[0]);
    expect_failed_write(rig, engine, 0);
    cr_assert_eq(scratch_checksum(rig->files[0]), before);
    struct disk_completion done;
    rig_do(engine, DISK_READ, 0, ROW_HEARTBEAT, 0, NULL, &done);
    cr_assert_eq(done.read_error, 0);
    disk_engine_release(engine, done.request);
    disk_engine_close(engine);
    disk_set_close(set);
    free(set);
}

Test(contract, D3_a_failed_write_cancels_its_read)
{
    rig_each(write_through_read_only_descriptor);
}

static void write_to_device_turned_read_only(struct rig *rig)
{
    scratch_loop_set_read_only(&rig->loops[1], true);
    expect_failed_write(rig, rig->engine, 1);
    scratch_loop_set_read_only(&rig->loops[1], false);
    struct disk_completion done;
    rig_do(rig->engine, DISK_EXCHANGE, 1, ROW_HEARTBEAT, 0, rig_block(rig, 1, 0, 10), &done);
    cr_assert_eq(done.write_error, 0);
    cr_assert_eq(rig_counter(rig, 1, done.bytes, 0), 10, "the disk counts again as soon as it works");
    disk_engine_release(rig->engine, done.request);
}

Test(contract, D3_a_device_turned_read_only_fails_writes_and_returns)
{
    rig_each_loop(write_to_device_turned_read_only);
}

/* One bad disk in a submission must not take the others' requests with it. */
static void one_failure_among_others(struct rig *rig)
{
    cr_assert_eq(truncate(rig->files[1], 0), 0);
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        rig_queue(rig->engine, DISK_READ, disk, ROW_HEARTBEAT, 0, NULL);
    }
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    for (int i = 0; i < RIG_DISKS; i++) {
        struct disk_completion done;
        rig_wait_one(rig->engine, &done);
        cr_assert_eq(done.read_error == 0, done.disk != 1, "disk %u: %d", done.disk, done.read_error);
        disk_engine_release(rig->engine, done.request);
    }
}

Test(contract, a_failed_disk_leaves_the_others_alone)
{
    rig_each(one_failure_among_others);
}

/* ---- Reads that fail ------------------------------------------------------------------------------------------------- */

static void truncated_disk(struct rig *rig)
{
    cr_assert_eq(truncate(rig->files[0], 0), 0);
    int expected = rig->kind->is_loop ? -EIO : -ENODATA;
    struct disk_completion done;
    rig_do(rig->engine, DISK_READ, 0, ROW_HEARTBEAT, 0, NULL, &done);
    cr_assert_eq(done.read_error, expected, "%s: %d", rig->kind->name, done.read_error);
    cr_assert_null(done.bytes);
    disk_engine_release(rig->engine, done.request);
    rig_do(rig->engine, DISK_HEADER, 0, 0, 0, NULL, &done);
    cr_assert_eq(done.read_error, expected, "%s: %d", rig->kind->name, done.read_error);
    disk_engine_release(rig->engine, done.request);
}

Test(contract, a_truncated_disk_fails_its_reads)
{
    rig_each(truncated_disk);
}

/* A loop device reads as far as its file reaches and fails beyond: a row with good and bad blocks. */
static void half_readable_row(struct rig *rig)
{
    enum { GOOD = 5 };
    struct disk_completion done;
    for (uint32_t slot = 0; slot < SCRATCH_SLOTS; slot++) {
        rig_do(rig->engine, DISK_EXCHANGE, 0, ROW_HEARTBEAT, slot, rig_block(rig, 0, slot, slot + 1), &done);
        disk_engine_release(rig->engine, done.request);
    }
    /* The buffer now holds a whole row, of which nothing may be left where reading fails. */
    cr_assert_eq(truncate(rig->files[0], (off_t)heartbeat_offset(rig, GOOD)), 0);
    for (int i = 0; i < 2; i++) {
        rig_do(rig->engine, i == 0 ? DISK_READ : DISK_EXCHANGE, 0, ROW_HEARTBEAT, 2, rig_block(rig, 0, 2, 3), &done);
        cr_assert_eq(done.write_error, 0);
        cr_assert_eq(done.read_error, 0);
        for (uint32_t slot = 0; slot < SCRATCH_SLOTS; slot++) {
            cr_assert_eq(rig_counter(rig, 0, done.bytes, slot), slot < GOOD ? (int64_t)slot + 1 : -1);
        }
        disk_engine_release(rig->engine, done.request);
    }
    cr_assert_eq(disk_engine_in_flight(rig->engine), 0);
}

Test(contract, D9_only_the_blocks_that_fail_are_damaged)
{
    rig_each_loop(half_readable_row);
}

/* All buffers repair at once: the ring has room for that. */
static void many_half_readable_rows(struct rig *rig)
{
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        cr_assert_eq(truncate(rig->files[disk], (off_t)heartbeat_offset(rig, 1)), 0);
        for (int i = 0; i < RIG_DEPTH; i++) {
            rig_queue(rig->engine, DISK_READ, disk, ROW_HEARTBEAT, 0, NULL);
        }
    }
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    for (int i = 0; i < RIG_DISKS * RIG_DEPTH; i++) {
        struct disk_completion done;
        rig_wait_one(rig->engine, &done);
        cr_assert_eq(done.read_error, 0);
        cr_assert_eq(rig_counter(rig, done.disk, done.bytes, 0), 0);
        cr_assert_eq(rig_counter(rig, done.disk, done.bytes, 1), -1);
        disk_engine_release(rig->engine, done.request);
    }
}

Test(contract, D9_every_buffer_can_be_repaired_at_once)
{
    rig_each_loop(many_half_readable_rows);
}

static void absent_disk(struct rig *rig)
{
    struct disk_set *set = calloc(1, sizeof *set);
    const char *paths[] = {rig->files[0], rig->files[2]};
    if (rig->kind->is_loop) {
        paths[0] = rig->loops[0].path;
        paths[1] = rig->loops[2].path;
    }
    struct disk_set_options options = {.paths = paths, .path_count = 2, .is_writable = true};
    cr_assert_eq(disk_set_open(&options, set), 0, "%s", set->message);
    struct disk_engine *engine;
    rig_open_engine(set, -1, &engine);
    struct disk_request request = {.operation = DISK_READ, .disk = 1, .row = ROW_CLAIM};
    cr_assert_eq(disk_engine_queue(engine, &request), -ENODEV);
    cr_assert_eq(disk_engine_in_flight(engine), 0);
    struct disk_completion done;
    rig_do(engine, DISK_READ, 2, ROW_CLAIM, 0, NULL, &done);
    cr_assert_eq(done.read_error, 0);
    disk_engine_release(engine, done.request);
    disk_engine_close(engine);
    disk_set_close(set);
    free(set);
}

Test(contract, an_absent_disk_takes_no_request)
{
    rig_each(absent_disk);
}

/* ---- A disk that hangs ------------------------------------------------------------------------------------------------ */

/* Reads are not held up here, so a read that did not wait for its write would show the row as it was before. */
Test(contract, D3_a_read_waits_for_a_write_that_hangs)
{
    struct hanging_rig *hanging = hanging_new();
    struct rig *rig = &hanging->rig;
    pid_t rescuer = hanging_freeze(hanging);
    rig_queue(rig->engine, DISK_EXCHANGE, 2, ROW_HEARTBEAT, 1, rig_block(rig, 2, 1, 5));
    int submitted = disk_engine_submit(rig->engine);
    disk_engine_wait(rig->engine, 50 * NS_PER_MS);
    struct disk_completion done;
    bool is_hung = !disk_engine_reap(rig->engine, &done);
    hanging_thaw(hanging, rescuer);
    cr_assert_eq(submitted, 0);
    cr_assert(is_hung);
    rig_wait_one(rig->engine, &done);
    cr_assert_eq(done.write_error, 0);
    cr_assert_eq(done.read_error, 0);
    cr_assert_eq(rig_counter(rig, 2, done.bytes, 1), 5);
    disk_engine_release(rig->engine, done.request);
    hanging_free(hanging);
}

/* What the process did while one disk hung; judged only after the thaw. */
struct hung_record {
    int submitted;
    bool is_hung;
    uint32_t left;
    uint32_t later_present;
    char later_reason[256];
    int later_write_error;
    int64_t later_counter;
};

/* All disks are asked, two answer; the engine is closed, set and engine are opened again in the same process and used. */
static struct hung_record leave_and_go_on(struct hanging_rig *hanging)
{
    struct rig *rig = &hanging->rig;
    struct hung_record record;
    struct disk_completion done;
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        rig_queue(rig->engine, DISK_EXCHANGE, disk, ROW_HEARTBEAT, 1, rig_block(rig, disk, 1, 5));
    }
    record.submitted = disk_engine_submit(rig->engine);
    for (int i = 0; i < RIG_DISKS - 1 && record.submitted == 0; i++) {
        rig_wait_one(rig->engine, &done);
        disk_engine_release(rig->engine, done.request);
    }
    disk_engine_wait(rig->engine, 50 * NS_PER_MS);
    record.is_hung = !disk_engine_reap(rig->engine, &done);
    record.left = disk_engine_in_flight(rig->engine);
    hanging_close(hanging);
    hanging_open(hanging);
    record.later_present = rig->set.present_count;
    snprintf(record.later_reason, sizeof record.later_reason, "%s", rig->set.unplaced_reason[0]);
    rig_do(rig->engine, DISK_EXCHANGE, 0, ROW_HEARTBEAT, 2, rig_block(rig, 0, 2, 6), &done);
    record.later_write_error = done.write_error;
    record.later_counter = done.bytes == NULL ? -1 : rig_counter(rig, 0, done.bytes, 2);
    disk_engine_release(rig->engine, done.request);
    return record;
}

Test(contract, D2_an_engine_can_be_left_while_the_kernel_holds_its_buffers)
{
    struct hanging_rig *hanging = hanging_new();
    struct rig *rig = &hanging->rig;
    pid_t rescuer = hanging_freeze(hanging);
    struct hung_record record = leave_and_go_on(hanging);
    hanging_thaw(hanging, rescuer);
    cr_assert_eq(record.submitted, 0);
    cr_assert(record.is_hung);
    cr_assert_eq(record.left, 1);
    cr_assert_eq(record.later_present, RIG_DISKS - 1, "a disk that hangs is absent");
    cr_assert_str_eq(record.later_reason, "it does not answer");
    cr_assert_eq(record.later_write_error, 0);
    cr_assert_eq(record.later_counter, 6);
    /* The write that hung lands after all, with the bytes it was given. */
    hanging_close(hanging);
    hanging_open(hanging);
    int64_t landed = 0;
    while (landed == 0) {
        struct disk_completion done;
        rig_do(rig->engine, DISK_READ, 2, ROW_HEARTBEAT, 0, NULL, &done);
        landed = rig_counter(rig, 2, done.bytes, 1);
        disk_engine_release(rig->engine, done.request);
    }
    cr_assert_eq(landed, 5);
    hanging_free(hanging);
}
