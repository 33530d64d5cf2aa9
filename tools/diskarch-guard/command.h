/* The start of the guarded command: process group, signals, and the promise to die with the guard. */
#ifndef DISKARCH_GUARD_COMMAND_H
#define DISKARCH_GUARD_COMMAND_H

#include <sys/types.h>

/*
 * Runs argv (found by PATH) as a child, in process group `group`, so that it has the terminal just as if it had been started
 * without a guard; standard streams and further descriptors are inherited. 0 and *ret_pid, or -errno of fork or exec.
 */
int command_start(char *const *argv, pid_t group, pid_t *ret_pid);

#endif
