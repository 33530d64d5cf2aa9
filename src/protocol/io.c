#include "protocol/state.h"

#include <assert.h>

/* D1, and D2: a disk that has not given an older write of the block back sits out for that block. */
static bool io_is_writing(const struct node *node, uint32_t disk, uint32_t row)
{
    const struct io *entries = node->io.entries + (size_t)disk * node->io.per_disk;
    for (uint32_t i = 0; i < node->io.per_disk; i++) {
        const struct io *io = &entries[i];
        if (io->owner != IO_UNUSED && io->row == row && (io->operation == IO_WRITE || io->operation == IO_EXCHANGE)) {
            return true;
        }
    }
    return false;
}

static struct io *io_free_entry(const struct node *node, uint32_t disk)
{
    struct io *entries = node->io.entries + (size_t)disk * node->io.per_disk;
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
    bool is_healthy =
        node->io.health[disk] == DISK_GOOD || (owner == IO_FOR_HEALTH && node->io.health[disk] != DISK_OUT);
    if (!is_healthy || io_free_entry(node, disk) == NULL) {
        return false;
    }
    if (owner == IO_FOR_OP && node->io.op_count[disk] >= node->params.depth) {
        return false; /* the entries left over are the heartbeat's: a deep queue must not delay it */
    }
    bool is_write = operation == IO_WRITE || operation == IO_EXCHANGE;
    return !is_write || !io_is_writing(node, disk, row);
}

struct io *io_begin(struct node *node, uint32_t disk, enum io_owner owner, enum io_operation operation, uint32_t row)
{
    assert(node->stage != NODE_OVER);
    struct io *io = io_free_entry(node, disk);
    assert(io != NULL);
    io->owner = owner;
    io->operation = operation;
    io->disk = disk;
    io->row = row;
    io->op = 0;
    io->generation = 0;
    io->sequence = node->sequence;
    io->submitted_step = node->step;
    io->submitted_fast_ns = node->fast_ns;
    node->io.in_flight++;
    node->io.op_count[disk] += owner == IO_FOR_OP;

    bool is_write = operation == IO_WRITE || operation == IO_EXCHANGE;
    assert(node->io_action_count < node->disk_count * node->io.per_disk);
    node->io_actions[node->io_action_count++] = (struct io_action){
        .operation = operation,
        .disk = disk,
        .row = row,
        .slot = is_write ? node->self.slot : 0,
        .tag = (uint32_t)(io - node->io.entries),
        .block = is_write ? io->block : NULL,
    };
    return io;
}

struct io *io_of_tag(struct node *node, uint32_t tag)
{
    assert(tag < node->disk_count * node->io.per_disk);
    assert(node->io.entries[tag].owner != IO_UNUSED);
    return &node->io.entries[tag];
}

bool io_is_header_unchanged(const struct node *node, uint32_t disk, const uint8_t *bytes)
{
    struct set_header header;
    struct set_header expected = node->params.header;
    expected.disk_index = disk;
    return set_header_decode(bytes, &header) == HEADER_OK && set_header_is_unchanged(&header, &expected);
}

/* What a header read says about a disk that had failed. */
static void io_judge_header(struct node *node, uint32_t disk, const struct io_result *result)
{
    node->io.is_probing[disk] = false;
    if (node->io.health[disk] == DISK_SUSPECT && result->is_read_ok &&
        io_is_header_unchanged(node, disk, result->bytes)) {
        node->io.health[disk] = DISK_GOOD;
    }
}

void io_finish(struct node *node, struct io *io, const struct io_result *result)
{
    assert(node->io.in_flight > 0);
    node->io.in_flight--;
    node->io.op_count[io->disk] -= io->owner == IO_FOR_OP;
    if (io->owner == IO_FOR_HEALTH) {
        io_judge_header(node, io->disk, result);
    } else if ((!result->is_write_ok || !result->is_read_ok) && node->io.health[io->disk] == DISK_GOOD) {
        node->io.health[io->disk] = DISK_SUSPECT;
        node->io.probe_fast_ns[io->disk] = node->fast_ns + node_timings(node)->io_deadline_ns / 4;
    }
    io->owner = IO_UNUSED;
}

void io_probe_suspects(struct node *node)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        if (node->io.health[disk] != DISK_SUSPECT || node->io.is_probing[disk]) {
            continue;
        }
        if (node->fast_ns >= node->io.probe_fast_ns[disk] && io_can_submit(node, disk, IO_FOR_HEALTH, IO_HEADER, 0)) {
            io_begin(node, disk, IO_FOR_HEALTH, IO_HEADER, 0);
            node->io.is_probing[disk] = true;
            node->io.probe_fast_ns[disk] = node->fast_ns + node_timings(node)->renew_ns;
        }
        if (!node->io.is_probing[disk]) {
            int64_t at_ns = node->io.probe_fast_ns[disk];
            node_wake_fast(node, at_ns > node->fast_ns ? at_ns : node->fast_ns + node_timings(node)->renew_ns);
        }
    }
}

void io_count_out(struct node *node, uint32_t disk)
{
    assert(disk < node->disk_count);
    node->io.health[disk] = DISK_OUT;
}
