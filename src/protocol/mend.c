#include "protocol/mend.h"

#include "protocol/state.h"

enum {
    MEND_WRITES_MAX = 2,       /* in flight per disk */
    MEND_ROWS_PER_STEP = 4096, /* looked at in one step: memory only */
};

static uint32_t mend_row_count(const struct node *node)
{
    return layout_rows(node_layout(node)) - ROW_LEDGER_FIRST;
}

static void mend_look_from(struct node *node, uint32_t disk, uint32_t index)
{
    struct mend_disk *on = &node->mend.disks[disk];
    on->cursor = on->is_due && on->cursor < index ? on->cursor : index;
    on->is_due = true;
}

void mend_on_return(struct node *node, uint32_t disk)
{
    struct mend_disk *on = &node->mend.disks[disk];
    on->claim = MEND_CLAIM_DUE;
    on->since_sequence = node->sequence;
    mend_look_from(node, disk, 0);
    sweep_begin(node);
}

/* Whoever writes the row now, and the return of a disk that is away, comes back here. */
void mend_row(struct node *node, uint32_t row, uint32_t disk)
{
    struct mend_disk *on = &node->mend.disks[disk];
    if (!row_is_behind(node, row, disk) || !health_counts(node, disk) || op_will_write(node, row) ||
        io_is_writing(node, disk, row)) {
        return;
    }
    if (on->writes >= MEND_WRITES_MAX || !io_can_submit(node, disk, IO_FOR_MEND, IO_WRITE, row)) {
        mend_look_from(node, disk, row - ROW_LEDGER_FIRST);
        return;
    }
    row_prepare_write(node, io_begin(node, disk, IO_FOR_MEND, IO_WRITE, row));
    on->writes++;
}

void mend_row_everywhere(struct node *node, uint32_t row)
{
    for (uint32_t disk = 0; disk < node->disk_count && register_row(node, row)->behind_disks != 0; disk++) {
        mend_row(node, row, disk);
    }
}

static void mend_run_rows(struct node *node, uint32_t disk)
{
    struct mend_disk *on = &node->mend.disks[disk];
    uint32_t count = mend_row_count(node);
    for (uint32_t looked = 0; on->is_due && on->writes < MEND_WRITES_MAX; looked++) {
        if (looked == MEND_ROWS_PER_STEP) {
            node_wake_fast(node, node->fast_ns);
            return;
        }
        uint32_t index = on->cursor++;
        on->is_due = on->cursor < count;
        mend_row(node, ROW_LEDGER_FIRST + index, disk);
        if (on->is_due && on->cursor <= index) {
            return; /* no room: the next completion brings us back */
        }
    }
}

/* My claim block: looked at first, because it is hardly ever missing. */
static void mend_run_claim(struct node *node, uint32_t disk)
{
    struct mend_disk *on = &node->mend.disks[disk];
    if (on->claim == MEND_CLAIM_DUE && io_can_submit(node, disk, IO_FOR_MEND, IO_READ, ROW_CLAIM)) {
        io_begin(node, disk, IO_FOR_MEND, IO_READ, ROW_CLAIM);
        on->claim = MEND_CLAIM_ASKED;
    }
}

static bool mend_is_done(const struct node *node, uint32_t disk)
{
    const struct mend_disk *on = &node->mend.disks[disk];
    return on->claim == MEND_CLAIM_FINE && !on->is_due && on->writes == 0 &&
           node->beat.disks[disk].acknowledged_sequence > on->since_sequence;
}

void mend_run(struct node *node)
{
    if (node->stage != NODE_ACTIVE) {
        return;
    }
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        if (!health_counts(node, disk)) {
            continue;
        }
        mend_run_rows(node, disk);
        mend_run_claim(node, disk);
        if (mend_is_done(node, disk)) {
            health_caught_up(node, disk);
        }
    }
}

static bool mend_claim_stands(const struct node *node, uint32_t disk, const uint8_t *bytes)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = node_own_place(node, disk, ROW_CLAIM);
    struct claim_block block;
    return block_decode_claim(bytes + (size_t)place.slot * block_bytes, block_bytes, &place, &block) &&
           block.author.incarnation == node->self.incarnation;
}

static void mend_on_claim(struct node *node, const struct io *io, const struct io_result *result)
{
    struct mend_disk *on = &node->mend.disks[io->disk];
    bool is_ok = result->is_read_ok && result->is_write_ok;
    if (io->operation == IO_WRITE) {
        on->claim = is_ok ? MEND_CLAIM_FINE : MEND_CLAIM_DUE;
    } else if (!is_ok || io->is_overdue) {
        on->claim = MEND_CLAIM_DUE;
    } else if (mend_claim_stands(node, io->disk, result->bytes)) {
        on->claim = MEND_CLAIM_FINE;
    } else if (node->stage == NODE_ACTIVE && io_can_submit(node, io->disk, IO_FOR_MEND, IO_WRITE, ROW_CLAIM)) {
        claim_prepare_write(node, io_begin(node, io->disk, IO_FOR_MEND, IO_WRITE, ROW_CLAIM), false);
        on->claim = MEND_CLAIM_WRITING;
    } else {
        on->claim = MEND_CLAIM_DUE;
    }
}

void mend_on_io(struct node *node, const struct io *io, const struct io_result *result)
{
    if (io->row == ROW_CLAIM) {
        mend_on_claim(node, io, result);
    } else if (io->operation == IO_READ) {
        sweep_on_io(node, io, result);
    } else {
        node->mend.disks[io->disk].writes -= !io->is_overdue;
        row_on_written(node, io, result);
        mend_row(node, io->row, io->disk);
    }
}

void mend_on_overdue(struct node *node, const struct io *io)
{
    if (io->row == ROW_CLAIM) {
        node->mend.disks[io->disk].claim = MEND_CLAIM_DUE;
    } else if (io->operation == IO_READ) {
        sweep_on_overdue(node, io);
    } else {
        node->mend.disks[io->disk].writes--;
    }
}
