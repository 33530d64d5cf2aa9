/*
 * What must be true of registers and of the roles in them: one chain of committed values, reads that miss nothing, names
 * that stay where they are, one holder an epoch.
 */
#include "block/name.h"
#include "block/role_value.h"
#include "protocol/state.h"
#include "sim.h"

#include <assert.h>

/* ---- The chain -------------------------------------------------------------------------------------------------------- */

static const struct sim_ballot *chain_find(const struct sim *sim, uint32_t row, struct ballot ballot)
{
    for (uint32_t i = sim->ballot_count; i > 0; i--) {
        const struct sim_ballot *known = &sim->ballots[i - 1];
        if (known->row == row && ballot_is_same(known->ballot, ballot)) {
            return known;
        }
    }
    return NULL;
}

/* Whether `ancestor` is `ballot` or one of those it was made from. */
static bool chain_contains(const struct sim *sim, uint32_t row, struct ballot ballot, struct ballot ancestor)
{
    while (ballot_is_above(ballot, ancestor)) {
        const struct sim_ballot *known = chain_find(sim, row, ballot);
        if (known == NULL) {
            return false;
        }
        ballot = known->parent;
    }
    return ballot_is_same(ballot, ancestor);
}

/* N1: one name in one row. */
static void chain_name(struct sim *sim, uint32_t row)
{
    struct sim_chain *chain = &sim->chains[row];
    const struct sim_ballot *tip = chain_find(sim, row, chain->tip);
    uint64_t name_hash = tip == NULL ? 0 : tip->value.name_hash;
    if (name_hash == chain->name_hash) {
        return;
    }
    chain->name_hash = name_hash;
    for (uint32_t other = ROW_LEDGER_FIRST; other < layout_rows(&sim->header.layout); other++) {
        if (other != row && name_hash != 0 && sim->chains[other].name_hash == name_hash) {
            oracle_object(sim, "one name in two rows");
        }
    }
}

/* Everything that anybody holds for committed lies on one chain of "made from what was seen". */
static void chain_commit(struct sim *sim, uint32_t row, struct ballot ballot)
{
    struct ballot tip = sim->chains[row].tip;
    if (ballot_is_none(ballot) || ballot_is_same(ballot, tip)) {
        return;
    }
    bool is_newer = ballot_is_above(ballot, tip);
    struct ballot high = is_newer ? ballot : tip;
    struct ballot low = is_newer ? tip : ballot;
    if (!chain_contains(sim, row, high, low)) {
        oracle_object(sim, "committed values of one register do not form one chain");
    }
    sim->chains[row].tip = high;
    chain_name(sim, row);
}

/* ---- What is written ---------------------------------------------------------------------------------------------------- */

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

/* What a value says, beside the value that it was made from. */
static void oracle_step_of_value(struct sim *sim, const struct sim_value *before, const struct sim_value *now)
{
    if (before->name_hash != 0 && before->name_hash != now->name_hash) {
        oracle_object(sim, "a row changes its name");
    }
    if (now->epoch < before->epoch) {
        oracle_object(sim, "an epoch falls");
    }
    bool is_taken = !node_id_is_none(now->holder) && !node_id_is_same(now->holder, before->holder);
    if (is_taken && now->epoch == before->epoch) {
        oracle_object(sim, "two holders of one epoch");
    }
}

/* A phase 2 begins. T3: nobody is named holder or successor before its first heartbeat has counted. */
static void oracle_written(struct sim *sim, const struct op *op)
{
    assert(sim->ballot_count < SIM_BALLOTS_MAX);
    sim->statistics.ballots++;
    struct sim_ballot *ballot = &sim->ballots[sim->ballot_count];
    *ballot = (struct sim_ballot){.row = op->row, .ballot = op->ballot, .parent = op->parent};
    struct role_value value;
    bool is_named = op->row >= layout_register_row(&sim->header.layout, 0) && role_value_decode(op->value, &value) &&
                    value.kind != VALUE_UNNAMED;
    if (is_named) {
        ballot->value = (struct sim_value){.name_hash = name_hash(value.name), .epoch = value.epoch};
        if (value.kind == VALUE_ROLE) {
            ballot->value.holder = value.holder;
        }
    }
    const struct sim_ballot *parent = chain_find(sim, op->row, op->parent);
    if (parent != NULL) {
        oracle_step_of_value(sim, &parent->value, &ballot->value);
    }
    if (is_named && value.kind == VALUE_ROLE && (!is_ready(sim, value.holder) || !is_ready(sim, value.successor))) {
        oracle_object(sim, "a role is handed to an incarnation that is not ready");
    }
    sim->ballot_count++;
}

/* ---- What is read ------------------------------------------------------------------------------------------------------- */

static bool op_is_reading(const struct op *op)
{
    return op->phase == OP_READ || op->phase == OP_READ_AGAIN || op->phase == OP_PROMISE;
}

/* B1: what a read proves is not older than what anybody held for committed before the read began. */
static void oracle_read(struct sim *sim, struct sim_read *read, const struct op *op)
{
    if (read->generation == op->generation) {
        return;
    }
    bool has_ended = read->is_running && op->phase == OP_UNUSED && op->is_proven;
    if (has_ended && ballot_is_above(read->floor, op->first.accepted)) {
        oracle_object(sim, "a read proves less than was committed before it began");
    }
    if (op->phase != OP_READ_AGAIN) {
        read->floor = sim->chains[op->row].tip;
    }
    read->is_running = op_is_reading(op);
    read->generation = op->generation;
}

/* N1: a name is known of a row only once it is committed there. */
static void oracle_known_names(struct sim *sim, const struct node *node)
{
    for (uint32_t row = layout_register_row(&sim->header.layout, 0); row < layout_rows(&sim->header.layout); row++) {
        uint64_t known = register_row(node, row)->name_hash;
        if (known != 0 && known != sim->chains[row].name_hash) {
            oracle_object(sim, "a name is believed that is not committed");
        }
    }
}

void oracle_chain(struct sim *sim, uint32_t index)
{
    const struct node *node = sim->processes[index].node;
    for (uint32_t i = 0; i < node->params.depth; i++) {
        const struct op *op = &node->registers.ops[i];
        if (op->phase == OP_ACCEPT && chain_find(sim, op->row, op->ballot) == NULL) {
            oracle_written(sim, op);
        }
    }
    for (uint32_t row = ROW_LEDGER_FIRST; row < layout_rows(&sim->header.layout); row++) {
        chain_commit(sim, row, node->registers.rows[row - ROW_LEDGER_FIRST].proven);
    }
    for (uint32_t i = 0; i < node->params.depth; i++) {
        oracle_read(sim, &sim->processes[index].reads[i], &node->registers.ops[i]);
    }
    oracle_known_names(sim, node);
}
