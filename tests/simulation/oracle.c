/*
 * What must never happen, checked after every step. The oracles look into the nodes' state: they judge beliefs, not
 * outputs.
 */
#include "block/block.h"
#include "protocol/state.h"
#include "sim.h"

#include <assert.h>

enum { CLOCK_GRAIN_NS = 1000 }; /* what whole numbers of nanoseconds and of millionths may cost */

/* Whether the process holds its lease at this true instant, by what any thread of it would read. */
static bool process_has_lease(const struct sim *sim, const struct sim_process *process)
{
    int64_t end_ns = process->is_alive ? node_lease_end_ns(process->node) : 0;
    return end_ns != 0 && sim_process_fast_now(sim, process) < end_ns;
}

/* By the node's own belief. */
static bool process_leads(const struct sim *sim, const struct sim_process *process, uint32_t role)
{
    return process_has_lease(sim, process) && node_role_epoch(process->node, role) != 0;
}

/* By what its owner would read now. */
static bool owner_leads(const struct sim *sim, const struct sim_process *process, uint32_t role)
{
    return process->is_alive && sim_process_remaining_ns(sim, process, role) > 0;
}

/* Never two believed leaders at one true instant, whoever believes it. */
static void oracle_one_leader(struct sim *sim, uint32_t index)
{
    const struct sim_process *own = &sim->processes[index];
    for (uint32_t role = 0; role < sim->role_count; role++) {
        if (!process_leads(sim, own, role) && !owner_leads(sim, own, role)) {
            continue;
        }
        for (uint32_t i = 0; i < sim->process_count; i++) {
            const struct sim_process *other = &sim->processes[i];
            if (i != index && (process_leads(sim, other, role) || owner_leads(sim, other, role))) {
                oracle_object(sim, "two believed leaders of one role at one true instant");
            }
        }
    }
}

void oracle_after_turn(struct sim *sim, uint32_t index)
{
    oracle_one_leader(sim, index);
}

/* A lease that has `remaining_ns` of its own clock left, or a wait: in true time, if that clock has the given rate. */
static int64_t true_ns(int64_t remaining_ns, int64_t rate_ppm)
{
    return (int64_t)((double)remaining_ns * 1e6 / (double)(1000000 + rate_ppm));
}

/*
 * No verdict of death while that lease runs, and long before: a believed lease lies inside what every challenger allows. Who has
 * seen the counter that the lease rests on waits W from then on, by whatever clock, until after the lease's end by whatever
 * clock. Who has seen an older one only will find the newer one in its last read (T6 b).
 */
static void oracle_challenger(struct sim *sim, const struct sim_process *challenger, const struct sim_process *holder)
{
    const struct watch *watch = &challenger->node->watch;
    const struct watch_entry *entry = watch_find(watch, node_identity(holder->node));
    if (entry == NULL) {
        return;
    }
    if (entry->state == WATCH_DEAD) {
        oracle_object(sim, "a verdict of death while that incarnation's lease runs");
    }
    bool is_waiting = entry->state == WATCH_MOVING || entry->state == WATCH_CONFIRMING;
    if (!is_waiting || entry->counter < holder->node->lease.counted) {
        return;
    }
    int64_t rho = sim->header.timings.drift_ppm;
    int64_t wait_ns =
        entry->since_slow_ns + watch->watch_ns + (int64_t)entry->promise_ns - sim_process_slow_now(sim, challenger);
    int64_t lease_ns = holder->node->lease.end_ns - sim_process_fast_now(sim, holder);
    if (true_ns(lease_ns, -rho) > true_ns(wait_ns, rho) + CLOCK_GRAIN_NS) {
        oracle_object(sim, "a believed lease reaches beyond what a challenger allows");
    }
}

/* No slot with two owners, and what challengers may think of leases. T9: who gives its slot back has left; it owns nothing
 * any more, though its lease still runs. */
