/* Rigs on real devices: files and loop devices, for the engines of the kernel. */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

const struct rig_kind rig_kinds[] = {
    {.name = "files, 512", .block_bytes = 512},
    {.name = "files, 4096", .block_bytes = 4096},
    {.name = "loop devices, 512", .block_bytes = 512, .can_fail = true, .is_loop = true},
    {.name = "loop devices, 4096", .block_bytes = 4096, .can_fail = true, .is_loop = true},
    {.name = NULL},
};

static const char *disk_path(const struct rig *rig, uint32_t disk)
{
    return rig->kind->is_loop ? rig->loops[disk].path : rig->files[disk];
}

/* Without the absent disk. */
static void open_set(const struct rig *rig, uint32_t absent_disk, bool is_writable, struct disk_set *ret)
{
    const char *paths[RIG_DISKS];
    struct disk_set_options options = {.paths = paths, .is_writable = is_writable, .engine = rig_engine_kind()};
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        if (disk != absent_disk) {
            paths[options.path_count++] = disk_path(rig, disk);
        }
    }
    int error = disk_set_open(&options, ret);
    cr_assert_eq(error, 0, "%s: %s", rig->kind->name, ret->message);
}

void rig_open_set(const struct rig *rig, bool is_writable, struct disk_set *ret)
{
    open_set(rig, RIG_NO_DISK, is_writable, ret);
}

void rig_open_engine(struct disk_set *set, int wake_fd, struct disk_engine **ret)
{
    struct disk_engine_options options = {.kind = rig_engine_kind(), .depth = RIG_DEPTH, .wake_fd = wake_fd};
    int error = disk_engine_open(set, &options, ret);
    cr_assert_eq(error, 0, "%s", set->message);
    rig_check_engine(*ret);
}

void rig_make(struct rig *rig)
{
    uint32_t block_bytes = rig->kind->block_bytes;
    struct layout layout = {.block_bytes = block_bytes, .slots = SCRATCH_SLOTS, .registers = SCRATCH_REGISTERS};
    const char *paths[RIG_DISKS];
    scratch_init();
    for (uint32_t i = 0; i < RIG_DISKS; i++) {
        char name[16];
        snprintf(name, sizeof name, "disk%u", i);
        /* A loop device ends with its last whole sector of 4096 bytes. */
        rig->files[i] = scratch_file(name, (layout_bytes(&layout) + 4095) / 4096 * 4096);
        if (rig->kind->is_loop) {
            scratch_loop_attach(rig->files[i], block_bytes, &rig->loops[i]);
        }
        paths[i] = disk_path(rig, i);
    }
    rig->header = scratch_format(paths, RIG_DISKS, block_bytes);
    cr_assert_eq(rig->header.layout.block_bytes, block_bytes);
    rig_open_set(rig, true, &rig->set);
    rig_open_engine(&rig->set, rig->wake_fd, &rig->engine);
}

void rig_unmake(struct rig *rig)
{
    disk_engine_close(rig->engine);
    disk_set_close(&rig->set);
    for (int i = 0; i < RIG_DISKS && rig->kind->is_loop; i++) {
        scratch_loop_detach(&rig->loops[i]);
    }
    scratch_done();
}

void rig_open_host(struct rig *rig, uint32_t absent_disk, struct rig_host *ret)
{
    ret->set = calloc(1, sizeof *ret->set);
    cr_assert(ret->set != NULL);
    open_set(rig, absent_disk, true, ret->set);
    rig_open_engine(ret->set, -1, &ret->engine);
}

void rig_close_host(struct rig_host *host)
{
    disk_engine_close(host->engine);
    disk_set_close(host->set);
    free(host->set);
}

void rig_set_failing(struct rig *rig, uint32_t disk, bool is_failing)
{
    cr_assert(rig->kind->can_fail);
    scratch_loop_set_read_only(&rig->loops[disk], is_failing);
}

uint64_t rig_checksum(const struct rig *rig, uint32_t disk)
{
    return scratch_checksum(rig->files[disk]);
}

int64_t rig_now_ns(const struct rig *rig)
{
    (void)rig;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}
