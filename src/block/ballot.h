/*
 * Ballots and node identities: the two small values that every other module compares.
 * A ballot is never a bare integer, and no ballot is ever used twice: the incarnation is part of it.
 */
#ifndef DISKARCH_BLOCK_BALLOT_H
#define DISKARCH_BLOCK_BALLOT_H

#include <stdbool.h>
#include <stdint.h>

/* One incarnation of one node. incarnation 0 means nobody. */
struct node_id {
    uint32_t slot;
    uint64_t incarnation;
};

/* Ordered by round, then slot, then incarnation. All zero is the ballot before every ballot. */
struct ballot {
    uint64_t round;
    uint32_t slot;
    uint64_t incarnation;
};

static inline bool node_id_is_same(struct node_id a, struct node_id b)
{
    return a.slot == b.slot && a.incarnation == b.incarnation;
}

static inline bool node_id_is_none(struct node_id a)
{
    return a.incarnation == 0;
}

/* Negative, zero or positive as a comes before, is, or comes after b. */
static inline int ballot_compare(struct ballot a, struct ballot b)
{
    if (a.round != b.round) {
        return a.round < b.round ? -1 : 1;
    }
    if (a.slot != b.slot) {
        return a.slot < b.slot ? -1 : 1;
    }
    if (a.incarnation != b.incarnation) {
        return a.incarnation < b.incarnation ? -1 : 1;
    }
    return 0;
}

static inline bool ballot_is_above(struct ballot a, struct ballot b)
{
    return ballot_compare(a, b) > 0;
}

static inline bool ballot_is_same(struct ballot a, struct ballot b)
{
    return ballot_compare(a, b) == 0;
}

static inline bool ballot_is_none(struct ballot a)
{
    return a.round == 0;
}

#endif
