/*
 * Time as rule T1 wants it. A clock alone can be slewed (chrony, by up to 8 %) or stop in suspend; two of them bracket
 * the truth: `fast` has gained at least as much as true time, `slow` at most. What this node holds is judged by fast,
 * what it waits for by slow.
 *
 * Knows no node, no lease and no disk. turn_clock is pure: the readings are given to it.
 */
#ifndef DISKARCH_RUNTIME_CLOCK_H
#define DISKARCH_RUNTIME_CLOCK_H

#include <stdint.h>

/* Both clocks, read one after the other. */
struct clock_reading {
    int64_t boot_ns; /* CLOCK_BOOTTIME: goes on in suspend, may be slewed */
    int64_t raw_ns;  /* CLOCK_MONOTONIC_RAW: never slewed, stops in suspend */
};

struct turn_clock {
    struct clock_reading last;
    int64_t fast_ns;
    int64_t slow_ns;
};

/* Reads both clocks: no system call where the vDSO serves them. */
struct clock_reading clock_read(void);

/* Wall-clock time, for display only: no decision may rest on it. */
int64_t clock_wall_ns(void);

/* CLOCK_MONOTONIC, for how long a caller is willing to wait: no lease and no watch may rest on it. */
int64_t clock_monotonic_ns(void);

/* The larger and the smaller of the two clocks' differences, never negative. */
int64_t clock_larger_difference_ns(struct clock_reading from, struct clock_reading to);
int64_t clock_smaller_difference_ns(struct clock_reading from, struct clock_reading to);

/* Starts both sums above 0, which means "none" wherever such times are kept. */
void turn_clock_init(struct turn_clock *clock, struct clock_reading now);

/* One turn: adds the larger difference to fast and the smaller to slow. */
void turn_clock_advance(struct turn_clock *clock, struct clock_reading now);

#endif
