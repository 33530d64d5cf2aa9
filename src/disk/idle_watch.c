#include "disk/idle_watch.h"

#include "block/block.h"
#include "disk/message.h"

#include <diskarch/diskarch.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Looks are this far apart: rarer than any heartbeat costs nothing but the time in which a living node is noticed. */
#define LOOK_NS_MIN (5 * NS_PER_MS)
#define LOOK_NS_MAX (500 * NS_PER_MS)
#define PROMISE_NS_MAX (3600 * NS_PER_S)

/* What one disk's first two rows looked like first, and look like now. */
struct look {
    uint8_t *first;
    uint8_t *now;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static size_t rows_bytes(const struct idle_disk *disk)
{
    return 2 * (size_t)layout_row_bytes(&disk->header->layout);
}

static bool decode_heartbeat(const struct idle_disk *disk, const uint8_t *rows, uint32_t slot,
                             struct heartbeat_block *ret)
{
    const struct layout *layout = &disk->header->layout;
    struct block_place place = {
        .set_tag = set_header_tag(disk->header), .disk = disk->header->disk_index, .row = ROW_HEARTBEAT, .slot = slot};
    const uint8_t *block = rows + layout_row_bytes(layout) + (size_t)slot * layout->block_bytes;
    return block_decode_heartbeat(block, layout->block_bytes, &place, ret);
}

static int read_rows(const struct idle_disk *disk, uint8_t *to, char *message, size_t message_bytes)
{
    _Static_assert(ROW_CLAIM == 0 && ROW_HEARTBEAT == 1, "both rows are read at once");
    int error = device_read(disk->device, to, rows_bytes(disk), layout_offset(&disk->header->layout, ROW_CLAIM, 0));
    return error == 0
               ? 0
               : message_set(error, message, message_bytes,
                             "%s: whether set \"%s\" is in use cannot be seen, its heartbeats cannot be read: %s; "
                             "wipe the disk by other means if it is broken",
                             disk->path, disk->header->set_name, strerror(-error));
}

/* Any byte that changes was written by somebody; the block tells by whom. */
static int refuse_moving(const struct idle_disk *disk, const struct look *look, char *message, size_t message_bytes)
{
    const struct layout *layout = &disk->header->layout;
    uint32_t slot = 0;
    while (slot < layout->slots) {
        size_t at = layout_row_bytes(layout) + (size_t)slot * layout->block_bytes;
        if (memcmp(look->first + at, look->now + at, layout->block_bytes) != 0) {
            break;
        }
        slot++;
    }
    struct heartbeat_block heartbeat;
    if (slot < layout->slots && decode_heartbeat(disk, look->now, slot, &heartbeat) &&
        heartbeat.author.incarnation != 0) {
        return message_set(
            DISKARCH_EINUSE, message, message_bytes,
            "%s: set \"%s\" is in use: the heartbeat of node \"%s\" moves; stop that node first (nothing "
            "overrides this)",
            disk->path, disk->header->set_name, heartbeat.node_name);
    }
    return message_set(DISKARCH_EINUSE, message, message_bytes,
                       "%s: set \"%s\" is in use: a node is joining it; stop that node first (nothing overrides this)",
                       disk->path, disk->header->set_name);
}

/* A node that let a watchdog stand for its death may live that much longer. */
static int64_t watch_ns(const struct idle_disk *disk, const uint8_t *rows)
{
    uint64_t promise_ns = 0;
    for (uint32_t slot = 0; slot < disk->header->layout.slots; slot++) {
        struct heartbeat_block heartbeat;
        if (decode_heartbeat(disk, rows, slot, &heartbeat) && heartbeat.watchdog_promise_ns > promise_ns) {
            promise_ns = heartbeat.watchdog_promise_ns;
        }
    }
    int64_t bounded_ns = promise_ns < (uint64_t)PROMISE_NS_MAX ? (int64_t)promise_ns : PROMISE_NS_MAX;
    return timings_watch_ns(&disk->header->timings) + bounded_ns;
}

static int look_again(const struct idle_disk *disks, size_t count, const struct look *looks, char *message,
                      size_t message_bytes)
{
    for (size_t i = 0; i < count; i++) {
        int error = read_rows(&disks[i], looks[i].now, message, message_bytes);
        if (error != 0) {
            return error;
        }
        if (memcmp(looks[i].first, looks[i].now, rows_bytes(&disks[i])) != 0) {
            return refuse_moving(&disks[i], &looks[i], message, message_bytes);
        }
    }
    return 0;
}

static void pause_between_looks(int64_t left_ns)
{
    int64_t pause_ns = left_ns < LOOK_NS_MAX ? left_ns : LOOK_NS_MAX;
    pause_ns = pause_ns > LOOK_NS_MIN ? pause_ns : LOOK_NS_MIN;
    struct timespec pause = {.tv_sec = pause_ns / NS_PER_S, .tv_nsec = pause_ns % NS_PER_S};
    nanosleep(&pause, NULL);
}

/* The last look begins after the whole time has passed since the end of the first. */
static int watch(const struct idle_disk *disks, size_t count, const struct look *looks, char *message,
                 size_t message_bytes)
{
    int64_t longest_ns = 0;
    for (size_t i = 0; i < count; i++) {
        int error = read_rows(&disks[i], looks[i].first, message, message_bytes);
        if (error != 0) {
            return error;
        }
        int64_t disk_ns = watch_ns(&disks[i], looks[i].first);
        longest_ns = disk_ns > longest_ns ? disk_ns : longest_ns;
    }
    int64_t end_ns = now_ns() + longest_ns;
    for (;;) {
        bool is_last = now_ns() >= end_ns;
        int error = look_again(disks, count, looks, message, message_bytes);
        if (error != 0 || is_last) {
            return error;
        }
        pause_between_looks(end_ns - now_ns());
    }
}

int idle_watch(const struct idle_disk *disks, size_t count, char *message, size_t message_bytes)
{
    assert(count <= DISKS_MAX);
    struct look looks[DISKS_MAX] = {{0}};
    int error = 0;
    for (size_t i = 0; i < count; i++) {
        looks[i].first = device_buffer_new(rows_bytes(&disks[i]));
        looks[i].now = device_buffer_new(rows_bytes(&disks[i]));
        if (looks[i].first == NULL || looks[i].now == NULL) {
            error = -ENOMEM;
            message_set(error, message, message_bytes, "%s: no memory to watch it; free some", disks[i].path);
        }
    }
    if (error == 0) {
        error = watch(disks, count, looks, message, message_bytes);
    }
    for (size_t i = 0; i < count; i++) {
        free(looks[i].first);
        free(looks[i].now);
    }
    return error;
}
