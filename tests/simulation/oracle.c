/*
 * What must never happen, checked after every step. The oracles look into the nodes' state: they judge beliefs, not
 * outputs.
 */
#include "block/block.h"
#include "block/role_value.h"
#include "protocol/state.h"
#include "sim.h"

#include <assert.h>
#include <string.h>

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

/* No verdict of death while that lease runs; no slot with two owners. T9: who gives its slot back has left; it owns nothing
 * any more, though its lease still runs. */
static void oracle_incarnations(struct sim *sim, uint32_t index)
{
    const struct node *node = sim->processes[index].node;
    struct node_id self = node_identity(node);
    bool is_owner =
        !node_id_is_none(self) && node->stage != NODE_GIVING_BACK && process_has_lease(sim, &sim->processes[index]);
    for (uint32_t i = 0; i < sim->process_count; i++) {
        const struct sim_process *other = &sim->processes[i];
        if (i == index || !process_has_lease(sim, other) || other->node->stage == NODE_GIVING_BACK) {
            continue;
        }
        struct node_id id = node_identity(other->node);
        const struct watch_entry *entry = watch_find(&node->watch, id);
        if (entry != NULL && entry->state == WATCH_DEAD) {
            oracle_object(sim, "a verdict of death while that incarnation's lease runs");
        }
        if (is_owner && self.slot == id.slot) {
            oracle_object(sim, "one slot with two owners");
        }
    }
}

void oracle_joined(struct sim *sim, struct node_id id)
{
    assert(sim->ready_count < SIM_READY_MAX);
    sim->ready[sim->ready_count++] = id;
}

static bool is_ready(const struct sim *sim, struct node_id id)
{
    for (uint32_t i = 0; i < sim->ready_count; i++) {
        if (node_id_is_same(sim->ready[i], id)) {
            return true;
        }
    }
    return node_id_is_none(id);
}

/* T3: nobody is named holder or successor before its first heartbeat has counted. */
void oracle_named(struct sim *sim, const struct role_value *value)
{
    if (!is_ready(sim, value->holder) || !is_ready(sim, value->successor)) {
        oracle_object(sim, "a role is handed to an incarnation that is not ready");
    }
}

void oracle_after_step(struct sim *sim, uint32_t index)
{
    oracle_one_leader(sim, index);
    oracle_incarnations(sim, index);
    oracle_chain(sim, index);
    oracle_out(sim, sim->processes[index].node);
}

void oracle_elected(struct sim *sim, uint32_t role, uint64_t epoch)
{
    sim->statistics.elections++;
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
    if (action->slot != node->self.slot || node_is_over(node)) {
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

/* One name in one row, by what is committed at the end. */
static void oracle_names(struct sim *sim)
{
    struct layout *layout = &sim->header.layout;
    char names[SIM_REGISTERS_MAX][NAME_FIELD_BYTES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < layout->registers; i++) {
        uint32_t row = layout_register_row(layout, i);
        struct register_block block;
        bool is_found = false;
        for (uint32_t at = 0; at < sim->disk_count * layout->slots && !is_found; at++) {
            struct block_place place = {sim->set_tag, at / layout->slots, row, at % layout->slots};
            const uint8_t *bytes = sim->disks[place.disk].rows[row] + (size_t)place.slot * SIM_BLOCK_BYTES;
            is_found = block_decode_register(bytes, SIM_BLOCK_BYTES, &place, &block) &&
                       ballot_is_same(block.accepted, sim->chains[row].tip);
        }
        struct role_value value;
        if (!is_found || !role_value_decode(block.value, &value) || value.kind == VALUE_UNNAMED) {
            continue;
        }
        for (uint32_t k = 0; k < count; k++) {
            if (memcmp(names[k], value.name, NAME_FIELD_BYTES) == 0) {
                oracle_object(sim, "one name in two rows");
            }
        }
        memcpy(names[count++], value.name, NAME_FIELD_BYTES);
    }
}

void oracle_at_end(struct sim *sim)
{
    oracle_names(sim);
    oracle_redundancy(sim);
    oracle_blank(sim);
}
