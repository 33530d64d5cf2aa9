#include "rig.h"

#include "block/block.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static bool is_any(const struct rig_kind *kind)
{
    (void)kind;
    return true;
}

static bool can_fail(const struct rig_kind *kind)
{
    return kind->can_fail;
}

static bool is_loop(const struct rig_kind *kind)
{
    return kind->is_loop;
}

static void run_kinds(void (*check)(struct rig *rig), bool (*is_wanted)(const struct rig_kind *kind))
{
    unsigned run = 0;
    for (const struct rig_kind *kind = rig_kinds; kind->name != NULL; kind++) {
        if (!is_wanted(kind)) {
            continue;
        }
        struct rig *rig = calloc(1, sizeof *rig);
        cr_assert(rig != NULL);
        rig->kind = kind;
        rig->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        cr_assert(rig->wake_fd >= 0);
        rig_make(rig);
        rig_check_engine(rig->engine);
        check(rig);
        rig_unmake(rig);
        close(rig->wake_fd);
        free(rig);
        run++;
    }
    cr_assert_gt(run, 0, "a test that ran on no disk has shown nothing");
}

void rig_each(void (*check)(struct rig *rig))
{
    run_kinds(check, is_any);
}

void rig_each_failing(void (*check)(struct rig *rig))
{
    run_kinds(check, can_fail);
}

void rig_each_loop(void (*check)(struct rig *rig))
{
    run_kinds(check, is_loop);
}

enum disk_engine_kind rig_engine_kind(void)
{
    const char *name = getenv("DISKARCH_ENGINE");
    cr_assert(name != NULL, "DISKARCH_ENGINE must name the engine under test");
    if (strcmp(name, "simulated") == 0) {
        return DISK_ENGINE_SIMULATED;
    }
    enum disk_engine_kind kind = DISK_ENGINE_AUTO;
    cr_assert(disk_engine_kind_parse(name, &kind) && kind != DISK_ENGINE_AUTO, "DISKARCH_ENGINE: %s", name);
    return kind;
}

void rig_check_engine(const struct disk_engine *engine)
{
    cr_assert_str_eq(disk_engine_name(engine), getenv("DISKARCH_ENGINE"));
    cr_assert_eq(disk_engine_kind(engine), rig_engine_kind());
    cr_assert_str_eq(disk_engine_warning(engine), "");
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
