/*
 * Simulated processes: the real turn of src/runtime over a simulated engine, with clocks whose rates are their own, stopped
 * wherever a real thread can be stopped: between two turns; after a completion was reaped and before the clock is read;
 * between that reading and the step, or what is published by it; before and after a submission.
 */
#include "engine.h"
#include "protocol/state.h"
#include "sim.h"

#include <assert.h>
#include <string.h>

enum {
    STUMBLE_PLACES = 8,  /* about as many as a turn has */
    REJOIN_PERCENT = 70, /* processes that begin a new incarnation by themselves */
    SLOW_PAUSES = 100,   /* of 1,000 turns of a newcomer in a crowd */
    LATE_TURNS = 8,      /* an owner does not take its notices after one turn in so many */
};

/* ---- Clocks ------------------------------------------------------------------------------------------------------------ */

static int64_t clock_at(const struct sim_process *process, int which, int64_t now_ns)
{
    int64_t since_ns = now_ns - process->clock_true_ns;
    return process->clock_ns[which] + since_ns + since_ns * process->rate_ppm[which] / 1000000;
}

static struct clock_reading process_clocks(const struct sim *sim, const struct sim_process *process)
{
    return (struct clock_reading){.boot_ns = clock_at(process, 0, sim->now_ns),
                                  .raw_ns = clock_at(process, 1, sim->now_ns)};
}

int64_t sim_process_fast_now(const struct sim *sim, const struct sim_process *process)
{
    const struct turn_clock *clock = &process->turn->clock;
    return clock->fast_ns + clock_larger_difference_ns(clock->last, process_clocks(sim, process));
}

int64_t sim_process_slow_now(const struct sim *sim, const struct sim_process *process)
{
    const struct turn_clock *clock = &process->turn->clock;
    return clock->slow_ns + clock_smaller_difference_ns(clock->last, process_clocks(sim, process));
}

int64_t sim_process_remaining_ns(const struct sim *sim, const struct sim_process *process, uint32_t role)
{
    struct lease_view view = lease_page_view(process->turn->page);
    bool is_led = lease_page_epoch(process->turn->page, role) != 0;
    return is_led ? lease_view_remaining_ns(&view, process_clocks(sim, process)) : 0;
}

int64_t sim_process_lease_end(const struct sim_process *process)
{
    return process->node->lease.end_ns;
}

void sim_process_clock(struct sim *sim, uint32_t index, const int64_t rate_ppm[2])
{
    struct sim_process *process = &sim->processes[index];
    int64_t now_ns[2] = {clock_at(process, 0, sim->now_ns), clock_at(process, 1, sim->now_ns)};
    process->clock_true_ns = sim->now_ns;
    for (int i = 0; i < 2; i++) {
        process->clock_ns[i] = now_ns[i];
        process->rate_ppm[i] = rate_ppm[i];
    }
}

/* ---- Scheduling -------------------------------------------------------------------------------------------------------- */

bool sim_process_is_stopped(const struct sim *sim, const struct sim_process *process)
{
    return process->is_in_turn || sim->now_ns < process->paused_until_ns;
}

void sim_process_wake(struct sim *sim, uint32_t index, int64_t at_ns)
{
    struct sim_process *process = &sim->processes[index];
    int64_t when_ns = at_ns > process->paused_until_ns ? at_ns : process->paused_until_ns;
    if (process->turn_at_ns != 0 && process->turn_at_ns <= when_ns) {
        return;
    }
    process->turn_at_ns = when_ns + 1 + (int64_t)sim_below(sim, 20000);
    sim_schedule(sim, process->turn_at_ns, SIM_TURN, index, process->life);
}

/* Stops the process for a while, unless that is withheld. */
static void process_pause(struct sim *sim, uint32_t index, enum sim_fault kind)
{
    struct sim_process *process = &sim->processes[index];
    uint64_t span = (uint64_t)sim->header.timings.lease_ns * (sim_chance(sim, 30) ? 3 : 1);
    if (sim_is_hasty(sim) && !sim_chance(sim, SIM_LONG_PAUSE_PERCENT)) {
        span = 8 * (uint64_t)sim->pace_ns; /* else nobody would ever be awake there for long */
    }
    int64_t pause_ns = (int64_t)sim_below(sim, span);
    if (sim_fault(sim, kind, index, SIM_NOBODY)) {
        process->paused_until_ns = sim->now_ns + pause_ns;
        sim_trace(sim, "process %u pauses for %lld us", index, (long long)(pause_ns / 1000));
    }
}

