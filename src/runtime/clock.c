#include "runtime/clock.h"

#include "block/limits.h"

#include <assert.h>
#include <time.h>

static int64_t clock_ns(clockid_t id)
{
    struct timespec now;
    int status = clock_gettime(id, &now);
    assert(status == 0);
    (void)status;
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct clock_reading clock_read(void)
{
    return (struct clock_reading){.boot_ns = clock_ns(CLOCK_BOOTTIME), .raw_ns = clock_ns(CLOCK_MONOTONIC_RAW)};
}

int64_t clock_wall_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t not_negative(int64_t value)
{
    return value > 0 ? value : 0;
}

int64_t clock_larger_difference_ns(struct clock_reading from, struct clock_reading to)
{
    int64_t boot = to.boot_ns - from.boot_ns;
    int64_t raw = to.raw_ns - from.raw_ns;
    return not_negative(boot > raw ? boot : raw);
}

int64_t clock_smaller_difference_ns(struct clock_reading from, struct clock_reading to)
{
    int64_t boot = to.boot_ns - from.boot_ns;
    int64_t raw = to.raw_ns - from.raw_ns;
    return not_negative(boot < raw ? boot : raw);
}

void turn_clock_init(struct turn_clock *clock, struct clock_reading now)
{
    *clock = (struct turn_clock){.last = now, .fast_ns = NS_PER_S, .slow_ns = NS_PER_S};
}

void turn_clock_advance(struct turn_clock *clock, struct clock_reading now)
{
    clock->fast_ns += clock_larger_difference_ns(clock->last, now);
    clock->slow_ns += clock_smaller_difference_ns(clock->last, now);
    clock->last = now;
    assert(clock->slow_ns <= clock->fast_ns);
}
