/*
 * The command line of every verb, up to where it would begin to act: its table of options, the options that verbs share, and
 * the values of options. Whatever is given, the end is values within their limits, or exit code 2 with one line that names the
 * fault; and durations, rates and counts are read as an independent reading has them.
 *
 * exit() and the search for the disks of a named set are replaced by the linker.
 *
 * Input: the verb; then the arguments, each ended by a NUL.
 */
#include "block/name.h"
#include "command_line.h"
#include "duration.h"
#include "find_set.h"
#include "fuzz.h"
#include "register_value.h"
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <string.h>

enum { ARGUMENTS_MAX = 24, TEXT_BYTES = 2048, COUNT_MOST = 1000000 };

static const struct verb *const verbs[] = {
#define VERB_ROW(name) &verb_##name,
    VERBS(VERB_ROW)
#undef VERB_ROW
};

/* ---- In place of what ends or acts ------------------------------------------------------------------------------------ */

static jmp_buf end_of_program;
static bool is_running;
static int exit_code;

_Noreturn void __real_exit(int code);
_Noreturn void __wrap_exit(int code);
void __wrap_find_set_disks(const char *name_or_uuid, struct command_line *line);

void __wrap_exit(int code)
{
    if (!is_running) {
        __real_exit(code);
    }
    exit_code = code;
    longjmp(end_of_program, 1);
}

void __wrap_find_set_disks(const char *name_or_uuid, struct command_line *line)
{
    FUZZ_CHECK(name_or_uuid != NULL && line->disk_count == 0);
    line->disks[0] = "/dev/found";
    line->disk_count = 1;
}

/* ---- Values ----------------------------------------------------------------------------------------------------------- */

/* What the text says by strtoull and long arithmetic, -1 if it is no duration: in other ways than duration.c. */
static int64_t duration_again(const char *text)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}};
    char *end = NULL;
    errno = 0;
    unsigned long long value = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    for (size_t i = 0; end != NULL && errno == 0 && i < sizeof units / sizeof *units; i++) {
        int64_t ns;
        if (strcmp(end, units[i].name) == 0) {
            return __builtin_mul_overflow(value, units[i].ns, &ns) ? -1 : ns;
        }
    }
    return -1;
}

static void check_values(const char *text)
{
    int64_t ns = -1;
    uint32_t ppm = UINT32_MAX;
    uint32_t count = UINT32_MAX;
    const char *fault = duration_parse(text, &ns);
    FUZZ_CHECK((fault == NULL) == (ns >= 0) && ns == duration_again(text));
    fault = rate_parse(text, &ppm);
    FUZZ_CHECK((fault == NULL) == (ppm <= 1000000));
    fault = count_parse(text, 2, COUNT_MOST, &count);
    FUZZ_CHECK((fault == NULL) == (count >= 2 && count <= COUNT_MOST));
    FUZZ_CHECK(fault != NULL || strtoul(text, NULL, 10) == count);
}

/* Every option of a verb's own as every kind of value: those that refuse it end the program, and the next input goes on. */
static void take_option(void *values, int letter, const char *argument)
{
    static struct register_value value;
    uint32_t *taken = values;
    (*taken)++;
    if (argument == NULL) {
        return;
    }
    check_values(argument);
    switch (letter % 6) {
    case 0:
        FUZZ_CHECK(option_duration("lease", argument) >= 0);
        break;
    case 1:
        FUZZ_CHECK(option_rate("clock-drift", argument) <= 1000000);
        break;
    case 2:
        FUZZ_CHECK(option_count("slots", argument, 2, COUNT_MOST) <= COUNT_MOST);
        break;
    case 3:
        option_slot_reuse(argument);
        break;
    case 4:
        register_value_parse(argument, NOTATION_HEX, &value);
        FUZZ_CHECK(value.count <= REGISTER_VALUE_BYTES && value.count * 2 == strlen(argument));
        break;
    default:
        command_line_check_name("node", argument);
        FUZZ_CHECK(name_check(argument) == NAME_OK);
        break;
    }
}

/* ---- The command line ------------------------------------------------------------------------------------------------- */

