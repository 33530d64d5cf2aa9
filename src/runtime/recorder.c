#include "runtime/recorder.h"

#include "block/crc32c.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct segment {
    struct recorder_segment_head head;
    uint8_t *node;
    uint8_t *events;
    _Atomic uint64_t used; /* whole steps; what is below never changes while the segment is in use */
    _Atomic uint64_t steps;
};

struct recorder {
    size_t node_bytes;
    size_t step_bytes;
    const struct node *node;
    struct node_params params;
    struct recording recording;
    struct segment segments[RECORDER_SEGMENTS];
    _Atomic uint32_t current;
    size_t pending;  /* bytes of the event whose actions are still to come */
    bool is_stopped; /* no room, and the other segment is being saved */
    _Atomic bool is_turning;
    _Atomic bool is_saving;
};

_Static_assert((int)DISKS_MAX *(NODE_DEPTH_MAX + 32) <= (int)RECORDING_TAGS_MAX,
               "every request of a node has its place");

static int map_segment(struct area_list *areas, struct recorder *recorder, struct segment *segment)
{
    void *memory;
    int error = area_map(areas, recorder->node_bytes + RECORDER_SEGMENT_BYTES, &memory);
    if (error == 0) {
        segment->node = memory;
        segment->events = segment->node + recorder->node_bytes;
    }
    return error;
}

