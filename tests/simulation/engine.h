/*
 * An engine over the disks of the simulator: the port's operations, kept in simulated time. Waiting lets that time pass, and
 * sleeps in true time only where nothing at all is to come but a wake-up.
 */
#ifndef DISKARCH_TESTS_CONTRACT_SIMULATED_H
#define DISKARCH_TESTS_CONTRACT_SIMULATED_H

#include "disk/engine.h"
#include "simulation/sim.h"

/* A world of healthy, formatted disks and nothing else. Freed with sim_free(). */
struct sim *simulated_world(const struct set_header *header);

/* The engine of one of its hosts. Asserts that there is memory. */
struct disk_engine *simulated_open(struct sim *sim, uint32_t host, uint32_t depth, uint32_t absent_disk, int wake_fd);

#endif
