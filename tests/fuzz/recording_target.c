/*
 * What a flight recorder has saved: events in any bytes are refused or read, and what was read is written and read to the same
 * event; a file that has been damaged is never replayed as if it were whole.
 *
 * Input: which of the two; then the bytes of an event, or changes of a file: a position, a byte.
 */
#include "block/layout.h"
#include "fuzz.h"
#include "runtime/recorder.h"
#include "runtime/recording.h"
#include "runtime/replay.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SLOTS = 2,
    REGISTERS = 1,
    REQUESTS = 8,
    STEPS = 30,
    PATH_BYTES = 64,
    ROW_BYTES = SLOTS * BLOCK_BYTES_MIN,
    PENDING_MAX = 64
};

static const struct layout layout = {.block_bytes = BLOCK_BYTES_MIN, .slots = SLOTS, .registers = REGISTERS};

/* ---- Events ----------------------------------------------------------------------------------------------------------- */

struct side {
    struct recording recording;
    struct recording_text text;
    struct event event;
    uint8_t *rows;
};

/* Both sides know the same requests. */
static void side_init(struct side *side)
{
    struct io_action requests[REQUESTS];
    for (uint32_t i = 0; i < REQUESTS; i++) {
        requests[i] = (struct io_action){.operation = i == 0       ? IO_HEADER
                                                      : i % 2 != 0 ? IO_READ
                                                                   : IO_EXCHANGE,
                                         .disk = i % 3,
                                         .row = i % 4,
                                         .tag = i};
    }
    struct actions actions = {.ios = requests, .io_count = REQUESTS};
    side->rows = calloc(1, recording_bytes(&layout));
    FUZZ_CHECK(side->rows != NULL);
    recording_init(&side->recording, &layout, side->rows);
    recording_note_requests(&side->recording, &actions);
}

static void check_bytes(const void *a, size_t a_count, const void *b, size_t b_count)
{
    FUZZ_CHECK((a == NULL) == (b == NULL) && a_count == b_count);
    FUZZ_CHECK(a == NULL || memcmp(a, b, a_count) == 0);
}

static void check_text(const char *a, const char *b)
{
    check_bytes(a, a == NULL ? 0 : strlen(a), b, b == NULL ? 0 : strlen(b));
}

static void check_same_io(const struct side *side, const struct io_result *a, const struct io_result *b)
{
    FUZZ_CHECK(a->tag == b->tag && a->is_write_ok == b->is_write_ok && a->is_read_ok == b->is_read_ok);
    bool is_header = side->recording.requests[a->tag].operation == IO_HEADER;
    const uint8_t *known = a->is_read_ok ? a->bytes : NULL; /* bytes of a failed read are not kept */
    size_t count = is_header ? BLOCK_BYTES_MIN : ROW_BYTES;
    check_bytes(known, count, b->bytes, count);
}

static void check_same_event(const struct side *a, const struct side *b)
{
    const struct role_command *role = &a->event.as.command;
    const struct role_command *role_b = &b->event.as.command;
    const struct call_command *call = &a->event.as.call;
    const struct call_command *call_b = &b->event.as.call;
    FUZZ_CHECK(a->event.kind == b->event.kind && a->event.fast_ns == b->event.fast_ns);
    FUZZ_CHECK(a->event.slow_ns == b->event.slow_ns && a->event.wall_ns == b->event.wall_ns);
    switch (a->event.kind) {
    case EVENT_IO:
        check_same_io(a, &a->event.as.io, &b->event.as.io);
        break;
    case EVENT_CAMPAIGN:
    case EVENT_RESIGN:
    case EVENT_TRANSFER:
    case EVENT_PUBLISH:
        FUZZ_CHECK(role->role == role_b->role && role->is_try == role_b->is_try && role->priority == role_b->priority);
        check_text(role->name, role_b->name);
        check_text(role->successor_name, role_b->successor_name);
        check_bytes(role->payload, role->payload_bytes, role_b->payload, role_b->payload_bytes);
        break;
    case EVENT_CALL:
    case EVENT_CANCEL:
        FUZZ_CHECK(call->call == call_b->call && call->verb == call_b->verb && call->ask == call_b->ask);
        FUZZ_CHECK(call->has_expected == call_b->has_expected);
        check_text(call->name, call_b->name);
        check_text(call->successor_name, call_b->successor_name);
        check_bytes(call->bytes, call->byte_count, call_b->bytes, call_b->byte_count);
        check_bytes(call->expected_bytes, call->expected_count, call_b->expected_bytes, call_b->expected_count);
        break;
    case EVENT_TICK:
    case EVENT_LEAVE:
        break;
    }
}

/* One event behind the other, as in a file, until one is refused. */
static void read_events(const uint8_t *bytes, size_t count)
{
    static struct side first, again;
    uint8_t *written = malloc(recording_step_bytes(&layout));
    FUZZ_CHECK(written != NULL);
    side_init(&first);
    side_init(&again);
    struct side writer = first;
    side_init(&writer);
    size_t used;
    while ((used = recording_read_event(&first.recording, bytes, count, &first.event, &first.text)) > 0) {
        FUZZ_CHECK(used <= count && first.text.used <= RECORDING_TEXT_BYTES);
        size_t bytes_written = recording_write_event(&writer.recording, &first.event, written);
        FUZZ_CHECK(bytes_written <= recording_step_bytes(&layout));
        FUZZ_CHECK(recording_read_event(&again.recording, written, bytes_written, &again.event, &again.text) ==
                   bytes_written);
        check_same_event(&first, &again);
        bytes += used;
        count -= used;
    }
    free(first.rows);
    free(again.rows);
    free(writer.rows);
    free(written);
}

