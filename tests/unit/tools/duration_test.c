/* Durations, rates and counts as people write them. */
#include "duration.h"

#include "block/limits.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

static int64_t parsed_ns(const char *text)
{
    int64_t ns = -1;
    const char *fault = duration_parse(text, &ns);
    cr_assert_null(fault, "\"%s\" %s", text, fault);
    return ns;
}

Test(duration, every_unit)
{
    cr_expect_eq(parsed_ns("500ms"), 500 * NS_PER_MS);
    cr_expect_eq(parsed_ns("10s"), 10 * NS_PER_S);
    cr_expect_eq(parsed_ns("1m"), 60 * NS_PER_S);
    cr_expect_eq(parsed_ns("2h"), 7200 * NS_PER_S);
    cr_expect_eq(parsed_ns("1d"), 86400 * NS_PER_S);
    cr_expect_eq(parsed_ns("0s"), 0);
    cr_expect_eq(parsed_ns("007s"), 7 * NS_PER_S);
}

Test(duration, the_longest_that_can_be_counted)
{
    cr_expect_eq(parsed_ns("9223372036s"), 9223372036 * NS_PER_S);
    int64_t ns = 42;
    cr_expect_str_eq(duration_parse("9223372037s", &ns), "is longer than can be counted; write a shorter duration");
    cr_expect_str_eq(duration_parse("9223372036854775808ms", &ns),
                     "is longer than can be counted; write a shorter duration");
    cr_expect_eq(ns, 42, "untouched on failure");
}

Test(duration, what_is_none_says_how_to_write_it)
{
    int64_t ns = 42;
    const char *const faulty[] = {"",    "s",  "-1s",  "+1s", " 1s",   "1",  "1.5s",
                                  "1 s", "1S", "1sec", "1s ", "0x10s", "1us"};
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
        const char *fault = duration_parse(faulty[i], &ns);
        cr_assert_not_null(fault, "\"%s\" was taken", faulty[i]);
        cr_expect(strstr(fault, "; write") != NULL, "\"%s\": no remedy in \"%s\"", faulty[i], fault);
    }
    cr_expect_eq(ns, 42, "untouched on failure");
}

static uint32_t parsed_ppm(const char *text)
{
    uint32_t ppm = UINT32_MAX;
    const char *fault = rate_parse(text, &ppm);
    cr_assert_null(fault, "\"%s\" %s", text, fault);
    return ppm;
}

Test(rate, percent_and_parts_per_million)
{
    cr_expect_eq(parsed_ppm("0.5%"), 5000);
    cr_expect_eq(parsed_ppm("5000ppm"), 5000);
    cr_expect_eq(parsed_ppm("0.0001%"), 1);
    cr_expect_eq(parsed_ppm("12%"), 120000);
    cr_expect_eq(parsed_ppm("100%"), 1000000);
    cr_expect_eq(parsed_ppm("1000000ppm"), 1000000);
}

Test(rate, what_is_none_is_refused)
{
    uint32_t ppm = 42;
    const char *const faulty[] = {"", "5", "0.5", "%", "-1%", "100.1%", "101%", "1000001ppm", "0.00001%", "1 %", "1pm"};
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
        cr_expect_not_null(rate_parse(faulty[i], &ppm), "\"%s\" was taken", faulty[i]);
    }
    cr_expect_eq(ppm, 42, "untouched on failure");
}

Test(count, only_whole_numbers_within_the_bounds)
{
    uint32_t count = 42;
    cr_expect_str_eq(count_parse("1", 2, 9, &count), "is not a whole number from 2 to 9");
    cr_expect_not_null(count_parse("10", 2, 9, &count));
    cr_expect_not_null(count_parse("8", 2, 7, &count));
    cr_expect_not_null(count_parse("3x", 2, 9, &count));
    cr_expect_not_null(count_parse("", 0, 9, &count));
    cr_expect_not_null(count_parse("-0", 0, 9, &count));
    cr_expect_not_null(count_parse("4294967296", 0, UINT32_MAX, &count));
    cr_expect_eq(count, 42, "untouched on failure");
    cr_expect_null(count_parse("9", 2, 9, &count));
    cr_expect_eq(count, 9);
    cr_expect_null(count_parse("4294967295", 0, UINT32_MAX, &count));
    cr_expect_eq(count, UINT32_MAX);
}

Test(duration, short_form_for_the_eye)
{
    char text[DURATION_TEXT_BYTES];
    cr_expect_str_eq(duration_format_short(183000, text), "0.183 ms");
    cr_expect_str_eq(duration_format_short(2400 * NS_PER_MS, text), "2.4 s");
    cr_expect_str_eq(duration_format_short(0, text), "0.000 ms");
}
