/*
 * An engine over the disks of the simulator: the port's operations, kept in simulated time. The simulator's processes and the
 * contract of the disk port use the same. Waiting, which only the contract does, lets simulated time pass, and sleeps in true
 * time only where nothing at all is to come but a wake-up.
 */
#ifndef DISKARCH_SIMULATION_ENGINE_H
#define DISKARCH_SIMULATION_ENGINE_H

#include "disk/engine.h"
#include "sim.h"

enum { SIM_NO_DISK = SIM_DISKS_MAX };

/*
 * The engine of one process, with so many requests in flight per disk. absent_disk: the one that it cannot reach, or
 * SIM_NO_DISK. wake_fd: as in struct disk_engine_options. Asserts that there is memory.
 */
struct disk_engine *sim_engine_open(struct sim *sim, uint32_t host, uint32_t depth, uint32_t absent_disk, int wake_fd);

#endif
