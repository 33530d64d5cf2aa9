/* Simulated processes: the runtime turn around the real node_step(), clocks with rates of their own. */
#include "protocol/state.h"
#include "sim.h"

#include <string.h>

static int64_t clock_read(const struct sim_process *process, int which, int64_t now_ns)
{
    int64_t since_ns = now_ns - process->clock_true_ns;
    return process->clock_ns[which] + since_ns + since_ns * process->rate_ppm[which] / 1000000;
}

/* T1: `fast` adds the larger, `slow` the smaller of the differences of the two clocks since the turn before. */
static void clock_turn(struct sim *sim, struct sim_process *process)
{
    int64_t difference_ns[2];
    for (int i = 0; i < 2; i++) {
        int64_t read_ns = clock_read(process, i, sim->now_ns);
        difference_ns[i] = read_ns - process->turn_clock_ns[i];
        process->turn_clock_ns[i] = read_ns;
    }
    bool is_first_larger = difference_ns[0] > difference_ns[1];
    process->fast_ns += difference_ns[is_first_larger ? 0 : 1];
    process->slow_ns += difference_ns[is_first_larger ? 1 : 0];
}

/* What a client of the process reads on the fast clock at this instant (N7), between two turns. */
int64_t sim_process_fast_now(const struct sim *sim, const struct sim_process *process)
{
    int64_t a_ns = clock_read(process, 0, sim->now_ns) - process->turn_clock_ns[0];
    int64_t b_ns = clock_read(process, 1, sim->now_ns) - process->turn_clock_ns[1];
    return process->fast_ns + (a_ns > b_ns ? a_ns : b_ns);
}

int64_t sim_process_lease_end(const struct sim_process *process)
{
    return process->node->lease.end_ns;
}

/* New rates, anywhere within rho of true time. */
void sim_process_clock(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    uint64_t rho = sim->header.timings.drift_ppm;
    int64_t now_ns[2] = {clock_read(process, 0, sim->now_ns), clock_read(process, 1, sim->now_ns)};
    process->clock_true_ns = sim->now_ns;
    for (int i = 0; i < 2; i++) {
        process->clock_ns[i] = now_ns[i];
        uint64_t extreme = sim_below(sim, 3);
        int64_t any_ppm = (int64_t)sim_below(sim, 2 * rho + 1) - (int64_t)rho;
        process->rate_ppm[i] = extreme == 0 ? (int64_t)rho : extreme == 1 ? -(int64_t)rho : any_ppm;
    }
    if (sim_chance(sim, 60)) {
        process->rate_ppm[1] = process->rate_ppm[0];
    }
}

void sim_process_wake(struct sim *sim, uint32_t index, int64_t at_ns)
{
    struct sim_process *process = &sim->processes[index];
    int64_t jitter_ns = (int64_t)sim_below(sim, 20000);
    int64_t when_ns = at_ns > process->paused_until_ns ? at_ns : process->paused_until_ns;
    sim_schedule(sim, when_ns + jitter_ns, SIM_TURN, index, process->life);
}

void sim_process_start(struct sim *sim, uint32_t index, struct node_id former)
{
    struct sim_process *process = &sim->processes[index];
    process->is_alive = true;
    process->dead_since_ns = 0;
    process->life++;
    process->inbox_count = 0;
    process->is_leaving = false;
    for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
        process->must_know_out[disk] = (sim->out_told >> disk & 1U) != 0;
    }
    memset(process->is_role_used, 0, sizeof process->is_role_used);
    memset(process->last_epoch, 0, sizeof process->last_epoch);
    memset(process->is_to_resign, 0, sizeof process->is_to_resign);
    memset(process->calls, 0, sizeof process->calls);
    process->last_value = HISTORY_NONE;
    struct node_params params = {
        .header = sim->header,
        .seed = {random_next(&sim->node_random), random_next(&sim->node_random)},
        .engine = ENGINE_SIMULATED,
        .depth = SIM_DEPTH,
        .roles_max = SIM_ROLES_MAX,
        .former = former,
    };
    sim_node_name(index, params.name);
    memset(process->memory, 0, sim->node_bytes);
    process->node = node_init(process->memory, &params);
    sim_trace(sim, "process %u starts", index);
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

void sim_process_kill(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    sim->statistics.crashes++;
    sim_trace(sim, "process %u is killed", index);
    process->is_alive = false;
    process->life++;
    if (process->dead_since_ns == 0) {
        process->dead_since_ns = sim_process_death_ns(sim, process);
    }
    sim_disk_orphan(sim, index);
    sim_client_later(sim, index, 2 * sim->header.timings.lease_ns);
}