static void oracle_incarnations(struct sim *sim, uint32_t index)
{
    const struct sim_process *self = &sim->processes[index];
    bool is_owner = process_has_lease(sim, self) && self->node->stage != NODE_GIVING_BACK;
    for (uint32_t i = 0; i < sim->process_count; i++) {
        const struct sim_process *other = &sim->processes[i];
        if (i == index || !other->is_alive) {
            continue;
        }
        bool is_other_owner = process_has_lease(sim, other) && other->node->stage != NODE_GIVING_BACK;
        if (is_other_owner) {
            oracle_challenger(sim, self, other);
        }
        if (is_owner && !node_is_over(other->node)) {
            oracle_challenger(sim, other, self);
        }
        if (is_owner && is_other_owner && node_identity(self->node).slot == node_identity(other->node).slot) {
            oracle_object(sim, "one slot with two owners");
        }
    }
}

void oracle_after_step(struct sim *sim, uint32_t index)
{
    oracle_one_leader(sim, index);
    oracle_incarnations(sim, index);
    oracle_chain(sim, index);
    oracle_out(sim, sim->processes[index].node);
}

void oracle_elected(struct sim *sim, uint32_t index, uint32_t role, uint64_t epoch)
{
    const struct sim_process *process = &sim->processes[index];
    sim->statistics.elections++;
    if (lease_has_ended(&process->node->lease, process->node->fast_ns)) {
        oracle_object(sim, "leadership is told without a lease"); /* B3 */
    }
    if (epoch <= sim->role_epoch[role]) {
        oracle_object(sim, "an epoch did not grow");
    }
    sim->role_epoch[role] = epoch;
}

/* A node writes only its own slot's blocks, nothing after its lease, and asks nothing of a disk that it has counted out. */
void oracle_submission(struct sim *sim, uint32_t index, const struct io_action *action)
{
    const struct node *node = sim->processes[index].node;
    if (node_disk(node, action->disk).state == DISK_OUT) {
        oracle_object(sim, "a request to a disk that is counted out");
    }
    if (action->operation != IO_WRITE && action->operation != IO_EXCHANGE) {
        return;
    }
    if (action->slot != node->self.slot || node_is_over(node) || lease_has_ended(&node->lease, node->fast_ns)) {
        oracle_object(sim, "a write that its author has no right to");
    }
    if (action->row < ROW_LEDGER_FIRST) {
        return;
    }
    if (node_id_is_none(node_identity(node))) {
        oracle_object(sim, "a register block written before the slot was owned");
    }
}

/* D6: no write lands in a slot that another incarnation owns by now; claim blocks apart, whose late ones harm nobody (S3). */
static void oracle_owner(struct sim *sim, const struct io_action *action, uint64_t author)
{
    for (uint32_t i = 0; i < sim->process_count; i++) {
        const struct sim_process *process = &sim->processes[i];
        if (!process_has_lease(sim, process) || process->node->stage == NODE_GIVING_BACK) {
            continue;
        }
        struct node_id owner = node_identity(process->node);
        if (owner.slot == action->slot && owner.incarnation != author) {
            oracle_object(sim, "a write lands in a slot that another owns");
        }
    }
}

/* A write reaches the medium: it must be its author's to write still, and take no promise back. */
void oracle_landing(struct sim *sim, const struct sim_request *request)
{
    const struct io_action *action = &request->action;
    struct block_place place = {sim->set_tag, action->disk, action->row, action->slot};
    const uint8_t *medium = sim->disks[action->disk].rows[action->row] + (size_t)action->slot * SIM_BLOCK_BYTES;
    struct heartbeat_block heartbeat;
    struct register_block now, before;
    if (action->row == ROW_HEARTBEAT) {
        bool is_good = block_decode_heartbeat(request->block, SIM_BLOCK_BYTES, &place, &heartbeat);
        assert(is_good);
        oracle_owner(sim, action, heartbeat.author.incarnation);
    } else if (action->row >= ROW_LEDGER_FIRST) {
        bool is_good = block_decode_register(request->block, SIM_BLOCK_BYTES, &place, &now);
        assert(is_good);
        oracle_owner(sim, action, now.author.incarnation);
        if (block_decode_register(medium, SIM_BLOCK_BYTES, &place, &before) &&
            before.author.incarnation == now.author.incarnation && ballot_is_above(before.promised, now.promised)) {
            oracle_object(sim, "a promise on a disk falls");
        }
    }
}

void oracle_at_end(struct sim *sim)
{
    oracle_redundancy(sim);
    oracle_blank(sim);
}
