#include "protocol/row.h"

#include "protocol/state.h"

#include <assert.h>
#include <string.h>

struct row_state *register_row(const struct node *node, uint32_t row)
{
    assert(row >= ROW_LEDGER_FIRST && row < layout_rows(node_layout(node)));
    return &node->registers.rows[row - ROW_LEDGER_FIRST];
}

void row_changed(const struct node *node, uint32_t row)
{
    register_row(node, row)->behind_disks = (uint16_t)((1U << node->disk_count) - 1);
}

bool row_is_behind(const struct node *node, uint32_t row, uint32_t disk)
{
    return ((uint32_t)register_row(node, row)->behind_disks >> disk & 1U) != 0;
}

void row_prepare_write(struct node *node, struct io *io)
{
    const struct row_state *row = register_row(node, io->row);
    struct block_place place = node_own_place(node, io->disk, io->row);
    struct register_block block = {
        .author = node_next_author(node),
        .promised = row->promised,
        .accepted = row->accepted,
        .committed = row->proven,
    };
    memcpy(block.value, row->value, VALUE_BYTES);
    block_encode_register(io->block, node_layout(node)->block_bytes, &place, &block);
    io->sequence = block.author.sequence;
    io->round = row->promised.round;
}

void row_prepare_read(const struct node *node, struct io *io)
{
    const struct row_state *row = register_row(node, io->row);
    bool is_mine = row->promised.incarnation == node->self.incarnation;
    io->floor = is_mine && !row_is_behind(node, io->row, io->disk) ? row->promised.round : 0;
}

void row_on_written(const struct node *node, const struct io *io, const struct io_result *result)
{
    struct row_state *row = register_row(node, io->row);
    if (result->is_write_ok && io->round == row->promised.round) {
        row->behind_disks &= (uint16_t) ~(1U << io->disk);
    }
}

enum row_own { ROW_FINE, ROW_UNLIKE, ROW_DAMAGED, ROW_BACKWARDS, ROW_STOLEN };

/* Whether a block of this incarnation is older than one that the disk had acknowledged before it was read. */
static bool row_is_older(const struct io *io, const struct register_block *block)
{
    return io->operation == IO_EXCHANGE ? block->author.sequence < io->sequence : block->promised.round < io->floor;
}

static enum row_own row_judge_own(const struct node *node, const struct io *io, const uint8_t *bytes)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = node_own_place(node, io->disk, io->row);
    const uint8_t *at = bytes + (size_t)place.slot * block_bytes;
    bool is_exchange = io->operation == IO_EXCHANGE;
    if (is_exchange ? memcmp(at, io->block, block_bytes) == 0 : io->floor == 0) {
        return ROW_FINE;
    }
    struct register_block block;
    if (!block_decode_register(at, block_bytes, &place, &block)) {
        return ROW_DAMAGED;
    }
    uint64_t author = block.author.incarnation;
    if (author == node->self.incarnation) {
        return row_is_older(io, &block) ? ROW_BACKWARDS : is_exchange ? ROW_UNLIKE : ROW_FINE;
    }
    return author == 0 || claim_has_seen_before(node, io->disk, author) ? ROW_BACKWARDS : ROW_STOLEN;
}

bool row_check_own(struct node *node, const struct io *io, const uint8_t *bytes)
{
    struct row_state *row = register_row(node, io->row);
    switch (row_judge_own(node, io, bytes)) {
    case ROW_FINE:
        return true;
    case ROW_UNLIKE:
        break;
    case ROW_DAMAGED:
        row->behind_disks |= (uint16_t)(1U << io->disk);
        break;
    case ROW_BACKWARDS:
        health_count_out(node, io->disk, DISK_CAUSE_BACKWARDS);
        break;
    case ROW_STOLEN:
        node_go_over(node, OVER_SLOT);
        break;
    }
    return false;
}
