/*
 * The io_uring engine: requests into submissions, completions into results.
 *
 * An exchange is a durable write and a row read, linked: the kernel starts the read only after the write has succeeded
 * (rule D3), and cancels it otherwise. Everything queued, for all disks, goes out in one submission. A failed row read is
 * repeated block by block (rule D9).
 *
 * Knows offsets and bytes; never what a block means.
 */
#include "disk/uring.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

/* What a completion answers, in the 64 bits that the kernel carries for us: request, block of the row, stage. */
enum uring_stage { STAGE_WRITE, STAGE_READ, STAGE_REPAIR, STAGE_WAKE };

enum { STAGE_BITS = 2, BLOCK_BITS = 14 };

_Static_assert(STAGE_WAKE < 1 << STAGE_BITS, "a stage must fit into its bits");
_Static_assert(SLOTS_MAX <= 1 << BLOCK_BITS, "a block's number must fit into its bits");

static uint64_t user_data_of(uint32_t request, enum uring_stage stage, uint32_t block)
{
    return ((uint64_t)request << BLOCK_BITS | block) << STAGE_BITS | (uint64_t)stage;
}

static enum uring_stage stage_of(uint64_t user_data)
{
    return (enum uring_stage)(user_data & ((1 << STAGE_BITS) - 1));
}

static uint32_t block_of(uint64_t user_data)
{
    return (uint32_t)(user_data >> STAGE_BITS) & ((1 << BLOCK_BITS) - 1);
}

static uint32_t request_of(uint64_t user_data)
{
    return (uint32_t)(user_data >> (STAGE_BITS + BLOCK_BITS));
}

static void fifo_push(struct uring_fifo *fifo, uint32_t room, uint32_t item)
{
    assert(fifo->count < room);
    fifo->items[(fifo->head + fifo->count) % room] = item;
    fifo->count++;
}

static uint32_t fifo_pop(struct uring_fifo *fifo, uint32_t room)
{
    assert(fifo->count > 0);
    uint32_t item = fifo->items[fifo->head];
    fifo->head = (fifo->head + 1) % room;
    fifo->count--;
    return item;
}

static uint32_t request_index(const struct uring *uring, const struct uring_request *request)
{
    return (uint32_t)(request - uring->requests);
}

bool uring_is_busy(const struct uring *uring)
{
    for (uint32_t i = 0; i < uring->request_count; i++) {
        if (uring->requests[i].state == URING_IN_FLIGHT) {
            return true;
        }
    }
    return false;
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

static void prepare_write(struct uring *uring, struct uring_request *request, bool is_linked)
{
    uint32_t index = request_index(uring, request);
    struct io_uring_sqe *sqe = next_sqe(uring);
    io_uring_prep_write_fixed(sqe, (int)request->disk, request->block, uring->layout.block_bytes, request->write_offset,
                              (int)index);
    sqe->rw_flags = RWF_DSYNC;
    sqe->flags |= IOSQE_FIXED_FILE | (is_linked ? IOSQE_IO_LINK : 0);
    io_uring_sqe_set_data64(sqe, user_data_of(index, STAGE_WRITE, 0));
    request->pending++;
}

static void prepare_read(struct uring *uring, struct uring_request *request, uint8_t *to, uint32_t bytes,
                         uint64_t offset, uint64_t user_data)
{
    struct io_uring_sqe *sqe = next_sqe(uring);
    io_uring_prep_read_fixed(sqe, (int)request->disk, to, bytes, offset, (int)request_index(uring, request));
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, user_data);
    request->pending++;
}