/* ---- Files ------------------------------------------------------------------------------------------------------------ */

/* What a recorder has saved of a node that finds no disk: made once. */
static struct {
    int fd;
    uint8_t *bytes;
    size_t count;
    char path[PATH_BYTES];
} file;

/* Every request fails. */
static void record_steps(struct recorder *recorder, struct node *node)
{
    struct actions actions = {.io_count = 0};
    struct io_action ios[PENDING_MAX];
    uint32_t pending = 0;
    for (int64_t step = 1; step <= STEPS; step++) {
        struct event event = {.kind = EVENT_TICK, .fast_ns = step * NS_PER_S / 10, .slow_ns = step * NS_PER_S / 10};
        if (pending > 0) {
            event.kind = EVENT_IO;
            event.as.io.tag = ios[--pending].tag;
        }
        recorder_event(recorder, &event);
        node_step(node, &event, &actions);
        recorder_actions(recorder, &actions);
        FUZZ_CHECK(pending + actions.io_count <= PENDING_MAX);
        memcpy(ios + pending, actions.ios, actions.io_count * sizeof *ios);
        pending += actions.io_count;
    }
}

static void make_file(void)
{
    struct node_params params = {.header = fuzz_set_header(3, SLOTS, REGISTERS),
                                 .name = "alpha",
                                 .seed = {1, 7},
                                 .engine = ENGINE_SIMULATED,
                                 .depth = 1,
                                 .roles_max = 1};
    struct area_list areas = {.count = 0};
    struct recorder *recorder = NULL;
    void *memory = calloc(1, node_bytes(&params));
    FUZZ_CHECK(memory != NULL && recorder_map(&areas, &params, &recorder) == 0 && recorder != NULL);
    struct node *node = node_init(memory, &params);
    recorder_begin(recorder, &params, node);
    record_steps(recorder, node);
    file.fd = memfd_create("recording", MFD_CLOEXEC);
    FUZZ_CHECK(file.fd >= 0 && recorder_save(recorder, file.fd) == 0);
    file.count = (size_t)lseek(file.fd, 0, SEEK_END);
    file.bytes = malloc(file.count);
    FUZZ_CHECK(file.bytes != NULL && pread(file.fd, file.bytes, file.count, 0) == (ssize_t)file.count);
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    area_unmap_all(&areas);
    free(memory);
}

/* Steps that were replayed to the end; -1 if the file was refused. */
static int replay_file(void)
{
    struct replay *replay = NULL;
    struct replay_step step;
    enum replay_progress progress;
    char message[256] = "";
    int steps = 0;
    if (replay_open(file.path, &replay, message, sizeof message) != 0) {
        FUZZ_CHECK(message[0] != '\0' && memchr(message, '\0', sizeof message) != NULL);
        return -1;
    }
    while ((progress = replay_next(replay, &step)) == REPLAY_STEP || progress == REPLAY_SEGMENT) {
        FUZZ_CHECK(progress == REPLAY_SEGMENT || step.is_same);
        steps += progress == REPLAY_STEP;
    }
    FUZZ_CHECK((progress == REPLAY_BROKEN) == (replay_message(replay)[0] != '\0'));
    replay_close(replay);
    return progress == REPLAY_BROKEN ? -1 : steps;
}

static bool is_damaged(size_t from, size_t to)
{
    uint8_t *now = malloc(file.count);
    FUZZ_CHECK(now != NULL && pread(file.fd, now, file.count, 0) == (ssize_t)file.count);
    bool is_same = memcmp(now + from, file.bytes + from, to - from) == 0;
    free(now);
    return !is_same;
}

static bool is_head_damaged(void)
{
    return is_damaged(0, sizeof(struct recorder_file_head));
}

static bool is_segment_damaged(void)
{
    return is_damaged(sizeof(struct recorder_file_head), file.count);
}

static void damage_file(struct fuzz_input *input)
{
    if (file.bytes == NULL) {
        make_file();
    }
    FUZZ_CHECK(ftruncate(file.fd, (off_t)file.count) == 0);
    FUZZ_CHECK(pwrite(file.fd, file.bytes, file.count, 0) == (ssize_t)file.count);
    FUZZ_CHECK(replay_file() == STEPS);
    bool is_cut = fuzz_take8(input) % 2 != 0;
    while (input->left >= 4) {
        size_t at = (fuzz_take16(input) | (size_t)fuzz_take8(input) << 16) % file.count;
        uint8_t byte = fuzz_take8(input);
        FUZZ_CHECK(pwrite(file.fd, &byte, 1, (off_t)at) == 1);
    }
    if (is_cut) {
        FUZZ_CHECK(ftruncate(file.fd, (off_t)(fuzz_take16(input) % file.count)) == 0);
    }
    int steps = replay_file();
    if (is_cut || is_segment_damaged()) {
        FUZZ_CHECK(steps <= 0); /* 0: the head says that there is no segment */
    } else {
        FUZZ_CHECK(steps == STEPS || is_head_damaged());
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    if (fuzz_take8(&input) % 4 == 0) {
        damage_file(&input);
    } else {
        read_events(input.at, input.left);
    }
    return 0;
}
