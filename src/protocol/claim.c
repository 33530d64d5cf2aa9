#include "block/role_value.h"
#include "protocol/claim_slot.h"
#include "protocol/state.h"

#include <assert.h>
#include <string.h>

static int64_t claim_delay_ns(const struct node *node)
{
    return node_timings(node)->io_deadline_ns; /* d */
}

static struct claim_sight *claim_sight_at(const struct node *node, uint32_t slot, uint32_t disk)
{
    return &node->claim.sights[(size_t)slot * node->disk_count + disk];
}

/* Every stage asks all disks again; what is still in flight from before means nothing to it. */
static void claim_enter(struct node *node, enum claim_stage stage)
{
    struct claim *claim = &node->claim;
    claim->stage = stage;
    claim->generation++;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        claim->disks[disk].pending = 0;
        claim->disks[disk].is_done = false;
        claim->disks[disk].is_failed = false;
    }
}

void claim_begin(struct node *node)
{
    claim_enter(node, CLAIM_START);
}

/* Leaves the attempt behind. Claim blocks are apart from heartbeat blocks, so what lands late harms nobody (S3). */
static void claim_abandon(struct node *node, int64_t rest_ns)
{
    struct claim *claim = &node->claim;
    beat_stop(node);
    node->beat.generation++;
    lease_begin(&node->lease, node_timings(node)->lease_ns, node->disk_count);
    claim_enter(node, CLAIM_REST);
    claim->rest_fast_ns = node->fast_ns + rest_ns;
}

static void claim_wait_for(struct node *node, enum join_wait wait)
{
    struct claim *claim = &node->claim;
    if (!claim->has_waited || claim->wait != wait) {
        claim->has_waited = true;
        claim->wait = wait;
        node_notify(node, NOTICE_JOIN_WAITS)->wait = wait;
    }
    claim_abandon(node, node_timings(node)->renew_ns);
}

static void claim_ask(struct node *node, uint32_t disk, enum io_operation operation, uint32_t row)
{
    struct claim_disk *on = &node->claim.disks[disk];
    if (!io_can_submit(node, disk, IO_FOR_CLAIM, operation, row)) {
        on->is_failed = true;
        return;
    }
    io_begin(node, disk, IO_FOR_CLAIM, operation, row)->generation = node->claim.generation;
    on->pending++;
}

static void claim_read(struct node *node, uint32_t disk, uint32_t row)
{
    claim_ask(node, disk, IO_READ, row);
}

static void claim_read_both_rows(struct node *node)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        claim_read(node, disk, ROW_CLAIM);
        claim_read(node, disk, ROW_HEARTBEAT);
    }
}

static void claim_start_look(struct node *node)
{
    struct claim *claim = &node->claim;
    claim_enter(node, CLAIM_LOOK);
    claim->t0_fast_ns = node->fast_ns;
    claim->t0_slow_ns = node->slow_ns;
    claim->is_conflicting = false;
    for (uint32_t slot = 0; slot < node_layout(node)->slots; slot++) {
        for (uint32_t disk = 0; disk < node->disk_count; disk++) {
            struct claim_sight *sight = claim_sight_at(node, slot, disk);
            sight->is_claim_intact = sight->is_heartbeat_intact = false;
        }
    }
    claim_read_both_rows(node);
}

static void claim_start(struct node *node)
{
    node->self = (struct node_id){.slot = 0, .incarnation = 0};
    while (node->self.incarnation == 0) {
        node->self.incarnation = random_next(&node->random); /* every attempt is a new incarnation */
    }
    node->sequence = 0;
    claim_enter(node, CLAIM_LEDGER);
    node->claim.t0_fast_ns = node->fast_ns;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        node->claim.disks[disk].ledger_row = 0;
        claim_read(node, disk, ROW_LEDGER_FIRST);
    }
}

