/*
 * Clients that call names: two registers, one rewritable and one agreed upon once, and whatever may be asked of a role. What
 * was answered is kept as a history of each register, which must be linearizable at the end.
 */
#include "block/endian.h"
#include "sim.h"

#include <assert.h>
#include <string.h>

enum { REGISTER_REWRITABLE, REGISTER_AGREED };

static const char *const register_names[SIM_NAMED_REGISTERS] = {"tablet", "decree"};

static struct sim_call *call_unused(struct sim_process *process, uint32_t *ret_number)
{
    for (uint32_t i = 0; i < SIM_CALLS_MAX; i++) {
        if (!process->calls[i].is_used) {
            *ret_number = i;
            return &process->calls[i];
        }
    }
    return NULL;
}

/* ---- The history ------------------------------------------------------------------------------------------------------ */

static struct history_op *history_begin(struct sim *sim, uint32_t process, struct sim_call *call)
{
    struct sim_history *history = &sim->histories[call->named];
    if (history->count == SIM_HISTORY_MAX) {
        return NULL;
    }
    call->at = history->count;
    struct history_op *op = &history->ops[history->count++];
    *op = (struct history_op){.process = process, .begin = sim->now_ns, .is_open = true};
    return op;
}

/* It has changed nothing, and nobody may ever see that it had. */
static void history_strike(struct history_op *op)
{
    *op = (struct history_op){.process = op->process, .operation = HISTORY_GET, .begin = op->begin, .is_open = true};
}

static void history_end(struct sim *sim, struct history_op *op, const struct call_result *result)
{
    op->end = sim->now_ns;
    op->is_open = false;
    op->found_version = result->version;
    op->found = result->byte_count == sizeof(uint64_t) ? le_load64(result->bytes) : HISTORY_NONE;
    op->is_unchanged = result->outcome == CALL_UNCHANGED;
    sim->processes[op->process].last_value = op->found;
}

static void register_call_ended(struct sim *sim, const struct sim_call *call, const struct call_result *result)
{
    struct history_op *op = &sim->histories[call->named].ops[call->at];
    switch (result->outcome) {
    case CALL_DONE:
    case CALL_UNCHANGED:
    case CALL_NONE:
        history_end(sim, op, result);
        break;
    case CALL_FULL:
    case CALL_CANCELLED:
        history_strike(op);
        break;
    case CALL_UNKNOWN:
        sim->statistics.unknown_calls++;
        break;
    case CALL_KIND:
    case CALL_HELD:
    case CALL_FREE:
    case CALL_NOT_READY:
        sim->violation = "a call on a register ended as none can";
        break;
    }
}

void sim_call_ended(struct sim *sim, uint32_t index, uint32_t number)
{
    struct sim_process *process = &sim->processes[index];
    struct sim_call *call = &process->calls[number];
    const struct call_result *result = owner_call_result(process->turn, number);
    assert(call->is_used);
    call->is_used = false;
    sim->statistics.calls++;
    sim_hash(sim, (uint64_t)result->outcome << 32 | result->version);
    sim_trace(sim, "process %u call %u ends: outcome %d version %llu", index, number, (int)result->outcome,
              (unsigned long long)result->version);
    if (!call->is_on_role) {
        register_call_ended(sim, call, result);
    }
}

void oracle_histories(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_NAMED_REGISTERS && sim->violation == NULL; i++) {
        struct sim_history *history = &sim->histories[i];
        enum history_verdict verdict = history_check(history->ops, history->count, 1, NULL);
        sim->statistics.undecided += verdict == HISTORY_UNDECIDED;
        if (verdict == HISTORY_VIOLATED) {
            sim->violation = "the history of a register is not linearizable";
        }
    }
}

/* ---- The clients ------------------------------------------------------------------------------------------------------ */

