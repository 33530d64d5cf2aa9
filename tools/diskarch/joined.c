#include "joined.h"

#include "block/limits.h"
#include "duration.h"
#include "escape.h"
#include "report.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 1024, JOINED_YES = -1 };

/* ---- Joining ----------------------------------------------------------------------------------------------------- */

/* A host's name may be longer than that of a node: its end is cut off, the verb stays. */
static int name_make(const char *verb, char ret_name[NAME_FIELD_BYTES])
{
    char host[NAME_FIELD_BYTES + 1] = "";
    if (gethostname(host, sizeof(host) - 1) != 0 && errno != ENAMETOOLONG) {
        complain("the host has no name: %s; give --node", strerror(errno));
        return EXIT_CODE_SYSTEM;
    }
    int room = NAME_BYTES_MAX - (int)strlen(verb) - 1;
    snprintf(ret_name, NAME_FIELD_BYTES, "%s@%.*s", verb, room, host);
    return EXIT_CODE_OK;
}

/* JOINED_YES, EXIT_CODE_OK to go on waiting, or the exit code of a failure. */
static int event_take(const struct diskarch_event *event)
{
    switch (event->kind) {
    case DISKARCH_JOINED:
        return JOINED_YES;
    case DISKARCH_JOIN_WAITS:
        complain("%s: %s", event->error != 0 ? "waiting to join" : "warning", escaped(event->text));
        return EXIT_CODE_OK;
    default:
        return EXIT_CODE_OK;
    }
}

static int join_wait(const struct joined *joined)
{
    for (;;) {
        struct diskarch_event event = {.size = sizeof(event)};
        while (diskarch_dispatch(joined->node, &event) == 1) {
            int code = event_take(&event);
            if (code != EXIT_CODE_OK) {
                return code == JOINED_YES ? EXIT_CODE_OK : code;
            }
        }
        int64_t left_ns = joined_left_ns(joined);
        if (left_ns == 0) {
            complain("the node has not joined within the time given; give more by -w, and see `diskarch status`");
            return EXIT_CODE_TIMEOUT;
        }
        int64_t left_ms = left_ns / NS_PER_MS + 1;
        struct pollfd source = {.fd = diskarch_fd(joined->node), .events = POLLIN};
        (void)poll(&source, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
    }
}

int joined_open(const struct verb *verb, const struct command_line *line, struct joined *ret)
{
    char name[NAME_FIELD_BYTES];
    struct diskarch_options options = command_line_options(line);
    options.is_rejoining = true; /* a lease that ends before the call has begun is no reason to fail */
    if (options.node_name == NULL) {
        int code = name_make(verb->name, name);
        if (code != EXIT_CODE_OK) {
            return code;
        }
        options.node_name = name;
    }
    int64_t timeout_ns = line->timeout_ns >= 0 ? line->timeout_ns : JOINED_TIMEOUT_NS;
    int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
    struct joined joined = {.end_ns = timeout_ns > INT64_MAX - now_ns ? INT64_MAX : now_ns + timeout_ns};
    char message[MESSAGE_BYTES] = "";
    int error = diskarch_open(&options, &joined.node, message, sizeof(message));
    if (error != 0) {
        complain("%s", escaped(message));
        return (int)exit_code_of_error(error);
    }
    int code = join_wait(&joined);
    if (code != EXIT_CODE_OK) {
        diskarch_close(joined.node);
        return code;
    }
    *ret = joined;
    return EXIT_CODE_OK;
}

void joined_close(struct joined *joined)
{
    diskarch_close(joined->node);
    joined->node = NULL;
}

int64_t joined_left_ns(const struct joined *joined)
{
    int64_t left_ns = joined->end_ns - clock_now_ns(CLOCK_MONOTONIC);
    return left_ns > 0 ? left_ns : 0;
}

/* ---- Failures ---------------------------------------------------------------------------------------------------- */

/* What the sentence of an error leaves open: mostly the remedy. */
static const char *remedy_of(int error)
{
    switch (error) {
    case DISKARCH_ENONE:
        return "a first campaign creates a role, a first set or propose a register";
    case DISKARCH_EFREE:
        return "there is nobody to ask; see `diskarch roles`";
    case DISKARCH_ENOTREADY:
        return "start one there, or name another; see `diskarch nodes`";
    case DISKARCH_EHELD:
        return "have its leader let go by `diskarch resign` first";
    case DISKARCH_EKIND:
        return "choose another name";
    case DISKARCH_EFULL:
        return "format a set with more --registers";
    case DISKARCH_ECHANGED:
        return "what stands there is printed";
    case DISKARCH_ETIMEOUT:
        return "nothing has changed; give more by -w";
    case DISKARCH_EUNKNOWN:
        return "look what stands there now before trying again";
    case DISKARCH_ECLOSED:
    case DISKARCH_ENOQUORUM:
        return "see `diskarch status`";
    default:
        return "try again";
    }
}

int joined_failed(const char *thing, const char *name, int error)
{
    complain("%s \"%s\": %s; %s", thing, escaped(name),
             error == DISKARCH_ENONE ? "it does not exist" : diskarch_error_string(error), remedy_of(error));
    return (int)exit_code_of_error(error);
}
