/*
 * holder DISKS NODE COUNT: a node that leads COUNT roles, says so once it leads them all, and leaves on SIGTERM. It is here
 * because the command takes fewer roles at a time than a test of many roles needs.
 */
#include <diskarch/diskarch.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DISKS_ROOM = 9, ROLES_ROOM = 1000, NAME_ROOM = 32 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "holder: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static struct diskarch *node_open(char *disks, const char *name)
{
    const char *paths[DISKS_ROOM];
    size_t count = 0;
    for (char *path = strtok(disks, ","); path != NULL && count < DISKS_ROOM; path = strtok(NULL, ",")) {
        paths[count++] = path;
    }
    struct diskarch_options options = {.size = sizeof(options),
                                       .disks = paths,
                                       .disk_count = count,
                                       .node_name = name,
                                       .engine = getenv("DISKARCH_ENGINE")};
    struct diskarch *node;
    char message[512];
    if (diskarch_open(&options, &node, message, sizeof(message)) != 0) {
        die("cannot open the set", message);
    }
    return node;
}

static void joined_wait(struct diskarch *node)
{
    struct diskarch_event event = {.size = sizeof(event)};
    do {
        struct pollfd source = {.fd = diskarch_fd(node), .events = POLLIN};
        (void)poll(&source, 1, -1);
    } while (diskarch_dispatch(node, &event) != 1 || event.kind != DISKARCH_JOINED);
}

static void roles_lead(struct diskarch *node, unsigned long count)
{
    static struct diskarch_role *roles[ROLES_ROOM];
    for (unsigned long i = 0; i < count; i++) {
        char name[NAME_ROOM];
        snprintf(name, sizeof(name), "role%lu", i);
        int error = diskarch_campaign(node, name, NULL, &roles[i]);
        if (error != 0) {
            die(name, diskarch_error_string(error));
        }
    }
    for (unsigned long i = 0; i < count; i++) {
        int error = diskarch_wait(roles[i], -1);
        if (error != 0) {
            die(diskarch_role_name(roles[i]), diskarch_error_string(error));
        }
    }
}

int main(int argc, char **argv)
{
    unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : ROLES_ROOM + 1;
    if (count > ROLES_ROOM) {
        fputs("usage: holder DISK,DISK,... NODE COUNT\n", stderr);
        return EXIT_FAILURE;
    }
    /* Blocked before there is any thread, so that the node's own thread has it blocked too. */
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);

    struct diskarch *node = node_open(argv[1], argv[2]);
    joined_wait(node);
    roles_lead(node, count);
    printf("leads %lu roles\n", count);
    fflush(stdout);
    int signal;
    sigwait(&end, &signal);
    diskarch_close(node);
    return EXIT_SUCCESS;
}
