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

/* What is wrong with another's loop device, whose file may even be gone, is no reason to refuse; that this process lacks
 * descriptors or memory is: then it has not looked. */
static int answer_of(int error)
{
    return device_is_shortage(-error) ? -error : 0;
}

/* 1, 0 or -errno. LOOP_GET_STATUS64 gives device numbers in the kernel's long form. */
static int is_backed_by(int loop_fd, const struct device *file)
{
    struct loop_info64 info;
    if (ioctl(loop_fd, LOOP_GET_STATUS64, &info) != 0) {
        return answer_of(errno);
    }
    unsigned int loop_major = (unsigned int)((info.lo_device & 0xfff00) >> 8);
    unsigned int loop_minor = (unsigned int)((info.lo_device & 0xff) | ((info.lo_device >> 12) & 0xfff00));
    return info.lo_inode == file->identity_inode && makedev(loop_major, loop_minor) == file->identity_device;
}

/* 1, 0 or -errno. */
static int is_held(const char *path)
{
    int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    return errno == EBUSY ? 1 : answer_of(errno);
}

/* 1, 0 or -errno. */
static int is_holder(const char *path, const struct device *file)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return answer_of(errno);
    }
    int result = is_backed_by(fd, file);
    if (result > 0) {
        result = is_held(path);
    }
    close(fd);
    return result;
}

static bool is_loop_name(const char *name)
{
    return strncmp(name, "loop", 4) == 0 && isdigit((unsigned char)name[4]);
}

static int search(DIR *directory, const struct device *file, char name[HOLDER_NAME_BYTES])
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL) {
            return -errno;
        }
        char path[HOLDER_NAME_BYTES];
        if (!is_loop_name(entry->d_name) || snprintf(path, sizeof path, "/dev/%s", entry->d_name) >= (int)sizeof path) {
            continue;
        }
        int result = is_holder(path, file);
        if (result > 0) {
            snprintf(name, HOLDER_NAME_BYTES, "%s", path);
        }
        if (result != 0) {
            return result;
        }
    }
}

int holder_find_loop(const struct device *device, char name[HOLDER_NAME_BYTES])
{
    if (device->is_block) {
        return 0;
    }
    DIR *directory = opendir("/sys/block");
    if (directory == NULL) {
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
    }
    int result = search(directory, device, name);
    closedir(directory);
    return result;
}