static void draw_register_call(struct sim *sim, struct sim_call *call, struct call_command *command,
                               struct history_op *op)
{
    struct sim_process *process = &sim->processes[op->process];
    uint64_t draw = sim_below(sim, 10);
    command->name = register_names[call->named];
    command->byte_count = sizeof call->bytes;
    op->value = ++sim->values;
    le_store64(call->bytes, op->value);
    if (draw < 3) {
        command->verb = CALL_GET;
        op->operation = HISTORY_GET;
    } else if (call->named == REGISTER_AGREED) {
        command->verb = CALL_PROPOSE;
        op->operation = HISTORY_PROPOSE;
    } else if (draw < 7) {
        command->verb = CALL_SET;
        op->operation = HISTORY_SET;
    } else {
        command->verb = CALL_COMPARE_SET;
        op->operation = HISTORY_COMPARE_SET;
        op->expected = sim_chance(sim, 80) ? process->last_value : HISTORY_NONE;
        command->has_expected = op->expected != HISTORY_NONE;
        command->expected_count = command->has_expected ? sizeof call->expected : 0;
        le_store64(call->expected, op->expected);
    }
}

static void draw_role_call(struct sim *sim, struct sim_call *call, struct call_command *command)
{
    command->name = sim_role_name((uint32_t)sim_below(sim, sim->role_count));
    command->byte_count = 0;
    command->verb = sim_chance(sim, 40) ? CALL_FORGET : CALL_ASK;
    if (command->verb == CALL_ASK) {
        command->ask = (enum ask_verb)(ASK_REQUEST + sim_below(sim, 3));
        sim_node_name((uint32_t)sim_below(sim, sim->process_count), call->successor_name);
    }
}

static void client_cancel(struct sim *sim, uint32_t index)
{
    uint32_t number = (uint32_t)sim_below(sim, SIM_CALLS_MAX);
    struct sim_call *call = &sim->processes[index].calls[number];
    if (call->is_used && !call->is_cancelled) {
        call->is_cancelled = true;
        owner_cancel(sim->processes[index].turn, number);
        sim_process_wake(sim, index, sim->now_ns);
    }
}

static void client_begin(struct sim *sim, uint32_t index)
{
    struct sim_process *process = &sim->processes[index];
    uint32_t number = 0;
    struct sim_call *call = call_unused(process, &number);
    if (call == NULL) {
        return;
    }
    *call = (struct sim_call){.is_used = true, .is_on_role = sim_chance(sim, 30)};
    struct call_command command = {
        .call = number, .bytes = call->bytes, .expected_bytes = call->expected, .successor_name = call->successor_name};
    if (call->is_on_role) {
        draw_role_call(sim, call, &command);
    } else {
        call->named = sim_chance(sim, 80) ? REGISTER_REWRITABLE : REGISTER_AGREED;
        struct history_op *op = history_begin(sim, index, call);
        if (op == NULL) {
            call->is_used = false;
            return;
        }
        draw_register_call(sim, call, &command, op);
    }
    sim_trace(sim, "process %u call %u begins: verb %d on %s", index, number, (int)command.verb, command.name);
    owner_call(process->turn, &command);
    sim_process_wake(sim, index, sim->now_ns);
}

void sim_call_client(struct sim *sim, const struct sim_event *at)
{
    uint32_t index = at->subject;
    struct sim_process *process = &sim->processes[index];
    if (at->argument != process->life || !process->is_alive || process->turn->phase == PHASE_ENDED ||
        sim_is_calm(sim)) {
        return;
    }
    bool is_running = !sim_process_is_stopped(sim, process);
    if (is_running && sim_chance(sim, 15)) {
        client_cancel(sim, index);
    } else if (is_running) {
        client_begin(sim, index);
    }
    int64_t scale_ns = sim->header.timings.lease_ns / (sim_chance(sim, 50) ? 2 : 40);
    sim_schedule(sim, sim->now_ns + (int64_t)sim_below(sim, (uint64_t)scale_ns) + 1, SIM_CALL, index, process->life);
}
