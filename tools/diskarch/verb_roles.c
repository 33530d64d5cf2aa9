/* diskarch roles: every role of the set. */
#include "command_line.h"
#include "documents.h"
#include "observe.h"
#include "report.h"
#include "tables.h"

#include <stdlib.h>

static int roles_print_json(const struct diskarch_role_status *roles, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, document_role(&roles[i]));
    }
    return json_print(list);
}

static int roles_show(struct diskarch_observer *observer, const struct command_line *line, void *context)
{
    (void)context;
    struct diskarch_role_status *roles = NULL;
    size_t count = 0;
    int code = observe_watch(observer);
    if (code == EXIT_CODE_OK) {
        code = observe_roles(observer, &roles, &count);
    }
    if (code != EXIT_CODE_OK) {
        return code;
    }
    if (line->is_json) {
        code = roles_print_json(roles, count);
    } else {
        table_print_roles(roles, count);
        code = output_finish();
    }
    free(roles);
    return code;
}

static int roles_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    command_line_check_empty(verb, &line);
    return observe_with(&line, roles_show, NULL);
}

const struct verb verb_roles = {
    .name = "roles",
    .arguments = "",
    .summary = "list the roles with their leaders",
    .detail =
        "Lists every role: name, state, leader, epoch, since when, liveness of the leader, and what it publishes.\n"
        "Watches heartbeats for up to two renew intervals. Needs no slot and writes nothing.",
    .common = COMMON_DISKS | COMMON_ENGINE | COMMON_JSON,
    .run = roles_run,
};
