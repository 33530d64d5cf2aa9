#include "disk/disk_set.h"

#include "disk/device.h"
#include "disk/header_search.h"
#include "disk/message.h"
#include "disk/uuid.h"

#include <diskarch/diskarch.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A named path on its way to a place in the set. */
struct candidate {
    const char *path;
    struct device device;
    struct header_search found;
    char reason[256]; /* why it cannot be placed */
};

/* What one call of disk_set_open() works on. */
struct opening {
    struct disk_set *set;
    const struct disk_set_options *options;
    struct candidate candidates[DISKS_MAX];
    uint32_t count;
};

#define REFUSE(opening, error, ...)                                                                                    \
    message_set((error), (opening)->set->message, sizeof(opening)->set->message, __VA_ARGS__)

static bool is_usable(const struct candidate *candidate)
{
    return candidate->device.fd >= 0 && candidate->found.fault == HEADER_OK;
}

/* ---- Opening what was named ----------------------------------------------------------------------------------------- */

static int check_options(struct opening *opening)
{
    const struct disk_set_options *options = opening->options;
    if (options->path_count < 1 || options->path_count > DISKS_MAX) {
        return REFUSE(opening, DISKARCH_EUSAGE, "disks: %zu are named; name 1 to %d", options->path_count, DISKS_MAX);
    }
    for (size_t i = 0; i < options->path_count; i++) {
        if (options->paths[i][0] == '\0' || strlen(options->paths[i]) >= DISK_PATH_BYTES) {
            return REFUSE(opening, DISKARCH_EUSAGE, "disk %zu: its path is empty or too long; use 1 to %d bytes", i + 1,
                          DISK_PATH_BYTES - 1);
        }
    }
    return 0;
}

/* What is missing or broken is absent; what is no disk at all, or cannot be durable, is refused. So is a shortage of this host:
 * a disk that is well must not be taken for a failed one as long as this process runs. */
static int open_candidate(struct opening *opening, struct candidate *candidate)
{
    char message[DISK_MESSAGE_BYTES];
    int flags = opening->options->is_writable ? O_RDWR : O_RDONLY;
    int error = device_open(candidate->path, flags, &candidate->device, message, sizeof message);
    if (error == DISKARCH_EDIRECT || error == DISKARCH_EUSAGE || device_is_shortage(error)) {
        return REFUSE(opening, error, "%s: %s", candidate->path, message);
    }
    if (error != 0) {
        message_set(0, candidate->reason, sizeof candidate->reason, "%s", message);
    }
    return 0;
}

static int refuse_same_device(struct opening *opening)
{
    for (uint32_t i = 0; i < opening->count; i++) {
        for (uint32_t j = i + 1; j < opening->count; j++) {
            const struct candidate *a = &opening->candidates[i];
            const struct candidate *b = &opening->candidates[j];
            if (strcmp(a->path, b->path) == 0) {
                return REFUSE(opening, DISKARCH_EUSAGE, "%s: named twice; name each disk once", a->path);
            }
            if (a->device.fd >= 0 && b->device.fd >= 0 && device_is_same(&a->device, &b->device)) {
                return REFUSE(opening, DISKARCH_EUSAGE, "%s and %s: two names of one %s; name each disk once", a->path,
                              b->path, a->device.is_block ? "device" : "file");
            }
        }
    }
    return 0;
}

/* ---- Reading headers ------------------------------------------------------------------------------------------------ */

static const struct candidate *first_usable(const struct opening *opening)
{
    for (uint32_t i = 0; i < opening->count; i++) {
        if (is_usable(&opening->candidates[i])) {
            return &opening->candidates[i];
        }
    }
    return NULL;
}

static void explain_no_header(struct candidate *candidate)
{
    int error = candidate->found.read_error;
    if (error == -ETIMEDOUT) {
        message_set(0, candidate->reason, sizeof candidate->reason, "it does not answer");
    } else if (error != 0 && error != -ENODATA) {
        message_set(0, candidate->reason, sizeof candidate->reason, "its header cannot be read: %s", strerror(-error));
    } else if (candidate->found.fault == HEADER_NO_MAGIC) {
        message_set(0, candidate->reason, sizeof candidate->reason, "it has no diskarch header");
    } else {
        message_set(0, candidate->reason, sizeof candidate->reason, "its header and the copy of it are damaged");
    }
}

