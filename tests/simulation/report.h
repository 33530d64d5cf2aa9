/* What diskarch-sim tells: progress, sums, violations. */
#ifndef DISKARCH_SIMULATION_REPORT_H
#define DISKARCH_SIMULATION_REPORT_H

#include "world.h"

/* What a series of runs came to. */
struct report {
    uint64_t from, to; /* seeds that were run */
    uint64_t hash;     /* of all traces */
    double seconds;    /* of true time */
};

/* A run that an oracle objected to, as it is now: perhaps with fewer faults than the seed drew. */
struct violation {
    uint64_t seed;
    const char *text;
    int64_t at_ns;
    const struct sim_options *options;
    const struct sim_fault_log *log;
};

/* One line on a terminal, redrawn at most ten times a second; nothing if standard error is none. */
void report_progress(const struct report *report, const struct sim_statistics *statistics);
void report_progress_end(void);

void report_sums(const struct report *report, const struct sim_statistics *statistics);

/* What to run to see it again, and the faults that remain. */
void report_violation(FILE *to, const struct violation *violation);

/* The whole as one object; violation NULL: none. */
void report_json(const struct report *report, const struct sim_statistics *statistics,
                 const struct violation *violation);

#endif
