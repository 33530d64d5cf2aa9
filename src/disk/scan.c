/* Finds what might be a disk of a set, and reads its header. scan_sets.c makes sets of that. */
#include "disk/scan.h"

#include "disk/device.h"
#include "disk/disk_set.h"
#include "disk/header_search.h"
#include "disk/message.h"
#include "disk/scan_sets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SYSFS_NAME_BYTES = 256 };

static int add(struct scan *scan, const char *path, enum scan_state state, struct scan_disk **ret)
{
    struct scan_disk *disks = realloc(scan->disks, (scan->disk_count + 1) * sizeof *disks);
    if (disks == NULL) {
        return -ENOMEM;
    }
    scan->disks = disks;
    struct scan_disk *disk = &disks[scan->disk_count];
    *disk = (struct scan_disk){.path = strdup(path), .state = state};
    if (disk->path == NULL) {
        return -ENOMEM;
    }
    scan->disk_count++;
    *ret = disk;
    return 0;
}

__attribute__((format(printf, 4, 5))) static int add_other(struct scan *scan, const char *path, enum scan_state state,
                                                           const char *format, ...)
{
    struct scan_disk *disk = NULL;
    int error = add(scan, path, state, &disk);
    if (error == 0) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(disk->reason, sizeof disk->reason, format, arguments);
        va_end(arguments);
    }
    return error;
}

/* ---- One device or file --------------------------------------------------------------------------------------------- */

static void note_fitness(struct scan_disk *disk, const struct device *device)
{
    const struct layout *layout = &disk->header.layout;
    if (device->size_bytes < layout_bytes(layout)) {
        disk->state = SCAN_UNFIT;
        message_set(0, disk->reason, sizeof disk->reason,
                    "it has %llu bytes, the set needs %llu: it was cut short; restore its size",
                    (unsigned long long)device->size_bytes, (unsigned long long)layout_bytes(layout));
    } else if (device->atomic_sector_bytes > layout->block_bytes) {
        disk->state = SCAN_UNFIT;
        message_set(0, disk->reason, sizeof disk->reason,
                    "its sectors have %u bytes, the set's blocks %u; put the set on disks with smaller sectors",
                    device->atomic_sector_bytes, layout->block_bytes);
    }
}

static int add_member(struct scan *scan, const char *path, const struct device *device,
                      const struct header_search *found)
{
    struct scan_disk *disk = NULL;
    int error = add(scan, path, SCAN_USABLE, &disk);
    if (error != 0) {
        return error;
    }
    disk->header = found->header;
    disk->identity_device = device->identity_device;
    disk->identity_inode = device->identity_inode;
    if (found->header.tuning != 0) {
        message_set(0, disk->reason, sizeof disk->reason,
                    "diskarch tune is at work on it, or was cut off; let it end, or run it again with all disks");
    } else if (found->offset != 0) {
        message_set(0, disk->reason, sizeof disk->reason,
                    "its header is damaged, the copy of it is good; diskarch check tells how to mend it");
    }
    note_fitness(disk, device);
    return 0;
}

static bool is_known(const struct scan *scan, const struct device *device)
{
    for (size_t i = 0; i < scan->disk_count; i++) {
        const struct scan_disk *disk = &scan->disks[i];
        if (disk->state == SCAN_USABLE && disk->identity_device == device->identity_device &&
            disk->identity_inode == device->identity_inode) {
            return true;
        }
    }
    return false;
}

static int look_at_device(struct scan *scan, const char *path, const struct device *device, bool is_named)
{
    struct header_search found;
    if (is_known(scan, device)) {
        return 0;
    }
    char reason[DISK_MESSAGE_BYTES];
    if (header_search(device, &found, reason, sizeof reason) != 0) {
        return add_other(scan, path, SCAN_NO_DISK, "%s", reason);
    }
    switch (found.fault) {
    case HEADER_OK:
        return add_member(scan, path, device, &found);
    case HEADER_NEWER:
        return add_other(scan, path, SCAN_NEWER_FORMAT,
                         "a disk of a set of the newer format %u.%u; upgrade diskarch on this host", found.header.major,
                         found.header.minor);
    case HEADER_DAMAGED:
    case HEADER_NONSENSE:
        return add_other(scan, path, SCAN_DAMAGED,
                         "its header is damaged, and no copy was found without the other disks of its set; name it "
                         "together with them");
    case HEADER_NO_MAGIC:
        break;
    }
    if (found.read_error == -ETIMEDOUT) {
        return add_other(scan, path, SCAN_NO_DISK, "it does not answer; see the kernel log for the device's state");
    }
    if (found.read_error != 0 && found.read_error != -ENODATA) {
        return add_other(scan, path, SCAN_NO_DISK, "it cannot be read: %s; see the kernel log for the device's state",
                         strerror(-found.read_error));
    }
    return is_named ? add_other(scan, path, SCAN_NO_DISK, "it has no diskarch header; check the path") : 0;
}

