#include "protocol/beacon.h"

#include "protocol/state.h"

#include <assert.h>
#include <string.h>

_Static_assert(REGISTERS_MAX < BEACON_WANTED, "the number of a register and the flag are apart");

/* Moves the entry to the front of the list. */
static void beacon_list(struct beacon_own *own, uint32_t entry)
{
    uint32_t *changes = own->said.changes;
    uint32_t at = 0;
    while (at + 1 < BEACON_CHANGES && changes[at] != entry) {
        at++;
    }
    if (at >= own->fresh || changes[at] != entry) {
        own->fresh += own->fresh < BEACON_CHANGES;
    }
    memmove(&changes[1], &changes[0], at * sizeof changes[0]);
    changes[0] = entry;
}

void beacon_note_begun(struct node *node, uint32_t row)
{
    uint32_t first_row = layout_register_row(node_layout(node), 0);
    if (row >= first_row) {
        uint32_t index = row - first_row;
        beacon_list(&node->beacon, index + 1);
        node->beacon.said.buckets[index % BEACON_BUCKETS]++;
    }
}

void beacon_note_committed(struct node *node, uint32_t row)
{
    beacon_note_begun(node, row);
    if (row >= layout_register_row(node_layout(node), 0)) {
        beat_soon(node);
    }
}

bool beacon_want(struct node *node, uint32_t register_index)
{
    assert(register_index < node_layout(node)->registers);
    if (node->beacon.fresh == BEACON_CHANGES) {
        return false;
    }
    beacon_list(&node->beacon, (register_index + 1) | BEACON_WANTED);
    node->beacon.said.buckets[register_index % BEACON_BUCKETS]++; /* else what is wanted again looks as it did before */
    return true;
}

bool beacon_is_wanting(const struct node *node, uint32_t register_index)
{
    return beacon_lists(&node->beacon.said, (register_index + 1) | BEACON_WANTED);
}

void beacon_want_no_more(struct node *node, uint32_t register_index)
{
    struct beacon_own *own = &node->beacon;
    for (uint32_t at = 0; at < BEACON_CHANGES; at++) {
        uint32_t *entry = &own->said.changes[at];
        if (*entry == ((register_index + 1) | BEACON_WANTED)) {
            memmove(entry, entry + 1, (BEACON_CHANGES - 1 - at) * sizeof *entry);
            own->said.changes[BEACON_CHANGES - 1] = 0;
            own->fresh -= at < own->fresh;
            return;
        }
    }
}

void beacon_seal(struct node *node)
{
    node->beacon.fresh = 0;
}

bool beacon_wants_anew(const struct beacon *before, const struct beacon *now, uint32_t register_index)
{
    uint32_t bucket = register_index % BEACON_BUCKETS;
    uint32_t entry = (register_index + 1) | BEACON_WANTED;
    return beacon_lists(now, entry) &&
           (!beacon_lists(before, entry) || now->buckets[bucket] != before->buckets[bucket]);
}

bool beacon_lists(const struct beacon *beacon, uint32_t entry)
{
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        if (beacon->changes[i] == entry) {
            return true;
        }
    }
    return false;
}

/* The list is newest first, so whoever was pushed out of it changed before those that still stand there. */
bool beacon_has_changed(const struct beacon *before, const struct beacon *now, uint32_t register_index)
{
    uint32_t bucket = register_index % BEACON_BUCKETS;
    uint16_t changes = (uint16_t)(now->buckets[bucket] - before->buckets[bucket]);
    if (changes == 0) {
        return false;
    }
    uint32_t listed = 0;
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        uint32_t entry = now->changes[i];
        bool is_change = entry != 0 && (entry & BEACON_WANTED) == 0;
        listed += is_change && (entry - 1) % BEACON_BUCKETS == bucket;
    }
    return changes > listed || beacon_lists(now, register_index + 1);
}
