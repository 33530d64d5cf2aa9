/*
 * Rule T1 is kept by one habit: the clocks are read after a completion has been reaped and before the node sees it, and
 * again after the submission, which may block, before anything is published. So no event carries a time from before it
 * happened, and no leadership is announced by an old clock.
 */
#include "runtime/turn.h"

#include <assert.h>

enum {
    REFUSED_PAUSE_MS = 1, /* before a refused request is answered: no hot loop */
    BACKLOG_MS = 100,     /* how often a full notice queue is tried again */
};

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

struct turn_memory {
    turn_map_function *map;
    void *context;
    int error; /* the first; then nothing more is mapped */
};

static void *map_array(struct turn_memory *memory, size_t count, size_t element_bytes)
{
    void *array = NULL;
    if (memory->error == 0) {
        memory->error = memory->map(memory->context, count * element_bytes, &array);
    }
    return memory->error == 0 ? array : NULL;
}

static void map_queue(struct turn_memory *memory, struct queue *queue, size_t room, size_t element_bytes)
{
    queue_init(queue, map_array(memory, room, element_bytes), room, element_bytes);
}

int turn_map(struct turn *turn, size_t notice_room, turn_map_function *map, void *context)
{
    struct turn_memory memory = {.map = map, .context = context};
    uint32_t roles_max = turn->params.roles_max;
    map_queue(&memory, &turn->commands, (size_t)roles_max * COMMANDS_PER_ROLE + 1, sizeof(struct command));
    map_queue(&memory, &turn->call_orders, (size_t)NODE_CALLS_MAX * ORDERS_PER_CALL, sizeof(struct call_order));
    map_queue(&memory, &turn->notices, notice_room, sizeof(struct runtime_notice));
    turn->roles = map_array(&memory, roles_max, sizeof *turn->roles);
    turn->elected = map_array(&memory, roles_max, sizeof *turn->elected);
    turn->payload_boxes = map_array(&memory, roles_max, sizeof *turn->payload_boxes);
    turn->node_memory = map_array(&memory, 1, node_bytes(&turn->params));
    return memory.error;
}

/* ---- Notices ----------------------------------------------------------------------------------------------------- */

void turn_tell_role(struct turn *turn, uint32_t role, const struct runtime_notice *notice)
{
    notice_list_put(&turn->backlog, &turn->roles[role].box, notice);
}

void turn_tell_node(struct turn *turn, const struct runtime_notice *notice)
{
    notice_list_put(&turn->backlog, &turn->node_box, notice);
}

/* Not announced before the clock has been read once more: see announce_elected(). */
static void take_leader(struct turn *turn, uint32_t role)
{
    turn->roles[role].is_elected = true;
    for (uint32_t i = 0; i < turn->elected_count; i++) {
        if (turn->elected[i] == role) {
            return;
        }
    }
    assert(turn->elected_count < turn->params.roles_max);
    turn->elected[turn->elected_count++] = role;
}

/* A leadership that was never announced is not lost either. */
static void take_lost(struct turn *turn, const struct runtime_notice *notice)
{
    bool was_announced = turn->roles[notice->what.role].is_announced;
    incarnation_drop_leadership(turn, notice->what.role);
    if (was_announced) {
        turn_tell_role(turn, notice->what.role, notice);
    }
}

void turn_end_campaign(struct turn *turn, const struct runtime_notice *notice)
{
    turn->roles[notice->what.role].is_open = false;
    incarnation_drop_leadership(turn, notice->what.role);
    turn_tell_role(turn, notice->what.role, notice);
}

/* What a leader is to know; while it resigns it need not. */
static void take_message(struct turn *turn, struct runtime_notice *notice)
{
    const struct runtime_role *role = &turn->roles[notice->what.role];
    if (role->is_open && !role->is_resigning) {
        notice->what.epoch = node_role_epoch(turn->node, notice->what.role);
        turn_tell_role(turn, notice->what.role, notice);
    }
}

