#include "runtime/replay.h"

#include "block/crc32c.h"
#include "block/layout.h"
#include "runtime/recorder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct replay {
    const uint8_t *file;
    size_t file_bytes;
    size_t at; /* the next byte of the file */
    uint32_t segments_left;
    size_t segment_end;
    struct node_params params;
    void *memory;
    struct node *node;
    void *row_memory;
    struct recording recording;
    struct recording_text text;
    struct io_action request; /* of the last completion */
    uint64_t number;
    char message[256];
};

/* ---- The file ---------------------------------------------------------------------------------------------------- */

static int map_file(const char *path, struct replay *replay)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    struct stat stat;
    int error = fstat(fd, &stat) != 0 ? -errno : 0;
    if (error == 0 && stat.st_size < (off_t)sizeof(struct recorder_file_head)) {
        error = -EINVAL;
    }
    if (error == 0) {
        void *file = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        error = file == MAP_FAILED ? -errno : 0;
        replay->file = error == 0 ? file : NULL;
        replay->file_bytes = (size_t)stat.st_size;
    }
    close(fd);
    return error;
}

static int read_head(struct replay *replay)
{
    struct recorder_file_head head;
    assert(replay->file != NULL);
    memcpy(&head, replay->file, sizeof head);
    if (memcmp(head.magic, RECORDER_MAGIC, sizeof head.magic) != 0) {
        return -EINVAL;
    }
    if (head.head_bytes != sizeof(struct recorder_segment_head) ||
        strncmp(head.version, DISKARCH_VERSION, sizeof head.version) != 0) {
        snprintf(replay->message, sizeof replay->message,
                 "it was written by another build, version %.31s, this is " DISKARCH_VERSION, head.version);
        return -EINVAL;
    }
    replay->at = sizeof head;
    replay->segment_end = replay->at;
    replay->segments_left = head.segment_count;
    return 0;
}

int replay_open(const char *path, struct replay **ret, char *message, size_t message_bytes)
{
    struct replay *replay = calloc(1, sizeof *replay);
    int error = replay == NULL ? -ENOMEM : map_file(path, replay);
    if (error == 0) {
        error = read_head(replay);
    }
    if (error == 0) {
        *ret = replay;
        return 0;
    }
    const char *reason = error == -EINVAL ? "it is no recording of a node" : strerror(-error);
    if (replay != NULL && replay->message[0] != '\0') {
        reason = replay->message;
    }
    snprintf(message, message_bytes, "%s: %s; give a file that a recorder has saved", path, reason);
    replay_close(replay);
    return error;
}

static void leave_segment(struct replay *replay)
{
    free(replay->memory);
    free(replay->row_memory);
    replay->memory = replay->row_memory = NULL;
    replay->node = NULL;
}

void replay_close(struct replay *replay)
{
    if (replay == NULL) {
        return;
    }
    leave_segment(replay);
    if (replay->file != NULL) {
        munmap((void *)(uintptr_t)replay->file, replay->file_bytes);
    }
    free(replay);
}

static enum replay_progress broken(struct replay *replay, const char *reason)
{
    snprintf(replay->message, sizeof replay->message, "%s", reason);
    replay->segments_left = 0;
    replay->segment_end = replay->at;
    return REPLAY_BROKEN;
}

/* ---- Segments ---------------------------------------------------------------------------------------------------- */

static bool params_are_sound(const struct node_params *params)
{
    return layout_is_valid(&params->header.layout) && timings_check(&params->header.timings) == TIMINGS_OK &&
           params->header.disk_count >= 1 && params->header.disk_count <= DISKS_MAX && params->depth >= 1 &&
           params->depth <= NODE_DEPTH_MAX && params->roles_max >= 1 && params->roles_max <= NODE_ROLES_MAX;
}

static enum replay_progress enter_segment(struct replay *replay)
{
    struct recorder_segment_head head;
    leave_segment(replay);
    if (replay->file_bytes - replay->at < sizeof head) {
        return broken(replay, "the file ends too early");
    }
    memcpy(&head, replay->file + replay->at, sizeof head);
    replay->at += sizeof head;
    size_t left = replay->file_bytes - replay->at;
    if (head.head_checksum != crc32c(&head, offsetof(struct recorder_segment_head, head_checksum))) {
        return broken(replay, "the file is damaged");
    }
    if (!params_are_sound(&head.params) || head.node_bytes != node_bytes(&head.params) || head.node_bytes > left ||
        head.event_bytes > left - head.node_bytes) {
        return broken(replay, "the file ends too early, or was written by another build");
    }
    const uint8_t *node_copy = replay->file + replay->at;
    if (head.node_checksum != crc32c(node_copy, head.node_bytes) ||
        head.event_checksum != crc32c(node_copy + head.node_bytes, head.event_bytes)) {
        return broken(replay, "the file is damaged");
    }
    replay->params = head.params;
    replay->memory = malloc(head.node_bytes);
    replay->row_memory = malloc(recording_bytes(&head.params.header.layout));
    if (replay->memory == NULL || replay->row_memory == NULL) {
        return broken(replay, "not enough memory");
    }
    memcpy(replay->memory, node_copy, head.node_bytes);
    replay->at += head.node_bytes;
    replay->segment_end = replay->at + head.event_bytes;
    replay->node = node_adopt(replay->memory, &replay->params);
    recording_init(&replay->recording, &head.params.header.layout, replay->row_memory);
    memcpy(replay->recording.requests, head.requests, sizeof head.requests);
    replay->segments_left--;
    replay->number = 0;
    return REPLAY_SEGMENT;
}

/* ---- Steps ------------------------------------------------------------------------------------------------------- */

enum replay_progress replay_next(struct replay *replay, struct replay_step *ret)
{
    if (replay->at == replay->segment_end) {
        return replay->segments_left > 0 ? enter_segment(replay) : REPLAY_END;
    }
    struct replay_step step = {.number = ++replay->number};
    size_t used = recording_read_event(&replay->recording, replay->file + replay->at, replay->segment_end - replay->at,
                                       &step.event, &replay->text);
    if (used == 0) {
        return broken(replay, "an event is damaged");
    }
    replay->at += used;
    if (step.event.kind == EVENT_IO) {
        replay->request = replay->recording.requests[step.event.as.io.tag];
        step.request = &replay->request;
    }
    node_step(replay->node, &step.event, &step.actions);
    used = recording_read_actions(&replay->recording, replay->file + replay->at, replay->segment_end - replay->at,
                                  &step.actions, &step.is_same);
    if (used == 0) {
        return broken(replay, "the actions of a step are missing");
    }
    replay->at += used;
    *ret = step;
    return REPLAY_STEP;
}

const struct node *replay_node(const struct replay *replay)
{
    return replay->node;
}

const struct node_params *replay_params(const struct replay *replay)
{
    return replay->node == NULL ? NULL : &replay->params;
}

const char *replay_message(const struct replay *replay)
{
    return replay->message;
}
