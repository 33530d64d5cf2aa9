#include "client/beacons.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS_AT_ALL = 1, LOOKS_AT_CHANGE = 2 };

static void want(struct beacons *beacons, uint32_t index, uint8_t looks)
{
    if (index < beacons->registers && beacons->looks[index] < looks) {
        beacons->looks[index] = looks;
    }
}

static void want_all(struct beacons *beacons)
{
    for (uint32_t i = 0; i < beacons->registers; i++) {
        want(beacons, i, LOOKS_AT_ALL);
    }
}

static void want_bucket(struct beacons *beacons, uint32_t bucket)
{
    for (uint32_t i = bucket; i < beacons->registers; i += BEACON_BUCKETS) {
        want(beacons, i, LOOKS_AT_CHANGE);
    }
}

int beacons_init(struct beacons *beacons, uint32_t slots, uint32_t registers)
{
    *beacons = (struct beacons){
        .marks = calloc(slots, sizeof *beacons->marks),
        .looks = calloc(registers, sizeof *beacons->looks),
        .slots = slots,
        .registers = registers,
    };
    if (beacons->marks == NULL || beacons->looks == NULL) {
        beacons_done(beacons);
        return -ENOMEM;
    }
    want_all(beacons);
    return 0;
}

void beacons_done(struct beacons *beacons)
{
    free(beacons->marks);
    free(beacons->looks);
    *beacons = (struct beacons){0};
}

/* ---- One beacon -------------------------------------------------------------------------------------------------- */

static uint32_t register_of(uint32_t change)
{
    return (change & ~BEACON_WANTED) - 1;
}

/* What the list of a beacon says, and how far its counts have moved. */
struct news {
    uint16_t moved[BEACON_BUCKETS];
    uint32_t moved_sum;
    uint32_t listed[BEACON_BUCKETS]; /* changes in the list */
    uint32_t wanted_count;           /* entries of the list that are no changes */
    bool is_list_full;
};

static struct news news_of(const struct beacon_mark *mark, const struct beacon *beacon)
{
    struct news news = {.is_list_full = true};
    for (uint32_t i = 0; i < BEACON_BUCKETS; i++) {
        news.moved[i] = (uint16_t)(beacon->buckets[i] - mark->buckets[i]);
        news.moved_sum += news.moved[i];
    }
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        uint32_t change = beacon->changes[i];
        if (change == 0) {
            news.is_list_full = false;
            break;
        }
        if ((change & BEACON_WANTED) != 0) {
            news.wanted_count++;
        } else {
            news.listed[register_of(change) % BEACON_BUCKETS]++;
        }
    }
    return news;
}

/*
 * A change falls off the list only when everything in it is newer. So a list with room has lost nothing; nor has one
 * that is longer than what has happened; and in a bucket that has lost one, whatever the list still has of it is newer,
 * and the count has moved by one more than that at least.
 */
static bool is_explained(const struct news *news, uint32_t bucket)
{
    return !news->is_list_full || news->moved_sum + news->wanted_count <= BEACON_CHANGES ||
           news->moved[bucket] <= news->listed[bucket];
}

static void take_news(struct beacons *beacons, const struct beacon *beacon, const struct news *news)
{
    for (uint32_t i = 0; i < BEACON_CHANGES && beacon->changes[i] != 0; i++) {
        uint32_t index = register_of(beacon->changes[i]);
        if (news->moved[index % BEACON_BUCKETS] != 0) {
            want(beacons, index, LOOKS_AT_CHANGE);
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
    return beacons->looks[index] > 0;
}

void beacons_looked(struct beacons *beacons, uint32_t index)
{
    assert(beacons_is_wanted(beacons, index));
    beacons->looks[index]--;
}
