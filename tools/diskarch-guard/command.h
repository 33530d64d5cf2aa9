/* The start of the guarded command: process group, signals, and the promise to die with the guard. */
#ifndef DISKARCH_GUARD_COMMAND_H
#define DISKARCH_GUARD_COMMAND_H

#include <sys/types.h>

/*
 * Runs argv (found by PATH) as a child, in process group `group` (0: one of its own), so that it can have the terminal
 * just as if it had been started without a guard; standard streams and further descriptors are inherited. 0 or -errno.
 *
 * Does not wait for the exec, which a hung file system may hold up: when *ret_result_fd polls readable,
 * command_result() tells what became of it.
 */
int command_start(char *const *argv, pid_t group, pid_t *ret_pid, int *ret_result_fd);

/* 0 if the command was executed, or -errno of the exec. Closes result_fd. */
int command_result(int result_fd);

#endif
