#include "protocol/state.h"

#include "block/name.h"

#include <assert.h>
#include <string.h>

/* ---- Memory ----------------------------------------------------------------------------------------------------------- */

/* Hands out parts of the caller's memory; with base NULL it only counts. */
struct arena {
    uint8_t *base;
    size_t used;
};

static void *arena_take(struct arena *arena, size_t count, size_t bytes)
{
    void *part = arena->base == NULL ? NULL : arena->base + arena->used;
    size_t align = _Alignof(max_align_t);
    arena->used += (count * bytes + align - 1) / align * align;
    return part;
}

/* Lays out everything behind the node; called once to count and once to assign. */
static void node_place_parts(struct node *node, const struct node_params *params, struct arena *arena)
{
    const struct layout *layout = &params->header.layout;
    uint32_t disks = params->header.disk_count;
    uint32_t per_disk = params->depth + NODE_RESERVED;
    uint32_t entries = disks * per_disk;
    node->io.per_disk = per_disk;
    node->io.entries = arena_take(arena, entries, sizeof(struct io));
    uint8_t *blocks = arena_take(arena, entries, layout->block_bytes);
    node->io_actions = arena_take(arena, entries, sizeof(struct io_action));
    node->notice_room = 2 * params->roles_max + 2 * NODE_CALLS_MAX + layout->slots + 16 + DISKS_MAX;
    node->notices = arena_take(arena, node->notice_room, sizeof(struct notice));
    node->watch.entries = arena_take(arena, (size_t)layout->slots * WATCH_PER_SLOT, sizeof(struct watch_entry));
    node->peers = arena_take(arena, (size_t)layout->slots * WATCH_PER_SLOT, sizeof(struct peer));
    node->claim.sights = arena_take(arena, (size_t)layout->slots * disks, sizeof(struct claim_sight));
    node->claim.foreign_slow_ns = arena_take(arena, layout->slots, sizeof(int64_t));
    node->claim.retired = arena_take(arena, (size_t)layout->slots * RETIRED_PER_SLOT, sizeof(uint64_t));
    node->registers.rows = arena_take(arena, layout_rows(layout) - ROW_LEDGER_FIRST, sizeof(struct row_state));
    node->registers.ops = arena_take(arena, params->depth, sizeof(struct op));
    node->roles.roles = arena_take(arena, params->roles_max, sizeof(struct role));
    for (uint32_t i = 0; arena->base != NULL && i < entries; i++) {
        node->io.entries[i].block = blocks + (size_t)i * layout->block_bytes;
    }
}

size_t node_bytes(const struct node_params *params)
{
    struct node scratch;
    struct arena arena = {0};
    arena_take(&arena, 1, sizeof scratch);
    node_place_parts(&scratch, params, &arena);
    return arena.used;
}

static struct node *node_place(void *memory, const struct node_params *params)
{
    struct arena arena = {.base = memory};
    struct node *node = arena_take(&arena, 1, sizeof *node);
    node_place_parts(node, params, &arena);
    return node;
}

struct node *node_init(void *memory, const struct node_params *params)
{
    assert(params->depth >= 1 && params->depth <= NODE_DEPTH_MAX);
    assert(params->roles_max >= 1 && params->roles_max <= NODE_ROLES_MAX);
    assert(layout_is_valid(&params->header.layout));
    assert(timings_check(&params->header.timings) == TIMINGS_OK);
    struct node *node = node_place(memory, params);
    node->params = *params;
    node->set_tag = set_header_tag(&params->header);
    node->disk_count = params->header.disk_count;
    if (node->params.poll_ns == 0) {
        node->params.poll_ns = params->header.timings.renew_ns / 4;
    }
    node->exchange_ns = NS_PER_MS;
    random_seed(&node->random, params->seed);
    int64_t watch_ns = timings_watch_ns(&params->header.timings);
    watch_begin(&node->watch, node->watch.entries, params->header.layout.slots, node->disk_count, watch_ns);
    node->stage = NODE_JOINING;
    node->roles.due_fast_ns = INT64_MAX;
    node->ledger.due_slow_ns = INT64_MAX;
    node->io.deadline_fast_ns = INT64_MAX;
    claim_begin(node);
    return node;
}

void node_copy(const struct node *node, void *to)
{
    memcpy(to, node, node_bytes(&node->params));
    struct node *copy = node_place(to, &node->params);
    for (uint32_t i = 0; i < node->params.depth; i++) {
        op_task_pack(&copy->registers.ops[i]);
    }
}

struct node *node_adopt(void *copy, const struct node_params *params)
{
    struct node *node = node_place(copy, params);
    for (uint32_t i = 0; i < params->depth; i++) {
        op_task_unpack(&node->registers.ops[i]);
    }
    return node;
}

