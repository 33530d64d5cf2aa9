#include "disk/range_reader.h"

#include "disk/disk.h"
#include "disk/message.h"
#include "disk/request_table.h"

#include <diskarch/diskarch.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UNIT_BYTES = 4096, PAUSE_MS = 1 /* before an engine that fails is asked again */ };

struct range_reader {
    struct disk_set set; /* of descriptors only: a layout whose row is as long as the longest range */
    struct disk_engine *engine;
    uint32_t pass;            /* an answer to an earlier call is not taken for one to this */
    uint32_t owed[DISKS_MAX]; /* requests that a descriptor has not answered yet */
};

int range_reader_open(const struct range_reader_options *options, struct range_reader **ret, char *message,
                      size_t message_bytes)
{
    assert(options->fd_count <= DISKS_MAX && options->bytes_max > 0);
    struct range_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return message_set(DISKARCH_EENGINE, message, message_bytes, "disks: no memory to read them; free some");
    }
    reader->set.header.disk_count = options->fd_count;
    reader->set.header.layout = (struct layout){
        .block_bytes = UNIT_BYTES, .slots = (options->bytes_max + UNIT_BYTES - 1) / UNIT_BYTES, .registers = 1};
    for (uint32_t i = 0; i < options->fd_count; i++) {
        reader->set.members[i].fd = options->fds[i];
        reader->set.members[i].is_present = options->fds[i] >= 0;
        reader->set.present_count += options->fds[i] >= 0;
    }
    struct disk_engine_options engine_options = {.kind = options->engine, .depth = options->depth, .wake_fd = -1};
    int error = disk_engine_open(&reader->set, &engine_options, &reader->engine);
    if (error != 0) {
        message_set(0, message, message_bytes, "%s", reader->set.message);
        free(reader);
        return error;
    }
    *ret = reader;
    return 0;
}

void range_reader_close(struct range_reader *reader)
{
    if (reader != NULL) {
        disk_engine_close(reader->engine);
        free(reader);
    }
}

const char *range_reader_engine(const struct range_reader *reader)
{
    return disk_engine_name(reader->engine);
}

const char *range_reader_warning(const struct range_reader *reader)
{
    return disk_engine_warning(reader->engine);
}

/* ---- One call --------------------------------------------------------------------------------------------------------- */

struct call {
    struct range_reader *reader;
    struct range *ranges;
    uint32_t open; /* ranges of this call that are in flight */
    int64_t end_ns;
    bool is_answered; /* by any disk */
};

static void note_answer(struct call *call)
{
    if (!call->is_answered) {
        int64_t end_ns = request_now_ns() + RANGE_DEADLINE_NS;
        call->end_ns = end_ns < call->end_ns ? end_ns : call->end_ns;
        call->is_answered = true;
    }
}

static void take_answers(struct call *call)
{
    struct range_reader *reader = call->reader;
    struct disk_completion done;
    while (disk_engine_reap(reader->engine, &done)) {
        assert(reader->owed[done.disk] > 0);
        reader->owed[done.disk]--;
        if (done.tag >> 32 == reader->pass) {
            struct range *range = &call->ranges[(uint32_t)done.tag];
            range->error = done.read_error;
            if (done.bytes != NULL) {
                memcpy(range->to, done.bytes, range->bytes);
            }
            call->open--;
            note_answer(call);
        }
        disk_engine_release(reader->engine, done.request);
    }
}

/* A descriptor that still owes an answer to an earlier call hangs: it is taken to go on hanging. */
static void ask(struct call *call, uint32_t count)
{
    struct range_reader *reader = call->reader;
    bool is_hanging[DISKS_MAX];
    for (uint32_t i = 0; i < DISKS_MAX; i++) {
        is_hanging[i] = reader->owed[i] > 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct range *range = &call->ranges[i];
        range->error = -ETIMEDOUT;
        if (is_hanging[range->fd]) {
            continue;
        }
        struct disk_request request = {.operation = DISK_RANGE,
                                       .disk = range->fd,
                                       .offset = range->offset,
                                       .bytes = range->bytes,
                                       .tag = (uint64_t)reader->pass << 32 | i};
        int error = disk_engine_queue(reader->engine, &request);
        assert(error != -EBUSY);
        if (error != 0) {
            range->error = error;
            continue;
        }
        reader->owed[range->fd]++;
        call->open++;
    }
}

void range_reader_read(struct range_reader *reader, struct range *ranges, uint32_t count)
{
    struct call call = {.reader = reader, .ranges = ranges, .end_ns = request_now_ns() + RANGE_SILENCE_NS};
    reader->pass++;
    take_answers(&call);
    ask(&call, count);
    /* What the kernel does not take for want of memory goes with the waiting, or is late: no disk is to blame for that. */
    (void)disk_engine_submit(reader->engine);
    for (;;) {
        take_answers(&call);
        int64_t left_ns = call.end_ns - request_now_ns();
        if (call.open == 0 || left_ns <= 0) {
            return;
        }
        if (disk_engine_wait(reader->engine, left_ns) != 0) {
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * NS_PER_MS}, NULL);
        }
    }
}
