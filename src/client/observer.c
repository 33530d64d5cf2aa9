/* The handle of an observer: opening, looking, and what it can say of nodes. */
#include "client/observer.h"

#include "client/options.h"
#include "disk/message.h"
#include "disk/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Opening and closing ----------------------------------------------------------------------------------------- */

static void observer_free(struct diskarch_observer *observer)
{
    reader_close(&observer->reader);
    disk_set_close(&observer->set);
    sightings_done(&observer->sightings);
    free(observer->reads);
    free(observer->rows);
    observer_changes_done(observer);
    pthread_mutex_destroy(&observer->mutex);
    free(observer);
}

static int make_tables(struct diskarch_observer *observer)
{
    const struct set_header *header = &observer->set.header;
    observer->set_tag = set_header_tag(header);
    observer->reads = calloc(observer->reader.depth, sizeof *observer->reads);
    observer->rows = calloc(header->disk_count, layout_row_bytes(&header->layout));
    if (observer->reads == NULL || observer->rows == NULL) {
        return -ENOMEM;
    }
    return sightings_init(&observer->sightings, header->layout.slots, header->timings.renew_ns);
}

static int observer_start(struct diskarch_observer *observer, const struct diskarch_options *options, char *message,
                          size_t message_bytes)
{
    enum disk_engine_kind kind;
    int error = options_engine(options->engine, &kind, message, message_bytes);
    if (error != 0) {
        return error;
    }
    struct disk_set_options set_options = {.paths = options->disks, .path_count = options->disk_count, .engine = kind};
    error = disk_set_open(&set_options, &observer->set);
    if (error == 0) {
        error = reader_open(&observer->reader, &observer->set, kind);
    }
    if (error != 0) {
        return message_set(error, message, message_bytes, "%s", observer->set.message);
    }
    error = make_tables(observer);
    return error == 0 ? 0 : message_set(error, message, message_bytes, "observer: no memory; free some");
}

int diskarch_observer_open(const struct diskarch_options *options, struct diskarch_observer **ret, char *message,
                           size_t message_bytes)
{
    struct diskarch_options own;
    int error = options_copy(options, &own, message, message_bytes);
    if (error != 0) {
        return error;
    }
    struct diskarch_observer *observer = calloc(1, sizeof *observer);
    if (observer == NULL) {
        return message_set(-ENOMEM, message, message_bytes, "observer: no memory; free some");
    }
    pthread_mutex_init(&observer->mutex, NULL);
    error = observer_start(observer, &own, message, message_bytes);
    if (error != 0) {
        observer_free(observer);
        return error;
    }
    *ret = observer;
    return 0;
}

void diskarch_observer_close(struct diskarch_observer *observer)
{
    if (observer != NULL) {
        observer_free(observer);
    }
}

const char *diskarch_observer_message(const struct diskarch_observer *observer)
{
    return observer->message;
}

struct diskarch_set_info set_info_of(const struct set_header *header)
{
    struct diskarch_set_info info = {
        .generation = header->generation,
        .disk_count = header->disk_count,
        .slots = header->layout.slots,
        .registers = header->layout.registers,
        .block_bytes = header->layout.block_bytes,
        .lease_ns = header->timings.lease_ns,
        .renew_ns = header->timings.renew_ns,
        .io_deadline_ns = header->timings.io_deadline_ns,
        .quarantine_ns = header->timings.quarantine_ns,
        .watch_ns = timings_watch_ns(&header->timings),
        .drift_ppm = header->timings.drift_ppm,
        .slot_reuse = header->slot_reuse,
        .format_major = header->major,
        .format_minor = header->minor,
    };
    _Static_assert(sizeof info.name == sizeof header->set_name, "both end with a NUL");
    memcpy(info.name, header->set_name, sizeof info.name);
    uuid_format(info.uuid, &header->set_uuid);
    return info;
}

void diskarch_observer_set_info(const struct diskarch_observer *observer, struct diskarch_set_info *ret)
{
    struct diskarch_set_info info = set_info_of(&observer->set.header);
    info.engine = disk_engine_name(observer->reader.engine);
    info.warning = disk_engine_warning(observer->reader.engine);
    options_return(ret, &info, sizeof info);
}

/* ---- Polling ----------------------------------------------------------------------------------------------------- */

