/*
 * What an observer has seen of every slot's heartbeat, and what can be said of its owner (rule N8): alive, silent for
 * so long, left, or not watched long enough to say. Times are the observer's own; no other host's clock is compared.
 *
 * Disks may show different incarnations in one slot: one that was away shows a former owner. Each is watched by itself.
 * Knows no disk and reads no clock: tests give both.
 */
#ifndef DISKARCH_CLIENT_SIGHTINGS_H
#define DISKARCH_CLIENT_SIGHTINGS_H

#include "block/block.h"

#include <diskarch/diskarch.h>

#include <stdbool.h>
#include <stdint.h>

enum { SIGHTINGS_PER_SLOT = DISKS_MAX }; /* one round shows at most one incarnation per disk */

struct sighting {
    uint64_t incarnation;         /* 0: unused */
    struct heartbeat_block block; /* with the highest counter seen */
    bool has_left;
    bool has_moved;   /* its counter grew while watching */
    int64_t since_ns; /* the counter was first seen */
    uint32_t disks;   /* that showed it in the last round */
};

/* Incarnations of one slot known to be dead, by whoever found out. */
struct slot_deaths {
    uint64_t retired;   /* by the slot ledger */
    uint64_t convicted; /* by a verdict */
};

struct sightings {
    struct sighting *entries;   /* slots x SIGHTINGS_PER_SLOT */
    struct slot_deaths *deaths; /* slots */
    uint32_t slots;
    int64_t renew_ns;
    int64_t now_ns; /* of the last round */
};

/* 0 or -ENOMEM. */
int sightings_init(struct sightings *sightings, uint32_t slots, int64_t renew_ns);
void sightings_done(struct sightings *sightings);

/* A round is one read of the heartbeat row on all disks; now_ns is the end of that read. */
void sightings_begin_round(struct sightings *sightings, int64_t now_ns);

/* What one disk shows in a slot: an intact block, which may be empty. Its verdicts are noted as well. */
void sightings_add(struct sightings *sightings, uint32_t slot, const struct heartbeat_block *block);

/* The ledger names this incarnation of the slot; 0 is ignored. */
void sightings_add_retired(struct sightings *sightings, uint32_t slot, uint64_t incarnation);

/*
 * The incarnation to show as the slot's node: the one that moved last, else the one on most disks; NULL if it is empty.
 */
const struct sighting *sightings_of_slot(const struct sightings *sightings, uint32_t slot);

/* This incarnation, or NULL if no disk has shown it. */
const struct sighting *sightings_find(const struct sightings *sightings, struct node_id node);

/* Rule N8, as of the last round. *ret_silent_ns is 0 unless the answer is DISKARCH_SILENT. */
enum diskarch_liveness sightings_liveness(const struct sightings *sightings, const struct sighting *sighting,
                                          int64_t *ret_silent_ns);

/* Whether a verdict or the ledger says that this incarnation is dead. */
bool sightings_is_dead(const struct sightings *sightings, struct node_id node);

#endif
