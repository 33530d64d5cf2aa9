#include "client/reader.h"

#include "disk/message.h"
#include "runtime/clock.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

enum {
    READER_ARENA_BYTES = 8 << 20,
    READER_DEPTH_MIN = 4,
    PAUSE_MS = 1, /* before the kernel is asked again */
};
_Static_assert(READER_DEPTH_MIN <= (int)READER_WANTS_MAX, "the smallest depth is one of those allowed");

/* One pass on its way. */
struct pass {
    struct reader *reader;
    const struct reader_want *wants;
    uint32_t count;
    reader_take *take;
    void *context;
    uint32_t open; /* requests of this pass that are in flight */
};

int64_t reader_now_ns(void)
{
    return clock_read().boot_ns;
}

static uint32_t depth_for(const struct set_header *header)
{
    uint64_t request_bytes = (uint64_t)layout_row_bytes(&header->layout) + header->layout.block_bytes;
    uint64_t depth = READER_ARENA_BYTES / (request_bytes * header->disk_count);
    if (depth < READER_DEPTH_MIN) {
        return READER_DEPTH_MIN;
    }
    return depth < READER_WANTS_MAX ? (uint32_t)depth : READER_WANTS_MAX;
}

int reader_open(struct reader *reader, struct disk_set *set, enum disk_engine_kind kind)
{
    *reader = (struct reader){.set = set, .depth = depth_for(&set->header)};
    for (uint32_t i = 0; i < set->header.disk_count; i++) {
        reader->disks[i].latency_ns = -1;
        message_set(0, reader->disks[i].reason, sizeof reader->disks[i].reason, "not read yet");
    }
    struct disk_engine_options options = {.kind = kind, .depth = reader->depth, .wake_fd = -1};
    return disk_engine_open(set, &options, &reader->engine);
}

void reader_close(struct reader *reader)
{
    disk_engine_close(reader->engine);
}

uint32_t reader_good_count(const struct reader *reader)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < reader->set->header.disk_count; i++) {
        count += reader->disks[i].is_good;
    }
    return count;
}

/* ---- The health of a disk ---------------------------------------------------------------------------------------- */

static void disk_fail(struct reader_disk *disk, const char *what, const char *why)
{
    /* The first failure of a pass is the cause of the others. */
    if (disk->is_good) {
        disk->is_good = false;
        message_set(0, disk->reason, sizeof disk->reason, "%s: %s", what, why);
    }
}

void reader_count_out(struct reader *reader, uint32_t index, const char *who)
{
    struct reader_disk *disk = &reader->disks[index];
    disk->is_good = false;
    disk->is_out = true;
    message_set(
        0, disk->reason, sizeof disk->reason,
        "node %s found that it went back in time (a snapshot, a rollback, lost writes); on an idle set repair it "
        "with diskarch check --repair, or replace it",
        who);
}

static const char *error_text(int error)
{
    if (error == -ENODATA) {
        return "the disk ends before it; it has been truncated, restore or replace it";
    }
    const char *text = strerrordesc_np(-error);
    return text != NULL ? text : "unknown error";
}

static const char *header_fault_text(enum header_fault fault)
{
    switch (fault) {
    case HEADER_NO_MAGIC:
        return "it is gone; something has overwritten the disk, restore or replace it";
    case HEADER_DAMAGED:
    case HEADER_NONSENSE:
        return "it is damaged; repair or replace the disk";
    case HEADER_NEWER:
        return "it has a newer format now; upgrade diskarch on this host";
    case HEADER_OK:
        break;
    }
    return "it belongs to another disk or set now, or the set was tuned; open the disks again";
}

static void check_header(struct reader *reader, uint32_t index, const uint8_t *bytes)
{
    struct set_header expected = reader->set->header;
    struct set_header found;
    expected.disk_index = index;
    enum header_fault fault = set_header_decode(bytes, &found);
    if (fault != HEADER_OK || !set_header_is_unchanged(&expected, &found)) {
        disk_fail(&reader->disks[index], "its header", header_fault_text(fault));
    }
}

/* ---- One pass ---------------------------------------------------------------------------------------------------- */

/* The tag of a want in a pass. */
static uint64_t tag_of(uint32_t pass, uint32_t want)
{
    return (uint64_t)pass << 32 | want;
}

