/*
 * The flight recorder over a real node: two segments that take turns with requests in flight, and saving while it goes on.
 * What is saved is judged by a replay, in which every step must come to the recorded actions.
 */
#include "runtime/recorder.h"
#include "runtime/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(bool is_true, const char *condition, int line)
{
    if (!is_true) {
        fprintf(stderr, "recorder_test.c:%d: this does not hold: %s\n", line, condition);
        exit(1);
    }
}

/* A node whose disks answer late, and with errors: there is always something in flight. */
struct scene {
    struct area_list areas;
    struct node_params params;
    struct node *node;
    struct recorder *recorder;
    struct io_action requests[RECORDING_TAGS_MAX];
    uint32_t request_count;
    uint32_t steps_in_flight; /* steps that began with requests in flight */
    uint32_t answers;
    int64_t now_ns;
};

static void scene_make(struct scene *scene)
{
    void *memory;
    *scene = (struct scene){.now_ns = NS_PER_S};
    scene->params = (struct node_params){
        .header = {.disk_count = 3,
                   .layout = {.block_bytes = 512, .slots = 4, .registers = 8},
                   .timings = {.lease_ns = 10 * NS_PER_S,
                               .renew_ns = NS_PER_S,
                               .io_deadline_ns = NS_PER_S / 2,
                               .quarantine_ns = 60 * NS_PER_S,
                               .drift_ppm = 5000}},
        .depth = 8,
        .roles_max = 8,
        .name = "recorded",
        .seed = {1, 2},
    };
    CHECK(area_map(&scene->areas, node_bytes(&scene->params), &memory) == 0);
    CHECK(recorder_map(&scene->areas, &scene->params, &scene->recorder) == 0 && scene->recorder != NULL);
    scene->node = node_init(memory, &scene->params);
    recorder_begin(scene->recorder, &scene->params, scene->node);
}

static void step(struct scene *scene, struct event *event)
{
    struct actions actions;
    scene->steps_in_flight += scene->request_count > 0;
    event->fast_ns = event->slow_ns = event->wall_ns = scene->now_ns += NS_PER_S / 50;
    recorder_event(scene->recorder, event);
    node_step(scene->node, event, &actions);
    recorder_actions(scene->recorder, &actions);
    for (uint32_t i = 0; i < actions.io_count; i++) {
        CHECK(scene->request_count < RECORDING_TAGS_MAX);
        scene->requests[scene->request_count++] = actions.ios[i];
    }
}

/* The oldest request is answered: a read with a row of noise, which the recorder keeps by what was asked for; else an error. */
static struct event answer(struct scene *scene, uint8_t row[2048])
{
    struct io_action request = scene->requests[0];
    scene->request_count--;
    memmove(scene->requests, scene->requests + 1, scene->request_count * sizeof scene->requests[0]);
    memset(row, (int)(scene->now_ns % 251), 2048);
    bool is_read = request.operation == IO_READ;
    return (struct event){.kind = EVENT_IO,
                          .as.io = {.tag = request.tag, .is_read_ok = is_read, .bytes = is_read ? row : NULL}};
}

/* Ticks, and the answers to what has waited. */
static void run(struct scene *scene, uint32_t steps)
{
    for (uint32_t i = 0; i < steps; i++) {
        uint8_t row[2048];
        struct event event = {.kind = EVENT_TICK};
        if (i % 7 == 6 && scene->request_count > 1) {
            scene->answers++;
            event = answer(scene, row);
        }
        step(scene, &event);
    }
}

/* What a file holds: segments, and the steps of each, all of which came out as they were. */
struct content {
    uint32_t segments;
    uint32_t steps[RECORDER_SEGMENTS];
};

