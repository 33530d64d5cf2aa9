/* Finds the headers of disks: the first block, or, where that is not intact, the copy in the last block. */
#ifndef DISKARCH_DISK_HEADER_SEARCH_H
#define DISKARCH_DISK_HEADER_SEARCH_H

#include "block/header.h"
#include "disk/device.h"
#include "disk/range_reader.h"

/* Places where one device may have a header, but for its first block: the copy, for each of eight block sizes, and where
 * another disk's layout has it. The depth that a reader needs. */
enum { HEADER_PLACES_MAX = 9 };

struct header_search {
    enum header_fault
        fault;       /* HEADER_OK or HEADER_NEWER: `header` holds what was found; else the first block's fault */
    int read_error;  /* 0, or the -errno of reading the first block; -ETIMEDOUT: the disk does not answer */
    uint64_t offset; /* where `header` was found: 0, or that of the copy */
    struct set_header header;
};

/*
 * Looks at the first block, then where the copy can be: in the last block of the file or device, for every block size;
 * and, if `known` is not NULL, where that layout (of another disk of the set) has it. A device larger than its set keeps
 * its copy where only `known` tells. All devices at once: a device that hangs does not keep the others waiting for more
 * than a deadline. devices[i] is the reader's descriptor i; NULL: not looked at, ret[i] stays. 0 or -ENOMEM.
 */
int header_search_all(struct range_reader *reader, const struct device *const devices[], uint32_t count,
                      const struct layout *known, struct header_search *const ret[]);

/* The same for one device. 0, -ENOMEM, or DISKARCH_EENGINE with its message. */
int header_search(const struct device *device, struct header_search *ret, char *message, size_t message_bytes);

#endif
