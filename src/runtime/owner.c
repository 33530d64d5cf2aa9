/* The owner's side of the queues between a node and whoever owns it. Wakes nobody: runtime.c rings the bell. */
#include "block/name.h"
#include "runtime/turn.h"

#include <assert.h>
#include <string.h>

static struct payload payload_of(const void *bytes, uint32_t byte_count)
{
    struct payload payload = {.byte_count = byte_count};
    assert(byte_count <= PAYLOAD_BYTES_MAX);
    if (byte_count > 0) {
        memcpy(payload.bytes, bytes, byte_count);
    }
    return payload;
}

/*
 * Per number at most COMMANDS_PER_ROLE commands can wait: of one leadership a transfer, a publication (the payload box
 * merges them) and a resignation that crossed its end; then the next campaign under the same number and its resignation,
 * whose end must come, for which the thread takes them all. So the queue, which has room for that many, is never full.
 */
static void send_command(struct turn *turn, const struct command *command)
{
    bool has_room = queue_put(&turn->commands, command);
    assert(has_room);
    (void)has_room;
}

void owner_campaign(struct turn *turn, const struct role_command *command)
{
    assert(command->role < turn->params.roles_max);
    struct command own = {
        .kind = COMMAND_CAMPAIGN,
        .role = command->role,
        .is_try = command->is_try,
        .priority = command->priority,
        .payload = payload_of(command->payload, command->payload_bytes),
    };
    name_field_store((uint8_t *)own.name, command->name);
    send_command(turn, &own);
}

void owner_resign(struct turn *turn, uint32_t role)
{
    assert(role < turn->params.roles_max);
    send_command(turn, &(struct command){.kind = COMMAND_RESIGN, .role = role});
}

void owner_transfer(struct turn *turn, uint32_t role, const char *successor_name)
{
    assert(role < turn->params.roles_max);
    struct command command = {.kind = COMMAND_TRANSFER, .role = role};
    name_field_store((uint8_t *)command.name, successor_name);
    send_command(turn, &command);
}

bool owner_publish(struct turn *turn, uint32_t role, const void *payload, uint32_t payload_bytes)
{
    assert(role < turn->params.roles_max);
    bool is_first = payload_box_put(&turn->payload_boxes[role], payload, payload_bytes);
    if (is_first) {
        send_command(turn, &(struct command){.kind = COMMAND_PUBLISH, .role = role});
    }
    return is_first;
}

void owner_leave(struct turn *turn)
{
    send_command(turn, &(struct command){.kind = COMMAND_LEAVE});
}

/* The queue has room for ORDERS_PER_CALL of every number, so it is never full. */
static void send_order(struct turn *turn, const struct call_order *order)
{
    assert(order->call < NODE_CALLS_MAX);
    bool has_room = queue_put(&turn->call_orders, order);
    assert(has_room);
    (void)has_room;
}

void owner_call(struct turn *turn, const struct call_command *command)
{
    struct call_order order = {
        .call = command->call,
        .verb = command->verb,
        .has_expected = command->has_expected,
        .ask = command->ask,
        .value = payload_of(command->bytes, command->byte_count),
        .expected = payload_of(command->expected_bytes, command->expected_count),
    };
    name_field_store((uint8_t *)order.name, command->name);
    if (command->successor_name != NULL) {
        name_field_store((uint8_t *)order.successor_name, command->successor_name);
    }
    send_order(turn, &order);
}

void owner_cancel(struct turn *turn, uint32_t call)
{
    send_order(turn, &(struct call_order){.is_cancel = true, .call = call});
}

const struct call_result *owner_call_result(const struct turn *turn, uint32_t call)
{
    assert(call < NODE_CALLS_MAX);
    return &turn->calls[call].result;
}

bool owner_take_notice(struct turn *turn, struct runtime_notice *ret)
{
    return queue_take(&turn->notices, ret);
}
