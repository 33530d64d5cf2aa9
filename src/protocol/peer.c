#include "protocol/peer.h"

#include "protocol/state.h"

#include <assert.h>
#include <string.h>

static struct peer *peer_beside(const struct node *node, const struct watch_entry *entry)
{
    return &node->peers[entry - node->watch.entries];
}

/* A dead one's last block says `ready` for ever; so does one that stands still, and may be dead soon. */
static bool entry_is_living(const struct watch_entry *entry)
{
    return entry->state == WATCH_MOVING && !entry->is_verdict_known;
}

static const struct peer *peer_find(const struct node *node, struct node_id id)
{
    const struct watch_entry *entry = id.slot < node_layout(node)->slots ? watch_find(&node->watch, id) : NULL;
    if (entry == NULL || !entry_is_living(entry)) {
        return NULL;
    }
    const struct peer *peer = peer_beside(node, entry);
    return peer->incarnation == id.incarnation && peer->is_ready ? peer : NULL;
}

bool peer_is_ready(const struct node *node, struct node_id id)
{
    return peer_find(node, id) != NULL;
}

const char *peer_ready_name(const struct node *node, struct node_id id)
{
    const struct peer *peer = peer_find(node, id);
    return peer == NULL ? NULL : peer->node_name;
}

struct node_id peer_find_ready(const struct node *node, const char node_name[NAME_FIELD_BYTES], struct node_id except)
{
    struct node_id best = {0};
    int64_t best_slow_ns = 0;
    for (uint32_t i = 0; i < node->watch.slots * WATCH_PER_SLOT; i++) {
        const struct watch_entry *entry = &node->watch.entries[i];
        struct node_id id = {i / WATCH_PER_SLOT, entry->incarnation};
        if (entry->state == WATCH_UNUSED || node_id_is_same(id, except)) {
            continue;
        }
        const char *name = peer_ready_name(node, id);
        bool is_fresher = node_id_is_none(best) || entry->since_slow_ns > best_slow_ns;
        if (name != NULL && memcmp(name, node_name, NAME_FIELD_BYTES) == 0 && is_fresher) {
            best = id;
            best_slow_ns = entry->since_slow_ns;
        }
    }
    return best;
}

/*
 * T10: registers that this peer wants, and that no client here campaigns for, are looked at once for each time it says so. A
 * register that it wants still after a change of holder it lists anew, and the new holder may be this node, which nobody has
 * told. What cannot be noted now is not remembered as heard, so that its next heartbeat brings it again.
 */
static void peer_hear_wanted(struct node *node, const struct beacon *before, struct beacon *now)
{
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        uint32_t index = (now->changes[i] & ~BEACON_WANTED) - 1;
        bool is_known = (now->changes[i] & BEACON_WANTED) != 0 && index < node_layout(node)->registers;
        if (is_known && beacon_wants_anew(before, now, index) && !stray_suspect(node, index)) {
            now->changes[i] = 0;
        }
    }
}

static bool ask_is_same(const struct ask *a, const struct ask *b)
{
    return a->verb == b->verb && a->register_index == b->register_index && node_id_is_same(a->holder, b->holder) &&
           node_id_is_same(a->successor, b->successor);
}

/* N2: acted on once while it stands; what cannot be acted on yet is heard again with its author's next heartbeat. */
static void peer_hear_ask(struct node *node, struct peer *peer, const struct ask *ask)
{
    bool is_mine = ask->verb != ASK_NONE && node_id_is_same(ask->holder, node->self) &&
                   ask->register_index < node_layout(node)->registers;
    if (ask_is_same(ask, &peer->ask)) {
        return;
    }
    bool is_done = is_mine && role_hear_ask(node, ask, peer->node_name);
    peer->ask = is_done ? *ask : (struct ask){0};
}

void peer_hear(struct node *node, uint32_t slot, const struct heartbeat_block *block)
{
    struct node_id id = {slot, block->author.incarnation};
    const struct watch_entry *entry = node_id_is_none(id) ? NULL : watch_find(&node->watch, id);
    if (entry == NULL || !entry_is_living(entry)) {
        return;
    }
    struct peer *peer = peer_beside(node, entry);
    if (peer->incarnation != id.incarnation) {
        *peer = (struct peer){.incarnation = id.incarnation};
    }
    if (block->author.sequence <= peer->sequence) {
        return;
    }
    peer->sequence = block->author.sequence;
    peer->is_ready = block->state == HEARTBEAT_READY;
    memcpy(peer->node_name, block->node_name, sizeof peer->node_name);
    if (node->stage != NODE_ACTIVE) {
        return;
    }
    if (memcmp(&peer->beacon, &block->beacon, sizeof peer->beacon) != 0) {
        struct beacon now = block->beacon;
        role_hear_changes(node, &peer->beacon, &now);
        call_hear_changes(node, &peer->beacon, &now);
        peer_hear_wanted(node, &peer->beacon, &now);
        peer->beacon = now;
    }
    peer_hear_ask(node, peer, &block->ask);
}
