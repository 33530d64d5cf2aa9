#include "protocol/state.h"

#include <assert.h>

static struct io *io_entries_of(const struct node *node, uint32_t disk)
{
    return node->io.entries + (size_t)disk * node->io.per_disk;
}

static bool io_writes(enum io_operation operation)
{
    return operation == IO_WRITE || operation == IO_EXCHANGE;
}

/* D1, and D2: a disk that has not given an older write of the block back sits out for that block. */
bool io_is_writing(const struct node *node, uint32_t disk, uint32_t row)
{
    const struct io *entries = io_entries_of(node, disk);
    for (uint32_t i = 0; i < node->io.per_disk; i++) {
        if (entries[i].owner != IO_UNUSED && entries[i].row == row && io_writes(entries[i].operation)) {
            return true;
        }
    }
    return false;
}

static struct io *io_free_entry(const struct node *node, uint32_t disk)
{
    struct io *entries = io_entries_of(node, disk);
    for (uint32_t i = 0; i < node->io.per_disk; i++) {
        if (entries[i].owner == IO_UNUSED) {
            return &entries[i];
        }
    }
    return NULL;
}

bool io_can_submit(const struct node *node, uint32_t disk, enum io_owner owner, enum io_operation operation,
                   uint32_t row)
{
    assert(disk < node->disk_count);
    bool is_fit = owner == IO_FOR_HEALTH ? !health_is_out(node, disk) : health_counts(node, disk);
    if (!is_fit || io_free_entry(node, disk) == NULL) {
        return false;
    }
    if (owner == IO_FOR_OP && node->io.op_count[disk] >= node->params.depth) {
        return false; /* the entries left over are the heartbeat's: a deep queue must not delay it */
    }
    return !io_writes(operation) || !io_is_writing(node, disk, row);
}

struct io *io_begin(struct node *node, uint32_t disk, enum io_owner owner, enum io_operation operation, uint32_t row)
{
    assert(node->stage != NODE_OVER);
    struct io *io = io_free_entry(node, disk);
    assert(io != NULL);
    uint8_t *block = io->block;
    *io = (struct io){
        .owner = owner,
        .operation = operation,
        .disk = disk,
        .row = row,
        .sequence = node->sequence,
        .submitted_step = node->step,
        .submitted_fast_ns = node->fast_ns,
        .block = block,
    };
    node->io.in_flight++;
    node->io.op_count[disk] += owner == IO_FOR_OP;
    int64_t deadline_ns = node->fast_ns + health_deadline_ns(node, disk);
    node->io.deadline_fast_ns = deadline_ns < node->io.deadline_fast_ns ? deadline_ns : node->io.deadline_fast_ns;

    assert(node->io_action_count < node->disk_count * node->io.per_disk);
    node->io_actions[node->io_action_count++] = (struct io_action){
        .operation = operation,
        .disk = disk,
        .row = row,
        .slot = io_writes(operation) ? node->self.slot : 0,
        .tag = (uint32_t)(io - node->io.entries),
        .block = io_writes(operation) ? block : NULL,
    };
    return io;
}

struct io *io_of_tag(struct node *node, uint32_t tag)
{
    assert(tag < node->disk_count * node->io.per_disk);
    assert(node->io.entries[tag].owner != IO_UNUSED);
    return &node->io.entries[tag];
}

void io_finish(struct node *node, struct io *io, const struct io_result *result)
{
    assert(node->io.in_flight > 0);
    node->io.in_flight--;
    node->io.op_count[io->disk] -= io->owner == IO_FOR_OP;
    if (io->owner != IO_FOR_HEALTH && (!result->is_write_ok || !result->is_read_ok)) {
        health_fail(node, io->disk, DISK_CAUSE_ERROR);
    }
    io->owner = IO_UNUSED;
}

/* The owner goes on as if it had never asked; what the completion brings at last may still serve it. */
static void io_fall_overdue(struct node *node, struct io *io)
{
    io->is_overdue = true;
    switch (io->owner) {
    case IO_FOR_BEAT:
        beat_on_overdue(node, io);
        break;
    case IO_FOR_OP:
        op_on_overdue(node, io);
        break;
    case IO_FOR_MEND:
        mend_on_overdue(node, io);
        break;
    case IO_FOR_CLAIM: /* a claim has limits of its own (S1, S2) */
    case IO_FOR_HEALTH:
    case IO_UNUSED:
        break;
    }
    health_fail(node, io->disk, DISK_CAUSE_SILENT);
}

void io_check_deadlines(struct node *node)
{
    if (node->fast_ns < node->io.deadline_fast_ns) {
        return;
    }
    node->io.deadline_fast_ns = INT64_MAX;
    for (uint32_t i = 0; i < node->disk_count * node->io.per_disk; i++) {
        struct io *io = &node->io.entries[i];
        if (io->owner == IO_UNUSED || io->is_overdue) {
            continue;
        }
        int64_t due_ns = io->submitted_fast_ns + health_deadline_ns(node, io->disk);
        if (node->fast_ns >= due_ns) {
            io_fall_overdue(node, io);
        } else if (due_ns < node->io.deadline_fast_ns) {
            node->io.deadline_fast_ns = due_ns;
        }
    }
}
