#include "client/beacons.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void want(struct beacons *beacons, uint32_t index)
{
    if (index < beacons->registers) {
        beacons->is_wanted[index] = true;
    }
}

static void want_all(struct beacons *beacons)
{
    for (uint32_t i = 0; i < beacons->registers; i++) {
        want(beacons, i);
    }
}

static void want_bucket(struct beacons *beacons, uint32_t bucket)
{
    for (uint32_t i = bucket; i < beacons->registers; i += BEACON_BUCKETS) {
        want(beacons, i);
    }
}

int beacons_init(struct beacons *beacons, uint32_t slots, uint32_t registers)
{
    *beacons = (struct beacons){
        .marks = calloc(slots, sizeof *beacons->marks),
        .is_wanted = calloc(registers, sizeof *beacons->is_wanted),
        .slots = slots,
        .registers = registers,
    };
    if (beacons->marks == NULL || beacons->is_wanted == NULL) {
        beacons_done(beacons);
        return -ENOMEM;
    }
    want_all(beacons);
    return 0;
}

void beacons_done(struct beacons *beacons)
{
    free(beacons->marks);
    free(beacons->is_wanted);
    *beacons = (struct beacons){0};
}

/* ---- One beacon -------------------------------------------------------------------------------------------------- */

static uint32_t register_of(uint32_t change)
{
    return (change & ~BEACON_WANTED) - 1;
}

static bool is_change(uint32_t entry)
{
    return entry != 0 && (entry & BEACON_WANTED) == 0;
}

/* How far the counts have moved, and whether the list has everything that moved them. */
struct news {
    uint16_t moved[BEACON_BUCKETS];
    uint32_t listed[BEACON_BUCKETS];
    bool is_list_whole;
};

/*
 * The list is ordered by time, newest first. So it has lost nothing that is new as long as it has room, or still ends with
 * something that is older.
 */
static struct news news_of(const struct beacon_mark *mark, const struct beacon *beacon)
{
    struct news news = {.is_list_whole = beacon->changes[BEACON_CHANGES - 1] == 0};
    for (uint32_t i = 0; i < BEACON_BUCKETS; i++) {
        news.moved[i] = (uint16_t)(beacon->buckets[i] - mark->buckets[i]);
    }
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        if (is_change(beacon->changes[i])) {
            uint32_t bucket = register_of(beacon->changes[i]) % BEACON_BUCKETS;
            news.listed[bucket]++;
            news.is_list_whole = news.is_list_whole || news.moved[bucket] == 0;
        }
    }
    return news;
}

/*
 * In a bucket that has lost a new change, whatever the list still has of it is newer than that; so the count has moved by
 * one more than the list has.
 */
static bool is_explained(const struct news *news, uint32_t bucket)
{
    return news->is_list_whole || news->moved[bucket] <= news->listed[bucket];
}

static void take_news(struct beacons *beacons, const struct beacon *beacon, const struct news *news)
{
    for (uint32_t i = 0; i < BEACON_CHANGES && beacon->changes[i] != 0; i++) {
        uint32_t index = register_of(beacon->changes[i]);
        if (news->moved[index % BEACON_BUCKETS] != 0) {
            want(beacons, index);
        }
    }
    for (uint32_t bucket = 0; bucket < BEACON_BUCKETS; bucket++) {
        if (news->moved[bucket] != 0 && !is_explained(news, bucket)) {
            want_bucket(beacons, bucket);
        }
    }
}

/* ---- One node ---------------------------------------------------------------------------------------------------- */

/* Another incarnation: it began with nothing, but what the one before did last may never have been seen. */
static void replace(struct beacons *beacons, struct beacon_mark *mark, uint64_t incarnation)
{
    if (mark->incarnation != 0 && !mark->is_over) {
        want_all(beacons);
    }
    *mark = (struct beacon_mark){.incarnation = incarnation};
}

void beacons_note(struct beacons *beacons, uint32_t slot, const struct heartbeat_block *block, bool is_dead)
{
    assert(slot < beacons->slots);
    struct beacon_mark *mark = &beacons->marks[slot];
    if (mark->incarnation != block->author.incarnation) {
        replace(beacons, mark, block->author.incarnation);
    }
    if (block->counter > mark->counter) {
        if (block->counter - mark->counter > BEATS_TRUSTED) {
            want_all(beacons);
        }
        struct news news = news_of(mark, &block->beacon);
        take_news(beacons, &block->beacon, &news);
        mark->counter = block->counter;
        memcpy(mark->buckets, block->beacon.buckets, sizeof mark->buckets);
    }
    if (is_dead && !mark->is_over) {
        want_all(beacons); /* it may have changed something without living to say so */
    }
    mark->is_over = mark->is_over || is_dead || block->state == HEARTBEAT_LEFT;
}

bool beacons_is_wanted(const struct beacons *beacons, uint32_t index)
{
    assert(index < beacons->registers);
    return beacons->is_wanted[index];
}

void beacons_satisfy(struct beacons *beacons, uint32_t index)
{
    assert(index < beacons->registers);
    beacons->is_wanted[index] = false;
}