/* ---- Stages ------------------------------------------------------------------------------------------------------------ */

struct notice *node_notify(struct node *node, enum notice_kind kind)
{
    assert(node->notice_count < node->notice_room);
    struct notice *notice = &node->notices[node->notice_count++];
    memset(notice, 0, sizeof *notice);
    notice->kind = kind;
    return notice;
}

void node_go_over(struct node *node, enum over_reason reason)
{
    if (node->stage == NODE_OVER) {
        return;
    }
    role_lose_all(node, reason);
    call_lose_all(node);
    node->stage = NODE_OVER;
    node->io.in_flight -= node->io_action_count; /* T4: what this step wanted to submit is not submitted */
    node->io_action_count = 0;
    node_notify(node, NOTICE_OVER)->reason = reason;
}

/* T4: judged at the start of every step, by the time read after the completions were reaped (T1). */
static void node_check_lease(struct node *node)
{
    if (lease_has_ended(&node->lease, node->fast_ns)) {
        node_go_over(node, OVER_LEASE);
    }
}

static void node_check_risk(struct node *node)
{
    if (!node->lease.is_real || node->stage != NODE_ACTIVE) {
        return;
    }
    int64_t risk_ns = node->lease.end_ns - node->lease.lease_ns / 2;
    bool is_at_risk = node->fast_ns >= risk_ns;
    if (is_at_risk != node->is_at_risk) {
        node->is_at_risk = is_at_risk;
        node_notify(node, is_at_risk ? NOTICE_AT_RISK : NOTICE_SAFE);
    }
    node_wake_fast(node, is_at_risk ? node->lease.end_ns : risk_ns);
}

static void node_leave(struct node *node)
{
    if (node->stage == NODE_JOINING) {
        node_go_over(node, node->claim.stage == CLAIM_FIRST ? OVER_STOPPED : OVER_LEFT);
    } else if (node->stage == NODE_ACTIVE) {
        node->stage = NODE_LEAVING;
        node->leave_fast_ns = node->fast_ns + node_timings(node)->lease_ns;
        role_resign_all(node);
        call_leave_all(node);
    }
}

/* T9: once every role is resigned no new heartbeat begins; with nothing in flight any more, `left` is written. */
static void node_run_leaving(struct node *node)
{
    int64_t patience_ns = 2 * node_timings(node)->io_deadline_ns;
    if (!role_are_all_idle(node) || node->registers.running > 0) {
        if (node->fast_ns >= node->leave_fast_ns) {
            node_go_over(node, OVER_STOPPED); /* a row that nobody can read must not keep it here for ever */
            return;
        }
        node_wake_fast(node, node->leave_fast_ns);
        return;
    }
    if (node->beat.is_running) {
        beat_stop(node);
        node->leave_fast_ns = node->fast_ns + patience_ns;
    }
    if (node->io.in_flight == 0) {
        node->stage = NODE_SIGNING_OFF;
        node->leave_fast_ns = node->fast_ns + patience_ns;
        beat_sign_off(node);
    } else if (node->fast_ns >= node->leave_fast_ns) {
        node_go_over(node, OVER_STOPPED);
    }
    node_wake_fast(node, node->leave_fast_ns);
}

/* The slot may be taken by another as soon as one disk says so: only now, when nothing is in flight, may one say so. */
static void node_run_signing_off(struct node *node)
{
    bool is_quiet = beat_is_quiet(node) && node->io.in_flight == 0;
    if (!is_quiet && node->fast_ns < node->leave_fast_ns) {
        node_wake_fast(node, node->leave_fast_ns);
        return;
    }
    if (!is_quiet || !beat_has_left(node)) {
        node_go_over(node, OVER_STOPPED);
        return;
    }
    node->stage = NODE_GIVING_BACK;
    node->leave_fast_ns = node->fast_ns + 2 * node_timings(node)->io_deadline_ns;
    claim_give_back(node);
}

static void node_run_giving_back(struct node *node)
{
    uint32_t given_count = 0;
    if (!claim_has_given_back(node, &given_count) && node->fast_ns < node->leave_fast_ns) {
        node_wake_fast(node, node->leave_fast_ns);
        return;
    }
    node_go_over(node, given_count > 0 ? OVER_LEFT : OVER_STOPPED);
}

/* ---- The step ----------------------------------------------------------------------------------------------------------- */

static void node_on_io(struct node *node, const struct io_result *result)
{
    struct io *io = io_of_tag(node, result->tag);
    struct io was = *io;
    io_finish(node, io, result);
    if (node->stage == NODE_OVER) {
        return;
    }
    switch (was.owner) {
    case IO_FOR_BEAT:
        beat_on_io(node, &was, result);
        break;
    case IO_FOR_CLAIM:
        claim_on_io(node, &was, result);
        break;
    case IO_FOR_OP:
        op_on_io(node, &was, result);
        break;
    case IO_FOR_MEND:
        mend_on_io(node, &was, result);
        break;
    case IO_FOR_HEALTH:
        health_on_header(node, &was, result);
        break;
    case IO_UNUSED:
        break;
    }
}

