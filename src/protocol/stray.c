#include "protocol/stray.h"

#include "block/role_value.h"
#include "protocol/role_change.h"
#include "protocol/state.h"

#include <assert.h>
#include <string.h>

bool stray_suspect(struct node *node, uint32_t register_index)
{
    struct stray_table *strays = &node->strays;
    if (role_is_campaigning_at(node, register_index)) {
        return true;
    }
    for (uint32_t i = 0; i < strays->count; i++) {
        if (strays->registers[i] == register_index) {
            return true;
        }
    }
    if (strays->count == STRAYS_MAX) {
        return false;
    }
    strays->registers[strays->count++] = register_index;
    strays->due_fast_ns = node->fast_ns;
    return true;
}

static bool value_is_stray(const struct node *node, const uint8_t *bytes, struct role_value *ret_value)
{
    return role_value_decode(bytes, ret_value) && role_value_is_held(ret_value) &&
           node_id_is_same(ret_value->holder, node->self) && !role_is_campaigning_for(node, ret_value->name);
}

static void stray_drop_first(struct node *node)
{
    struct stray_table *strays = &node->strays;
    assert(strays->count > 0);
    strays->count--;
    memmove(&strays->registers[0], &strays->registers[1], strays->count * sizeof strays->registers[0]);
    strays->is_to_resign = false;
    strays->due_fast_ns = node->fast_ns;
}

/* f of a stray's resignation. A client that came meanwhile finds the role its own. */
bool stray_change_resign(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    (void)op;
    struct role_value value;
    if (!value_is_stray(node, seen, &value)) {
        return false;
    }
    role_value_let_go(node, &value);
    role_value_encode(ret_value, &value);
    return true;
}

void stray_on_resigned(struct node *node, const struct op *op, enum op_outcome outcome)
{
    (void)op;
    node->strays.is_op_running = false;
    if (outcome == OP_COMMITTED) {
        stray_drop_first(node);
    } else {
        node->strays.due_fast_ns = node->fast_ns + op_back_off_ns(node, 1);
    }
}

void stray_on_looked(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct role_value value;
    node->strays.is_op_running = false;
    if (outcome == OP_ABORTED) {
        node->strays.due_fast_ns = node->fast_ns + op_back_off_ns(node, 1);
    } else if (value_is_stray(node, op->value, &value)) {
        node->strays.is_to_resign = true;
    } else {
        stray_drop_first(node);
    }
}

void stray_run(struct node *node)
{
    struct stray_table *strays = &node->strays;
    if (strays->count == 0 || strays->is_op_running || node->stage != NODE_ACTIVE) {
        return;
    }
    if (node->fast_ns >= strays->due_fast_ns) {
        uint32_t row = layout_register_row(node_layout(node), strays->registers[0]);
        struct op *op = strays->is_to_resign
                            ? op_start(node, row, OP_UPDATE, OP_NO_ROLE, stray_change_resign, stray_on_resigned)
                            : op_start(node, row, OP_PROVE, OP_NO_ROLE, NULL, stray_on_looked);
        strays->is_op_running = op != NULL;
        strays->due_fast_ns = node->fast_ns + node->exchange_ns; /* unless it runs: no operation is free */
    }
    if (!strays->is_op_running) {
        node_wake_fast(node, strays->due_fast_ns);
    }
}
