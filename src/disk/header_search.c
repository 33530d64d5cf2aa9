#include "disk/header_search.h"

#include "disk/message.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((unsigned)HEADER_BYTES <= (unsigned)SECTOR_BYTES_MIN, "one sector must hold what counts of a header");

_Static_assert(BLOCK_BYTES_MIN << (HEADER_PLACES_MAX - 2) == BLOCK_BYTES_MAX, "every block size has a place");

/* What is read at once, with room for all of it. */
struct batch {
    struct range ranges[DISKS_MAX * HEADER_PLACES_MAX];
    uint32_t count;
    uint32_t sector_bytes_max;
    uint8_t *room;
};

static bool is_found(enum header_fault fault)
{
    return fault == HEADER_OK || fault == HEADER_NEWER;
}

/* Whoever adds before reading keeps the order: the likelier place first. */
static void batch_add(struct batch *batch, uint32_t fd, const struct device *device, uint64_t offset)
{
    if (offset % device->sector_bytes != 0 || offset + device->sector_bytes > device->size_bytes) {
        return;
    }
    uint8_t *to = batch->room + (size_t)batch->count * batch->sector_bytes_max;
    batch->ranges[batch->count++] = (struct range){.fd = fd, .bytes = device->sector_bytes, .offset = offset, .to = to};
}

static void add_copies(struct batch *batch, uint32_t fd, const struct device *device, const struct layout *known)
{
    if (known != NULL) {
        batch_add(batch, fd, device, layout_header_copy_offset(known));
    }
    for (uint64_t block_bytes = BLOCK_BYTES_MIN; block_bytes <= BLOCK_BYTES_MAX; block_bytes *= 2) {
        uint64_t blocks = device->size_bytes / block_bytes;
        if (blocks > 1) {
            batch_add(batch, fd, device, (blocks - 1) * block_bytes);
        }
    }
}

static void take_first(const struct range *range, struct header_search *ret)
{
    ret->read_error = range->error;
    if (range->error == 0) {
        ret->fault = set_header_decode(range->to, &ret->header);
    }
}

/* A copy speaks only where its own layout has it: anywhere else it is left over from an older, smaller set. */
static void take_copy(const struct range *range, struct header_search *ret)
{
    struct set_header header = {0};
    if (range->error != 0 || is_found(ret->fault)) {
        return;
    }
    enum header_fault fault = set_header_decode(range->to, &header);
    if (is_found(fault) && (fault == HEADER_NEWER || layout_header_copy_offset(&header.layout) == range->offset)) {
        ret->fault = fault;
        ret->header = header;
        ret->offset = range->offset;
    }
}

static void search(struct range_reader *reader, const struct device *const devices[], uint32_t count,
                   const struct layout *known, struct batch *batch, struct header_search *const ret[])
{
    for (uint32_t i = 0; i < count; i++) {
        if (devices[i] != NULL) {
            *ret[i] = (struct header_search){.fault = HEADER_NO_MAGIC, .read_error = -ENODATA};
            batch_add(batch, i, devices[i], 0);
        }
    }
    range_reader_read(reader, batch->ranges, batch->count);
    for (uint32_t i = 0; i < batch->count; i++) {
        take_first(&batch->ranges[i], ret[batch->ranges[i].fd]);
    }
    batch->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (devices[i] != NULL && !is_found(ret[i]->fault) && ret[i]->read_error != -ETIMEDOUT) {
            add_copies(batch, i, devices[i], known);
        }
    }
    range_reader_read(reader, batch->ranges, batch->count);
    for (uint32_t i = 0; i < batch->count; i++) {
        take_copy(&batch->ranges[i], ret[batch->ranges[i].fd]);
    }
}

int header_search_all(struct range_reader *reader, const struct device *const devices[], uint32_t count,
                      const struct layout *known, struct header_search *const ret[])
{
    assert(count <= DISKS_MAX);
    struct batch batch = {.sector_bytes_max = SECTOR_BYTES_MIN};
    for (uint32_t i = 0; i < count; i++) {
        if (devices[i] != NULL && devices[i]->sector_bytes > batch.sector_bytes_max) {
            batch.sector_bytes_max = devices[i]->sector_bytes;
        }
    }
    batch.room = calloc((size_t)count * HEADER_PLACES_MAX, batch.sector_bytes_max);
    if (batch.room == NULL) {
        return -ENOMEM;
    }
    search(reader, devices, count, known, &batch, ret);
    free(batch.room);
    return 0;
}

int header_search(const struct device *device, struct header_search *ret, char *message, size_t message_bytes)
{
    struct range_reader *reader;
    struct range_reader_options options = {
        .fds = &device->fd, .fd_count = 1, .bytes_max = device->sector_bytes, .depth = HEADER_PLACES_MAX};
    int error = range_reader_open(&options, &reader, message, message_bytes);
    if (error != 0) {
        return error;
    }
    error = header_search_all(reader, &device, 1, NULL, &ret);
    range_reader_close(reader);
    return error == 0 ? 0 : message_set(error, message, message_bytes, "no memory to read its header; free some");
}
