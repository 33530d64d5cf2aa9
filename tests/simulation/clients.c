/* The clients of simulated processes: what they want of roles, and what they are told. */
#include "protocol/state.h"
#include "sim.h"

#include <string.h>

enum { CROWD_LEAVE_PERCENT = 70 }; /* of the acts of a process in a crowd */

static const char *const node_names[SIM_PROCESSES_MAX] = {"alpha", "beta", "gamma", "delta", "epsilon",
                                                          "zeta",  "eta",  "theta", "iota"};
static const char *const role_names[SIM_ROLES_MAX] = {"archon", "polemarch", "strategos", "basileus"};

const char *sim_role_name(uint32_t role)
{
    return role_names[role];
}

const char *sim_process_name(uint32_t process)
{
    return node_names[process];
}

void sim_node_name(uint32_t process, char ret_name[NAME_FIELD_BYTES])
{
    memset(ret_name, 0, NAME_FIELD_BYTES);
    memcpy(ret_name, node_names[process], strlen(node_names[process]));
}

void sim_client_later(struct sim *sim, uint32_t index, int64_t scale_ns)
{
    scale_ns = sim->is_crowded ? 4 * sim->header.timings.io_deadline_ns : scale_ns;
    int64_t after_ns = (int64_t)sim_below(sim, (uint64_t)scale_ns) + 1;
    sim_schedule(sim, sim->now_ns + after_ns, SIM_CLIENT, index, sim->processes[index].life);
}

/* The work under the role stops, which takes its time; then the role is let go. */
static void process_stop_work(struct sim *sim, uint32_t index, uint32_t role)
{
    struct sim_process *process = &sim->processes[index];
    process->is_to_resign[role] = true;
    int64_t most_ns = 2 * sim->header.timings.renew_ns;
    most_ns = sim->pace_ns < most_ns ? sim->pace_ns : most_ns;
    int64_t after_ns = (int64_t)sim_below(sim, (uint64_t)most_ns) + 1;
    sim_schedule(sim, sim->now_ns + after_ns, SIM_STOPPED, index, process->life);
}

static void client_released(struct sim_process *process, uint32_t role)
{
    process->is_role_used[role] = false;
    process->is_to_resign[role] = false;
    process->is_resigning[role] = false;
    process->is_transferring[role] = false;
    process->last_epoch[role] = 0;
}

/* Once it resigns, its owner does not listen any more to what becomes of the leadership. */
static void client_hear_leadership(struct sim *sim, uint32_t index, const struct notice *notice)
{
    struct sim_process *process = &sim->processes[index];
    if (process->is_resigning[notice->role]) {
        return;
    }
    if (notice->kind == NOTICE_LOST && process->last_epoch[notice->role] != notice->epoch) {
        oracle_object(sim, "an owner takes a LOST without its LEADER");
    }
    process->last_epoch[notice->role] = notice->kind == NOTICE_LEADER ? notice->epoch : 0;
    process->is_transferring[notice->role] = false;
}

void sim_client_notice(struct sim *sim, uint32_t index, const struct runtime_notice *told)
{
    struct sim_process *process = &sim->processes[index];
    const struct notice *notice = &told->what;
    sim_trace(sim, "owner %u takes notice %d role %u epoch %llu", index, notice->kind, notice->role,
              (unsigned long long)notice->epoch);
    switch (notice->kind) {
    case NOTICE_LEADER:
    case NOTICE_LOST:
        client_hear_leadership(sim, index, notice);
        break;
    case NOTICE_RELEASED:
    case NOTICE_REFUSED:
        sim_live_ended(sim, index, &told->what);
        client_released(process, notice->role);
        break;
    case NOTICE_OVER:
        if (told->is_final) {
            sim_client_later(sim, index, sim->header.timings.lease_ns);
        }
        break;
    case NOTICE_TRANSFER:
        sim->statistics.transfers++;
        process_stop_work(sim, index, notice->role);
        break;
    case NOTICE_TRANSFER_REFUSED:
        process->is_transferring[notice->role] = false;
        break;
    case NOTICE_ASKED:
        if (notice->ask == ASK_RESIGN || sim_chance(sim, 50)) {
            process_stop_work(sim, index, notice->role);
        }
        break;
    case NOTICE_CALL_ENDED:
        sim_call_ended(sim, index, notice->call);
        break;
    case NOTICE_JOINED:
    case NOTICE_DISK:
    case NOTICE_PUBLISHED:
    case NOTICE_JOIN_WAITS:
    case NOTICE_CANDIDATE:
    case NOTICE_AT_RISK:
    case NOTICE_SAFE:
        break;
    }
}

static void client_resign(struct sim *sim, uint32_t index, uint32_t role)
{
    struct sim_process *process = &sim->processes[index];
    if (process->is_role_used[role] && !process->is_resigning[role]) {
        sim_trace(sim, "owner %u resigns role %u", index, role);
        process->is_resigning[role] = true;
        process->last_epoch[role] = 0;
        owner_resign(process->turn, role);
        sim_process_wake(sim, index, sim->now_ns);
    }
}

static void client_campaign(struct sim *sim, uint32_t index, uint32_t role)
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    memset(payload, (int)index + 1, sizeof payload);
    struct role_command command = {
        .role = role,
        .name = role_names[role],
        .is_try = sim_chance(sim, 10),
        .priority = sim_chance(sim, 30) ? (uint32_t)sim_below(sim, 4) : 0,
        .payload = payload,
        .payload_bytes = (uint32_t)sim_below(sim, sizeof payload + 1),
    };
    sim->processes[index].is_role_used[role] = true;
    owner_campaign(sim->processes[index].turn, &command);
    sim_process_wake(sim, index, sim->now_ns);
}

