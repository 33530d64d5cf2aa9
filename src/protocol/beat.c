#include "protocol/state.h"

#include <assert.h>
#include <string.h>

void beat_begin(struct node *node)
{
    struct beat *beat = &node->beat;
    uint64_t generation = beat->generation + 1;
    memset(beat, 0, sizeof *beat);
    beat->generation = generation;
    beat->started_wall_ns = node->wall_ns;
    beat->is_running = true;
    lease_begin(&node->lease, node_timings(node)->lease_ns, node->disk_count);
    beat_now(node);
}

void beat_stop(struct node *node)
{
    node->beat.is_running = false;
}

void beat_sign_off(struct node *node)
{
    node->beat.is_running = true;
    beat_now(node);
    beat_run(node);
    node->beat.is_running = false;
}

bool beat_has_left(const struct node *node)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        if (node->beat.disks[disk].has_left) {
            return true;
        }
    }
    return false;
}

void beat_now(struct node *node)
{
    node->beat.due_fast_ns = node->fast_ns;
}

void beat_soon(struct node *node)
{
    node->beat.is_soon = true;
}

static enum heartbeat_state beat_state(const struct node *node)
{
    if (node->stage == NODE_SIGNING_OFF) {
        return HEARTBEAT_LEFT;
    }
    return node->lease.is_real ? HEARTBEAT_READY : HEARTBEAT_JOINED; /* T3 */
}

static void beat_start_read(struct node *node, uint32_t disk)
{
    struct beat_disk *on = &node->beat.disks[disk];
    if (io_can_submit(node, disk, IO_FOR_BEAT, IO_READ, ROW_HEARTBEAT)) {
        struct io *io = io_begin(node, disk, IO_FOR_BEAT, IO_READ, ROW_HEARTBEAT);
        io->generation = node->beat.generation;
        io->floor = on->acknowledged_sequence;
        on->stage = BEAT_READING;
    }
}

static void beat_start_write(struct node *node, uint32_t disk)
{
    struct beat_disk *on = &node->beat.disks[disk];
    on->stage = BEAT_IDLE;
    if (!io_can_submit(node, disk, IO_FOR_BEAT, IO_WRITE, ROW_HEARTBEAT)) {
        return;
    }
    struct heartbeat_block block = {
        .author = node_next_author(node),
        .state = beat_state(node),
        .counter = node->lease.counter,
        .started_wall_ns = node->beat.started_wall_ns,
        .engine = node->params.engine,
        .verdict_count = node->beat.verdict_count,
        .beacon = node->beacon.said,
        .ask = call_standing_ask(node),
        .counted_out = health_out_mask(node),
    };
    memcpy(block.node_name, node->params.name, sizeof block.node_name);
    memcpy(block.verdicts, node->beat.verdicts, sizeof block.verdicts);
    struct block_place place = node_own_place(node, disk, ROW_HEARTBEAT);

    lease_submit(&node->lease, node->fast_ns);
    struct io *io = io_begin(node, disk, IO_FOR_BEAT, IO_WRITE, ROW_HEARTBEAT);
    io->generation = node->beat.generation;
    block_encode_heartbeat(io->block, node_layout(node)->block_bytes, &place, &block);
    on->stage = BEAT_WRITING;
    on->written_counter = node->lease.counter;
}

/* Whether this disk still owes the newest counter. */
static bool beat_is_behind(const struct node *node, uint32_t disk)
{
    return node->lease.acknowledged[disk] < node->lease.counter;
}

/* A heartbeat under way is let through first: news that come fast do not become a heartbeat each. */
static bool beat_is_wanted_soon(const struct node *node)
{
    return node->beat.is_soon && node->lease.counted == node->lease.counter;
}

void beat_run(struct node *node)
{
    struct beat *beat = &node->beat;
    if (beat_is_wanted_soon(node)) {
        beat_now(node);
    }
    if (beat->is_running && node->fast_ns >= beat->due_fast_ns) {
        lease_advance(&node->lease);
        beacon_seal(node);
        beat->is_soon = false;
        beat->due_fast_ns = node->fast_ns + node_timings(node)->renew_ns;
        for (uint32_t disk = 0; disk < node->disk_count; disk++) {
            if (beat->disks[disk].stage == BEAT_IDLE) {
                beat_start_read(node, disk);
            }
        }
    }
    if (beat->is_running) {
        node_wake_fast(node, beat->due_fast_ns);
    }
}

