/*
 * The libaio engine: requests into control blocks, events into answers.
 *
 * libaio links nothing: an exchange is a durable write, and when that has been taken in as acknowledged, the row read (rule
 * D3). All that is queued, for all disks, goes out in one submission; so do the row reads that follow. The kernel tells of
 * its events by an eventfd, so that a wait can end by other descriptors as well.
 *
 * Submitting may block where a device's queue is full: the kernel offers nothing better.
 *
 * Knows offsets and bytes; never what a block means.
 */
#include "disk/aio.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH = 64 }; /* control blocks or events per call of the kernel, at most */

static struct aio *aio_of(struct request_table *table)
{
    return (struct aio *)table;
}

/* ---- Submitting ------------------------------------------------------------------------------------------------------- */

/* The circle has REPAIR_WINDOW places for each request, so it is never full. */
static struct iocb *next_iocb(struct aio *aio)
{
    assert(aio->iocb_count < aio->iocb_room);
    uint32_t index = (aio->iocb_head + aio->iocb_count) % aio->iocb_room;
    aio->iocb_count++;
    return &aio->iocbs[index];
}

static void finish_iocb(const struct aio *aio, struct iocb *iocb, uint64_t token)
{
    iocb->data = (void *)(uintptr_t)token;
    io_set_eventfd(iocb, aio->event_fd);
}

static void prepare_write(struct aio *aio, struct table_request *request)
{
    struct iocb *iocb = next_iocb(aio);
    io_prep_pwrite(iocb, aio->fds[request->disk], request->block, aio->table.layout.block_bytes,
                   (long long)request->write_offset);
    iocb->aio_rw_flags = RWF_DSYNC;
    finish_iocb(aio, iocb, request_token(&aio->table, request, STAGE_WRITE, 0));
    request->pending++;
}

static void prepare_read(struct request_table *table, struct table_request *request, uint8_t *to, uint32_t bytes,
                         uint64_t offset, uint64_t token)
{
    struct aio *aio = aio_of(table);
    struct iocb *iocb = next_iocb(aio);
    io_prep_pread(iocb, aio->fds[request->disk], to, bytes, (long long)offset);
    finish_iocb(aio, iocb, token);
    request->pending++;
}

static void prepare_row_read(struct aio *aio, struct table_request *request)
{
    prepare_read(&aio->table, request, request->row, request->read_bytes, request->read_offset,
                 request_token(&aio->table, request, STAGE_READ, 0));
}

/* An answer, from the kernel or in its stead: the read of an exchange follows its write. */
static void take_answer(struct aio *aio, uint64_t token, int result)
{
    struct request_table *table = &aio->table;
    struct table_request *request = request_of_token(table, token);
    bool is_written = request_token_stage(token) == STAGE_WRITE && result == (int)table->layout.block_bytes;
    if (is_written && request->read_bytes > 0 && !table->is_over) {
        prepare_row_read(aio, request);
    }
    request_table_take(table, token, result);
}

static int submit_batch(struct aio *aio)
{
    struct iocb *batch[BATCH];
    uint32_t count = aio->iocb_count < BATCH ? aio->iocb_count : BATCH;
    for (uint32_t i = 0; i < count; i++) {
        batch[i] = &aio->iocbs[(aio->iocb_head + i) % aio->iocb_room];
    }
    return io_submit(aio->context, (long)count, batch);
}

static void drop_first(struct aio *aio, uint32_t count)
{
    assert(count <= aio->iocb_count);
    aio->iocb_head = (aio->iocb_head + count) % aio->iocb_room;
    aio->iocb_count -= count;
}

/* It was not sent. */
static void fail_first(struct aio *aio, int error)
{
    uint64_t token = (uintptr_t)aio->iocbs[aio->iocb_head].data;
    drop_first(aio, 1);
    take_answer(aio, token, error);
}

/*
 * The kernel stops at the first control block that it refuses. For want of memory it is asked again with the next submission
 * or wait; any other refusal is that block's own: it was not sent, and has failed.
 */
