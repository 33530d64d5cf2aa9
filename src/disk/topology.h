/*
 * What a device or file stands on, as sysfs tells: the disk of a partition, the parts of a volume, the file below a loop device,
 * the device of a file system. For two questions only: do several disks of a set fail together, and do two names lead to one
 * disk. Opens nothing.
 */
#ifndef DISKARCH_DISK_TOPOLOGY_H
#define DISKARCH_DISK_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TOPOLOGY_DEVICES_MAX = 64, TOPOLOGY_NAME_BYTES = 128 };

struct topology {
    uint32_t count; /* 0: nothing is known */
    struct topology_device {
        dev_t number;
        bool is_lowest; /* it stands on nothing that the kernel tells of: what fails as one */
    } devices[TOPOLOGY_DEVICES_MAX];
};

/* Of the block device or file of that name, itself included if it is a device. Empty if there is no such. */
void topology_look(const char *path, struct topology *ret);

/* Whether the path is a block device on which the other stands. */
bool topology_is_below(const char *path, const struct topology *other);

/* Whether both stand on one lowest device; *ret_device is one that they share. */
bool topology_is_shared(const struct topology *a, const struct topology *b, dev_t *ret_device);

/* "/dev/sda", or "one file system" where that has no device of its own. Returns name. */
const char *topology_name(dev_t device, char name[TOPOLOGY_NAME_BYTES]);

/*
 * One warning for each group of disks that fail together: calls `warn` with a sentence that names them and the device. Paths that
 * are empty or lead nowhere are left out. Returns how many groups there are.
 */
uint32_t topology_warn(const char *const *paths, size_t count, void (*warn)(void *context, const char *sentence),
                       void *context);

#endif