static void check_line(const struct verb *verb, const struct command_line *line, int argc, char **argv)
{
    bool has_disks = (verb->common & (COMMON_DISKS | COMMON_TARGETS)) != 0;
    FUZZ_CHECK((line->disk_count > 0) == has_disks && line->disk_count <= COMMAND_LINE_DISKS_MAX);
    for (size_t i = 0; i < line->disk_count; i++) {
        FUZZ_CHECK(line->disks[i][0] != '\0' && strchr(line->disks[i], ',') == NULL);
    }
    FUZZ_CHECK(line->set == NULL || (verb->common & COMMON_DISKS) != 0);
    FUZZ_CHECK(line->node_name == NULL || name_check(line->node_name) == NAME_OK);
    FUZZ_CHECK((line->engine != NULL) == ((verb->common & COMMON_ENGINE) != 0));
    FUZZ_CHECK(line->timeout_ns >= -1 && (line->timeout_ns < 0 || (verb->common & COMMON_TIMEOUT) != 0));
    FUZZ_CHECK(line->argument_count >= 0 && line->argument_count < argc);
    FUZZ_CHECK(line->arguments >= argv && line->arguments + line->argument_count == argv + argc);
}

static void parse(const struct verb *verb, int argc, char **argv)
{
    static struct command_line line;
    static uint32_t taken;
    static const char *const variables[] = {"DISKARCH_DISKS", "DISKARCH_SET", "DISKARCH_ENGINE"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        unsetenv(variables[i]);
    }
    optind = 0; /* getopt begins anew */
    exit_code = 0;
    is_running = true;
    if (setjmp(end_of_program) == 0) {
        report_set_verb(verb->name);
        command_line_parse(verb, argc, argv, take_option, &taken, &line);
        check_line(verb, &line, argc, argv);
        if (line.argument_count > 0) {
            FUZZ_CHECK(name_check(command_line_role(&line)) == NAME_OK);
        }
        command_line_check_empty(verb, &line);
    }
    is_running = false;
}

/* What was printed since: help alone, or one complaint that names the verb and two lines in all. */
static void check_said(const char *said, const char *complained)
{
    FUZZ_CHECK(exit_code == 0 || exit_code == EXIT_CODE_USAGE);
    if (exit_code == 0) {
        FUZZ_CHECK(*complained == '\0');
        return;
    }
    const char *end = strchr(complained, '\n');
    FUZZ_CHECK(*said == '\0' && strncmp(complained, "diskarch ", 9) == 0 && end != NULL);
    FUZZ_CHECK(strncmp(end + 1, "Try `diskarch ", 14) == 0 && strchr(end + 1, '\n') == end + strlen(end) - 1);
    for (const char *at = complained; *at != '\0'; at++) {
        FUZZ_CHECK((uint8_t)*at >= 0x20 || *at == '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static char text[TEXT_BYTES + 1];
    char *argv[ARGUMENTS_MAX + 2];
    int argc = 1;
    if (count == 0 || count > TEXT_BYTES) {
        return 0;
    }
    const struct verb *verb = verbs[bytes[0] % (sizeof verbs / sizeof *verbs)];
    memcpy(text, bytes + 1, count - 1);
    text[count - 1] = '\0';
    argv[0] = (char *)(uintptr_t)verb->name;
    for (char *at = text; at < text + count - 1 && argc <= ARGUMENTS_MAX; at += strlen(at) + 1) {
        check_values(at);
        argv[argc] = at;
        argc++;
    }
    argv[argc] = NULL;
    FILE *out = stdout;
    FILE *errors = stderr;
    char *said = NULL;
    char *complained = NULL;
    size_t said_bytes = 0;
    size_t complained_bytes = 0;
    stdout = open_memstream(&said, &said_bytes);
    stderr = open_memstream(&complained, &complained_bytes);
    parse(verb, argc, argv);
    FUZZ_CHECK(fclose(stdout) == 0 && fclose(stderr) == 0);
    stdout = out;
    stderr = errors;
    check_said(said, complained);
    free(said);
    free(complained);
    return 0;
}