static int refuse_newer(struct opening *opening)
{
    for (uint32_t i = 0; i < opening->count; i++) {
        const struct candidate *candidate = &opening->candidates[i];
        if (candidate->found.fault == HEADER_NEWER) {
            return REFUSE(opening, DISKARCH_EVERSION,
                          "%s: its set has format %u.%u, this program knows %d; upgrade diskarch on this host",
                          candidate->path, candidate->found.header.major, candidate->found.header.minor, FORMAT_MAJOR);
        }
    }
    return 0;
}

/* Of all that are open and whose header has not been found yet. */
static int search_headers(struct opening *opening, struct range_reader *reader)
{
    const struct candidate *told = first_usable(opening);
    const struct device *devices[DISKS_MAX] = {NULL};
    struct header_search *found[DISKS_MAX];
    for (uint32_t i = 0; i < opening->count; i++) {
        struct candidate *candidate = &opening->candidates[i];
        bool is_wanted = candidate->device.fd >= 0 && !is_usable(candidate);
        devices[i] = is_wanted ? &candidate->device : NULL;
        found[i] = &candidate->found;
    }
    int error =
        header_search_all(reader, devices, opening->count, told == NULL ? NULL : &told->found.header.layout, found);
    return error == 0 ? refuse_newer(opening) : REFUSE(opening, error, "disks: no memory to read them; free some");
}

static int open_reader(struct opening *opening, struct range_reader **ret)
{
    int fds[DISKS_MAX];
    struct range_reader_options options = {.fds = fds,
                                           .fd_count = opening->count,
                                           .bytes_max = SECTOR_BYTES_MIN,
                                           .depth = HEADER_PLACES_MAX,
                                           .engine = opening->options->engine};
    for (uint32_t i = 0; i < opening->count; i++) {
        const struct device *device = &opening->candidates[i].device;
        fds[i] = device->fd;
        if (device->fd >= 0 && device->sector_bytes > options.bytes_max) {
            options.bytes_max = device->sector_bytes;
        }
    }
    return range_reader_open(&options, ret, opening->set->message, sizeof opening->set->message);
}

static bool is_any_open(const struct opening *opening)
{
    for (uint32_t i = 0; i < opening->count; i++) {
        if (opening->candidates[i].device.fd >= 0) {
            return true;
        }
    }
    return false;
}

/* Two rounds: once one disk has told the layout, the others' copies can be found. */
static int read_headers(struct opening *opening)
{
    struct range_reader *reader;
    if (!is_any_open(opening)) {
        return 0;
    }
    int error = open_reader(opening, &reader);
    if (error != 0) {
        return error;
    }
    for (int round = 0; round < 2 && error == 0; round++) {
        error = search_headers(opening, reader);
    }
    range_reader_close(reader);
    if (error != 0) {
        return error;
    }
    for (uint32_t i = 0; i < opening->count; i++) {
        if (opening->candidates[i].device.fd >= 0 && !is_usable(&opening->candidates[i])) {
            explain_no_header(&opening->candidates[i]);
        }
    }
    return 0;
}

/* ---- Refusals ------------------------------------------------------------------------------------------------------- */

/* Whether two headers of one set and generation tell the same, but for the disk they stand on. */
static bool headers_agree(const struct opening *opening, const struct set_header *a, const struct set_header *b)
{
    struct set_header alike = *b;
    alike.disk_index = a->disk_index;
    return set_header_is_same_disk(a, &alike) && memcmp(a->disk_uuids, b->disk_uuids, sizeof a->disk_uuids) == 0 &&
           (opening->options->allow_tuning || set_header_is_same_tuning(a, b));
}

/* Nodes must not run with different timings: until all disks tell the same again nobody joins. */
static int refuse_tuning(struct opening *opening, const struct candidate *candidate)
{
    if (candidate->found.header.tuning == 0 || opening->options->allow_tuning) {
        return 0;
    }
    return REFUSE(
        opening, DISKARCH_EUNSETTLED,
        "%s: diskarch tune is at work on set \"%s\", or was cut off; let it end, or run it again with all disks",
        candidate->path, candidate->found.header.set_name);
}