void claim_prepare_write(struct node *node, struct io *io, bool is_given_back)
{
    struct block_place place = node_own_place(node, io->disk, ROW_CLAIM);
    struct claim_block block = {.author = node_next_author(node), .is_given_back = is_given_back};
    memcpy(block.node_name, node->params.name, sizeof block.node_name);
    block_encode_claim(io->block, node_layout(node)->block_bytes, &place, &block);
}

static void claim_write(struct node *node, bool is_given_back)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        struct claim_disk *on = &node->claim.disks[disk];
        on->is_counting = on->is_confirmed = false;
        if (!io_can_submit(node, disk, IO_FOR_CLAIM, IO_WRITE, ROW_CLAIM)) {
            on->is_failed = true;
            continue;
        }
        struct io *io = io_begin(node, disk, IO_FOR_CLAIM, IO_WRITE, ROW_CLAIM);
        io->generation = node->claim.generation;
        claim_prepare_write(node, io, is_given_back);
        on->pending++;
    }
}

/* S1: takes the slot that was picked. */
static void claim_start_write(struct node *node, uint32_t slot)
{
    node->self.slot = slot;
    claim_enter(node, CLAIM_WRITE);
    claim_write(node, false);
}

/* D7: what a disk answered before it was counted out does not count either. */
static uint32_t claim_done_count(const struct node *node)
{
    uint32_t done = 0;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        done += node->claim.disks[disk].is_done && !health_is_out(node, disk);
    }
    return done;
}

/* Whether the stage has waited long enough: for all disks, or for a majority and until the time given. */
static bool claim_has_answers(const struct node *node, int64_t patience_fast_ns)
{
    uint32_t pending = 0;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        pending += node->claim.disks[disk].pending > 0;
    }
    return pending == 0 ||
           (claim_done_count(node) >= majority_of(node->disk_count) && node->fast_ns >= patience_fast_ns);
}

static void claim_run_look(struct node *node)
{
    struct claim *claim = &node->claim;
    int64_t patience_ns = claim->t0_fast_ns + claim_delay_ns(node) / 2;
    if (node->fast_ns < patience_ns) {
        node_wake_fast(node, patience_ns);
    }
    if (!claim_has_answers(node, patience_ns)) {
        if (node->fast_ns >= claim->t0_fast_ns + claim_delay_ns(node)) {
            claim_wait_for(node, WAIT_NO_MAJORITY);
        } else {
            node_wake_fast(node, claim->t0_fast_ns + claim_delay_ns(node));
        }
        return;
    }
    if (claim_done_count(node) < majority_of(node->disk_count)) {
        claim_wait_for(node, WAIT_NO_MAJORITY);
        return;
    }
    uint32_t slot = 0;
    enum slot_choice choice = claim_choose_slot(node, &slot);
    if (choice == SLOT_CHOSEN) {
        claim_start_write(node, slot);
    } else {
        claim_wait_for(node, choice == SLOT_NAME_WAITS ? WAIT_NAME_HAS_SLOT : WAIT_NO_SLOT);
    }
}

static void claim_run_write(struct node *node)
{
    struct claim *claim = &node->claim;
    int64_t end_ns = claim->t0_fast_ns + claim_delay_ns(node);
    node_wake_fast(node, end_ns);
    if (!claim_has_answers(node, end_ns) && node->fast_ns < end_ns) {
        return;
    }
    uint32_t counting = 0;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        counting += claim->disks[disk].is_counting && !health_is_out(node, disk);
    }
    if (counting < majority_of(node->disk_count)) {
        claim_abandon(node, (int64_t)random_below(&node->random, 3 * (uint64_t)claim_delay_ns(node)));
        return;
    }
    claim_enter(node, CLAIM_SETTLE);
}

static void claim_run_settle(struct node *node)
{
    struct claim *claim = &node->claim;
    int64_t until_ns = claim->t0_slow_ns + 3 * claim_delay_ns(node);
    if (node->slow_ns < until_ns) {
        node_wake_slow(node, until_ns);
        return;
    }
    claim_enter(node, CLAIM_CONFIRM); /* S2: not before t0 + 3d */
    claim->confirm_fast_ns = node->fast_ns;
    claim_read_both_rows(node);
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        claim->disks[disk].is_tuned = false;
        claim_ask(node, disk, IO_HEADER, 0);
    }
}

