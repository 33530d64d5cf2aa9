#include <diskarch/diskarch.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

Test(error, every_code_has_its_own_sentence)
{
#define CODE(code, value, sentence) {code, value, sentence},
    static const struct {
        int code, value;
        const char *sentence;
    } codes[] = {DISKARCH_ERRORS(CODE)};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        cr_assert_eq(codes[i].code, codes[i].value);
        cr_assert_lt(codes[i].code, -4095, "below every errno");
        cr_assert_str_eq(diskarch_error_string(codes[i].code), codes[i].sentence);
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(codes[i].code, codes[j].code);
            cr_assert_str_neq(codes[i].sentence, codes[j].sentence);
        }
    }
}

Test(error, an_errno_is_told_in_the_words_of_the_system)
{
    cr_assert_str_eq(diskarch_error_string(-ENOENT), "No such file or directory");
}

Test(error, anything_else_still_has_a_sentence)
{
    cr_assert_str_eq(diskarch_error_string(0), "success");
    cr_assert_str_eq(diskarch_error_string(-4095), "unknown error");
    cr_assert_str_eq(diskarch_error_string(-5000), "unknown error");
    cr_assert_str_eq(diskarch_error_string(INT32_MIN), "unknown error");
}

Test(error, the_version_has_three_numbers)
{
    int numbers[3];
    cr_assert_eq(sscanf(diskarch_version(), "%d.%d.%d", &numbers[0], &numbers[1], &numbers[2]), 3);
}
