/*
 * What other nodes say in their heartbeats beside the counter (which is the watch's): name, readiness, changes, questions.
 * Hearing is acting: a change wakes who waits for it, a question reaches the role that it is about (rules N2, T10).
 */
#ifndef DISKARCH_PROTOCOL_PEER_H
#define DISKARCH_PROTOCOL_PEER_H

#include "block/ballot.h"
#include "block/block.h"

#include <stdbool.h>
#include <stdint.h>

struct node;

/* One incarnation, beside its entry in the watch. */
struct peer {
    uint64_t incarnation;
    uint64_t sequence; /* of the newest block heard */
    bool is_ready;     /* rule T3: may be named holder by another */
    char node_name[NAME_FIELD_BYTES];
    struct beacon beacon; /* as far as it has been acted on */
    struct ask ask;       /* the question that has been acted on, while it stands */
};

/* One disk showed this intact block in the heartbeat row; the watch has seen it already. */
void peer_hear(struct node *node, uint32_t slot, const struct heartbeat_block *block);

/* T3: whether the incarnation may be named holder: it has said `ready`, and as far as is known here it lives. */
bool peer_is_ready(const struct node *node, struct node_id id);

/* Its node name; NULL if it is not ready. */
const char *peer_ready_name(const struct node *node, struct node_id id);

/* The ready incarnation of that name, padded as in a block, whose heartbeat moved last, other than `except`; none if there is none. */
struct node_id peer_find_ready(const struct node *node, const char node_name[NAME_FIELD_BYTES], struct node_id except);

#endif
