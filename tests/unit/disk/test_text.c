/* Messages and UUIDs. */
#include "block/limits.h"
#include "disk/message.h"
#include "disk/uuid.h"

#include <criterion/criterion.h>
#include <string.h>

Test(message, durations_read_as_they_are_typed)
{
    char text[DURATION_TEXT_BYTES];
    cr_expect_str_eq(message_duration(text, 10 * NS_PER_S), "10s");
    cr_expect_str_eq(message_duration(text, 500 * NS_PER_MS), "500ms");
    cr_expect_str_eq(message_duration(text, 1500 * NS_PER_MS), "1500ms");
    cr_expect_str_eq(message_duration(text, 0), "0s");
}

Test(message, what_does_not_fit_is_cut_off)
{
    char text[8] = "";
    cr_expect_eq(message_set(-5, text, sizeof text, "%s", "0123456789"), -5);
    cr_expect_str_eq(text, "0123456");
    message_add(text, sizeof text, "more");
    cr_expect_str_eq(text, "0123456");
    message_set(0, text, sizeof text, "ab");
    message_add(text, sizeof text, "%d", 42);
    cr_expect_str_eq(text, "ab42");
    cr_expect_eq(message_set(-7, NULL, 0, "nobody listens"), -7);
    message_add(NULL, 0, "nobody listens");
}

Test(uuid, it_is_written_in_the_usual_way)
{
    struct uuid uuid = {
        {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x4d, 0xef, 0x81, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}};
    char text[UUID_TEXT_BYTES];
    cr_expect_str_eq(uuid_format(text, &uuid), "01234567-89ab-4def-8123-456789abcdef");
}

Test(uuid, two_draws_differ_and_are_of_version_4)
{
    struct uuid one;
    struct uuid two;
    cr_assert_eq(uuid_draw(&one), 0);
    cr_assert_eq(uuid_draw(&two), 0);
    cr_expect_not(uuid_is_same(&one, &two));
    cr_expect(uuid_is_same(&one, &one));
    cr_expect_eq(one.bytes[6] >> 4, 4);
    cr_expect_eq(one.bytes[8] >> 6, 2);
}
