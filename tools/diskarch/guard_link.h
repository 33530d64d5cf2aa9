/* `diskarch lock`'s side of its guard: starting it, telling it deadlines, hearing what becomes of the command. */
#ifndef DISKARCH_COMMAND_GUARD_LINK_H
#define DISKARCH_COMMAND_GUARD_LINK_H

#include "common/guard_protocol.h"
#include "runtime/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct guard_link {
    int control_fd; /* polls readable when guard_link_receive() has something; -1 once it has ended */
    pid_t guard;    /* 0 once it was waited for */
};

/* The guard's path: beside this program, else where it was installed. False, with the path that was tried last in
 * ret_path, if there is none. */
bool guard_link_find(char *ret_path, size_t room);

/* Starts the guard on a command (which does not run before the first deadline). 0 or -errno. */
int guard_link_open(const char *path, int64_t grace_ns, int64_t margin_ns, char *const *command,
                    struct guard_link *ret);

/* Closes the descriptor, which the guard takes for the death of its parent. */
void guard_link_close(struct guard_link *link);

/* `read` must be from before the moment at which remaining_ns was asked for. */
void guard_link_deadline(const struct guard_link *link, struct clock_reading read, int64_t remaining_ns);

/* Has the guard stop the command and all its descendants, now. May be said again: what does not arrive is lost. */
void guard_link_stop(const struct guard_link *link);

/* Has the guard send a signal to the command: only the command's parent knows for certain whose its pid is. */
void guard_link_signal(const struct guard_link *link, int signal);

/* The next message: 1 and *ret. 0: none now. -1: the guard has ended, and everything it said has been taken. */
int guard_link_receive(struct guard_link *link, struct guard_message *ret);

#endif
