/* What whoever can write to a shared disk must not be able to do to a terminal. */
#include "escape.h"

#include <criterion/criterion.h>
#include <string.h>

Test(escape, text_that_is_harmless_stays_as_it_is)
{
    cr_expect_str_eq(escaped("plain text, 1 + 2"), "plain text, 1 + 2");
    cr_expect_str_eq(escaped("Zürich 東京 \xf0\x9f\x94\x92"), "Zürich 東京 \xf0\x9f\x94\x92");
    cr_expect_str_eq(escaped(""), "");
}

Test(escape, a_backslash_is_doubled_so_that_nothing_can_pose_as_escaped)
{
    cr_expect_str_eq(escaped("\\x1b"), "\\\\x1b");
}

Test(escape, control_characters_show_as_bytes)
{
    cr_expect_str_eq(escaped("a\x1b[2Jb"), "a\\x1b[2Jb");
    cr_expect_str_eq(escaped("tab\there\n"), "tab\\x09here\\x0a");
    cr_expect_str_eq(escaped("\x7f"), "\\x7f");
    cr_expect_str_eq(escaped("\xc2\x9b"), "\\xc2\\x9b", "the 8-bit form of ESC [");
}

Test(escape, what_turns_the_direction_of_writing_or_breaks_the_line_shows_as_bytes)
{
    cr_expect_str_eq(escaped("\xe2\x80\xae"), "\\xe2\\x80\\xae");
    cr_expect_str_eq(escaped("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");
    cr_expect_str_eq(escaped("\xd8\x9c"), "\\xd8\\x9c");
    cr_expect_str_eq(escaped("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");
}

Test(escape, what_is_not_utf8_shows_as_bytes)
{
    cr_expect_str_eq(escaped("\xff"), "\\xff");
    cr_expect_str_eq(escaped("\xc3("), "\\xc3(", "a character cut short does not swallow the next");
    cr_expect_str_eq(escaped("\xc0\xaf"), "\\xc0\\xaf", "an overlong form");
    cr_expect_str_eq(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80", "half of a surrogate pair");
    cr_expect_str_eq(escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", "beyond Unicode");
    cr_expect_str_eq(escaped("\xe2\x82"), "\\xe2\\x82", "cut off by the end");
}

Test(escape, bytes_may_hold_a_nul_and_end_anywhere)
{
    cr_expect_str_eq(escaped_bytes("a\0b", 3), "a\\x00b");
    cr_expect_str_eq(escaped_bytes("\xe2\x82\xac", 3), "\xe2\x82\xac");
    cr_expect_str_eq(escaped_bytes("\xe2\x82\xac", 2), "\\xe2\\x82", "the byte behind the end is not looked at");
    cr_expect_str_eq(escaped_bytes("x", 0), "");
}

Test(escape, short_room_cuts_at_a_whole_character)
{
    char text[8];
    cr_expect_str_eq(escape_text("abcdefgh", text, sizeof(text)), "abcdefg");
    cr_expect_str_eq(escape_text("abcde\x1b", text, sizeof(text)), "abcde");
    cr_expect_str_eq(escape_text("abcdefé", text, sizeof(text)), "abcdef");
    cr_expect_str_eq(escape_text("abcdef\\", text, sizeof(text)), "abcdef");
    cr_expect_str_eq(escape_text("a", text, 1), "");
}

Test(escape, the_room_that_is_promised_is_enough)
{
    char text[ESCAPED_BYTES(64)];
    char worst[65];
    memset(worst, 1, 64);
    worst[64] = '\0';
    cr_expect_eq(strlen(escape_text(worst, text, sizeof(text))), 4 * 64);
}

Test(escape, eight_results_stand_side_by_side)
{
    const char *first = escaped("first");
    for (int i = 0; i < 7; i++) {
        escaped("other");
    }
    cr_expect_str_eq(first, "first");
}