static int refuse_foreign(struct opening *opening, const struct candidate *a, const struct candidate *b)
{
    const struct set_header *first = &a->found.header;
    const struct set_header *other = &b->found.header;
    char first_uuid[UUID_TEXT_BYTES];
    char other_uuid[UUID_TEXT_BYTES];
    if (!uuid_is_same(&first->set_uuid, &other->set_uuid)) {
        return REFUSE(opening, DISKARCH_EFOREIGN,
                      "%s: belongs to set \"%s\" (%s), but %s to set \"%s\" (%s); name the disks of one set only",
                      b->path, other->set_name, uuid_format(other_uuid, &other->set_uuid), a->path, first->set_name,
                      uuid_format(first_uuid, &first->set_uuid));
    }
    if (first->generation != other->generation) {
        return REFUSE(
            opening, DISKARCH_EFOREIGN,
            "%s: has generation %llu of set \"%s\", but %s has %llu; leave out the older one, it was replaced", b->path,
            (unsigned long long)other->generation, other->set_name, a->path, (unsigned long long)first->generation);
    }
    if (first->layout.block_bytes != other->layout.block_bytes) {
        return REFUSE(opening, DISKARCH_EFOREIGN, "%s: has %u-byte blocks, but %s of the same set has %u; leave it out",
                      b->path, other->layout.block_bytes, a->path, first->layout.block_bytes);
    }
    int error = refuse_tuning(opening, a);
    error = error != 0 ? error : refuse_tuning(opening, b);
    if (error != 0) {
        return error;
    }
    if (!headers_agree(opening, first, other)) {
        return REFUSE(
            opening, DISKARCH_EFOREIGN,
            "%s and %s: their headers disagree about set \"%s\"; leave out the one that was restored or copied",
            a->path, b->path, first->set_name);
    }
    return 0;
}

static int refuse_geometry(struct opening *opening, const struct candidate *candidate)
{
    const struct device *device = &candidate->device;
    const struct layout *layout = &candidate->found.header.layout;
    uint32_t sector_bytes = device->atomic_sector_bytes;
    if (sector_bytes > layout->block_bytes) {
        return REFUSE(opening, DISKARCH_EFOREIGN,
                      "%s: geometry: %u-byte sectors, set was formatted with %u; put the set on disks with %u-byte "
                      "sectors, or format it anew with --block-size %u",
                      candidate->path, sector_bytes, layout->block_bytes, layout->block_bytes, sector_bytes);
    }
    if (device->size_bytes < layout_bytes(layout)) {
        return REFUSE(
            opening, DISKARCH_EFOREIGN,
            "%s: geometry: %llu bytes, the set needs %llu; it was cut short, leave it out or restore its size",
            candidate->path, (unsigned long long)device->size_bytes, (unsigned long long)layout_bytes(layout));
    }
    return 0;
}

static void list_reasons(struct disk_set *set)
{
    for (uint32_t i = 0; i < set->unplaced_count; i++) {
        message_add(set->message, sizeof set->message, "; %s: %s", set->unplaced[i], set->unplaced_reason[i]);
    }
}

/* ---- Placing -------------------------------------------------------------------------------------------------------- */

static void leave_unplaced(struct disk_set *set, struct candidate *candidate)
{
    uint32_t at = set->unplaced_count++;
    message_set(0, set->unplaced[at], sizeof set->unplaced[at], "%s", candidate->path);
    message_set(0, set->unplaced_reason[at], sizeof set->unplaced_reason[at], "%s", candidate->reason);
    device_close(&candidate->device);
}

/* The set takes the candidate's descriptor over. */
static int place(struct opening *opening, struct candidate *candidate)
{
    struct disk_set *set = opening->set;
    uint32_t index = candidate->found.header.disk_index;
    assert(index < set->header.disk_count);
    struct disk_member *member = &set->members[index];
    if (member->is_present) {
        char uuid[UUID_TEXT_BYTES];
        return REFUSE(
            opening, DISKARCH_EFOREIGN,
            "%s and %s: both are disk %u (%s) of the set: two paths to one device, or a copy; name one of them",
            member->path, candidate->path, index, uuid_format(uuid, &set->header.disk_uuids[index]));
    }
    message_set(0, member->path, sizeof member->path, "%s", candidate->path);
    member->is_present = true;
    member->reason[0] = '\0';
    member->fd = candidate->device.fd;
    member->header = candidate->found.header;
    member->header_offset = candidate->found.offset;
    candidate->device.fd = -1;
    set->present_count++;
    return 0;
}

