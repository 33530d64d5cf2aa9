/*
 * Calls on names, on the node thread. A call is given to the incarnation that lives; one that ends with its incarnation
 * before anything has changed is given to the next, so that whoever waits for it does not notice.
 */
#include "runtime/turn.h"

#include <assert.h>

static void tell(struct turn *turn, uint32_t number)
{
    struct runtime_notice ended = {.what = {.kind = NOTICE_CALL_ENDED, .call = number}};
    turn->calls[number].is_open = false;
    notice_list_put(&turn->backlog, &turn->calls[number].box, &ended);
}

static void give(struct turn *turn, uint32_t number)
{
    struct runtime_call *call = &turn->calls[number];
    const struct call_order *order = &call->order;
    struct event event = {
        .kind = EVENT_CALL,
        .as.call =
            {
                .call = number,
                .verb = order->verb,
                .name = order->name,
                .bytes = order->value.bytes,
                .byte_count = order->value.byte_count,
                .has_expected = order->has_expected,
                .expected_bytes = order->expected.bytes,
                .expected_count = order->expected.byte_count,
                .ask = order->ask,
                .successor_name = order->ask == ASK_TRANSFER ? order->successor_name : NULL,
            },
    };
    call->is_given = true;
    turn_feed(turn, &event);
}

/* Whether doing it once more does no harm, even if it has already been done. */
static bool is_repeatable(const struct runtime_call *call)
{
    return call->order.verb == CALL_GET || call->order.verb == CALL_PROPOSE;
}

/* Whether a call that its incarnation has given up is for the next one. */
static bool can_go_on(const struct turn *turn, const struct runtime_call *call)
{
    bool is_undone =
        call->result.outcome == CALL_CANCELLED || (call->result.outcome == CALL_UNKNOWN && is_repeatable(call));
    return turn->is_rejoining && !turn->is_leaving && !call->is_cancelled && is_undone;
}

/*
 * Given up by one incarnation with an unknown outcome and by the next before it changed anything, it may have happened all
 * the same.
 */
static void note_result(struct runtime_call *call, const struct call_result *result)
{
    call->result = *result;
    call->is_doubtful |= result->outcome == CALL_UNKNOWN;
    if (call->is_doubtful && call->order.verb != CALL_GET && result->outcome == CALL_CANCELLED) {
        call->result.outcome = CALL_UNKNOWN;
    }
}

void calls_take_end(struct turn *turn, uint32_t number)
{
    assert(number < NODE_CALLS_MAX);
    struct runtime_call *call = &turn->calls[number];
    assert(call->is_open && call->is_given);
    call->is_given = false;
    note_result(call, node_call_result(turn->node, number));
    if (!can_go_on(turn, call)) {
        tell(turn, number);
    }
}

static void take_call(struct turn *turn, const struct call_order *order)
{
    struct runtime_call *call = &turn->calls[order->call];
    assert(!call->is_open);
    call->is_open = true;
    call->is_given = false;
    call->is_cancelled = false;
    call->is_doubtful = false;
    call->order = *order;
    call->result = (struct call_result){.outcome = CALL_CANCELLED};
    if (turn->phase == PHASE_RUNNING) {
        give(turn, order->call);
    } else if (turn->phase == PHASE_ENDED) {
        tell(turn, order->call);
    }
}

static void take_cancel(struct turn *turn, uint32_t number)
{
    struct runtime_call *call = &turn->calls[number];
    if (!call->is_open) {
        return; /* it has ended in the meantime, and its owner will read so */
    }
    call->is_cancelled = true;
    if (call->is_given) {
        struct event event = {.kind = EVENT_CANCEL, .as.call = {.call = number}};
        turn_feed(turn, &event);
    } else {
        tell(turn, number);
    }
}

void calls_take(struct turn *turn)
{
    struct call_order order;
    while (queue_take(&turn->call_orders, &order)) {
        if (order.is_cancel) {
            take_cancel(turn, order.call);
        } else {
            take_call(turn, &order);
        }
    }
}

void calls_give_again(struct turn *turn)
{
    for (uint32_t number = 0; number < NODE_CALLS_MAX && turn->phase == PHASE_RUNNING; number++) {
        if (turn->calls[number].is_open) {
            give(turn, number);
        }
    }
}

void calls_end_incarnation(struct turn *turn, bool is_final)
{
    for (uint32_t number = 0; number < NODE_CALLS_MAX; number++) {
        struct runtime_call *call = &turn->calls[number];
        if (!call->is_open) {
            continue;
        }
        if (call->is_given) {
            /* The disk engine failed under the node: nobody can say how far it had come. */
            call->is_given = false;
            note_result(call, &(struct call_result){.outcome = CALL_UNKNOWN});
        }
        if (is_final || !can_go_on(turn, call)) {
            tell(turn, number);
        }
    }
}
