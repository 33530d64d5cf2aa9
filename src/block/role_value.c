/* The bytes of a register's value. The table in README.md is the format. */
#include "block/role_value.h"

#include "block/fields.h"
#include "block/name.h"

#include <assert.h>
#include <string.h>

enum {
    AT_KIND = 0,
    AT_HOLD = 1,
    AT_PAYLOAD_BYTES = 2,
    AT_SPARE = 3,
    AT_EPOCH = 8,
    AT_CHANGED = AT_EPOCH + 8,
    AT_HOLDER = AT_CHANGED + 8,
    AT_SUCCESSOR = AT_HOLDER + NODE_ID_BYTES,
    AT_NAME = AT_SUCCESSOR + NODE_ID_BYTES,
    AT_NODE_NAME = AT_NAME + NAME_FIELD_BYTES,
    AT_WRITERS = AT_NODE_NAME, /* a user's register has no holder whose name could stand there */
    AT_PAYLOAD = AT_NODE_NAME + NAME_FIELD_BYTES,
    VALUE_END = AT_PAYLOAD + PAYLOAD_BYTES_MAX,
};

_Static_assert((int)VALUE_END <= (int)VALUE_BYTES, "a role fits into a register's value");
_Static_assert(PAYLOAD_BYTES_MAX <= UINT8_MAX, "the payload's length is one byte");
_Static_assert(WRITERS_KEPT * sizeof(uint64_t) <= NAME_FIELD_BYTES, "the tags fit where a role has a name");

static bool node_name_is_valid(const uint8_t *field, bool is_held)
{
    bool is_absent = !is_held && bytes_are_zero(field, NAME_FIELD_BYTES);
    return is_absent || name_field_is_valid(field);
}

/*
 * A role is held by somebody under an epoch, or by nobody; a successor stands in it only during a transfer. Nobody ever
 * holds a user's register.
 */
static bool holder_is_sound(const uint8_t *value)
{
    struct node_id holder = node_id_load(value + AT_HOLDER);
    struct node_id successor = node_id_load(value + AT_SUCCESSOR);
    bool is_transferring = value[AT_HOLD] == ROLE_TRANSFERRING;
    bool is_held = is_transferring || value[AT_HOLD] == ROLE_HELD;
    if (value[AT_KIND] != VALUE_ROLE) {
        return value[AT_HOLD] == ROLE_FREE && bytes_are_zero(value + AT_HOLDER, AT_NAME - AT_HOLDER);
    }
    return node_id_is_sound(holder) && node_id_is_sound(successor) && node_id_is_none(holder) == !is_held &&
           node_id_is_none(successor) == !is_transferring && (!is_held || le_load64(value + AT_EPOCH) > 0) &&
           node_name_is_valid(value + AT_NODE_NAME, is_held);
}

static bool payload_is_sound(const uint8_t *value)
{
    size_t payload_bytes = value[AT_PAYLOAD_BYTES];
    return payload_bytes <= PAYLOAD_BYTES_MAX &&
           bytes_are_zero(value + AT_PAYLOAD + payload_bytes, PAYLOAD_BYTES_MAX - payload_bytes);
}

static bool is_sound(const uint8_t *value)
{
    if (value[AT_KIND] == VALUE_UNNAMED) {
        return bytes_are_zero(value, VALUE_BYTES);
    }
    return value[AT_KIND] <= VALUE_AGREE_ONCE && value[AT_HOLD] <= ROLE_FORGOTTEN &&
           name_field_is_valid(value + AT_NAME) && holder_is_sound(value) && payload_is_sound(value);
}

void role_value_encode(uint8_t value[VALUE_BYTES], const struct role_value *content)
{
    assert(content->payload_bytes <= PAYLOAD_BYTES_MAX);
    memset(value, 0, VALUE_BYTES);
    if (content->kind != VALUE_UNNAMED) {
        value[AT_KIND] = (uint8_t)content->kind;
        value[AT_HOLD] = (uint8_t)content->hold;
        value[AT_PAYLOAD_BYTES] = (uint8_t)content->payload_bytes;
        le_store64(value + AT_EPOCH, content->epoch);
        le_store64(value + AT_CHANGED, (uint64_t)content->changed_wall_ns);
        node_id_store(value + AT_HOLDER, content->holder);
        node_id_store(value + AT_SUCCESSOR, content->successor);
        name_field_store(value + AT_NAME, content->name);
        if (content->kind == VALUE_ROLE) {
            name_field_store(value + AT_NODE_NAME, content->node_name);
        }
        for (size_t i = 0; content->kind != VALUE_ROLE && i < WRITERS_KEPT; i++) {
            le_store64(value + AT_WRITERS + i * sizeof(uint64_t), content->writers[i]);
        }
        memcpy(value + AT_PAYLOAD, content->payload, content->payload_bytes);
    }
    assert(is_sound(value));
}

bool role_value_decode(const uint8_t value[VALUE_BYTES], struct role_value *ret)
{
    if (!is_sound(value)) {
        return false;
    }
    *ret = (struct role_value){
        .kind = (enum value_kind)value[AT_KIND],
        .hold = (enum role_hold)value[AT_HOLD],
        .holder = node_id_load(value + AT_HOLDER),
        .epoch = le_load64(value + AT_EPOCH),
        .changed_wall_ns = (int64_t)le_load64(value + AT_CHANGED),
        .successor = node_id_load(value + AT_SUCCESSOR),
        .payload_bytes = value[AT_PAYLOAD_BYTES],
    };
    memcpy(ret->name, value + AT_NAME, NAME_FIELD_BYTES);
    if (ret->kind == VALUE_ROLE) {
        memcpy(ret->node_name, value + AT_NODE_NAME, NAME_FIELD_BYTES);
    }
    for (size_t i = 0; ret->kind != VALUE_ROLE && i < WRITERS_KEPT; i++) {
        ret->writers[i] = le_load64(value + AT_WRITERS + i * sizeof(uint64_t));
    }
    memcpy(ret->payload, value + AT_PAYLOAD, PAYLOAD_BYTES_MAX);
    return true;
}

uint64_t ledger_value_get(const uint8_t value[VALUE_BYTES], uint32_t slot)
{
    assert(slot < SLOTS_MAX);
    return le_load64(value + slot % LEDGER_SLOTS_PER_ROW * sizeof(uint64_t));
}

void ledger_value_set(uint8_t value[VALUE_BYTES], uint32_t slot, uint64_t incarnation)
{
    assert(slot < SLOTS_MAX);
    le_store64(value + slot % LEDGER_SLOTS_PER_ROW * sizeof(uint64_t), incarnation);
}
