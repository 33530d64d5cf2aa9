/*
 * One block device or file, opened for direct I/O: what it is, how large, how finely it can be written, and aligned
 * transfers that are whole or an error. Knows nothing of sets, headers or rows.
 */
#ifndef DISKARCH_DISK_DEVICE_H
#define DISKARCH_DISK_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TRANSFER_ALIGNMENT = 65536, SECTOR_BYTES_MIN = 512 };

struct device {
    int fd; /* O_DIRECT | O_CLOEXEC, -1 while closed */
    bool is_block;
    dev_t identity_device; /* with identity_inode: two paths with the same pair are one device or file */
    ino_t identity_inode;  /* 0 for a block device, whose nodes may stand in several places */
    uint64_t size_bytes;
    uint32_t sector_bytes;        /* the finest transfer */
    uint32_t atomic_sector_bytes; /* the finest write that cannot damage a neighbour: the physical sector */
};

/*
 * Opens with O_DIRECT and the given flags (O_RDONLY or O_RDWR, O_EXCL for a block device that nobody else may hold).
 * 0; DISKARCH_EUSAGE for what is neither a file nor a block device; DISKARCH_EDIRECT; or -errno. On error the message says
 * "reason; remedy" (the caller puts the path before it), and *ret is untouched.
 */
int device_open(const char *path, int flags, struct device *ret, char *message, size_t message_bytes);

/* Closes. Fine on a closed device (fd -1). */
void device_close(struct device *device);

/* Measures size and sectors again: a file may have grown. 0 or -errno. */
int device_measure(struct device *device);

/* The remedy for an error that has no better one of its own: of this host, or else of the device. Static storage. */
const char *device_remedy(int error);

/* Whether an error of device_open() tells of this process or host, which lack descriptors or memory, and not of the disk. */
bool device_is_shortage(int error);

bool device_is_same(const struct device *a, const struct device *b);

/* Whole transfers at aligned offsets, from and to aligned memory: 0, -ENODATA at the end of the device, or -errno. */
int device_read(const struct device *device, void *bytes, size_t count, uint64_t offset);
int device_write(const struct device *device, const void *bytes, size_t count, uint64_t offset);

/* Memory for transfers, aligned for every sector size there is; freed with free(). NULL if there is none. */
void *device_buffer_new(size_t bytes);

#endif
