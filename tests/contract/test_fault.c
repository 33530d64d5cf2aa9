/* The port's contract when disks fail: one completion for each request, with the error where it belongs. */
#include "rig.h"

#include <criterion/criterion.h>
#include <errno.h>

static void expect_failed_write(struct rig *rig, uint32_t disk)
{
    struct disk_completion done;
    rig_do(rig->engine, DISK_EXCHANGE, disk, ROW_HEARTBEAT, 0, rig_block(rig, disk, 0, 9), &done);
    cr_assert_lt(done.write_error, 0);
    cr_assert_eq(done.read_error, -ECANCELED, "the read must wait for the write, not only follow it");
    cr_assert_null(done.bytes);
    disk_engine_release(rig->engine, done.request);
    rig_do(rig->engine, DISK_WRITE, disk, ROW_HEARTBEAT, 0, rig_block(rig, disk, 0, 9), &done);
    cr_assert_lt(done.write_error, 0);
    cr_assert_eq(done.read_error, 0, "nothing was to be read");
    disk_engine_release(rig->engine, done.request);
    cr_assert_eq(disk_engine_in_flight(rig->engine), 0);
    cr_assert_not(disk_engine_reap(rig->engine, &done), "one completion for each request");
}

static void failing_writes(struct rig *rig)
{
    rig_set_failing(rig, 1, true);
    expect_failed_write(rig, 1);
    rig_set_failing(rig, 1, false);
    struct disk_completion done;
    rig_do(rig->engine, DISK_EXCHANGE, 1, ROW_HEARTBEAT, 0, rig_block(rig, 1, 0, 10), &done);
    cr_assert_eq(done.write_error, 0);
    cr_assert_eq(rig_counter(rig, 1, done.bytes, 0), 10, "the disk counts again as soon as it works");
    disk_engine_release(rig->engine, done.request);
}

Test(contract, D3_a_failed_write_cancels_its_read)
{
    rig_each_failing(failing_writes);
}

/* One bad disk in a submission must not take the others' requests with it. */
static void one_failure_among_others(struct rig *rig)
{
    rig_set_failing(rig, 1, true);
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        rig_queue(rig->engine, DISK_EXCHANGE, disk, ROW_HEARTBEAT, 0, rig_block(rig, disk, 0, 1));
    }
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    for (int i = 0; i < RIG_DISKS; i++) {
        struct disk_completion done;
        rig_wait_one(rig->engine, &done);
        cr_assert_eq(done.write_error == 0, done.disk != 1, "disk %u: %d", done.disk, done.write_error);
        disk_engine_release(rig->engine, done.request);
    }
}

Test(contract, a_failed_disk_leaves_the_others_alone)
{
    rig_each_failing(one_failure_among_others);
}

static void absent_disk(struct rig *rig)
{
    struct rig_host host;
    rig_open_host(rig, 1, &host);
    struct disk_request request = {.operation = DISK_READ, .disk = 1, .row = ROW_CLAIM};
    cr_assert_eq(disk_engine_queue(host.engine, &request), -ENODEV);
    cr_assert_eq(disk_engine_in_flight(host.engine), 0);
    struct disk_completion done;
    rig_do(host.engine, DISK_READ, 2, ROW_CLAIM, 0, NULL, &done);
    cr_assert_eq(done.read_error, 0);
    disk_engine_release(host.engine, done.request);
    rig_close_host(&host);
}

Test(contract, an_absent_disk_takes_no_request)
{
    rig_each(absent_disk);
}
