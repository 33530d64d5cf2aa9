/*
 * The node thread. A turn takes in what has finished, steps the node, sends what it wants, publishes, and waits.
 *
 * Rule T1 is kept by one habit: the clocks are read after a completion has been reaped and before the node sees it, and
 * again after the submission, which may block, before anything is published. So no event carries a time from before it
 * happened, and no leadership is announced by an old clock.
 */
#include "runtime/privileges.h"
#include "runtime/state.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    PAUSE_MS = 1,     /* before a refused request is answered, or a failing engine asked again: no hot loop */
    BACKLOG_MS = 100, /* how often a full notice queue is tried again */
};

/* ---- Notices ----------------------------------------------------------------------------------------------------- */

void thread_tell_role(struct runtime *runtime, uint32_t role, const struct runtime_notice *notice)
{
    notice_list_put(&runtime->backlog, &runtime->roles[role].box, notice);
}

void thread_tell_node(struct runtime *runtime, const struct runtime_notice *notice)
{
    notice_list_put(&runtime->backlog, &runtime->node_box, notice);
}

/* Not announced before the clock has been read once more: see announce_elected(). */
static void take_leader(struct runtime *runtime, uint32_t role)
{
    runtime->roles[role].is_elected = true;
    for (uint32_t i = 0; i < runtime->elected_count; i++) {
        if (runtime->elected[i] == role) {
            return;
        }
    }
    assert(runtime->elected_count < runtime->params.roles_max);
    runtime->elected[runtime->elected_count++] = role;
}

/* A leadership that was never announced is not lost either. */
static void take_lost(struct runtime *runtime, const struct runtime_notice *notice)
{
    bool was_announced = runtime->roles[notice->what.role].is_announced;
    incarnation_drop_leadership(runtime, notice->what.role);
    if (was_announced) {
        thread_tell_role(runtime, notice->what.role, notice);
    }
}

void thread_end_campaign(struct runtime *runtime, const struct runtime_notice *notice)
{
    runtime->roles[notice->what.role].is_open = false;
    incarnation_drop_leadership(runtime, notice->what.role);
    thread_tell_role(runtime, notice->what.role, notice);
}

/* What a leader is to know; while it resigns it need not. */
static void take_message(struct runtime *runtime, struct runtime_notice *notice)
{
    const struct runtime_role *role = &runtime->roles[notice->what.role];
    if (role->is_open && !role->is_resigning) {
        notice->what.epoch = node_role_epoch(runtime->node, notice->what.role);
        thread_tell_role(runtime, notice->what.role, notice);
    }
}

static void take_notice(struct runtime *runtime, const struct notice *what)
{
    struct runtime_notice notice = {.what = *what, .node = node_identity(runtime->node)};
    switch (what->kind) {
    case NOTICE_LEADER:
        take_leader(runtime, what->role);
        break;
    case NOTICE_LOST:
        take_lost(runtime, &notice);
        break;
    case NOTICE_RELEASED:
    case NOTICE_REFUSED:
        thread_end_campaign(runtime, &notice);
        break;
    case NOTICE_CANDIDATE:
        thread_tell_role(runtime, what->role, &notice);
        break;
    case NOTICE_ASKED:
    case NOTICE_TRANSFER:
    case NOTICE_TRANSFER_REFUSED:
    case NOTICE_PUBLISHED:
        take_message(runtime, &notice);
        break;
    case NOTICE_CALL_ENDED:
        calls_take_end(runtime, what->call);
        break;
    case NOTICE_DISK:
        notice_list_put(&runtime->backlog, &runtime->disk_boxes[what->disk], &notice);
        break;
    case NOTICE_OVER:
        incarnation_end(runtime, what->reason, false);
        break;
    case NOTICE_JOINED:
    case NOTICE_JOIN_WAITS:
    case NOTICE_AT_RISK:
    case NOTICE_SAFE:
        thread_tell_node(runtime, &notice);
        break;
    }
}

/* ---- Events ------------------------------------------------------------------------------------------------------ */

static void advance_clock(struct runtime *runtime)
{
    turn_clock_advance(&runtime->clock, clock_read());
}

/* One step of the node, and everything it wants done but the submission. */
void thread_feed(struct runtime *runtime, struct event *event)
{
    assert(runtime->phase == PHASE_RUNNING);
    advance_clock(runtime);
    event->fast_ns = runtime->clock.fast_ns;
    event->slow_ns = runtime->clock.slow_ns;
    event->wall_ns = clock_wall_ns();
    struct actions actions;
    recorder_event(runtime->recorder, event);
    node_step(runtime->node, event, &actions);
    recorder_actions(runtime->recorder, &actions);
    for (uint32_t i = 0; i < actions.io_count; i++) {
        requests_queue(&runtime->requests, &actions.ios[i]);
    }
    runtime->wake_fast_ns = actions.wake_fast_ns;
    runtime->wake_slow_ns = actions.wake_slow_ns;
    for (uint32_t i = 0; i < actions.notice_count; i++) {
        take_notice(runtime, &actions.notices[i]);
    }
}

