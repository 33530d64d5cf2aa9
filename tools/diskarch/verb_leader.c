/* diskarch leader ROLE: who leads it. */
#include "command_line.h"
#include "documents.h"
#include "escape.h"
#include "observe.h"
#include "report.h"

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

static int leader_print(const struct diskarch_role_status *role)
{
    leader_remark(role);
    if (!role_is_led(role)) {
        return EXIT_CODE_NO;
    }
    printf("%s\n", escaped(role->holder_name));
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

static int leader_ask(struct diskarch_observer *observer, const char *name, bool is_json)
{
    int code = observe_watch(observer);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    struct diskarch_role_status role;
    int error = diskarch_observer_role(observer, name, &role);
    if (error != 0) {
        return observe_failed(observer, error);
    }
    return is_json ? leader_print_json(&role) : leader_print(&role);
}

static int leader_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    if (line.argument_count != 1) {
        usage_fail("%d roles are named; name one, after the options", line.argument_count);
    }
    command_line_check_name("role", line.arguments[0]);
    struct diskarch_observer *observer;
    int code = observe_open(&line, &observer);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    code = leader_ask(observer, line.arguments[0], line.is_json);
    diskarch_observer_close(observer);
    return code;
}

const struct verb verb_leader = {
    .name = "leader",
    .arguments = "ROLE",
    .summary = "print the name of the node that leads a role",
    .detail =
        "Prints the name of the node that leads ROLE, or nothing if nobody does; a doubt is told on stderr. Watches\n"
        "heartbeats for up to two renew intervals. Needs no slot and writes nothing.",
    .common = COMMON_DISKS | COMMON_ENGINE | COMMON_JSON,
    .run = leader_run,
};
