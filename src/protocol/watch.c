#include "protocol/watch.h"

#include "protocol/collect.h"

#include <assert.h>
#include <string.h>

_Static_assert(DISKS_MAX <= 16, "disks are bits of 16-bit masks");

void watch_begin(struct watch *watch, struct watch_entry *entries, uint32_t slots, uint32_t disk_count,
                 int64_t watch_ns)
{
    assert(watch_ns > 0);
    assert(disk_count >= 1 && disk_count <= DISKS_MAX);
    memset(watch, 0, sizeof *watch);
    watch->entries = entries;
    watch->slots = slots;
    watch->disk_count = disk_count;
    watch->watch_ns = watch_ns;
    watch->scan_slow_ns = INT64_MAX;
}

struct watch_entry *watch_find(const struct watch *watch, struct node_id id)
{
    assert(id.slot < watch->slots);
    struct watch_entry *entries = watch->entries + (size_t)id.slot * WATCH_PER_SLOT;
    for (int i = 0; i < WATCH_PER_SLOT; i++) {
        if (entries[i].state != WATCH_UNUSED && entries[i].incarnation == id.incarnation) {
            return &entries[i];
        }
    }
    return NULL;
}

/* How little is lost by forgetting an entry: forgetting only costs the time to watch again. */
static int entry_worth(const struct watch_entry *entry)
{
    if (entry->state == WATCH_UNUSED) {
        return 0;
    }
    return 1 + 2 * (entry->standing_disks != 0) + (entry->state == WATCH_MOVING || entry->state == WATCH_CONFIRMING);
}

static struct watch_entry *watch_find_or_add(struct watch *watch, struct node_id id, int64_t slow_ns)
{
    struct watch_entry *entry = watch_find(watch, id);
    if (entry != NULL) {
        return entry;
    }
    struct watch_entry *entries = watch->entries + (size_t)id.slot * WATCH_PER_SLOT;
    entry = &entries[0];
    for (int i = 1; i < WATCH_PER_SLOT; i++) {
        int worth = entry_worth(&entries[i]);
        int least = entry_worth(entry);
        if (worth < least || (worth == least && entries[i].since_slow_ns < entry->since_slow_ns)) {
            entry = &entries[i];
        }
    }
    memset(entry, 0, sizeof *entry);
    entry->state = WATCH_MOVING;
    entry->incarnation = id.incarnation;
    entry->since_slow_ns = slow_ns;
    return entry;
}

/* Whoever promises more than a century has promised that nobody may wait for its death; the sum of times stays a time. */
#define PROMISE_NS_MAX (INT64_MAX / 2)

/* T6 (a): when the counter has stood still long enough. */
static int64_t entry_due_ns(const struct watch *watch, const struct watch_entry *entry)
{
    uint64_t promise_ns = entry->promise_ns < PROMISE_NS_MAX ? entry->promise_ns : PROMISE_NS_MAX;
    return entry->since_slow_ns + watch->watch_ns + (int64_t)promise_ns;
}

static void watch_schedule(struct watch *watch, int64_t due_ns)
{
    if (due_ns < watch->scan_slow_ns) {
        watch->scan_slow_ns = due_ns;
    }
}

static void entry_found_dead(struct watch *watch, struct watch_entry *entry, int64_t slow_ns)
{
    entry->state = WATCH_DEAD;
    entry->is_found_dead = true;
    if (!entry->is_verdict_known) {
        entry->is_verdict_known = true;
        entry->verdict_slow_ns = slow_ns;
    }
    watch->found++;
}

/* T6 (b): one more disk, read after the wait had ended, still shows nothing newer. */
static void watch_confirm(struct watch *watch, struct watch_entry *entry, const struct watch_read *read)
{
    if (entry->state != WATCH_CONFIRMING || read->submitted_step < entry->confirm_step) {
        return;
    }
    entry->confirmed_disks |= (uint16_t)(1U << read->disk);
    uint32_t count = 0;
    for (uint32_t i = 0; i < watch->disk_count; i++) {
        count += (uint32_t)entry->confirmed_disks >> i & 1U;
    }
    if (count >= majority_of(watch->disk_count)) {
        entry_found_dead(watch, entry, read->slow_ns);
    }
}

static void watch_progress(struct watch *watch, struct watch_entry *entry, const struct heartbeat_block *block,
                           int64_t slow_ns)
{
    if (entry->state == WATCH_DEAD || entry->state == WATCH_LEFT) {
        return;
    }
    if (block->state == HEARTBEAT_LEFT) {
        entry->state = WATCH_LEFT;
        entry->since_slow_ns = slow_ns;
        return;
    }
    if (block->counter > entry->counter) {
        entry->has_moved |= entry->counter != 0;
        entry->counter = block->counter;
        entry->promise_ns = block->watchdog_promise_ns;
        entry->since_slow_ns = slow_ns;
        entry->state = WATCH_MOVING;
        watch_schedule(watch, entry_due_ns(watch, entry));
    }
}

