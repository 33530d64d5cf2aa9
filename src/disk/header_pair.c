#include "disk/header_pair.h"

#include "disk/message.h"

#include <diskarch/diskarch.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void look_at(const struct device *device, uint64_t offset, uint8_t *block, uint32_t block_bytes,
                    struct header_sight *ret)
{
    *ret = (struct header_sight){.fault = HEADER_NO_MAGIC};
    ret->read_error = device_read(device, block, block_bytes, offset);
    if (ret->read_error == 0) {
        ret->fault = set_header_decode(block, &ret->header);
    }
}

int header_pair_look(const struct device *device, const struct layout *layout, struct header_pair *ret)
{
    uint8_t *block = device_buffer_new(layout->block_bytes);
    if (block == NULL) {
        return -ENOMEM;
    }
    look_at(device, 0, block, layout->block_bytes, &ret->first);
    look_at(device, layout_header_copy_offset(layout), block, layout->block_bytes, &ret->copy);
    free(block);
    return 0;
}

bool header_sight_is_good(const struct header_sight *sight, const struct set_header *known)
{
    return sight->read_error == 0 && sight->fault == HEADER_OK && set_header_is_same_disk(&sight->header, known);
}

/* In what it changes; the rest makes the disk what it is. */
static bool is_same_state(const struct set_header *a, const struct set_header *b)
{
    return a->tuning == b->tuning && a->revision == b->revision && a->epoch_floor == b->epoch_floor;
}

bool header_pair_is_whole(const struct header_pair *pair, const struct set_header *known)
{
    return header_sight_is_good(&pair->first, known) && header_sight_is_good(&pair->copy, known) &&
           is_same_state(&pair->first.header, &pair->copy.header);
}

/* The bytes as they are: a later minor version may have put there what this one does not know. */
static int copy_block(const struct device *device, uint32_t block_bytes, uint64_t from, uint64_t to)
{
    uint8_t *block = device_buffer_new(block_bytes);
    if (block == NULL) {
        return -ENOMEM;
    }
    int error = device_read(device, block, block_bytes, from);
    error = error != 0 ? error : device_write(device, block, block_bytes, to);
    free(block);
    return error == 0 && fsync(device->fd) != 0 ? -errno : error;
}

int header_mend(const struct device *device, const struct set_header *known, char *message, size_t message_bytes)
{
    const struct layout *layout = &known->layout;
    struct header_pair pair;
    int error = header_pair_look(device, layout, &pair);
    if (error != 0) {
        return message_set(error, message, message_bytes, "no memory to read its headers; free some");
    }
    if (header_pair_is_whole(&pair, known)) {
        return 0;
    }
    bool is_first_good = header_sight_is_good(&pair.first, known);
    bool is_copy_good = header_sight_is_good(&pair.copy, known);
    if (!is_first_good && !is_copy_good) {
        return message_set(DISKARCH_EFOREIGN, message, message_bytes,
                           "neither its header nor the copy of it is intact; replace the disk");
    }
    bool is_by_first = is_first_good && (!is_copy_good || pair.first.header.revision >= pair.copy.header.revision);
    if ((is_by_first ? &pair.first : &pair.copy)->header.tuning != 0) {
        return message_set(DISKARCH_EUNSETTLED, message, message_bytes,
                           "diskarch tune is at work, or was cut off; let it end, or run it again with all disks");
    }
    uint64_t copy_offset = layout_header_copy_offset(layout);
    error = copy_block(device, layout->block_bytes, is_by_first ? 0 : copy_offset, is_by_first ? copy_offset : 0);
    return error == 0 ? 0
                      : message_set(error, message, message_bytes,
                                    "its header cannot be mended: %s; see the kernel log for the device's state",
                                    strerror(-error));
}
