/*
 * T10 as an observer keeps it, on rows and heartbeats written by hand: only what the beacons list is read again, changes
 * are told once, and many quiet roles cost one row.
 */
#include "fixture.h"
#include "hand.h"

#include "block/name.h"
#include "block/role_value.h"
#include "client/observer.h"

#include <stdio.h>
#include <string.h>

enum { ROLES = 10000, ROOM = 2048 };

static struct fixture fixture;
static struct set_header header;
static struct diskarch_observer *observer;
static struct diskarch_role_status told[ROOM];
static size_t told_count;

static void set_up(uint32_t slots, uint32_t registers)
{
    fixture_make_of(&fixture, slots, registers);
    header = hand_read_header(&fixture);
    observer = fixture_observe(&fixture);
}

static void tear_down(void)
{
    diskarch_observer_close(observer);
    fixture_remove(&fixture);
}

static struct heartbeat_block heartbeat(uint32_t slot, uint64_t counter)
{
    struct heartbeat_block block = {
        .author = {.incarnation = 100 + slot, .sequence = counter}, .state = HEARTBEAT_READY, .counter = counter};
    name_field_store((uint8_t *)block.node_name, "hand");
    return block;
}

static void beat(struct heartbeat_block *block, uint32_t slot)
{
    block->counter++;
    block->author.sequence++;
    hand_put_heartbeat(&fixture, &header, FIXTURE_DISKS, slot, block);
}

static void list_change(struct heartbeat_block *block, uint32_t index)
{
    memmove(&block->beacon.changes[1], &block->beacon.changes[0], sizeof block->beacon.changes - sizeof(uint32_t));
    block->beacon.changes[0] = index + 1;
    block->beacon.buckets[index % BEACON_BUCKETS]++;
}

static void put_role(uint32_t index, const char *name, uint64_t epoch)
{
    struct register_block block = hand_accepted(epoch, 1, epoch, name, epoch);
    hand_put_register(&fixture, &header, 2, layout_register_row(&header.layout, index), 1, &block);
}

/* One look; how many rows it read. */
static uint64_t look(void)
{
    uint64_t before = observer->reader.rows_read;
    CHECK(diskarch_observer_changes(observer, told, ROOM, &told_count) == 0);
    return observer->reader.rows_read - before;
}

static void expect_told(const char *name, uint64_t epoch)
{
    CHECK(told_count == 1 && strcmp(told[0].name, name) == 0 && told[0].epoch == epoch);
}

/* What does not change costs one row; a change is looked at when it begins and when it is committed. */
static void test_listed_registers(void)
{
    set_up(4, 200);
    struct heartbeat_block node = heartbeat(1, 1);
    put_role(5, "five", 1);
    put_role(70, "seventy", 1);
    beat(&node, 1);
    CHECK(look() >= 200 && told_count == 2 && strcmp(told[1].name, "seventy") == 0);
    beat(&node, 1);
    CHECK(look() == 1); /* its holder is seen to live now */
    CHECK(told_count == 2 && told[0].liveness == DISKARCH_ALIVE);
    CHECK(look() == 1 && told_count == 0);

    list_change(&node, 70);
    beat(&node, 1);
    CHECK(look() == 2 && told_count == 0); /* it has not come to the disks yet */
    put_role(70, "seventy", 2);
    node.beacon.buckets[70 % BEACON_BUCKETS]++;
    beat(&node, 1);
    CHECK(look() == 2);
    expect_told("seventy", 2);
    beat(&node, 1);
    CHECK(look() == 1 && told_count == 0);
    tear_down();
}

/* More changes than the list holds: the bucket whose count they do not explain is read whole. */
static void test_bucket(void)
{
    set_up(4, 200);
    struct heartbeat_block node = heartbeat(1, 1);
    beat(&node, 1);
    look();
    list_change(&node, 3);
    put_role(3, "three", 1);
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        list_change(&node, 10 + i);
    }
    beat(&node, 1);
    uint64_t rows = look();
    fprintf(stderr, "a bucket of 4 and a list of %d: %llu rows\n", BEACON_CHANGES, (unsigned long long)rows);
    CHECK(rows == 1 + BEACON_CHANGES + 4);
    expect_told("three", 1);
    tear_down();
}

static void test_forgotten(void)
{
    set_up(4, 64);
    struct heartbeat_block node = heartbeat(1, 1);
    put_role(9, "nine", 3);
    beat(&node, 1);
    look();
    expect_told("nine", 3);

    struct role_value value = {.kind = VALUE_ROLE, .hold = ROLE_FORGOTTEN, .epoch = 3};
    struct register_block block = hand_accepted(4, 1, 4, "nine", 3);
    name_field_store((uint8_t *)value.name, "nine");
    role_value_encode(block.value, &value);
    hand_put_register(&fixture, &header, 2, layout_register_row(&header.layout, 9), 1, &block);
    list_change(&node, 9);
    beat(&node, 1);
    look();
    expect_told("nine", 3);
    CHECK(told[0].is_forgotten);
    look();
    CHECK(told_count == 0);

    put_role(9, "nine", 5);
    list_change(&node, 9);
    beat(&node, 1);
    look();
    expect_told("nine", 5);
    CHECK(!told[0].is_forgotten);
    tear_down();
}

