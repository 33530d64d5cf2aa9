/* Rule T1: fast gains the larger and slow the smaller difference of the two clocks, turn by turn. */
#include "block/limits.h"
#include "runtime/clock.h"

#include <criterion/criterion.h>

static struct clock_reading at_ms(int64_t boot_ms, int64_t raw_ms)
{
    return (struct clock_reading){.boot_ns = boot_ms * NS_PER_MS, .raw_ns = raw_ms * NS_PER_MS};
}

Test(T1_clock, starts_above_none)
{
    struct turn_clock clock;
    turn_clock_init(&clock, at_ms(5, 7));
    cr_assert_gt(clock.fast_ns, 0);
    cr_assert_eq(clock.fast_ns, clock.slow_ns);
}

Test(T1_clock, slewed_clock_is_bracketed)
{
    struct turn_clock clock;
    turn_clock_init(&clock, at_ms(0, 0));
    int64_t begin_ns = clock.fast_ns;
    turn_clock_advance(&clock, at_ms(1080, 1000)); /* boot slewed to be fast */
    turn_clock_advance(&clock, at_ms(2000, 2000)); /* boot slewed to be slow */
    cr_assert_eq(clock.fast_ns - begin_ns, 2080 * NS_PER_MS);
    cr_assert_eq(clock.slow_ns - begin_ns, 1920 * NS_PER_MS);
}

Test(T1_clock, suspend_counts_for_what_is_held_only)
{
    struct turn_clock clock;
    turn_clock_init(&clock, at_ms(0, 0));
    int64_t begin_ns = clock.fast_ns;
    turn_clock_advance(&clock, at_ms(60000, 10)); /* raw stands still in suspend */
    cr_assert_eq(clock.fast_ns - begin_ns, 60000 * NS_PER_MS);
    cr_assert_eq(clock.slow_ns - begin_ns, 10 * NS_PER_MS);
}

Test(T1_clock, never_goes_backwards)
{
    struct turn_clock clock;
    turn_clock_init(&clock, at_ms(100, 100));
    int64_t begin_ns = clock.fast_ns;
    turn_clock_advance(&clock, at_ms(90, 80));
    cr_assert_eq(clock.fast_ns, begin_ns);
    cr_assert_eq(clock.slow_ns, begin_ns);
    turn_clock_advance(&clock, at_ms(80, 85));
    cr_assert_eq(clock.fast_ns, begin_ns + 5 * NS_PER_MS);
    cr_assert_eq(clock.slow_ns, begin_ns);
}

Test(T1_clock, small_turns_never_add_up_to_less_than_one_large_one)
{
    struct turn_clock many, one;
    turn_clock_init(&many, at_ms(0, 0));
    turn_clock_init(&one, at_ms(0, 0));
    for (int i = 1; i <= 100; i++) {
        int64_t wobble = i % 2 == 0 ? 0 : 3;
        turn_clock_advance(&many, at_ms(i * 10 + wobble, i * 10));
    }
    turn_clock_advance(&one, at_ms(1000, 1000));
    cr_assert_geq(many.fast_ns, one.fast_ns);
    cr_assert_leq(many.slow_ns, one.slow_ns);
}

Test(T1_clock, real_clocks_advance)
{
    struct clock_reading before = clock_read();
    struct clock_reading after = clock_read();
    cr_assert_gt(before.boot_ns, 0);
    cr_assert_gt(before.raw_ns, 0);
    cr_assert_geq(after.boot_ns, before.boot_ns);
    cr_assert_geq(after.raw_ns, before.raw_ns);
}
