#include "block/limits.h"
#include "block/name.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void expect_all(enum name_fault expected, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(name_check(texts[i]), expected, "text %zu: \"%s\"", i, texts[i]);
    }
}

#define EXPECT_ALL(expected, texts) expect_all(expected, texts, sizeof(texts) / sizeof *(texts))

Test(name, good_names)
{
    static const char *const texts[] = {
        "a",
        "db-1.example.org",
        "two words",
        "~",
        "Gr\303\266\303\237e",
        "\xe6\x97\xa5\xe6\x9c\xac",
        "\xf0\x9f\x98\x80",
        "\xc2\xa1",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xf4\x8f\xbf\xbd",
    };
    EXPECT_ALL(NAME_OK, texts);
}

Test(name, empty)
{
    cr_expect_eq(name_check(""), NAME_EMPTY);
}

Test(name, at_most_63_bytes)
{
    char text[66];
    memset(text, 'x', sizeof text);
    text[63] = '\0';
    cr_expect_eq(name_check(text), NAME_OK);
    memset(text, 'x', 64);
    text[64] = '\0';
    cr_expect_eq(name_check(text), NAME_TOO_LONG);
}

/* Bytes count, not characters: 31 times two bytes and one more is the most. */
Test(name, length_is_counted_in_bytes)
{
    char text[65] = "";
    for (int i = 0; i < 31; i++) {
        strcat(text, "\xc3\xa4");
    }
    strcat(text, "x");
    cr_expect_eq(name_check(text), NAME_OK);
    strcat(text, "x");
    cr_expect_eq(name_check(text), NAME_TOO_LONG);
}

/* Octal where a hexadecimal digit follows: it would belong to the escape. */
Test(name, controls)
{
    static const char *const texts[] = {
        "a\nb",     "\t",       "\x1b[31m",     "\x7f",         "x\x01",
        "\xc2\x80", "\xc2\x9f", "a\302\23331m", "\xe2\x80\xa8", "\xe2\x80\xa9",
    };
    EXPECT_ALL(NAME_NOT_PRINTABLE, texts);
}

Test(name, bidirectional_and_invisible)
{
    static const char *const texts[] = {
        "\xe2\x80\xaa", "a\342\200\256b",   "\xe2\x81\xa6", "\xe2\x81\xa9",     "\xe2\x80\x8e",
        "\xe2\x80\x8f", "\xd8\x9c",         "\xe2\x80\x8b", "\xc2\xad",         "\357\273\277a",
        "\xe2\x81\xa0", "\xf3\xa0\x80\x81", "\xef\xbf\xbf", "\xf0\x9f\xbf\xbe", "\xf4\x8f\xbf\xbf",
    };
    EXPECT_ALL(NAME_NOT_PRINTABLE, texts);
}

Test(name, not_utf8)
{
    static const char *const texts[] = {
        "\x80",
        "\xff",
        "a\xc3",
        "\xc3(",
        "\xe2\x82",
        "\xe2(\xa1",
        "\xf0\x9f\x98",
        "\xc0\xaf",
        "\xc1\x81",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",
        "\xed\xbf\xbf", /* surrogates */
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80", /* too high */
    };
    EXPECT_ALL(NAME_NOT_UTF8, texts);
}

Test(name, field_round_trip)
{
    uint8_t field[NAME_FIELD_BYTES];
    memset(field, 0xee, sizeof field);
    name_field_store(field, "alpha");
    cr_expect(name_field_is_valid(field));
    cr_expect_str_eq((const char *)field, "alpha");
    for (size_t i = 5; i < sizeof field; i++) {
        cr_expect_eq(field[i], 0);
    }
}

Test(name, field_of_an_empty_text_is_zero_and_no_name)
{
    static const uint8_t zeros[NAME_FIELD_BYTES];
    uint8_t field[NAME_FIELD_BYTES];
    memset(field, 0xee, sizeof field);
    name_field_store(field, "");
    cr_expect_arr_eq(field, zeros, sizeof field);
    cr_expect_not(name_field_is_valid(field));
}

Test(name, field_must_be_terminated_and_padded)
{
    uint8_t field[NAME_FIELD_BYTES];
    memset(field, 'x', sizeof field);
    cr_expect_not(name_field_is_valid(field), "no end");
    field[63] = '\0';
    cr_expect(name_field_is_valid(field), "63 bytes");
    name_field_store(field, "alpha");
    field[63] = 'x';
    cr_expect_not(name_field_is_valid(field), "something behind the end");
    name_field_store(field, "alpha");
    field[2] = '\n';
    cr_expect_not(name_field_is_valid(field), "a control character");
}

/* Part of the format: a change here would look for every role in the wrong row. */
Test(name, hash_is_part_of_the_format)
{
    cr_expect_eq(name_hash(""), UINT64_C(0xefd01f60ba992926));
    cr_expect_eq(name_hash("a"), UINT64_C(0x82a2a958a9bece5b));
    cr_expect_eq(name_hash("database"), UINT64_C(0xc0bb97a4eec1cc0b));
}

/* Names that differ in one character spread over the registers: no row of 256 gets more than a few of 1000. */
Test(name, hash_spreads)
{
    int rows[256] = {0};
    for (int i = 0; i < 1000; i++) {
        char text[32];
        snprintf(text, sizeof text, "role-%d", i);
        rows[name_hash(text) % 256]++;
    }
    for (int row = 0; row < 256; row++) {
        cr_expect_lt(rows[row], 16);
    }
}
