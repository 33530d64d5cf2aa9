#include "protocol/call.h"

#include "block/name.h"
#include "protocol/call_change.h"
#include "protocol/role_change.h"
#include "protocol/state.h"

#include <assert.h>
#include <string.h>

static uint32_t call_index(const struct node *node, const struct call *call)
{
    return (uint32_t)(call - node->calls.calls);
}

static void call_rest(struct node *node, struct call *call, int64_t wait_ns)
{
    call->stage = CALL_DUE;
    call->due_fast_ns = node->fast_ns + wait_ns;
}

/* ---- The end ---------------------------------------------------------------------------------------------------------- */

static void result_take_bytes(struct call_result *result, const uint8_t *bytes, uint32_t byte_count)
{
    result->byte_count = byte_count;
    memcpy(result->bytes, bytes, byte_count);
}

/* `value` is what was found last; NULL if that says nothing. */
static void call_end(struct node *node, struct call *call, enum call_outcome outcome, const struct role_value *value)
{
    assert(call->stage != CALL_IDLE);
    struct call_result *result = &call->result;
    bool has_written = outcome == CALL_DONE && (call->verb == CALL_SET || call->verb == CALL_COMPARE_SET);
    memset(result, 0, sizeof *result);
    result->outcome = outcome;
    if (value != NULL) {
        result->version = value->epoch;
        result_take_bytes(result, value->payload, value->payload_bytes);
        memcpy(result->node_name, value->node_name, sizeof result->node_name);
    }
    if (has_written) {
        result->version = call->version;
        result_take_bytes(result, call->bytes, call->byte_count);
    }
    if (call->is_asking) {
        beat_soon(node); /* the question is taken back, and the next one put */
    }
    call->is_asking = false;
    call->stage = CALL_IDLE;
    node->calls.open_count--;
    node_notify(node, NOTICE_CALL_ENDED)->call = call_index(node, call);
}

/* Every row has another name: there is no such name, and no room for a new one. */
static void call_end_without_row(struct node *node, struct call *call)
{
    switch (call->verb) {
    case CALL_GET:
    case CALL_FORGET:
    case CALL_ASK:
        call_end(node, call, CALL_NONE, NULL);
        break;
    case CALL_COMPARE_SET:
        call_end(node, call, call->has_expected ? CALL_UNCHANGED : CALL_FULL, NULL);
        break;
    case CALL_SET:
    case CALL_PROPOSE:
        call_end(node, call, CALL_FULL, NULL);
        break;
    }
}

/* ---- Questions -------------------------------------------------------------------------------------------------------- */

struct ask call_standing_ask(const struct node *node)
{
    const struct call *oldest = NULL;
    for (uint32_t i = 0; i < NODE_CALLS_MAX && node->calls.open_count > 0; i++) {
        const struct call *call = &node->calls.calls[i];
        if (call->is_asking && (oldest == NULL || call->number < oldest->number)) {
            oldest = call;
        }
    }
    return oldest == NULL ? (struct ask){0} : oldest->ask;
}

/* N2: somebody alive holds the role; he is asked with the next heartbeat. */
static void call_start_asking(struct node *node, struct call *call, const struct role_value *value)
{
    struct ask *ask = &call->ask;
    ask->register_index = lookup_register(node, &call->lookup);
    ask->holder = value->holder;
    if (ask->holder.slot < node_layout(node)->slots) {
        watch_name(&node->watch, ask->holder, node->slow_ns);
    }
    if (ask->verb == ASK_TRANSFER) {
        ask->successor = peer_find_ready(node, call->successor_name, ask->holder);
        if (node_id_is_none(ask->successor)) {
            call_end(node, call, CALL_NOT_READY, value);
            return;
        }
    }
    call->is_asking = true;
    call->asked_epoch = value->epoch;
    beat_soon(node);
    call_rest(node, call, node->params.poll_ns);
}

