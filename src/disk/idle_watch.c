#include "disk/idle_watch.h"

#include "block/block.h"
#include "disk/message.h"
#include "disk/range_reader.h"

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

/* What one watch works on. */
struct watch {
    const struct idle_disk *disks;
    size_t count;
    int64_t more_ns;
    struct look looks[DISKS_MAX];
    struct range_reader *reader;
    char *message;
    size_t message_bytes;
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

static int refuse_unreadable(const struct watch *watch, const struct idle_disk *disk, int error)
{
    return message_set(error, watch->message, watch->message_bytes,
                       "%s: whether set \"%s\" is in use cannot be seen, its heartbeats cannot be read: %s; "
                       "see the kernel log for the device's state",
                       disk->path, disk->header->set_name,
                       error == -ETIMEDOUT ? "it does not answer" : strerror(-error));
}

/* Both rows of all disks, into `now` or `first`. */
static int read_rows(const struct watch *watch, bool is_first)
{
    _Static_assert(ROW_CLAIM == 0 && ROW_HEARTBEAT == 1, "these rows are watched, one behind the other");
    struct range ranges[2 * DISKS_MAX];
    for (uint32_t i = 0; i < 2 * watch->count; i++) {
        uint32_t disk = i / 2;
        uint32_t row = i % 2;
        const struct layout *layout = &watch->disks[disk].header->layout;
        uint8_t *rows = is_first ? watch->looks[disk].first : watch->looks[disk].now;
        ranges[i] = (struct range){.fd = disk,
                                   .bytes = layout_row_bytes(layout),
                                   .offset = layout_offset(layout, row, 0),
                                   .to = rows + (size_t)row * layout_row_bytes(layout)};
    }
    range_reader_read(watch->reader, ranges, (uint32_t)(2 * watch->count));
    for (uint32_t i = 0; i < 2 * watch->count; i++) {
        if (ranges[i].error != 0) {
            return refuse_unreadable(watch, &watch->disks[i / 2], ranges[i].error);
        }
    }
    return 0;
}

/* Any byte that changes was written by somebody; the block tells by whom. */
static int refuse_moving(const struct watch *watch, size_t index)
{
    const struct idle_disk *disk = &watch->disks[index];
    const struct look *look = &watch->looks[index];
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
            DISKARCH_EINUSE, watch->message, watch->message_bytes,
            "%s: set \"%s\" is in use: the heartbeat of node \"%s\" moves; stop that node first (nothing "
            "overrides this)",
            disk->path, disk->header->set_name, heartbeat.node_name);
    }
    return message_set(DISKARCH_EINUSE, watch->message, watch->message_bytes,
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

static int look_again(const struct watch *watch)
{
    int error = read_rows(watch, false);
    for (size_t i = 0; i < watch->count && error == 0; i++) {
        if (memcmp(watch->looks[i].first, watch->looks[i].now, rows_bytes(&watch->disks[i])) != 0) {
            error = refuse_moving(watch, i);
        }
    }
    return error;
}

static void pause_between_looks(int64_t left_ns)
{
    int64_t pause_ns = left_ns < LOOK_NS_MAX ? left_ns : LOOK_NS_MAX;
    pause_ns = pause_ns > LOOK_NS_MIN ? pause_ns : LOOK_NS_MIN;
    struct timespec pause = {.tv_sec = pause_ns / NS_PER_S, .tv_nsec = pause_ns % NS_PER_S};
    nanosleep(&pause, NULL);
}

/* The last look begins after the whole time has passed since the end of the first. */
static int look_until_still(const struct watch *watch)
{
    int64_t longest_ns = 0;
    int error = read_rows(watch, true);
    if (error != 0) {
        return error;
    }
    for (size_t i = 0; i < watch->count; i++) {
        int64_t disk_ns = watch_ns(&watch->disks[i], watch->looks[i].first);
        longest_ns = disk_ns > longest_ns ? disk_ns : longest_ns;
    }
    int64_t end_ns = now_ns() + longest_ns + watch->more_ns;
    for (;;) {
        bool is_last = now_ns() >= end_ns;
        error = look_again(watch);
        if (error != 0 || is_last) {
            return error;
        }
        pause_between_looks(end_ns - now_ns());
    }
}

static int prepare(struct watch *watch)
{
    int fds[DISKS_MAX];
    struct range_reader_options options = {.fds = fds, .fd_count = (uint32_t)watch->count, .depth = 2};
    for (size_t i = 0; i < watch->count; i++) {
        const struct idle_disk *disk = &watch->disks[i];
        uint32_t row_bytes = layout_row_bytes(&disk->header->layout);
        fds[i] = disk->device->fd;
        options.bytes_max = row_bytes > options.bytes_max ? row_bytes : options.bytes_max;
        watch->looks[i].first = malloc(rows_bytes(disk));
        watch->looks[i].now = malloc(rows_bytes(disk));
        if (watch->looks[i].first == NULL || watch->looks[i].now == NULL) {
            return message_set(-ENOMEM, watch->message, watch->message_bytes, "%s: no memory to watch it; free some",
                               disk->path);
        }
    }
    return range_reader_open(&options, &watch->reader, watch->message, watch->message_bytes);
}

int idle_watch(const struct idle_disk *disks, size_t count, int64_t more_ns, char *message, size_t message_bytes)
{
    assert(count <= DISKS_MAX);
    if (count == 0) {
        return 0;
    }
    struct watch watch = {
        .disks = disks, .count = count, .more_ns = more_ns, .message = message, .message_bytes = message_bytes};
    int error = prepare(&watch);
    if (error == 0) {
        error = look_until_still(&watch);
    }
    range_reader_close(watch.reader);
    for (size_t i = 0; i < count; i++) {
        free(watch.looks[i].first);
        free(watch.looks[i].now);
    }
    return error;
}
