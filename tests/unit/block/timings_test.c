#include "fixture.h"

#include <criterion/criterion.h>

static struct timings usual(void)
{
    return fixture_header().timings;
}

static enum timings_fault check_with(int64_t lease_ns, int64_t renew_ns, int64_t io_deadline_ns)
{
    struct timings timings = usual();
    timings.lease_ns = lease_ns;
    timings.renew_ns = renew_ns;
    timings.io_deadline_ns = io_deadline_ns;
    return timings_check(&timings);
}

Test(timings, usual_and_shortest_are_good)
{
    struct timings timings = usual();
    cr_expect_eq(timings_check(&timings), TIMINGS_OK);
    cr_expect_eq(check_with(100 * NS_PER_MS, 10 * NS_PER_MS, 5 * NS_PER_MS), TIMINGS_OK);
}

Test(timings, lease)
{
    int64_t day = 24 * 3600 * NS_PER_S;
    cr_expect_eq(check_with(100 * NS_PER_MS - 1, 10 * NS_PER_MS, 5 * NS_PER_MS), TIMINGS_LEASE_SHORT);
    cr_expect_eq(check_with(INT64_MIN, 10 * NS_PER_MS, 5 * NS_PER_MS), TIMINGS_LEASE_SHORT);
    cr_expect_eq(check_with(day, NS_PER_S, NS_PER_S), TIMINGS_OK);
    cr_expect_eq(check_with(day + 1, NS_PER_S, NS_PER_S), TIMINGS_LEASE_LONG);
    cr_expect_eq(check_with(INT64_MAX, NS_PER_S, NS_PER_S), TIMINGS_LEASE_LONG);
}

Test(timings, renew_is_at_most_a_third_of_the_lease)
{
    cr_expect_eq(check_with(300 * NS_PER_MS, 100 * NS_PER_MS, 10 * NS_PER_MS), TIMINGS_OK);
    cr_expect_eq(check_with(300 * NS_PER_MS, 100 * NS_PER_MS + 1, 10 * NS_PER_MS), TIMINGS_RENEW);
    cr_expect_eq(check_with(300 * NS_PER_MS, NS_PER_MS - 1, 10 * NS_PER_MS), TIMINGS_RENEW);
    cr_expect_eq(check_with(300 * NS_PER_MS, INT64_MAX, 10 * NS_PER_MS), TIMINGS_RENEW);
    cr_expect_eq(check_with(300 * NS_PER_MS, INT64_MIN, 10 * NS_PER_MS), TIMINGS_RENEW);
}

Test(timings, io_deadline_is_at_most_a_quarter_of_the_lease)
{
    cr_expect_eq(check_with(400 * NS_PER_MS, 10 * NS_PER_MS, 100 * NS_PER_MS), TIMINGS_OK);
    cr_expect_eq(check_with(400 * NS_PER_MS, 10 * NS_PER_MS, 100 * NS_PER_MS + 1), TIMINGS_IO_DEADLINE);
    cr_expect_eq(check_with(400 * NS_PER_MS, 10 * NS_PER_MS, NS_PER_MS - 1), TIMINGS_IO_DEADLINE);
}

Test(timings, quarantine)
{
    struct timings timings = usual();
    timings.quarantine_ns = 0;
    cr_expect_eq(timings_check(&timings), TIMINGS_OK);
    timings.quarantine_ns = -1;
    cr_expect_eq(timings_check(&timings), TIMINGS_QUARANTINE);
    timings.quarantine_ns = 7 * 24 * 3600 * NS_PER_S;
    cr_expect_eq(timings_check(&timings), TIMINGS_OK);
    timings.quarantine_ns++;
    cr_expect_eq(timings_check(&timings), TIMINGS_QUARANTINE);
}

Test(timings, drift)
{
    struct timings timings = usual();
    timings.drift_ppm = 199999;
    cr_expect_eq(timings_check(&timings), TIMINGS_OK);
    timings.drift_ppm = 200000;
    cr_expect_eq(timings_check(&timings), TIMINGS_DRIFT);
}

Test(timings, watch_is_the_lease_as_two_wrong_clocks_see_it)
{
    struct timings timings = usual();
    cr_expect_eq(timings_watch_ns(&timings), INT64_C(10100502513)); /* 10 s * 1.005 / 0.995 = 10.1005025125... s */
    timings.drift_ppm = 0;
    cr_expect_eq(timings_watch_ns(&timings), 10 * NS_PER_S);
}

/* Rounded up: one nanosecond less would be too short, one more is too long. Held by exact long arithmetic. */
Test(timings, watch_is_rounded_up_and_does_not_overflow)
{
    uint64_t random = 7;
    for (int round = 0; round < 100000; round++) {
        struct timings timings = {
            .lease_ns = (int64_t)(fixture_random(&random) % (uint64_t)(24 * 3600 * NS_PER_S + 1)),
            .drift_ppm = (uint32_t)(fixture_random(&random) % 200000),
        };
        if (round == 0) {
            timings = (struct timings){.lease_ns = 24 * 3600 * NS_PER_S, .drift_ppm = 199999};
        }
        __extension__ __int128 need = (__int128)timings.lease_ns * (1000000 + timings.drift_ppm);
        __extension__ __int128 down = 1000000 - timings.drift_ppm;
        int64_t watch_ns = timings_watch_ns(&timings);
        cr_assert(watch_ns * down >= need && (watch_ns - 1) * down < need);
    }
}
