/*
 * What must be true of registers and of the roles in them. Everything that anybody holds for committed lies on one chain of
 * "made from what was seen", for each register; reads miss nothing of it; names stay where they are; an epoch has one holder.
 * Along the chain stand all the holders that a role has had: the changes of holder are counted here, once each.
 */
#include "block/name.h"
#include "block/role_value.h"
#include "protocol/state.h"
#include "sim.h"

#include <assert.h>

_Static_assert((SIM_BALLOT_PLACES & (SIM_BALLOT_PLACES - 1)) == 0, "a place is the low bits of a hash");
_Static_assert(SIM_BALLOT_PLACES >= 2 * SIM_BALLOTS_MAX, "a search meets an empty place soon");

/* The place of the ballot in the table, or the empty one where it would stand. */
static struct sim_ballot_place *chain_place(struct sim *sim, uint32_t row, struct ballot ballot)
{
    uint64_t hash = (ballot.round * 64 + row) * UINT64_C(0x9e3779b97f4a7c15) ^ ballot.incarnation;
    for (uint64_t at = hash ^ hash >> 32;; at++) {
        struct sim_ballot_place *place = &sim->ballot_places[at & (SIM_BALLOT_PLACES - 1)];
        if (place->run != sim->run) {
            return place;
        }
        const struct sim_ballot *known = &sim->ballots[place->index];
        if (known->row == row && ballot_is_same(known->ballot, ballot)) {
            return place;
        }
    }
}

static struct sim_ballot *chain_find(struct sim *sim, uint32_t row, struct ballot ballot)
{
    const struct sim_ballot_place *place = chain_place(sim, row, ballot);
    return place->run == sim->run ? &sim->ballots[place->index] : NULL;
}

/* From a new tip down to the old one. False if that one is not among those it was made from. */
static bool chain_extend(struct sim *sim, uint32_t row, struct ballot ballot, struct ballot tip)
{
    while (ballot_is_above(ballot, tip)) {
        struct sim_ballot *known = chain_find(sim, row, ballot);
        if (known == NULL) {
            return false;
        }
        known->is_committed = true;
        sim->statistics.changes += known->is_change;
        sim->statistics.takeovers += known->is_takeover;
        ballot = known->parent;
    }
    return ballot_is_same(ballot, tip);
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

static void chain_commit(struct sim *sim, uint32_t row, struct ballot ballot)
{
    struct ballot *tip = &sim->chains[row].tip;
    if (ballot_is_none(ballot)) {
        return;
    }
    bool is_on_it = false;
    if (ballot_is_above(ballot, *tip)) {
        is_on_it = chain_extend(sim, row, ballot, *tip);
        *tip = ballot;
        chain_name(sim, row);
    } else {
        const struct sim_ballot *known = chain_find(sim, row, ballot);
        is_on_it = known != NULL && known->is_committed;
    }
    if (!is_on_it) {
        oracle_object(sim, "committed values of one register do not form one chain");
    }
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

/* T3: nobody is named holder or successor before its first heartbeat has counted. */
static void oracle_named(struct sim *sim, const struct role_value *value)
{
    if (value->kind == VALUE_ROLE && (!is_ready(sim, value->holder) || !is_ready(sim, value->successor))) {
        oracle_object(sim, "a role is handed to an incarnation that is not ready");
    }
}

/* What a phase 2 writes, beside what that was made from. */
static void chain_note_value(struct sim *sim, struct sim_ballot *ballot, const uint8_t *bytes)
{
    struct role_value value;
    bool is_named = ballot->row >= layout_register_row(&sim->header.layout, 0) && role_value_decode(bytes, &value) &&
                    value.kind != VALUE_UNNAMED;
    const struct sim_ballot *parent = chain_find(sim, ballot->row, ballot->parent);
    struct sim_value before = parent == NULL ? (struct sim_value){0} : parent->value;
    if (is_named) {
        oracle_named(sim, &value);
        ballot->value = (struct sim_value){.name_hash = name_hash(value.name), .epoch = value.epoch};
        ballot->value.holder = value.kind == VALUE_ROLE ? value.holder : (struct node_id){0};
    }
    oracle_step_of_value(sim, &before, &ballot->value);
    struct node_id author = {ballot->ballot.slot, ballot->ballot.incarnation};
    struct node_id holder = ballot->value.holder;
    ballot->is_change = !node_id_is_none(holder) && !node_id_is_same(holder, before.holder);
    ballot->is_takeover =
        ballot->is_change && !node_id_is_none(before.holder) && !node_id_is_same(before.holder, author);
}

static void chain_note(struct sim *sim, const struct op *op)
{
    struct sim_ballot_place *place = chain_place(sim, op->row, op->ballot);
    if (place->run == sim->run) {
        return;
    }
    assert(sim->ballot_count < SIM_BALLOTS_MAX);
    sim->statistics.ballots++;
    *place = (struct sim_ballot_place){.run = sim->run, .index = sim->ballot_count};
    struct sim_ballot *ballot = &sim->ballots[sim->ballot_count++];
    *ballot = (struct sim_ballot){.row = op->row, .ballot = op->ballot, .parent = op->parent};
    chain_note_value(sim, ballot, op->value);
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
    struct sim_process *process = &sim->processes[index];
    const struct node *node = process->node;
    for (uint32_t i = 0; i < node->params.depth && node->registers.running > 0; i++) {
        if (node->registers.ops[i].phase == OP_ACCEPT) {
            chain_note(sim, &node->registers.ops[i]);
        }
    }
    for (uint32_t row = ROW_LEDGER_FIRST; row < layout_rows(&sim->header.layout); row++) {
        struct ballot proven = node->registers.rows[row - ROW_LEDGER_FIRST].proven;
        if (!ballot_is_same(proven, process->judged[row])) {
            process->judged[row] = proven;
            chain_commit(sim, row, proven);
        }
    }
    for (uint32_t i = 0; i < node->params.depth; i++) {
        oracle_read(sim, &process->reads[i], &node->registers.ops[i]);
    }
    oracle_known_names(sim, node);
}
