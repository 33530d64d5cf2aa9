/* The event queue: a binary heap by true time, then by order of scheduling. */
#include "sim.h"

#include <assert.h>

static bool event_is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void event_swap(struct sim_event *a, struct sim_event *b)
{
    struct sim_event kept = *a;
    *a = *b;
    *b = kept;
}

void sim_schedule(struct sim *sim, int64_t at_ns, enum sim_event_kind kind, uint32_t subject, uint64_t argument)
{
    assert(sim->event_count < SIM_EVENTS_MAX);
    uint32_t at = sim->event_count++;
    sim->events[at] = (struct sim_event){
        .at_ns = at_ns < sim->now_ns ? sim->now_ns : at_ns,
        .order = sim->order++,
        .kind = kind,
        .subject = subject,
        .argument = argument,
    };
    while (at > 0 && event_is_before(&sim->events[at], &sim->events[(at - 1) / 2])) {
        event_swap(&sim->events[at], &sim->events[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

bool sim_next(struct sim *sim, struct sim_event *ret)
{
    if (sim->event_count == 0) {
        return false;
    }
    *ret = sim->events[0];
    sim->events[0] = sim->events[--sim->event_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < sim->event_count; child++) {
            if (event_is_before(&sim->events[child], &sim->events[least])) {
                least = child;
            }
        }
        if (least == at) {
            return true;
        }
        event_swap(&sim->events[at], &sim->events[least]);
        at = least;
    }
}
