#include "protocol/claim_slot.h"

#include "protocol/state.h"

#include <assert.h>

/* In the order in which they are preferred (S1). */
enum slot_kind { SLOT_UNUSED, SLOT_LEFT, SLOT_RETIRED, SLOT_ABANDONED, SLOT_KINDS, SLOT_TAKEN = SLOT_KINDS };

/* D7: a disk that is counted out shows nothing. */
static const struct claim_sight *slot_sight(const struct node *node, uint32_t slot, uint32_t disk)
{
    static const struct claim_sight nothing = {0};
    if (health_is_out(node, disk)) {
        return &nothing;
    }
    return &node->claim.sights[(size_t)slot * node->disk_count + disk];
}

void claim_note_retired(struct node *node, struct node_id id)
{
    assert(id.slot < node_layout(node)->slots);
    uint64_t *known = node->claim.retired + (size_t)id.slot * RETIRED_PER_SLOT;
    uint32_t at = 0;
    while (at < RETIRED_PER_SLOT - 1 && known[at] != 0 && known[at] != id.incarnation) {
        at++;
    }
    known[at] = id.incarnation; /* when full, forgetting one only costs a newcomer the time to find it dead itself */
    struct watch_entry *entry = watch_find(&node->watch, id);
    if (entry != NULL) {
        entry->is_retired = true;
    }
}

/* S4: in the ledger, or found dead by this newcomer itself and then waited out. */
static bool slot_is_retired(const struct node *node, uint32_t slot, uint64_t incarnation)
{
    if (!node->params.header.slot_reuse) {
        return false;
    }
    for (uint32_t i = 0; i < RETIRED_PER_SLOT; i++) {
        if (node->claim.retired[(size_t)slot * RETIRED_PER_SLOT + i] == incarnation) {
            return true;
        }
    }
    const struct watch_entry *entry = watch_find(&node->watch, (struct node_id){slot, incarnation});
    if (entry == NULL) {
        return false;
    }
    if (entry->state == WATCH_LEFT) {
        /* T9: it left, but has not said that nothing of it is on its way any more. It may still write until its lease
         * ends, and what it wrote may land for a quarantine more. */
        return node->slow_ns - entry->since_slow_ns >= node->watch.watch_ns + node_timings(node)->quarantine_ns;
    }
    return entry->is_retired || (entry->state == WATCH_DEAD && entry->is_found_dead &&
                                 node->slow_ns - entry->verdict_slow_ns >= node_timings(node)->quarantine_ns);
}

static bool slot_has_left(const struct node *node, uint32_t slot, uint64_t incarnation)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        const struct claim_sight *sight = slot_sight(node, slot, disk);
        if (sight->is_heartbeat_intact && sight->heartbeat == incarnation && sight->has_left) {
            return true;
        }
    }
    return false;
}

/* T9: the claim block says that nothing of it is on its way any more; one intact block is enough. */
static bool slot_was_given_back(const struct node *node, uint32_t slot, uint64_t incarnation)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        const struct claim_sight *sight = slot_sight(node, slot, disk);
        if (sight->is_claim_intact && sight->claim == incarnation && sight->is_given_back) {
            return true;
        }
    }
    return false;
}

/* By its heartbeat blocks alone: every incarnation that stands there must be gone for good. */
static enum slot_kind slot_kind_by_heartbeat(const struct node *node, uint32_t slot)
{
    enum slot_kind kind = SLOT_UNUSED;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        const struct claim_sight *sight = slot_sight(node, slot, disk);
        if (!sight->is_heartbeat_intact || sight->heartbeat == 0) {
            continue;
        }
        enum slot_kind here = SLOT_TAKEN;
        if (slot_has_left(node, slot, sight->heartbeat) && slot_was_given_back(node, slot, sight->heartbeat)) {
            here = SLOT_LEFT;
        } else if (slot_is_retired(node, slot, sight->heartbeat)) {
            here = SLOT_RETIRED;
        }
        kind = here > kind ? here : kind;
    }
    return kind;
}

