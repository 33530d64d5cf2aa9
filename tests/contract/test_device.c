/*
 * The port's contract on real devices and files, beyond what every disk can show: durability, two hosts at once, rows of
 * which parts cannot be read, disks that hang.
 */
#include "hanging.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t heartbeat_offset(const struct rig *rig, uint32_t slot)
{
    return layout_offset(&rig->header.layout, ROW_HEARTBEAT, slot);
}

/* ---- Bytes on the device ---------------------------------------------------------------------------------------------- */

static void range_is_read(struct rig *rig)
{
    uint32_t block_bytes = rig->header.layout.block_bytes;
    struct disk_completion done;
    rig_do(rig->engine, DISK_WRITE, 0, ROW_HEARTBEAT, 5, rig_block(rig, 0, 5, 7), &done);
    disk_engine_release(rig->engine, done.request);
    struct disk_request request = {
        .operation = DISK_RANGE, .disk = 0, .offset = heartbeat_offset(rig, 5), .bytes = 2 * block_bytes, .tag = 0};
    cr_assert_eq(disk_engine_queue(rig->engine, &request), 0);
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    rig_wait_one(rig->engine, &done);
    cr_assert_eq(done.read_error, 0);
    cr_assert_eq(memcmp(done.bytes, rig_block(rig, 0, 5, 7), block_bytes), 0);
    disk_engine_release(rig->engine, done.request);
    /* Beyond the end of the device: no bytes, and no repair of what is no row. */
    request.offset = layout_bytes(&rig->header.layout) + (1 << 20);
    cr_assert_eq(disk_engine_queue(rig->engine, &request), 0);
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    rig_wait_one(rig->engine, &done);
    cr_assert_eq(done.read_error, -ENODATA);
    cr_assert_null(done.bytes);
    disk_engine_release(rig->engine, done.request);
}

Test(contract_device, a_range_is_read)
{
    rig_each(range_is_read);
}

/* Flush requests that the kernel has sent to the device below a loop device. */
static unsigned long flushes(const struct scratch_loop *loop)
{
    char path[64];
    unsigned long fields[17] = {0};
    snprintf(path, sizeof path, "/sys/block/%s/stat", loop->path + strlen("/dev/"));
    FILE *file = fopen(path, "re");
    cr_assert(file != NULL, "%s", path);
    for (int i = 0; i < 16; i++) {
        cr_assert_eq(fscanf(file, "%lu", &fields[i]), 1);
    }
    fclose(file);
    return fields[15];
}

static void writes_are_durable(struct rig *rig)
{
    enum { WRITES = 20 };
    unsigned long before = flushes(&rig->loops[0]);
    for (uint64_t i = 1; i <= WRITES; i++) {
        struct disk_completion done;
        rig_do(rig->engine, DISK_EXCHANGE, 0, ROW_HEARTBEAT, 0, rig_block(rig, 0, 0, i), &done);
        cr_assert_eq(done.write_error, 0);
        disk_engine_release(rig->engine, done.request);
    }
    unsigned long between = flushes(&rig->loops[0]);
    cr_assert_geq(between - before, WRITES, "%lu flushes for %d writes", between - before, WRITES);
}

Test(contract_device, D4_every_write_is_flushed_before_it_is_acknowledged)
{
    rig_each_loop(writes_are_durable);
}

/* ---- Order ---------------------------------------------------------------------------------------------------------- */

enum { ROUNDS = 300 };

struct writer {
    struct rig *rig;
    uint32_t slot;
    struct rig_host host;
    pthread_barrier_t *start;
    int64_t seen[ROUNDS]; /* what the other's block showed in each round */
};

static void *exchange_in_rounds(void *argument)
{
    struct writer *writer = argument;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(writer->start);
        struct disk_completion done;
        rig_do(writer->host.engine, DISK_EXCHANGE, 0, ROW_HEARTBEAT, writer->slot,
               rig_block(writer->rig, 0, writer->slot, round + 1), &done);
        cr_assert_eq(done.write_error, 0);
        cr_assert_eq(done.read_error, 0);
        cr_assert_eq(rig_counter(writer->rig, 0, done.bytes, writer->slot), (int64_t)round + 1);
        writer->seen[round] = rig_counter(writer->rig, 0, done.bytes, 1 - writer->slot);
        disk_engine_release(writer->host.engine, done.request);
    }
    return NULL;
}

/* Two hosts write, then read, at once: whoever wrote second must see the first. Were one read to pass its write, there
 * would be a round in which neither saw the other. */
static void one_of_two_sees_the_other(struct rig *rig)
{
    struct writer *writers = calloc(2, sizeof *writers);
    pthread_barrier_t start;
    pthread_t threads[2];
    pthread_barrier_init(&start, NULL, 2);
    for (uint32_t i = 0; i < 2; i++) {
        writers[i] = (struct writer){.rig = rig, .slot = i, .start = &start};
        rig_open_host(rig, RIG_NO_DISK, &writers[i].host);
    }
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, exchange_in_rounds, &writers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        rig_close_host(&writers[i].host);
    }
    for (int64_t round = 0; round < ROUNDS; round++) {
        cr_assert(writers[0].seen[round] >= round + 1 || writers[1].seen[round] >= round + 1,
                  "%s: in round %ld neither host saw the other", rig->kind->name, (long)round);
    }
    pthread_barrier_destroy(&start);
    free(writers);
}

