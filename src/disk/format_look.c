/* Opens what is to be formatted, looks at it, and refuses. Creates missing files, empty; otherwise writes nothing. */
#include "disk/format_job.h"
#include "disk/holder.h"
#include "disk/idle_watch.h"
#include "disk/uuid.h"

#include <diskarch/diskarch.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Opening -------------------------------------------------------------------------------------------------------- */

/* A missing name in /dev is a mistyped disk. A file there would look like one, and be gone after the next boot. */
static bool is_device_name(const char *path)
{
    return strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0;
}

/* Without O_DIRECT: a file system that refuses it would do so only after it has made the file. */
static int create_missing(struct format_job *job, struct format_target *target)
{
    struct stat status;
    if (stat(target->path, &status) == 0 || errno != ENOENT) {
        return 0;
    }
    if (is_device_name(target->path)) {
        return FORMAT_REFUSE(job, -ENOENT,
                             "%s: there is no such device, and files are not created in /dev; check the name",
                             target->path);
    }
    int fd = open(target->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return FORMAT_REFUSE(job, -errno, "%s: cannot be created: %s; %s", target->path, strerror(errno),
                             errno == EEXIST ? "it is a symbolic link to nothing, remove it"
                                             : "see that its directory exists and can be written");
    }
    close(fd);
    target->is_created = true;
    return 0;
}

static int open_target(struct format_job *job, struct format_target *target)
{
    int error = create_missing(job, target);
    if (error != 0) {
        return error;
    }
    char reason[DISK_MESSAGE_BYTES];
    error = device_open(target->path, O_RDWR | O_EXCL, &target->device, reason, sizeof reason);
    if (error == -EBUSY) {
        error = DISKARCH_EINUSE;
    }
    return error == 0 ? 0 : FORMAT_REFUSE(job, error, "%s: %s", target->path, reason);
}

/* Before it is opened: a device held by ourselves would look held by another. */
static int refuse_second_name(struct format_job *job, uint32_t index)
{
    const char *path = job->targets[index].path;
    struct stat status;
    if (stat(path, &status) != 0) {
        return errno == ENOENT ? 0
                               : FORMAT_REFUSE(job, -errno, "%s: %s; see that its directory can be searched", path,
                                               strerror(errno));
    }
    struct device named = {.is_block = S_ISBLK(status.st_mode)};
    named.identity_device = named.is_block ? status.st_rdev : status.st_dev;
    named.identity_inode = named.is_block ? 0 : status.st_ino;
    for (uint32_t i = 0; i < index; i++) {
        if (device_is_same(&job->targets[i].device, &named)) {
            return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "%s and %s: two names of one %s; name each disk once",
                                 job->targets[i].path, path, named.is_block ? "device" : "file");
        }
    }
    return 0;
}

static int settle_layout(struct format_job *job)
{
    uint32_t block_bytes = job->options->block_bytes;
    for (uint32_t i = 0; i < job->count; i++) {
        uint32_t sector_bytes = job->targets[i].device.atomic_sector_bytes;
        if (job->options->block_bytes != 0 && sector_bytes > job->options->block_bytes) {
            return FORMAT_REFUSE(
                job, DISKARCH_EUSAGE,
                "%s: has %u-byte sectors, larger than the block size of %u; leave out --block-size or give "
                "at least %u",
                job->targets[i].path, sector_bytes, job->options->block_bytes, sector_bytes);
        }
        block_bytes = sector_bytes > block_bytes ? sector_bytes : block_bytes;
    }
    job->header.layout =
        (struct layout){.block_bytes = block_bytes, .slots = job->options->slots, .registers = job->options->registers};
    if (!layout_is_valid(&job->header.layout)) {
        return FORMAT_REFUSE(job, DISKARCH_EUSAGE,
                             "disks: sectors of %u bytes; only powers of two up to %d can be used", block_bytes,
                             BLOCK_BYTES_MAX);
    }
    return 0;
}

int format_open_targets(struct format_job *job)
{
    for (uint32_t i = 0; i < job->count; i++) {
        int error = refuse_second_name(job, i);
        error = error != 0 ? error : open_target(job, &job->targets[i]);
        if (error != 0) {
            return error;
        }
    }
    return settle_layout(job);
}

/* ---- What is never overwritten --------------------------------------------------------------------------------------- */