/* What has no medium in it, or is no disk at all, is nobody's business unless somebody has named it. */
static int look_at_path(struct scan *scan, const char *path, bool is_named)
{
    struct device device;
    char reason[DISK_MESSAGE_BYTES];
    int error = device_open(path, O_RDONLY | O_NONBLOCK, &device, reason, sizeof reason);
    if (error == 0) {
        error = look_at_device(scan, path, &device, is_named);
        device_close(&device);
        return error;
    }
    bool is_ours_to_tell = is_named || error == -EACCES || error == -EPERM || error == -EIO;
    return is_ours_to_tell ? add_other(scan, path, SCAN_NO_DISK, "%s", reason) : 0;
}

/* ---- Where to look -------------------------------------------------------------------------------------------------- */

/* Every entry of a directory whose name does not begin with a dot, as PATH/NAME. */
static int look_at_files(struct scan *scan, const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        return add_other(scan, path, SCAN_NO_DISK, "its files cannot be listed: %s; grant read access",
                         strerror(errno));
    }
    int error = 0;
    for (int i = 0; i < count; i++) {
        char file[DISK_PATH_BYTES];
        struct stat status;
        int bytes = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        bool is_file = entries[i]->d_name[0] != '.' && bytes < (int)sizeof file && stat(file, &status) == 0 &&
                       S_ISREG(status.st_mode);
        if (error == 0 && is_file) {
            error = look_at_path(scan, file, false);
        }
        free(entries[i]);
    }
    free(entries);
    return error;
}

/* sysfs writes "!" for "/". A volume is known by the name that people gave it. */
static void device_path(const char *sysfs_name, char path[DISK_PATH_BYTES])
{
    char name_path[SYSFS_NAME_BYTES + 64];
    char name[SYSFS_NAME_BYTES] = "";
    snprintf(name_path, sizeof name_path, "/sys/class/block/%s/dm/name", sysfs_name);
    FILE *file = fopen(name_path, "re");
    if (file != NULL) {
        if (fgets(name, sizeof name, file) != NULL) {
            name[strcspn(name, "\n")] = '\0';
        }
        fclose(file);
    }
    snprintf(path, DISK_PATH_BYTES, "/dev/%s%s", name[0] != '\0' ? "mapper/" : "", name[0] != '\0' ? name : sysfs_name);
    for (char *at = path; name[0] == '\0' && *at != '\0'; at++) {
        *at = *at == '!' ? '/' : *at;
    }
}

/* Loop devices and drives without a medium stand there with no size. */
static bool has_size(const char *sysfs_name)
{
    char path[SYSFS_NAME_BYTES + 64];
    unsigned long long sectors = 0;
    snprintf(path, sizeof path, "/sys/class/block/%s/size", sysfs_name);
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fscanf(file, "%llu", &sectors) == 1;
    if (file != NULL) {
        fclose(file);
    }
    return is_read && sectors > 0;
}

static int look_at_all_devices(struct scan *scan)
{
    struct dirent **entries = NULL;
    int count = scandir("/sys/class/block", &entries, NULL, alphasort);
    if (count < 0) {
        return add_other(scan, SCAN_ALL_DEVICES, SCAN_NO_DISK,
                         "the block devices cannot be listed: /sys/class/block: %s; mount /sys, or name the devices",
                         strerror(errno));
    }
    int error = 0;
    for (int i = 0; i < count; i++) {
        char path[DISK_PATH_BYTES];
        if (error == 0 && entries[i]->d_name[0] != '.' && has_size(entries[i]->d_name)) {
            device_path(entries[i]->d_name, path);
            error = look_at_path(scan, path, false);
        }
        free(entries[i]);
    }
    free(entries);
    return error;
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int scan_look(const char *const *paths, size_t path_count, struct scan *ret)
{
    *ret = (struct scan){.disk_count = 0};
    int error = 0;
    for (size_t i = 0; i < path_count && error == 0; i++) {
        if (strcmp(paths[i], SCAN_ALL_DEVICES) == 0) {
            error = look_at_all_devices(ret);
        } else if (is_directory(paths[i])) {
            error = look_at_files(ret, paths[i]);
        } else {
            error = look_at_path(ret, paths[i], true);
        }
    }
    return error == 0 ? scan_make_sets(ret) : error;
}

void scan_done(struct scan *scan)
{
    for (size_t i = 0; i < scan->disk_count; i++) {
        free(scan->disks[i].path);
    }
    free(scan->disks);
    free(scan->sets);
    *scan = (struct scan){.disk_count = 0};
}
