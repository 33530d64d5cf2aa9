#include "protocol/sweep.h"

#include "block/role_value.h"
#include "protocol/state.h"

#include <assert.h>
#include <string.h>

enum {
    SWEEP_PASSES_MAX = 3,
    SWEEP_ROWS_PER_RENEW = 1000, /* at most, however fast the disks are */
    SWEEP_WAITS_MAX = 16,        /* for an operation that runs on the row */
    SWEEP_WAIT_EXCHANGES = 16,   /* a half-kept row is left alone for at most so long: somebody else may be faster */
};

static uint32_t sweep_row(const struct node *node)
{
    return ROW_LEDGER_FIRST + node->sweep.index;
}

static void sweep_rest(struct node *node, int64_t ns)
{
    node->sweep.stage = SWEEP_RESTS;
    node->sweep.due_fast_ns = node->fast_ns + ns;
}

void sweep_begin(struct node *node)
{
    struct sweep *sweep = &node->sweep;
    int64_t renew_ns = node_timings(node)->renew_ns;
    if (sweep->rows_left == 0) {
        sweep_rest(node, renew_ns + (int64_t)random_below(&node->random, 4 * (uint64_t)renew_ns));
    }
    sweep->rows_left = layout_rows(node_layout(node)) - ROW_LEDGER_FIRST;
    sweep->passes = 0;
}

/* Rows left over are looked at again once whoever was dying has been found dead. */
static void sweep_end_pass(struct node *node)
{
    struct sweep *sweep = &node->sweep;
    if (sweep->has_left_over && sweep->passes < SWEEP_PASSES_MAX) {
        sweep->passes++;
        sweep->rows_left = layout_rows(node_layout(node)) - ROW_LEDGER_FIRST;
        sweep_rest(node, node->watch.watch_ns + 2 * node_timings(node)->renew_ns);
    }
    sweep->has_left_over = false;
}

static void sweep_next(struct node *node, bool is_left_over)
{
    struct sweep *sweep = &node->sweep;
    uint32_t rows = layout_rows(node_layout(node)) - ROW_LEDGER_FIRST;
    int64_t pace_ns = node_timings(node)->renew_ns / SWEEP_ROWS_PER_RENEW;
    assert(sweep->rows_left > 0);
    sweep->has_left_over |= is_left_over;
    sweep->is_second_look = false;
    sweep->waits = 0;
    sweep->index = (sweep->index + 1) % rows;
    sweep_rest(node, node->exchange_ns > pace_ns ? node->exchange_ns : pace_ns);
    if (--sweep->rows_left == 0) {
        sweep_end_pass(node);
    }
}

/* Someone here is at work on the row, or no operation is free. An operation on a row that has lost a block on most disks
 * does not end; the other rows must not wait for it. */
static void sweep_wait_or_leave(struct node *node)
{
    if (++node->sweep.waits < SWEEP_WAITS_MAX) {
        sweep_rest(node, node->exchange_ns);
    } else {
        sweep_next(node, true);
    }
}

/* ---- What a look at one row says -------------------------------------------------------------------------------------- */

static bool sweep_is_alive(const struct node *node, struct node_id id)
{
    if (node_id_is_none(id) || id.slot >= node_layout(node)->slots) {
        return false;
    }
    const struct watch_entry *entry = watch_find(&node->watch, id);
    return entry != NULL && entry->standing_disks != 0 && !watch_is_gone(&node->watch, id);
}

/* Who holds the role of this row; none if it is no role, or free. */
static struct node_id sweep_holder(const struct node *node)
{
    struct role_value value;
    bool is_register = sweep_row(node) >= layout_register_row(node_layout(node), 0);
    if (!is_register || !role_value_decode(node->sweep.seen.value, &value)) {
        return (struct node_id){0};
    }
    return value.holder;
}

static bool sweep_is_half_kept(const struct node *node)
{
    const struct sweep *sweep = &node->sweep;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        bool is_asked = ((uint32_t)sweep->asked_disks >> disk & 1U) != 0;
        if (is_asked && !ballot_is_same(sweep->seen.disks[disk].accepted, sweep->seen.accepted)) {
            return true;
        }
    }
    return false;
}

/* Whether it is for somebody else to bring the value to every disk. */
static bool sweep_is_anothers(const struct node *node)
{
    struct ballot accepted = node->sweep.seen.accepted;
    struct node_id author = {accepted.slot, accepted.incarnation};
    struct node_id holder = sweep_holder(node);
    if (sweep_is_alive(node, holder)) {
        return !node_id_is_same(holder, node->self);
    }
    return sweep_is_alive(node, author);
}

/* The f of a read ballot that rewrites what it saw even if that is proven: it is not everywhere. */
bool sweep_change_keep(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    (void)node;
    (void)op;
    memcpy(ret_value, seen, VALUE_BYTES);
    return true;
}