/* Whoever else is stopped in a turn meanwhile goes on first, as its turn is the inner one: this one only sleeps longer. */
void sim_process_stumble(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    if (process->stumble_places == 0 || --process->stumble_places > 0) {
        return;
    }
    process_pause(sim, index, FAULT_PAUSE_IN_TURN);
    int64_t until_ns = process->paused_until_ns < sim->end_ns ? process->paused_until_ns : sim->end_ns;
    sim_pass(sim, until_ns);
    if (sim->now_ns < until_ns && sim->violation == NULL) {
        sim->now_ns = until_ns;
    }
}

/* ---- What the turn gets ------------------------------------------------------------------------------------------------ */

struct process_context {
    struct sim *sim;
    uint32_t index;
};

static struct clock_reading read_clock(void *context)
{
    const struct process_context *at = context;
    struct clock_reading reading = process_clocks(at->sim, &at->sim->processes[at->index]);
    sim_process_stumble(at->sim, at->index);
    return reading;
}

static int64_t read_wall_clock(void *context)
{
    const struct process_context *at = context;
    return at->sim->now_ns + at->sim->processes[at->index].wall_ahead_ns;
}

static int draw_seed(void *context, uint64_t ret_seed[2])
{
    const struct process_context *at = context;
    ret_seed[0] = random_next(&at->sim->node_random);
    ret_seed[1] = random_next(&at->sim->node_random);
    return 0;
}

static int wipe_node(void *context, void *memory)
{
    const struct process_context *at = context;
    memset(memory, 0, at->sim->node_bytes);
    return 0;
}

static void note_begin(void *context, const struct node_params *params, const struct node *node)
{
    const struct process_context *at = context;
    struct sim *sim = at->sim;
    struct sim_process *process = &sim->processes[at->index];
    (void)params;
    if (!process->is_alive) {
        return;
    }
    process->node = process->turn->node;
    assert(process->node == node);
    if (process->dead_since_ns != 0) {
        sim_disk_bound(sim, at->index);
        process->dead_since_ns = 0;
    }
    process->moved_step = 0;
    memset(process->node_epoch, 0, sizeof process->node_epoch);
    for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
        process->must_know_out[disk] = (sim->out_told >> disk & 1U) != 0;
    }
    sim_trace(sim, "process %u begins an incarnation", at->index);
}

static void note_event(void *context, const struct event *event)
{
    const struct process_context *at = context;
    at->sim->processes[at->index].is_to_forget = event->kind == EVENT_RESIGN;
    at->sim->processes[at->index].role_to_forget = event->as.command.role;
}

static void process_note_disk(struct sim *sim, uint32_t index, uint32_t disk)
{
    struct disk_report report = node_disk(sim->processes[index].node, disk);
    sim->statistics.outs += report.state == DISK_OUT;
    sim_trace(sim, "process %u finds disk %u in state %d, cause %d", index, disk, report.state, report.cause);
}

/* What the node says, whatever its owner hears of it, and when. */
static void process_note(struct sim *sim, uint32_t index, const struct notice *notice)
{
    struct sim_process *process = &sim->processes[index];
    sim_hash(sim, (uint64_t)notice->kind << 32 | notice->epoch);
    sim_trace(sim, "process %u notice %d role %u epoch %llu reason %d", index, notice->kind, notice->role,
              (unsigned long long)notice->epoch, notice->reason);
    if (sim->listener.on_notice != NULL) {
        sim->listener.on_notice(sim->listener.context, index, notice);
    }
    if (notice->kind == NOTICE_JOINED) {
        sim->statistics.joins++;
        oracle_joined(sim, node_identity(process->node));
        oracle_knows_out(sim, index);
        sim_trace(sim, "process %u owns slot %u", index, node_identity(process->node).slot);
    } else if (notice->kind == NOTICE_LEADER) {
        process->node_epoch[notice->role] = notice->epoch;
        oracle_elected(sim, index, notice->role, notice->epoch);
    } else if (notice->kind == NOTICE_LOST) {
        if (process->node_epoch[notice->role] != notice->epoch) {
            oracle_object(sim, "a LOST without its LEADER");
        }
        process->node_epoch[notice->role] = 0;
    } else if (notice->kind == NOTICE_OVER) {
        process->dead_since_ns = sim_process_death_ns(sim, process);
        sim->statistics.overs++;
        if (sim_is_calm(sim) && notice->reason == OVER_SLOT) {
            sim->calm_witness = 0; /* it leaves half-kept values behind that no return makes anybody look for */
        }
    } else if (notice->kind == NOTICE_DISK) {
        process_note_disk(sim, index, notice->disk);
    }
}

