#include "protocol/state.h"

#include <assert.h>
#include <string.h>

enum { BACK_OFF_DOUBLINGS = 6, PROVE_ATTEMPTS = 3 };

int64_t op_back_off_ns(struct node *node, uint32_t attempts)
{
    uint32_t doublings = attempts < BACK_OFF_DOUBLINGS ? attempts : BACK_OFF_DOUBLINGS;
    uint64_t span = (uint64_t)node->exchange_ns << doublings;
    return node->exchange_ns / 2 + (int64_t)random_below(&node->random, span);
}

bool op_is_running_on(const struct node *node, uint32_t row)
{
    for (uint32_t i = 0; i < node->params.depth; i++) {
        if (node->registers.ops[i].phase != OP_UNUSED && node->registers.ops[i].row == row) {
            return true;
        }
    }
    return false;
}

/* ---- Phases --------------------------------------------------------------------------------------------------------- */

static void op_enter(struct node *node, struct op *op, enum op_phase phase)
{
    op->phase = phase;
    op->generation = ++node->registers.generation;
    op->phase_fast_ns = node->fast_ns;
    memset(op->disks, 0, sizeof op->disks);
    struct collect *collect = phase == OP_READ_AGAIN ? &op->second : &op->first;
    collect_begin(collect, node_layout(node), node->set_tag, node->disk_count, op->row);
    if (phase == OP_READ) {
        memset(&op->own, 0, sizeof op->own);
    }
}

static void op_pause(struct node *node, struct op *op)
{
    op->pause_fast_ns = node->fast_ns + op_back_off_ns(node, op->attempts++);
    op_enter(node, op, OP_PAUSE);
}

/*
 * Whether no ballot can follow those seen. No row comes so far by itself: somebody has forged a promise. As on a row that has
 * lost a block on most disks, the operation does not end, and nothing else is held up by it.
 */
static bool row_is_exhausted(const struct row_state *row)
{
    return row->round_seen >= UINT64_MAX - 1; /* phase 2 promises one round more */
}

/* Phase 1: a ballot above every promise seen and above my own. My accepted and value stay as they are. */
static void op_enter_promise(struct node *node, struct op *op)
{
    struct row_state *row = register_row(node, op->row);
    assert(row->is_known);
    if (row_is_exhausted(row)) {
        op_pause(node, op);
        return;
    }
    row->round_seen++;
    op->ballot = (struct ballot){row->round_seen, node->self.slot, node->self.incarnation};
    assert(ballot_is_above(op->ballot, row->promised));
    row->promised = op->ballot;
    row->is_next_promised = false;
    row_changed(node, op->row);
    op_enter(node, op, OP_PROMISE);
}

/* Phase 2: accept, and promise the next ballot at the same time, which is usable once this phase has completed. */
static void op_enter_accept(struct node *node, struct op *op)
{
    struct row_state *row = register_row(node, op->row);
    assert(ballot_is_same(row->promised, op->ballot));
    row->accepted = op->ballot;
    memcpy(row->value, op->value, VALUE_BYTES);
    row->promised.round = op->ballot.round + 1;
    row->round_seen = row->promised.round > row->round_seen ? row->promised.round : row->round_seen;
    row->is_next_promised = false;
    row->is_open = true; /* B2: until this ballot, or one of mine above it, has completed */
    beacon_note_begun(node, op->row);
    row_changed(node, op->row);
    op_enter(node, op, OP_ACCEPT);
}

static void op_finish(struct node *node, struct op *op, enum op_outcome outcome)
{
    assert(op->phase != OP_UNUSED);
    op->done(node, op, outcome);
    op->phase = OP_UNUSED;
    op->generation = ++node->registers.generation;
    node->registers.running--;
    if (node->stage != NODE_OVER) {
        mend_row_everywhere(node, op->row); /* else what was committed on a bare majority would stay there */
    }
}

/* What phase 2 writes: f(seen), or what was seen. True if f wants a change. */
static bool op_choose_value(struct node *node, struct op *op, const uint8_t *seen)
{
    if (op->change != NULL && op->change(node, op, seen, op->value)) {
        return true;
    }
    memcpy(op->value, seen, VALUE_BYTES);
    return false;
}

/* A ballot begins: with phase 2 at once if an earlier phase 2 of mine completed and promised it, else with phase 1. */
static void op_enter_ballot(struct node *node, struct op *op)
{
    struct row_state *row = register_row(node, op->row);
    if (!row->is_known) {
        op_enter(node, op, OP_READ); /* first use of a row */
        return;
    }
    if (row->is_next_promised && !row_is_exhausted(row)) {
        op->ballot = row->promised;
        op->parent = row->accepted;
        op_choose_value(node, op, row->value);
        op_enter_accept(node, op);
    } else {
        op_enter_promise(node, op);
    }
}

