#include "disk/topology.h"

#include "block/limits.h"
#include "disk/message.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { SYSFS_PATH_BYTES = 512, SENTENCE_BYTES = 1024 };

/* ---- Sysfs ---------------------------------------------------------------------------------------------------------- */

static const char *sysfs_path(dev_t device, const char *below, char path[SYSFS_PATH_BYTES])
{
    snprintf(path, SYSFS_PATH_BYTES, "/sys/dev/block/%u:%u%s", major(device), minor(device), below);
    return path;
}

/* The first line of a small file, without its end. */
static bool read_line(const char *path, char *line, int line_bytes)
{
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(line, line_bytes, file) != NULL;
    if (file != NULL) {
        fclose(file);
    }
    if (is_read) {
        line[strcspn(line, "\n")] = '\0';
    }
    return is_read;
}

/* Reads a file that says MAJOR:MINOR. */
static bool read_number(const char *path, dev_t *ret)
{
    char line[64];
    unsigned int major_number = 0;
    unsigned int minor_number = 0;
    if (!read_line(path, line, sizeof line) || sscanf(line, "%u:%u", &major_number, &minor_number) != 2) {
        return false;
    }
    *ret = makedev(major_number, minor_number);
    return true;
}

/* ---- Walking down --------------------------------------------------------------------------------------------------- */

static bool add(struct topology *topology, dev_t device)
{
    for (uint32_t i = 0; i < topology->count; i++) {
        if (topology->devices[i].number == device) {
            return true;
        }
    }
    if (topology->count == TOPOLOGY_DEVICES_MAX) {
        return false;
    }
    topology->devices[topology->count++] = (struct topology_device){.number = device, .is_lowest = true};
    return true;
}

static bool add_whole_disk(struct topology *topology, dev_t device)
{
    char path[SYSFS_PATH_BYTES];
    dev_t whole;
    return access(sysfs_path(device, "/partition", path), F_OK) == 0 &&
           read_number(sysfs_path(device, "/../dev", path), &whole) && add(topology, whole);
}

static bool add_slaves(struct topology *topology, dev_t device)
{
    char path[SYSFS_PATH_BYTES];
    DIR *directory = opendir(sysfs_path(device, "/slaves", path));
    bool is_any = false;
    for (const struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char below[SYSFS_PATH_BYTES / 2];
        dev_t slave;
        snprintf(below, sizeof below, "/slaves/%.200s/dev", entry->d_name);
        if (entry->d_name[0] != '.' && read_number(sysfs_path(device, below, path), &slave)) {
            is_any = add(topology, slave) || is_any;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return is_any;
}

/* The kernel writes blanks in a mount point as backslash and three octal digits. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        unsigned byte;
        if (*from == '\\' && sscanf(from + 1, "%3o", &byte) == 1) {
            *to = (char)byte;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

static bool is_path_below(const char *file, const char *mount)
{
    size_t length = strlen(mount);
    bool is_root = length == 1;
    return strncmp(file, mount, length) == 0 && (is_root || file[length] == '/');
}

/* The device of the file system on which a file lies, from the list of mounts: a file system that hangs is not touched. */
static bool mount_of(const char *file, dev_t *ret)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t line_bytes = 0;
    size_t longest = 0;
    while (mounts != NULL && getline(&line, &line_bytes, mounts) > 0) {
        unsigned major_number, minor_number;
        char point[SYSFS_PATH_BYTES];
        if (sscanf(line, "%*u %*u %u:%u %*s %511s", &major_number, &minor_number, point) != 3) {
            continue;
        }
        unescape(point);
        if (is_path_below(file, point) && strlen(point) >= longest) { /* of two on one point the later one is seen */
            longest = strlen(point);
            *ret = makedev(major_number, minor_number);
        }
    }
    free(line);
    if (mounts != NULL) {
        fclose(mounts);
    }
    return longest > 0;
}

static bool add_backing_file(struct topology *topology, dev_t device)
{
    char path[SYSFS_PATH_BYTES];
    char file[SYSFS_PATH_BYTES];
    struct stat status;
    dev_t below;
    if (!read_line(sysfs_path(device, "/loop/backing_file", path), file, sizeof file)) {
        return false;
    }
    if (strncmp(file, "/dev/", 5) == 0 && stat(file, &status) == 0 && S_ISBLK(status.st_mode)) {
        return add(topology, status.st_rdev);
    }
    return mount_of(file, &below) && add(topology, below);
}

void topology_look(const char *path, struct topology *ret)
{
    struct stat status;
    *ret = (struct topology){.count = 0};
    if (stat(path, &status) != 0) {
        return;
    }
    add(ret, S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev);
    for (uint32_t i = 0; i < ret->count; i++) {
        dev_t device = ret->devices[i].number;
        bool stands_on_more = add_whole_disk(ret, device) || add_slaves(ret, device) || add_backing_file(ret, device);
        ret->devices[i].is_lowest = !stands_on_more;
    }
}

/* ---- Questions ------------------------------------------------------------------------------------------------------ */

bool topology_is_below(const char *path, const struct topology *other)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISBLK(status.st_mode)) {
        return false;
    }
    for (uint32_t i = 1; i < other->count; i++) {
        if (other->devices[i].number == status.st_rdev) {
            return true;
        }
    }
    return false;
}

