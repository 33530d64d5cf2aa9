/*
 * The guard of one command: starts it, and sees to it that nothing of it runs beyond the lease.
 *
 * It judges time by itself, by rule T1, from the deadlines it was told, so that a parent that hangs, is stopped or is
 * killed changes nothing. Before the lease ends it stops the command and all its descendants: SIGTERM at the end of the
 * lease less margin less grace, SIGKILL at the end less margin. It does so at once when its parent is gone.
 *
 * Knows a deadline and a process tree. Must never know disks, roles or epochs, and does no disk I/O once it runs: a
 * hung file system must not hold it back.
 */
#ifndef DISKARCH_GUARD_GUARD_H
#define DISKARCH_GUARD_GUARD_H

#include "common/process_tree.h"
#include "runtime/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum guard_phase {
    GUARD_WAITING,     /* for the first deadline: no command runs without one */
    GUARD_RUNNING,     /* the command runs inside the lease */
    GUARD_TERMINATING, /* SIGTERM was sent */
    GUARD_KILLING,     /* SIGKILL is sent again and again until nothing is left */
    GUARD_FINISHED,    /* nothing is left */
};

struct guard_options {
    int control_fd;
    int64_t grace_ns;
    int64_t margin_ns;
    char *const *command; /* ends with NULL */
};

struct guard {
    struct guard_options options;
    int signal_fd;
    int timer_fd;
    struct turn_clock clock;
    int64_t lease_end_ns; /* on clock.fast_ns */
    int64_t stop_begun_ns;
    int64_t kill_begun_ns;
    enum guard_phase phase;
    bool is_orphan; /* the control descriptor has ended */
    bool is_stuck_told;
    /*
     * With a terminal the process group of `diskarch lock`, so that the command has the terminal as well. Without one 0,
     * a group of its own: a command in the group of a stopped `lock` would, by ending, make that group an orphaned one,
     * and the kernel would hang up on all of it, the script that started `lock` included.
     */
    pid_t command_group;
    pid_t command;      /* 0 before the start and after the end */
    int command_status; /* its wait status, once it has ended */
    int result_fd;      /* tells whether the command could be executed; -1 when that is known */
    struct process_tree tree;
};

/* Makes this process fit for the task: subreaper, own process group, signals blocked, memory locked and real-time
 * priority where allowed. 0 or -errno. */
int guard_open(const struct guard_options *options, struct guard *ret);
void guard_close(struct guard *guard);

/* Returns when the command and all its descendants are gone, or when the parent went before there was a command. */
void guard_run(struct guard *guard);

#endif
