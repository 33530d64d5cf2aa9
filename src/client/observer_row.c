/*
 * Reading register rows without writing (rule B1): what stands there and is proven; and of a row with a change under way
 * the last value that was.
 */
#include "client/observer.h"

#include <assert.h>
#include <string.h>
#include <time.h>

/* Register rows that are read together. */
struct batch {
    struct diskarch_observer *observer;
    struct reader_want wants[READER_WANTS_MAX];
    uint32_t count;
    bool is_second; /* which of the two reads is running */
    bool keeps_bytes;
};

static const struct layout *layout_of(const struct diskarch_observer *observer)
{
    return &observer->set.header.layout;
}

static uint8_t *kept_row(struct diskarch_observer *observer, uint32_t disk)
{
    return observer->rows + (size_t)disk * layout_row_bytes(layout_of(observer));
}

/* ---- Two reads --------------------------------------------------------------------------------------------------- */

static void take_row(void *context, uint32_t disk, uint32_t want, const uint8_t *bytes)
{
    struct batch *batch = context;
    struct row_reads *reads = &batch->observer->reads[want];
    collect_add(batch->is_second ? &reads->second : &reads->first, disk, bytes);
    if (batch->keeps_bytes) {
        memcpy(kept_row(batch->observer, disk), bytes, layout_row_bytes(layout_of(batch->observer)));
        batch->observer->has_row[disk] = true;
    }
}

static void batch_init(struct batch *batch, struct diskarch_observer *observer, const uint32_t *registers,
                       uint32_t count)
{
    assert(count > 0 && count <= observer->reader.depth);
    *batch = (struct batch){.observer = observer, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        batch->wants[i] =
            (struct reader_want){.operation = DISK_READ, .row = layout_register_row(layout_of(observer), registers[i])};
    }
}

static void batch_read(struct batch *batch, bool is_second)
{
    struct diskarch_observer *observer = batch->observer;
    batch->is_second = is_second;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct collect *collect = is_second ? &observer->reads[i].second : &observer->reads[i].first;
        collect_begin(collect, layout_of(observer), observer->set_tag, observer->set.header.disk_count,
                      batch->wants[i].row);
    }
    reader_pass(&observer->reader, batch->wants, batch->count, take_row, batch);
}

static bool is_every_first_proven(const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        if (!collect_is_proven(&batch->observer->reads[i].first, (struct ballot){0})) {
            return false;
        }
    }
    return true;
}

/* Rule B1 in both its forms; the second read is left out if the first has proven everything. */
static void batch_read_twice(struct batch *batch)
{
    batch_read(batch, false);
    if (!is_every_first_proven(batch)) {
        batch_read(batch, true);
    }
}

/* What the two reads have proven, or NULL. */
static const uint8_t *proven_value(const struct row_reads *reads, bool is_second_valid)
{
    struct ballot unknown = {0};
    if (collect_is_proven(&reads->first, unknown)) {
        return reads->first.value;
    }
    if (!is_second_valid) {
        return NULL;
    }
    if (collect_is_proven_twice(&reads->first, &reads->second)) {
        return reads->first.value;
    }
    return collect_is_proven(&reads->second, unknown) ? reads->second.value : NULL;
}

static bool batch_finding(const struct batch *batch, uint32_t index, struct row_finding *ret)
{
    const uint8_t *value = proven_value(&batch->observer->reads[index], batch->is_second);
    if (value == NULL) {
        return false;
    }
    *ret = (struct row_finding){.is_settled = true};
    ret->is_known = role_value_decode(value, &ret->value);
    return true;
}

/* ---- Unsettled rows ---------------------------------------------------------------------------------------------- */

/* Calls back for every intact block of the row as it was read last. */
typedef void visit_block(void *context, const struct register_block *block);

static void visit_kept_blocks(struct diskarch_observer *observer, uint32_t row, visit_block *visit, void *context)
{
    const struct layout *layout = layout_of(observer);
    struct block_place place = {.set_tag = observer->set_tag, .row = row};
    for (place.disk = 0; place.disk < observer->set.header.disk_count; place.disk++) {
        for (place.slot = 0; place.slot < layout->slots && observer->has_row[place.disk]; place.slot++) {
            struct register_block block;
            const uint8_t *at = kept_row(observer, place.disk) + (size_t)place.slot * layout->block_bytes;
            if (block_decode_register(at, layout->block_bytes, &place, &block)) {
                visit(context, &block);
            }
        }
    }
}

struct last_proven {
    struct ballot mark; /* the highest commit mark */
    bool is_found;
    uint8_t value[VALUE_BYTES];
};

static void visit_mark(void *context, const struct register_block *block)
{
    struct last_proven *last = context;
    if (ballot_is_above(block->committed, last->mark)) {
        last->mark = block->committed;
    }
}

static void visit_value(void *context, const struct register_block *block)
{
    struct last_proven *last = context;
    if (!ballot_is_none(last->mark) && ballot_is_same(block->accepted, last->mark)) {
        last->is_found = true;
        memcpy(last->value, block->value, VALUE_BYTES);
    }
}

/* A commit mark proves the value of its ballot; whether that value is still the latest, nobody here can say. */
static void find_last_proven(struct diskarch_observer *observer, uint32_t row, struct row_finding *ret)
{
    struct last_proven last = {0};
    visit_kept_blocks(observer, row, visit_mark, &last);
    visit_kept_blocks(observer, row, visit_value, &last);
    *ret = (struct row_finding){0};
    ret->is_known = last.is_found && role_value_decode(last.value, &ret->value);
}

static void pause_for_settling(const struct diskarch_observer *observer)
{
    int64_t pause_ns = observer->set.header.timings.renew_ns / 4;
    nanosleep(&(struct timespec){.tv_sec = (time_t)(pause_ns / NS_PER_S), .tv_nsec = (long)(pause_ns % NS_PER_S)},
              NULL);
}

void observer_settle_row(struct diskarch_observer *observer, uint32_t index, uint32_t attempts, struct row_finding *ret)
{
    struct batch batch;
    batch_init(&batch, observer, &index, 1);
    batch.keeps_bytes = true;
    for (uint32_t attempt = 0; attempt < attempts; attempt++) {
        if (attempt > 0) {
            pause_for_settling(observer);
        }
        memset(observer->has_row, 0, sizeof observer->has_row);
        batch_read_twice(&batch);
        if (batch_finding(&batch, 0, ret)) {
            return;
        }
    }
    find_last_proven(observer, batch.wants[0].row, ret);
}

int observer_read_rows(struct diskarch_observer *observer, const uint32_t *registers, uint32_t count,
                       struct row_finding *ret_findings)
{
    struct batch batch;
    batch_init(&batch, observer, registers, count);
    batch_read_twice(&batch);
    for (uint32_t i = 0; i < count; i++) {
        ret_findings[i] = (struct row_finding){0};
        batch_finding(&batch, i, &ret_findings[i]);
    }
    return observer_has_quorum(observer) ? 0 : observer_no_quorum(observer);
}
