#include "command_line.h"

#include "block/limits.h"
#include "block/name.h"
#include "duration.h"
#include "escape.h"
#include "find_set.h"
#include "report.h"

#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 32, HELP_COLUMN = 28 };

enum { LETTER_DISKS = LETTER_NONE + 1000, LETTER_SET, LETTER_NODE, LETTER_ENGINE, LETTER_JSON, LETTER_HELP };

enum { LETTER_TIMEOUT = 'w' };

static const struct common_option {
    unsigned bit; /* 0: every verb has it */
    struct verb_option option;
} common_options[] = {
    {COMMON_DISKS | COMMON_TARGETS,
     {LETTER_DISKS, "disks", "A,B,C", "the disks of the set, in any order; else from DISKARCH_DISKS"}},
    {COMMON_DISKS, {LETTER_SET, "set", "NAME|UUID", "instead: the set whose disks are to be found on this host"}},
    {COMMON_NODE, {LETTER_NODE, "node", "NAME", "name of this node (default: after the host)"}},
    {COMMON_ENGINE,
     {LETTER_ENGINE, "engine", "ENGINE", "auto, io_uring or libaio; else from DISKARCH_ENGINE (default: auto)"}},
    {COMMON_TIMEOUT, {LETTER_TIMEOUT, "timeout", "DURATION", "wait so long at most"}},
    {COMMON_JSON, {LETTER_JSON, "json", NULL, "print JSON"}},
    {0, {LETTER_HELP, "help", NULL, "print this help and end"}},
};

enum { COMMON_OPTION_COUNT = sizeof(common_options) / sizeof(common_options[0]) };

static bool verb_has_common(const struct verb *verb, const struct common_option *common)
{
    return common->bit == 0 || (verb->common & common->bit) != 0;
}

/* ---- Help -------------------------------------------------------------------------------------------------------- */

static void option_print_help(const struct verb_option *option)
{
    char text[64];
    char letter[8] = "    ";
    if (option->letter < LETTER_NONE) {
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    }
    snprintf(text, sizeof(text), "  %s--%s%s%s", letter, option->name, option->argument == NULL ? "" : " ",
             option->argument == NULL ? "" : option->argument);
    if (strlen(text) > HELP_COLUMN) {
        printf("%s\n%*s %s\n", text, HELP_COLUMN, "", option->help);
    } else {
        printf("%-*s %s\n", HELP_COLUMN, text, option->help);
    }
}

static void verb_print_help(const struct verb *verb)
{
    printf("Usage: diskarch %s [OPTION...]%s%s\n\n%s\n\nOptions:\n", verb->name, *verb->arguments == '\0' ? "" : " ",
           verb->arguments, verb->detail);
    for (size_t i = 0; i < verb->option_count; i++) {
        option_print_help(&verb->options[i]);
    }
    for (size_t i = 0; i < COMMON_OPTION_COUNT; i++) {
        if (verb_has_common(verb, &common_options[i])) {
            option_print_help(&common_options[i].option);
        }
    }
    printf("\nDurations are written 500ms, 10s, 1m, 2h or 1d. Exit codes: see `diskarch --help` or diskarch(1).\n");
}

/* ---- Parsing ----------------------------------------------------------------------------------------------------- */

/* The verb's options in the form of getopt_long. `letters` has a ":" in front, so that a missing value is told from an
 * unknown option, and a "+" before it where the first argument ends the options. */
struct getopt_table {
    struct option options[OPTIONS_MAX + 1];
    size_t count;
    char letters[3 * OPTIONS_MAX];
};

static void table_add(struct getopt_table *table, const struct verb_option *option)
{
    assert(table->count < OPTIONS_MAX);
    int has_argument = option->argument == NULL ? no_argument : required_argument;
    table->options[table->count] = (struct option){option->name, has_argument, NULL, option->letter};
    table->count++;
    if (option->letter < LETTER_NONE) {
        size_t length = strlen(table->letters);
        snprintf(table->letters + length, sizeof(table->letters) - length, "%c%s", option->letter,
                 option->argument == NULL ? "" : ":");
    }
}