int observer_no_quorum(struct diskarch_observer *observer)
{
    const struct set_header *header = &observer->set.header;
    message_set(0, observer->message, sizeof observer->message, "set %s: %u of %u disks can be read, %u are needed",
                header->set_name, reader_good_count(&observer->reader), header->disk_count,
                majority_of(header->disk_count));
    for (uint32_t i = 0; i < header->disk_count; i++) {
        const struct reader_disk *disk = &observer->reader.disks[i];
        if (!disk->is_good) {
            const char *path = observer->set.members[i].path;
            message_add(observer->message, sizeof observer->message, "; disk %u%s%s: %s", i, path[0] != '\0' ? " " : "",
                        path, disk->reason);
        }
    }
    return DISKARCH_ENOQUORUM;
}

/* Rule D7: what one node has found out about a disk binds everybody, whether that node still lives or not. */
static void note_counted_out(struct diskarch_observer *observer, const struct heartbeat_block *block)
{
    for (uint32_t disk = 0; disk < observer->set.header.disk_count; disk++) {
        if ((block->counted_out >> disk & 1U) != 0) {
            memcpy(observer->out_by[disk], block->node_name, sizeof observer->out_by[disk]);
        }
    }
}

static void take_heartbeats(struct diskarch_observer *observer, uint32_t disk, const uint8_t *bytes)
{
    const struct layout *layout = &observer->set.header.layout;
    struct block_place place = {.set_tag = observer->set_tag, .disk = disk, .row = ROW_HEARTBEAT};
    for (place.slot = 0; place.slot < layout->slots; place.slot++) {
        struct heartbeat_block block;
        const uint8_t *at = bytes + (size_t)place.slot * layout->block_bytes;
        if (block_decode_heartbeat(at, layout->block_bytes, &place, &block)) {
            sightings_add(&observer->sightings, place.slot, &block);
            note_counted_out(observer, &block);
        }
    }
}

/* Rule S4: an entry is true for ever, so any intact block of the ledger may be believed. */
static void take_ledger(struct diskarch_observer *observer, uint32_t disk, uint32_t row, const uint8_t *bytes)
{
    const struct layout *layout = &observer->set.header.layout;
    struct block_place place = {.set_tag = observer->set_tag, .disk = disk, .row = row};
    uint32_t first = (row - ROW_LEDGER_FIRST) * LEDGER_SLOTS_PER_ROW;
    for (place.slot = 0; place.slot < layout->slots; place.slot++) {
        struct register_block block;
        const uint8_t *at = bytes + (size_t)place.slot * layout->block_bytes;
        if (!block_decode_register(at, layout->block_bytes, &place, &block)) {
            continue;
        }
        for (uint32_t i = 0; i < LEDGER_SLOTS_PER_ROW && first + i < layout->slots; i++) {
            sightings_add_retired(&observer->sightings, first + i, ledger_value_get(block.value, i));
        }
    }
}

struct poll {
    struct diskarch_observer *observer;
    struct reader_want wants[READER_WANTS_MAX];
    uint32_t count;
    bool has_begun;
};

/* The round begins with the first row that arrives: a poll that reads nothing leaves what is known. */
static void take_row(void *context, uint32_t disk, uint32_t want, const uint8_t *bytes)
{
    struct poll *poll = context;
    uint32_t row = poll->wants[want].row;
    if (row != ROW_HEARTBEAT) {
        take_ledger(poll->observer, disk, row, bytes);
        return;
    }
    if (!poll->has_begun) {
        sightings_begin_round(&poll->observer->sightings, reader_now_ns());
        memset(poll->observer->out_by, 0, sizeof poll->observer->out_by);
        poll->has_begun = true;
    }
    take_heartbeats(poll->observer, disk, bytes);
}

/* Large sets read their ledger in turns. */
static void want_rows(struct poll *poll, uint32_t ledger_rows)
{
    struct diskarch_observer *observer = poll->observer;
    uint32_t all_rows = layout_ledger_rows(&observer->set.header.layout);
    uint32_t room = observer->reader.depth - 1;
    poll->wants[poll->count++] = (struct reader_want){.operation = DISK_READ, .row = ROW_HEARTBEAT};
    for (uint32_t i = 0; i < all_rows && i < ledger_rows && poll->count < room; i++) {
        uint32_t row = ROW_LEDGER_FIRST + observer->ledger_next;
        poll->wants[poll->count++] = (struct reader_want){.operation = DISK_READ, .row = row};
        observer->ledger_next = (observer->ledger_next + 1) % all_rows;
    }
}