Test(contract_device, D3_of_two_hosts_at_once_one_sees_the_other)
{
    rig_each(one_of_two_sees_the_other);
}

/* ---- Writes that fail ------------------------------------------------------------------------------------------------ */

static void write_through_read_only_descriptor(struct rig *rig)
{
    struct disk_set *set = calloc(1, sizeof *set);
    struct disk_engine *engine;
    rig_open_set(rig, false, set);
    rig_open_engine(set, -1, &engine);
    uint64_t before = scratch_checksum(rig->files[0]);
    struct disk_completion done;
    rig_do(engine, DISK_EXCHANGE, 0, ROW_HEARTBEAT, 0, rig_block(rig, 0, 0, 9), &done);
    cr_assert_eq(done.write_error, -EBADF);
    cr_assert_eq(done.read_error, -ECANCELED);
    disk_engine_release(engine, done.request);
    cr_assert_eq(scratch_checksum(rig->files[0]), before);
    rig_do(engine, DISK_READ, 0, ROW_HEARTBEAT, 0, NULL, &done);
    cr_assert_eq(done.read_error, 0);
    disk_engine_release(engine, done.request);
    disk_engine_close(engine);
    disk_set_close(set);
    free(set);
}

Test(contract_device, D3_a_descriptor_that_cannot_write_reads_on)
{
    rig_each(write_through_read_only_descriptor);
}

/* ---- Reads that fail ------------------------------------------------------------------------------------------------- */

/* One bad disk in a submission must not take the others' requests with it. */
static void truncated_among_others(struct rig *rig)
{
    cr_assert_eq(truncate(rig->files[1], 0), 0);
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        rig_queue(rig->engine, DISK_READ, disk, ROW_HEARTBEAT, 0, NULL);
    }
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    for (int i = 0; i < RIG_DISKS; i++) {
        struct disk_completion done;
        rig_wait_one(rig->engine, &done);
        cr_assert_eq(done.read_error == 0, done.disk != 1, "disk %u: %d", done.disk, done.read_error);
        disk_engine_release(rig->engine, done.request);
    }
}

Test(contract_device, a_truncated_disk_leaves_the_others_alone)
{
    rig_each(truncated_among_others);
}

static void truncated_disk(struct rig *rig)
{
    cr_assert_eq(truncate(rig->files[0], 0), 0);
    int expected = rig->kind->is_loop ? -EIO : -ENODATA;
    struct disk_completion done;
    rig_do(rig->engine, DISK_READ, 0, ROW_HEARTBEAT, 0, NULL, &done);
    cr_assert_eq(done.read_error, expected, "%s: %d", rig->kind->name, done.read_error);
    cr_assert_null(done.bytes);
    disk_engine_release(rig->engine, done.request);
    rig_do(rig->engine, DISK_HEADER, 0, 0, 0, NULL, &done);
    cr_assert_eq(done.read_error, expected, "%s: %d", rig->kind->name, done.read_error);
    disk_engine_release(rig->engine, done.request);
}

Test(contract_device, a_truncated_disk_fails_its_reads)
{
    rig_each(truncated_disk);
}

/* A loop device reads as far as its file reaches and fails beyond: a row with good and bad blocks. */
static void half_readable_row(struct rig *rig)
{
    enum { GOOD = 5 };
    struct disk_completion done;
    for (uint32_t slot = 0; slot < SCRATCH_SLOTS; slot++) {
        rig_do(rig->engine, DISK_EXCHANGE, 0, ROW_HEARTBEAT, slot, rig_block(rig, 0, slot, slot + 1), &done);
        disk_engine_release(rig->engine, done.request);
    }
    /* The buffer now holds a whole row, of which nothing may be left where reading fails. */
    cr_assert_eq(truncate(rig->files[0], (off_t)heartbeat_offset(rig, GOOD)), 0);
    for (int i = 0; i < 2; i++) {
        rig_do(rig->engine, i == 0 ? DISK_READ : DISK_EXCHANGE, 0, ROW_HEARTBEAT, 2, rig_block(rig, 0, 2, 3), &done);
        cr_assert_eq(done.write_error, 0);
        cr_assert_eq(done.read_error, 0);
        for (uint32_t slot = 0; slot < SCRATCH_SLOTS; slot++) {
            cr_assert_eq(rig_counter(rig, 0, done.bytes, slot), slot < GOOD ? (int64_t)slot + 1 : -1);
        }
        disk_engine_release(rig->engine, done.request);
    }
    cr_assert_eq(disk_engine_in_flight(rig->engine), 0);
}

Test(contract_device, D9_only_the_blocks_that_fail_are_damaged)
{
    rig_each_loop(half_readable_row);
}

