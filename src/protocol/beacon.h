/*
 * The change beacon (rule T10): what this node changed lately, and what others' beacons say has changed. A hint: it saves
 * reads and waiting, and nothing is ever decided by it.
 */
#ifndef DISKARCH_PROTOCOL_BEACON_H
#define DISKARCH_PROTOCOL_BEACON_H

#include "block/block.h"

struct node;

struct beacon_own {
    struct beacon said; /* what the next heartbeat carries */
    uint32_t fresh;     /* the first entries of its list: no heartbeat has begun since they were listed */
};

/*
 * A phase 2 begins on a row, or has been completed, which a heartbeat tells at once. Both count as a change: who looks
 * between the two may find the old value proven still, and would otherwise never look again. Rows of the ledger are
 * nobody's concern.
 */
void beacon_note_begun(struct node *node, uint32_t row);
void beacon_note_committed(struct node *node, uint32_t row);

/* Lists the register as wanted; false if that would push out what no heartbeat has carried yet. */
bool beacon_want(struct node *node, uint32_t register_index);

/* Whether it stands there; it may have been pushed out by changes. */
bool beacon_is_wanting(const struct node *node, uint32_t register_index);

/* Nobody here waits for its holder any more. */
void beacon_want_no_more(struct node *node, uint32_t register_index);

/* A heartbeat begins, which carries all there is. */
void beacon_seal(struct node *node);

/* Whether the register may have changed between two beacons of one node: it is listed, or changes of its bucket are not. */
bool beacon_has_changed(const struct beacon *before, const struct beacon *now, uint32_t register_index);

/* Whether between two beacons of one node it has listed the register as wanted, perhaps once more; true too often, never too
 * seldom, while the entry stands. */
bool beacon_wants_anew(const struct beacon *before, const struct beacon *now, uint32_t register_index);

/* Whether an entry stands in the list. */
bool beacon_lists(const struct beacon *beacon, uint32_t entry);

#endif
