/* The two headers of one disk, and how the one is mended by the other. */
#ifndef DISKARCH_DISK_HEADER_PAIR_H
#define DISKARCH_DISK_HEADER_PAIR_H

#include "block/header.h"
#include "disk/device.h"

#include <stdbool.h>
#include <stddef.h>

struct header_sight {
    int read_error; /* 0 or -errno; then `fault` means nothing */
    enum header_fault fault;
    struct set_header header; /* if fault is HEADER_OK */
};

struct header_pair {
    struct header_sight first, copy;
};

/* Reads both, where the layout of the set has them. 0 or -ENOMEM. */
int header_pair_look(const struct device *device, const struct layout *layout, struct header_pair *ret);

/* Whether this one is intact and belongs to the disk that `known` is the header of. */
bool header_sight_is_good(const struct header_sight *sight, const struct set_header *known);

/* Whether both are good and say the same. */
bool header_pair_is_whole(const struct header_pair *pair, const struct set_header *known);

/*
 * Writes the good one over the one that is not, or the newer over the older; nothing where both are whole. Only on a set at rest,
 * on a device opened for writing. 0; DISKARCH_EFOREIGN if neither is good; DISKARCH_EUNSETTLED if the good one is being tuned;
 * or -errno. On error the message says "reason; remedy".
 */
int header_mend(const struct device *device, const struct set_header *known, char *message, size_t message_bytes);

#endif
