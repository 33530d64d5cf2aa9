/*
 * holder DISKS NODE COUNT: a node that leads COUNT roles, says so once it leads them all, and leaves on SIGTERM. It is here
 * because the command takes fewer roles at a time than a test of many roles needs.
 */
#include "member.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROLES_ROOM = 1000, NAME_ROOM = 32 };

static void roles_lead(struct diskarch *node, unsigned long count)
{
    static struct diskarch_role *roles[ROLES_ROOM];
    for (unsigned long i = 0; i < count; i++) {
        char name[NAME_ROOM];
        snprintf(name, sizeof(name), "role%lu", i);
        roles[i] = member_campaign(node, name);
    }
    for (unsigned long i = 0; i < count; i++) {
        member_lead(roles[i]);
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

    struct diskarch *node = member_join(argv[1], argv[2]);
    roles_lead(node, count);
    printf("leads %lu roles\n", count);
    fflush(stdout);
    int signal;
    sigwait(&end, &signal);
    diskarch_close(node);
    return EXIT_SUCCESS;
}