static void prepare_request(struct uring *uring, struct uring_request *request)
{
    assert(request->state == URING_QUEUED && request->pending == 0);
    bool is_writing = request->operation == DISK_WRITE || request->operation == DISK_EXCHANGE;
    request->state = URING_IN_FLIGHT;
    if (is_writing) {
        prepare_write(uring, request, request->read_bytes > 0);
    }
    if (request->read_bytes > 0) {
        prepare_read(uring, request, request->row, request->read_bytes, request->read_offset,
                     user_data_of(request_index(uring, request), STAGE_READ, 0));
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
    if (uring->queued.count == 0) {
        return 0;
    }
    while (uring->queued.count > 0) {
        prepare_request(uring, &uring->requests[fifo_pop(&uring->queued, uring->request_count)]);
    }
    engine->submissions++;
    return flush(uring);
}

/* ---- Queueing ------------------------------------------------------------------------------------------------------ */

static struct uring_request *find_free(struct uring *uring, uint32_t disk)
{
    struct uring_request *first = &uring->requests[(size_t)disk * uring->depth];
    for (uint32_t i = 0; i < uring->depth; i++) {
        if (first[i].state == URING_FREE) {
            return &first[i];
        }
    }
    return NULL;
}

static void set_transfer(struct uring *uring, struct uring_request *own, const struct disk_request *request)
{
    const struct layout *layout = &uring->layout;
    if (request->operation == DISK_HEADER) {
        own->read_offset = 0;
        own->read_bytes = layout->block_bytes;
        return;
    }
    assert(request->row < layout_rows(layout));
    own->read_offset = layout_offset(layout, request->row, 0);
    own->read_bytes = request->operation == DISK_WRITE ? 0 : layout_row_bytes(layout);
    if (request->operation != DISK_READ) {
        assert(request->slot < layout->slots && request->block != NULL);
        own->write_offset = layout_offset(layout, request->row, request->slot);
        memcpy(own->block, request->block, layout->block_bytes);
    }
}

static int uring_queue(struct disk_engine *engine, const struct disk_request *request)
{
    struct uring *uring = (struct uring *)engine;
    assert(request->disk < uring->disk_count);
    if (!uring->is_present[request->disk]) {
        return -ENODEV;
    }
    struct uring_request *own = find_free(uring, request->disk);
    if (own == NULL) {
        return -EBUSY;
    }
    uint8_t *block = own->block;
    uint8_t *row = own->row;
    *own = (struct uring_request){
        .state = URING_QUEUED,
        .operation = request->operation,
        .disk = request->disk,
        .tag = request->tag,
        .block = block,
        .row = row,
    };
    set_transfer(uring, own, request);
    fifo_push(&uring->queued, uring->request_count, request_index(uring, own));
    engine->in_flight++;
    return 0;
}

/* ---- Completions --------------------------------------------------------------------------------------------------- */

static void finish(struct uring *uring, struct uring_request *request)
{
    assert(request->state == URING_IN_FLIGHT && request->pending == 0);
    request->state = URING_DONE;
    fifo_push(&uring->done, uring->request_count, request_index(uring, request));
}

/* Rule D9: repeats blocks of a row whose read failed, a few at a time. */
static void repair_more(struct uring *uring, struct uring_request *request)
{
    uint32_t block_bytes = uring->layout.block_bytes;
    while (request->pending < REPAIR_WINDOW && request->repair_next < uring->layout.slots) {
        uint32_t block = request->repair_next++;
        uint64_t at = (uint64_t)block * block_bytes;
        prepare_read(uring, request, request->row + at, block_bytes, request->read_offset + at,
                     user_data_of(request_index(uring, request), STAGE_REPAIR, block));
    }
}

/* A block of zeros is damaged by definition, so zeros are what stands for a block that cannot be read. */
static void repair_one(struct uring *uring, struct uring_request *request, uint32_t block, int result)
{
    uint32_t block_bytes = uring->layout.block_bytes;
    if (result != (int)block_bytes) {
        memset(request->row + (uint64_t)block * block_bytes, 0, block_bytes);
        request->repair_failed++;
    }
    if (!uring->is_over) {
        repair_more(uring, request);
    }
    if (request->pending == 0) {
        if (request->repair_failed < uring->layout.slots) {
            request->read_error = 0;
        }
        finish(uring, request);
    }
}

/* Both halves have come back: only now may a failed write be told, because its read may have held the buffer until now. */
static void finish_or_repair(struct uring *uring, struct uring_request *request)
{
    if (request->write_error != 0 && request->read_bytes > 0) {
        request->read_error = -ECANCELED;
    }
    bool is_row = request->operation == DISK_READ || request->operation == DISK_EXCHANGE;
    if (request->write_error == 0 && request->can_repair && is_row && !uring->is_over) {
        repair_more(uring, request);
    } else {
        finish(uring, request);
    }
}

static void take_write(struct uring *uring, struct uring_request *request, int result)
{
    if (result != (int)uring->layout.block_bytes) {
        request->write_error = result < 0 ? result : -EIO;
    }
}

/* A short read is the end of a file or device that has shrunk: the whole disk is wrong, not some of its blocks. */
static void take_read(struct uring_request *request, int result)
{
    if (result < 0) {
        request->read_error = result;
        request->can_repair = result != -ECANCELED;
    } else if ((uint32_t)result < request->read_bytes) {
        request->read_error = -ENODATA;
    }
}

static void take_completion(struct uring *uring, uint64_t user_data, int result)
{
    enum uring_stage stage = stage_of(user_data);
    if (stage == STAGE_WAKE) {
        uring->is_wake_armed = false;
        uring->is_awake = true;
        return;
    }
    uint32_t index = request_of(user_data);
    assert(index < uring->request_count);
    struct uring_request *request = &uring->requests[index];
    assert(request->state == URING_IN_FLIGHT && request->pending > 0);
    request->pending--;
    if (stage == STAGE_REPAIR) {
        repair_one(uring, request, block_of(user_data), result);
        return;
    }
    if (stage == STAGE_WRITE) {
        take_write(uring, request, result);
    } else {
        take_read(request, result);
    }
    if (request->pending == 0) {
        finish_or_repair(uring, request);
    }
}

void uring_drain(struct uring *uring)
{
    struct io_uring_cqe *cqe;
    while (io_uring_peek_cqe(&uring->ring, &cqe) == 0) {
        uint64_t user_data = io_uring_cqe_get_data64(cqe);
        int result = cqe->res;
        io_uring_cqe_seen(&uring->ring, cqe);
        take_completion(uring, user_data, result);
    }
    /* Repairs go out at once. Should the kernel refuse them now, the next submission or wait takes them along. */
    if (!uring->is_over) {
        (void)flush(uring);
    }
}

static bool uring_reap(struct disk_engine *engine, struct disk_completion *ret)
{
    struct uring *uring = (struct uring *)engine;
    uring_drain(uring);
    if (uring->done.count == 0) {
        return false;
    }
    uint32_t index = fifo_pop(&uring->done, uring->request_count);
    struct uring_request *request = &uring->requests[index];
    assert(request->state == URING_DONE);
    request->state = URING_REAPED;
    bool is_read = request->read_bytes > 0 && request->read_error == 0;
    *ret = (struct disk_completion){
        .tag = request->tag,
        .disk = request->disk,
        .write_error = request->write_error,
        .read_error = request->read_error,
        .bytes = is_read ? request->row : NULL,
        .request = index,
    };
    return true;
}

static void uring_release(struct disk_engine *engine, uint32_t request)
{
    struct uring *uring = (struct uring *)engine;
    assert(request < uring->request_count && uring->requests[request].state == URING_REAPED);
    uring->requests[request].state = URING_FREE;
    engine->in_flight--;
}

/* ---- Waiting ------------------------------------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* One poll at a time stands in the ring. It is level-triggered when armed, so a descriptor that was never read ends the
 * next wait as well. */
static void arm_wake(struct uring *uring)
{
    if (uring->wake_fd < 0 || uring->is_wake_armed) {
        return;
    }
    struct io_uring_sqe *sqe = next_sqe(uring);
    io_uring_prep_poll_add(sqe, uring->wake_fd, POLLIN);
    io_uring_sqe_set_data64(sqe, user_data_of(0, STAGE_WAKE, 0));
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
        int64_t left_ns = deadline_ns - now_ns();
        left_ns = left_ns < 0 ? 0 : left_ns;
        struct __kernel_timespec left = {.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
        result = io_uring_submit_and_wait_timeout(&uring->ring, &cqe, 1, &left, NULL);
    }
    return result < 0 && result != -ETIME && result != -EINTR ? result : 0;
}

static int uring_wait(struct disk_engine *engine, int64_t timeout_ns)
{
    struct uring *uring = (struct uring *)engine;
    int64_t deadline_ns = timeout_ns < 0 ? -1 : now_ns() + timeout_ns;
    uring_drain(uring);
    /* A wake-up that came before this wait has been seen by whoever waits; if it still stands, the poll tells again. */
    uring->is_awake = false;
    while (uring->done.count == 0 && !uring->is_awake) {
        arm_wake(uring);
        int error = sleep_once(uring, deadline_ns);
        if (error != 0) {
            return error;
        }
        uring_drain(uring);
        if (deadline_ns >= 0 && now_ns() >= deadline_ns) {
            break;
        }
    }
    return 0;
}

const struct disk_engine_operations uring_operations = {
    .kind = DISK_ENGINE_IO_URING,
    .name = "io_uring",
    .close = uring_close,
    .queue = uring_queue,
    .submit = uring_submit,
    .wait = uring_wait,
    .reap = uring_reap,
    .release = uring_release,
};