static int place_all(struct opening *opening, const struct candidate *reference)
{
    struct disk_set *set = opening->set;
    set->header = reference->found.header;
    for (uint32_t i = 0; i < set->header.disk_count; i++) {
        message_set(0, set->members[i].reason, sizeof set->members[i].reason, "none of the paths named is this disk");
    }
    for (uint32_t i = 0; i < opening->count; i++) {
        struct candidate *candidate = &opening->candidates[i];
        if (!is_usable(candidate)) {
            leave_unplaced(set, candidate);
            continue;
        }
        int error = refuse_foreign(opening, reference, candidate);
        error = error != 0 ? error : refuse_geometry(opening, candidate);
        error = error != 0 ? error : place(opening, candidate);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int check_majority(struct opening *opening)
{
    struct disk_set *set = opening->set;
    uint32_t needed = set->header.disk_count / 2 + 1;
    if (set->present_count >= needed || opening->options->allow_minority) {
        return 0;
    }
    int error = REFUSE(opening, DISKARCH_ENOQUORUM,
                       "set \"%s\": %u of %u disks can be used, %u are needed; name more of them or bring them back",
                       set->header.set_name, set->present_count, set->header.disk_count, needed);
    list_reasons(set);
    return error;
}

/* Nothing named has a header: either no disk is there, or none answers, or they are disks of something else. */
static int refuse_no_set(struct opening *opening)
{
    bool has_answered = false;
    for (uint32_t i = 0; i < opening->count; i++) {
        struct candidate *candidate = &opening->candidates[i];
        has_answered = has_answered || (candidate->device.fd >= 0 && candidate->found.read_error != -ETIMEDOUT);
        leave_unplaced(opening->set, candidate);
    }
    int error = has_answered
                    ? REFUSE(opening, DISKARCH_ENOSET,
                             "disks: none is a diskarch disk; check the paths, or run diskarch format first")
                    : REFUSE(opening, DISKARCH_ENOQUORUM, "disks: none can be opened and answers; check the paths");
    list_reasons(opening->set);
    return error;
}

static int open_all(struct opening *opening)
{
    for (uint32_t i = 0; i < opening->count; i++) {
        int error = open_candidate(opening, &opening->candidates[i]);
        if (error != 0) {
            return error;
        }
    }
    int error = refuse_same_device(opening);
    error = error != 0 ? error : read_headers(opening);
    if (error != 0) {
        return error;
    }
    const struct candidate *reference = first_usable(opening);
    if (reference == NULL) {
        return refuse_no_set(opening);
    }
    error = place_all(opening, reference);
    return error != 0 ? error : check_majority(opening);
}

int disk_set_open(const struct disk_set_options *options, struct disk_set *ret)
{
    memset(ret, 0, sizeof *ret);
    for (uint32_t i = 0; i < DISKS_MAX; i++) {
        ret->members[i].fd = -1;
    }
    ret->is_writable = options->is_writable;
    struct opening opening = {.set = ret, .options = options};
    int error = check_options(&opening);
    if (error != 0) {
        return error;
    }
    opening.count = (uint32_t)options->path_count;
    for (uint32_t i = 0; i < opening.count; i++) {
        opening.candidates[i] =
            (struct candidate){.path = options->paths[i], .device.fd = -1, .found.fault = HEADER_NO_MAGIC};
    }
    error = open_all(&opening);
    for (uint32_t i = 0; i < opening.count; i++) {
        device_close(&opening.candidates[i].device);
    }
    if (error != 0) {
        disk_set_close(ret);
    }
    return error;
}

struct disk_absence disk_set_absence(const struct disk_set *set, uint32_t index)
{
    assert(index < set->header.disk_count && !set->members[index].is_present);
    uint32_t unplaced = 0;
    for (uint32_t i = 0; i < index; i++) {
        unplaced += set->members[i].path[0] == '\0';
    }
    if (set->members[index].path[0] == '\0' && unplaced < set->unplaced_count) {
        return (struct disk_absence){.path = set->unplaced[unplaced], .reason = set->unplaced_reason[unplaced]};
    }
    return (struct disk_absence){.path = set->members[index].path, .reason = set->members[index].reason};
}

void disk_set_close(struct disk_set *set)
{
    if (set == NULL) {
        return;
    }
    for (uint32_t i = 0; i < DISKS_MAX; i++) {
        struct disk_member *member = &set->members[i];
        if (member->is_present) {
            close(member->fd);
        }
        member->is_present = false;
        member->fd = -1;
    }
    set->present_count = 0;
}
