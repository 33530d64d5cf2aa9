/* Who holds a file that is about to be overwritten. A block device tells this by itself (O_EXCL); a file does not. */
#ifndef DISKARCH_DISK_HOLDER_H
#define DISKARCH_DISK_HOLDER_H

#include "disk/device.h"

enum { HOLDER_NAME_BYTES = 64 };

/*
 * Whether a loop device on this file is mounted or held by a volume: 1, and its path goes to `name`; 0, also for block
 * devices, and where this process may not look at loop devices; or -errno if that could not be found out.
 */
int holder_find_loop(const struct device *device, char name[HOLDER_NAME_BYTES]);

#endif
