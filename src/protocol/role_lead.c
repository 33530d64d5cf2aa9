#include "protocol/role_lead.h"

#include "block/name.h"
#include "block/role_value.h"
#include "protocol/role_change.h"

#include <string.h>

/* ---- Leading ---------------------------------------------------------------------------------------------------------- */

static void role_write_soon(struct node *node, struct role *role)
{
    role->is_write_due = true;
    role_schedule(node, role, node->fast_ns);
}

void role_lead(struct node *node, struct role *role, const struct role_value *value)
{
    /* The step has checked the lease by the clock read after this commit was reaped. */
    assert(node->lease.is_real && !lease_has_ended(&node->lease, node->fast_ns));
    role->stage = ROLE_LEADING;
    role->epoch = value->epoch;
    role->told_holder = role->successor = (struct node_id){0};
    role->is_publish_owed = role->is_transfer_owed = false;
    role_notify(node, role, NOTICE_LEADER)->epoch = role->epoch;
    beacon_want_no_more(node, lookup_register(node, &role->lookup));
    if (!role_value_is_as_wanted(role, value)) {
        role_write_soon(node, role); /* it was handed over, or the payload is a newer one by now */
    }
}

static void role_drop_transfer(struct node *node, struct role *role)
{
    role->successor = (struct node_id){0};
    if (role->is_transfer_owed && !role->is_transfer_asked) {
        role_notify(node, role, NOTICE_TRANSFER_REFUSED)->refusal = REFUSED_NOT_READY;
    }
    role->is_transfer_owed = false;
}

static void role_tell_written(struct node *node, struct role *role, const struct role_value *value)
{
    if (role->is_publish_owed) {
        role->is_publish_owed = false;
        role_notify(node, role, NOTICE_PUBLISHED)->epoch = role->epoch;
    }
    const char *successor_name = peer_ready_name(node, role->successor);
    if (role->is_transfer_owed && value->hold == ROLE_TRANSFERRING && successor_name != NULL) {
        role->is_transfer_owed = false;
        struct notice *notice = role_notify(node, role, NOTICE_TRANSFER);
        notice->epoch = role->epoch;
        memcpy(notice->holder_name, successor_name, sizeof notice->holder_name);
    }
}

void role_on_led(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct role *role = role_at(node, op->client);
    role->is_op_running = false;
    if (role->stage != ROLE_LEADING) {
        role_schedule(node, role, node->fast_ns); /* resigned meanwhile: that is next */
        return;
    }
    if (outcome != OP_COMMITTED) {
        role_schedule(node, role, node->fast_ns + op_back_off_ns(node, role->attempts++));
        return;
    }
    role->attempts = 0;
    struct role_value value;
    bool is_mine = lookup_judge(&role->lookup, op->value, &value) == LOOKUP_FOUND && role_value_is_held(&value) &&
                   node_id_is_same(value.holder, node->self) && value.epoch == role->epoch;
    if (!is_mine) {
        node_go_over(node, OVER_REPLACED); /* T8 */
        return;
    }
    if (!node_id_is_none(role->successor) && !peer_is_ready(node, role->successor)) {
        role_drop_transfer(node, role);
    }
    role->is_write_due = !role_value_is_as_wanted(role, &value);
    if (role->is_write_due) {
        role_schedule(node, role, node->fast_ns); /* more was wanted while this was being written */
    } else {
        role_tell_written(node, role, &value);
    }
}

void role_publish(struct node *node, const struct role_command *command)
{
    struct role *role = role_at(node, command->role);
    assert(command->payload_bytes <= PAYLOAD_BYTES_MAX);
    if (role->stage != ROLE_LEADING) {
        return;
    }
    role->payload_bytes = command->payload_bytes;
    if (command->payload_bytes > 0) {
        memcpy(role->payload, command->payload, command->payload_bytes);
    }
    role->is_publish_owed = true;
    role_write_soon(node, role);
}

/* ---- Handing over ----------------------------------------------------------------------------------------------------- */

static void role_start_transfer(struct node *node, struct role *role, struct node_id successor, bool is_asked)
{
    role->successor = successor;
    role->is_transfer_owed = true;
    role->is_transfer_asked = is_asked;
    role_write_soon(node, role);
}

void role_transfer(struct node *node, const struct role_command *command)
{
    struct role *role = role_at(node, command->role);
    char successor_name[NAME_FIELD_BYTES];
    assert(name_check(command->successor_name) == NAME_OK);
    name_field_store((uint8_t *)successor_name, command->successor_name);
    if (role->stage == ROLE_IDLE) {
        return; /* its end has been told already */
    }
    struct node_id successor = peer_find_ready(node, successor_name, node->self);
    if (role->stage != ROLE_LEADING || node_id_is_none(successor)) {
        struct notice *notice = role_notify(node, role, NOTICE_TRANSFER_REFUSED);
        notice->refusal = role->stage == ROLE_LEADING ? REFUSED_NOT_READY : REFUSED_HELD;
        return;
    }
    role_start_transfer(node, role, successor, false);
}

static struct role *role_led_at(const struct node *node, uint32_t register_index)
{
    for (uint32_t i = 0; i < node->roles.end; i++) {
        struct role *role = &node->roles.roles[i];
        if (role->stage == ROLE_LEADING && lookup_register(node, &role->lookup) == register_index) {
            return role;
        }
    }
    return NULL;
}

bool role_hear_ask(struct node *node, const struct ask *ask, const char *asker_name)
{
    struct role *role = role_led_at(node, ask->register_index);
    if (role == NULL) {
        return stray_suspect(node, ask->register_index) && !role_is_campaigning_at(node, ask->register_index);
    }
    if (ask->verb == ASK_TRANSFER) {
        bool is_possible = peer_is_ready(node, ask->successor) && !node_id_is_same(ask->successor, node->self);
        if (is_possible && !node_id_is_same(role->successor, ask->successor)) {
            role_start_transfer(node, role, ask->successor, true);
        }
        return is_possible;
    }
    struct notice *notice = role_notify(node, role, NOTICE_ASKED);
    notice->epoch = role->epoch;
    notice->ask = ask->verb;
    memcpy(notice->holder_name, asker_name, sizeof notice->holder_name);
    return true;
}

/* ---- Resigning -------------------------------------------------------------------------------------------------------- */

void role_start_resign(struct node *node, struct role *role)
{
    role->stage = ROLE_RESIGNING;
    role->epoch = 0;
    role->attempts = 0;
    role_schedule(node, role, node->fast_ns);
}

void role_on_resigned(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct role *role = role_at(node, op->client);
    role->is_op_running = false;
    if (outcome == OP_COMMITTED) {
        role_release(node, role);
    } else {
        role_schedule(node, role, node->fast_ns + op_back_off_ns(node, role->attempts++));
    }
}
