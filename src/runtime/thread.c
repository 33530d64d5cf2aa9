/* The node thread: runs one turn after the other, waits in between, and rings where others wait. */
#include "runtime/privileges.h"
#include "runtime/state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

enum { FAILING_PAUSE_MS = 1 }; /* before a failing engine is asked again: no hot loop */

/* ---- What the turn gets ------------------------------------------------------------------------------------------ */

static struct clock_reading read_clock(void *context)
{
    (void)context;
    return clock_read();
}

static int64_t read_wall_clock(void *context)
{
    (void)context;
    return clock_wall_ns();
}

/* Draws the only randomness a node ever gets. */
static int draw_seed(void *context, uint64_t ret_seed[2])
{
    (void)context;
    size_t bytes = 2 * sizeof ret_seed[0];
    ssize_t got = getrandom(ret_seed, bytes, 0);
    if (got < 0) {
        return -errno;
    }
    return (size_t)got == bytes ? 0 : -EIO;
}

static int wipe_node(void *context, void *memory)
{
    struct runtime *runtime = context;
    return area_wipe(&runtime->areas, memory);
}

static void note_begin(void *context, const struct node_params *params, const struct node *node)
{
    const struct runtime *runtime = context;
    recorder_begin(runtime->recorder, params, node);
}

static void note_event(void *context, const struct event *event)
{
    const struct runtime *runtime = context;
    recorder_event(runtime->recorder, event);
}

static void note_actions(void *context, const struct actions *actions)
{
    const struct runtime *runtime = context;
    recorder_actions(runtime->recorder, actions);
}

static struct turn_port port_of(struct runtime *runtime)
{
    return (struct turn_port){
        .context = runtime,
        .read_clock = read_clock,
        .read_wall_clock = read_wall_clock,
        .draw_seed = draw_seed,
        .wipe_node = wipe_node,
        .note_begin = note_begin,
        .note_event = note_event,
        .note_actions = note_actions,
    };
}

/* ---- Waiting ----------------------------------------------------------------------------------------------------- */

/* For good: nothing is asked of the engine any more, only commands may come. */
static void wait_for_commands(struct runtime *runtime, int64_t timeout_ns)
{
    struct pollfd command = {.fd = runtime->command_bell.fd, .events = POLLIN};
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S), .tv_nsec = (long)(timeout_ns % NS_PER_S)};
    ppoll(&command, 1, timeout_ns == INT64_MAX ? NULL : &timeout, NULL);
}

static void wait_for_something(struct runtime *runtime)
{
    int64_t timeout_ns = turn_idle_ns(&runtime->turn);
    if (runtime->turn.phase == PHASE_ENDED) {
        wait_for_commands(runtime, timeout_ns);
        return;
    }
    int error = disk_engine_wait(runtime->turn.requests.engine, timeout_ns == INT64_MAX ? -1 : timeout_ns);
    turn_note_engine(&runtime->turn, error);
    if (error != 0) {
        nanosleep(&(struct timespec){.tv_nsec = FAILING_PAUSE_MS * NS_PER_MS}, NULL);
    }
}

/* ---- The thread -------------------------------------------------------------------------------------------------- */

static uint32_t heartbeat_engine_of(enum disk_engine_kind kind)
{
    switch (kind) {
    case DISK_ENGINE_IO_URING:
        return ENGINE_IO_URING;
    case DISK_ENGINE_LIBAIO:
        return ENGINE_LIBAIO;
    case DISK_ENGINE_SIMULATED:
        return ENGINE_SIMULATED;
    case DISK_ENGINE_AUTO:
        break;
    }
    return ENGINE_UNKNOWN;
}

static void take_privileges(struct runtime *runtime)
{
    int lock_error = area_lock_all(&runtime->areas);
    if (lock_error == 0) {
        lock_error = lease_page_lock(runtime->turn.page, runtime->turn.params.roles_max);
    }
    if (lock_error == 0) {
        lock_error = privileges_lock_stack();
    }
    int realtime_error = privileges_take_realtime();
    struct runtime_info *info = &runtime->info;
    info->is_locked = lock_error == 0;
    info->is_realtime = realtime_error == 0;
    privileges_explain(realtime_error, lock_error, info->warning, sizeof info->warning);
}

static void tell_engine(struct runtime_info *info, const struct disk_engine *engine)
{
    const char *warning = disk_engine_warning(engine);
    info->engine = disk_engine_name(engine);
    info->is_other_engine = *warning != '\0';
    snprintf(info->warning, sizeof info->warning, "%s", warning);
}

/* The engine is opened here because an engine may be bound to the thread that made it. */
static int start(struct runtime *runtime)
{
    struct disk_engine_options options = {
        .kind = runtime->engine_kind, .depth = runtime->engine_depth, .wake_fd = runtime->command_bell.fd};
    int error = disk_engine_open(&runtime->set, &options, &runtime->turn.requests.engine);
    if (error != 0) {
        return error;
    }
    tell_engine(&runtime->info, runtime->turn.requests.engine);
    runtime->turn.params.engine = heartbeat_engine_of(disk_engine_kind(runtime->turn.requests.engine));
    take_privileges(runtime);
    runtime->turn.port = port_of(runtime);
    error = turn_begin(&runtime->turn);
    if (error != 0) {
        disk_engine_close(runtime->turn.requests.engine);
    }
    return error;
}

void *thread_main(void *argument)
{
    struct runtime *runtime = argument;
    runtime->start_error = start(runtime);
    bool is_running = runtime->start_error == 0;
    sem_post(&runtime->started);
    if (!is_running) {
        return NULL;
    }
    while (!atomic_load(&runtime->must_stop)) {
        /* Cleared before the turn looks at the queues, so that what comes during it is not forgotten. */
        bell_clear(&runtime->command_bell);
        if (turn_run(&runtime->turn)) {
            bell_ring(&runtime->notice_bell);
        }
        /* Once more: that clearing may have taken the only ring for this. */
        if (!atomic_load(&runtime->must_stop)) {
            wait_for_something(runtime);
        }
    }
    disk_engine_close(runtime->turn.requests.engine);
    return NULL;
}
