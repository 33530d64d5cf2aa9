/*
 * pace DISKS NODE KEPT PACED: a node that leads the role KEPT all the time, and the role PACED again and again. It
 * prints how long each election and each resignation of PACED took, in microseconds, until it is killed or loses its
 * lease.
 *
 * A pause after each keeps it from being the load that it measures.
 */
#include "member.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PAUSE_MS = 5 };

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void print_us(const char *what, int64_t begin_us)
{
    struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    printf("%s %" PRId64 "\n", what, now_us() - begin_us);
    fflush(stdout);
    nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: pace DISK,DISK,... NODE KEPT PACED\n", stderr);
        return EXIT_FAILURE;
    }
    struct diskarch *node = member_join(argv[1], argv[2]);
    struct diskarch_node_info info = {.size = sizeof(info)};
    diskarch_node_info(node, &info);
    printf("joined by %s\n", info.engine);
    member_lead(member_campaign(node, argv[3]));
    for (;;) {
        int64_t begin_us = now_us();
        struct diskarch_role *role = member_campaign(node, argv[4]);
        member_lead(role);
        print_us("elected", begin_us);

        begin_us = now_us();
        diskarch_resign(role);
        member_await(node, DISKARCH_RELEASED, role);
        print_us("resigned", begin_us);
        diskarch_role_free(role);
    }
}
