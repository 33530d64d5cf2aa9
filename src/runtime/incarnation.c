#include "runtime/state.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

void incarnation_drop_leadership(struct runtime *runtime, uint32_t role)
{
    runtime->roles[role].is_elected = false;
    runtime->roles[role].is_announced = false;
    lease_page_set_epoch(runtime->page, role, 0);
}

/* A leadership that was announced and that the node itself could not take back, because the engine failed under it. */
static void take_leadership_back(struct runtime *runtime, uint32_t role)
{
    uint64_t epoch = node_role_epoch(runtime->node, role);
    bool was_announced = runtime->roles[role].is_announced;
    incarnation_drop_leadership(runtime, role);
    if (was_announced) {
        struct runtime_notice lost = {.what = {.kind = NOTICE_LOST, .role = role, .epoch = epoch}, .is_internal = true};
        thread_tell_role(runtime, role, &lost);
    }
}

static void release(struct runtime *runtime, uint32_t role, bool is_final)
{
    struct runtime_notice released = {.what = {.kind = NOTICE_RELEASED, .role = role}, .is_final = is_final};
    runtime->roles[role].is_open = false;
    thread_tell_role(runtime, role, &released);
}

static void end_for_good(struct runtime *runtime)
{
    for (uint32_t role = 0; role < runtime->roles_used; role++) {
        if (runtime->roles[role].is_open) {
            release(runtime, role, true);
        }
    }
    calls_end_incarnation(runtime, true);
    runtime->phase = PHASE_ENDED;
}

static void drop_every_leadership(struct runtime *runtime)
{
    for (uint32_t role = 0; role < runtime->roles_used; role++) {
        struct runtime_role *own = &runtime->roles[role];
        if (!own->is_open) {
            continue;
        }
        take_leadership_back(runtime, role);
        if (own->is_resigning) {
            release(runtime, role, false);
        }
    }
    runtime->elected_count = 0;
}

static void tell_over(struct runtime *runtime, enum over_reason reason, bool is_internal, bool is_final)
{
    struct runtime_notice over = {
        .what = {.kind = NOTICE_OVER, .reason = reason}, .is_internal = is_internal, .is_final = is_final};
    thread_tell_node(runtime, &over);
}

void incarnation_end(struct runtime *runtime, enum over_reason reason, bool is_internal)
{
    assert(runtime->phase == PHASE_RUNNING);
    bool is_final = is_internal || runtime->is_leaving || !runtime->is_rejoining;
    drop_every_leadership(runtime);
    if (is_final) {
        end_for_good(runtime);
    } else {
        calls_end_incarnation(runtime, false);
        runtime->phase = PHASE_DRAINING;
        runtime->drain_end_fast_ns = runtime->clock.fast_ns + 2 * runtime->params.header.timings.io_deadline_ns;
    }
    tell_over(runtime, reason, is_internal, is_final);
}

void incarnation_give_up(struct runtime *runtime)
{
    assert(runtime->phase == PHASE_DRAINING);
    end_for_good(runtime);
    tell_over(runtime, OVER_STOPPED, false, true);
}

/* Draws the only randomness a node ever gets. */
static int draw_seed(uint64_t seed[2])
{
    size_t bytes = 2 * sizeof seed[0];
    ssize_t got = getrandom(seed, bytes, 0);
    if (got < 0) {
        return -errno;
    }
    return (size_t)got == bytes ? 0 : -EIO;
}

int incarnation_begin(struct runtime *runtime, struct node_id former)
{
    struct node_params params = runtime->params;
    params.former = former;
    int error = draw_seed(params.seed);
    if (error != 0) {
        return error;
    }
    error = area_wipe(&runtime->areas, runtime->node_memory);
    if (error != 0) {
        return error;
    }
    runtime->node = node_init(runtime->node_memory, &params);
    recorder_begin(runtime->recorder, &params, runtime->node);
    requests_begin_generation(&runtime->requests);
    runtime->wake_fast_ns = runtime->clock.fast_ns;
    runtime->wake_slow_ns = runtime->clock.slow_ns;
    runtime->phase = PHASE_RUNNING;
    return 0;
}

/* Rule S5: an incarnation may retire its own former self at once, but only if nothing of it is still on its way. */
void incarnation_try_next(struct runtime *runtime)
{
    assert(runtime->phase == PHASE_DRAINING);
    bool is_drained = runtime->requests.in_flight == 0;
    if (!is_drained && runtime->clock.fast_ns < runtime->drain_end_fast_ns) {
        return;
    }
    struct node_id former = is_drained ? node_identity(runtime->node) : (struct node_id){0};
    if (incarnation_begin(runtime, former) != 0) {
        end_for_good(runtime);
        tell_over(runtime, OVER_STOPPED, true, true);
    }
}