static void process_pause(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    uint64_t span = (uint64_t)sim->header.timings.lease_ns * (sim_chance(sim, 30) ? 3 : 1);
    sim->statistics.pauses++;
    process->paused_until_ns = sim->now_ns + (int64_t)sim_below(sim, span);
    sim_trace(sim, "process %u pauses for %lld us", index,
              (long long)((process->paused_until_ns - sim->now_ns) / 1000));
}

/* Between the clock reading and the submission: whatever the step wanted goes out late, and nothing is reaped meanwhile. */
static int64_t process_stumble(struct sim *sim, uint32_t index)
{
    if (sim_is_calm(sim) || sim_below(sim, 2000) >= sim->fault_percent / 5) {
        return 0;
    }
    process_pause(sim, index);
    return sim->processes[index].paused_until_ns - sim->now_ns;
}

/* One node_step() and what it leads to. */
static void process_step(struct sim *sim, uint32_t index, struct event *event)
{
    struct sim_process *process = &sim->processes[index];
    struct actions actions;
    event->fast_ns = process->fast_ns;
    event->slow_ns = process->slow_ns;
    event->wall_ns = sim->now_ns + process->wall_offset_ns;
    node_step(process->node, event, &actions);
    sim->statistics.steps++;
    for (uint32_t i = 0; i < actions.notice_count; i++) {
        sim_client_notice(sim, index, &actions.notices[i]);
    }
    oracle_after_step(sim, index);
    int64_t after_ns = actions.io_count > 0 ? process_stumble(sim, index) : 0;
    for (uint32_t i = 0; i < actions.io_count; i++) {
        sim_hash(sim, (uint64_t)actions.ios[i].operation << 48 | (uint64_t)actions.ios[i].row << 32 |
                          (uint64_t)actions.ios[i].disk << 16 | actions.ios[i].slot);
        oracle_submission(sim, index, &actions.ios[i]);
        sim_disk_submit(sim, index, &actions.ios[i], after_ns);
    }
    int64_t wait_ns = INT64_MAX;
    if (actions.wake_fast_ns != INT64_MAX) {
        wait_ns = actions.wake_fast_ns - process->fast_ns;
    }
    if (actions.wake_slow_ns != INT64_MAX && actions.wake_slow_ns - process->slow_ns < wait_ns) {
        wait_ns = actions.wake_slow_ns - process->slow_ns;
    }
    if (event->kind == EVENT_TICK && wait_ns != INT64_MAX) { /* every other step is followed by a tick */
        process->timer++;
        int64_t jitter_ns = (int64_t)sim_below(sim, 20000);
        sim_schedule(sim, sim->now_ns + (wait_ns > 0 ? wait_ns : 0) + jitter_ns, SIM_TIMER, index, process->timer);
    }
}

void sim_process_turn(struct sim *sim, const struct sim_event *at)
{
    uint32_t index = at->subject;
    struct sim_process *process = &sim->processes[index];
    uint64_t current = at->kind == SIM_TIMER ? process->timer : process->life;
    if (!process->is_alive || at->argument != current) {
        return;
    }
    if (sim->now_ns < process->paused_until_ns) {
        sim_process_wake(sim, index, process->paused_until_ns);
        return;
    }
    clock_turn(sim, process); /* what is in the inbox now was reaped before this reading (T1) */
    uint32_t count = process->inbox_count;
    process->inbox_count = 0;
    for (uint32_t i = 0; i < count && sim->violation == NULL; i++) {
        struct sim_request *request = &sim->requests[process->inbox[i]];
        if (!request->is_used || request->process != index) {
            continue;
        }
        request->is_used = false;
        struct event event = {.kind = EVENT_IO};
        event.as.io = (struct io_result){
            .tag = request->action.tag,
            .is_write_ok = request->is_write_ok,
            .is_read_ok = request->is_read_ok,
            .bytes = request->row,
        };
        bool is_current = request->life == process->life;
        if (is_current) {
            process_step(sim, index, &event);
        }
    }
    if (sim->violation == NULL) {
        struct event event = {.kind = EVENT_TICK};
        process_step(sim, index, &event);
    }
    if (!sim_is_calm(sim) && sim_below(sim, 1000) < sim->fault_percent / 5) {
        process_pause(sim, index);
    }
}

void sim_process_command(struct sim *sim, uint32_t index, struct event *event)
{
    clock_turn(sim, &sim->processes[index]);
    process_step(sim, index, event);
    sim_process_wake(sim, index, sim->now_ns);
}
