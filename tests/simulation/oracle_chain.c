/*
 * What was made from what. Everything that anybody holds for committed lies on one chain of "made from what was seen", for
 * each register. Along it stand all the holders that a role has had: the changes of holder are counted here, once each.
 */
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
    } else {
        const struct sim_ballot *known = chain_find(sim, row, ballot);
        is_on_it = known != NULL && known->is_committed;
    }
    if (!is_on_it) {
        oracle_object(sim, "committed values of one register do not form one chain");
    }
}

/* Whom the value of a phase 2 names, beside whom the value named that it was made from. */
static void chain_note_holder(struct sim *sim, struct sim_ballot *ballot, const uint8_t *bytes)
{
    struct role_value value;
    bool is_role = ballot->row >= layout_register_row(&sim->header.layout, 0) && role_value_decode(bytes, &value) &&
                   value.kind == VALUE_ROLE;
    if (!is_role) {
        return;
    }
    oracle_named(sim, &value);
    const struct sim_ballot *parent = chain_find(sim, ballot->row, ballot->parent);
    struct node_id before = parent == NULL ? (struct node_id){0} : parent->holder;
    struct node_id author = {ballot->ballot.slot, ballot->ballot.incarnation};
    ballot->holder = value.holder;
    ballot->is_change = !node_id_is_none(value.holder) && !node_id_is_same(value.holder, before);
    ballot->is_takeover = ballot->is_change && !node_id_is_none(before) && !node_id_is_same(before, author);
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
    chain_note_holder(sim, ballot, op->value);
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
}
