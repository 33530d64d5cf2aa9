/*
 * What the nodes' change beacons have said since they were looked at last (rule T10): which registers are to be read
 * again. A node lists what it changed lately and counts in buckets, once when a change begins and once when it is
 * committed; where a count has moved further than the list explains, the bucket is read; where even the counts say
 * nothing, everything is. Knows no disk and no clock.
 */
#ifndef DISKARCH_CLIENT_BEACONS_H
#define DISKARCH_CLIENT_BEACONS_H

#include "block/block.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Of heartbeats missed between two looks: so many leave no doubt that no bucket, which counts to 65535, has gone round
 * unseen.
 */
enum { BEATS_TRUSTED = 256 };

/* A slot's node as it was looked at last. */
struct beacon_mark {
    uint64_t incarnation; /* 0: none yet */
    uint64_t counter;
    bool is_over; /* it had left or was dead: nothing more comes of it */
    uint16_t buckets[BEACON_BUCKETS];
};

struct beacons {
    struct beacon_mark *marks; /* slots */
    bool *is_wanted;           /* registers */
    uint32_t slots;
    uint32_t registers;
};

/* Everything is to be read. 0 or -ENOMEM. */
int beacons_init(struct beacons *beacons, uint32_t slots, uint32_t registers);
void beacons_done(struct beacons *beacons);

/* The newest heartbeat of the node that stands in a slot now; is_dead: a verdict or the ledger says so. */
void beacons_note(struct beacons *beacons, uint32_t slot, const struct heartbeat_block *block, bool is_dead);

bool beacons_is_wanted(const struct beacons *beacons, uint32_t index);

/* The register was read and is settled; until then it stays wanted. */
void beacons_satisfy(struct beacons *beacons, uint32_t index);

#endif
