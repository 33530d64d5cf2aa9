/*
 * Fewer faults, the same violation: a run is repeated with more and more of its faults withheld, as long as it still ends
 * as it did (delta debugging over the numbers of the faults). What is withheld changes the numbers of the faults behind it;
 * so every step is a run, and what is handed back has been run.
 */
#ifndef DISKARCH_SIMULATION_SHRINK_H
#define DISKARCH_SIMULATION_SHRINK_H

#include "faults.h"

/* Runs without these faults. Returns what it ended with, NULL if with nothing; *ret_log is good until the next run. */
typedef const char *shrink_run(void *context, const struct sim_without *without, const struct sim_fault_log **ret_log);

/*
 * Shrinks *without, with which `run` ended with `violation`, in at most runs_max runs. Returns the number of faults that
 * are left; *without then says of each fault whether it is withheld, by numbers alone.
 */
uint32_t shrink(shrink_run *run, void *context, const char *violation, uint32_t runs_max, struct sim_without *without);

#endif
