/* Whether anybody lives on the diskarch sets that are about to be destroyed or changed. */
#ifndef DISKARCH_DISK_IDLE_WATCH_H
#define DISKARCH_DISK_IDLE_WATCH_H

#include "disk/device.h"

#include "block/header.h"

struct idle_disk {
    const char *path;
    const struct device *device;
    const struct set_header *header; /* of the set that stands there */
};

/*
 * Re-reads claim and heartbeat row of every disk until each has stood still for W and the longest watchdog promise in it, and
 * for more_ns beyond that. Blocks that long. 0; DISKARCH_EINUSE as soon as something moves; or -errno. On error the message says
 * "PATH: reason; remedy".
 */
int idle_watch(const struct idle_disk *disks, size_t count, int64_t more_ns, char *message, size_t message_bytes);

#endif