static void take_notice(struct turn *turn, const struct notice *what)
{
    struct runtime_notice notice = {.what = *what, .node = node_identity(turn->node)};
    switch (what->kind) {
    case NOTICE_LEADER:
        take_leader(turn, what->role);
        break;
    case NOTICE_LOST:
        take_lost(turn, &notice);
        break;
    case NOTICE_RELEASED:
    case NOTICE_REFUSED:
        turn_end_campaign(turn, &notice);
        break;
    case NOTICE_CANDIDATE:
        turn_tell_role(turn, what->role, &notice);
        break;
    case NOTICE_ASKED:
    case NOTICE_TRANSFER:
    case NOTICE_TRANSFER_REFUSED:
    case NOTICE_PUBLISHED:
        take_message(turn, &notice);
        break;
    case NOTICE_CALL_ENDED:
        calls_take_end(turn, what->call);
        break;
    case NOTICE_DISK:
        notice_list_put(&turn->backlog, &turn->disk_boxes[what->disk], &notice);
        break;
    case NOTICE_OVER:
        incarnation_end(turn, what->reason, false);
        break;
    case NOTICE_JOINED:
    case NOTICE_JOIN_WAITS:
    case NOTICE_AT_RISK:
    case NOTICE_SAFE:
        turn_tell_node(turn, &notice);
        break;
    }
}

/* ---- Events ------------------------------------------------------------------------------------------------------ */

static void advance_clock(struct turn *turn)
{
    turn_clock_advance(&turn->clock, turn->port.read_clock(turn->port.context));
}

/* One step of the node, and everything it wants done but the submission. */
void turn_feed(struct turn *turn, struct event *event)
{
    assert(turn->phase == PHASE_RUNNING);
    advance_clock(turn);
    event->fast_ns = turn->clock.fast_ns;
    event->slow_ns = turn->clock.slow_ns;
    event->wall_ns = turn->port.read_wall_clock(turn->port.context);
    struct actions actions;
    turn->port.note_event(turn->port.context, event);
    node_step(turn->node, event, &actions);
    turn->port.note_actions(turn->port.context, &actions);
    for (uint32_t i = 0; i < actions.io_count; i++) {
        requests_queue(&turn->requests, &actions.ios[i]);
    }
    turn->wake_fast_ns = actions.wake_fast_ns;
    turn->wake_slow_ns = actions.wake_slow_ns;
    for (uint32_t i = 0; i < actions.notice_count; i++) {
        take_notice(turn, &actions.notices[i]);
    }
}

static void feed_io(struct turn *turn, const struct io_result *result)
{
    if (turn->phase == PHASE_RUNNING) {
        struct event event = {.kind = EVENT_IO, .as.io = *result};
        turn_feed(turn, &event);
    }
}

static void take_completions(struct turn *turn)
{
    struct io_result result;
    uint32_t request;
    while (requests_reap(&turn->requests, &result, &request)) {
        feed_io(turn, &result);
        disk_engine_release(turn->requests.engine, request);
    }
}

