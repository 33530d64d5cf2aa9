/*
 * The descendants of the calling process, found and signalled by way of /proc. The guard stops a command's tree with
 * it, and `diskarch lock` does when its guard has been killed.
 *
 * It works for a process that is a child subreaper: then whoever loses its parent becomes our child, so nothing can
 * leave the tree, by setsid or by forking twice, and "waitpid knows no child" proves that the tree is gone.
 * /proc/PID/task/TID/children is not there on every kernel: the tree is built from the parent in /proc/PID/stat.
 *
 * Knows no lease and no command: it is told what to send.
 */
#ifndef DISKARCH_TOOLS_PROCESS_TREE_H
#define DISKARCH_TOOLS_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    pid_t parent;
    uint64_t start_ticks; /* with the pid, names one process for ever: pids are used again */
    char state;           /* as /proc/PID/stat has it */
};

/* The descendants found by the last scan. All zero is an empty tree. */
struct process_tree {
    struct process *processes;
    size_t count;
    size_t room;
};

void process_tree_done(struct process_tree *tree);

/*
 * Lists the descendants of the calling process. A process forked meanwhile may be missed: scan again. 0 or -errno;
 * on error the tree holds what was found so far.
 */
int process_tree_scan(struct process_tree *tree);

/* Sends a signal to every process of the last scan that is still the same process. */
void process_tree_signal(const struct process_tree *tree, int signal);

/* SIGTERM to every descendant; those that are stopped are continued, so that they can heed it. */
void process_tree_terminate(struct process_tree *tree);

/* SIGKILL to every descendant found now. To be repeated until process_tree_reap() says that none is left. */
void process_tree_kill(struct process_tree *tree);

/*
 * Collects every child that has ended. True if no child is left, hence no descendant. When `watched` was among them,
 * its wait status goes to *ret_status and 0 to *watched.
 */
bool process_tree_reap(pid_t *watched, int *ret_status);

#endif