static void table_init(struct getopt_table *table, const struct verb *verb)
{
    *table = (struct getopt_table){0};
    snprintf(table->letters, sizeof table->letters, "%s", verb->takes_command ? "+:" : ":");
    for (size_t i = 0; i < verb->option_count; i++) {
        table_add(table, &verb->options[i]);
    }
    for (size_t i = 0; i < COMMON_OPTION_COUNT; i++) {
        if (verb_has_common(verb, &common_options[i])) {
            table_add(table, &common_options[i].option);
        }
    }
}

/* Takes the list apart in place. */
static void disks_take(struct command_line *line, char *list, const char *from)
{
    line->disk_count = 0;
    for (char *rest = list, *path; (path = strsep(&rest, ",")) != NULL;) {
        if (*path == '\0') {
            usage_fail("%s: a path in the list is empty; write --disks /dev/a,/dev/b,/dev/c", from);
        }
        if (line->disk_count == COMMAND_LINE_DISKS_MAX) {
            usage_fail("%s: more than %d disks; a set has at most 9", from, COMMAND_LINE_DISKS_MAX);
        }
        line->disks[line->disk_count] = path;
        line->disk_count++;
    }
}

/* NULL for a variable that is empty, too. */
static const char *environment(const char *name)
{
    const char *text = getenv(name);
    return text == NULL || *text == '\0' ? NULL : text;
}

static void disks_take_environment(struct command_line *line)
{
    const char *list = environment("DISKARCH_DISKS");
    static char *copy; /* lives as long as the program: the paths point into it */
    copy = strdup(list);
    if (copy == NULL) {
        complain("out of memory; free some and try again");
        exit(EXIT_CODE_SYSTEM);
    }
    disks_take(line, copy, "DISKARCH_DISKS");
}

/* What was given on the command line wins over the environment, paths over the name of a set. */
static void disks_settle(const struct verb *verb, struct command_line *line)
{
    bool has_set = (verb->common & COMMON_DISKS) != 0;
    if (line->disk_count > 0 && line->set != NULL) {
        usage_fail("--disks and --set are both given; give one of them");
    }
    if (line->disk_count > 0) {
        return;
    }
    if (line->set == NULL && environment("DISKARCH_DISKS") != NULL) {
        disks_take_environment(line);
        return;
    }
    if (has_set && line->set == NULL) {
        line->set = environment("DISKARCH_SET");
    }
    if (line->set == NULL) {
        usage_fail("no disks are named; give --disks A,B,C%s or set DISKARCH_DISKS", has_set ? " or --set NAME" : "");
    }
    find_set_disks(line->set, line);
}

static void engine_take(struct command_line *line, const char *engine, const char *from)
{
    if (disk_engine_kind_parse(engine, &line->engine_kind)) {
        line->engine = engine;
        return;
    }
    usage_fail("%s: \"%s\" is not known; choose auto, io_uring or libaio", from, escaped(engine));
}

static void engine_take_environment(struct command_line *line)
{
    const char *engine = environment("DISKARCH_ENGINE");
    engine_take(line, engine == NULL ? "auto" : engine, "DISKARCH_ENGINE");
}

/* False if the option is one of the verb's own. */
static bool common_take(const struct verb *verb, struct command_line *line, int letter, char *argument)
{
    switch (letter) {
    case LETTER_DISKS:
        disks_take(line, argument, "--disks");
        return true;
    case LETTER_SET:
        line->set = argument;
        return true;
    case LETTER_NODE:
        command_line_check_name("node", argument);
        line->node_name = argument;
        return true;
    case LETTER_ENGINE:
        engine_take(line, argument, "--engine");
        return true;
    case LETTER_TIMEOUT:
        line->timeout_ns = option_duration("timeout", argument);
        return true;
    case LETTER_JSON:
        line->is_json = true;
        return true;
    case LETTER_HELP:
        verb_print_help(verb);
        exit(output_finish());
    default:
        return false;
    }
}