/* A process that was killed while it was stopped in its turn is not heard any more. */
static void note_actions(void *context, const struct actions *actions)
{
    const struct process_context *at = context;
    struct sim *sim = at->sim;
    struct sim_process *process = &sim->processes[at->index];
    if (!process->is_alive) {
        return;
    }
    sim->statistics.steps++;
    for (uint32_t i = 0; i < actions->notice_count; i++) {
        process_note(sim, at->index, &actions->notices[i]);
    }
    if (process->is_to_forget) { /* not earlier: the lease may have ended just before, and then it was lost */
        process->node_epoch[process->role_to_forget] = 0;
    }
    oracle_after_step(sim, at->index);
    if (sim->listener.on_step != NULL) {
        sim->listener.on_step(sim->listener.context, at->index);
    }
    for (uint32_t i = 0; i < actions->io_count; i++) {
        const struct io_action *io = &actions->ios[i];
        sim_hash(sim, (uint64_t)io->operation << 48 | (uint64_t)io->row << 32 | (uint64_t)io->disk << 16 | io->slot);
        oracle_submission(sim, at->index, io);
    }
}

/* ---- Its life ---------------------------------------------------------------------------------------------------------- */

static int take_memory(void *context, size_t bytes, void **ret)
{
    const struct process_context *at = context;
    struct sim_process *process = &at->sim->processes[at->index];
    size_t rounded = (bytes + 63) / 64 * 64;
    assert(process->memory_used + rounded <= at->sim->process_bytes);
    *ret = (uint8_t *)process->memory + process->memory_used;
    process->memory_used += rounded;
    return 0;
}

/* All memory is new. */
static struct turn *process_make_turn(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    struct process_context own = {.sim = sim, .index = index};
    void *turn_memory, *context, *page;
    memset(process->memory, 0, process->memory_used);
    process->memory_used = 0;
    take_memory(&own, sizeof(struct turn), &turn_memory);
    take_memory(&own, sizeof own, &context);
    take_memory(&own, lease_page_bytes(SIM_ROLES_MAX), &page);
    take_memory(&own, sim->node_bytes, &process->spare_memory);
    memcpy(context, &own, sizeof own);
    struct turn *turn = turn_memory;
    turn->port = (struct turn_port){
        .context = context,
        .read_clock = read_clock,
        .read_wall_clock = read_wall_clock,
        .draw_seed = draw_seed,
        .wipe_node = wipe_node,
        .note_begin = note_begin,
        .note_event = note_event,
        .note_actions = note_actions,
    };
    turn->params = (struct node_params){.header = sim->header,
                                        .engine = ENGINE_SIMULATED,
                                        .depth = SIM_DEPTH,
                                        .roles_max = SIM_ROLES_MAX,
                                        .poll_ns = sim->poll_ns};
    sim_node_name(index, turn->params.name);
    turn->page = page;
    turn_map(turn, SIM_NOTICE_ROOM, take_memory, context);
    return turn;
}

void sim_process_start(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    assert(!process->is_in_turn);
    process->life++;
    process->inbox_count = 0;
    process->turn_at_ns = 0;
    process->is_leaving = false;
    process->has_left_notices = false;
    memset(process->is_role_used, 0, sizeof process->is_role_used);
    memset(process->last_epoch, 0, sizeof process->last_epoch);
    memset(process->is_to_resign, 0, sizeof process->is_to_resign);
    memset(process->is_resigning, 0, sizeof process->is_resigning);
    memset(process->is_transferring, 0, sizeof process->is_transferring);
    memset(process->calls, 0, sizeof process->calls);
    memset(process->reads, 0, sizeof process->reads);
    process->last_value = HISTORY_NONE;
    process->dead_since_ns = 0; /* what was in flight then has been bounded */
    disk_engine_close(process->engine);
    process->engine = sim_engine_open(sim, index, SIM_ENGINE_DEPTH, SIM_NO_DISK, -1);
    sim_trace(sim, "process %u starts", index);
    process->turn = process_make_turn(sim, index);
    process->turn->is_rejoining = sim_chance(sim, REJOIN_PERCENT);
    process->turn->requests.engine = process->engine;
    process->is_alive = true;
    int error = turn_begin(process->turn);
    assert(error == 0);
    (void)error;
    sim_process_wake(sim, index, sim->now_ns);
    sim_client_later(sim, index, sim->header.timings.lease_ns);
    sim_schedule(sim, sim->now_ns + 1, SIM_CALL, index, process->life);
}

