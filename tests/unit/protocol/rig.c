#include "rig.h"

#include "block/name.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* ---- Making --------------------------------------------------------------------------------------------------------- */

void rig_format(struct rig *rig)
{
    cr_assert(layout_is_valid(&rig->header.layout));
    cr_assert_eq(timings_check(&rig->header.timings), TIMINGS_OK);
    rig->set_tag = set_header_tag(&rig->header);
    const struct layout *layout = &rig->header.layout;
    for (uint32_t disk = 0; disk < rig->header.disk_count; disk++) {
        struct set_header header = rig->header;
        header.disk_index = disk;
        set_header_encode(rig->disks[disk].header, RIG_BLOCK_BYTES, &header);
        for (uint32_t row = 0; row < layout_rows(layout); row++) {
            for (uint32_t slot = 0; slot < layout->slots; slot++) {
                struct block_place place = rig_place(rig, disk, row, slot);
                block_encode_empty(rig_block(rig, disk, row, slot), RIG_BLOCK_BYTES, &place);
            }
        }
    }
}

void rig_init(struct rig *rig, uint32_t disk_count)
{
    static const char *const names[RIG_NODES_MAX] = {"alpha", "beta", "gamma", "delta"};
    rig_done(rig);
    memset(rig, 0, sizeof *rig);
    rig->header = (struct set_header){
        .major = FORMAT_MAJOR,
        .minor = FORMAT_MINOR,
        .set_name = "rig",
        .set_uuid = {{1}},
        .generation = 1,
        .disk_count = disk_count,
        .layout = {.block_bytes = RIG_BLOCK_BYTES, .slots = RIG_SLOTS_MAX, .registers = 4},
        .timings =
            {
                .lease_ns = 10 * NS_PER_S,
                .renew_ns = NS_PER_S,
                .io_deadline_ns = NS_PER_S / 2,
                .quarantine_ns = 60 * NS_PER_S,
                .drift_ppm = 5000,
            },
        .slot_reuse = true,
    };
    for (uint32_t disk = 0; disk < disk_count; disk++) {
        rig->header.disk_uuids[disk].bytes[0] = (uint8_t)(disk + 1);
    }
    for (uint32_t i = 0; i < RIG_NODES_MAX; i++) {
        struct rig_node *at = &rig->nodes[i];
        at->fast_ns = at->slow_ns = NS_PER_S;
        at->params = (struct node_params){
            .seed = {i + 1, 7}, .engine = ENGINE_SIMULATED, .depth = 4, .roles_max = RIG_ROLES_MAX};
        strcpy(at->params.name, names[i]);
    }
    rig_format(rig);
}

void rig_done(struct rig *rig)
{
    for (uint32_t i = 0; i < RIG_NODES_MAX; i++) {
        free(rig->nodes[i].node);
        rig->nodes[i].node = NULL;
        rig->nodes[i].is_running = false;
    }
}

/* ---- Steps ---------------------------------------------------------------------------------------------------------- */

static struct rig_request *request_new(struct rig_node *at)
{
    for (uint32_t i = 0; i < RIG_REQUESTS_MAX; i++) {
        if (!at->requests[i].is_used) {
            return &at->requests[i];
        }
    }
    cr_assert_fail("more requests in flight than the rig can hold");
    return NULL;
}

static void rig_take_request(struct rig *rig, struct rig_node *at, const struct io_action *action)
{
    struct rig_request *request = request_new(at);
    request->is_used = true;
    request->order = ++rig->order;
    request->step = at->node->step;
    request->action = *action;
    if (action->block != NULL) {
        memcpy(request->block, action->block, RIG_BLOCK_BYTES);
    }
    at->submitted[action->disk][action->row][action->operation]++;
}

static void rig_step(struct rig *rig, uint32_t node, struct event event)
{
    struct rig_node *at = &rig->nodes[node];
    cr_assert(at->is_running);
    struct actions actions;
    event.fast_ns = at->fast_ns;
    event.slow_ns = at->slow_ns;
    event.wall_ns = at->fast_ns;
    node_step(at->node, &event, &actions);
    if (rig->tap != NULL) {
        rig->tap(rig->tap_context, node, &event, &actions);
    }
    for (uint32_t i = 0; i < actions.io_count; i++) {
        rig_take_request(rig, at, &actions.ios[i]);
    }
    for (uint32_t i = 0; i < actions.notice_count; i++) {
        cr_assert_lt(at->notice_count, (uint32_t)RIG_NOTICES_MAX);
        at->notices[at->notice_count++] = (struct rig_notice){actions.notices[i], at->fast_ns};
        if (actions.notices[i].kind == NOTICE_CALL_ENDED) {
            uint32_t call = actions.notices[i].call;
            at->results[call] = *node_call_result(at->node, call);
        }
    }
    at->wake_fast_ns = actions.wake_fast_ns;
    at->wake_slow_ns = actions.wake_slow_ns;
}