void command_line_parse(const struct verb *verb, int argc, char **argv, option_taker *take, void *values,
                        struct command_line *ret)
{
    *ret = (struct command_line){.engine = NULL, .timeout_ns = -1};
    struct getopt_table table;
    table_init(&table, verb);
    int letter;
    while ((letter = getopt_long(argc, argv, table.letters, table.options, NULL)) != -1) {
        if (letter == '?') {
            usage_fail("option \"%s\" is not known to `diskarch %s`; see its options", escaped(argv[optind - 1]),
                       verb->name);
        }
        if (letter == ':') {
            usage_fail("option \"%s\" needs a value; give it after the option", escaped(argv[optind - 1]));
        }
        if (!common_take(verb, ret, letter, optarg)) {
            assert(take != NULL);
            take(values, letter, optarg);
        }
    }
    ret->argument_count = argc - optind;
    ret->arguments = argv + optind;
    if ((verb->common & (COMMON_DISKS | COMMON_TARGETS)) != 0) {
        disks_settle(verb, ret);
    }
    if ((verb->common & COMMON_ENGINE) != 0 && ret->engine == NULL) {
        engine_take_environment(ret);
    }
}

struct diskarch_options command_line_options(const struct command_line *line)
{
    return (struct diskarch_options){
        .size = sizeof(struct diskarch_options),
        .disks = line->disks,
        .disk_count = line->disk_count,
        .node_name = line->node_name,
        .engine = line->engine,
    };
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

void command_line_check_name(const char *thing, const char *text)
{
    switch (name_check(text)) {
    case NAME_OK:
        return;
    case NAME_EMPTY:
        usage_fail("the name of the %s is empty; give 1 to %d bytes", thing, NAME_BYTES_MAX);
    case NAME_TOO_LONG:
        usage_fail("%s name \"%.80s\" is too long; give at most %d bytes", thing, escaped(text), NAME_BYTES_MAX);
    case NAME_NOT_UTF8:
        usage_fail("%s name \"%s\" is not UTF-8; give printable UTF-8", thing, escaped(text));
    case NAME_NOT_PRINTABLE:
        usage_fail("%s name \"%s\" has a character that cannot be printed; give printable UTF-8", thing, escaped(text));
    }
}

void command_line_check_empty(const struct verb *verb, const struct command_line *line)
{
    if (line->argument_count != 0) {
        usage_fail("\"%s\" is one argument too many; %s takes none", escaped(line->arguments[0]), verb->name);
    }
}

const char *command_line_role(const struct command_line *line)
{
    if (line->argument_count != 1) {
        usage_fail("%d roles are named; name one, after the options", line->argument_count);
    }
    command_line_check_name("role", line->arguments[0]);
    return line->arguments[0];
}

int64_t option_duration(const char *name, const char *text)
{
    int64_t ns = 0;
    const char *fault = duration_parse(text, &ns);
    if (fault != NULL) {
        usage_fail("--%s: \"%s\" %s", name, escaped(text), fault);
    }
    return ns;
}

uint32_t option_rate(const char *name, const char *text)
{
    uint32_t ppm = 0;
    const char *fault = rate_parse(text, &ppm);
    if (fault != NULL) {
        usage_fail("--%s: \"%s\" %s", name, escaped(text), fault);
    }
    return ppm;
}

bool option_slot_reuse(const char *text)
{
    if (strcmp(text, "never") != 0 && strcmp(text, "quarantine") != 0) {
        usage_fail("--slot-reuse: \"%s\" is not known; choose quarantine or never", escaped(text));
    }
    return strcmp(text, "quarantine") == 0;
}

uint32_t option_count(const char *name, const char *text, uint32_t least, uint32_t most)
{
    uint32_t count = 0;
    const char *fault = count_parse(text, least, most, &count);
    if (fault != NULL) {
        usage_fail("--%s: \"%s\" %s", name, escaped(text), fault);
    }
    return count;
}
