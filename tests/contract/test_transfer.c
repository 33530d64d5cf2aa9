/* The port's contract: what is written is read, in that order, durably, for all disks at once. */
#include "rig.h"

#include "disk/engine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static void exchange_reads_own_write_back(struct rig *rig)
{
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        const uint8_t *block = rig_block(rig, disk, 3, 7);
        struct disk_completion done;
        rig_do(rig->engine, DISK_EXCHANGE, disk, ROW_HEARTBEAT, 3, block, &done);
        cr_assert_eq(done.write_error, 0);
        cr_assert_eq(done.read_error, 0);
        cr_assert_eq(memcmp(done.bytes + 3 * rig->kind->block_bytes, block, rig->kind->block_bytes), 0);
        for (uint32_t slot = 0; slot < SCRATCH_SLOTS; slot++) {
            cr_assert_eq(rig_counter(rig, disk, done.bytes, slot), slot == 3 ? 7 : 0);
        }
        disk_engine_release(rig->engine, done.request);
    }
    cr_assert_eq(disk_engine_in_flight(rig->engine), 0);
}

Test(contract, D3_an_exchange_reads_its_own_write_back)
{
    rig_each(exchange_reads_own_write_back);
}

static void write_is_seen_by_others(struct rig *rig)
{
    struct disk_completion done;
    rig_do(rig->engine, DISK_WRITE, 1, ROW_HEARTBEAT, 5, rig_block(rig, 1, 5, 11), &done);
    cr_assert_eq(done.write_error, 0);
    cr_assert_eq(done.read_error, 0);
    cr_assert_null(done.bytes);
    disk_engine_release(rig->engine, done.request);

    struct rig_host other;
    rig_open_host(rig, RIG_NO_DISK, &other);
    rig_do(other.engine, DISK_READ, 1, ROW_HEARTBEAT, 0, NULL, &done);
    cr_assert_eq(done.write_error, 0);
    cr_assert_eq(done.read_error, 0);
    cr_assert_eq(rig_counter(rig, 1, done.bytes, 5), 11);
    disk_engine_release(other.engine, done.request);
    rig_close_host(&other);
}

Test(contract, a_write_is_seen_by_another_engine)
{
    rig_each(write_is_seen_by_others);
}

static void header_is_read(struct rig *rig)
{
    struct disk_completion done;
    rig_do(rig->engine, DISK_HEADER, 2, 0, 0, NULL, &done);
    cr_assert_eq(done.read_error, 0);
    struct set_header header;
    cr_assert_eq(set_header_decode(done.bytes, &header), HEADER_OK);
    cr_assert_eq(header.disk_index, 2);
    disk_engine_release(rig->engine, done.request);
}

Test(contract, the_header_is_read)
{
    rig_each(header_is_read);
}

static void nothing_before_submit(struct rig *rig)
{
    uint64_t before = rig_checksum(rig, 0);
    rig_queue(rig->engine, DISK_EXCHANGE, 0, ROW_HEARTBEAT, 1, rig_block(rig, 0, 1, 1));
    cr_assert_eq(disk_engine_wait(rig->engine, 20 * NS_PER_MS), 0);
    struct disk_completion done;
    cr_assert_not(disk_engine_reap(rig->engine, &done));
    cr_assert_eq(rig_checksum(rig, 0), before);
    cr_assert_eq(disk_engine_in_flight(rig->engine), 1);
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    rig_wait_one(rig->engine, &done);
    cr_assert_neq(rig_checksum(rig, 0), before);
    disk_engine_release(rig->engine, done.request);
}

Test(contract, nothing_is_sent_before_submit)
{
    rig_each(nothing_before_submit);
}

static void one_submission(struct rig *rig)
{
    uint64_t before = rig->engine->submissions;
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        for (uint32_t i = 0; i < RIG_DEPTH; i++) {
            rig_queue(rig->engine, DISK_EXCHANGE, disk, ROW_HEARTBEAT, i, rig_block(rig, disk, i, 1));
        }
    }
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    uint32_t seen[RIG_DISKS] = {0};
    for (uint32_t i = 0; i < RIG_DISKS * RIG_DEPTH; i++) {
        struct disk_completion done;
        rig_wait_one(rig->engine, &done);
        cr_assert_eq(done.write_error, 0);
        cr_assert_eq(done.read_error, 0);
        seen[done.disk]++;
        disk_engine_release(rig->engine, done.request);
    }
    for (uint32_t disk = 0; disk < RIG_DISKS; disk++) {
        cr_assert_eq(seen[disk], RIG_DEPTH);
    }
    cr_assert_eq(rig->engine->submissions, before + 1);
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    cr_assert_eq(rig->engine->submissions, before + 1, "nothing queued, nothing submitted");
}