static void claim_run_confirm(struct node *node)
{
    struct claim *claim = &node->claim;
    int64_t patience_ns = claim->confirm_fast_ns + claim_delay_ns(node) / 2;
    int64_t end_ns = claim->confirm_fast_ns + claim_delay_ns(node);
    node_wake_fast(node, node->fast_ns < patience_ns ? patience_ns : end_ns);
    if (!claim_has_answers(node, patience_ns) && node->fast_ns < end_ns) {
        return;
    }
    uint32_t confirmed = 0;
    bool is_tuned = false;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        const struct claim_disk *on = &claim->disks[disk];
        confirmed += on->is_done && on->is_counting && on->is_confirmed && !health_is_out(node, disk);
        is_tuned |= on->is_tuned;
    }
    if (confirmed < majority_of(node->disk_count) && is_tuned) {
        claim_wait_for(node, WAIT_TUNED);
        return;
    }
    if (confirmed < majority_of(node->disk_count) || claim->is_conflicting || node->fast_ns >= end_ns) {
        claim_abandon(node, (int64_t)random_below(&node->random, 3 * (uint64_t)claim_delay_ns(node)));
        return;
    }
    claim_enter(node, CLAIM_FIRST);
    beat_begin(node);
}

static void claim_run_first(struct node *node)
{
    int64_t end_ns = node->claim.confirm_fast_ns + claim_delay_ns(node);
    node_wake_fast(node, end_ns);
    if (node->fast_ns >= end_ns) {
        claim_abandon(node, (int64_t)random_below(&node->random, 3 * (uint64_t)claim_delay_ns(node)));
    }
}

/* The ledger holds truths only (S4): any intact block may be believed, and a disk that is slow to tell is not waited for. */
static void claim_run_ledger(struct node *node)
{
    int64_t end_ns = node->claim.t0_fast_ns + node_timings(node)->renew_ns;
    node_wake_fast(node, end_ns);
    if (claim_has_answers(node, node->fast_ns) || node->fast_ns >= end_ns) {
        claim_start_look(node);
    }
}

static void claim_run_rest(struct node *node)
{
    if (node->fast_ns >= node->claim.rest_fast_ns) {
        node->claim.stage = CLAIM_START;
    } else {
        node_wake_fast(node, node->claim.rest_fast_ns);
    }
}

static void claim_run_stage(struct node *node)
{
    switch (node->claim.stage) {
    case CLAIM_START:
        claim_start(node);
        break;
    case CLAIM_LEDGER:
        claim_run_ledger(node);
        break;
    case CLAIM_LOOK:
        claim_run_look(node);
        break;
    case CLAIM_WRITE:
        claim_run_write(node);
        break;
    case CLAIM_SETTLE:
        claim_run_settle(node);
        break;
    case CLAIM_CONFIRM:
        claim_run_confirm(node);
        break;
    case CLAIM_FIRST:
        claim_run_first(node);
        break;
    case CLAIM_REST:
        claim_run_rest(node);
        break;
    case CLAIM_DONE:
    case CLAIM_GIVE_BACK:
        break;
    }
}

void claim_run(struct node *node)
{
    enum claim_stage before;
    do {
        before = node->claim.stage;
        claim_run_stage(node);
    } while (node->claim.stage != before);
}

void claim_judge_first(struct node *node)
{
    if (node->claim.stage == CLAIM_FIRST) {
        claim_run_first(node);
    }
}

void claim_on_first_heartbeat(struct node *node)
{
    struct claim *claim = &node->claim;
    if (claim->stage != CLAIM_FIRST) {
        return;
    }
    if (node->fast_ns >= claim->confirm_fast_ns + claim_delay_ns(node)) {
        claim_abandon(node, (int64_t)random_below(&node->random, 3 * (uint64_t)claim_delay_ns(node)));
        return;
    }
    claim->stage = CLAIM_DONE;
    node->stage = NODE_ACTIVE;
    beat_now(node); /* T3: the next heartbeat, sent at once, carries ready */
    node_notify(node, NOTICE_JOINED);
}