/* Only those refused before this turn: what is refused while these are answered waits for the next one. */
static void answer_refused(struct turn *turn)
{
    struct io_result result;
    for (uint32_t count = turn->requests.refused_count; count > 0; count--) {
        if (!requests_take_refused(&turn->requests, &result)) {
            return;
        }
        feed_io(turn, &result);
    }
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

static void tick(struct turn *turn)
{
    advance_clock(turn);
    if (turn->phase == PHASE_DRAINING) {
        incarnation_try_next(turn);
        if (turn->phase == PHASE_RUNNING) {
            commands_give_again(turn);
            calls_give_again(turn);
        }
    }
    bool is_due = turn->clock.fast_ns >= turn->wake_fast_ns || turn->clock.slow_ns >= turn->wake_slow_ns;
    if (turn->phase == PHASE_RUNNING && is_due) {
        struct event event = {.kind = EVENT_TICK};
        turn_feed(turn, &event);
    }
}

/*
 * The engine keeps what the kernel did not take, and sends it with the next call: a refused submission answers nothing,
 * because a request that may still be sent is not a request that failed (rule D2). The node's own deadlines judge it.
 * An engine that refuses for two io deadlines has failed for good.
 */
void turn_note_engine(struct turn *turn, int error)
{
    if (error == 0) {
        turn->failing_since_fast_ns = 0;
        return;
    }
    int64_t now_ns = turn->clock.fast_ns;
    if (turn->failing_since_fast_ns == 0) {
        turn->failing_since_fast_ns = now_ns;
    }
    bool is_lasting = now_ns - turn->failing_since_fast_ns > 2 * turn->params.header.timings.io_deadline_ns;
    if (turn->phase == PHASE_RUNNING && is_lasting) {
        incarnation_end(turn, OVER_STOPPED, true);
    }
}

/* ---- Publishing -------------------------------------------------------------------------------------------------- */

/*
 * Rule N5: leadership is published only inside the lease, judged by a clock read after the submission. If the lease has
 * ended meanwhile, the next turn comes at once and the node takes the leadership back unseen.
 */
static void announce_elected(struct turn *turn, int64_t end_ns)
{
    if (turn->clock.fast_ns >= end_ns) {
        turn->wake_fast_ns = turn->clock.fast_ns;
        return;
    }
    for (uint32_t i = 0; i < turn->elected_count; i++) {
        uint32_t role = turn->elected[i];
        struct runtime_role *own = &turn->roles[role];
        uint64_t epoch = node_role_epoch(turn->node, role);
        if (!own->is_elected || epoch == 0) {
            continue;
        }
        own->is_elected = false;
        own->is_announced = true;
        own->is_try = false;
        lease_page_set_epoch(turn->page, role, epoch);
        struct runtime_notice leader = {.what = {.kind = NOTICE_LEADER, .role = role, .epoch = epoch}};
        turn_tell_role(turn, role, &leader);
    }
    turn->elected_count = 0;
}

/* A later end of a lease that had one before: the owner may want to hear of it. */
static void note_renewal(struct turn *turn, int64_t end_ns)
{
    if (turn->published_end_ns != 0 && end_ns > turn->published_end_ns) {
        atomic_fetch_add_explicit(&turn->renewals, 1, memory_order_release);
        turn->has_news = turn->wants_renewals;
    }
    turn->published_end_ns = end_ns;
}

static void publish_disks(struct turn *turn)
{
    for (uint32_t i = 0; i < turn->params.header.disk_count; i++) {
        struct disk_report report = node_disk(turn->node, i);
        struct disk_cell *cell = &turn->disk_cells[i];
        uint32_t state = (uint32_t)report.state << DISK_STATE_SHIFT | (uint32_t)report.cause;
        atomic_store_explicit(&cell->state, state, memory_order_relaxed);
        atomic_store_explicit(&cell->latency_ns, report.latency_ns, memory_order_relaxed);
    }
}

static void publish(struct turn *turn)
{
    advance_clock(turn);
    int64_t end_ns = turn->phase == PHASE_RUNNING ? node_lease_end_ns(turn->node) : 0;
    note_renewal(turn, end_ns);
    struct lease_view view = {.fast_ns = turn->clock.fast_ns, .at = turn->clock.last, .end_ns = end_ns};
    lease_page_publish(turn->page, &view);
    if (turn->elected_count > 0) {
        announce_elected(turn, end_ns);
    }
    if (turn->phase == PHASE_RUNNING) {
        publish_disks(turn);
    }
}

/* The owner may take notices slower than they come: what does not fit into the queue waits, merged, in the backlog. */
static bool send_notices(struct turn *turn)
{
    struct notice_box *box;
    const struct runtime_notice *notice;
    bool has_sent = turn->has_news;
    turn->has_news = false;
    while ((notice = notice_list_first(&turn->backlog, &box)) != NULL && queue_put(&turn->notices, notice)) {
        notice_list_drop_first(&turn->backlog);
        has_sent = true;
    }
    bool is_news = turn->phase == PHASE_ENDED && !atomic_exchange(&turn->is_over, true);
    return has_sent || is_news;
}

/* ---- The turn ---------------------------------------------------------------------------------------------------- */

int turn_begin(struct turn *turn)
{
    turn_clock_init(&turn->clock, turn->port.read_clock(turn->port.context));
    return incarnation_begin(turn, (struct node_id){0});
}

bool turn_run(struct turn *turn)
{
    take_completions(turn);
    answer_refused(turn);
    commands_take(turn);
    calls_take(turn);
    tick(turn);
    int error = disk_engine_submit(turn->requests.engine);
    if (error != 0) {
        turn_note_engine(turn, error);
    }
    publish(turn);
    return send_notices(turn);
}

static int64_t earlier_of(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* How long nothing needs to be done, unless something comes in. */
int64_t turn_idle_ns(const struct turn *turn)
{
    int64_t idle_ns = INT64_MAX;
    if (turn->phase == PHASE_RUNNING) {
        idle_ns = earlier_of(turn->wake_fast_ns - turn->clock.fast_ns, turn->wake_slow_ns - turn->clock.slow_ns);
    } else if (turn->phase == PHASE_DRAINING) {
        bool is_drained = turn->requests.in_flight == 0;
        idle_ns = is_drained ? 0 : turn->drain_end_fast_ns - turn->clock.fast_ns;
    }
    if (turn->requests.refused_count > 0) {
        idle_ns = earlier_of(idle_ns, REFUSED_PAUSE_MS * NS_PER_MS);
    }
    if (turn->backlog.first != NULL) {
        idle_ns = earlier_of(idle_ns, BACKLOG_MS * NS_PER_MS);
    }
    return idle_ns > 0 ? idle_ns : 0;
}