static int flush(struct aio *aio)
{
    while (aio->iocb_count > 0) {
        int taken = submit_batch(aio);
        if (taken > 0) {
            drop_first(aio, (uint32_t)taken);
        } else if (taken == 0 || taken == -EAGAIN || taken == -ENOMEM) {
            return -EAGAIN;
        } else if (taken != -EINTR) {
            fail_first(aio, taken);
        }
    }
    return 0;
}

static int aio_submit(struct disk_engine *engine)
{
    struct aio *aio = (struct aio *)engine;
    struct table_request *request = request_table_next(&aio->table);
    if (request == NULL) {
        return 0;
    }
    for (; request != NULL; request = request_table_next(&aio->table)) {
        if (request_is_writing(request)) {
            prepare_write(aio, request);
        } else {
            prepare_row_read(aio, request);
        }
    }
    engine->submissions++;
    return flush(aio);
}

/* ---- Events ----------------------------------------------------------------------------------------------------------- */

/* After the end: what the kernel has never got, it need not give back. */
static void give_up_unsent(struct aio *aio)
{
    while (aio->iocb_count > 0) {
        fail_first(aio, -ECANCELED);
    }
}

static void aio_drain(struct request_table *table)
{
    struct aio *aio = aio_of(table);
    struct io_event events[BATCH];
    struct timespec no_time = {0};
    int count;
    do {
        count = io_getevents(aio->context, 0, BATCH, events, &no_time);
        for (int i = 0; i < count; i++) {
            take_answer(aio, (uintptr_t)events[i].data, (int)(long)events[i].res);
        }
    } while (count == BATCH);
    if (table->is_over) {
        give_up_unsent(aio);
        return;
    }
    /* Row reads and repairs go out at once. Should the kernel refuse them now, the next submission or wait takes them. */
    (void)flush(aio);
}

/* ---- Waiting ---------------------------------------------------------------------------------------------------------- */

/* Sleeps for an event, for wake_fd, or until the deadline; true if wake_fd is readable. */
static int sleep_once(struct aio *aio, int64_t deadline_ns, bool *ret_is_awake)
{
    struct pollfd ends[] = {{.fd = aio->event_fd, .events = POLLIN}, {.fd = aio->wake_fd, .events = POLLIN}};
    int64_t left_ns = deadline_ns < 0 ? 0 : deadline_ns - request_now_ns();
    left_ns = left_ns < 0 ? 0 : left_ns;
    struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S), .tv_nsec = (long)(left_ns % NS_PER_S)};
    int count = ppoll(ends, sizeof ends / sizeof ends[0], deadline_ns < 0 ? NULL : &left, NULL);
    if (count < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    /* Cleared before the events are taken in: one that comes in between makes it readable again. */
    uint64_t told;
    if (ends[0].revents != 0 && read(aio->event_fd, &told, sizeof told) < 0 && errno != EAGAIN) {
        return -errno;
    }
    *ret_is_awake = ends[1].revents != 0;
    return 0;
}

static int aio_wait(struct disk_engine *engine, int64_t timeout_ns)
{
    struct aio *aio = (struct aio *)engine;
    int64_t deadline_ns = timeout_ns < 0 ? -1 : request_now_ns() + timeout_ns;
    bool is_awake = false;
    aio_drain(&aio->table);
    while (aio->table.done.count == 0 && !is_awake) {
        int error = flush(aio);
        if (error == 0 && aio->table.done.count == 0) {
            error = sleep_once(aio, deadline_ns, &is_awake);
        }
        if (error != 0) {
            return error;
        }
        aio_drain(&aio->table);
        if (deadline_ns >= 0 && request_now_ns() >= deadline_ns) {
            break;
        }
    }
    return 0;
}

const struct request_carrier aio_carrier = {.read = prepare_read, .drain = aio_drain, .free = aio_free};

const struct disk_engine_operations aio_operations = {
    .kind = DISK_ENGINE_LIBAIO,
    .name = "libaio",
    .close = request_table_close,
    .queue = request_table_queue,
    .submit = aio_submit,
    .wait = aio_wait,
    .reap = request_table_reap,
    .release = request_table_release,
};
