/*
 * diskarch-guard: started by `diskarch lock`, one for each command. See guard.h for what it does, and
 * common/guard_protocol.h for what the two say to each other.
 */
#include "guard.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, EXIT_FAILED = 125 };

static void usage_print(FILE *to)
{
    fputs("usage: diskarch-guard --control FD --grace NANOSECONDS --margin NANOSECONDS -- COMMAND [ARGUMENT...]\n"
          "Started by `diskarch lock`, which tells it the lease's end over FD. Not meant to be started by hand.\n",
          to);
}

/* A whole number from 0 to `most`, or -1. */
static int64_t number_parse(const char *text, int64_t most)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 0 || value > most) {
        return -1;
    }
    return value;
}

static bool arguments_parse(int argc, char **argv, struct guard_options *options)
{
    static const struct option known[] = {
        {"control", required_argument, NULL, 'c'},
        {"grace", required_argument, NULL, 'g'},
        {"margin", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *options = (struct guard_options){.control_fd = -1, .grace_ns = -1, .margin_ns = -1};
    int option;
    while ((option = getopt_long(argc, argv, "+h", known, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->control_fd = (int)number_parse(optarg, INT32_MAX);
            break;
        case 'g':
            options->grace_ns = number_parse(optarg, INT64_MAX / 4);
            break;
        case 'm':
            options->margin_ns = number_parse(optarg, INT64_MAX / 4);
            break;
        case 'h':
            usage_print(stdout);
            exit(EXIT_SUCCESS);
        default:
            return false;
        }
    }
    options->command = argv + optind;
    return options->control_fd >= 0 && options->grace_ns >= 0 && options->margin_ns >= 0 && optind < argc;
}

int main(int argc, char **argv)
{
    struct guard_options options;
    if (!arguments_parse(argc, argv, &options)) {
        usage_print(stderr);
        return EXIT_USAGE;
    }
    struct guard guard;
    int status = guard_open(&options, &guard);
    if (status != 0) {
        fprintf(stderr, "diskarch-guard: cannot start: %s; start it by `diskarch lock`\n", strerror(-status));
        return EXIT_FAILED;
    }
    guard_run(&guard);
    guard_close(&guard);
    return EXIT_SUCCESS;
}
