/* Finds the header of a disk: the first block, or, where that is not intact, the copy in the last block. */
#ifndef DISKARCH_DISK_HEADER_SEARCH_H
#define DISKARCH_DISK_HEADER_SEARCH_H

#include "block/header.h"
#include "disk/device.h"

struct header_search {
    enum header_fault
        fault;      /* HEADER_OK or HEADER_NEWER: `header` holds what was found; else the first block's fault */
    int read_error; /* 0, or the -errno of reading the first block */
    struct set_header header;
};

/*
 * Looks at the first block, then where the copy can be: in the last block of the file or device, for every block size;
 * and, if `known` is not NULL, where that layout (of another disk of the set) has it. A device larger than its set keeps
 * its copy where only `known` tells.
 */
void header_search(const struct device *device, const struct layout *known, struct header_search *ret);

#endif
