/* The command line of diskarch-sim. */
#ifndef DISKARCH_SIMULATION_OPTIONS_H
#define DISKARCH_SIMULATION_OPTIONS_H

#include "world.h"

struct sim_command {
    uint64_t from, to; /* seeds */
    uint64_t minutes;  /* fresh seeds from `from` on for so long; 0: from..to */
    bool is_tracing, is_json, is_shrinking;
    const char *keep;   /* file for a transcript of a violation, NULL: none; of argv */
    const char *replay; /* a recording, NULL: none; of argv */
    struct sim_options sim;
};

enum parsed { PARSED_RUN, PARSED_HELP, PARSED_REFUSED };

/* Fills *ret. What is refused is said on standard error: which option, why, and what to give instead. */
enum parsed options_parse(int argc, char **argv, struct sim_command *ret);

/* Prints what has to be given beside the seed for the same run, each option with a space before it. */
void options_print(FILE *to, const struct sim_options *options);

#endif