int recorder_map(struct area_list *areas, const struct node_params *params, struct recorder **ret)
{
    const struct layout *layout = &params->header.layout;
    size_t bytes = node_bytes(params);
    size_t rows_bytes = recording_bytes(layout);
    if (bytes > RECORDER_NODE_BYTES_MAX || recording_step_bytes(layout) > RECORDER_SEGMENT_BYTES / 4) {
        *ret = NULL;
        return 0;
    }
    void *memory;
    int error = area_map(areas, sizeof(struct recorder) + rows_bytes, &memory);
    if (error != 0) {
        return error;
    }
    struct recorder *recorder = memory;
    recorder->node_bytes = bytes;
    recorder->step_bytes = recording_step_bytes(layout);
    recording_init(&recorder->recording, layout, recorder + 1);
    for (uint32_t i = 0; i < RECORDER_SEGMENTS && error == 0; i++) {
        error = map_segment(areas, recorder, &recorder->segments[i]);
    }
    if (error == 0) {
        *ret = recorder;
    }
    return error;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static struct segment *current_segment(struct recorder *recorder)
{
    return &recorder->segments[atomic_load_explicit(&recorder->current, memory_order_relaxed)];
}

/*
 * Begins again in the segment that is the older one now. Whoever saves keeps both as they are: the two flags are each set
 * before the other one is read, so that one side always sees the other.
 */
static bool turn_over(struct recorder *recorder)
{
    atomic_store(&recorder->is_turning, true);
    bool may_turn = !atomic_load(&recorder->is_saving);
    if (may_turn) {
        uint32_t next = (atomic_load(&recorder->current) + 1) % RECORDER_SEGMENTS;
        struct segment *segment = &recorder->segments[next];
        recording_restart(&recorder->recording);
        segment->head.params = recorder->params;
        segment->head.node_bytes = recorder->node_bytes;
        memcpy(segment->head.requests, recorder->recording.requests, sizeof segment->head.requests);
        node_copy(recorder->node, segment->node);
        atomic_store(&segment->used, 0);
        atomic_store(&segment->steps, 0);
        atomic_store(&recorder->current, next);
    }
    atomic_store(&recorder->is_turning, false);
    recorder->is_stopped = !may_turn;
    return may_turn;
}

void recorder_begin(struct recorder *recorder, const struct node_params *params, const struct node *node)
{
    if (recorder == NULL) {
        return;
    }
    recorder->params = *params;
    recorder->node = node;
    memset(recorder->recording.requests, 0, sizeof recorder->recording.requests);
    turn_over(recorder);
}

static bool has_room(const struct recorder *recorder, const struct segment *segment)
{
    return atomic_load_explicit(&segment->steps, memory_order_relaxed) < RECORDER_STEPS &&
           atomic_load_explicit(&segment->used, memory_order_relaxed) + recorder->step_bytes <= RECORDER_SEGMENT_BYTES;
}

void recorder_event(struct recorder *recorder, const struct event *event)
{
    if (recorder == NULL) {
        return;
    }
    bool is_turn = recorder->is_stopped || !has_room(recorder, current_segment(recorder));
    if (is_turn && !turn_over(recorder)) {
        return;
    }
    struct segment *segment = current_segment(recorder);
    uint64_t used = atomic_load_explicit(&segment->used, memory_order_relaxed);
    recorder->pending = recording_write_event(&recorder->recording, event, segment->events + used);
}

void recorder_actions(struct recorder *recorder, const struct actions *actions)
{
    if (recorder == NULL) {
        return;
    }
    if (recorder->is_stopped) {
        recording_note_requests(&recorder->recording, actions);
        return;
    }
    struct segment *segment = current_segment(recorder);
    uint64_t used = atomic_load_explicit(&segment->used, memory_order_relaxed) + recorder->pending;
    used += recording_write_actions(&recorder->recording, actions, segment->events + used);
    assert(used <= RECORDER_SEGMENT_BYTES);
    atomic_fetch_add_explicit(&segment->steps, 1, memory_order_relaxed);
    atomic_store_explicit(&segment->used, used, memory_order_release);
}

/* ---- Saving ------------------------------------------------------------------------------------------------------ */

static int write_all(int fd, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    while (count > 0) {
        ssize_t written = write(fd, at, count);
        if (written < 0 && errno != EINTR) {
            return -errno;
        }
        if (written > 0) {
            at += written;
            count -= (size_t)written;
        }
    }
    return 0;
}

static int save_segment(const struct recorder *recorder, struct segment *segment, int fd)
{
    struct recorder_segment_head head = segment->head;
    head.event_bytes = atomic_load_explicit(&segment->used, memory_order_acquire);
    head.node_checksum = crc32c(segment->node, recorder->node_bytes);
    head.event_checksum = crc32c(segment->events, head.event_bytes);
    head.head_checksum = crc32c(&head, offsetof(struct recorder_segment_head, head_checksum));
    int error = write_all(fd, &head, sizeof head);
    if (error == 0) {
        error = write_all(fd, segment->node, recorder->node_bytes);
    }
    return error != 0 ? error : write_all(fd, segment->events, head.event_bytes);
}

static int save_all(struct recorder *recorder, int fd)
{
    uint32_t current = atomic_load(&recorder->current);
    struct segment *older = &recorder->segments[(current + 1) % RECORDER_SEGMENTS];
    bool has_older = atomic_load(&older->used) > 0;
    struct recorder_file_head head = {
        .magic = {'D', 'K', 'R', 'E', 'C', 'O', 'R', 'D'},
        .segment_count = has_older ? 2 : 1,
        .head_bytes = sizeof(struct recorder_segment_head),
    };
    snprintf(head.version, sizeof head.version, "%s", DISKARCH_VERSION);
    int error = write_all(fd, &head, sizeof head);
    if (error == 0 && has_older) {
        error = save_segment(recorder, older, fd);
    }
    return error != 0 ? error : save_segment(recorder, &recorder->segments[current], fd);
}

int recorder_save(struct recorder *recorder, int fd)
{
    if (recorder == NULL) {
        return -EOPNOTSUPP;
    }
    if (atomic_exchange(&recorder->is_saving, true)) {
        return -EBUSY;
    }
    while (atomic_load(&recorder->is_turning)) {
        sched_yield();
    }
    int error = save_all(recorder, fd);
    atomic_store(&recorder->is_saving, false);
    return error;
}