/* What has become of the question, by a proven value of the role. */
static void call_on_answer(struct node *node, struct call *call, const struct role_value *value)
{
    bool is_same = role_value_is_held(value) && node_id_is_same(value->holder, call->ask.holder) &&
                   value->epoch == call->asked_epoch;
    bool is_lost =
        call->ask.verb == ASK_TRANSFER && value->hold == ROLE_HELD && !peer_is_ready(node, call->ask.successor);
    if (!is_same) {
        call_end(node, call, CALL_DONE, value);
    } else if (role_value_is_open(node, value)) {
        call_end(node, call, CALL_FREE, value);
    } else if (is_lost) {
        call_end(node, call, CALL_NOT_READY, value);
    } else {
        call_rest(node, call, node->params.poll_ns);
    }
}

void call_hear_changes(struct node *node, const struct beacon *before, const struct beacon *now)
{
    for (uint32_t i = 0; i < NODE_CALLS_MAX && node->calls.open_count > 0; i++) {
        struct call *call = &node->calls.calls[i];
        if (call->is_asking && call->stage == CALL_DUE &&
            beacon_has_changed(before, now, lookup_register(node, &call->lookup))) {
            call->due_fast_ns = node->fast_ns;
        }
    }
}

/* ---- The ends of operations ------------------------------------------------------------------------------------------- */

/* N1: the row is proven to have another name. */
static void call_step_over(struct node *node, struct call *call, const struct role_value *value)
{
    call->is_row_known = false;
    lookup_learn(node, &call->lookup, value);
    if (lookup_step_over(node, &call->lookup)) {
        call_rest(node, call, 0);
    } else {
        call_end_without_row(node, call);
    }
}

static void call_on_found(struct node *node, struct call *call, const struct role_value *value)
{
    enum call_outcome outcome;
    if (value->kind != VALUE_UNNAMED) {
        lookup_learn(node, &call->lookup, value);
    }
    if (call->is_asking) {
        call_on_answer(node, call, value);
    } else if (call_is_decided(node, call, value, &outcome)) {
        call_end(node, call, outcome, value);
    } else if (call->verb == CALL_ASK) {
        call_start_asking(node, call, value);
    } else {
        call->is_row_known = true;
        call_rest(node, call, 0);
    }
}

void call_on_looked(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct call *call = call_of(node, op);
    struct role_value value;
    if (outcome == OP_ABORTED) {
        call_rest(node, call, op_back_off_ns(node, call->attempts++));
        return;
    }
    assert(op->is_proven);
    switch (lookup_judge(&call->lookup, op->value, &value)) {
    case LOOKUP_UNNAMED:
    case LOOKUP_FOUND:
        call_on_found(node, call, &value);
        break;
    case LOOKUP_OTHER:
        call_step_over(node, call, &value);
        break;
    case LOOKUP_FOREIGN:
        call_end(node, call, CALL_KIND, NULL);
        break;
    }
}

void call_on_written(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct call *call = call_of(node, op);
    if (outcome == OP_ABORTED) {
        assert(!call->is_written);
        call->is_row_known = false; /* B4: what was read before says nothing about a rival's change */
        call_rest(node, call, op_back_off_ns(node, call->attempts++));
        return;
    }
    struct role_value value = {0};
    enum lookup_finding finding = lookup_judge(&call->lookup, op->value, &value);
    call->is_written = false;
    switch (call->decision) {
    case CALL_STEPS_OVER:
        call_step_over(node, call, &value);
        break;
    case CALL_APPLIES:
        assert(finding == LOOKUP_FOUND);
        call->version = value.epoch;
        lookup_learn(node, &call->lookup, &value);
        call_end(node, call, CALL_DONE, &value);
        break;
    case CALL_ENDS:
        call_end(node, call, call->outcome, finding == LOOKUP_FOREIGN ? NULL : &value);
        break;
    }
}

/* ---- What is due ------------------------------------------------------------------------------------------------------ */

static bool call_start_op(struct node *node, struct call *call)
{
    uint32_t probe = call->lookup.probe;
    lookup_skip_known(node, &call->lookup);
    call->is_row_known &= probe == call->lookup.probe;
    bool is_change = call->verb == CALL_SET || call->verb == CALL_COMPARE_SET;
    bool is_to_write = call->is_row_known || (is_change && lookup_has_arrived(node, &call->lookup));
    uint32_t row = lookup_row(node, &call->lookup);
    uint32_t client = OP_CALL_FIRST + call_index(node, call);
    struct op *op = is_to_write ? op_start(node, row, OP_UPDATE, client, call_change, call_on_written)
                                : op_start(node, row, OP_PROVE, client, NULL, call_on_looked);
    if (op != NULL) {
        call->stage = is_to_write ? CALL_WRITING : CALL_LOOKING;
    }
    return op != NULL;
}

