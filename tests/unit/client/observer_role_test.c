/*
 * Rules B1 and N1 as an observer keeps them, on rows written by hand: what is proven, what is not, and what is said of
 * a change that is under way.
 */
#include "fixture.h"
#include "hand.h"

#include "block/name.h"
#include "block/role_value.h"

#include <string.h>

static struct fixture fixture;
static struct set_header header;

static uint32_t row_of(const char *name, uint32_t probe)
{
    return hand_row_of(&header, name, probe);
}

static struct register_block accepted(uint64_t round, uint32_t slot, uint64_t committed, const char *name,
                                      uint64_t epoch)
{
    return hand_accepted(round, slot, committed, name, epoch);
}

static void put_on_disks(uint32_t disks, uint32_t row, uint32_t slot, struct register_block block)
{
    hand_put_register(&fixture, &header, disks, row, slot, &block);
}

/* ---- What the observer says -------------------------------------------------------------------------------------- */

static void expect_error(struct diskarch_observer *observer, const char *name, int expected)
{
    struct diskarch_role_status role;
    CHECK(diskarch_observer_role(observer, name, &role) == expected);
    CHECK(strstr(diskarch_observer_message(observer), name) != NULL);
}

static void expect_role(struct diskarch_observer *observer, const char *name, uint64_t epoch, bool is_settled)
{
    struct diskarch_role_status role;
    CHECK(diskarch_observer_role(observer, name, &role) == 0);
    CHECK(strcmp(role.name, name) == 0 && strcmp(role.holder_name, "hand") == 0 && role.is_held);
    CHECK(role.epoch == epoch && role.is_settled == is_settled);
}

static void test_commit_mark(struct diskarch_observer *observer)
{
    expect_error(observer, "marked", DISKARCH_ENONE);
    put_on_disks(2, row_of("marked", 0), 1, accepted(3, 1, 3, "marked", 7));
    expect_role(observer, "marked", 7, true);
}

/* B1 (b): no mark, but a majority shows the ballot and nobody promises above it. */
static void test_two_reads(struct diskarch_observer *observer)
{
    uint32_t row = row_of("twice", 0);
    put_on_disks(1, row, 1, accepted(3, 1, 0, "twice", 1));
    expect_error(observer, "twice", DISKARCH_EUNSETTLED);
    put_on_disks(2, row, 1, accepted(3, 1, 0, "twice", 1));
    expect_role(observer, "twice", 1, true);
}

/* A later ballot on one disk only: its fate is open, so the last value that a mark proves is told. */
static void test_change_under_way(struct diskarch_observer *observer)
{
    uint32_t row = row_of("moving", 0);
    put_on_disks(3, row, 1, accepted(3, 1, 3, "moving", 1));
    expect_role(observer, "moving", 1, true);
    put_on_disks(1, row, 2, accepted(4, 2, 0, "moving", 2));
    expect_role(observer, "moving", 1, false);

    struct diskarch_role_status roles[16];
    size_t count;
    bool is_seen = false;
    CHECK(diskarch_observer_roles(observer, roles, 16, &count) == 0);
    for (size_t i = 0; i < count; i++) {
        bool is_it = strcmp(roles[i].name, "moving") == 0;
        CHECK(!is_it || (roles[i].epoch == 1 && !roles[i].is_settled));
        is_seen = is_seen || is_it;
    }
    CHECK(is_seen);
    put_on_disks(3, row, 2, accepted(4, 2, 0, "moving", 2));
    expect_role(observer, "moving", 2, true);
}

/* A mark above what is accepted anywhere proves nothing: greater-or-equal would be wrong. */
static void test_mark_above(struct diskarch_observer *observer)
{
    uint32_t row = row_of("above", 0);
    struct register_block promise = {
        .author = {.incarnation = 102, .sequence = 1}, .promised = hand_ballot(9, 2), .committed = hand_ballot(8, 2)};
    put_on_disks(3, row, 1, accepted(3, 1, 0, "above", 1));
    put_on_disks(3, row, 2, promise);
    expect_error(observer, "above", DISKARCH_EUNSETTLED);
}

/* N1: a name whose own row has another name stands in the next one. */
static void test_probing(struct diskarch_observer *observer)
{
    put_on_disks(2, row_of("probed", 0), 1, accepted(1, 1, 1, "in the way", 1));
    put_on_disks(2, row_of("probed", 1), 1, accepted(1, 1, 1, "me too", 1));
    expect_error(observer, "probed", DISKARCH_ENONE);
    put_on_disks(2, row_of("probed", 2), 1, accepted(1, 1, 1, "probed", 5));
    expect_role(observer, "probed", 5, true);
}

static void test_other_kinds(struct diskarch_observer *observer)
{
    struct role_value value = {.kind = VALUE_REGISTER};
    struct register_block block = accepted(1, 1, 1, "number", 1);
    name_field_store((uint8_t *)value.name, "number");
    role_value_encode(block.value, &value);
    put_on_disks(3, row_of("number", 0), 1, block);
    expect_error(observer, "number", DISKARCH_EKIND);

    struct role_value forgotten = {.kind = VALUE_ROLE, .hold = ROLE_FORGOTTEN, .epoch = 9};
    name_field_store((uint8_t *)forgotten.name, "forgotten");
    block = accepted(1, 1, 1, "forgotten", 1);
    role_value_encode(block.value, &forgotten);
    put_on_disks(3, row_of("forgotten", 0), 1, block);
    expect_error(observer, "forgotten", DISKARCH_ENONE);
}

static void on_a_fresh_set(void (*test)(struct diskarch_observer *observer))
{
    fixture_make(&fixture);
    header = hand_read_header(&fixture);
    struct diskarch_observer *observer = fixture_observe(&fixture);
    test(observer);
    diskarch_observer_close(observer);
    fixture_remove(&fixture);
}

int main(void)
{
    on_a_fresh_set(test_commit_mark);
    on_a_fresh_set(test_two_reads);
    on_a_fresh_set(test_change_under_way);
    on_a_fresh_set(test_mark_above);
    on_a_fresh_set(test_probing);
    on_a_fresh_set(test_other_kinds);
    return 0;
}
