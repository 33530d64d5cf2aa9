/* From argv to values. What is refused, and in which words, is held by tests/integration/tool/arguments.sh. */
#include "command_line.h"

#include "block/limits.h"
#include "exit_code.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LETTER_DEPTH = LETTER_NONE + 1 };

static const struct verb_option options[] = {
    {'f', "fast", NULL, "be quick about it"},
    {LETTER_DEPTH, "depth", "N", "how deep"},
};

static const struct verb plain = {
    .name = "probe",
    .arguments = "[WORD...]",
    .detail = "Tells what it was given.",
    .common = COMMON_DISKS | COMMON_NODE | COMMON_ENGINE | COMMON_JSON | COMMON_TIMEOUT,
    .options = options,
    .option_count = 2,
};

struct taken {
    int fast_count;
    const char *depth;
};

static void take(void *values, int letter, const char *argument)
{
    struct taken *taken = values;
    if (letter == 'f') {
        taken->fast_count++;
    } else {
        cr_assert_eq(letter, LETTER_DEPTH);
        taken->depth = argument;
    }
}

/* Parses words up to NULL, as main() hands them to a verb. */
static struct command_line parsed(const struct verb *verb, struct taken *taken, ...)
{
    enum { WORDS_MAX = 16, WORD_BYTES = 64 };
    static char texts[WORDS_MAX][WORD_BYTES];
    static char *words[WORDS_MAX + 1];
    va_list list;
    int count = 0;
    va_start(list, taken);
    for (const char *word = verb->name; word != NULL; word = va_arg(list, const char *)) {
        snprintf(texts[count], WORD_BYTES, "%s", word);
        words[count] = texts[count];
        count++;
    }
    va_end(list);
    words[count] = NULL;
    optind = 0; /* glibc: begin anew */
    struct command_line line;
    command_line_parse(verb, count, words, take, taken, &line);
    return line;
}

Test(command_line, options_and_arguments_in_any_order)
{
    struct taken taken = {0};
    struct command_line line = parsed(&plain, &taken, "one", "--disks", "a,b,c", "-f", "--depth", "7", "two", "--json",
                                      "-f", "-w", "5s", NULL);
    cr_expect_eq(taken.fast_count, 2);
    cr_expect_str_eq(taken.depth, "7");
    cr_expect(line.is_json);
    cr_expect_eq(line.timeout_ns, 5 * NS_PER_S);
    cr_assert_eq(line.argument_count, 2);
    cr_expect_str_eq(line.arguments[0], "one");
    cr_expect_str_eq(line.arguments[1], "two");
    cr_assert_eq(line.disk_count, 3);
    cr_expect_str_eq(line.disks[2], "c");
}

Test(command_line, what_was_not_given)
{
    struct taken taken = {0};
    struct command_line line = parsed(&plain, &taken, "--disks", "a", NULL);
    cr_expect_eq(line.timeout_ns, -1);
    cr_expect_null(line.node_name);
    cr_expect_str_eq(line.engine, "auto");
    cr_expect_not(line.is_json);
    cr_expect_eq(line.argument_count, 0);
}

Test(command_line, disks_come_from_the_environment_unless_they_are_named)
{
    struct taken taken = {0};
    setenv("DISKARCH_DISKS", "x,y", 1);
    struct command_line line = parsed(&plain, &taken, NULL);
    cr_assert_eq(line.disk_count, 2);
    cr_expect_str_eq(line.disks[1], "y");
    line = parsed(&plain, &taken, "--disks", "z", NULL);
    cr_assert_eq(line.disk_count, 1);
    cr_expect_str_eq(line.disks[0], "z");
}

Test(command_line, what_comes_behind_the_first_argument_is_the_commands_own)
{
    struct verb runner = plain;
    struct taken taken = {0};
    runner.takes_command = true;
    struct command_line line = parsed(&runner, &taken, "--disks", "a", "role", "-f", "--depth", NULL);
    cr_expect_eq(taken.fast_count, 0);
    cr_assert_eq(line.argument_count, 3);
    cr_expect_str_eq(line.arguments[1], "-f");
}

Test(command_line, the_options_of_the_library)
{
    struct taken taken = {0};
    struct command_line line =
        parsed(&plain, &taken, "--disks", "a,b", "--node", "alpha", "--engine", "io_uring", NULL);
    struct diskarch_options library = command_line_options(&line);
    cr_expect_eq(library.size, sizeof(library));
    cr_expect_eq(library.disk_count, 2);
    cr_expect_str_eq(library.node_name, "alpha");
    cr_expect_str_eq(library.engine, "io_uring");
    cr_expect_not(library.is_rejoining);
}

static void silence(void)
{
    cr_redirect_stdout();
    cr_redirect_stderr();
}

Test(command_line, an_unknown_option_ends_it, .init = silence, .exit_code = EXIT_CODE_USAGE)
{
    struct taken taken = {0};
    parsed(&plain, &taken, "--disks", "a", "--slow", NULL);
}

Test(command_line, a_missing_value_ends_it, .init = silence, .exit_code = EXIT_CODE_USAGE)
{
    struct taken taken = {0};
    parsed(&plain, &taken, "--disks", "a", "--depth", NULL);
}

Test(command_line, a_bad_name_ends_it, .init = silence, .exit_code = EXIT_CODE_USAGE)
{
    command_line_check_name("role", "line\nbreak");
}

Test(command_line, a_count_out_of_bounds_ends_it, .init = silence, .exit_code = EXIT_CODE_USAGE)
{
    option_count("depth", "8", 1, 7);
}

Test(command_line, help_lists_every_option_and_ends_well, .init = silence, .exit_code = EXIT_CODE_OK)
{
    struct taken taken = {0};
    parsed(&plain, &taken, "--help", NULL);
}
