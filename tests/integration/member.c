#include "member.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DISKS_ROOM = 9 };

_Noreturn void member_die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

struct diskarch *member_join(char *disks, const char *node_name)
{
    const char *paths[DISKS_ROOM];
    size_t count = 0;
    for (char *path = strtok(disks, ","); path != NULL && count < DISKS_ROOM; path = strtok(NULL, ",")) {
        paths[count++] = path;
    }
    struct diskarch_options options = {.size = sizeof(options),
                                       .disks = paths,
                                       .disk_count = count,
                                       .node_name = node_name,
                                       .engine = getenv("DISKARCH_ENGINE")};
    struct diskarch *node;
    char message[512];
    if (diskarch_open(&options, &node, message, sizeof(message)) != 0) {
        member_die("cannot open the set", message);
    }
    member_await(node, DISKARCH_JOINED, NULL);
    return node;
}

struct diskarch_role *member_campaign(struct diskarch *node, const char *role_name)
{
    struct diskarch_role *role;
    int error = diskarch_campaign(node, role_name, NULL, &role);
    if (error != 0) {
        member_die(role_name, diskarch_error_string(error));
    }
    return role;
}

void member_lead(struct diskarch_role *role)
{
    int error = diskarch_wait(role, -1);
    if (error != 0) {
        member_die(diskarch_role_name(role), diskarch_error_string(error));
    }
}

void member_await(struct diskarch *node, enum diskarch_event_kind kind, const struct diskarch_role *role)
{
    struct diskarch_event event = {.size = sizeof(event)};
    struct pollfd source = {.fd = diskarch_fd(node), .events = POLLIN};
    do {
        while (diskarch_dispatch(node, &event) != 1) {
            (void)poll(&source, 1, -1);
        }
        if (event.kind == DISKARCH_LEASE_ENDED) {
            member_die("the node is over", event.text);
        }
    } while (event.kind != kind || event.role != role);
}
