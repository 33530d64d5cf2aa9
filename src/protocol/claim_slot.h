/* Which slot a newcomer may pick (rules S1, S3, S5), from what the look has shown. Reads the node, changes nothing but
 * its random state. */
#ifndef DISKARCH_PROTOCOL_CLAIM_SLOT_H
#define DISKARCH_PROTOCOL_CLAIM_SLOT_H

#include "protocol/node.h"

enum slot_choice {
    SLOT_CHOSEN,
    SLOT_NAME_WAITS, /* S5: only the kept quarter has room, and this name already has a slot that stands still */
    SLOT_NONE,
};

/* Picks at random among the best kind of slot there is. */
enum slot_choice claim_choose_slot(struct node *node, uint32_t *ret_slot);

/* S4: a ledger entry was read. It is true for ever; a slot's newest entry is the one that helps. */
void claim_note_retired(struct node *node, struct node_id id);

#endif
