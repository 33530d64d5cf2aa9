/* A recording of a real node, done again. */
#ifndef DISKARCH_SIMULATION_REPLAY_H
#define DISKARCH_SIMULATION_REPLAY_H

#include <stdbool.h>

/* 0 if every step came to the recorded actions, 1 if not, 2 if the file cannot be read. */
int sim_replay(const char *path, bool is_tracing);

#endif