/* All buffers repair at once: the ring has room for that. */
static void many_half_readable_rows(struct rig *rig)
{
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        cr_assert_eq(truncate(rig->files[disk], (off_t)heartbeat_offset(rig, 1)), 0);
        for (int i = 0; i < RIG_DEPTH; i++) {
            rig_queue(rig->engine, DISK_READ, disk, ROW_HEARTBEAT, 0, NULL);
        }
    }
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    for (int i = 0; i < RIG_DISKS * RIG_DEPTH; i++) {
        struct disk_completion done;
        rig_wait_one(rig->engine, &done);
        cr_assert_eq(done.read_error, 0);
        cr_assert_eq(rig_counter(rig, done.disk, done.bytes, 0), 0);
        cr_assert_eq(rig_counter(rig, done.disk, done.bytes, 1), -1);
        disk_engine_release(rig->engine, done.request);
    }
}

Test(contract_device, D9_every_buffer_can_be_repaired_at_once)
{
    rig_each_loop(many_half_readable_rows);
}

/* ---- A disk that hangs ------------------------------------------------------------------------------------------------ */

/* Reads are not held up here, so a read that did not wait for its write would show the row as it was before. */
Test(contract_device, D3_a_read_waits_for_a_write_that_hangs)
{
    struct hanging_rig *hanging = hanging_new();
    struct rig *rig = &hanging->rig;
    pid_t rescuer = hanging_freeze(hanging);
    rig_queue(rig->engine, DISK_EXCHANGE, 2, ROW_HEARTBEAT, 1, rig_block(rig, 2, 1, 5));
    int submitted = disk_engine_submit(rig->engine);
    disk_engine_wait(rig->engine, 50 * NS_PER_MS);
    struct disk_completion done;
    bool is_hung = !disk_engine_reap(rig->engine, &done);
    hanging_thaw(hanging, rescuer);
    cr_assert_eq(submitted, 0);
    cr_assert(is_hung);
    rig_wait_one(rig->engine, &done);
    cr_assert_eq(done.write_error, 0);
    cr_assert_eq(done.read_error, 0);
    cr_assert_eq(rig_counter(rig, 2, done.bytes, 1), 5);
    disk_engine_release(rig->engine, done.request);
    hanging_free(hanging);
}

/* What the process did while one disk hung; judged only after the thaw. */
struct hung_record {
    int submitted;
    bool is_hung;
    uint32_t left;
    uint32_t later_present;
    char later_reason[256];
    int later_write_error;
    int64_t later_counter;
};

/* All disks are asked, two answer; the engine is closed, set and engine are opened again in the same process and used. */
static struct hung_record leave_and_go_on(struct hanging_rig *hanging)
{
    struct rig *rig = &hanging->rig;
    struct hung_record record;
    struct disk_completion done;
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        rig_queue(rig->engine, DISK_EXCHANGE, disk, ROW_HEARTBEAT, 1, rig_block(rig, disk, 1, 5));
    }
    record.submitted = disk_engine_submit(rig->engine);
    for (int i = 0; i < RIG_DISKS - 1 && record.submitted == 0; i++) {
        rig_wait_one(rig->engine, &done);
        disk_engine_release(rig->engine, done.request);
    }
    disk_engine_wait(rig->engine, 50 * NS_PER_MS);
    record.is_hung = !disk_engine_reap(rig->engine, &done);
    record.left = disk_engine_in_flight(rig->engine);
    hanging_close(hanging);
    hanging_open(hanging);
    record.later_present = rig->set.present_count;
    snprintf(record.later_reason, sizeof record.later_reason, "%s", rig->set.unplaced_reason[0]);
    rig_do(rig->engine, DISK_EXCHANGE, 0, ROW_HEARTBEAT, 2, rig_block(rig, 0, 2, 6), &done);
    record.later_write_error = done.write_error;
    record.later_counter = done.bytes == NULL ? -1 : rig_counter(rig, 0, done.bytes, 2);
    disk_engine_release(rig->engine, done.request);
    return record;
}

Test(contract_device, D2_an_engine_can_be_left_while_the_kernel_holds_its_buffers)
{
    struct hanging_rig *hanging = hanging_new();
    struct rig *rig = &hanging->rig;
    pid_t rescuer = hanging_freeze(hanging);
    struct hung_record record = leave_and_go_on(hanging);
    hanging_thaw(hanging, rescuer);
    cr_assert_eq(record.submitted, 0);
    cr_assert(record.is_hung);
    cr_assert_eq(record.left, 1);
    cr_assert_eq(record.later_present, RIG_DISKS - 1, "a disk that hangs is absent");
    cr_assert_str_eq(record.later_reason, "it does not answer");
    cr_assert_eq(record.later_write_error, 0);
    cr_assert_eq(record.later_counter, 6);
    /* The write that hung lands after all, with the bytes it was given. */
    hanging_close(hanging);
    hanging_open(hanging);
    int64_t landed = 0;
    while (landed == 0) {
        struct disk_completion done;
        rig_do(rig->engine, DISK_READ, 2, ROW_HEARTBEAT, 0, NULL, &done);
        landed = rig_counter(rig, 2, done.bytes, 1);
        disk_engine_release(rig->engine, done.request);
    }
    cr_assert_eq(landed, 5);
    hanging_free(hanging);
}
