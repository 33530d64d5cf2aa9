/*
 * Makes every disk of a set at rest say the same, and lets disks that were counted out (rule D7) count again. Inside tune only:
 * nobody lives on the set, nobody can join it, and what the dead had written has landed. "Repairing a set at rest" in
 * src/protocol/README.md tells why the order of its steps matters.
 */
#ifndef DISKARCH_OFFLINE_REPAIR_H
#define DISKARCH_OFFLINE_REPAIR_H

#include "block/limits.h"
#include "disk/device.h"
#include "disk/disk_set.h"

#include <stddef.h>
#include <stdint.h>

struct repair_result {
    uint64_t written_blocks[DISKS_MAX]; /* by disk: those that were damaged, older than others, or different */
    uint32_t returned_disks;            /* bit i: disk i was counted out and counts again */
};

/*
 * Every disk must be there. Reads everything before it writes anything. 0; DISKARCH_EUNSETTLED, and nothing is written, if some slot's
 * block is intact on fewer than a majority of the disks that count: the message names it and what may be lost; -ENOMEM; or -errno
 * of a device, then it can be begun again.
 */
int repair_run(const struct device *devices, const struct disk_set *set, struct repair_result *ret, char *message,
               size_t message_bytes);

#endif