static struct op *op_unused(const struct node *node)
{
    for (uint32_t i = 0; i < node->params.depth; i++) {
        if (node->registers.ops[i].phase == OP_UNUSED) {
            return &node->registers.ops[i];
        }
    }
    return NULL;
}

struct op *op_start(struct node *node, uint32_t row, enum op_goal goal, uint32_t client, op_change *change,
                    op_done *done)
{
    assert(node->stage == NODE_ACTIVE || node->stage == NODE_LEAVING);
    struct op *op = op_is_running_on(node, row) ? NULL : op_unused(node);
    if (op == NULL) {
        return NULL;
    }
    node->registers.running++;
    op->goal = goal;
    op->row = row;
    op->client = client;
    op->change = change;
    op->done = done;
    op->attempts = 0;
    op->is_proven = false;
    if (goal == OP_UPDATE) {
        op_enter_ballot(node, op);
    } else {
        op_enter(node, op, OP_READ);
    }
    return op;
}

void op_end_unheard(struct node *node, const struct op *op, enum op_outcome outcome)
{
    (void)node;
    (void)op;
    (void)outcome;
}

void op_forsake(struct node *node, uint32_t client)
{
    assert(client != OP_NO_ROLE);
    for (uint32_t i = 0; i < node->params.depth; i++) {
        struct op *op = &node->registers.ops[i];
        if (op->phase != OP_UNUSED && op->client == client) {
            op->client = OP_NO_ROLE;
            op->change = NULL;
            op->done = op_end_unheard;
        }
    }
}

/* ---- What a finished read or phase leads to -------------------------------------------------------------------------- */

/* First use of a row: my slot's state is its block with the highest accepted, whoever of its owners wrote it. */
static void op_recover_row(struct node *node, struct op *op)
{
    struct row_state *row = register_row(node, op->row);
    if (!row->is_known) {
        row->accepted = op->own.accepted;
        row->proven = op->own.committed;
        memcpy(row->value, op->own.value, VALUE_BYTES);
        row->is_known = true;
    }
    if (op->first.promised.round > row->round_seen) {
        row->round_seen = op->first.promised.round;
    }
}

/* The row's proven ballot becomes this node's commit mark, written lazily with its next write. */
static void op_note_proven(struct node *node, struct op *op, struct ballot ballot)
{
    struct row_state *row = register_row(node, op->row);
    op->is_proven = true;
    if (ballot_is_above(ballot, row->proven)) {
        row->proven = ballot;
    }
}

static void op_see(struct node *node, struct op *op)
{
    memcpy(op->value, op->first.value, VALUE_BYTES);
    op_finish(node, op, OP_SEEN);
}

static void op_end_read(struct node *node, struct op *op)
{
    op_recover_row(node, op);
    struct row_state *row = register_row(node, op->row);
    if (op->goal == OP_UPDATE) {
        op_enter_promise(node, op);
        return;
    }
    /* B2: what an open phase 2 of my own has done is never learnt by a read. */
    if (!row->is_open && collect_is_proven(&op->first, row->proven)) {
        op_note_proven(node, op, op->first.accepted);
    }
    if (op->goal == OP_LOOK || op->is_proven) {
        op_see(node, op);
        return;
    }
    op_enter(node, op, OP_READ_AGAIN);
}

/* B1: unsettled after several looks: a ballot of my own settles it. */
static void op_end_read_again(struct node *node, struct op *op)
{
    if (!register_row(node, op->row)->is_open && collect_is_proven_twice(&op->first, &op->second)) {
        op_note_proven(node, op, op->first.accepted);
        op_see(node, op);
    } else if (op->attempts < PROVE_ATTEMPTS) {
        op_pause(node, op);
    } else {
        op->goal = OP_UPDATE;
        op_enter_ballot(node, op);
    }
}

static void op_end_promise(struct node *node, struct op *op)
{
    struct row_state *row = register_row(node, op->row);
    bool is_mine = ballot_is_above(row->accepted, op->first.accepted); /* my own in memory counts like any other */
    op->parent = is_mine ? row->accepted : op->first.accepted;
    bool is_changed = op_choose_value(node, op, is_mine ? row->value : op->first.value);
    if (!is_changed && !row->is_open && collect_is_proven(&op->first, row->proven)) {
        op_note_proven(node, op, op->first.accepted);
        op_finish(node, op, OP_COMMITTED);
        return;
    }
    op_enter_accept(node, op);
}

