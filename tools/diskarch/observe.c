#include "observe.h"

#include "escape.h"
#include "report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_BYTES = 1024 };

int observe_open(const struct command_line *line, struct diskarch_observer **ret)
{
    struct diskarch_options options = command_line_options(line);
    char message[MESSAGE_BYTES] = "";
    int error = diskarch_observer_open(&options, ret, message, sizeof(message));
    if (error != 0) {
        complain("%s", escaped(message));
        return (int)exit_code_of_error(error);
    }
    struct diskarch_set_info info = {.size = sizeof(info)};
    diskarch_observer_set_info(*ret, &info);
    if (*info.warning != '\0') {
        complain("warning: %s", escaped(info.warning));
    }
    return EXIT_CODE_OK;
}

int observe_with(const struct command_line *line, observe_show *show, void *context)
{
    struct diskarch_observer *observer;
    int code = observe_open(line, &observer);
    if (code == EXIT_CODE_OK) {
        code = show(observer, line, context);
        diskarch_observer_close(observer);
    }
    return code;
}

int observe_failed(const struct diskarch_observer *observer, int error)
{
    const char *message = diskarch_observer_message(observer);
    complain("%s", escaped(*message != '\0' ? message : diskarch_error_string(error)));
    return (int)exit_code_of_error(error);
}

int observe_watch(struct diskarch_observer *observer)
{
    int error = diskarch_observer_watch(observer);
    return error == 0 ? EXIT_CODE_OK : observe_failed(observer, error);
}

static int out_of_memory(void)
{
    complain("out of memory; free some and try again");
    return EXIT_CODE_SYSTEM;
}

int observe_roles(struct diskarch_observer *observer, struct diskarch_role_status **ret_roles, size_t *ret_count)
{
    struct diskarch_set_info info = {.size = sizeof(info)};
    diskarch_observer_set_info(observer, &info);
    size_t room = info.registers; /* no set has more roles than registers */
    struct diskarch_role_status *roles = calloc(room, sizeof(*roles));
    if (roles == NULL) {
        return out_of_memory();
    }
    size_t count = 0;
    int error = diskarch_observer_roles(observer, roles, room, &count);
    if (error != 0) {
        free(roles);
        return observe_failed(observer, error);
    }
    assert(count <= room);
    *ret_roles = roles;
    *ret_count = count;
    return EXIT_CODE_OK;
}

int observe_nodes(struct diskarch_observer *observer, struct diskarch_node_status **ret_nodes, size_t *ret_count)
{
    struct diskarch_set_info info = {.size = sizeof(info)};
    diskarch_observer_set_info(observer, &info);
    struct diskarch_node_status *nodes = calloc(info.slots, sizeof(*nodes));
    if (nodes == NULL) {
        return out_of_memory();
    }
    *ret_count = diskarch_observer_nodes(observer, nodes, info.slots);
    *ret_nodes = nodes;
    return EXIT_CODE_OK;
}

const char *observe_role_words(const struct diskarch_role_status *role)
{
    static char text[1024];
    const char *unsettled = role->is_settled ? "" : ", unsettled: a change is under way";
    if (role->is_forgotten) {
        snprintf(text, sizeof(text), "forgotten, last epoch %" PRIu64, role->epoch);
    } else if (role->is_held) {
        snprintf(text, sizeof(text), "held by %s, epoch %" PRIu64 ", %s%s%s%s", escaped(role->holder_name), role->epoch,
                 liveness_words(role->liveness, role->silent_ns, role->is_holder_dead),
                 role->is_transferring ? ", handing over to " : "",
                 role->is_transferring ? escaped(role->successor_name) : "", unsettled);
    } else {
        snprintf(text, sizeof(text), "free, last epoch %" PRIu64 "%s", role->epoch, unsettled);
    }
    return text;
}
