/* The port's contract: what ends a wait. */
#include "rig.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

static void ring(int wake_fd)
{
    uint64_t one = 1;
    cr_assert_eq(write(wake_fd, &one, sizeof one), (ssize_t)sizeof one);
}

static void hush(int wake_fd)
{
    uint64_t count;
    cr_assert_eq(read(wake_fd, &count, sizeof count), (ssize_t)sizeof count);
}

static void timeout_ends_wait(struct rig *rig)
{
    int64_t begin_ns = rig_now_ns(rig);
    cr_assert_eq(disk_engine_wait(rig->engine, 30 * NS_PER_MS), 0);
    cr_assert_geq(rig_now_ns(rig) - begin_ns, 30 * NS_PER_MS);
    struct disk_completion done;
    cr_assert_not(disk_engine_reap(rig->engine, &done));
    cr_assert_eq(disk_engine_wait(rig->engine, 0), 0, "no time at all is a look");
}

Test(contract, a_timeout_ends_a_wait)
{
    rig_each(timeout_ends_wait);
}

static void wake_ends_wait(struct rig *rig)
{
    ring(rig->wake_fd);
    cr_assert_eq(disk_engine_wait(rig->engine, -1), 0);
    cr_assert_eq(disk_engine_wait(rig->engine, -1), 0, "a descriptor that was not read ends the next wait as well");
    hush(rig->wake_fd);
    int64_t begin_ns = rig_now_ns(rig);
    cr_assert_eq(disk_engine_wait(rig->engine, 20 * NS_PER_MS), 0);
    cr_assert_eq(disk_engine_wait(rig->engine, 20 * NS_PER_MS), 0);
    cr_assert_geq(rig_now_ns(rig) - begin_ns, 20 * NS_PER_MS, "a descriptor that was read ends none");
    ring(rig->wake_fd);
    cr_assert_eq(disk_engine_wait(rig->engine, -1), 0, "and it can wake again");
    hush(rig->wake_fd);
}

Test(contract, a_readable_wake_fd_ends_a_wait)
{
    rig_each(wake_ends_wait);
}

static void *ring_soon(void *argument)
{
    const struct rig *rig = argument;
    usleep(20000);
    ring(rig->wake_fd);
    return NULL;
}

static void wake_ends_wait_under_way(struct rig *rig)
{
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, ring_soon, rig), 0);
        cr_assert_eq(disk_engine_wait(rig->engine, -1), 0);
        pthread_join(thread, NULL);
        hush(rig->wake_fd);
    }
}

Test(contract, a_wait_under_way_is_woken_from_another_thread)
{
    rig_each(wake_ends_wait_under_way);
}

static void completion_ends_wait(struct rig *rig)
{
    for (int i = 0; i < 50; i++) {
        rig_queue(rig->engine, DISK_EXCHANGE, 0, ROW_HEARTBEAT, 0, rig_block(rig, 0, 0, 1));
        cr_assert_eq(disk_engine_submit(rig->engine), 0);
        cr_assert_eq(disk_engine_wait(rig->engine, -1), 0);
        struct disk_completion done;
        cr_assert(disk_engine_reap(rig->engine, &done), "nothing else could have ended this wait");
        disk_engine_release(rig->engine, done.request);
    }
}

Test(contract, a_completion_ends_a_wait)
{
    rig_each(completion_ends_wait);
}

static void unreaped_completion_ends_wait(struct rig *rig)
{
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        rig_queue(rig->engine, DISK_READ, disk, ROW_CLAIM, 0, NULL);
    }
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    usleep(50000);
    struct disk_completion done[RIG_DISKS];
    for (int i = 0; i < RIG_DISKS; i++) {
        cr_assert_eq(disk_engine_wait(rig->engine, -1), 0);
        rig_wait_one(rig->engine, &done[i]);
    }
    for (int i = 0; i < RIG_DISKS; i++) {
        disk_engine_release(rig->engine, done[i].request);
    }
}

Test(contract, a_completion_not_yet_reaped_ends_the_next_wait)
{
    rig_each(unreaped_completion_ends_wait);
}
