/*
 * A kernel that takes one request a call, as a real one does when memory runs short in the middle of a submission: what the
 * engine links is cut every time. Stands in for the calls of liburing that submit; like theirs, a call that has not taken
 * everything does not wait.
 */
#include "rig.h"

#include "disk/request_table.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <liburing.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int __wrap_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait_count);
int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **ret, unsigned wait_count,
                                            struct __kernel_timespec *timeout, sigset_t *mask);

static uint32_t cut_count;

/* Calls of io_uring_submit() that take something; those that follow are refused. */
static uint32_t submits_left = UINT32_MAX;

static bool is_linked(const struct io_uring *ring, unsigned at)
{
    return (ring->sq.sqes[at & ring->sq.ring_mask].flags & IOSQE_IO_LINK) != 0;
}

static int enter(struct io_uring *ring, unsigned wait_count, struct __kernel_timespec *timeout)
{
    struct io_uring_sq *queue = &ring->sq;
    struct io_uring_getevents_arg argument = {.sigmask_sz = _NSIG / 8, .ts = (uintptr_t)timeout};
    unsigned head = *queue->khead;
    unsigned ready = queue->sqe_tail - head;
    unsigned flags = IORING_ENTER_EXT_ARG;
    if (wait_count > 0 && ready <= 1) {
        flags |= IORING_ENTER_GETEVENTS;
    }
    queue->sqe_head = queue->sqe_tail;
    __atomic_store_n(queue->ktail, queue->sqe_tail, __ATOMIC_RELEASE);
    long taken = syscall(__NR_io_uring_enter, ring->ring_fd, ready > 0, wait_count, flags, &argument, sizeof argument);
    if (taken < 0) {
        return -errno;
    }
    if (taken == 1 && ready > 1 && is_linked(ring, head)) {
        cut_count++;
    }
    return (int)taken;
}

int __wrap_io_uring_submit(struct io_uring *ring)
{
    if (submits_left == 0) {
        return -EAGAIN;
    }
    submits_left -= submits_left == UINT32_MAX ? 0 : 1;
    return enter(ring, 0, NULL);
}

int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait_count)
{
    return enter(ring, wait_count, NULL);
}

int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **ret, unsigned wait_count,
                                            struct __kernel_timespec *timeout, sigset_t *mask)
{
    (void)ret;
    (void)mask;
    return enter(ring, wait_count, timeout);
}

static void queue_exchanges(struct rig *rig, uint64_t counter)
{
    cut_count = 0;
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        rig_queue(rig->engine, DISK_EXCHANGE, disk, ROW_HEARTBEAT, 2, rig_block(rig, disk, 2, counter));
    }
}

static void expect_exchanged(const struct rig *rig, const struct disk_completion *done, int64_t counter)
{
    cr_assert_eq(done->write_error, 0);
    cr_assert_eq(done->read_error, 0);
    cr_assert_eq(rig_counter(rig, done->disk, done->bytes, 2), counter, "%s", rig->kind->name);
    disk_engine_release(rig->engine, done->request);
}

/* So often that the places of the ring are used again. */
static void cut_by_submissions(struct rig *rig)
{
    enum { ROUNDS = 50 };
    for (int64_t round = 1; round <= ROUNDS; round++) {
        queue_exchanges(rig, (uint64_t)round);
        cr_assert_eq(disk_engine_submit(rig->engine), 0);
        cr_assert_eq(cut_count, RIG_DISKS);
        for (uint32_t i = 0; i < RIG_DISKS; i++) {
            struct disk_completion done;
            rig_wait_one(rig->engine, &done);
            expect_exchanged(rig, &done, round);
        }
    }
}

Test(contract_piecemeal, D3_a_read_waits_for_its_write_when_every_submission_cuts_their_link)
{
    rig_each(cut_by_submissions);
}

/* What a submission could not hand over goes with the next wait; and as long as the kernel takes nothing, the wait sends nothing
 * either, as it would go on behind a cut link by itself. */
static void cut_by_waits(struct rig *rig)
{
    enum { ROUNDS = 20 };
    for (int64_t round = 1; round <= ROUNDS; round++) {
        int64_t timeout_ns = round % 2 == 0 ? -1 : NS_PER_S;
        submits_left = 0;
        queue_exchanges(rig, (uint64_t)round);
        cr_assert_eq(disk_engine_submit(rig->engine), -EAGAIN);
        cr_assert_eq(disk_engine_wait(rig->engine, timeout_ns), -EAGAIN);
        cr_assert_eq(cut_count, 0);
        submits_left = UINT32_MAX;
        for (uint32_t count = 0; count < RIG_DISKS;) {
            cr_assert_eq(disk_engine_wait(rig->engine, timeout_ns), 0);
            for (struct disk_completion done; disk_engine_reap(rig->engine, &done); count++) {
                expect_exchanged(rig, &done, round);
            }
        }
        cr_assert_eq(cut_count, RIG_DISKS);
    }
}

Test(contract_piecemeal, D3_a_read_waits_for_its_write_when_a_wait_sends_what_was_refused)
{
    rig_each(cut_by_waits);
}

static uint32_t count_descriptors(void)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    cr_assert(folder != NULL);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* The kernel has the first write and nothing else: what it never got is not waited for, and the ring is given back. */
static void left_behind_a_cut(struct rig *rig)
{
    uint32_t before = count_descriptors();
    queue_exchanges(rig, 1);
    submits_left = 1;
    cr_assert_eq(disk_engine_submit(rig->engine), -EAGAIN);
    cr_assert_eq(cut_count, 1);
    disk_engine_close(rig->engine);
    submits_left = UINT32_MAX;
    while (count_descriptors() != before - 1) {
        usleep(1000);
        request_table_reap_parked();
    }
    rig_open_engine(&rig->set, rig->wake_fd, &rig->engine);
}

Test(contract_piecemeal, D2_an_engine_ends_behind_a_link_that_was_cut)
{
    rig_each(left_behind_a_cut);
}
