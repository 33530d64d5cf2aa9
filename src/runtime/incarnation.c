#include "runtime/turn.h"

#include <assert.h>

void incarnation_drop_leadership(struct turn *turn, uint32_t role)
{
    turn->roles[role].is_elected = false;
    turn->roles[role].is_announced = false;
    lease_page_set_epoch(turn->page, role, 0);
}

/* A leadership that was announced and that the node itself could not take back, because the engine failed under it. */
static void take_leadership_back(struct turn *turn, uint32_t role)
{
    uint64_t epoch = node_role_epoch(turn->node, role);
    bool was_announced = turn->roles[role].is_announced;
    incarnation_drop_leadership(turn, role);
    if (was_announced) {
        struct runtime_notice lost = {.what = {.kind = NOTICE_LOST, .role = role, .epoch = epoch}, .is_internal = true};
        turn_tell_role(turn, role, &lost);
    }
}

static void release(struct turn *turn, uint32_t role, bool is_final)
{
    struct runtime_notice released = {.what = {.kind = NOTICE_RELEASED, .role = role}, .is_final = is_final};
    turn->roles[role].is_open = false;
    turn_tell_role(turn, role, &released);
}

static void end_for_good(struct turn *turn)
{
    for (uint32_t role = 0; role < turn->roles_used; role++) {
        if (turn->roles[role].is_open) {
            release(turn, role, true);
        }
    }
    calls_end_incarnation(turn, true);
    turn->phase = PHASE_ENDED;
}

static void drop_every_leadership(struct turn *turn)
{
    for (uint32_t role = 0; role < turn->roles_used; role++) {
        struct runtime_role *own = &turn->roles[role];
        if (!own->is_open) {
            continue;
        }
        take_leadership_back(turn, role);
        if (own->is_resigning) {
            release(turn, role, false);
        }
    }
    turn->elected_count = 0;
}

static void tell_over(struct turn *turn, enum over_reason reason, bool is_internal, bool is_final)
{
    struct runtime_notice over = {
        .what = {.kind = NOTICE_OVER, .reason = reason}, .is_internal = is_internal, .is_final = is_final};
    turn_tell_node(turn, &over);
}

void incarnation_end(struct turn *turn, enum over_reason reason, bool is_internal)
{
    assert(turn->phase == PHASE_RUNNING);
    bool is_final = is_internal || turn->is_leaving || !turn->is_rejoining;
    drop_every_leadership(turn);
    if (is_final) {
        end_for_good(turn);
    } else {
        calls_end_incarnation(turn, false);
        turn->phase = PHASE_DRAINING;
        turn->drain_end_fast_ns = turn->clock.fast_ns + 2 * turn->params.header.timings.io_deadline_ns;
    }
    tell_over(turn, reason, is_internal, is_final);
}

void incarnation_give_up(struct turn *turn)
{
    assert(turn->phase == PHASE_DRAINING);
    end_for_good(turn);
    tell_over(turn, OVER_STOPPED, false, true);
}

int incarnation_begin(struct turn *turn, struct node_id former)
{
    struct node_params params = turn->params;
    params.former = former;
    int error = turn->port.draw_seed(turn->port.context, params.seed);
    if (error != 0) {
        return error;
    }
    error = turn->port.wipe_node(turn->port.context, turn->node_memory);
    if (error != 0) {
        return error;
    }
    turn->node = node_init(turn->node_memory, &params);
    turn->port.note_begin(turn->port.context, &params, turn->node);
    requests_begin_generation(&turn->requests);
    turn->wake_fast_ns = turn->clock.fast_ns;
    turn->wake_slow_ns = turn->clock.slow_ns;
    turn->phase = PHASE_RUNNING;
    return 0;
}

/* Rule S5: an incarnation may retire its own former self at once, but only if nothing of it is still on its way. */
void incarnation_try_next(struct turn *turn)
{
    assert(turn->phase == PHASE_DRAINING);
    bool is_drained = turn->requests.in_flight == 0;
    if (!is_drained && turn->clock.fast_ns < turn->drain_end_fast_ns) {
        return;
    }
    struct node_id former = is_drained ? node_identity(turn->node) : (struct node_id){0};
    if (incarnation_begin(turn, former) != 0) {
        end_for_good(turn);
        tell_over(turn, OVER_STOPPED, true, true);
    }
}
