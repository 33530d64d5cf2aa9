#include "disk/scan_sets.h"

#include "disk/disk_set.h"
#include "disk/message.h"
#include "disk/topology.h"
#include "disk/uuid.h"

#include <diskarch/diskarch.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Sorting -------------------------------------------------------------------------------------------------------- */

static bool has_set(const struct scan_disk *disk)
{
    return disk->header.disk_count > 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_disks(const void *one, const void *two)
{
    const struct scan_disk *a = one;
    const struct scan_disk *b = two;
    int order = has_set(b) - has_set(a);
    order = order != 0 ? order : strcmp(a->header.set_name, b->header.set_name);
    order = order != 0 ? order : memcmp(&a->header.set_uuid, &b->header.set_uuid, sizeof a->header.set_uuid);
    order = order != 0 ? order : compare_numbers(b->header.generation, a->header.generation);
    order = order != 0 ? order : compare_numbers(a->header.disk_index, b->header.disk_index);
    return order != 0 ? order : strcmp(a->path, b->path);
}

/* ---- What only the others show ---------------------------------------------------------------------------------------- */

static void note_generation(const struct scan_set *set, struct scan_disk *disk)
{
    if (disk->header.generation < set->header.generation) {
        disk->state = SCAN_OLD_GENERATION;
        message_set(0, disk->reason, sizeof disk->reason,
                    "it has generation %llu, the set has %llu: it was replaced; take it away or format it anew",
                    (unsigned long long)disk->header.generation, (unsigned long long)set->header.generation);
    }
}

static void note_lower_path(struct scan_disk *disk, const struct scan_disk *upper)
{
    disk->state = SCAN_LOWER_PATH;
    message_set(0, disk->reason, sizeof disk->reason, "%.150s stands on it: that path is used", upper->path);
}

static void note_twin(struct scan_disk *disk, const struct scan_disk *twin)
{
    disk->state = SCAN_TWIN;
    message_set(0, disk->reason, sizeof disk->reason,
                "%.100s is disk %u of the set too: a second path to it, or a copy; hide one of them from this host",
                twin->path, disk->header.disk_index);
}

/* Two that say they are the same disk of the same generation. */
static void note_same_place(struct scan_disk *a, struct scan_disk *b)
{
    struct topology below_a;
    struct topology below_b;
    topology_look(a->path, &below_a);
    topology_look(b->path, &below_b);
    if (topology_is_below(a->path, &below_b)) {
        note_lower_path(a, b);
    } else if (topology_is_below(b->path, &below_a)) {
        note_lower_path(b, a);
    } else {
        note_twin(a, b);
        note_twin(b, a);
    }
}

static bool is_same_place(const struct scan_disk *a, const struct scan_disk *b)
{
    return a->header.generation == b->header.generation && a->header.disk_index == b->header.disk_index &&
           a->state != SCAN_LOWER_PATH && b->state != SCAN_LOWER_PATH;
}

static void judge_set(struct scan_set *set, struct scan_disk *disks)
{
    for (size_t i = 0; i < set->disk_count; i++) {
        note_generation(set, &disks[i]);
        for (size_t j = 0; j < i; j++) {
            if (is_same_place(&disks[i], &disks[j])) {
                note_same_place(&disks[j], &disks[i]);
            }
        }
    }
    for (size_t i = 0; i < set->disk_count; i++) {
        set->usable_count += disks[i].state == SCAN_USABLE;
    }
}

/* ---- Sets ------------------------------------------------------------------------------------------------------------- */

static size_t count_of_set(const struct scan *scan, size_t first)
{
    size_t end = first + 1;
    while (end < scan->disk_count && has_set(&scan->disks[end]) &&
           uuid_is_same(&scan->disks[end].header.set_uuid, &scan->disks[first].header.set_uuid)) {
        end++;
    }
    return end - first;
}

int scan_make_sets(struct scan *scan)
{
    if (scan->disk_count == 0) {
        return 0;
    }
    qsort(scan->disks, scan->disk_count, sizeof *scan->disks, compare_disks);
    scan->sets = calloc(scan->disk_count, sizeof *scan->sets);
    if (scan->sets == NULL) {
        return -ENOMEM;
    }
    size_t at = 0;
    while (at < scan->disk_count && has_set(&scan->disks[at])) {
        struct scan_set *set = &scan->sets[scan->set_count++];
        set->disks = &scan->disks[at];
        set->disk_count = count_of_set(scan, at);
        set->header = scan->disks[at].header;
        judge_set(set, &scan->disks[at]);
        at += set->disk_count;
    }
    scan->others = &scan->disks[at];
    scan->other_count = scan->disk_count - at;
    return 0;
}

/* ---- Choosing --------------------------------------------------------------------------------------------------------- */

static bool is_called(const struct scan_set *set, const char *name_or_uuid)
{
    char uuid[UUID_TEXT_BYTES];
    return strcmp(set->header.set_name, name_or_uuid) == 0 ||
           strcasecmp(uuid_format(uuid, &set->header.set_uuid), name_or_uuid) == 0;
}

static int refuse_several(const struct scan *scan, const char *name, char *message, size_t message_bytes)
{
    message_set(0, message, message_bytes,
                "set \"%s\": several sets have this name; give the UUID of one of them:", name);
    for (size_t i = 0; i < scan->set_count; i++) {
        const struct scan_set *set = &scan->sets[i];
        char uuid[UUID_TEXT_BYTES];
        if (is_called(set, name)) {
            message_add(message, message_bytes, " %s (%u of %u disks, %.100s ...)",
                        uuid_format(uuid, &set->header.set_uuid), set->usable_count, set->header.disk_count,
                        set->disks[0].path);
        }
    }
    return DISKARCH_EUSAGE;
}

static int refuse_absent(const struct scan *scan, const char *name, char *message, size_t message_bytes)
{
    message_set(0, message, message_bytes,
                "set \"%s\": no disk of it was found; name its disks by --disks, or say in DISKARCH_SCAN where to look",
                name);
    for (size_t i = 0; i < scan->other_count; i++) {
        message_add(message, message_bytes, "; %.100s: %s", scan->others[i].path, scan->others[i].reason);
    }
    return DISKARCH_ENOSET;
}

int scan_choose(const struct scan *scan, const char *name_or_uuid, const struct scan_set **ret, char *message,
                size_t message_bytes)
{
    const struct scan_set *chosen = NULL;
    for (size_t i = 0; i < scan->set_count; i++) {
        if (is_called(&scan->sets[i], name_or_uuid)) {
            if (chosen != NULL) {
                return refuse_several(scan, name_or_uuid, message, message_bytes);
            }
            chosen = &scan->sets[i];
        }
    }
    if (chosen == NULL) {
        return refuse_absent(scan, name_or_uuid, message, message_bytes);
    }
    for (size_t i = 0; i < chosen->disk_count; i++) {
        if (chosen->disks[i].state == SCAN_TWIN) {
            return message_set(DISKARCH_EFOREIGN, message, message_bytes,
                               "set \"%s\": %s: %s, or name the disks by --disks", name_or_uuid, chosen->disks[i].path,
                               chosen->disks[i].reason);
        }
    }
    if (chosen->usable_count == 0) {
        return message_set(DISKARCH_ENOSET, message, message_bytes, "set \"%s\": %s: %s", name_or_uuid,
                           chosen->disks[0].path, chosen->disks[0].reason);
    }
    assert(chosen->usable_count <= DISKS_MAX);
    *ret = chosen;
    return 0;
}