bool topology_is_shared(const struct topology *a, const struct topology *b, dev_t *ret_device)
{
    for (uint32_t i = 0; i < a->count; i++) {
        for (uint32_t j = 0; j < b->count; j++) {
            if (a->devices[i].is_lowest && b->devices[j].is_lowest && a->devices[i].number == b->devices[j].number) {
                *ret_device = a->devices[i].number;
                return true;
            }
        }
    }
    return false;
}

const char *topology_name(dev_t device, char name[TOPOLOGY_NAME_BYTES])
{
    char path[SYSFS_PATH_BYTES];
    char target[SYSFS_PATH_BYTES];
    ssize_t bytes = readlink(sysfs_path(device, "", path), target, sizeof target - 1);
    if (bytes < 0) {
        snprintf(name, TOPOLOGY_NAME_BYTES, "one file system");
        return name;
    }
    target[bytes] = '\0';
    const char *last = strrchr(target, '/');
    snprintf(name, TOPOLOGY_NAME_BYTES, "/dev/%.100s", last == NULL ? target : last + 1);
    return name;
}

/* ---- Warnings ------------------------------------------------------------------------------------------------------- */

static void describe(const char *const *paths, const bool *is_member, size_t count, dev_t device, char *sentence)
{
    char name[TOPOLOGY_NAME_BYTES];
    const char *separator = "";
    sentence[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (is_member[i]) {
            message_add(sentence, SENTENCE_BYTES, "%s%.100s", separator, paths[i]);
            separator = ", ";
        }
    }
    message_add(sentence, SENTENCE_BYTES,
                ": one failure domain: they stand on %s and are lost together; put each disk on a device of its own",
                topology_name(device, name));
}

uint32_t topology_warn(const char *const *paths, size_t count, void (*warn)(void *context, const char *sentence),
                       void *context)
{
    assert(count <= DISKS_MAX);
    struct topology topologies[DISKS_MAX];
    bool is_told[DISKS_MAX] = {false};
    uint32_t groups = 0;
    for (size_t i = 0; i < count; i++) {
        topology_look(paths[i], &topologies[i]);
    }
    for (size_t i = 0; i < count; i++) {
        bool is_member[DISKS_MAX] = {false};
        dev_t device = 0;
        bool is_group = false;
        for (size_t j = i + 1; j < count; j++) {
            is_member[j] = !is_told[i] && topology_is_shared(&topologies[i], &topologies[j], &device);
            is_told[j] = is_told[j] || is_member[j];
            is_group = is_group || is_member[j];
        }
        if (is_group) {
            char sentence[SENTENCE_BYTES];
            is_member[i] = true;
            describe(paths, is_member, count, device, sentence);
            warn(context, sentence);
            groups++;
        }
    }
    return groups;
}
