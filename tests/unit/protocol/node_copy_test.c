/* A copy of a node in the middle of its life is the same node: given the same events, it takes the same actions. */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { COPIED_EVERY = 23, STEPS_MIN = 1000 };

/* A copy of node 0 that lives beside it, and is made anew from time to time. */
struct twin {
    struct rig *rig;
    void *memory;
    struct node *node; /* NULL before the first copy */
    uint32_t steps;
    uint32_t busy_copies; /* made with requests to register rows in flight */
};

static bool is_busy(const struct twin *twin)
{
    uint32_t first = 2 + layout_ledger_rows(&twin->rig->header.layout);
    for (uint32_t i = 0; i < RIG_REQUESTS_MAX; i++) {
        const struct rig_request *request = &twin->rig->nodes[0].requests[i];
        if (request->is_used && request->action.row >= first) {
            return true;
        }
    }
    return false;
}

static void expect_same_io(const struct io_action *a, const struct io_action *b)
{
    cr_assert_eq(a->operation, b->operation);
    cr_assert_eq(a->disk, b->disk);
    cr_assert_eq(a->row, b->row);
    cr_assert_eq(a->slot, b->slot);
    cr_assert_eq(a->tag, b->tag);
    cr_assert_eq(a->block == NULL, b->block == NULL);
    if (a->block != NULL) {
        cr_assert_neq(a->block, b->block, "a copy writes from its own memory");
        cr_assert_arr_eq(a->block, b->block, RIG_BLOCK_BYTES);
    }
}

static void expect_same(const struct actions *a, const struct actions *b)
{
    cr_assert_eq(a->io_count, b->io_count);
    for (uint32_t i = 0; i < a->io_count; i++) {
        expect_same_io(&a->ios[i], &b->ios[i]);
    }
    cr_assert_eq(a->notice_count, b->notice_count);
    for (uint32_t i = 0; i < a->notice_count; i++) {
        cr_assert_eq(memcmp(&a->notices[i], &b->notices[i], sizeof a->notices[i]), 0);
    }
    cr_assert_eq(a->wake_fast_ns, b->wake_fast_ns);
    cr_assert_eq(a->wake_slow_ns, b->wake_slow_ns);
}

static void take_step(void *context, uint32_t node, const struct event *event, const struct actions *actions)
{
    struct twin *twin = context;
    const struct rig_node *original = &twin->rig->nodes[0];
    if (node != 0) {
        return;
    }
    if (twin->node != NULL) {
        struct actions own;
        node_step(twin->node, event, &own);
        expect_same(actions, &own);
    }
    if (twin->steps++ % COPIED_EVERY == 0) {
        twin->busy_copies += is_busy(twin);
        node_copy(original->node, twin->memory);
        twin->node = node_adopt(twin->memory, &original->params);
    }
}

static void lose_and_regain(struct rig *rig, uint32_t disk, enum rig_disk_mode mode)
{
    rig->disks[disk].mode = mode;
    rig_run(rig, 30 * NS_PER_S);
    rig->disks[disk].mode = RIG_RUNS;
    rig_run(rig, 30 * NS_PER_S);
}

static void change_roles(struct rig *rig, uint32_t round)
{
    char name[] = "role a";
    name[5] = (char)('a' + round % 3);
    rig_campaign(rig, 0, round % 3, name);
    rig_run(rig, 2 * NS_PER_S);
    rig_publish(rig, 0, round % 3, "payload");
    rig_call(rig, 0,
             (struct call_command){
                 .call = 0, .verb = CALL_SET, .name = "note", .bytes = (const uint8_t *)name, .byte_count = 6});
    rig_campaign(rig, 1, round % 3, name);
    rig_run(rig, 2 * NS_PER_S);
    rig_resign(rig, 0, round % 3);
    rig_run(rig, 2 * NS_PER_S);
    rig_resign(rig, 1, round % 3);
    rig_run(rig, 2 * NS_PER_S);
}

Test(node_copy, a_copy_takes_the_same_actions)
{
    static struct rig rig;
    rig_init(&rig, 3);
    rig_join(&rig, 0);
    rig_join(&rig, 1);
    struct twin twin = {.rig = &rig, .memory = malloc(node_bytes(&rig.nodes[0].params))};
    cr_assert_not_null(twin.memory);
    rig.tap = take_step;
    rig.tap_context = &twin;
    for (uint32_t round = 0; round < 4; round++) {
        change_roles(&rig, round);
        lose_and_regain(&rig, round % 3, round % 2 == 0 ? RIG_FAILS : RIG_HOLDS);
        change_roles(&rig, round + 1);
    }
    cr_assert_gt(rig_notice_count(&rig, 0, NOTICE_LEADER), 4U);
    cr_assert_gt(rig_notice_count(&rig, 0, NOTICE_CALL_ENDED), 4U);
    cr_assert_gt(rig_notice_count(&rig, 0, NOTICE_DISK), 3U);
    cr_assert_gt(twin.steps, (uint32_t)STEPS_MIN);
    cr_assert_gt(twin.busy_copies, 3U, "%u copies were made with operations in flight", twin.busy_copies);
    free(twin.memory);
    rig_done(&rig);
}