static void feed_io(struct runtime *runtime, const struct io_result *result)
{
    if (runtime->phase == PHASE_RUNNING) {
        struct event event = {.kind = EVENT_IO, .as.io = *result};
        thread_feed(runtime, &event);
    }
}

static void take_completions(struct runtime *runtime)
{
    struct io_result result;
    uint32_t request;
    while (requests_reap(&runtime->requests, &result, &request)) {
        feed_io(runtime, &result);
        disk_engine_release(runtime->requests.engine, request);
    }
}

/* Only those refused before this turn: what is refused while these are answered waits for the next one. */
static void answer_refused(struct runtime *runtime)
{
    struct io_result result;
    for (uint32_t count = runtime->requests.refused_count; count > 0; count--) {
        if (!requests_take_refused(&runtime->requests, &result)) {
            return;
        }
        feed_io(runtime, &result);
    }
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

static void tick(struct runtime *runtime)
{
    advance_clock(runtime);
    if (runtime->phase == PHASE_DRAINING) {
        incarnation_try_next(runtime);
        if (runtime->phase == PHASE_RUNNING) {
            commands_give_again(runtime);
            calls_give_again(runtime);
        }
    }
    bool is_due = runtime->clock.fast_ns >= runtime->wake_fast_ns || runtime->clock.slow_ns >= runtime->wake_slow_ns;
    if (runtime->phase == PHASE_RUNNING && is_due) {
        struct event event = {.kind = EVENT_TICK};
        thread_feed(runtime, &event);
    }
}

/*
 * The engine keeps what the kernel did not take, and sends it with the next call: a refused submission answers nothing,
 * because a request that may still be sent is not a request that failed (rule D2). The node's own deadlines judge it.
 * An engine that refuses for two io deadlines has failed for good.
 */
static void note_engine(struct runtime *runtime, int error)
{
    if (error == 0) {
        runtime->failing_since_fast_ns = 0;
        return;
    }
    int64_t now_ns = runtime->clock.fast_ns;
    if (runtime->failing_since_fast_ns == 0) {
        runtime->failing_since_fast_ns = now_ns;
    }
    bool is_lasting = now_ns - runtime->failing_since_fast_ns > 2 * runtime->params.header.timings.io_deadline_ns;
    if (runtime->phase == PHASE_RUNNING && is_lasting) {
        incarnation_end(runtime, OVER_STOPPED, true);
    }
}

/* ---- Publishing -------------------------------------------------------------------------------------------------- */

/*
 * Rule N5: leadership is published only inside the lease, judged by a clock read after the submission. If the lease has
 * ended meanwhile, the next turn comes at once and the node takes the leadership back unseen.
 */
static void announce_elected(struct runtime *runtime, int64_t end_ns)
{
    if (runtime->clock.fast_ns >= end_ns) {
        runtime->wake_fast_ns = runtime->clock.fast_ns;
        return;
    }
    for (uint32_t i = 0; i < runtime->elected_count; i++) {
        uint32_t role = runtime->elected[i];
        struct runtime_role *own = &runtime->roles[role];
        uint64_t epoch = node_role_epoch(runtime->node, role);
        if (!own->is_elected || epoch == 0) {
            continue;
        }
        own->is_elected = false;
        own->is_announced = true;
        own->is_try = false;
        lease_page_set_epoch(runtime->page, role, epoch);
        struct runtime_notice leader = {.what = {.kind = NOTICE_LEADER, .role = role, .epoch = epoch}};
        thread_tell_role(runtime, role, &leader);
    }
    runtime->elected_count = 0;
}

/* A later end of a lease that had one before: the owner may want to hear of it. */
static void note_renewal(struct runtime *runtime, int64_t end_ns)
{
    if (runtime->published_end_ns != 0 && end_ns > runtime->published_end_ns) {
        atomic_fetch_add_explicit(&runtime->renewals, 1, memory_order_release);
        runtime->has_news = runtime->wants_renewals;
    }
    runtime->published_end_ns = end_ns;
}

static void publish_disks(struct runtime *runtime)
{
    for (uint32_t i = 0; i < runtime->params.header.disk_count; i++) {
        struct disk_report report = node_disk(runtime->node, i);
        struct disk_cell *cell = &runtime->disk_cells[i];
        uint32_t state = (uint32_t)report.state << DISK_STATE_SHIFT | (uint32_t)report.cause;
        atomic_store_explicit(&cell->state, state, memory_order_relaxed);
        atomic_store_explicit(&cell->latency_ns, report.latency_ns, memory_order_relaxed);
    }
}

static void publish(struct runtime *runtime)
{
    advance_clock(runtime);
    int64_t end_ns = runtime->phase == PHASE_RUNNING ? node_lease_end_ns(runtime->node) : 0;
    note_renewal(runtime, end_ns);
    struct lease_view view = {.fast_ns = runtime->clock.fast_ns, .at = runtime->clock.last, .end_ns = end_ns};
    lease_page_publish(runtime->page, &view);
    if (runtime->elected_count > 0) {
        announce_elected(runtime, end_ns);
    }
    if (runtime->phase == PHASE_RUNNING) {
        publish_disks(runtime);
    }
}

/* The owner may take notices slower than they come: what does not fit into the queue waits, merged, in the backlog. */
static void send_notices(struct runtime *runtime)
{
    struct notice_box *box;
    const struct runtime_notice *notice;
    bool has_sent = runtime->has_news;
    runtime->has_news = false;
    while ((notice = notice_list_first(&runtime->backlog, &box)) != NULL && queue_put(&runtime->notices, notice)) {
        notice_list_drop_first(&runtime->backlog);
        has_sent = true;
    }
    bool is_news = runtime->phase == PHASE_ENDED && !atomic_exchange(&runtime->is_over, true);
    if (has_sent || is_news) {
        bell_ring(&runtime->notice_bell);
    }
}

/* ---- Waiting ----------------------------------------------------------------------------------------------------- */

static int64_t earlier_of(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* How long nothing needs to be done, unless something comes in. */
static int64_t idle_ns(const struct runtime *runtime)
{
    int64_t idle_ns = INT64_MAX;
    if (runtime->phase == PHASE_RUNNING) {
        idle_ns =
            earlier_of(runtime->wake_fast_ns - runtime->clock.fast_ns, runtime->wake_slow_ns - runtime->clock.slow_ns);
    } else if (runtime->phase == PHASE_DRAINING) {
        bool is_drained = runtime->requests.in_flight == 0;
        idle_ns = is_drained ? 0 : runtime->drain_end_fast_ns - runtime->clock.fast_ns;
    }
    if (runtime->requests.refused_count > 0) {
        idle_ns = earlier_of(idle_ns, PAUSE_MS * NS_PER_MS);
    }
    if (runtime->backlog.first != NULL) {
        idle_ns = earlier_of(idle_ns, BACKLOG_MS * NS_PER_MS);
    }
    return idle_ns > 0 ? idle_ns : 0;
}

/* For good: nothing is asked of the engine any more, only commands may come. */
static void wait_for_commands(struct runtime *runtime, int64_t timeout_ns)
{
    struct pollfd command = {.fd = runtime->command_bell.fd, .events = POLLIN};
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S), .tv_nsec = (long)(timeout_ns % NS_PER_S)};
    ppoll(&command, 1, timeout_ns == INT64_MAX ? NULL : &timeout, NULL);
}

