#include "client/sightings.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int sightings_init(struct sightings *sightings, uint32_t slots, int64_t renew_ns)
{
    struct sighting *entries = calloc((size_t)slots * SIGHTINGS_PER_SLOT, sizeof *entries);
    struct slot_deaths *deaths = calloc(slots, sizeof *deaths);
    if (entries == NULL || deaths == NULL) {
        free(entries);
        free(deaths);
        return -ENOMEM;
    }
    *sightings = (struct sightings){.entries = entries, .deaths = deaths, .slots = slots, .renew_ns = renew_ns};
    return 0;
}

void sightings_done(struct sightings *sightings)
{
    free(sightings->entries);
    free(sightings->deaths);
}

static struct sighting *slot_entries(const struct sightings *sightings, uint32_t slot)
{
    assert(slot < sightings->slots);
    return &sightings->entries[(size_t)slot * SIGHTINGS_PER_SLOT];
}

void sightings_begin_round(struct sightings *sightings, int64_t now_ns)
{
    assert(now_ns >= sightings->now_ns);
    sightings->now_ns = now_ns;
    for (size_t i = 0; i < (size_t)sightings->slots * SIGHTINGS_PER_SLOT; i++) {
        sightings->entries[i].disks = 0;
    }
}

/* The entry of an incarnation; a new one takes the place of one that this round has not shown. */
static struct sighting *entry_for(struct sightings *sightings, uint32_t slot, uint64_t incarnation)
{
    struct sighting *entries = slot_entries(sightings, slot);
    struct sighting *unseen = NULL;
    for (int i = 0; i < SIGHTINGS_PER_SLOT; i++) {
        if (entries[i].incarnation == incarnation) {
            return &entries[i];
        }
        if (entries[i].disks == 0 && (unseen == NULL || entries[i].since_ns < unseen->since_ns)) {
            unseen = &entries[i];
        }
    }
    assert(unseen != NULL);
    *unseen = (struct sighting){0};
    return unseen;
}

static void add_verdicts(struct sightings *sightings, const struct heartbeat_block *block)
{
    for (uint32_t i = 0; i < block->verdict_count && i < VERDICTS_MAX; i++) {
        if (block->verdicts[i].slot < sightings->slots) {
            sightings->deaths[block->verdicts[i].slot].convicted = block->verdicts[i].incarnation;
        }
    }
}

void sightings_add(struct sightings *sightings, uint32_t slot, const struct heartbeat_block *block)
{
    if (block->author.incarnation == 0) {
        return;
    }
    struct sighting *entry = entry_for(sightings, slot, block->author.incarnation);
    if (entry->incarnation == 0) {
        entry->incarnation = block->author.incarnation;
        entry->block = *block;
        entry->since_ns = sightings->now_ns;
    } else if (block->counter > entry->block.counter) {
        /* Disks differ by a beat in their first round; that says nothing about movement. */
        entry->has_moved = entry->has_moved || entry->since_ns < sightings->now_ns;
        entry->block = *block;
        entry->since_ns = sightings->now_ns;
    }
    entry->has_left = entry->has_left || block->state == HEARTBEAT_LEFT;
    entry->disks++;
    add_verdicts(sightings, block);
}

void sightings_add_retired(struct sightings *sightings, uint32_t slot, uint64_t incarnation)
{
    assert(slot < sightings->slots);
    if (incarnation != 0) {
        sightings->deaths[slot].retired = incarnation;
    }
}

static bool is_better(const struct sighting *a, const struct sighting *b)
{
    if (a->has_moved != b->has_moved) {
        return a->has_moved;
    }
    if (a->has_moved && a->since_ns != b->since_ns) {
        return a->since_ns > b->since_ns;
    }
    return a->disks > b->disks;
}

const struct sighting *sightings_of_slot(const struct sightings *sightings, uint32_t slot)
{
    const struct sighting *entries = slot_entries(sightings, slot);
    const struct sighting *best = NULL;
    for (int i = 0; i < SIGHTINGS_PER_SLOT; i++) {
        if (entries[i].disks > 0 && (best == NULL || is_better(&entries[i], best))) {
            best = &entries[i];
        }
    }
    return best;
}

const struct sighting *sightings_find(const struct sightings *sightings, struct node_id node)
{
    if (node.slot >= sightings->slots || node_id_is_none(node)) {
        return NULL;
    }
    const struct sighting *entries = slot_entries(sightings, node.slot);
    for (int i = 0; i < SIGHTINGS_PER_SLOT; i++) {
        if (entries[i].incarnation == node.incarnation) {
            return &entries[i];
        }
    }
    return NULL;
}

enum diskarch_liveness sightings_liveness(const struct sightings *sightings, const struct sighting *sighting,
                                          int64_t *ret_silent_ns)
{
    int64_t still_ns = sightings->now_ns - sighting->since_ns;
    *ret_silent_ns = 0;
    if (sighting->has_left) {
        return DISKARCH_LEFT;
    }
    if (still_ns >= 2 * sightings->renew_ns) {
        *ret_silent_ns = still_ns;
        return DISKARCH_SILENT;
    }
    return sighting->has_moved ? DISKARCH_ALIVE : DISKARCH_NOT_OBSERVED;
}

bool sightings_is_dead(const struct sightings *sightings, struct node_id node)
{
    if (node.slot >= sightings->slots || node_id_is_none(node)) {
        return false;
    }
    const struct slot_deaths *deaths = &sightings->deaths[node.slot];
    return deaths->retired == node.incarnation || deaths->convicted == node.incarnation;
}
