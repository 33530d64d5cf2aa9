#include "rig.h"

#include "block/block.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const struct rig_kind kinds[] = {
    {"files, 512", false, 512},
    {"files, 4096", false, 4096},
    {"loop devices, 512", true, 512},
    {"loop devices, 4096", true, 4096},
};

static void disk_paths(const struct rig *rig, const char *ret_paths[RIG_DISKS])
{
    for (int i = 0; i < RIG_DISKS; i++) {
        ret_paths[i] = rig->kind->is_loop ? rig->loops[i].path : rig->files[i];
    }
}

enum disk_engine_kind rig_engine_kind(void)
{
    const char *name = getenv("DISKARCH_ENGINE");
    cr_assert(name != NULL, "DISKARCH_ENGINE must name the engine under test");
    if (strcmp(name, "libaio") == 0) {
        return DISK_ENGINE_LIBAIO;
    }
    cr_assert_str_eq(name, "io_uring");
    return DISK_ENGINE_IO_URING;
}

void rig_open_set(const struct rig *rig, bool is_writable, struct disk_set *ret)
{
    const char *paths[RIG_DISKS];
    disk_paths(rig, paths);
    struct disk_set_options options = {
        .paths = paths, .path_count = RIG_DISKS, .is_writable = is_writable, .engine = rig_engine_kind()};
    int error = disk_set_open(&options, ret);
    cr_assert_eq(error, 0, "%s: %s", rig->kind->name, ret->message);
}

void rig_open_engine(struct disk_set *set, int wake_fd, struct disk_engine **ret)
{
    enum disk_engine_kind kind = rig_engine_kind();
    struct disk_engine_options options = {.kind = kind, .depth = RIG_DEPTH, .wake_fd = wake_fd};
    int error = disk_engine_open(set, &options, ret);
    cr_assert_eq(error, 0, "%s", set->message);
    cr_assert_str_eq(disk_engine_name(*ret), getenv("DISKARCH_ENGINE"));
    cr_assert_eq(disk_engine_kind(*ret), kind);
    cr_assert_str_eq(disk_engine_warning(*ret), "");
}

static void rig_init(struct rig *rig, const struct rig_kind *kind)
{
    rig->kind = kind;
    scratch_init();
    struct layout layout = {.block_bytes = kind->block_bytes, .slots = SCRATCH_SLOTS, .registers = SCRATCH_REGISTERS};
    for (int i = 0; i < RIG_DISKS; i++) {
        char name[16];
        snprintf(name, sizeof name, "disk%d", i);
        /* A loop device ends with its last whole sector of 4096 bytes. */
        rig->files[i] = scratch_file(name, (layout_bytes(&layout) + 4095) / 4096 * 4096);
        if (kind->is_loop) {
            scratch_loop_attach(rig->files[i], kind->block_bytes, &rig->loops[i]);
        }
    }
    const char *paths[RIG_DISKS];
    disk_paths(rig, paths);
    rig->header = scratch_format(paths, RIG_DISKS, kind->block_bytes);
    cr_assert_eq(rig->header.layout.block_bytes, kind->block_bytes);
    rig_open_set(rig, true, &rig->set);
    rig->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    cr_assert(rig->wake_fd >= 0);
    rig_open_engine(&rig->set, rig->wake_fd, &rig->engine);
}

static void rig_done(struct rig *rig)
{
    disk_engine_close(rig->engine);
    disk_set_close(&rig->set);
    close(rig->wake_fd);
    for (int i = 0; i < RIG_DISKS && rig->kind->is_loop; i++) {
        scratch_loop_detach(&rig->loops[i]);
    }
    scratch_done();
}

static void run_kinds(void (*check)(struct rig *rig), bool is_loop_only)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (is_loop_only && !kinds[i].is_loop) {
            continue;
        }
        struct rig *rig = calloc(1, sizeof *rig);
        cr_assert(rig != NULL);
        rig_init(rig, &kinds[i]);
        check(rig);
        rig_done(rig);
        free(rig);
    }
}

void rig_each(void (*check)(struct rig *rig))
{
    run_kinds(check, false);
}

void rig_each_loop(void (*check)(struct rig *rig))
{
    run_kinds(check, true);
}

static struct block_place heartbeat_place(const struct rig *rig, uint32_t disk, uint32_t slot)
{
    return (struct block_place){
        .set_tag = set_header_tag(&rig->header), .disk = disk, .row = ROW_HEARTBEAT, .slot = slot};
}

const uint8_t *rig_block(const struct rig *rig, uint32_t disk, uint32_t slot, uint64_t counter)
{
    static _Thread_local uint8_t block[BLOCK_BYTES_MAX];
    struct block_place place = heartbeat_place(rig, disk, slot);
    struct heartbeat_block content = {.author = {.incarnation = slot + 1, .sequence = counter},
                                      .state = HEARTBEAT_READY,
                                      .counter = counter,
                                      .node_name = "rig"};
    block_encode_heartbeat(block, rig->header.layout.block_bytes, &place, &content);
    return block;
}

int64_t rig_counter(const struct rig *rig, uint32_t disk, const uint8_t *row, uint32_t slot)
{
    struct block_place place = heartbeat_place(rig, disk, slot);
    struct heartbeat_block content;
    uint32_t block_bytes = rig->header.layout.block_bytes;
    return block_decode_heartbeat(row + slot * block_bytes, block_bytes, &place, &content) ? (int64_t)content.counter
                                                                                           : -1;
}

void rig_queue(struct disk_engine *engine, enum disk_operation operation, uint32_t disk, uint32_t row, uint32_t slot,
               const uint8_t *block)
{
    struct disk_request request = {
        .operation = operation, .disk = disk, .row = row, .slot = slot, .block = block, .tag = disk};
    cr_assert_eq(disk_engine_queue(engine, &request), 0);
}

void rig_wait_one(struct disk_engine *engine, struct disk_completion *ret)
{
    while (!disk_engine_reap(engine, ret)) {
        cr_assert_eq(disk_engine_wait(engine, -1), 0);
    }
}

void rig_do(struct disk_engine *engine, enum disk_operation operation, uint32_t disk, uint32_t row, uint32_t slot,
            const uint8_t *block, struct disk_completion *ret)
{
    rig_queue(engine, operation, disk, row, slot, block);
    cr_assert_eq(disk_engine_submit(engine), 0);
    rig_wait_one(engine, ret);
    cr_assert_eq(ret->disk, disk);
    cr_assert_eq(ret->tag, disk);
}
