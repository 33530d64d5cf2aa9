#include "node_world.h"

#include <string.h>

/* ---- Making --------------------------------------------------------------------------------------------------------- */

struct block_place world_place(const struct world *world, uint32_t disk, uint32_t row, uint32_t slot)
{
    return (struct block_place){.set_tag = world->set_tag, .disk = disk, .row = row, .slot = slot};
}

uint8_t *world_block(struct world *world, uint32_t disk, uint32_t row, uint32_t slot)
{
    FUZZ_CHECK(disk < world->params.header.disk_count && row < WORLD_ROWS && slot < world->params.header.layout.slots);
    return world->disks[disk].rows[row] + (size_t)slot * BLOCK_BYTES_MIN;
}

static void world_format(struct world *world)
{
    for (uint32_t disk = 0; disk < world->params.header.disk_count; disk++) {
        struct set_header header = world->params.header;
        header.disk_index = disk;
        set_header_encode(world->disks[disk].header, BLOCK_BYTES_MIN, &header);
        for (uint32_t row = 0; row < WORLD_ROWS; row++) {
            for (uint32_t slot = 0; slot < header.layout.slots; slot++) {
                struct block_place place = world_place(world, disk, row, slot);
                block_encode_empty(world_block(world, disk, row, slot), BLOCK_BYTES_MIN, &place);
            }
        }
    }
}

void world_begin(struct world *world, uint32_t disks, uint32_t slots, struct node_id former)
{
    memset(world, 0, sizeof *world);
    world->params = (struct node_params){.header = fuzz_set_header(disks, slots, WORLD_REGISTERS),
                                         .name = "alpha",
                                         .seed = {1, 7},
                                         .engine = ENGINE_SIMULATED,
                                         .depth = WORLD_DEPTH,
                                         .roles_max = WORLD_ROLES,
                                         .former = former};
    FUZZ_CHECK(layout_rows(&world->params.header.layout) == WORLD_ROWS);
    world->set_tag = set_header_tag(&world->params.header);
    world->fast_ns = world->slow_ns = 1000 * NS_PER_S;
    world_format(world);
    world->saved = world->disks[0];
    void *memory = calloc(1, node_bytes(&world->params));
    FUZZ_CHECK(memory != NULL);
    world->node = node_init(memory, &world->params);
    world_step(world, (struct event){.kind = EVENT_TICK});
}

void world_end(struct world *world)
{
    free(world->node);
}

/* ---- What a node may ask for ------------------------------------------------------------------------------------------ */

static bool request_writes(const struct io_action *action)
{
    return action->operation == IO_WRITE || action->operation == IO_EXCHANGE;
}

static void check_action(const struct world *world, const struct io_action *action)
{
    const struct layout *layout = &world->params.header.layout;
    FUZZ_CHECK(action->disk < world->params.header.disk_count);
    FUZZ_CHECK(action->row < layout_rows(layout));
    FUZZ_CHECK(action->tag < WORLD_REQUESTS_MAX && !world->requests[action->tag].is_used);
    FUZZ_CHECK(request_writes(action) == (action->block != NULL));
    if (!request_writes(action)) {
        return;
    }
    FUZZ_CHECK(action->slot == world->node->self.slot && action->slot < layout->slots);
    struct block_place place = world_place(world, action->disk, action->row, action->slot);
    FUZZ_CHECK(block_judge(action->block, layout->block_bytes, &place) == BLOCK_WRITTEN);
    for (uint32_t i = 0; i < WORLD_REQUESTS_MAX; i++) { /* D1 */
        const struct world_request *other = &world->requests[i];
        FUZZ_CHECK(!other->is_used || !request_writes(&other->action) || other->action.disk != action->disk ||
                   other->action.row != action->row);
    }
}

static void take_action(struct world *world, const struct io_action *action)
{
    check_action(world, action);
    struct world_request *request = &world->requests[action->tag];
    *request = (struct world_request){.is_used = true, .order = ++world->order, .action = *action};
    if (request_writes(action)) {
        memcpy(request->block, action->block, BLOCK_BYTES_MIN);
    }
}

/* ---- What a node may tell --------------------------------------------------------------------------------------------- */

static void take_role_notice(struct world *world, const struct notice *notice)
{
    FUZZ_CHECK(notice->role < WORLD_ROLES);
    struct world_role *role = &world->roles[notice->role];
    FUZZ_CHECK(role->is_campaign);
    switch (notice->kind) {
    case NOTICE_LEADER:
        FUZZ_CHECK(role->epoch == 0 && notice->epoch > 0);
        FUZZ_CHECK(world->fast_ns < node_lease_end_ns(world->node) || world->node->stage == NODE_OVER);
        role->epoch = notice->epoch;
        break;
    case NOTICE_LOST: /* N5: exactly one leader before it */
        FUZZ_CHECK(role->epoch != 0 && notice->epoch == role->epoch);
        role->epoch = 0;
        break;
    case NOTICE_RELEASED:
    case NOTICE_REFUSED:
        *role = (struct world_role){0};
        break;
    default:
        break;
    }
}

static void take_call_notice(struct world *world, const struct notice *notice)
{
    FUZZ_CHECK(notice->call < NODE_CALLS_MAX && world->is_call_open[notice->call]);
    world->is_call_open[notice->call] = false;
    const struct call_result *result = node_call_result(world->node, notice->call);
    FUZZ_CHECK(result->byte_count <= PAYLOAD_BYTES_MAX);
    FUZZ_CHECK(fuzz_name_is_sound(result->node_name));
}