void rig_start(struct rig *rig, uint32_t node)
{
    struct rig_node *at = &rig->nodes[node];
    free(at->node);
    at->params.header = rig->header;
    void *memory = calloc(1, node_bytes(&at->params));
    cr_assert_not_null(memory);
    at->node = node_init(memory, &at->params);
    at->is_running = true;
    rig_tick(rig, node);
}

void rig_kill(struct rig *rig, uint32_t node)
{
    rig->nodes[node].is_running = false;
}

void rig_freeze(struct rig *rig, uint32_t node)
{
    cr_assert(rig->nodes[node].is_running);
    rig->nodes[node].is_running = false;
}

void rig_thaw(struct rig *rig, uint32_t node)
{
    cr_assert_not(rig->nodes[node].is_running);
    rig->nodes[node].is_running = true;
}

struct node *rig_join(struct rig *rig, uint32_t node)
{
    rig_start(rig, node);
    cr_assert(rig_await(rig, node, NOTICE_JOINED, 30 * NS_PER_S), "node %u does not join", node);
    rig_settle(rig);
    return rig->nodes[node].node;
}

void rig_tick(struct rig *rig, uint32_t node)
{
    rig_step(rig, node, (struct event){.kind = EVENT_TICK});
}

void rig_campaign(struct rig *rig, uint32_t node, uint32_t role, const char *name)
{
    rig_step(rig, node, (struct event){.kind = EVENT_CAMPAIGN, .as.command = {.role = role, .name = name}});
}

void rig_try(struct rig *rig, uint32_t node, uint32_t role, const char *name)
{
    struct role_command command = {.role = role, .name = name, .is_try = true};
    rig_step(rig, node, (struct event){.kind = EVENT_CAMPAIGN, .as.command = command});
}

void rig_resign(struct rig *rig, uint32_t node, uint32_t role)
{
    rig_step(rig, node, (struct event){.kind = EVENT_RESIGN, .as.command = {.role = role}});
}

void rig_leave(struct rig *rig, uint32_t node)
{
    rig_step(rig, node, (struct event){.kind = EVENT_LEAVE});
}

void rig_transfer(struct rig *rig, uint32_t node, uint32_t role, const char *successor_name)
{
    struct role_command command = {.role = role, .successor_name = successor_name};
    rig_step(rig, node, (struct event){.kind = EVENT_TRANSFER, .as.command = command});
}

void rig_publish(struct rig *rig, uint32_t node, uint32_t role, const char *payload)
{
    struct role_command command = {
        .role = role, .payload = (const uint8_t *)payload, .payload_bytes = (uint32_t)strlen(payload)};
    rig_step(rig, node, (struct event){.kind = EVENT_PUBLISH, .as.command = command});
}

void rig_call(struct rig *rig, uint32_t node, struct call_command command)
{
    rig_step(rig, node, (struct event){.kind = EVENT_CALL, .as.call = command});
}

void rig_cancel(struct rig *rig, uint32_t node, uint32_t call)
{
    rig_step(rig, node, (struct event){.kind = EVENT_CANCEL, .as.call.call = call});
}

void rig_campaign_as(struct rig *rig, uint32_t node, struct role_command command)
{
    rig_step(rig, node, (struct event){.kind = EVENT_CAMPAIGN, .as.command = command});
}

/* ---- Requests -------------------------------------------------------------------------------------------------------- */

struct rig_request *rig_find(struct rig *rig, uint32_t node, uint32_t disk, uint32_t row, enum io_operation operation)
{
    struct rig_request *oldest = NULL;
    for (uint32_t i = 0; i < RIG_REQUESTS_MAX; i++) {
        struct rig_request *request = &rig->nodes[node].requests[i];
        if (request->is_used && request->action.disk == disk && request->action.row == row &&
            request->action.operation == operation && (oldest == NULL || request->order < oldest->order)) {
            oldest = request;
        }
    }
    return oldest;
}

uint32_t rig_pending(const struct rig *rig, uint32_t node, uint32_t disk, uint32_t row)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < RIG_REQUESTS_MAX; i++) {
        const struct rig_request *request = &rig->nodes[node].requests[i];
        count += request->is_used && request->action.disk == disk && request->action.row == row &&
                 request->action.operation != IO_HEADER;
    }
    return count;
}

static bool request_writes(const struct rig_request *request)
{
    return request->action.operation == IO_WRITE || request->action.operation == IO_EXCHANGE;
}

void rig_land(struct rig *rig, const struct rig_request *request)
{
    cr_assert(request->is_used && request_writes(request));
    const struct io_action *action = &request->action;
    memcpy(rig_block(rig, action->disk, action->row, action->slot), request->block, RIG_BLOCK_BYTES);
}