void beat_on_overdue(struct node *node, const struct io *io)
{
    if (io->generation == node->beat.generation) {
        node->beat.disks[io->disk].stage = BEAT_IDLE;
    }
}

void beat_on_return(struct node *node, uint32_t disk)
{
    if (node->beat.is_running && node->beat.disks[disk].stage == BEAT_IDLE && beat_is_behind(node, disk)) {
        beat_start_read(node, disk);
    }
}

/* T5: what a read of the row shows of my own block. */
enum beat_own {
    OWN_INTACT,    /* what that disk acknowledged last before the read began, or a later write of mine */
    OWN_DAMAGED,   /* rewriting it is the cure */
    OWN_FORMER,    /* the former owner of the slot, as the confirming read showed: I have not written here yet */
    OWN_BACKWARDS, /* D7: older than what that disk acknowledged */
    OWN_STOLEN,    /* another incarnation */
};

static enum beat_own beat_judge_own(const struct node *node, const struct io *io, const uint8_t *row)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = node_own_place(node, io->disk, ROW_HEARTBEAT);
    struct heartbeat_block block;
    if (!block_decode_heartbeat(row + (size_t)place.slot * block_bytes, block_bytes, &place, &block)) {
        return OWN_DAMAGED;
    }
    uint64_t author = block.author.incarnation;
    if (author == node->self.incarnation) {
        return block.author.sequence < io->floor ? OWN_BACKWARDS : OWN_INTACT;
    }
    if (author != 0 && !claim_has_seen_before(node, io->disk, author)) {
        return OWN_STOLEN;
    }
    return io->floor == 0 ? OWN_FORMER : OWN_BACKWARDS;
}

void beat_list_verdict(struct node *node, struct node_id id)
{
    struct beat *beat = &node->beat;
    uint32_t at = 0;
    while (at < beat->verdict_count && !node_id_is_same(beat->verdicts[at], id)) {
        at++;
    }
    if (at < beat->verdict_count) {
        return;
    }
    if (beat->verdict_count < VERDICTS_MAX) {
        beat->verdict_count++;
    }
    memmove(&beat->verdicts[1], &beat->verdicts[0], (beat->verdict_count - 1) * sizeof beat->verdicts[0]);
    beat->verdicts[0] = id;
}

/* T7: a verdict stays listed while that incarnation still stands in the heartbeat row. */
static void beat_drop_verdicts(struct node *node)
{
    struct beat *beat = &node->beat;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < beat->verdict_count; i++) {
        if (watch_is_standing(&node->watch, beat->verdicts[i])) {
            beat->verdicts[kept++] = beat->verdicts[i];
        }
    }
    beat->verdict_count = kept;
}

static void beat_read_verdicts(struct node *node, const struct heartbeat_block *block)
{
    for (uint32_t i = 0; i < block->verdict_count; i++) {
        struct node_id id = block->verdicts[i];
        if (node_id_is_same(id, node->self)) {
            node_go_over(node, OVER_VERDICT); /* T8 */
            return;
        }
        if (id.slot < node_layout(node)->slots && watch_is_standing(&node->watch, id)) {
            watch_hear_verdict(&node->watch, id, node->slow_ns);
            ledger_wake(node, node->slow_ns);
            beat_list_verdict(node, id);
        }
    }
}

/* D7: whether the row shows any incarnation going backwards. Asked of the whole row before any of it is believed. */
static bool beat_is_row_backwards(const struct node *node, const struct watch_read *read, const uint8_t *bytes)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = {.set_tag = node->set_tag, .disk = read->disk, .row = ROW_HEARTBEAT};
    for (place.slot = 0; place.slot < node_layout(node)->slots; place.slot++) {
        struct heartbeat_block block;
        if (block_decode_heartbeat(bytes + (size_t)place.slot * block_bytes, block_bytes, &place, &block) &&
            watch_is_backwards(&node->watch, place.slot, &block, read)) {
            return true;
        }
    }
    return false;
}

