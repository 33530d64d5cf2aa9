/*
 * The io_uring engine: requests into submissions, completions into answers.
 *
 * An exchange is a durable write and a row read, linked: the kernel starts the read only after the write has succeeded
 * (rule D3), and cancels it otherwise. Everything queued, for all disks, goes out in one submission.
 *
 * Knows offsets and bytes; never what a block means.
 */
#include "disk/uring.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

/* What the poll of wake_fd carries, where a transfer carries its token. */
#define TOKEN_WAKE UINT64_MAX

static struct uring *uring_of(struct request_table *table)
{
    return (struct uring *)table;
}

/* ---- Submitting ---------------------------------------------------------------------------------------------------- */

/* The ring has REPAIR_WINDOW places for each request and one for the poll, so it is never full, even when the kernel
 * has taken nothing yet. */
static struct io_uring_sqe *next_sqe(struct uring *uring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
    assert(sqe != NULL);
    return sqe;
}

/* The number under which the request's buffers are registered. */
static int buffer_index(const struct uring *uring, const struct table_request *request)
{
    return (int)(request - uring->table.requests);
}

static void prepare_write(struct uring *uring, struct table_request *request, bool is_linked)
{
    struct io_uring_sqe *sqe = next_sqe(uring);
    io_uring_prep_write_fixed(sqe, (int)request->disk, request->block, uring->table.layout.block_bytes,
                              request->write_offset, buffer_index(uring, request));
    sqe->rw_flags = RWF_DSYNC;
    sqe->flags |= IOSQE_FIXED_FILE | (is_linked ? IOSQE_IO_LINK : 0);
    io_uring_sqe_set_data64(sqe, request_token(&uring->table, request, STAGE_WRITE, 0));
    request->pending++;
}

static void prepare_read(struct request_table *table, struct table_request *request, uint8_t *to, uint32_t bytes,
                         uint64_t offset, uint64_t token)
{
    struct uring *uring = uring_of(table);
    struct io_uring_sqe *sqe = next_sqe(uring);
    io_uring_prep_read_fixed(sqe, (int)request->disk, to, bytes, offset, buffer_index(uring, request));
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, token);
    request->pending++;
}

static void prepare_request(struct uring *uring, struct table_request *request)
{
    if (request_is_writing(request)) {
        prepare_write(uring, request, request->read_bytes > 0);
    }
    if (request->read_bytes > 0) {
        prepare_read(&uring->table, request, request->row, request->read_bytes, request->read_offset,
                     request_token(&uring->table, request, STAGE_READ, 0));
    }
}

/* The kernel takes everything in one call unless memory is short; then the rest goes with the next submission or wait. */
static int flush(struct uring *uring)
{
    while (io_uring_sq_ready(&uring->ring) > 0) {
        int taken = io_uring_submit(&uring->ring);
        if (taken < 0) {
            return taken;
        }
        if (taken == 0) {
            return -EAGAIN;
        }
    }
    return 0;
}

static int uring_submit(struct disk_engine *engine)
{
    struct uring *uring = (struct uring *)engine;
    struct table_request *request = request_table_next(&uring->table);
    if (request == NULL) {
        return 0;
    }
    for (; request != NULL; request = request_table_next(&uring->table)) {
        prepare_request(uring, request);
    }
    engine->submissions++;
    return flush(uring);
}

/* ---- Completions --------------------------------------------------------------------------------------------------- */

static void take_completion(struct uring *uring, uint64_t token, int result)
{
    if (token == TOKEN_WAKE) {
        uring->is_wake_armed = false;
        uring->is_awake = true;
        return;
    }
    request_table_take(&uring->table, token, result);
}

/* After the end: what the kernel has never got, it need not give back. It looks into the ring only when it is told to. */
static void give_up_unsent(struct uring *uring)
{
    struct io_uring_sq *queue = &uring->ring.sq;
    for (unsigned at = uring->is_given_up ? queue->sqe_tail : *queue->khead; at != queue->sqe_tail; at++) {
        uint64_t token = queue->sqes[at & queue->ring_mask].user_data;
        take_completion(uring, token, -ECANCELED);
    }
    uring->is_given_up = true;
}

static void uring_drain(struct request_table *table)
{
    struct uring *uring = uring_of(table);
    struct io_uring_cqe *cqe;
    while (io_uring_peek_cqe(&uring->ring, &cqe) == 0) {
        uint64_t token = io_uring_cqe_get_data64(cqe);
        int result = cqe->res;
        io_uring_cqe_seen(&uring->ring, cqe);
        take_completion(uring, token, result);
    }
    if (table->is_over) {
        give_up_unsent(uring);
        return;
    }
    /* Repairs go out at once. Should the kernel refuse them now, the next submission or wait takes them along. */
    (void)flush(uring);
}

/* ---- Waiting ------------------------------------------------------------------------------------------------------- */

/* One poll at a time stands in the ring. It is level-triggered when armed, so a descriptor that was never read ends the
 * next wait as well. */
static void arm_wake(struct uring *uring)
{
    if (uring->wake_fd < 0 || uring->is_wake_armed) {
        return;
    }
    struct io_uring_sqe *sqe = next_sqe(uring);
    io_uring_prep_poll_add(sqe, uring->wake_fd, POLLIN);
    io_uring_sqe_set_data64(sqe, TOKEN_WAKE);
    uring->is_wake_armed = true;
}

/* Sends what is pending and sleeps for one completion, in one system call. */
static int sleep_once(struct uring *uring, int64_t deadline_ns)
{
    struct io_uring_cqe *cqe = NULL;
    int result;
    if (deadline_ns < 0) {
        result = io_uring_submit_and_wait(&uring->ring, 1);
    } else {
        int64_t left_ns = deadline_ns - request_now_ns();
        left_ns = left_ns < 0 ? 0 : left_ns;
        struct __kernel_timespec left = {.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
        result = io_uring_submit_and_wait_timeout(&uring->ring, &cqe, 1, &left, NULL);
    }
    return result < 0 && result != -ETIME && result != -EINTR ? result : 0;
}

static int uring_wait(struct disk_engine *engine, int64_t timeout_ns)
{
    struct uring *uring = (struct uring *)engine;
    int64_t deadline_ns = timeout_ns < 0 ? -1 : request_now_ns() + timeout_ns;
    uring_drain(&uring->table);
    /* A wake-up that came before this wait has been seen by whoever waits; if it still stands, the poll tells again. */
    uring->is_awake = false;
    while (uring->table.done.count == 0 && !uring->is_awake) {
        arm_wake(uring);
        int error = sleep_once(uring, deadline_ns);
        if (error != 0) {
            return error;
        }
        uring_drain(&uring->table);
        if (deadline_ns >= 0 && request_now_ns() >= deadline_ns) {
            break;
        }
    }
    return 0;
}

const struct request_carrier uring_carrier = {.read = prepare_read, .drain = uring_drain, .free = uring_free};

const struct disk_engine_operations uring_operations = {
    .kind = DISK_ENGINE_IO_URING,
    .name = "io_uring",
    .close = request_table_close,
    .queue = request_table_queue,
    .submit = uring_submit,
    .wait = uring_wait,
    .reap = request_table_reap,
    .release = request_table_release,
};
