/* Who holds a file that is about to be overwritten. A block device tells this by itself (O_EXCL); a file does not. */
#ifndef DISKARCH_DISK_HOLDER_H
#define DISKARCH_DISK_HOLDER_H

#include "disk/device.h"

enum { HOLDER_NAME_BYTES = 64 };

/* Whether a loop device on this file is mounted or held by a volume; its path goes to `name`. False for block devices. */
bool holder_is_loop(const struct device *device, char name[HOLDER_NAME_BYTES]);

#endif