bool beat_read_row(struct node *node, const struct io *io, const uint8_t *bytes)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = {.set_tag = node->set_tag, .disk = io->disk, .row = ROW_HEARTBEAT};
    struct watch_read read = {
        .disk = io->disk,
        .submitted_step = io->submitted_step,
        .finished_step = node->step,
        .slow_ns = node->slow_ns,
    };
    if (health_is_out(node, io->disk)) {
        return false;
    }
    if (beat_is_row_backwards(node, &read, bytes)) {
        health_count_out(node, io->disk, DISK_CAUSE_BACKWARDS);
        return false;
    }
    for (place.slot = 0; place.slot < node_layout(node)->slots; place.slot++) {
        struct heartbeat_block block;
        if (!block_decode_heartbeat(bytes + (size_t)place.slot * block_bytes, block_bytes, &place, &block)) {
            health_doubt(node, io->disk);
            continue;
        }
        watch_see(&node->watch, place.slot, &block, &read);
        beat_read_verdicts(node, &block);
        if (node->stage == NODE_OVER) {
            return false;
        }
        peer_hear(node, place.slot, &block);
        health_hear_out_mask(node, block.counted_out);
    }
    return !health_is_out(node, io->disk);
}

/* True if my block may be written there now. */
static bool beat_check_own(struct node *node, const struct io *io, const uint8_t *row)
{
    switch (beat_judge_own(node, io, row)) {
    case OWN_INTACT:
        health_answered_late(node, io->disk);
        return true;
    case OWN_DAMAGED:
    case OWN_FORMER:
        return true;
    case OWN_BACKWARDS:
        health_count_out(node, io->disk, DISK_CAUSE_BACKWARDS);
        return false;
    case OWN_STOLEN:
        break;
    }
    node_go_over(node, OVER_SLOT);
    return false;
}

static void beat_on_read(struct node *node, const struct io *io, const struct io_result *result)
{
    struct beat_disk *on = &node->beat.disks[io->disk];
    bool is_replaced = io->is_overdue && on->stage != BEAT_IDLE; /* D2: the next heartbeat has begun without it */
    if (!is_replaced) {
        on->stage = BEAT_READING;
    }
    bool is_fit = result->is_read_ok && beat_check_own(node, io, result->bytes);
    is_fit = is_fit && beat_read_row(node, io, result->bytes);
    if (node->stage == NODE_OVER) {
        return;
    }
    beat_drop_verdicts(node);
    if (!is_replaced) {
        on->stage = BEAT_IDLE;
        if (is_fit && beat_is_behind(node, io->disk)) {
            beat_start_write(node, io->disk);
        }
    }
}

static void beat_on_write(struct node *node, const struct io *io, const struct io_result *result)
{
    struct beat_disk *on = &node->beat.disks[io->disk];
    if (!io->is_overdue) {
        on->stage = BEAT_IDLE;
    }
    if (!result->is_write_ok || health_is_out(node, io->disk)) {
        return;
    }
    health_measure(node, io->disk, node->fast_ns - io->submitted_fast_ns);
    on->acknowledged_sequence = io->sequence;
    on->has_left |= node->stage == NODE_SIGNING_OFF;
    bool was_real = node->lease.is_real;
    if (!was_real) {
        claim_warn_slow(node, io);
    }
    if (lease_acknowledge(&node->lease, io->disk, on->written_counter, node->fast_ns) && !was_real) {
        claim_on_first_heartbeat(node);
    }
    if (node->stage != NODE_OVER) {
        beat_on_return(node, io->disk); /* a newer counter is due already */
    }
}

void beat_on_io(struct node *node, const struct io *io, const struct io_result *result)
{
    if (io->generation != node->beat.generation) {
        return;
    }
    if (io->operation == IO_READ) {
        beat_on_read(node, io, result);
    } else {
        beat_on_write(node, io, result);
    }
}

bool beat_is_quiet(const struct node *node)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        if (node->beat.disks[disk].stage != BEAT_IDLE) {
            return false;
        }
    }
    return true;
}
