#include "protocol/call_change.h"

#include "block/mix.h"
#include "protocol/role_change.h"
#include "protocol/state.h"

#include <assert.h>
#include <string.h>

struct call *call_of(struct node *node, const struct op *op)
{
    assert(op->client >= OP_CALL_FIRST && op->client != OP_NO_ROLE);
    return &node->calls.calls[op->client - OP_CALL_FIRST];
}

static enum value_kind call_kind(const struct call *call)
{
    switch (call->verb) {
    case CALL_FORGET:
    case CALL_ASK:
        return VALUE_ROLE;
    case CALL_PROPOSE:
        return VALUE_AGREE_ONCE;
    case CALL_GET:
    case CALL_SET:
    case CALL_COMPARE_SET:
        break;
    }
    return VALUE_REGISTER;
}

static bool call_kind_fits(const struct call *call, enum value_kind kind)
{
    return kind == call_kind(call) || (call->verb == CALL_GET && kind == VALUE_AGREE_ONCE);
}

static bool value_is_expected(const struct call *call, const struct role_value *value)
{
    if (value->kind == VALUE_UNNAMED || !call->has_expected) {
        return (value->kind == VALUE_UNNAMED) == !call->has_expected;
    }
    return value->payload_bytes == call->expected_count &&
           memcmp(value->payload, call->expected, call->expected_count) == 0;
}

bool call_is_decided(const struct node *node, const struct call *call, const struct role_value *value,
                     enum call_outcome *ret_outcome)
{
    bool is_unnamed = value->kind == VALUE_UNNAMED;
    if (!is_unnamed && !call_kind_fits(call, value->kind)) {
        *ret_outcome = CALL_KIND;
        return true;
    }
    switch (call->verb) {
    case CALL_GET:
        *ret_outcome = is_unnamed ? CALL_NONE : CALL_DONE;
        return true;
    case CALL_SET:
        return false;
    case CALL_COMPARE_SET:
        *ret_outcome = CALL_UNCHANGED;
        return !value_is_expected(call, value);
    case CALL_PROPOSE:
        *ret_outcome = CALL_DONE;
        return !is_unnamed;
    case CALL_FORGET:
        *ret_outcome = is_unnamed || value->hold == ROLE_FORGOTTEN ? CALL_NONE : CALL_HELD;
        return *ret_outcome == CALL_NONE || !role_value_is_open(node, value);
    case CALL_ASK:
        *ret_outcome = is_unnamed || value->hold == ROLE_FORGOTTEN ? CALL_NONE : CALL_FREE;
        return *ret_outcome == CALL_NONE || role_value_is_open(node, value);
    }
    assert(false);
    return false;
}

/* B2: what became of an earlier attempt of this call, if one may have been accepted. False if it has never happened. */
static bool call_finds_earlier(struct call *call, const struct role_value *value)
{
    if (!call->is_written || value->kind == VALUE_UNNAMED) {
        return false;
    }
    call->outcome = CALL_DONE;
    call->version = value->epoch;
    if (value->kind == VALUE_ROLE) {
        return call->verb == CALL_FORGET && value->hold == ROLE_FORGOTTEN; /* whoever did it: it is forgotten */
    }
    for (uint32_t i = 0; i < WRITERS_KEPT; i++) {
        if (value->writers[i] == call->tag) {
            call->version = value->epoch - i;
            return true;
        }
    }
    call->outcome = CALL_UNKNOWN;
    return value->epoch >= call->least_version + WRITERS_KEPT;
}

static void change_forget(struct node *node, struct role_value *value)
{
    value->hold = ROLE_FORGOTTEN;
    value->holder = value->successor = (struct node_id){0};
    value->changed_wall_ns = node->wall_ns;
    value->payload_bytes = 0;
    memset(value->payload, 0, sizeof value->payload);
}

/* Unlike that of any other call of this or any other incarnation; 0 stands for none. */
static uint64_t call_tag(const struct node *node, const struct call *call)
{
    return mix64(mix64(node->self.incarnation) + call->number) | 1;
}

static void change_set(struct node *node, struct call *call, struct role_value *value)
{
    if (value->kind == VALUE_UNNAMED) {
        value->kind = call_kind(call);
        memcpy(value->name, call->lookup.name, sizeof value->name);
        value->epoch = node->params.header.epoch_floor; /* N1: new names start above it */
    }
    value->epoch++;
    memmove(&value->writers[1], &value->writers[0], (WRITERS_KEPT - 1) * sizeof value->writers[0]);
    value->writers[0] = call->tag = call_tag(node, call);
    value->changed_wall_ns = node->wall_ns;
    memset(value->payload, 0, sizeof value->payload);
    memcpy(value->payload, call->bytes, call->byte_count);
    value->payload_bytes = call->byte_count;
    if (!call->is_written || value->epoch < call->least_version) {
        call->least_version = value->epoch;
    }
}

bool call_change(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    struct call *call = call_of(node, op);
    struct role_value value;
    enum lookup_finding finding = lookup_judge(&call->lookup, seen, &value);
    if (finding == LOOKUP_OTHER) {
        call->decision = CALL_STEPS_OVER;
        return false;
    }
    call->decision = CALL_ENDS;
    if (finding == LOOKUP_FOREIGN) {
        call->outcome = CALL_KIND;
        return false;
    }
    if (call_finds_earlier(call, &value)) {
        return false;
    }
    call->version = value.epoch;
    if (call_is_decided(node, call, &value, &call->outcome)) {
        return false;
    }
    if (call->is_cancelled) {
        call->outcome = CALL_CANCELLED;
        return false;
    }
    if (call->verb != CALL_FORGET && !role_value_can_grow(node, &value)) {
        call->outcome = CALL_FULL;
        return false;
    }
    call->decision = CALL_APPLIES;
    if (call->verb == CALL_FORGET) {
        change_forget(node, &value);
    } else {
        change_set(node, call, &value);
    }
    call->is_written = true;
    role_value_encode(ret_value, &value);
    return true;
}