static int refuse_unusable(struct format_job *job, const struct format_target *target)
{
    const struct device *device = &target->device;
    uint64_t needed_bytes = layout_bytes(&job->header.layout);
    char holder[HOLDER_NAME_BYTES];
    int held = holder_find_loop(device, holder);
    if (held < 0) {
        return FORMAT_REFUSE(job, held, "%s: whether a loop device stands on it cannot be seen: %s; %s", target->path,
                             strerror(-held), device_remedy(held));
    }
    if (held > 0) {
        return FORMAT_REFUSE(job, DISKARCH_EINUSE,
                             "%s: in use: %s stands on it and is mounted or held; unmount or stop that first (nothing "
                             "overrides this)",
                             target->path, holder);
    }
    bool can_grow = !device->is_block && device->size_bytes == 0;
    if (device->size_bytes < needed_bytes && !can_grow) {
        return FORMAT_REFUSE(job, DISKARCH_EUSAGE,
                             "%s: too small: %llu bytes, the set needs %llu; take a larger one%s, or fewer slots or "
                             "registers",
                             target->path, (unsigned long long)device->size_bytes, (unsigned long long)needed_bytes,
                             device->is_block ? "" : ", remove the file so that it is created at the right size");
    }
    return 0;
}

static int refuse_newer(struct format_job *job, const struct format_target *target)
{
    return FORMAT_REFUSE(
        job, DISKARCH_EVERSION,
        "%s: holds %s, and whether it is in use cannot be seen; format it with that version of diskarch "
        "(nothing overrides this)",
        target->path, target->probe.findings[0].text);
}

/* ---- What is overwritten only by force -------------------------------------------------------------------------------- */

static bool is_forced_word(const struct format_job *job, const char *word)
{
    for (size_t i = 0; i < job->options->force_count; i++) {
        if (strcmp(job->options->force[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_forced_uuid(const struct format_job *job, const struct uuid *uuid)
{
    char text[UUID_TEXT_BYTES];
    uuid_format(text, uuid);
    for (size_t i = 0; i < job->options->force_count; i++) {
        if (strcasecmp(job->options->force[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_forced(const struct format_job *job, const struct probe *probe, uint32_t finding)
{
    bool is_set = finding == 0 && probe->set.fault == HEADER_OK;
    return is_forced_word(job, probe->findings[finding].what) ||
           (is_set && is_forced_uuid(job, &probe->set.header.set_uuid));
}

/* Words for --force already advised: one is enough for all disks. */
struct advice {
    const char *words[DISKS_MAX * PROBE_FINDINGS_MAX];
    uint32_t count;
};

static void advise(struct advice *advice, const char *word)
{
    for (uint32_t i = 0; i < advice->count; i++) {
        if (strcmp(advice->words[i], word) == 0) {
            return;
        }
    }
    advice->words[advice->count++] = word;
}

/* All disks in one message, so that nobody has to find them one refusal at a time. */
static int refuse_unforced(struct format_job *job)
{
    struct advice advice = {.count = 0};
    if (job->message_bytes > 0) {
        job->message[0] = '\0';
    }
    for (uint32_t i = 0; i < job->count; i++) {
        const struct probe *probe = &job->targets[i].probe;
        for (uint32_t j = 0; j < probe->finding_count; j++) {
            if (!is_forced(job, probe, j)) {
                message_add(job->message, job->message_bytes, "%s: holds %s; ", job->targets[i].path,
                            probe->findings[j].text);
                advise(&advice, probe->findings[j].what);
            }
        }
    }
    if (advice.count == 0) {
        return 0;
    }
    message_add(job->message, job->message_bytes, "nothing was overwritten; if it may be lost, add");
    for (uint32_t i = 0; i < advice.count; i++) {
        bool is_plain = strpbrk(advice.words[i], " \t\"'\\$`*?") == NULL;
        message_add(job->message, job->message_bytes, is_plain ? " --force %s" : " --force \"%s\"", advice.words[i]);
    }
    return DISKARCH_EINUSE;
}

static int watch_sets(struct format_job *job)
{
    struct idle_disk disks[DISKS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < job->count; i++) {
        const struct format_target *target = &job->targets[i];
        if (target->probe.set.fault == HEADER_OK) {
            disks[count++] = (struct idle_disk){
                .path = target->path, .device = &target->device, .header = &target->probe.set.header};
        }
    }
    return idle_watch(disks, count, 0, job->message, job->message_bytes);
}

int format_look(struct format_job *job)
{
    uint64_t area_bytes = layout_bytes(&job->header.layout);
    for (uint32_t i = 0; i < job->count; i++) {
        struct format_target *target = &job->targets[i];
        int error = refuse_unusable(job, target);
        if (error != 0) {
            return error;
        }
        char reason[DISK_MESSAGE_BYTES];
        error = probe_device(&target->device, area_bytes, &target->probe, reason, sizeof reason);
        if (error != 0) {
            return FORMAT_REFUSE(job, error, "%s: %s", target->path, reason);
        }
        if (target->probe.set.fault == HEADER_NEWER) {
            return refuse_newer(job, target);
        }
    }
    int error = refuse_unforced(job);
    return error != 0 ? error : watch_sets(job);
}