static void node_handle(struct node *node, const struct event *event)
{
    switch (event->kind) {
    case EVENT_TICK:
        io_check_deadlines(node);
        break;
    case EVENT_IO:
        node_on_io(node, &event->as.io);
        break;
    case EVENT_CAMPAIGN:
        role_campaign(node, &event->as.command);
        break;
    case EVENT_RESIGN:
        role_resign(node, event->as.command.role);
        break;
    case EVENT_TRANSFER:
        role_transfer(node, &event->as.command);
        break;
    case EVENT_PUBLISH:
        role_publish(node, &event->as.command);
        break;
    case EVENT_CALL:
        call_begin(node, &event->as.call);
        break;
    case EVENT_CANCEL:
        call_cancel(node, event->as.call.call);
        break;
    case EVENT_LEAVE:
        node_leave(node);
        break;
    }
}

/* Heartbeats first: nothing else may delay them. */
static void node_run(struct node *node)
{
    if (watch_tick(&node->watch, node->step, node->slow_ns) && node->beat.is_running) {
        beat_now(node);
    }
    node_wake_slow(node, node->watch.scan_slow_ns);
    ledger_run(node);
    if (node->stage == NODE_JOINING) {
        claim_run(node);
    }
    beat_run(node);
    health_probe(node);
    role_run_all(node);
    call_run_all(node);
    stray_run(node);
    op_run_all(node);
    mend_run(node);
    sweep_run(node);
    if (node->stage == NODE_LEAVING) {
        node_run_leaving(node);
    }
    if (node->stage == NODE_SIGNING_OFF) {
        node_run_signing_off(node);
    }
    if (node->stage == NODE_GIVING_BACK) {
        node_run_giving_back(node);
    }
    if (node->lease.end_ns != 0) {
        node_wake_fast(node, node->lease.end_ns);
    }
    node_check_risk(node);
    node_wake_fast(node, node->io.deadline_fast_ns);
    if (node->stage != NODE_OVER) {
        health_tell(node);
    }
}

/* A node that is over only counts what comes back; commands mean nothing to it. */
static void node_step_over(struct node *node, const struct event *event)
{
    if (event->kind == EVENT_IO) {
        node_on_io(node, &event->as.io);
    }
}

void node_step(struct node *node, const struct event *event, struct actions *ret_actions)
{
    assert(event->fast_ns >= node->fast_ns);
    assert(event->slow_ns >= node->slow_ns);
    node->step++;
    node->fast_ns = event->fast_ns;
    node->slow_ns = event->slow_ns;
    node->wall_ns = event->wall_ns;
    node->io_action_count = 0;
    node->notice_count = 0;
    node->wake_fast_ns = INT64_MAX;
    node->wake_slow_ns = INT64_MAX;
    if (node->step == 1 && !node_id_is_none(node->params.former)) {
        int64_t waited_ns = node->slow_ns - node_timings(node)->quarantine_ns; /* S5: nothing of it is in flight */
        watch_declare_dead(&node->watch, node->params.former, waited_ns);
    }
    if (node->stage != NODE_OVER) {
        node_check_lease(node);
    }
    if (node->stage == NODE_JOINING) {
        claim_judge_first(node);
    }
    if (node->stage == NODE_OVER) {
        node_step_over(node, event);
    } else {
        node_handle(node, event);
    }
    if (node->stage != NODE_OVER) {
        node_run(node);
    }
    *ret_actions = (struct actions){
        .ios = node->io_actions,
        .io_count = node->io_action_count,
        .notices = node->notices,
        .notice_count = node->notice_count,
        .wake_fast_ns = node->wake_fast_ns,
        .wake_slow_ns = node->wake_slow_ns,
    };
}

/* ---- What others may see ------------------------------------------------------------------------------------------------ */

struct node_id node_identity(const struct node *node)
{
    return node->stage == NODE_JOINING || !node->lease.is_real ? (struct node_id){0} : node->self;
}

int64_t node_lease_end_ns(const struct node *node)
{
    return node->lease.is_real && node->stage != NODE_OVER ? node->lease.end_ns : 0;
}

uint64_t node_role_epoch(const struct node *node, uint32_t role)
{
    assert(role < node->params.roles_max);
    return node->stage == NODE_OVER ? 0 : node->roles.roles[role].epoch;
}

bool node_is_over(const struct node *node)
{
    return node->stage == NODE_OVER;
}

uint32_t node_in_flight(const struct node *node)
{
    return node->io.in_flight;
}
