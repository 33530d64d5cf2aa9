/*
 * Reading roles without writing (rules B1 and N1). A value is told as settled only when it is proven; while a change is
 * under way, the last value that was proven is told instead.
 */
#include "block/name.h"
#include "block/role_value.h"
#include "client/observer.h"
#include "disk/message.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum { SETTLE_ATTEMPTS = 4 };

/* What could be learnt of a row. */
struct row_finding {
    bool is_settled;
    bool is_known; /* a value is there: proven now, or the last one that was */
    struct role_value value;
};

/* Rows that are read together: register rows from `first` on. */
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

static void batch_init(struct batch *batch, struct diskarch_observer *observer, uint32_t first, uint32_t count)
{
    assert(count > 0 && count <= observer->reader.depth);
    *batch = (struct batch){.observer = observer, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        batch->wants[i] =
            (struct reader_want){.operation = DISK_READ, .row = layout_register_row(layout_of(observer), first + i)};
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

/* Gives a change that is under way some time to settle. */
static void settle_row(struct diskarch_observer *observer, uint32_t index, struct row_finding *ret)
{
    struct batch batch;
    batch_init(&batch, observer, index, 1);
    batch.keeps_bytes = true;
    int64_t pause_ns = observer->set.header.timings.renew_ns / 4;
    struct timespec pause = {.tv_sec = (time_t)(pause_ns / NS_PER_S), .tv_nsec = (long)(pause_ns % NS_PER_S)};
    for (int attempt = 0; attempt < SETTLE_ATTEMPTS; attempt++) {
        if (attempt > 0) {
            nanosleep(&pause, NULL);
        }
        memset(observer->has_row, 0, sizeof observer->has_row);
        batch_read_twice(&batch);
        if (batch_finding(&batch, 0, ret)) {
            return;
        }
    }
    find_last_proven(observer, batch.wants[0].row, ret);
}

static bool is_quorum(const struct diskarch_observer *observer)
{
    return reader_good_count(&observer->reader) >= majority_of(observer->set.header.disk_count);
}

/* Learns what stands in `count` register rows from `first` on. 0 or DISKARCH_ENOQUORUM. */
static int read_rows(struct diskarch_observer *observer, uint32_t first, uint32_t count,
                     struct row_finding *ret_findings)
{
    struct batch batch;
    bool is_open[READER_WANTS_MAX];
    batch_init(&batch, observer, first, count);
    batch_read_twice(&batch);
    for (uint32_t i = 0; i < count; i++) {
        ret_findings[i] = (struct row_finding){0};
        is_open[i] = !batch_finding(&batch, i, &ret_findings[i]);
    }
    for (uint32_t i = 0; i < count && is_quorum(observer); i++) {
        if (is_open[i]) {
            settle_row(observer, first + i, &ret_findings[i]);
        }
    }
    return is_quorum(observer) ? 0 : observer_no_quorum(observer);
}

/* ---- Roles ------------------------------------------------------------------------------------------------------- */

static void fill_holder(const struct diskarch_observer *observer, const struct role_value *value,
                        struct diskarch_role_status *status)
{
    const struct sighting *holder = sightings_find(&observer->sightings, value->holder);
    status->is_held = true;
    status->holder_slot = value->holder.slot;
    status->holder_incarnation = value->holder.incarnation;
    memcpy(status->holder_name, value->node_name, sizeof status->holder_name);
    status->is_holder_dead = sightings_is_dead(&observer->sightings, value->holder);
    if (holder != NULL) {
        status->liveness = sightings_liveness(&observer->sightings, holder, &status->silent_ns);
    }
}

static void fill_role(const struct diskarch_observer *observer, const struct row_finding *finding,
                      struct diskarch_role_status *ret)
{
    const struct role_value *value = &finding->value;
    struct diskarch_role_status status = {
        .is_settled = finding->is_settled,
        .epoch = value->epoch,
        .since_wall_ns = value->changed_wall_ns,
        .payload_bytes = value->payload_bytes,
    };
    memcpy(status.name, value->name, sizeof status.name);
    memcpy(status.payload, value->payload, sizeof status.payload);
    if (value->hold == ROLE_HELD || value->hold == ROLE_TRANSFERRING) {
        fill_holder(observer, value, &status);
    }
    *ret = status;
}

static bool is_role(const struct row_finding *finding)
{
    return finding->is_known && finding->value.kind == VALUE_ROLE && finding->value.hold != ROLE_FORGOTTEN;
}

static int no_such_role(struct diskarch_observer *observer, const char *name)
{
    return message_set(DISKARCH_ENONE, observer->message, sizeof observer->message,
                       "role %s: set %s has no role of this name; a first campaign creates it", name,
                       observer->set.header.set_name);
}

static int take_found(struct diskarch_observer *observer, const char *name, const struct row_finding *finding,
                      struct diskarch_role_status *ret)
{
    if (finding->value.kind != VALUE_ROLE) {
        return message_set(DISKARCH_EKIND, observer->message, sizeof observer->message,
                           "%s: it is a register, not a role; choose another name", name);
    }
    if (!is_role(finding)) {
        return no_such_role(observer, name);
    }
    fill_role(observer, finding, ret);
    return 0;
}

/* Rule N1: from the name's own row on, over rows that have other names, up to a row that has none. */
static int find_role(struct diskarch_observer *observer, const char *name, struct diskarch_role_status *ret)
{
    uint32_t registers = layout_of(observer)->registers;
    uint32_t start = (uint32_t)(name_hash(name) % registers);
    for (uint32_t i = 0; i < registers; i++) {
        struct row_finding finding;
        int error = read_rows(observer, (start + i) % registers, 1, &finding);
        if (error != 0) {
            return error;
        }
        if (!finding.is_known || (!finding.is_settled && finding.value.kind == VALUE_UNNAMED)) {
            return message_set(DISKARCH_EUNSETTLED, observer->message, sizeof observer->message,
                               "role %s: its last change is not settled yet; ask again, or let a node run", name);
        }
        if (finding.value.kind == VALUE_UNNAMED) {
            return no_such_role(observer, name);
        }
        if (strcmp(finding.value.name, name) == 0) {
            return take_found(observer, name, &finding, ret);
        }
    }
    return no_such_role(observer, name);
}

/* Every call looks at the headers first: what stands on a disk that is no longer this one proves nothing. */
static int begin_reading(struct diskarch_observer *observer)
{
    reader_look(&observer->reader, NULL, 0, NULL, NULL);
    return is_quorum(observer) ? 0 : observer_no_quorum(observer);
}

int diskarch_observer_role(struct diskarch_observer *observer, const char *name, struct diskarch_role_status *ret)
{
    if (name == NULL || name_check(name) != NAME_OK) {
        return message_set(DISKARCH_EUSAGE, observer->message, sizeof observer->message,
                           "role: its name is not 1 to 63 bytes of printable UTF-8; give such a name");
    }
    pthread_mutex_lock(&observer->mutex);
    int error = begin_reading(observer);
    if (error == 0) {
        error = find_role(observer, name, ret);
    }
    pthread_mutex_unlock(&observer->mutex);
    return error;
}

static int list_roles(struct diskarch_observer *observer, struct diskarch_role_status *ret, size_t room,
                      size_t *ret_count)
{
    uint32_t registers = layout_of(observer)->registers;
    struct row_finding findings[READER_WANTS_MAX];
    size_t found = 0;
    uint32_t count = 0;
    for (uint32_t first = 0; first < registers; first += count) {
        count = registers - first < observer->reader.depth ? registers - first : observer->reader.depth;
        int error = read_rows(observer, first, count, findings);
        if (error != 0) {
            return error;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (!is_role(&findings[i])) {
                continue;
            }
            if (found < room) {
                fill_role(observer, &findings[i], &ret[found]);
            }
            found++;
        }
    }
    *ret_count = found;
    return 0;
}

int diskarch_observer_roles(struct diskarch_observer *observer, struct diskarch_role_status *ret, size_t room,
                            size_t *ret_count)
{
    pthread_mutex_lock(&observer->mutex);
    int error = begin_reading(observer);
    if (error == 0) {
        error = list_roles(observer, ret, room, ret_count);
    }
    pthread_mutex_unlock(&observer->mutex);
    return error;
}
