/*
 * Calls on names: they block the caller, not the node. Each runs under a number of its own; whoever's time has passed
 * ends his call, and is told whether anything has changed. A call whose outcome is still open then (rule B2) keeps its
 * number until it is settled, though nobody waits for it.
 */
#include "block/name.h"
#include "client/node.h"
#include "runtime/clock.h"

#include <assert.h>
#include <string.h>

enum { CALL_GOES_ON = 1 };

/* One caller's wait. */
struct waiting {
    struct diskarch *node;
    const struct call_command *command;
    int64_t end_ns; /* on CLOCK_MONOTONIC; INT64_MAX: for ever */
    uint32_t number;
    bool has_number;
    bool is_cancelled;
    struct call_result result;
};

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

static bool number_take(struct diskarch *node, uint32_t *ret_number)
{
    for (uint32_t i = 0; i < NODE_CALLS_MAX; i++) {
        if (!node->calls[i].is_taken) {
            node->calls[i] = (struct call_slot){.is_taken = true};
            *ret_number = i;
            return true;
        }
    }
    return false;
}

/* Whoever waits for a number looks again. */
static void number_give_back(struct diskarch *node, uint32_t number)
{
    assert(node->calls[number].is_taken);
    node->calls[number] = (struct call_slot){0};
    bell_ring(runtime_bell(node->runtime));
}

void call_take_notice(struct diskarch *node, const struct runtime_notice *notice)
{
    struct call_slot *slot = &node->calls[notice->what.call];
    assert(slot->is_taken && !slot->is_ended);
    slot->is_ended = true;
    if (slot->is_abandoned) {
        number_give_back(node, notice->what.call);
    }
}

/* ---- Waiting ----------------------------------------------------------------------------------------------------- */

/* A caller that only wanted to know has changed nothing, whatever the node can say. */
static bool is_asking_only(const struct waiting *waiting)
{
    return waiting->command->verb == CALL_GET;
}

/* A call that nobody cancelled here was cancelled by the end of its node. */
static int error_of_undone(const struct waiting *waiting)
{
    return waiting->is_cancelled ? DISKARCH_ETIMEOUT : DISKARCH_ECLOSED;
}

static int error_of(const struct waiting *waiting, enum call_outcome outcome)
{
    switch (outcome) {
    case CALL_DONE:
        return 0;
    case CALL_UNCHANGED:
        return DISKARCH_ECHANGED;
    case CALL_NONE:
        return DISKARCH_ENONE;
    case CALL_KIND:
        return DISKARCH_EKIND;
    case CALL_FULL:
        return DISKARCH_EFULL;
    case CALL_HELD:
        return DISKARCH_EHELD;
    case CALL_FREE:
        return DISKARCH_EFREE;
    case CALL_NOT_READY:
        return DISKARCH_ENOTREADY;
    case CALL_CANCELLED:
        return error_of_undone(waiting);
    case CALL_UNKNOWN:
        break;
    }
    return is_asking_only(waiting) ? error_of_undone(waiting) : DISKARCH_EUNKNOWN;
}

/* Begins the call as soon as there is a number for it. */
static int begin(struct waiting *waiting)
{
    struct diskarch *node = waiting->node;
    if (node->is_over) {
        return DISKARCH_ECLOSED;
    }
    if (number_take(node, &waiting->number)) {
        struct call_command command = *waiting->command;
        command.call = waiting->number;
        waiting->has_number = true;
        runtime_call(node->runtime, &command);
    }
    return CALL_GOES_ON;
}

static int look(struct waiting *waiting)
{
    struct diskarch *node = waiting->node;
    node_take_notices(node);
    if (!waiting->has_number) {
        return begin(waiting);
    }
    if (!node->calls[waiting->number].is_ended) {
        return CALL_GOES_ON;
    }
    waiting->result = *runtime_call_result(node->runtime, waiting->number);
    number_give_back(node, waiting->number);
    return error_of(waiting, waiting->result.outcome);
}

/* The caller's time has passed: first the call is ended, and that gets one io deadline; then its caller goes. */
static int give_up(struct waiting *waiting)
{
    struct diskarch *node = waiting->node;
    if (!waiting->has_number) {
        return DISKARCH_ETIMEOUT;
    }
    if (!waiting->is_cancelled) {
        waiting->is_cancelled = true;
        waiting->end_ns = clock_monotonic_ns() + runtime_header(node->runtime)->timings.io_deadline_ns;
        runtime_cancel(node->runtime, waiting->number);
        return CALL_GOES_ON;
    }
    node->calls[waiting->number].is_abandoned = true;
    return error_of(waiting, CALL_UNKNOWN);
}

static int step(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->node->mutex);
    int status = look(waiting);
    if (status == CALL_GOES_ON && clock_monotonic_ns() >= waiting->end_ns) {
        status = give_up(waiting);
    }
    pthread_mutex_unlock(&waiting->node->mutex);
    return status;
}

static int64_t left_ns(const struct waiting *waiting)
{
    if (waiting->end_ns == INT64_MAX) {
        return -1;
    }
    int64_t left_ns = waiting->end_ns - clock_monotonic_ns();
    return left_ns > 0 ? left_ns : 0;
}

int call_run(struct diskarch *node, const struct call_command *command, int64_t timeout_ns, struct call_result *ret)
{
    if (runtime_is_forked(node->runtime)) {
        return DISKARCH_ECLOSED;
    }
    struct bell *bell = runtime_bell(node->runtime);
    int64_t now_ns = clock_monotonic_ns();
    bool is_endless = timeout_ns < 0 || timeout_ns > INT64_MAX - now_ns;
    struct waiting waiting = {.node = node, .command = command, .end_ns = is_endless ? INT64_MAX : now_ns + timeout_ns};
    for (;;) {
        uint32_t seen = bell_rings(bell);
        int status = step(&waiting);
        if (status != CALL_GOES_ON) {
            if (status == 0 || status == DISKARCH_ECHANGED) {
                *ret = waiting.result;
            }
            return status;
        }
        bell_wait(bell, seen, left_ns(&waiting));
    }
}

/* ---- Calls on roles ---------------------------------------------------------------------------------------------- */

int diskarch_ask(struct diskarch *node, const char *role, enum diskarch_ask ask, const char *successor,
                 int64_t timeout_ns)
{
    struct call_command command = {.verb = CALL_ASK, .name = role};
    bool is_transfer = ask == DISKARCH_ASK_TRANSFER;
    if (role == NULL || name_check(role) != NAME_OK || is_transfer != (successor != NULL)) {
        return DISKARCH_EUSAGE;
    }
    if (is_transfer && name_check(successor) != NAME_OK) {
        return DISKARCH_EUSAGE;
    }
    switch (ask) {
    case DISKARCH_ASK_REQUEST:
        command.ask = ASK_REQUEST;
        break;
    case DISKARCH_ASK_RESIGN:
        command.ask = ASK_RESIGN;
        break;
    case DISKARCH_ASK_TRANSFER:
        command.ask = ASK_TRANSFER;
        command.successor_name = successor;
        break;
    default:
        return DISKARCH_EUSAGE;
    }
    struct call_result result;
    return call_run(node, &command, timeout_ns, &result);
}

int diskarch_forget(struct diskarch *node, const char *role, int64_t timeout_ns)
{
    if (role == NULL || name_check(role) != NAME_OK) {
        return DISKARCH_EUSAGE;
    }
    struct call_command command = {.verb = CALL_FORGET, .name = role};
    struct call_result result;
    return call_run(node, &command, timeout_ns, &result);
}