/*
 * Why the claim row and not `left` alone: a `left` that has landed on one disk may still be on its way to another, or
 * land twice, and would wipe out the heartbeat of whoever took the slot at its first sight. A claim block that lands late
 * harms nobody.
 */
void claim_give_back(struct node *node)
{
    claim_enter(node, CLAIM_GIVE_BACK);
    claim_write(node, true);
}

bool claim_has_given_back(const struct node *node, uint32_t *ret_count)
{
    uint32_t pending = 0;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        pending += node->claim.disks[disk].pending;
    }
    *ret_count = claim_done_count(node);
    return pending == 0;
}

bool claim_has_seen_before(const struct node *node, uint32_t disk, uint64_t incarnation)
{
    const struct claim_sight *here = claim_sight_at(node, node->self.slot, disk);
    if (here->is_heartbeat_intact) {
        return here->heartbeat == incarnation;
    }
    for (uint32_t i = 0; i < node->disk_count; i++) {
        const struct claim_sight *sight = claim_sight_at(node, node->self.slot, i);
        if (sight->is_heartbeat_intact && sight->heartbeat == incarnation) {
            return true;
        }
    }
    return false;
}

static void claim_note_claims(struct node *node, uint32_t disk, const uint8_t *bytes)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = {.set_tag = node->set_tag, .disk = disk, .row = ROW_CLAIM};
    for (place.slot = 0; place.slot < node_layout(node)->slots; place.slot++) {
        struct claim_sight *sight = claim_sight_at(node, place.slot, disk);
        struct claim_block block;
        if (!block_decode_claim(bytes + (size_t)place.slot * block_bytes, block_bytes, &place, &block)) {
            continue;
        }
        sight->is_claim_intact = true;
        sight->claim = block.author.incarnation;
        sight->is_given_back = block.is_given_back;
        if (!sight->has_claim_before || sight->claim_before != sight->claim) {
            node->claim.foreign_slow_ns[place.slot] = node->slow_ns; /* S3: it has not stood still */
        }
        sight->has_claim_before = true;
        sight->claim_before = sight->claim;
    }
}

static void claim_note_heartbeats(struct node *node, uint32_t disk, const uint8_t *bytes)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = {.set_tag = node->set_tag, .disk = disk, .row = ROW_HEARTBEAT};
    for (place.slot = 0; place.slot < node_layout(node)->slots; place.slot++) {
        struct claim_sight *sight = claim_sight_at(node, place.slot, disk);
        struct heartbeat_block block;
        if (!block_decode_heartbeat(bytes + (size_t)place.slot * block_bytes, block_bytes, &place, &block)) {
            continue;
        }
        sight->is_heartbeat_intact = true;
        sight->heartbeat = block.author.incarnation;
        sight->has_left = block.state == HEARTBEAT_LEFT;
        sight->is_my_name = memcmp(block.node_name, node->params.name, sizeof block.node_name) == 0;
    }
}

/* S2: my claim must stand there, and nobody new in the heartbeat block. */
static void claim_confirm_row(struct node *node, const struct io *io, const uint8_t *bytes)
{
    uint32_t block_bytes = node_layout(node)->block_bytes;
    struct block_place place = node_own_place(node, io->disk, io->row);
    const uint8_t *at = bytes + (size_t)place.slot * block_bytes;
    struct claim_block claim;
    struct heartbeat_block heartbeat;
    if (io->row == ROW_CLAIM) {
        node->claim.disks[io->disk].is_confirmed =
            block_decode_claim(at, block_bytes, &place, &claim) && claim.author.incarnation == node->self.incarnation;
    } else if (block_decode_heartbeat(at, block_bytes, &place, &heartbeat)) {
        node->claim.is_conflicting |= !claim_has_seen_before(node, io->disk, heartbeat.author.incarnation);
    } else {
        node->claim.disks[io->disk].is_failed = true; /* damaged is unknown: it may be a rival's */
    }
}