Test(contract, one_submission_serves_all_disks)
{
    rig_each(one_submission);
}

static void depth_is_a_limit(struct rig *rig)
{
    struct disk_request request = {.operation = DISK_READ, .disk = 0, .row = ROW_CLAIM};
    for (int i = 0; i < RIG_DEPTH; i++) {
        cr_assert_eq(disk_engine_queue(rig->engine, &request), 0);
    }
    cr_assert_eq(disk_engine_queue(rig->engine, &request), -EBUSY);
    struct disk_request elsewhere = {.operation = DISK_READ, .disk = 1, .row = ROW_CLAIM};
    cr_assert_eq(disk_engine_queue(rig->engine, &elsewhere), 0, "one busy disk leaves the others alone");
    cr_assert_eq(disk_engine_submit(rig->engine), 0);
    struct disk_completion done[RIG_DEPTH + 1];
    for (int i = 0; i < RIG_DEPTH + 1; i++) {
        rig_wait_one(rig->engine, &done[i]);
    }
    cr_assert_eq(disk_engine_queue(rig->engine, &request), -EBUSY, "reaped buffers are still lent out");
    cr_assert_eq(disk_engine_in_flight(rig->engine), RIG_DEPTH + 1);
    for (int i = 0; i < RIG_DEPTH + 1; i++) {
        disk_engine_release(rig->engine, done[i].request);
    }
    cr_assert_eq(disk_engine_in_flight(rig->engine), 0);
    struct disk_completion last;
    rig_do(rig->engine, DISK_READ, 0, ROW_CLAIM, 0, NULL, &last);
    disk_engine_release(rig->engine, last.request);
}

Test(contract, depth_is_a_limit_until_release)
{
    rig_each(depth_is_a_limit);
}

/* ---- Many ----------------------------------------------------------------------------------------------------------- */

/* As rule D1 has it: one write in flight per disk and block. */
struct traffic {
    uint64_t sent[RIG_DISKS];
    bool is_under_way[RIG_DISKS][SCRATCH_SLOTS];
    uint64_t received;
};

static void send_some(struct rig *rig, struct traffic *traffic, uint32_t disk)
{
    for (uint64_t i = 0; i <= traffic->sent[disk] % RIG_DEPTH; i++) {
        uint64_t number = traffic->sent[disk] + 1;
        uint32_t slot = (uint32_t)(number % SCRATCH_SLOTS);
        struct disk_request request = {.operation = DISK_EXCHANGE,
                                       .disk = disk,
                                       .row = ROW_HEARTBEAT,
                                       .slot = slot,
                                       .block = rig_block(rig, disk, slot, number),
                                       .tag = number};
        if (traffic->is_under_way[disk][slot] || disk_engine_queue(rig->engine, &request) != 0) {
            return;
        }
        traffic->is_under_way[disk][slot] = true;
        traffic->sent[disk] = number;
    }
}

static void receive_all(struct rig *rig, struct traffic *traffic)
{
    for (struct disk_completion done; disk_engine_reap(rig->engine, &done);) {
        uint32_t slot = (uint32_t)(done.tag % SCRATCH_SLOTS);
        cr_assert_eq(done.write_error, 0);
        cr_assert_eq(done.read_error, 0);
        cr_assert_eq(rig_counter(rig, done.disk, done.bytes, slot), (int64_t)done.tag);
        traffic->is_under_way[done.disk][slot] = false;
        traffic->received++;
        disk_engine_release(rig->engine, done.request);
    }
}

/* Keeps the buffers in use, in an order that shifts, and checks each answer against what was sent. */
static void buffers_are_not_mixed_up(struct rig *rig)
{
    struct traffic traffic = {0};
    while (traffic.received < 600 || disk_engine_in_flight(rig->engine) > 0) {
        for (uint32_t disk = 0; disk < RIG_DISKS && traffic.received < 600; disk++) {
            send_some(rig, &traffic, disk);
        }
        cr_assert_eq(disk_engine_submit(rig->engine), 0);
        cr_assert_eq(disk_engine_wait(rig->engine, -1), 0);
        receive_all(rig, &traffic);
    }
    cr_assert_eq(traffic.received, traffic.sent[0] + traffic.sent[1] + traffic.sent[2]);
}

Test(contract, buffers_are_not_mixed_up)
{
    rig_each(buffers_are_not_mixed_up);
}