static void take_notice(struct world *world, const struct notice *notice)
{
    FUZZ_CHECK(!world->is_over);
    FUZZ_CHECK(fuzz_name_is_sound(notice->holder_name));
    switch (notice->kind) {
    case NOTICE_CANDIDATE:
    case NOTICE_LEADER:
    case NOTICE_LOST:
    case NOTICE_RELEASED:
    case NOTICE_REFUSED:
    case NOTICE_ASKED:
    case NOTICE_TRANSFER:
    case NOTICE_TRANSFER_REFUSED:
    case NOTICE_PUBLISHED:
        take_role_notice(world, notice);
        break;
    case NOTICE_CALL_ENDED:
        take_call_notice(world, notice);
        break;
    case NOTICE_DISK:
        FUZZ_CHECK(notice->disk < world->params.header.disk_count);
        break;
    case NOTICE_OVER:
        world->is_over = true;
        break;
    case NOTICE_JOINED:
        FUZZ_CHECK(!node_id_is_none(node_identity(world->node)) || node_is_over(world->node));
        break;
    case NOTICE_JOIN_WAITS:
    case NOTICE_AT_RISK:
    case NOTICE_SAFE:
        break;
    }
}

/* ---- Steps ------------------------------------------------------------------------------------------------------------ */

static uint32_t count_pending(const struct world *world)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < WORLD_REQUESTS_MAX; i++) {
        count += world->requests[i].is_used;
    }
    return count;
}

static void check_node(const struct world *world)
{
    const struct node *node = world->node;
    FUZZ_CHECK(node_in_flight(node) == count_pending(world));
    FUZZ_CHECK(node_is_over(node) == world->is_over);
    FUZZ_CHECK(node_lease_end_ns(node) <= world->fast_ns + world->params.header.timings.lease_ns);
    for (uint32_t i = 0; i < WORLD_ROLES; i++) {
        FUZZ_CHECK(node_role_epoch(node, i) == 0 || node_role_epoch(node, i) == world->roles[i].epoch);
    }
    for (uint32_t i = 0; i < world->params.header.disk_count; i++) {
        FUZZ_CHECK(node_disk(node, i).state <= DISK_OUT && node_disk(node, i).latency_ns >= 0);
    }
}

void world_step(struct world *world, struct event event)
{
    bool was_over = world->is_over;
    struct actions actions;
    world->steps++;
    event.fast_ns = world->fast_ns;
    event.slow_ns = world->slow_ns;
    event.wall_ns = world->fast_ns;
    node_step(world->node, &event, &actions);
    FUZZ_CHECK(!was_over || (actions.io_count == 0 && actions.notice_count == 0)); /* T4 */
    for (uint32_t i = 0; i < actions.io_count; i++) {
        take_action(world, &actions.ios[i]);
    }
    for (uint32_t i = 0; i < actions.notice_count; i++) {
        take_notice(world, &actions.notices[i]);
    }
    world->wake_fast_ns = actions.wake_fast_ns;
    world->wake_slow_ns = actions.wake_slow_ns;
    check_node(world);
}

struct world_request *world_pending(struct world *world, uint32_t number)
{
    uint32_t count = count_pending(world);
    uint32_t skip = count == 0 ? 0 : number % count;
    for (uint32_t i = 0; i < WORLD_REQUESTS_MAX; i++) {
        if (world->requests[i].is_used && skip-- == 0) {
            return &world->requests[i];
        }
    }
    return NULL;
}

void world_complete(struct world *world, struct world_request *request, bool is_write_ok, bool is_read_ok)
{
    uint8_t bytes[WORLD_ROW_BYTES];
    const struct io_action *action = &request->action;
    bool writes = request_writes(action);
    bool reads = action->operation != IO_WRITE;
    struct io_result result = {.tag = action->tag, .is_write_ok = !writes || is_write_ok};
    result.is_read_ok = !reads || (is_read_ok && result.is_write_ok);
    if (writes && is_write_ok) {
        memcpy(world_block(world, action->disk, action->row, action->slot), request->block, BLOCK_BYTES_MIN);
    }
    if (reads && result.is_read_ok) {
        const struct world_disk *disk = &world->disks[action->disk];
        bool is_header = action->operation == IO_HEADER;
        memcpy(bytes, is_header ? disk->header : disk->rows[action->row],
               is_header ? sizeof disk->header : sizeof bytes);
        result.bytes = bytes;
    }
    request->is_used = false;
    world_step(world, (struct event){.kind = EVENT_IO, .as.io = result});
}

/* ---- Time ------------------------------------------------------------------------------------------------------------- */

void world_pass(struct world *world, int64_t fast_ns, int64_t slow_ns)
{
    world->fast_ns += fast_ns;
    world->slow_ns += slow_ns;
}

static int64_t until(int64_t wake_ns, int64_t now_ns, int64_t most_ns)
{
    int64_t left_ns = wake_ns <= now_ns ? 1 : wake_ns - now_ns;
    return left_ns < most_ns ? left_ns : most_ns;
}

static struct world_request *oldest_pending(struct world *world)
{
    struct world_request *oldest = NULL;
    for (uint32_t i = 0; i < WORLD_REQUESTS_MAX; i++) {
        struct world_request *request = &world->requests[i];
        if (request->is_used && (oldest == NULL || request->order < oldest->order)) {
            oldest = request;
        }
    }
    return oldest;
}

void world_run(struct world *world, int64_t ns)
{
    while (ns > 0 && world->steps < WORLD_STEPS_MAX) {
        struct world_request *request = oldest_pending(world);
        if (request != NULL) {
            world_complete(world, request, true, true);
            continue;
        }
        int64_t pause_ns = until(world->wake_slow_ns, world->slow_ns, until(world->wake_fast_ns, world->fast_ns, ns));
        world_pass(world, pause_ns, pause_ns);
        world_step(world, (struct event){.kind = EVENT_TICK});
        ns -= pause_ns;
    }
}