/* S3: a claim by an incarnation that is not in the heartbeat block. */
static bool slot_has_foreign_claim(const struct node *node, uint32_t slot)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        const struct claim_sight *sight = slot_sight(node, slot, disk);
        if (!sight->is_claim_intact || sight->claim == 0) {
            continue;
        }
        bool is_known = false;
        for (uint32_t other = 0; other < node->disk_count; other++) {
            const struct claim_sight *there = slot_sight(node, slot, other);
            is_known |= there->is_heartbeat_intact && there->heartbeat == sight->claim;
        }
        if (!is_known) {
            return true;
        }
    }
    return false;
}

static enum slot_kind slot_kind_of(const struct node *node, uint32_t slot)
{
    uint32_t claims = 0;
    uint32_t heartbeats = 0;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        claims += slot_sight(node, slot, disk)->is_claim_intact;
        heartbeats += slot_sight(node, slot, disk)->is_heartbeat_intact;
    }
    if (claims < majority_of(node->disk_count) || heartbeats < majority_of(node->disk_count)) {
        return SLOT_TAKEN;
    }
    enum slot_kind kind = slot_kind_by_heartbeat(node, slot);
    if (kind == SLOT_TAKEN || !slot_has_foreign_claim(node, slot)) {
        return kind;
    }
    /* S3, and a quarantine more: its claimant may have got as far as a first heartbeat that is still on its way. */
    int64_t still_ns = node->slow_ns - node->claim.foreign_slow_ns[slot];
    return still_ns >= node->watch.watch_ns + node_timings(node)->quarantine_ns ? SLOT_ABANDONED : SLOT_TAKEN;
}

/* S5: whether this node's name has a slot that stands still and is not retired. */
static bool slot_is_mine_standing_still(const struct node *node, uint32_t slot)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        const struct claim_sight *sight = slot_sight(node, slot, disk);
        if (!sight->is_heartbeat_intact || sight->heartbeat == 0 || !sight->is_my_name ||
            slot_has_left(node, slot, sight->heartbeat) || slot_is_retired(node, slot, sight->heartbeat)) {
            continue;
        }
        const struct watch_entry *entry = watch_find(&node->watch, (struct node_id){slot, sight->heartbeat});
        if (entry == NULL || !entry->has_moved || entry->state != WATCH_MOVING) {
            return true;
        }
    }
    return false;
}

static bool slot_name_has_one(const struct node *node)
{
    for (uint32_t slot = 0; slot < node_layout(node)->slots; slot++) {
        if (slot_is_mine_standing_still(node, slot)) {
            return true;
        }
    }
    return false;
}

/* A random one of the best kind in [first, end). */
static bool slot_pick(struct node *node, uint32_t first, uint32_t end, uint32_t *ret_slot)
{
    enum slot_kind best = SLOT_TAKEN;
    uint32_t count = 0;
    for (uint32_t slot = first; slot < end; slot++) {
        enum slot_kind kind = slot_kind_of(node, slot);
        if (kind < best) {
            best = kind;
            count = 0;
        }
        if (kind == best && kind != SLOT_TAKEN && random_below(&node->random, ++count) == 0) {
            *ret_slot = slot;
        }
    }
    return count > 0;
}

enum slot_choice claim_choose_slot(struct node *node, uint32_t *ret_slot)
{
    uint32_t slots = node_layout(node)->slots;
    uint32_t kept = slots / 4; /* S5: for names that have no slot standing still */
    if (slot_pick(node, 0, slots - kept, ret_slot)) {
        return SLOT_CHOSEN;
    }
    uint32_t spare = 0;
    if (!slot_pick(node, slots - kept, slots, &spare)) {
        return SLOT_NONE;
    }
    if (slot_name_has_one(node)) {
        return SLOT_NAME_WAITS;
    }
    *ret_slot = spare;
    return SLOT_CHOSEN;
}
