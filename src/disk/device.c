#include "disk/device.h"

#include "disk/message.h"

#include <diskarch/diskarch.h>

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* ---- What can be wrong with a path ---------------------------------------------------------------------------------- */

static const char *file_system_name(const char *path)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {
        {TMPFS_MAGIC, "tmpfs"},
        {RAMFS_MAGIC, "ramfs"},
        {PROC_SUPER_MAGIC, "proc"},
        {SYSFS_MAGIC, "sysfs"},
        {OVERLAYFS_SUPER_MAGIC, "overlay"},
        {FUSE_SUPER_MAGIC, "FUSE"},
        {NFS_SUPER_MAGIC, "NFS"},
        {EXT4_SUPER_MAGIC, "ext4"},
        {BTRFS_SUPER_MAGIC, "btrfs"},
        {ECRYPTFS_SUPER_MAGIC, "eCryptfs"},
    };
    struct statfs status;
    if (statfs(path, &status) == 0) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (known[i].magic == (unsigned long)status.f_type) {
                return known[i].name;
            }
        }
    }
    return "its";
}

static int refuse_direct(const char *path, char *message, size_t message_bytes)
{
    return message_set(
        DISKARCH_EDIRECT, message, message_bytes,
        "no direct I/O on %s file system; use a block device, or put the file on a local disk file system "
        "such as ext4 or xfs",
        file_system_name(path));
}

static const char *type_name(mode_t mode)
{
    if (S_ISDIR(mode)) {
        return "a directory";
    }
    if (S_ISCHR(mode)) {
        return "a character device";
    }
    if (S_ISFIFO(mode)) {
        return "a pipe";
    }
    return S_ISSOCK(mode) ? "a socket" : "of a strange kind";
}

const char *device_remedy(int error)
{
    if (error == -EMFILE || error == -ENFILE) {
        return "raise ulimit -n or LimitNOFILE= in the unit";
    }
    return error == -ENOMEM ? "free some" : "see the kernel log for the device's state";
}

static int refuse_open(int flags, int error, char *message, size_t message_bytes)
{
    const char *remedy = "name a block device or a file that exists";
    if (error == EBUSY) {
        return message_set(-error, message, message_bytes,
                           "in use: it or a part of it is mounted, or held by a volume or another program; unmount or "
                           "stop that first (nothing overrides this)");
    }
    if (error == EACCES || error == EPERM || error == EROFS) {
        remedy = (flags & O_ACCMODE) == O_RDWR ? "grant read and write access, and see that it is not read-only"
                                               : "grant read access";
    } else if (error == ETXTBSY) {
        remedy = "it is in use as swap or as a running program; stop that first";
    } else if (error != ENOENT && error != ENOTDIR) {
        remedy = device_remedy(-error);
    }
    return message_set(-error, message, message_bytes, "%s; %s", strerror(error), remedy);
}

/* ---- Geometry ------------------------------------------------------------------------------------------------------- */

/* libblkid asks the volume managers too, where the kernel's queue limits tell of the volume and not of its disks. */
static int measure_physical_sector(const struct device *device, uint32_t *ret_bytes)
{
    blkid_probe probe = blkid_new_probe();
    if (probe == NULL) {
        return -ENOMEM;
    }
    blkid_topology topology =
        blkid_probe_set_device(probe, device->fd, 0, 0) == 0 ? blkid_probe_get_topology(probe) : NULL;
    unsigned long bytes = topology != NULL ? blkid_topology_get_physical_sector_size(topology) : 0;
    blkid_free_probe(probe);
    if (bytes == 0 || bytes > UINT32_MAX) {
        return -EIO;
    }
    *ret_bytes = (uint32_t)bytes;
    return 0;
}

static int measure_block_device(struct device *device)
{
    int sector_bytes = 0;
    uint32_t physical_bytes = 0;
    uint64_t size_bytes = 0;
    if (ioctl(device->fd, BLKSSZGET, &sector_bytes) != 0 || ioctl(device->fd, BLKGETSIZE64, &size_bytes) != 0) {
        return -errno;
    }
    int error = measure_physical_sector(device, &physical_bytes);
    if (error != 0) {
        return error;
    }
    device->size_bytes = size_bytes;
    device->sector_bytes = (uint32_t)sector_bytes;
    device->atomic_sector_bytes = physical_bytes > device->sector_bytes ? physical_bytes : device->sector_bytes;
    return 0;
}