int64_t sim_process_death_ns(const struct sim *sim, const struct sim_process *process)
{
    int64_t end_ns = sim_process_lease_end(process);
    int64_t over_ns = sim_process_fast_now(sim, process) - end_ns;
    return end_ns != 0 && over_ns > 0 ? sim->now_ns - over_ns : sim->now_ns;
}

void sim_process_end(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    process->is_alive = false;
    process->life++;
    process->stumble_places = 0;
    process->inbox_count = 0;
    if (process->dead_since_ns == 0) {
        process->dead_since_ns = sim_process_death_ns(sim, process);
    }
    sim_disk_orphan(sim, index);
}

void sim_process_kill(struct sim *sim, uint32_t index)
{
    sim_trace(sim, "process %u is killed", index);
    sim_process_end(sim, index);
    sim_client_later(sim, index, 2 * sim->header.timings.lease_ns);
}

/* The node goes on as its copy in other memory, and where it was nothing of it is left: a copy is a whole node. */
static void process_move(struct sim *sim, struct sim_process *process)
{
    struct turn *turn = process->turn;
    void *from = turn->node_memory;
    node_copy(turn->node, process->spare_memory);
    memset(from, 0xa5, sim->node_bytes);
    turn->node_memory = process->spare_memory;
    turn->node = node_adopt(turn->node_memory, &turn->params);
    process->spare_memory = from;
    process->node = turn->node;
    process->moved_step = turn->node->step;
}

static void process_take_notices(struct sim *sim, uint32_t index, bool has_news)
{
    struct sim_process *process = &sim->processes[index];
    if (!has_news && !process->has_left_notices) {
        return;
    }
    process->has_left_notices = process->turn->phase != PHASE_ENDED && sim_below(sim, LATE_TURNS) == 0;
    struct runtime_notice notice;
    while (!process->has_left_notices && owner_take_notice(process->turn, &notice)) {
        sim_client_notice(sim, index, &notice);
    }
}

static void process_wait(struct sim *sim, uint32_t index)
{
    int64_t idle_ns = turn_idle_ns(sim->processes[index].turn);
    if (idle_ns != INT64_MAX) {
        sim_process_wake(sim, index, sim->now_ns + idle_ns);
    }
}

/* In a crowd newcomers are slow: nothing bounds when a claim goes out, nor how long it is left to settle (S1, S2). */
static bool process_is_slow(const struct sim *sim, const struct sim_process *process)
{
    const struct node *node = process->node;
    return sim->is_crowded && node->stage == NODE_JOINING &&
           (node->claim.stage == CLAIM_WRITE || node->claim.stage == CLAIM_SETTLE);
}

/* Of 1,000 turns, how many end in a pause, and in how many others the process is stopped. */
static uint64_t process_pauses(const struct sim *sim, const struct sim_process *process)
{
    return process_is_slow(sim, process) ? SLOW_PAUSES : sim->fault_percent / 5;
}

void sim_process_turn(struct sim *sim, const struct sim_event *at)
{
    uint32_t index = at->subject;
    struct sim_process *process = &sim->processes[index];
    if (!process->is_alive || at->argument != process->life || at->at_ns != process->turn_at_ns) {
        return;
    }
    process->turn_at_ns = 0;
    if (process->is_in_turn) {
        return; /* at its end it looks when the next one is due */
    }
    if (sim->now_ns < process->paused_until_ns) {
        sim_process_wake(sim, index, process->paused_until_ns);
        return;
    }
    uint64_t draw = sim_is_calm(sim) ? UINT64_MAX : sim_below(sim, 1000);
    uint64_t chance = process_pauses(sim, process);
    process->stumble_places = draw >= chance && draw < 2 * chance ? 1 + (uint32_t)sim_below(sim, STUMBLE_PLACES) : 0;
    process->is_in_turn = true;
    bool has_news = turn_run(process->turn);
    process->is_in_turn = false;
    process->stumble_places = 0;
    if (!process->is_alive || sim->violation != NULL) {
        return;
    }
    oracle_after_turn(sim, index);
    process_take_notices(sim, index, has_news);
    if (process->node->step - process->moved_step >= SIM_MOVE_STEPS) {
        process_move(sim, process);
    }
    if (draw < chance) {
        process_pause(sim, index, FAULT_PAUSE);
    }
    process_wait(sim, index);
    if (process->inbox_count > 0) {
        sim_process_wake(sim, index, sim->now_ns);
    }
}