static void op_end_accept(struct node *node, struct op *op)
{
    struct row_state *row = register_row(node, op->row);
    row->is_open = false;
    row->is_next_promised = true;
    beacon_note_committed(node, op->row);
    op_note_proven(node, op, op->ballot);
    op_finish(node, op, OP_COMMITTED);
}

static void op_measure(struct node *node, const struct op *op)
{
    int64_t took_ns = node->fast_ns - op->phase_fast_ns;
    node->exchange_ns += (took_ns - node->exchange_ns) / 8;
    int64_t least_ns = NS_PER_MS / 50; /* a unit of nothing would be no back-off */
    int64_t most_ns = node_timings(node)->io_deadline_ns;
    node->exchange_ns = node->exchange_ns < least_ns ? least_ns : node->exchange_ns;
    node->exchange_ns = node->exchange_ns > most_ns ? most_ns : node->exchange_ns;
}

static void op_end_phase(struct node *node, struct op *op)
{
    switch (op->phase) {
    case OP_READ:
        op_end_read(node, op);
        break;
    case OP_READ_AGAIN:
        op_end_read_again(node, op);
        break;
    case OP_PROMISE:
        op_measure(node, op);
        op_end_promise(node, op);
        break;
    case OP_ACCEPT:
        op_measure(node, op);
        op_end_accept(node, op);
        break;
    case OP_UNUSED:
    case OP_PAUSE:
        assert(false);
    }
}

/* Another slot has promised more than this ballot. */
static void op_abort(struct node *node, struct op *op)
{
    struct row_state *row = register_row(node, op->row);
    if (op->first.promised.round > row->round_seen) {
        row->round_seen = op->first.promised.round;
    }
    row->is_next_promised = false;
    if (row->is_open) {
        op_pause(node, op); /* B2: a full ballot of my own above it, until it is known */
    } else {
        op_finish(node, op, OP_ABORTED);
    }
}

/* ---- Requests ------------------------------------------------------------------------------------------------------- */

static bool op_is_exchanging(const struct op *op)
{
    return op->phase == OP_PROMISE || op->phase == OP_ACCEPT;
}

static void op_submit(struct node *node, struct op *op, uint32_t disk)
{
    enum io_operation operation = op_is_exchanging(op) ? IO_EXCHANGE : IO_READ;
    struct io *io = io_begin(node, disk, IO_FOR_OP, operation, op->row);
    io->op = (uint32_t)(op - node->registers.ops);
    io->generation = op->generation;
    if (operation == IO_EXCHANGE) {
        row_prepare_write(node, io);
    } else {
        row_prepare_read(node, io);
    }
}

bool op_will_write(const struct node *node, uint32_t row)
{
    for (uint32_t i = 0; i < node->params.depth; i++) {
        if (op_is_exchanging(&node->registers.ops[i]) && node->registers.ops[i].row == row) {
            return true;
        }
    }
    return false;
}

/*
 * Every disk that can answer has answered, and yet some slot lacks its majority: damaged blocks. The same phase asks again,
 * because their owners may have rewritten them meanwhile. Nobody waits for a disk that has failed or is counted out, nor for
 * longer than a lease.
 */
static void op_ask_again(struct node *node, struct op *op)
{
    uint32_t done = 0;
    bool is_patient = node->fast_ns - op->phase_fast_ns < node_timings(node)->lease_ns;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        bool is_done = op->disks[disk].state == OP_DISK_DONE;
        if (!is_done && is_patient && health_counts(node, disk)) {
            return;
        }
        done += is_done;
    }
    if (done == 0) {
        return;
    }
    op_enter(node, op, op->phase);
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        op->disks[disk].retry_fast_ns = node->fast_ns + node_timings(node)->io_deadline_ns / 2;
    }
}

static void op_run(struct node *node, struct op *op)
{
    if (op->phase == OP_PAUSE && node->fast_ns >= op->pause_fast_ns) {
        if (op->goal == OP_UPDATE) {
            op_enter_ballot(node, op);
        } else {
            op_enter(node, op, OP_READ);
        }
    }
    if (op->phase == OP_PAUSE) {
        node_wake_fast(node, op->pause_fast_ns);
        return;
    }
    op_ask_again(node, op);
    enum io_operation operation = op_is_exchanging(op) ? IO_EXCHANGE : IO_READ;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        if (op->disks[disk].state != OP_DISK_TODO) {
            continue;
        }
        if (node->fast_ns < op->disks[disk].retry_fast_ns) {
            node_wake_fast(node, op->disks[disk].retry_fast_ns);
        } else if (io_can_submit(node, disk, IO_FOR_OP, operation, op->row)) {
            op_submit(node, op, disk);
            op->disks[disk].state = OP_DISK_SENT;
        }
    }
}