static void rig_answer(struct rig *rig, uint32_t node, struct rig_request *request, bool is_ok)
{
    uint8_t bytes[RIG_ROW_BYTES_MAX];
    const struct rig_disk *disk = &rig->disks[request->action.disk];
    struct io_result result = {.tag = request->action.tag, .is_write_ok = is_ok || !request_writes(request)};
    if (request->action.operation == IO_WRITE) {
        result.is_read_ok = true; /* nothing was to be read */
    } else if (is_ok) {
        result.is_read_ok = true;
        result.bytes = bytes;
        if (request->action.operation == IO_HEADER) {
            memcpy(bytes, disk->header, RIG_BLOCK_BYTES);
        } else {
            memcpy(bytes, disk->rows[request->action.row], layout_row_bytes(&rig->header.layout));
        }
    }
    request->is_used = false;
    rig_step(rig, node, (struct event){.kind = EVENT_IO, .as.io = result});
}

void rig_complete(struct rig *rig, uint32_t node, struct rig_request *request)
{
    cr_assert_not_null(request, "there is no such request");
    if (request_writes(request)) {
        rig_land(rig, request);
    }
    rig_answer(rig, node, request, true);
}

void rig_fail(struct rig *rig, uint32_t node, struct rig_request *request)
{
    cr_assert_not_null(request, "there is no such request");
    rig_answer(rig, node, request, false);
}

/* The oldest request of any running node on a disk that answers. */
static struct rig_request *rig_next(struct rig *rig, uint32_t *ret_node)
{
    struct rig_request *oldest = NULL;
    for (uint32_t node = 0; node < RIG_NODES_MAX; node++) {
        if (!rig->nodes[node].is_running) {
            continue;
        }
        for (uint32_t i = 0; i < RIG_REQUESTS_MAX; i++) {
            struct rig_request *request = &rig->nodes[node].requests[i];
            if (request->is_used && rig->disks[request->action.disk].mode != RIG_HOLDS &&
                (oldest == NULL || request->order < oldest->order)) {
                oldest = request;
                *ret_node = node;
            }
        }
    }
    return oldest;
}

void rig_settle(struct rig *rig)
{
    uint32_t node = 0;
    struct rig_request *request;
    while ((request = rig_next(rig, &node)) != NULL) {
        enum rig_disk_mode mode = rig->disks[request->action.disk].mode;
        if (mode == RIG_FAILS || (mode == RIG_READS && request_writes(request))) {
            rig_fail(rig, node, request);
        } else {
            rig_complete(rig, node, request);
        }
    }
}

/* ---- Time ------------------------------------------------------------------------------------------------------------ */

void rig_pass(struct rig *rig, uint32_t node, int64_t fast_ns, int64_t slow_ns)
{
    rig->nodes[node].fast_ns += fast_ns;
    rig->nodes[node].slow_ns += slow_ns;
}

/* Time until some node wants a tick; at least one nanosecond, so that time goes on. */
static int64_t rig_pause_ns(const struct rig *rig, int64_t most_ns)
{
    int64_t pause_ns = most_ns;
    for (uint32_t i = 0; i < RIG_NODES_MAX; i++) {
        const struct rig_node *at = &rig->nodes[i];
        if (!at->is_running) {
            continue;
        }
        int64_t fast_ns = at->wake_fast_ns == INT64_MAX ? most_ns : at->wake_fast_ns - at->fast_ns;
        int64_t slow_ns = at->wake_slow_ns == INT64_MAX ? most_ns : at->wake_slow_ns - at->slow_ns;
        pause_ns = fast_ns < pause_ns ? fast_ns : pause_ns;
        pause_ns = slow_ns < pause_ns ? slow_ns : pause_ns;
    }
    return pause_ns > 0 ? pause_ns : 1;
}

/* One pause, then whatever is due. Returns how long it was. */
static int64_t rig_turn(struct rig *rig, int64_t most_ns)
{
    rig_settle(rig);
    int64_t pause_ns = rig_pause_ns(rig, most_ns);
    for (uint32_t i = 0; i < RIG_NODES_MAX; i++) {
        struct rig_node *at = &rig->nodes[i];
        rig_pass(rig, i, pause_ns, pause_ns);
        if (at->is_running && (at->fast_ns >= at->wake_fast_ns || at->slow_ns >= at->wake_slow_ns)) {
            rig_tick(rig, i);
        }
    }
    rig_settle(rig);
    return pause_ns;
}

void rig_run(struct rig *rig, int64_t ns)
{
    while (ns > 0) {
        ns -= rig_turn(rig, ns);
    }
}

/* ---- What was told ---------------------------------------------------------------------------------------------------- */

uint32_t rig_notice_count(const struct rig *rig, uint32_t node, enum notice_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rig->nodes[node].notice_count; i++) {
        count += rig->nodes[node].notices[i].notice.kind == kind;
    }
    return count;
}

