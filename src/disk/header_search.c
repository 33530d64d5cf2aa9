#include "disk/header_search.h"

#include <errno.h>
#include <stdlib.h>

_Static_assert((unsigned)HEADER_BYTES <= (unsigned)SECTOR_BYTES_MIN, "one sector must hold what counts of a header");

static bool is_found(enum header_fault fault)
{
    return fault == HEADER_OK || fault == HEADER_NEWER;
}

/* A copy speaks only where its own layout has it: anywhere else it is left over from an older, smaller set. */
static bool try_copy(const struct device *device, uint64_t offset, uint8_t *buffer, struct header_search *ret)
{
    if (offset % device->sector_bytes != 0 || offset + device->sector_bytes > device->size_bytes ||
        device_read(device, buffer, device->sector_bytes, offset) != 0) {
        return false;
    }
    struct set_header header = {0};
    enum header_fault fault = set_header_decode(buffer, &header);
    if (!is_found(fault) || (fault == HEADER_OK && layout_header_copy_offset(&header.layout) != offset)) {
        return false;
    }
    ret->fault = fault;
    ret->header = header;
    return true;
}

static void try_copies(const struct device *device, const struct layout *known, uint8_t *buffer,
                       struct header_search *ret)
{
    if (known != NULL && try_copy(device, layout_header_copy_offset(known), buffer, ret)) {
        return;
    }
    for (uint64_t block_bytes = BLOCK_BYTES_MIN; block_bytes <= BLOCK_BYTES_MAX; block_bytes *= 2) {
        uint64_t blocks = device->size_bytes / block_bytes;
        if (blocks > 1 && try_copy(device, (blocks - 1) * block_bytes, buffer, ret)) {
            return;
        }
    }
}

void header_search(const struct device *device, const struct layout *known, struct header_search *ret)
{
    *ret = (struct header_search){.fault = HEADER_NO_MAGIC};
    uint8_t *buffer = device_buffer_new(device->sector_bytes);
    if (buffer == NULL) {
        ret->read_error = -ENOMEM;
        return;
    }
    ret->read_error = device_read(device, buffer, device->sector_bytes, 0);
    if (ret->read_error == 0) {
        ret->fault = set_header_decode(buffer, &ret->header);
    }
    if (!is_found(ret->fault)) {
        try_copies(device, known, buffer, ret);
    }
    free(buffer);
}