/* A change that only one disk has seen is not told; the row is read again until it is settled. */
static void test_change_under_way(void)
{
    set_up(4, 64);
    struct heartbeat_block node = heartbeat(1, 1);
    put_role(9, "nine", 1);
    beat(&node, 1);
    look();
    struct register_block later = hand_accepted(2, 1, 1, "nine", 2);
    hand_put_register(&fixture, &header, 1, layout_register_row(&header.layout, 9), 1, &later);
    list_change(&node, 9);
    beat(&node, 1);
    for (int i = 0; i < 4; i++) {
        look();
        for (size_t k = 0; k < told_count; k++) {
            CHECK(told[k].epoch == 1); /* its holder was seen to move */
        }
    }
    CHECK(look() > 1 && told_count == 0);
    put_role(9, "nine", 2);
    look();
    expect_told("nine", 2);
    CHECK(told[0].is_settled);
    tear_down();
}

/* Another incarnation in the slot of one that was not seen to leave: what that one did last is unknown. */
static void test_replaced(void)
{
    set_up(4, 64);
    struct heartbeat_block node = heartbeat(1, 1);
    beat(&node, 1);
    look();
    look();
    CHECK(look() == 1);
    put_role(30, "unseen", 1);
    node.author.incarnation = 4711;
    beat(&node, 1);
    CHECK(look() > 64);
    expect_told("unseen", 1);
    tear_down();
}

/* What does not fit is told by the next call. */
static void test_little_room(void)
{
    set_up(4, 64);
    put_role(1, "a", 1);
    put_role(2, "b", 1);
    put_role(3, "c", 1);
    CHECK(diskarch_observer_changes(observer, told, 2, &told_count) == 0 && told_count == 2);
    CHECK(strcmp(told[0].name, "a") == 0 && strcmp(told[1].name, "b") == 0);
    CHECK(diskarch_observer_changes(observer, told, 2, &told_count) == 0);
    expect_told("c", 1);
    CHECK(diskarch_observer_changes(observer, told, 0, &told_count) == 0 && told_count == 0);
    tear_down();
}

/* D7: what a node says of a disk binds the observer, who names that node; two such disks leave no majority. */
static void test_counted_out(void)
{
    set_up(4, 64);
    struct diskarch_disk_status disks[FIXTURE_DISKS];
    struct heartbeat_block node = heartbeat(1, 1);
    node.counted_out = 1U << 2;
    beat(&node, 1);
    look();
    CHECK(diskarch_observer_disks(observer, disks, FIXTURE_DISKS) == FIXTURE_DISKS);
    CHECK(disks[2].state == DISKARCH_DISK_OUT && strstr(disks[2].reason, "node hand") != NULL);
    CHECK(disks[0].state != DISKARCH_DISK_OUT && disks[1].state != DISKARCH_DISK_OUT);
    node.counted_out |= 1U;
    beat(&node, 1);
    CHECK(diskarch_observer_poll(observer) == DISKARCH_ENOQUORUM);
    CHECK(strstr(diskarch_observer_message(observer), "back in time") != NULL);
    CHECK(diskarch_observer_changes(observer, told, ROOM, &told_count) == DISKARCH_ENOQUORUM);
    tear_down();
}

static void test_slow_disk(void)
{
    set_up(4, 64);
    struct diskarch_disk_status disks[FIXTURE_DISKS];
    CHECK(diskarch_observer_poll(observer) == 0);
    for (int i = 0; i < FIXTURE_DISKS; i++) {
        observer->reader.disks[i].latency_ns = header.timings.io_deadline_ns / 2 + (i == 1);
    }
    CHECK(diskarch_observer_disks(observer, disks, FIXTURE_DISKS) == FIXTURE_DISKS);
    CHECK(disks[0].state == DISKARCH_DISK_GOOD && disks[0].reason[0] == '\0');
    CHECK(disks[1].state == DISKARCH_DISK_SLOW && strstr(disks[1].reason, "io deadline") != NULL);
    CHECK(disks[2].state == DISKARCH_DISK_GOOD);
    tear_down();
}

static void test_many_quiet_roles(void)
{
    set_up(2, ROLES);
    char name[32];
    for (uint32_t i = 0; i < ROLES; i++) {
        snprintf(name, sizeof name, "role %u", i);
        put_role(i, name, 1);
    }
    struct heartbeat_block node = heartbeat(1, 1);
    size_t sum = 0;
    for (int i = 0; sum < ROLES; i++) {
        look();
        CHECK(told_count > 0 && i < ROLES);
        sum += told_count;
    }
    CHECK(sum == ROLES);
    for (int i = 0; i < 10; i++) {
        beat(&node, 0); /* somebody without a role */
        CHECK(look() == 1 && told_count == 0);
    }
    tear_down();
}

int main(void)
{
    test_listed_registers();
    test_bucket();
    test_forgotten();
    test_change_under_way();
    test_replaced();
    test_little_room();
    test_counted_out();
    test_slow_disk();
    test_many_quiet_roles();
    return 0;
}