/*
 * S2: who changes the timings of a set marks every header first, then watches until nobody lives there. Read after my claim
 * stands, the headers show the mark; or they were read before it, and then my heartbeats begin soon enough to be seen by that
 * watch. So nobody joins with timings that others no longer have.
 */
static void claim_confirm_header(struct node *node, uint32_t disk, const uint8_t *bytes)
{
    if (!health_is_header_unchanged(node, disk, bytes)) {
        node->claim.disks[disk].is_failed = true;
        node->claim.disks[disk].is_tuned = true;
    }
}

static void claim_note_ledger(struct node *node, const struct io *io, const uint8_t *bytes)
{
    struct layout layout = *node_layout(node);
    struct block_place place = {.set_tag = node->set_tag, .disk = io->disk, .row = io->row};
    uint32_t first = (io->row - ROW_LEDGER_FIRST) * LEDGER_SLOTS_PER_ROW;
    for (place.slot = 0; place.slot < layout.slots; place.slot++) {
        struct register_block block;
        const uint8_t *at = bytes + (size_t)place.slot * layout.block_bytes;
        if (!block_decode_register(at, layout.block_bytes, &place, &block)) {
            continue;
        }
        for (uint32_t i = 0; i < LEDGER_SLOTS_PER_ROW && first + i < layout.slots; i++) {
            uint64_t incarnation = ledger_value_get(block.value, i);
            if (incarnation != 0) {
                claim_note_retired(node, (struct node_id){first + i, incarnation});
            }
        }
    }
}

static void claim_on_row(struct node *node, const struct io *io, const uint8_t *bytes)
{
    struct claim_disk *on = &node->claim.disks[io->disk];
    if (node->claim.stage == CLAIM_LEDGER) {
        claim_note_ledger(node, io, bytes);
        if (++on->ledger_row < layout_ledger_rows(node_layout(node))) {
            claim_read(node, io->disk, ROW_LEDGER_FIRST + on->ledger_row);
        }
        return;
    }
    if (io->row == ROW_HEARTBEAT) {
        if (!beat_read_row(node, io, bytes)) {
            return;
        }
    }
    if (node->claim.stage == CLAIM_CONFIRM) {
        claim_confirm_row(node, io, bytes);
    } else if (io->row == ROW_CLAIM) {
        claim_note_claims(node, io->disk, bytes);
    } else {
        claim_note_heartbeats(node, io->disk, bytes);
    }
}

void claim_warn_slow(struct node *node, const struct io *io)
{
    if (!node->claim.has_warned_slow && node->fast_ns - io->submitted_fast_ns > claim_delay_ns(node) / 2) {
        node->claim.has_warned_slow = true;
        struct notice *notice = node_notify(node, NOTICE_JOIN_WAITS);
        notice->wait = WAIT_SLOW_DISK;
        notice->disk = io->disk;
    }
}

void claim_on_io(struct node *node, const struct io *io, const struct io_result *result)
{
    struct claim *claim = &node->claim;
    if (io->generation != claim->generation) {
        return;
    }
    struct claim_disk *on = &claim->disks[io->disk];
    assert(on->pending > 0);
    on->pending--;
    if (!result->is_read_ok || !result->is_write_ok) {
        on->is_failed = true;
    } else if (claim->stage == CLAIM_WRITE) {
        /* S1: late is as good as never. */
        on->is_counting = node->fast_ns < claim->t0_fast_ns + claim_delay_ns(node);
        claim_warn_slow(node, io);
    } else if (io->operation == IO_HEADER) {
        claim_confirm_header(node, io->disk, result->bytes);
    } else if (io->operation == IO_READ) {
        claim_on_row(node, io, result->bytes);
    }
    on->is_done = on->pending == 0 && !on->is_failed;
}