static void take_answer(struct pass *pass, const struct disk_completion *completion)
{
    uint32_t want = (uint32_t)completion->tag;
    struct reader_disk *disk = &pass->reader->disks[completion->disk];
    pass->open--;
    bool is_header = pass->wants[want].operation == DISK_HEADER;
    if (completion->bytes == NULL) {
        disk_fail(disk, is_header ? "its header" : "a row of it", error_text(completion->read_error));
    } else if (is_header) {
        check_header(pass->reader, completion->disk, completion->bytes);
    } else {
        disk->latency_ns = reader_now_ns() - pass->reader->begin_ns;
        pass->take(pass->context, completion->disk, want, completion->bytes);
    }
}

static void reap_all(struct pass *pass)
{
    struct reader *reader = pass->reader;
    struct disk_completion completion;
    while (disk_engine_reap(reader->engine, &completion)) {
        assert(reader->disks[completion.disk].in_flight > 0);
        reader->disks[completion.disk].in_flight--;
        if (completion.tag >> 32 == reader->pass) {
            take_answer(pass, &completion);
        }
        disk_engine_release(reader->engine, completion.request);
    }
}

static void ask_disk(struct pass *pass, uint32_t index)
{
    struct reader *reader = pass->reader;
    for (uint32_t i = 0; i < pass->count; i++) {
        struct disk_request request = {.operation = pass->wants[i].operation,
                                       .disk = index,
                                       .row = pass->wants[i].row,
                                       .tag = tag_of(reader->pass, i)};
        int error = disk_engine_queue(reader->engine, &request);
        if (error != 0) {
            disk_fail(&reader->disks[index], "a read", error_text(error));
            return;
        }
        reader->disks[index].in_flight++;
        pass->open++;
    }
}

/* The kernel lacks memory just now: what it has not taken goes with the next wait. */
static bool is_passing(int error)
{
    return error == -EAGAIN || error == -ENOMEM;
}

/*
 * Until everything is answered or two io deadlines have passed. What stands ready when they have passed still counts.
 */
static int wait_for_answers(struct pass *pass)
{
    struct reader *reader = pass->reader;
    int64_t end_ns = reader->begin_ns + 2 * reader->set->header.timings.io_deadline_ns;
    int error = disk_engine_submit(reader->engine);
    error = is_passing(error) ? 0 : error;
    while (error == 0) {
        int64_t left_ns = end_ns - reader_now_ns();
        reap_all(pass);
        if (pass->open == 0 || left_ns <= 0) {
            return 0;
        }
        error = disk_engine_wait(reader->engine, left_ns);
        if (is_passing(error)) {
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * NS_PER_MS}, NULL);
            error = 0;
        }
    }
    return error;
}

static void run_pass(struct pass *pass)
{
    struct reader *reader = pass->reader;
    assert(pass->count > 0 && pass->count <= reader->depth);
    reader->pass++;
    reader->begin_ns = reader_now_ns();
    for (uint32_t i = 0; i < pass->count; i++) {
        reader->rows_read += pass->wants[i].operation == DISK_READ;
    }
    reap_all(pass);
    for (uint32_t i = 0; i < reader->set->header.disk_count; i++) {
        if (reader->disks[i].is_good && reader->disks[i].in_flight == 0) {
            ask_disk(pass, i);
        }
    }
    int error = wait_for_answers(pass);
    for (uint32_t i = 0; i < reader->set->header.disk_count; i++) {
        if (error != 0) {
            disk_fail(&reader->disks[i], "the disk engine", error_text(error));
        } else if (reader->disks[i].in_flight > 0) {
            disk_fail(&reader->disks[i], "a read",
                      "the disk has not answered within two io deadlines; look at its path");
        }
    }
}

void reader_pass(struct reader *reader, const struct reader_want *wants, uint32_t count, reader_take *take,
                 void *context)
{
    struct pass pass = {.reader = reader, .wants = wants, .count = count, .take = take, .context = context};
    run_pass(&pass);
}

void reader_look(struct reader *reader, const struct reader_want *wants, uint32_t count, reader_take *take,
                 void *context)
{
    assert(count < reader->depth);
    struct reader_want all[READER_WANTS_MAX];
    if (count > 0) {
        memcpy(all, wants, count * sizeof *wants);
    }
    all[count] = (struct reader_want){.operation = DISK_HEADER};
    for (uint32_t i = 0; i < reader->set->header.disk_count; i++) {
        struct reader_disk *disk = &reader->disks[i];
        const struct disk_member *member = &reader->set->members[i];
        disk->is_good = member->is_present;
        disk->is_out = false;
        message_set(0, disk->reason, sizeof disk->reason, "%s", member->is_present ? "" : member->reason);
    }
    reader_pass(reader, all, count + 1, take, context);
}
