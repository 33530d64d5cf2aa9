/* diskarch leader ROLE: who leads it. */
#include "command_line.h"
#include "documents.h"
#include "escape.h"
#include "observe.h"
#include "report.h"

#include <assert.h>
#include <stdio.h>

/* Held by somebody who is known to be gone is led by nobody: the next one has not taken it yet. */
static bool role_is_led(const struct diskarch_role_status *role)
{
    return role->is_held && !role->is_holder_dead && role->liveness != DISKARCH_LEFT;
}

/* What the answer leaves out, on stderr: scripts read one name, people want to know how far to trust it. */
static void leader_remark(const struct diskarch_role_status *role)
{
    if (!role->is_held) {
        complain("role \"%s\" is %s; a node takes it by `diskarch lock` or `diskarch campaign`", escaped(role->name),
                 observe_role_words(role));
    } else if (!role_is_led(role)) {
        complain("role \"%s\" is still %s; it has no leader until another node takes it over", escaped(role->name),
                 observe_role_words(role));
    } else if (!role->is_settled || role->liveness != DISKARCH_ALIVE) {
        complain("role \"%s\" is %s; ask again to know more", escaped(role->name), observe_role_words(role));
    }
}

static int leader_print(const struct diskarch_role_status *role, bool wants_payload)
{
    leader_remark(role);
    if (!role_is_led(role)) {
        return EXIT_CODE_NO;
    }
    if (wants_payload) {
        printf("%s\n", escaped_bytes(role->payload, role->payload_bytes));
    } else {
        printf("%s\n", escaped(role->holder_name));
    }
    return output_finish();
}

static int leader_print_json(const struct diskarch_role_status *role)
{
    int code = json_print(document_role(role));
    if (code != EXIT_CODE_OK) {
        return code;
    }
    return role_is_led(role) ? EXIT_CODE_OK : EXIT_CODE_NO;
}

static int leader_show(struct diskarch_observer *observer, const struct command_line *line, void *context)
{
    const bool *wants_payload = context;
    int code = observe_watch(observer);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    struct diskarch_role_status role;
    int error = diskarch_observer_role(observer, line->arguments[0], &role);
    if (error != 0) {
        return observe_failed(observer, error);
    }
    return line->is_json ? leader_print_json(&role) : leader_print(&role, *wants_payload);
}

enum { LETTER_PAYLOAD = LETTER_NONE + 1 };

static const struct verb_option options[] = {
    {LETTER_PAYLOAD, "payload", NULL, "print what the leader publishes instead of its name"},
};

static void leader_take(void *values, int letter, const char *argument)
{
    (void)argument;
    assert(letter == LETTER_PAYLOAD);
    *(bool *)values = true;
}

static int leader_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    bool wants_payload = false;
    command_line_parse(verb, argc, argv, leader_take, &wants_payload, &line);
    (void)command_line_role(&line);
    return observe_with(&line, leader_show, &wants_payload);
}

const struct verb verb_leader = {
    .name = "leader",
    .arguments = "ROLE",
    .summary = "print the name of the node that leads a role",
    .detail =
        "Prints the name of the node that leads ROLE, or nothing if nobody does; a doubt is told on stderr. Watches\n"
        "heartbeats for up to two renew intervals. Needs no slot and writes nothing.",
    .common = COMMON_DISKS | COMMON_ENGINE | COMMON_JSON,
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = leader_run,
};
