/* Fields made of several numbers, as they stand in blocks and values; and what is sound in each. Inside src/block only. */
#ifndef DISKARCH_BLOCK_FIELDS_H
#define DISKARCH_BLOCK_FIELDS_H

#include "block/ballot.h"
#include "block/endian.h"
#include "block/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum {
    NODE_ID_BYTES = 12, /* slot, incarnation */
    BALLOT_BYTES = 20,  /* round, slot, incarnation */
};

static inline void node_id_store(uint8_t *to, struct node_id id)
{
    le_store32(to, id.slot);
    le_store64(to + 4, id.incarnation);
}

static inline struct node_id node_id_load(const uint8_t *from)
{
    return (struct node_id){.slot = le_load32(from), .incarnation = le_load64(from + 4)};
}

/* Nobody, wholly zero; or somebody in a slot that a set can have, so that it may serve as an index. */
static inline bool node_id_is_sound(struct node_id id)
{
    return node_id_is_none(id) ? id.slot == 0 : id.slot < SLOTS_MAX;
}

static inline void ballot_store(uint8_t *to, struct ballot ballot)
{
    le_store64(to, ballot.round);
    le_store32(to + 8, ballot.slot);
    le_store64(to + 12, ballot.incarnation);
}

static inline struct ballot ballot_load(const uint8_t *from)
{
    return (struct ballot){.round = le_load64(from), .slot = le_load32(from + 8), .incarnation = le_load64(from + 12)};
}

/* None, wholly zero; or somebody's. */
static inline bool ballot_is_sound(struct ballot ballot)
{
    struct node_id owner = {.slot = ballot.slot, .incarnation = ballot.incarnation};
    return ballot_is_none(ballot) == node_id_is_none(owner) && node_id_is_sound(owner);
}

/* Most blocks of a set are empty, so this runs over most of what is read: by words as long as there are any. */
static inline bool bytes_are_zero(const uint8_t *bytes, size_t count)
{
    uint64_t any = 0;
    size_t at = 0;
    for (; at + sizeof any <= count; at += sizeof any) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word);
        any |= word;
    }
    for (; at < count; at++) {
        any |= bytes[at];
    }
    return any == 0;
}

#endif
