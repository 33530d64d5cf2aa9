/* The event queue: a heap by true time, then by order of scheduling. */
#include "sim.h"

#include <assert.h>

enum { QUEUE_CHILDREN = 4 };

static bool event_is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

/* Puts the event where it belongs on the way from this hole up to the root. */
static void queue_rise(struct sim *sim, uint32_t at, struct sim_event event)
{
    while (at > 0 && event_is_before(&event, &sim->events[(at - 1) / QUEUE_CHILDREN])) {
        sim->events[at] = sim->events[(at - 1) / QUEUE_CHILDREN];
        at = (at - 1) / QUEUE_CHILDREN;
    }
    sim->events[at] = event;
}

void sim_schedule(struct sim *sim, int64_t at_ns, enum sim_event_kind kind, uint32_t subject, uint64_t argument)
{
    assert(sim->event_count < SIM_EVENTS_MAX);
    struct sim_event event = {
        .at_ns = at_ns < sim->now_ns ? sim->now_ns : at_ns,
        .order = sim->order++,
        .kind = kind,
        .subject = subject,
        .argument = argument,
    };
    queue_rise(sim, sim->event_count++, event);
}

bool sim_next(struct sim *sim, struct sim_event *ret)
{
    if (sim->event_count == 0) {
        return false;
    }
    *ret = sim->events[0];
    uint32_t count = --sim->event_count;
    uint32_t hole = 0;
    /* The hole sinks to a leaf and the last event rises from there: it was one of the latest and mostly stays low. */
    for (uint32_t first = 1; first < count; first = QUEUE_CHILDREN * hole + 1) {
        uint32_t end = first + QUEUE_CHILDREN < count ? first + QUEUE_CHILDREN : count;
        uint32_t least = first;
        for (uint32_t child = first + 1; child < end; child++) {
            least = event_is_before(&sim->events[child], &sim->events[least]) ? child : least;
        }
        sim->events[hole] = sim->events[least];
        hole = least;
    }
    queue_rise(sim, hole, sim->events[count]);
    return true;
}
