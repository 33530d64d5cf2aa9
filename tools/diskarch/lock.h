/*
 * `diskarch lock`: its state, and the two halves of its work. Acquiring ends with every role led, or with an exit code;
 * running ends when the command and all its descendants are gone.
 */
#ifndef DISKARCH_COMMAND_LOCK_H
#define DISKARCH_COMMAND_LOCK_H

#include "candidate.h"
#include "command_line.h"
#include "exit_code.h"

#include <diskarch/diskarch.h>
#include <stdbool.h>
#include <stdint.h>

enum { LOCK_ROLES_MAX = 64, LOCK_PATH_BYTES = 4096 };

struct lock_role {
    const char *name;
    struct diskarch_role *handle; /* NULL: no campaign yet */
    bool is_led;
    uint64_t epoch; /* under which it is led */
};

struct lock {
    struct command_line line;
    char *const *command;

    bool is_try; /* -n */
    struct candidate candidate;
    int conflict_code;      /* -E */
    int64_t grace_ns;       /* -1 until the lease is known, unless given */
    int64_t margin_ns;      /* SIGKILL so long before the lease ends */
    const char *epoch_file; /* NULL: none */
    bool is_quiet;
    bool is_verbose; /* -v, or a terminal to talk to */

    struct lock_role roles[LOCK_ROLES_MAX]; /* in the order in which they are taken */
    const char *given[LOCK_ROLES_MAX];      /* their names in the order in which they were given */
    size_t role_count;

    char guard_path[LOCK_PATH_BYTES];
    struct diskarch *node;
    int64_t renew_ns;
    int signal_fd;
};

enum { LOCK_GO_ON = -1 }; /* no exit code: nothing has gone wrong */

/* Waits until every role is led. LOCK_GO_ON, or the exit code; roles held by then are still held. */
int lock_acquire(struct lock *lock);

/* Runs the command under a guard, inside the lease. The exit code; nothing of the command is left. */
int lock_run(struct lock *lock);

/* The epoch under which the role of that name is led. */
uint64_t lock_epoch(const struct lock *lock, const char *name);

/* Whether the role must be let go because of this event; tells on stderr what other nodes want of it. */
bool lock_must_let_go(const struct lock *lock, const struct lock_role *role, const struct diskarch_event *event);

/* The role an event is about, NULL for events of the node. */
struct lock_role *lock_role_of(struct lock *lock, const struct diskarch_event *event);

#endif