const struct rig_notice *rig_notice(const struct rig *rig, uint32_t node, enum notice_kind kind)
{
    for (uint32_t i = rig->nodes[node].notice_count; i > 0; i--) {
        if (rig->nodes[node].notices[i - 1].notice.kind == kind) {
            return &rig->nodes[node].notices[i - 1];
        }
    }
    cr_assert_fail("node %u was not told %d", node, (int)kind);
    return NULL;
}

bool rig_await(struct rig *rig, uint32_t node, enum notice_kind kind, int64_t limit_ns)
{
    uint32_t before = rig_notice_count(rig, node, kind);
    while (limit_ns > 0 && rig_notice_count(rig, node, kind) == before) {
        limit_ns -= rig_turn(rig, limit_ns);
    }
    return rig_notice_count(rig, node, kind) > before;
}

/* ---- The medium ------------------------------------------------------------------------------------------------------- */

struct block_place rig_place(const struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot)
{
    return (struct block_place){.set_tag = rig->set_tag, .disk = disk, .row = row, .slot = slot};
}

uint8_t *rig_block(struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot)
{
    cr_assert(disk < rig->header.disk_count && row < RIG_ROWS_MAX && slot < rig->header.layout.slots);
    return rig->disks[disk].rows[row] + (size_t)slot * RIG_BLOCK_BYTES;
}

void rig_damage(struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot)
{
    rig_block(rig, disk, row, slot)[100] ^= 0x40;
}

struct claim_block rig_claim(struct rig *rig, uint32_t disk, uint32_t slot)
{
    struct block_place place = rig_place(rig, disk, ROW_CLAIM, slot);
    struct claim_block block = {0};
    cr_assert(block_decode_claim(rig_block(rig, disk, ROW_CLAIM, slot), RIG_BLOCK_BYTES, &place, &block));
    return block;
}

struct heartbeat_block rig_heartbeat(struct rig *rig, uint32_t disk, uint32_t slot)
{
    struct block_place place = rig_place(rig, disk, ROW_HEARTBEAT, slot);
    struct heartbeat_block block = {0};
    cr_assert(block_decode_heartbeat(rig_block(rig, disk, ROW_HEARTBEAT, slot), RIG_BLOCK_BYTES, &place, &block));
    return block;
}

struct register_block rig_register(struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot)
{
    struct block_place place = rig_place(rig, disk, row, slot);
    struct register_block block = {0};
    cr_assert(block_decode_register(rig_block(rig, disk, row, slot), RIG_BLOCK_BYTES, &place, &block));
    return block;
}

void rig_put_claim(struct rig *rig, uint32_t disk, uint32_t slot, uint64_t incarnation, bool is_given_back)
{
    struct block_place place = rig_place(rig, disk, ROW_CLAIM, slot);
    struct claim_block block = {.author = {incarnation, 1}, .node_name = "stranger", .is_given_back = is_given_back};
    block_encode_claim(rig_block(rig, disk, ROW_CLAIM, slot), RIG_BLOCK_BYTES, &place, &block);
}

void rig_put_heartbeat(struct rig *rig, uint32_t disk, uint32_t slot, const struct heartbeat_block *block)
{
    struct block_place place = rig_place(rig, disk, ROW_HEARTBEAT, slot);
    block_encode_heartbeat(rig_block(rig, disk, ROW_HEARTBEAT, slot), RIG_BLOCK_BYTES, &place, block);
}

void rig_put_register(struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot, const struct register_block *block)
{
    struct block_place place = rig_place(rig, disk, row, slot);
    block_encode_register(rig_block(rig, disk, row, slot), RIG_BLOCK_BYTES, &place, block);
}

struct heartbeat_block rig_stranger(uint64_t incarnation, uint64_t counter)
{
    return (struct heartbeat_block){
        .author = {incarnation, counter + 1},
        .state = HEARTBEAT_READY,
        .counter = counter,
        .node_name = "stranger",
    };
}

uint32_t rig_row_of(const struct rig *rig, const char *name)
{
    const struct layout *layout = &rig->header.layout;
    return layout_register_row(layout, (uint32_t)(name_hash(name) % layout->registers));
}

struct role_value rig_role(struct rig *rig, uint32_t row)
{
    struct register_block best = {0};
    for (uint32_t disk = 0; disk < rig->header.disk_count; disk++) {
        for (uint32_t slot = 0; slot < rig->header.layout.slots; slot++) {
            struct register_block block = rig_register(rig, disk, row, slot);
            best = ballot_is_above(block.accepted, best.accepted) ? block : best;
        }
    }
    struct role_value value = {0};
    cr_assert(role_value_decode(best.value, &value));
    return value;
}