static void call_run(struct node *node, struct call *call)
{
    if (call->stage != CALL_DUE) {
        return;
    }
    if (node->stage == NODE_LEAVING || call->is_cancelled) {
        call_end(node, call, CALL_CANCELLED, NULL);
        return;
    }
    if (node->fast_ns >= call->due_fast_ns && !call_start_op(node, call)) {
        call_rest(node, call, node->exchange_ns); /* no operation is free */
    }
    if (call->stage == CALL_DUE) {
        node_wake_fast(node, call->due_fast_ns);
    }
}

void call_run_all(struct node *node)
{
    bool may_run = node->stage == NODE_ACTIVE || node->stage == NODE_LEAVING;
    for (uint32_t i = 0; may_run && i < NODE_CALLS_MAX && node->calls.open_count > 0; i++) {
        call_run(node, &node->calls.calls[i]);
    }
}

/* ---- Commands --------------------------------------------------------------------------------------------------------- */

static void call_take_command(struct call *call, const struct call_command *command)
{
    assert(command->byte_count <= PAYLOAD_BYTES_MAX && command->expected_count <= PAYLOAD_BYTES_MAX);
    call->verb = command->verb;
    lookup_begin(&call->lookup, command->name);
    call->has_expected = command->has_expected;
    call->byte_count = command->byte_count;
    call->expected_count = command->expected_count;
    if (command->byte_count > 0) {
        memcpy(call->bytes, command->bytes, command->byte_count);
    }
    if (command->expected_count > 0) {
        memcpy(call->expected, command->expected_bytes, command->expected_count);
    }
    call->ask.verb = command->verb == CALL_ASK ? command->ask : ASK_NONE;
    if (call->ask.verb == ASK_TRANSFER) {
        assert(name_check(command->successor_name) == NAME_OK);
        name_field_store((uint8_t *)call->successor_name, command->successor_name);
    }
}

void call_begin(struct node *node, const struct call_command *command)
{
    assert(command->call < NODE_CALLS_MAX);
    assert((command->verb == CALL_ASK) == (command->ask != ASK_NONE));
    struct call *call = &node->calls.calls[command->call];
    assert(call->stage == CALL_IDLE);
    memset(call, 0, sizeof *call);
    call_take_command(call, command);
    call->number = ++node->calls.made;
    node->calls.open_count++;
    call_rest(node, call, 0);
    if (node->stage != NODE_JOINING && node->stage != NODE_ACTIVE) {
        call_end(node, call, CALL_CANCELLED, NULL);
    }
}

void call_cancel(struct node *node, uint32_t index)
{
    assert(index < NODE_CALLS_MAX);
    struct call *call = &node->calls.calls[index];
    if (call->stage == CALL_IDLE) {
        return; /* its end has been told already */
    }
    call->is_cancelled = true;
    if (!call->is_written) {
        op_forsake(node, OP_CALL_FIRST + index);
        call_end(node, call, CALL_CANCELLED, NULL);
    }
}

void call_leave_all(struct node *node)
{
    for (uint32_t i = 0; i < NODE_CALLS_MAX; i++) {
        call_cancel(node, i);
    }
}

void call_lose_all(struct node *node)
{
    for (uint32_t i = 0; i < NODE_CALLS_MAX; i++) {
        struct call *call = &node->calls.calls[i];
        if (call->stage != CALL_IDLE) {
            call_end(node, call, call->is_written ? CALL_UNKNOWN : CALL_CANCELLED, NULL);
        }
    }
}

const struct call_result *node_call_result(const struct node *node, uint32_t call)
{
    assert(call < NODE_CALLS_MAX);
    assert(node->calls.calls[call].stage == CALL_IDLE);
    return &node->calls.calls[call].result;
}
