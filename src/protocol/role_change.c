#include "protocol/role_change.h"

#include "protocol/state.h"

#include <assert.h>
#include <string.h>

static const struct role *role_of(const struct node *node, const struct op *op)
{
    assert(op->client < node->params.roles_max);
    return &node->roles.roles[op->client];
}

bool role_value_is_held(const struct role_value *value)
{
    return value->hold == ROLE_HELD || value->hold == ROLE_TRANSFERRING;
}

bool role_value_is_open(const struct node *node, const struct role_value *value)
{
    if (!role_value_is_held(value)) {
        return true;
    }
    return value->holder.slot < node_layout(node)->slots && watch_is_gone(&node->watch, value->holder);
}

bool role_value_can_grow(const struct node *node, const struct role_value *value)
{
    return value->epoch < UINT64_MAX && node->params.header.epoch_floor < UINT64_MAX;
}

static bool value_is_mine(const struct node *node, const struct role *role, const uint8_t *seen,
                          struct role_value *ret_value)
{
    return lookup_judge(&role->lookup, seen, ret_value) == LOOKUP_FOUND && role_value_is_held(ret_value) &&
           node_id_is_same(ret_value->holder, node->self);
}

static void value_set_payload(struct role_value *value, const uint8_t *payload, uint32_t payload_bytes)
{
    memset(value->payload, 0, sizeof value->payload);
    if (payload_bytes > 0) {
        memcpy(value->payload, payload, payload_bytes);
    }
    value->payload_bytes = payload_bytes;
}

static bool value_has_payload(const struct role_value *value, const struct role *role)
{
    return value->payload_bytes == role->payload_bytes &&
           memcmp(value->payload, role->payload, role->payload_bytes) == 0;
}

bool role_value_is_as_wanted(const struct role *role, const struct role_value *value)
{
    return value_has_payload(value, role) && node_id_is_same(value->successor, role->successor);
}

bool role_change_acquire(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    const struct role *role = role_of(node, op);
    struct role_value value;
    enum lookup_finding finding = lookup_judge(&role->lookup, seen, &value);
    if (!role->is_wanted || finding == LOOKUP_FOREIGN || finding == LOOKUP_OTHER) {
        return false;
    }
    if (finding == LOOKUP_UNNAMED) {
        value.kind = VALUE_ROLE;
        memcpy(value.name, role->lookup.name, sizeof value.name);
    }
    if (value.kind != VALUE_ROLE || !role_value_is_open(node, &value) || !role_value_can_grow(node, &value)) {
        return false;
    }
    uint64_t floor = node->params.header.epoch_floor;
    value.epoch = (value.epoch > floor ? value.epoch : floor) + 1;
    value.hold = ROLE_HELD;
    value.holder = node->self;
    value.successor = (struct node_id){0};
    value.changed_wall_ns = node->wall_ns;
    value_set_payload(&value, role->payload, role->payload_bytes);
    memcpy(value.node_name, node->params.name, sizeof value.node_name);
    role_value_encode(ret_value, &value);
    return true;
}

bool role_change_led(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    const struct role *role = role_of(node, op);
    struct role_value value;
    if (role->stage != ROLE_LEADING || !value_is_mine(node, role, seen, &value)) {
        return false;
    }
    bool has_successor = !node_id_is_none(role->successor) && peer_is_ready(node, role->successor);
    struct node_id successor = has_successor ? role->successor : (struct node_id){0};
    if (value_has_payload(&value, role) && node_id_is_same(value.successor, successor)) {
        return false;
    }
    value.hold = has_successor ? ROLE_TRANSFERRING : ROLE_HELD;
    value.successor = successor;
    value.changed_wall_ns = node->wall_ns;
    value_set_payload(&value, role->payload, role->payload_bytes);
    role_value_encode(ret_value, &value);
    return true;
}

void role_value_let_go(const struct node *node, struct role_value *value)
{
    bool is_to_hand_over = value->hold == ROLE_TRANSFERRING && role_value_can_grow(node, value);
    const char *name = is_to_hand_over ? peer_ready_name(node, value->successor) : NULL;
    if (name != NULL) {
        value->hold = ROLE_HELD;
        value->holder = value->successor;
        value->epoch++;
        memcpy(value->node_name, name, sizeof value->node_name);
    } else {
        value->hold = ROLE_FREE;
        value->holder = (struct node_id){0};
    }
    value->successor = (struct node_id){0};
    value->changed_wall_ns = node->wall_ns;
    value_set_payload(value, NULL, 0);
}

bool role_change_resign(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    struct role_value value;
    if (!value_is_mine(node, role_of(node, op), seen, &value)) {
        return false;
    }
    role_value_let_go(node, &value);
    role_value_encode(ret_value, &value);
    return true;
}