static void count_out(struct diskarch_observer *observer)
{
    for (uint32_t i = 0; i < observer->set.header.disk_count; i++) {
        if (observer->out_by[i][0] != '\0') {
            reader_count_out(&observer->reader, i, observer->out_by[i]);
        }
    }
}

bool observer_has_quorum(const struct diskarch_observer *observer)
{
    return reader_good_count(&observer->reader) >= majority_of(observer->set.header.disk_count);
}

int observer_look(struct diskarch_observer *observer, uint32_t ledger_rows)
{
    struct poll poll = {.observer = observer};
    want_rows(&poll, ledger_rows);
    reader_look(&observer->reader, poll.wants, poll.count, take_row, &poll);
    count_out(observer);
    return observer_has_quorum(observer) ? 0 : observer_no_quorum(observer);
}

int diskarch_observer_poll(struct diskarch_observer *observer)
{
    pthread_mutex_lock(&observer->mutex);
    int error = observer_look(observer, UINT32_MAX);
    pthread_mutex_unlock(&observer->mutex);
    return error;
}

/* Whether everything that can be learnt by watching has been learnt: every node moves, has left, or is dead. */
static bool has_seen_all(struct diskarch_observer *observer)
{
    bool has_seen = true;
    pthread_mutex_lock(&observer->mutex);
    for (uint32_t slot = 0; slot < observer->sightings.slots && has_seen; slot++) {
        const struct sighting *sighting = sightings_of_slot(&observer->sightings, slot);
        int64_t silent_ns;
        if (sighting != NULL) {
            struct node_id id = {.slot = slot, .incarnation = sighting->incarnation};
            enum diskarch_liveness liveness = sightings_liveness(&observer->sightings, sighting, &silent_ns);
            has_seen =
                liveness == DISKARCH_ALIVE || liveness == DISKARCH_LEFT || sightings_is_dead(&observer->sightings, id);
        }
    }
    pthread_mutex_unlock(&observer->mutex);
    return has_seen;
}

int diskarch_observer_watch(struct diskarch_observer *observer)
{
    int64_t renew_ns = observer->set.header.timings.renew_ns;
    int64_t pause_ns = renew_ns / 8 < 50 * NS_PER_MS ? renew_ns / 8 : 50 * NS_PER_MS;
    struct timespec pause = {.tv_nsec = (long)pause_ns};
    int error = diskarch_observer_poll(observer);
    int64_t end_ns = reader_now_ns() + 2 * renew_ns;
    while (error == 0 && !has_seen_all(observer)) {
        bool is_last = reader_now_ns() >= end_ns;
        error = diskarch_observer_poll(observer);
        if (is_last) {
            break;
        }
        nanosleep(&pause, NULL);
    }
    return error;
}

/* ---- What was seen ----------------------------------------------------------------------------------------------- */

static const char *engine_text(uint32_t engine)
{
    switch (engine) {
    case ENGINE_IO_URING:
        return "io_uring";
    case ENGINE_LIBAIO:
        return "libaio";
    case ENGINE_SIMULATED:
        return "simulated";
    default:
        return "unknown";
    }
}

static void fill_node(const struct diskarch_observer *observer, uint32_t slot, const struct sighting *sighting,
                      struct diskarch_node_status *ret)
{
    struct node_id id = {.slot = slot, .incarnation = sighting->incarnation};
    *ret = (struct diskarch_node_status){
        .slot = slot,
        .incarnation = sighting->incarnation,
        .counter = sighting->block.counter,
        .is_ready = sighting->block.state == HEARTBEAT_READY,
        .is_dead = sightings_is_dead(&observer->sightings, id),
        .started_wall_ns = sighting->block.started_wall_ns,
    };
    ret->liveness = sightings_liveness(&observer->sightings, sighting, &ret->silent_ns);
    memcpy(ret->name, sighting->block.node_name, sizeof ret->name);
    message_set(0, ret->engine, sizeof ret->engine, "%s", engine_text(sighting->block.engine));
}

size_t diskarch_observer_nodes(struct diskarch_observer *observer, struct diskarch_node_status *ret, size_t room)
{
    pthread_mutex_lock(&observer->mutex);
    size_t count = 0;
    for (uint32_t slot = 0; slot < observer->sightings.slots; slot++) {
        const struct sighting *sighting = sightings_of_slot(&observer->sightings, slot);
        if (sighting == NULL) {
            continue;
        }
        if (count < room) {
            fill_node(observer, slot, sighting, &ret[count]);
        }
        count++;
    }
    pthread_mutex_unlock(&observer->mutex);
    return count;
}