void op_run_all(struct node *node)
{
    for (uint32_t i = 0; i < node->params.depth && node->registers.running > 0; i++) {
        if (node->registers.ops[i].phase != OP_UNUSED) {
            op_run(node, &node->registers.ops[i]);
        }
    }
}

/* Keeps my slot's block with the highest accepted, for the first use of a row. */
static void op_note_own(struct node *node, struct op *op, uint32_t disk, const uint8_t *bytes)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = node_own_place(node, disk, op->row);
    struct register_block block;
    const uint8_t *at = bytes + (size_t)place.slot * block_bytes;
    if (!block_decode_register(at, block_bytes, &place, &block)) {
        return;
    }
    if (!ballot_is_above(op->own.accepted, block.accepted)) {
        struct ballot committed =
            ballot_is_above(op->own.committed, block.committed) ? op->own.committed : block.committed;
        op->own = block;
        op->own.committed = committed;
    }
}

/* The highest promise that a slot other than mine has shown in this pass. */
static bool op_is_outbid(const struct node *node, const struct op *op)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        const struct collect_disk *seen = &op->first.disks[disk];
        struct ballot other = seen->promised.slot == node->self.slot ? seen->runner_up : seen->promised;
        if (ballot_is_above(other, op->ballot)) {
            return true;
        }
    }
    return false;
}

/* T8: another holder in the highest accepted value of a role this node believes it leads. */
static bool op_is_replaced(struct node *node, const struct op *op)
{
    const struct row_state *row = register_row(node, op->row);
    return op->client < node->params.roles_max && ballot_is_above(op->first.accepted, row->accepted) &&
           role_is_contradicted(node, op->client, op->first.value);
}

static void op_on_row(struct node *node, struct op *op, const struct io *io, const uint8_t *bytes)
{
    op->disks[io->disk].state = OP_DISK_DONE;
    if (op->phase == OP_READ) {
        op_note_own(node, op, io->disk, bytes);
    }
    collect_add(op->phase == OP_READ_AGAIN ? &op->second : &op->first, io->disk, bytes);
    if (op_is_replaced(node, op)) {
        node_go_over(node, OVER_REPLACED);
        return;
    }
    if (op_is_exchanging(op) && op_is_outbid(node, op)) {
        op_abort(node, op);
        return;
    }
    if (collect_is_majority(op->phase == OP_READ_AGAIN ? &op->second : &op->first)) {
        op_end_phase(node, op);
    }
}

void op_on_overdue(struct node *node, const struct io *io)
{
    struct op *op = &node->registers.ops[io->op];
    if (op->generation == io->generation) {
        op->disks[io->disk].state = OP_DISK_TODO;
    }
}

void op_forget_disk(struct node *node, uint32_t disk)
{
    for (uint32_t i = 0; i < node->params.depth; i++) {
        struct op *op = &node->registers.ops[i];
        bool has_answered = op->first.disks[disk].is_read || op->second.disks[disk].is_read;
        if (op->phase != OP_UNUSED && op->phase != OP_PAUSE && has_answered) {
            op_enter(node, op, op->phase == OP_READ_AGAIN ? OP_READ : op->phase);
        }
    }
}

/* B5: a completion counts for the phase it was submitted in, late or not, unless the disk has answered a second request. */
static bool op_awaits(const struct op *op, const struct io *io)
{
    return op->generation == io->generation && op->disks[io->disk].state != OP_DISK_DONE;
}

void op_on_io(struct node *node, const struct io *io, const struct io_result *result)
{
    bool is_good = result->is_write_ok && result->is_read_ok && !health_is_out(node, io->disk);
    if (io->operation == IO_EXCHANGE) {
        row_on_written(node, io, result);
    }
    is_good = is_good && row_check_own(node, io, result->bytes);
    struct op *op = &node->registers.ops[io->op];
    if (node->stage == NODE_OVER) {
        return;
    }
    if (is_good && op_awaits(op, io)) {
        op_on_row(node, op, io, result->bytes);
    } else if (op_awaits(op, io) && !io->is_overdue) {
        op->disks[io->disk].state = OP_DISK_TODO;
        op->disks[io->disk].retry_fast_ns = node->fast_ns + node_timings(node)->io_deadline_ns / 2;
    }
    if (node->stage != NODE_OVER) {
        mend_row(node, io->row, io->disk);
    }
}