void sweep_on_ballot(struct node *node, const struct op *op, enum op_outcome outcome)
{
    (void)op;
    sweep_next(node, outcome != OP_COMMITTED); /* B4: whoever outbid it is at work on the row */
}

static void sweep_judge(struct node *node)
{
    struct sweep *sweep = &node->sweep;
    struct node_id author = {sweep->seen.accepted.slot, sweep->seen.accepted.incarnation};
    bool is_half_kept = sweep_is_half_kept(node);
    if (!is_half_kept && !sweep->is_own_damaged) {
        sweep_next(node, false);
    } else if (is_half_kept && node_id_is_same(author, node->self)) {
        sweep_next(node, true); /* mend_row() does it */
    } else if (sweep_is_anothers(node) || !collect_is_majority(&sweep->seen)) {
        sweep_next(node, true); /* without a majority for each slot, no ballot would end */
    } else if (!sweep->is_second_look) {
        sweep->is_second_look = true;
        uint64_t most_ns = SWEEP_WAIT_EXCHANGES * (uint64_t)node->exchange_ns;
        sweep_rest(node, (int64_t)random_below(&node->random, most_ns));
    } else if (op_start(node, sweep_row(node), OP_UPDATE, OP_NO_ROLE, is_half_kept ? sweep_change_keep : NULL,
                        sweep_on_ballot) != NULL) {
        sweep->stage = SWEEP_BALLOTS;
    } else {
        sweep_wait_or_leave(node);
    }
}

/* ---- Requests -------------------------------------------------------------------------------------------------------- */

/* A look that leaves out a disk that counts would find too much in order. */
static bool sweep_can_look(const struct node *node)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        if (health_counts(node, disk) && !io_can_submit(node, disk, IO_FOR_MEND, IO_READ, sweep_row(node))) {
            return false;
        }
    }
    return true;
}

static void sweep_look(struct node *node)
{
    struct sweep *sweep = &node->sweep;
    uint32_t row = sweep_row(node);
    sweep->stage = SWEEP_READS;
    sweep->generation++;
    sweep->asked_disks = 0;
    sweep->is_own_damaged = false;
    collect_begin(&sweep->seen, node_layout(node), node->set_tag, node->disk_count, row);
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        if (health_counts(node, disk)) {
            struct io *io = io_begin(node, disk, IO_FOR_MEND, IO_READ, row);
            io->generation = sweep->generation;
            row_prepare_read(node, io);
            sweep->asked_disks |= (uint16_t)(1U << disk);
        }
    }
    sweep->awaited_disks = sweep->asked_disks;
    if (sweep->asked_disks == 0) {
        sweep_rest(node, node_timings(node)->renew_ns);
    }
}

void sweep_run(struct node *node)
{
    struct sweep *sweep = &node->sweep;
    if (node->stage != NODE_ACTIVE || sweep->rows_left == 0 || sweep->stage != SWEEP_RESTS) {
        return;
    }
    if (node->fast_ns < sweep->due_fast_ns) {
        node_wake_fast(node, sweep->due_fast_ns);
    } else if (op_is_running_on(node, sweep_row(node)) || !sweep_can_look(node)) {
        sweep_wait_or_leave(node);
        node_wake_fast(node, sweep->due_fast_ns);
    } else {
        sweep_look(node);
    }
}

/* My block is damaged there, and no memory of mine can rewrite it: that takes a ballot. */
static bool sweep_own_is_damaged(const struct node *node, const struct io *io, const uint8_t *bytes)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = node_own_place(node, io->disk, io->row);
    struct register_block own;
    bool is_used = register_row(node, io->row)->promised.incarnation == node->self.incarnation;
    return !is_used && !block_decode_register(bytes + (size_t)place.slot * block_bytes, block_bytes, &place, &own);
}

void sweep_on_io(struct node *node, const struct io *io, const struct io_result *result)
{
    struct sweep *sweep = &node->sweep;
    bool is_good = result->is_read_ok && !health_is_out(node, io->disk);
    if (is_good && !row_check_own(node, io, result->bytes) && node->stage == NODE_ACTIVE) {
        mend_row(node, io->row, io->disk);
    }
    bool is_awaited = io->generation == sweep->generation && ((uint32_t)sweep->awaited_disks >> io->disk & 1U) != 0;
    if (node->stage != NODE_ACTIVE || sweep->stage != SWEEP_READS || !is_awaited) {
        return;
    }
    if (!is_good || !health_counts(node, io->disk)) {
        sweep_next(node, true);
        return;
    }
    sweep->is_own_damaged |= sweep_own_is_damaged(node, io, result->bytes);
    collect_add(&sweep->seen, io->disk, result->bytes);
    sweep->awaited_disks &= (uint16_t) ~(1U << io->disk);
    if (sweep->awaited_disks == 0) {
        sweep_judge(node);
    }
}

void sweep_on_overdue(struct node *node, const struct io *io)
{
    if (node->sweep.stage == SWEEP_READS && io->generation == node->sweep.generation) {
        sweep_next(node, true);
    }
}