static struct content replay_all(int fd)
{
    char path[64], message[256] = "";
    struct replay *replay;
    struct replay_step done;
    struct content content = {.segments = 0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (replay_open(path, &replay, message, sizeof message) != 0) {
        fprintf(stderr, "replay: %s\n", message);
        exit(1);
    }
    for (enum replay_progress progress = replay_next(replay, &done); progress != REPLAY_END;
         progress = replay_next(replay, &done)) {
        CHECK(progress != REPLAY_BROKEN);
        content.segments += progress == REPLAY_SEGMENT;
        CHECK(content.segments >= 1 && content.segments <= RECORDER_SEGMENTS);
        if (progress == REPLAY_STEP) {
            CHECK(done.is_same);
            content.steps[content.segments - 1]++;
        }
    }
    replay_close(replay);
    return content;
}

static struct content save(struct scene *scene)
{
    int fd = memfd_create("recording", MFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(recorder_save(scene->recorder, fd) == 0);
    struct content content = replay_all(fd);
    close(fd);
    return content;
}

static void test_turns(void)
{
    struct scene scene;
    scene_make(&scene);
    run(&scene, 100);
    struct content content = save(&scene);
    CHECK(content.segments == 1 && content.steps[0] == 100);
    run(&scene, RECORDER_STEPS - 100);
    content = save(&scene);
    CHECK(content.segments == 1 && content.steps[0] == RECORDER_STEPS);
    CHECK(scene.request_count > 0);
    run(&scene, 1);
    content = save(&scene);
    CHECK(content.segments == 2 && content.steps[0] == RECORDER_STEPS && content.steps[1] == 1);
    run(&scene, RECORDER_STEPS + 6);
    content = save(&scene);
    CHECK(content.segments == 2 && content.steps[0] == RECORDER_STEPS && content.steps[1] == 7);
    CHECK(scene.steps_in_flight > RECORDER_STEPS && scene.answers > RECORDER_STEPS / 10);
    area_unmap_all(&scene.areas);
}

/* ---- Saving while it goes on ----------------------------------------------------------------------------------------- */

struct saving {
    struct recorder *recorder;
    int fd;
    int result;
};

static void *save_into(void *context)
{
    struct saving *saving = context;
    saving->result = recorder_save(saving->recorder, saving->fd);
    close(saving->fd);
    return NULL;
}

/* A pipe that nobody empties keeps the first saver; the node goes on, and what does not fit is not recorded. */
static void test_saving_meanwhile(void)
{
    struct scene scene;
    pthread_t thread;
    int pipe_fds[2];
    char bytes[4096];
    scene_make(&scene);
    run(&scene, RECORDER_STEPS + 50);
    CHECK(pipe2(pipe_fds, O_CLOEXEC) == 0);
    struct saving saving = {.recorder = scene.recorder, .fd = pipe_fds[1], .result = 1};
    CHECK(pthread_create(&thread, NULL, save_into, &saving) == 0);
    ssize_t count = read(pipe_fds[0], bytes, sizeof bytes);
    CHECK(count > 0);
    int copy = memfd_create("slow recording", MFD_CLOEXEC);
    CHECK(copy >= 0 && write(copy, bytes, (size_t)count) == count);

    CHECK(recorder_save(scene.recorder, -1) == -EBUSY);
    run(&scene, 2 * RECORDER_STEPS);
    CHECK(recorder_save(scene.recorder, -1) == -EBUSY);
    while ((count = read(pipe_fds[0], bytes, sizeof bytes)) > 0) {
        CHECK(write(copy, bytes, (size_t)count) == count);
    }
    CHECK(pthread_join(thread, NULL) == 0 && saving.result == 0);
    close(pipe_fds[0]);
    struct content content = replay_all(copy);
    CHECK(content.segments == 2 && content.steps[0] == RECORDER_STEPS && content.steps[1] >= 50);
    close(copy);

    run(&scene, 5);
    content = save(&scene);
    CHECK(content.segments == 2 && content.steps[0] == RECORDER_STEPS && content.steps[1] == 5);
    CHECK(recorder_save(scene.recorder, -1) == -EBADF);
    CHECK(recorder_save(NULL, -1) == -EOPNOTSUPP);
    area_unmap_all(&scene.areas);
}

int main(void)
{
    test_turns();
    test_saving_meanwhile();
    return 0;
}