static void wait_for_something(struct runtime *runtime)
{
    int64_t timeout_ns = idle_ns(runtime);
    if (runtime->phase == PHASE_ENDED) {
        wait_for_commands(runtime, timeout_ns);
        return;
    }
    int error = disk_engine_wait(runtime->requests.engine, timeout_ns == INT64_MAX ? -1 : timeout_ns);
    note_engine(runtime, error);
    if (error != 0) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * NS_PER_MS}, NULL);
    }
}

/* ---- The thread -------------------------------------------------------------------------------------------------- */

static void turn(struct runtime *runtime)
{
    take_completions(runtime);
    answer_refused(runtime);
    bell_clear(&runtime->command_bell);
    commands_take(runtime);
    calls_take(runtime);
    tick(runtime);
    int error = disk_engine_submit(runtime->requests.engine);
    if (error != 0) {
        note_engine(runtime, error);
    }
    publish(runtime);
    send_notices(runtime);
}

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
        lock_error = lease_page_lock(runtime->page, runtime->params.roles_max);
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
    int error = disk_engine_open(&runtime->set, &options, &runtime->requests.engine);
    if (error != 0) {
        return error;
    }
    tell_engine(&runtime->info, runtime->requests.engine);
    runtime->params.engine = heartbeat_engine_of(disk_engine_kind(runtime->requests.engine));
    take_privileges(runtime);
    turn_clock_init(&runtime->clock, clock_read());
    error = incarnation_begin(runtime, (struct node_id){0});
    if (error != 0) {
        disk_engine_close(runtime->requests.engine);
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
        turn(runtime);
        /* Once more: the turn has cleared the bell, and with it what may have been the only ring for this. */
        if (!atomic_load(&runtime->must_stop)) {
            wait_for_something(runtime);
        }
    }
    disk_engine_close(runtime->requests.engine);
    return NULL;
}
