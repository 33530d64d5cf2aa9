/* Words and codes for what the library says. */
#include "disk_words.h"
#include "report.h"

#include "block/limits.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <jansson.h>

Test(report, every_error_has_the_exit_code_that_the_manual_gives)
{
    static const struct {
        int error;
        enum exit_code code;
    } rows[] = {
        {0, EXIT_CODE_OK},
        {DISKARCH_EUSAGE, EXIT_CODE_USAGE},
        {DISKARCH_ENOSET, EXIT_CODE_SET},
        {DISKARCH_EFOREIGN, EXIT_CODE_SET},
        {DISKARCH_EVERSION, EXIT_CODE_SET},
        {DISKARCH_ENOQUORUM, EXIT_CODE_SET},
        {DISKARCH_EINUSE, EXIT_CODE_IN_USE},
        {DISKARCH_ENOSLOT, EXIT_CODE_FULL},
        {DISKARCH_EHELD, EXIT_CODE_NO},
        {DISKARCH_ETIMEOUT, EXIT_CODE_TIMEOUT},
        {DISKARCH_ELOST, EXIT_CODE_LOST},
        {DISKARCH_EFULL, EXIT_CODE_FULL},
        {DISKARCH_EKIND, EXIT_CODE_FULL},
        {DISKARCH_EENGINE, EXIT_CODE_ENGINE},
        {DISKARCH_EDIRECT, EXIT_CODE_ENGINE},
        {DISKARCH_EUNSETTLED, EXIT_CODE_SET},
        {DISKARCH_ENONE, EXIT_CODE_NO},
        {DISKARCH_ECLOSED, EXIT_CODE_SET},
        {DISKARCH_ECHANGED, EXIT_CODE_CHANGED},
        {DISKARCH_ENOTREADY, EXIT_CODE_NO},
        {DISKARCH_EFREE, EXIT_CODE_NO},
        {DISKARCH_EUNKNOWN, EXIT_CODE_UNKNOWN},
        {-EIO, EXIT_CODE_SYSTEM},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(exit_code_of_error(rows[i].error), rows[i].code, "%s", diskarch_error_string(rows[i].error));
    }
}

Test(report, liveness_in_words)
{
    cr_expect_str_eq(liveness_words(DISKARCH_ALIVE, 0, false), "alive");
    cr_expect_str_eq(liveness_words(DISKARCH_SILENT, 2400 * NS_PER_MS, false), "silent for 2.4 s");
    cr_expect_str_eq(liveness_words(DISKARCH_NOT_OBSERVED, 0, false), "not yet observed");
    cr_expect_str_eq(liveness_words(DISKARCH_LEFT, 0, false), "left");
    cr_expect_str_eq(liveness_words(DISKARCH_ALIVE, 0, true), "dead", "a verdict counts more than a moving heartbeat");
}

Test(report, every_state_of_a_disk_has_its_own_word_and_code)
{
    for (int i = DISKARCH_DISK_GOOD; i <= DISKARCH_DISK_OUT; i++) {
        for (int j = DISKARCH_DISK_GOOD; j < i; j++) {
            cr_expect_str_neq(disk_state_words((enum diskarch_disk_state)i),
                              disk_state_words((enum diskarch_disk_state)j));
            cr_expect_str_neq(disk_state_code((enum diskarch_disk_state)i),
                              disk_state_code((enum diskarch_disk_state)j));
        }
    }
}

Test(report, a_disk_in_one_line_escaped)
{
    struct diskarch_disk_status disk = {
        .index = 1, .state = DISKARCH_DISK_FAILED, .path = "/dev/\x1b", .reason = "gone"};
    cr_expect_str_eq(disk_words(&disk), "disk 1 /dev/\\x1b: FAILED: gone");
    disk.state = DISKARCH_DISK_GOOD;
    cr_expect_str_eq(disk_words(&disk), "disk 1 /dev/\\x1b: good");
}

Test(report, text_from_disks_becomes_json_whatever_its_bytes)
{
    json_t *good = json_text("Zürich");
    json_t *bad = json_text("a\xff");
    cr_expect_str_eq(json_string_value(good), "Zürich");
    cr_expect_str_eq(json_string_value(bad), "a\\xff");
    json_decref(good);
    json_decref(bad);
}

Test(report, bytes_become_json_only_as_they_are)
{
    json_t *text = json_bytes("a\0b", 3);
    json_t *binary = json_bytes("\xff", 1);
    cr_expect_eq(json_string_length(text), 3);
    cr_expect(json_is_null(binary));
    json_decref(text);
    json_decref(binary);
}

Test(report, numbers_that_json_cannot_hold_are_text)
{
    json_t *hex = json_hex(UINT64_MAX);
    cr_expect_str_eq(json_string_value(hex), "ffffffffffffffff");
    json_decref(hex);
}

/* A payload is any bytes that are UTF-8, and JSON forbids none of them but those of ASCII. */
Test(report, json_holds_nothing_that_a_terminal_obeys, .init = cr_redirect_stdout)
{
    json_print_line(json_pack("{s:o}", "payload", json_bytes("\xc2\x9b[2J", 5)));
    cr_assert_stdout_eq_str("{\"payload\":\"\\u009B[2J\"}\n");
}

Test(report, json_leaves_text_as_it_is, .init = cr_redirect_stdout)
{
    json_print_line(json_pack("{s:o}", "name", json_text("Zürich")));
    cr_assert_stdout_eq_str("{\"name\":\"Zürich\"}\n");
}
