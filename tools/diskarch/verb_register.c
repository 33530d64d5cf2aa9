/*
 * diskarch register get|set|cas|propose NAME ...: values that all nodes agree on. An action is a row of a table and a
 * function that makes one call of the library.
 */
#include "joined.h"
#include "register_value.h"
#include "report.h"

#include "escape.h"

#include <assert.h>
#include <string.h>

enum { LETTER_FILE = LETTER_NONE + 1, LETTER_CREATE, LETTER_HEX, LETTER_RAW };

static const struct verb_option options[] = {
    {LETTER_FILE, "file", "PATH", "read VALUE, any bytes, from a file instead of the command line"},
    {LETTER_CREATE, "create", NULL, "cas: only create the register; there is no EXPECTED then"},
    {LETTER_HEX, "hex", NULL, "values are given and printed as two hexadecimal digits a byte"},
    {LETTER_RAW, "raw", NULL, "print the bytes of the value and nothing else"},
};

struct request {
    struct command_line line;
    const char *path; /* --file */
    bool is_create;
    enum register_notation notation;
    const char *name;
    struct register_value value;
    struct register_value expected;
};

static void register_take(void *values, int letter, const char *argument)
{
    struct request *request = values;
    switch (letter) {
    case LETTER_FILE:
        request->path = argument;
        break;
    case LETTER_CREATE:
        request->is_create = true;
        break;
    case LETTER_HEX:
        request->notation = NOTATION_HEX;
        break;
    case LETTER_RAW:
        request->notation = NOTATION_RAW;
        break;
    default:
        assert(false);
    }
}

/* ---- Actions ----------------------------------------------------------------------------------------------------- */

static int get_call(const struct request *request, const struct joined *joined, struct diskarch_value *ret)
{
    return diskarch_register_get(joined->node, request->name, joined_left_ns(joined), ret);
}

static int set_call(const struct request *request, const struct joined *joined, struct diskarch_value *ret)
{
    const struct register_value *value = &request->value;
    int error = diskarch_register_set(joined->node, request->name, value->bytes, value->count, joined_left_ns(joined),
                                      &ret->version);
    if (error == 0) {
        memcpy(ret->bytes, value->bytes, value->count);
        ret->bytes_used = value->count;
    }
    return error;
}

static int cas_call(const struct request *request, const struct joined *joined, struct diskarch_value *ret)
{
    const struct register_value *value = &request->value;
    const struct register_value *expected = &request->expected;
    return diskarch_register_compare_and_set(joined->node, request->name, request->is_create ? NULL : expected->bytes,
                                             expected->count, value->bytes, value->count, joined_left_ns(joined), ret);
}

static int propose_call(const struct request *request, const struct joined *joined, struct diskarch_value *ret)
{
    const struct register_value *value = &request->value;
    return diskarch_register_propose(joined->node, request->name, value->bytes, value->count, joined_left_ns(joined),
                                     ret);
}

static const struct action {
    const char *name;
    const char *arguments;
    bool takes_value;
    bool takes_expected;
    int (*call)(const struct request *request, const struct joined *joined, struct diskarch_value *ret);
} actions[] = {
    {"get", "NAME", false, false, get_call},
    {"set", "NAME VALUE", true, false, set_call},
    {"cas", "NAME EXPECTED VALUE", true, true, cas_call},
    {"propose", "NAME VALUE", true, false, propose_call},
};

static const struct action *action_find(const char *name)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, name) == 0) {
            return &actions[i];
        }
    }
    usage_fail("\"%s\" is not known; choose get, set, cas or propose", escaped(name));
}

/* ---- The command line -------------------------------------------------------------------------------------------- */

static void value_take(const struct request *request, const char *argument, struct register_value *ret)
{
    if (strcmp(argument, "-") == 0) {
        register_value_read(NULL, ret);
    } else {
        register_value_parse(argument, request->notation, ret);
    }
}

static void options_check(const struct request *request, const struct action *action)
{
    if (request->path != NULL && !action->takes_value) {
        usage_fail("--file: %s takes no value; leave it out", action->name);
    }
    if (request->is_create && !action->takes_expected) {
        usage_fail("--create: %s expects no value anyway; leave it out", action->name);
    }
}

/* The arguments after the action: NAME, EXPECTED and VALUE, of which options may replace the last two. */
static void arguments_take(struct request *request, const struct action *action, int count, char **arguments)
{
    bool has_expected = action->takes_expected && !request->is_create;
    bool has_value = action->takes_value && request->path == NULL;
    if (count != 1 + has_expected + has_value) {
        usage_fail("%s: %d arguments are given; with these options it takes %d of %s", action->name, count,
                   1 + has_expected + has_value, action->arguments);
    }
    request->name = arguments[0];
    command_line_check_name("register", request->name);
    if (has_expected && has_value && strcmp(arguments[1], "-") == 0 && strcmp(arguments[2], "-") == 0) {
        usage_fail("standard input is named twice; give one of the two values otherwise");
    }
    if (has_expected) {
        value_take(request, arguments[1], &request->expected);
    }
    if (has_value) {
        value_take(request, arguments[count - 1], &request->value);
    } else if (action->takes_value) {
        register_value_read(request->path, &request->value);
    }
}

static int register_run(const struct verb *verb, int argc, char **argv)
{
    struct request request = {.notation = NOTATION_TEXT};
    command_line_parse(verb, argc, argv, register_take, &request, &request.line);
    if (request.line.argument_count == 0) {
        usage_fail("nothing to do is given; say get, set, cas or propose");
    }
    const struct action *action = action_find(request.line.arguments[0]);
    options_check(&request, action);
    arguments_take(&request, action, request.line.argument_count - 1, request.line.arguments + 1);
    if (request.line.is_json) {
        request.notation = NOTATION_JSON;
    }
    struct joined joined;
    int code = joined_open(verb, &request.line, &joined);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    struct diskarch_value value = {.size = sizeof(value)};
    int error = action->call(&request, &joined, &value);
    joined_close(&joined);
    bool has_value = error == 0 || (error == DISKARCH_ECHANGED && value.version != 0);
    code = has_value ? register_value_print(request.name, request.notation, &value) : EXIT_CODE_OK;
    return error != 0 ? joined_failed("register", request.name, error) : code;
}

const struct verb verb_register = {
    .name = "register",
    .arguments = "get NAME | set NAME VALUE | cas NAME EXPECTED VALUE | propose NAME VALUE",
    .summary = "read and change small values that all nodes agree on",
    .detail =
        "A register holds up to 128 bytes. get: what stands there. set: replaces it, or creates the register. cas:\n"
        "replaces it if it is EXPECTED, else ends with 14. propose: agree once; the first proposal stays for ever. Each\n"
        "prints the version and the value that stand there then. A VALUE of - is read from standard input. By default\n"
        "waits for a minute at most.",
    .common = COMMON_DISKS | COMMON_NODE | COMMON_ENGINE | COMMON_TIMEOUT | COMMON_JSON,
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = register_run,
};