/* What its leader does with a role: lets it go, hands it over, or publishes something else. */
static void client_lead(struct sim *sim, uint32_t index, uint32_t role)
{
    static const uint8_t payload[] = "published";
    struct sim_process *process = &sim->processes[index];
    char name[NAME_FIELD_BYTES];
    bool is_transfer = sim_chance(sim, 60);
    sim_node_name((uint32_t)sim_below(sim, sim->process_count), name);
    if (!is_transfer) {
        owner_publish(process->turn, role, payload, sizeof payload);
    } else if (!process->is_transferring[role]) {
        process->is_transferring[role] = true;
        owner_transfer(process->turn, role, name);
    }
    sim_process_wake(sim, index, sim->now_ns);
}

static void client_role(struct sim *sim, uint32_t index, uint32_t role)
{
    struct sim_process *process = &sim->processes[index];
    bool is_leading = process->last_epoch[role] != 0;
    if (!process->is_role_used[role]) {
        client_campaign(sim, index, role);
    } else if (sim_is_hasty(sim) && !is_leading && !sim_chance(sim, 5)) {
        return; /* at this pace, giving up would be all that candidates ever do */
    } else if (is_leading && sim_chance(sim, 60)) {
        client_lead(sim, index, role);
    } else {
        client_resign(sim, index, role);
    }
}

void sim_client_stopped(struct sim *sim, const struct sim_event *at)
{
    uint32_t index = at->subject;
    struct sim_process *process = &sim->processes[index];
    if (at->argument != process->life || !process->is_alive) {
        return;
    }
    if (sim_process_is_stopped(sim, process)) {
        int64_t again_ns = process->paused_until_ns > sim->now_ns ? process->paused_until_ns : sim->now_ns + NS_PER_MS;
        sim_schedule(sim, again_ns + 1, SIM_STOPPED, index, process->life);
        return;
    }
    for (uint32_t role = 0; role < sim->role_count; role++) {
        if (process->is_to_resign[role]) {
            process->is_to_resign[role] = false;
            client_resign(sim, index, role);
        }
    }
}

/* A process whose turn has not ended yet has not quite died either. */
static void client_restart(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    if (process->is_in_turn) {
        sim_client_later(sim, index, sim->header.timings.lease_ns);
        return;
    }
    if (process->is_alive) {
        sim_process_end(sim, index);
    }
    sim_process_start(sim, index);
}

/* Liveness mode, without faults: who runs goes on, and wants what was drawn for it. */
static void client_calm(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    if (!process->is_alive) {
        return;
    }
    if (node_is_over(process->node)) {
        client_restart(sim, index);
        return;
    }
    for (uint32_t role = 0; role < sim->role_count && !process->is_leaving; role++) {
        if (sim->live.is_wanted[index][role] && !process->is_role_used[role]) {
            client_campaign(sim, index, role);
        }
    }
    sim_client_later(sim, index, sim->header.timings.renew_ns);
}

void sim_client(struct sim *sim, const struct sim_event *at)
{
    uint32_t index = at->subject;
    struct sim_process *process = &sim->processes[index];
    if (at->argument != process->life) {
        return;
    }
    if (sim_is_calm(sim) && sim->options.is_liveness && sim->live.from_ns != 0) {
        client_calm(sim, index);
        return;
    }
    if (sim_is_calm(sim)) {
        return; /* who is dead stays dead, and everybody else goes on with what he wants */
    }
    if (!process->is_alive || process->turn->phase == PHASE_ENDED) {
        client_restart(sim, index);
        return;
    }
    if (sim_process_is_stopped(sim, process)) {
        sim_client_later(sim, index, 2 * sim->header.timings.lease_ns);
        return;
    }
    /* Kills and leaves come as often in a lease, however often clients act. */
    uint64_t acts = (uint64_t)(2 * sim->header.timings.lease_ns / sim->pace_ns);
    uint64_t draw = sim_below(sim, 100 * acts);
    bool has_slot = !node_id_is_none(node_identity(process->node));
    uint32_t leave_percent = sim->is_crowded ? CROWD_LEAVE_PERCENT * has_slot : sim->fault_percent / 3;
    if (draw < sim->fault_percent / 4) {
        bool is_at_once = sim_chance(sim, 20);
        if (sim_fault(sim, FAULT_KILL, index, SIM_NOBODY)) {
            sim_process_kill(sim, index);
            if (is_at_once && sim_fault(sim, FAULT_RESTART_AT_ONCE, index, SIM_NOBODY)) {
                sim_client_later(sim, index, NS_PER_MS);
            }
        } else {
            sim_client_later(sim, index, 2 * sim->header.timings.lease_ns);
        }
        return;
    }
    if (draw < leave_percent && !process->is_leaving) {
        process->is_leaving = true;
        owner_leave(process->turn);
        sim_process_wake(sim, index, sim->now_ns);
    } else if (!process->is_leaving) {
        uint32_t role = (uint32_t)sim_below(sim, sim->role_count);
        for (uint32_t i = 0; i < (sim_is_hasty(sim) ? sim->role_count : 1) && !node_is_over(process->node); i++) {
            client_role(sim, index, (role + i) % sim->role_count);
        }
    }
    int64_t soon_ns = sim->header.timings.renew_ns / 4;
    bool is_soon = sim_chance(sim, 30) && soon_ns < sim->pace_ns;
    sim_client_later(sim, index, is_soon ? soon_ns : sim->pace_ns);
}