/* A kernel or file system that does not tell its alignment (before Linux 6.1) takes 512 bytes or refuses the transfer. An
 * alignment of 0 means that O_DIRECT is accepted and then not done: that would not be durable (rule D4). */
static int measure_file(struct device *device)
{
    struct statx status;
    if (statx(device->fd, "", AT_EMPTY_PATH, STATX_SIZE | STATX_DIOALIGN, &status) != 0) {
        return -errno;
    }
    uint32_t alignment = SECTOR_BYTES_MIN;
    if ((status.stx_mask & STATX_DIOALIGN) != 0) {
        alignment = status.stx_dio_offset_align;
    }
    if (alignment == 0) {
        return -EOPNOTSUPP;
    }
    device->size_bytes = status.stx_size;
    device->sector_bytes = alignment > SECTOR_BYTES_MIN ? alignment : SECTOR_BYTES_MIN;
    device->atomic_sector_bytes = device->sector_bytes;
    return 0;
}

int device_measure(struct device *device)
{
    return device->is_block ? measure_block_device(device) : measure_file(device);
}

/* A device that is read-only opens for writing all the same, and fails with the first write. */
static int check_writable(const struct device *device)
{
    int is_read_only = 0;
    if (device->is_block && ioctl(device->fd, BLKROGET, &is_read_only) != 0) {
        return -errno;
    }
    return is_read_only != 0 ? -EROFS : 0;
}

/* ---- Opening -------------------------------------------------------------------------------------------------------- */

/* Looks before it opens: opening a pipe blocks, and opening a tape or a watchdog does things. */
static int look(const char *path, int flags, struct stat *ret, char *message, size_t message_bytes)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return refuse_open(flags, errno, message, message_bytes);
    }
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        return message_set(DISKARCH_EUSAGE, message, message_bytes, "it is %s; name a block device or a file",
                           type_name(status.st_mode));
    }
    *ret = status;
    return 0;
}

int device_open(const char *path, int flags, struct device *ret, char *message, size_t message_bytes)
{
    struct stat status = {0};
    int error = look(path, flags, &status, message, message_bytes);
    if (error != 0) {
        return error;
    }
    struct device device = {.is_block = S_ISBLK(status.st_mode)};
    device.identity_device = device.is_block ? status.st_rdev : status.st_dev;
    device.identity_inode = device.is_block ? 0 : status.st_ino;
    device.fd = open(path, O_DIRECT | O_CLOEXEC | (device.is_block ? flags : flags & ~O_EXCL));
    if (device.fd < 0) {
        return errno == EINVAL ? refuse_direct(path, message, message_bytes)
                               : refuse_open(flags, errno, message, message_bytes);
    }
    error = (flags & O_ACCMODE) == O_RDWR ? check_writable(&device) : 0;
    error = error != 0 ? error : device_measure(&device);
    if (error != 0) {
        device_close(&device);
        return error == -EOPNOTSUPP ? refuse_direct(path, message, message_bytes)
                                    : refuse_open(flags, -error, message, message_bytes);
    }
    *ret = device;
    return 0;
}

void device_close(struct device *device)
{
    if (device->fd >= 0) {
        close(device->fd);
        device->fd = -1;
    }
}

bool device_is_shortage(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

bool device_is_same(const struct device *a, const struct device *b)
{
    return a->is_block == b->is_block && a->identity_device == b->identity_device &&
           a->identity_inode == b->identity_inode;
}

/* ---- Transfers ------------------------------------------------------------------------------------------------------ */

int device_read(const struct device *device, void *bytes, size_t count, uint64_t offset)
{
    uint8_t *to = bytes;
    while (count > 0) {
        ssize_t done = pread(device->fd, to, count, (off_t)offset);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        if (done == 0 || done % SECTOR_BYTES_MIN > 0) {
            return -ENODATA;
        }
        if (done > 0) {
            to += done;
            offset += (uint64_t)done;
            count -= (size_t)done;
        }
    }
    return 0;
}

int device_write(const struct device *device, const void *bytes, size_t count, uint64_t offset)
{
    const uint8_t *from = bytes;
    while (count > 0) {
        ssize_t done = pwrite(device->fd, from, count, (off_t)offset);
        if (done == 0) {
            return -EIO;
        }
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        if (done > 0) {
            from += done;
            offset += (uint64_t)done;
            count -= (size_t)done;
        }
    }
    return 0;
}

void *device_buffer_new(size_t bytes)
{
    void *buffer = NULL;
    return posix_memalign(&buffer, TRANSFER_ALIGNMENT, bytes) == 0 ? buffer : NULL;
}
