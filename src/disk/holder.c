#include "disk/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* LOOP_GET_STATUS64 gives device numbers in the kernel's long form. */
static bool is_backed_by(int loop_fd, const struct device *file)
{
    struct loop_info64 info;
    if (ioctl(loop_fd, LOOP_GET_STATUS64, &info) != 0) {
        return false;
    }
    unsigned int loop_major = (unsigned int)((info.lo_device & 0xfff00) >> 8);
    unsigned int loop_minor = (unsigned int)((info.lo_device & 0xff) | ((info.lo_device >> 12) & 0xfff00));
    return info.lo_inode == file->identity_inode && makedev(loop_major, loop_minor) == file->identity_device;
}

static bool is_held(const char *path)
{
    int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        return false;
    }
    return errno == EBUSY;
}

static bool is_loop_name(const char *name)
{
    return strncmp(name, "loop", 4) == 0 && isdigit((unsigned char)name[4]);
}

bool holder_is_loop(const struct device *device, char name[HOLDER_NAME_BYTES])
{
    DIR *directory = device->is_block ? NULL : opendir("/sys/block");
    bool is_found = false;
    for (const struct dirent *entry; directory != NULL && !is_found && (entry = readdir(directory)) != NULL;) {
        char path[HOLDER_NAME_BYTES];
        if (!is_loop_name(entry->d_name) || snprintf(path, sizeof path, "/dev/%s", entry->d_name) >= (int)sizeof path) {
            continue;
        }
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            is_found = is_backed_by(fd, device) && is_held(path);
            close(fd);
        }
        if (is_found) {
            snprintf(name, HOLDER_NAME_BYTES, "%s", path);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return is_found;
}
