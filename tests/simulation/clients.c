/* The clients of simulated processes: what they want of roles, and what they are told. */
#include "protocol/state.h"
#include "sim.h"

#include <string.h>

static const char *const node_names[SIM_PROCESSES_MAX] = {"alpha", "beta", "gamma", "delta", "epsilon"};
static const char *const role_names[SIM_ROLES_MAX] = {"archon", "polemarch"};

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
    int64_t after_ns = (int64_t)sim_below(sim, (uint64_t)scale_ns) + 1;
    sim_schedule(sim, sim->now_ns + after_ns, SIM_CLIENT, index, sim->processes[index].life);
}

/* The work under the role stops, which takes its time; then the role is let go. */
static void process_stop_work(struct sim *sim, uint32_t index, uint32_t role)
{
    struct sim_process *process = &sim->processes[index];
    process->is_to_resign[role] = true;
    int64_t after_ns = (int64_t)sim_below(sim, (uint64_t)sim->header.timings.renew_ns * 2) + 1;
    sim_schedule(sim, sim->now_ns + after_ns, SIM_STOPPED, index, process->life);
}

void sim_client_notice(struct sim *sim, uint32_t index, const struct notice *notice)
{
    struct sim_process *process = &sim->processes[index];
    sim_hash(sim, (uint64_t)notice->kind << 32 | notice->epoch);
    sim_trace(sim, "process %u notice %d role %u epoch %llu reason %d", index, notice->kind, notice->role,
              (unsigned long long)notice->epoch, notice->reason);
    if (sim->listener.on_notice != NULL) {
        sim->listener.on_notice(sim->listener.context, index, notice);
    }
    switch (notice->kind) {
    case NOTICE_JOINED:
        sim->statistics.joins++;
        oracle_joined(sim, node_identity(process->node));
        oracle_knows_out(sim, index);
        sim_trace(sim, "process %u owns slot %u", index, node_identity(process->node).slot);
        break;
    case NOTICE_LEADER:
        process->last_epoch[notice->role] = notice->epoch;
        oracle_elected(sim, notice->role, notice->epoch);
        break;
    case NOTICE_LOST:
        if (process->last_epoch[notice->role] != notice->epoch) {
            sim->violation = "a LOST without its LEADER";
        }
        process->last_epoch[notice->role] = 0;
        break;
    case NOTICE_RELEASED:
    case NOTICE_REFUSED:
        process->is_role_used[notice->role] = false;
        process->is_to_resign[notice->role] = false;
        process->last_epoch[notice->role] = 0;
        break;
    case NOTICE_OVER:
        process->dead_since_ns = sim_process_death_ns(sim, process);
        sim->statistics.overs++;
        sim_client_later(sim, index, sim->header.timings.lease_ns);
        break;
    case NOTICE_DISK:
        sim->statistics.outs += node_disk(process->node, notice->disk).state == DISK_OUT;
        sim_trace(sim, "process %u finds disk %u in state %d, cause %d", index, notice->disk,
                  node_disk(process->node, notice->disk).state, node_disk(process->node, notice->disk).cause);
        break;
    case NOTICE_TRANSFER:
        sim->statistics.transfers++;
        process_stop_work(sim, index, notice->role);
        break;
    case NOTICE_ASKED:
        if (notice->ask == ASK_RESIGN || sim_chance(sim, 50)) {
            process_stop_work(sim, index, notice->role);
        }
        break;
    case NOTICE_CALL_ENDED:
        sim_call_ended(sim, index, notice->call);
        break;
    case NOTICE_TRANSFER_REFUSED:
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
    struct event event = {.kind = EVENT_RESIGN, .as.command.role = role};
    sim_process_command(sim, index, &event);
    sim->processes[index].last_epoch[role] = 0;
}

static void client_campaign(struct sim *sim, uint32_t index, uint32_t role)
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    memset(payload, (int)index + 1, sizeof payload);
    struct event event = {.kind = EVENT_CAMPAIGN};
    event.as.command = (struct role_command){
        .role = role,
        .name = role_names[role],
        .is_try = sim_chance(sim, 10),
        .priority = sim_chance(sim, 30) ? (uint32_t)sim_below(sim, 4) : 0,
        .payload = payload,
        .payload_bytes = (uint32_t)sim_below(sim, sizeof payload + 1),
    };
    sim->processes[index].is_role_used[role] = true;
    sim_process_command(sim, index, &event);
}