static void entry_note_shown(struct watch_entry *entry, uint64_t counter, const struct watch_read *read)
{
    struct watch_shown *shown = &entry->shown[read->disk];
    if (counter > shown->counter) {
        *shown = (struct watch_shown){.counter = counter, .step = read->finished_step};
    }
}

void watch_see(struct watch *watch, uint32_t slot, const struct heartbeat_block *block, const struct watch_read *read)
{
    assert(slot < watch->slots);
    assert(read->disk < watch->disk_count);
    uint16_t bit = (uint16_t)(1U << read->disk);
    if (block->author.incarnation != 0) {
        struct node_id id = {slot, block->author.incarnation};
        struct watch_entry *author = watch_find_or_add(watch, id, read->slow_ns);
        watch_progress(watch, author, block, read->slow_ns);
        entry_note_shown(author, block->counter, read);
    }
    struct watch_entry *entries = watch->entries + (size_t)slot * WATCH_PER_SLOT;
    for (int i = 0; i < WATCH_PER_SLOT; i++) {
        struct watch_entry *entry = &entries[i];
        if (entry->state == WATCH_UNUSED) {
            continue;
        }
        bool is_shown = entry->incarnation == block->author.incarnation;
        entry->standing_disks = (uint16_t)(is_shown ? entry->standing_disks | bit : entry->standing_disks & ~bit);
        watch_confirm(watch, entry, read);
    }
}

bool watch_is_backwards(const struct watch *watch, uint32_t slot, const struct heartbeat_block *block,
                        const struct watch_read *read)
{
    assert(slot < watch->slots);
    assert(read->disk < watch->disk_count);
    const struct watch_entry *entries = watch->entries + (size_t)slot * WATCH_PER_SLOT;
    for (int i = 0; i < WATCH_PER_SLOT; i++) {
        const struct watch_shown *shown = &entries[i].shown[read->disk];
        bool is_same = block->author.incarnation == 0 || block->author.incarnation == entries[i].incarnation;
        if (entries[i].state != WATCH_UNUSED && is_same && shown->counter > block->counter &&
            read->submitted_step >= shown->step) {
            return true;
        }
    }
    return false;
}

void watch_forget_disk(struct watch *watch, uint32_t disk)
{
    assert(disk < watch->disk_count);
    uint16_t others = (uint16_t) ~(1U << disk);
    for (size_t i = 0; i < (size_t)watch->slots * WATCH_PER_SLOT; i++) {
        watch->entries[i].standing_disks &= others;
        watch->entries[i].confirmed_disks &= others;
    }
}

void watch_name(struct watch *watch, struct node_id id, int64_t slow_ns)
{
    if (watch_find(watch, id) == NULL) {
        watch_schedule(watch, entry_due_ns(watch, watch_find_or_add(watch, id, slow_ns)));
    }
}

void watch_hear_verdict(struct watch *watch, struct node_id id, int64_t slow_ns)
{
    struct watch_entry *entry = watch_find(watch, id);
    if (entry != NULL && !entry->is_verdict_known) {
        entry->is_verdict_known = true;
        entry->verdict_slow_ns = slow_ns;
        watch_schedule(watch, slow_ns);
    }
}

void watch_declare_dead(struct watch *watch, struct node_id id, int64_t slow_ns)
{
    struct watch_entry *entry = watch_find_or_add(watch, id, slow_ns);
    if (entry->state != WATCH_DEAD) {
        entry_found_dead(watch, entry, slow_ns);
    }
}

bool watch_tick(struct watch *watch, uint64_t step, int64_t slow_ns)
{
    if (slow_ns < watch->scan_slow_ns) {
        return false;
    }
    bool is_read_wanted = false;
    watch->scan_slow_ns = INT64_MAX;
    for (size_t i = 0; i < (size_t)watch->slots * WATCH_PER_SLOT; i++) {
        struct watch_entry *entry = &watch->entries[i];
        if (entry->state != WATCH_MOVING) {
            continue;
        }
        int64_t due_ns = entry_due_ns(watch, entry);
        if (slow_ns < due_ns) {
            watch_schedule(watch, due_ns);
            continue;
        }
        entry->state = WATCH_CONFIRMING;
        entry->confirm_step = step;
        entry->confirmed_disks = 0;
        is_read_wanted = true;
    }
    return is_read_wanted;
}

bool watch_is_gone(const struct watch *watch, struct node_id id)
{
    const struct watch_entry *entry = watch_find(watch, id);
    return entry != NULL && (entry->state == WATCH_LEFT || (entry->state == WATCH_DEAD && entry->is_found_dead));
}

bool watch_is_standing(const struct watch *watch, struct node_id id)
{
    const struct watch_entry *entry = watch_find(watch, id);
    return entry != NULL && entry->standing_disks != 0;
}