/* What its leader does with a role: lets it go, hands it over, or publishes something else. */
static void client_lead(struct sim *sim, uint32_t index, uint32_t role)
{
    static const uint8_t payload[] = "published";
    char name[NAME_FIELD_BYTES];
    struct event event = {.kind = sim_chance(sim, 60) ? EVENT_TRANSFER : EVENT_PUBLISH};
    sim_node_name((uint32_t)sim_below(sim, sim->process_count), name);
    event.as.command = (struct role_command){
        .role = role, .payload = payload, .payload_bytes = sizeof payload, .successor_name = name};
    sim_process_command(sim, index, &event);
}

static void client_role(struct sim *sim, uint32_t index, uint32_t role)
{
    struct sim_process *process = &sim->processes[index];
    if (!process->is_role_used[role]) {
        client_campaign(sim, index, role);
    } else if (process->last_epoch[role] != 0 && sim_chance(sim, 60)) {
        client_lead(sim, index, role);
    } else {
        client_resign(sim, index, role);
    }
}

void sim_client_stopped(struct sim *sim, const struct sim_event *at)
{
    uint32_t index = at->subject;
    struct sim_process *process = &sim->processes[index];
    if (at->argument != process->life || !process->is_alive || node_is_over(process->node)) {
        return;
    }
    if (sim->now_ns < process->paused_until_ns) {
        sim_schedule(sim, process->paused_until_ns + 1, SIM_STOPPED, index, process->life);
        return;
    }
    for (uint32_t role = 0; role < sim->role_count; role++) {
        if (process->is_to_resign[role]) {
            process->is_to_resign[role] = false;
            client_resign(sim, index, role);
        }
    }
}

static void client_restart(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    struct node_id former = {0};
    if (process->is_alive) {
        /* A rejoin: the former incarnation is known to be over, and clean if nothing of it is in flight. */
        if (node_in_flight(process->node) == 0 && process->inbox_count == 0) {
            former = node_identity(process->node);
        } else {
            sim_disk_orphan(sim, index);
        }
    }
    sim_process_start(sim, index, former);
}

void sim_client(struct sim *sim, const struct sim_event *at)
{
    uint32_t index = at->subject;
    struct sim_process *process = &sim->processes[index];
    if (at->argument != process->life) {
        return;
    }
    if (sim_is_calm(sim)) {
        return; /* who is dead stays dead, and everybody else goes on with what he wants */
    }
    if (!process->is_alive || node_is_over(process->node)) {
        client_restart(sim, index);
        return;
    }
    if (sim->now_ns < process->paused_until_ns) {
        sim_client_later(sim, index, 2 * sim->header.timings.lease_ns);
        return;
    }
    uint64_t draw = sim_below(sim, 100);
    if (draw < sim->fault_percent / 4) {
        sim_process_kill(sim, index);
        return;
    }
    if (draw < sim->fault_percent / 3 && !process->is_leaving) {
        struct event event = {.kind = EVENT_LEAVE};
        process->is_leaving = true;
        sim_process_command(sim, index, &event);
    } else if (!process->is_leaving) {
        client_role(sim, index, (uint32_t)sim_below(sim, sim->role_count));
    }
    bool is_hasty = sim_chance(sim, 30);
    sim_client_later(sim, index, is_hasty ? sim->header.timings.renew_ns / 4 : 2 * sim->header.timings.lease_ns);
}
