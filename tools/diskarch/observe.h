/* What the reading verbs share: an opened observer, its complaints, and roles in words. */
#ifndef DISKARCH_COMMAND_OBSERVE_H
#define DISKARCH_COMMAND_OBSERVE_H

#include "command_line.h"

#include <diskarch/diskarch.h>
#include <stddef.h>

/* Opens the disks of the command line read-only. An exit code; unless EXIT_CODE_OK, it has complained. */
int observe_open(const struct command_line *line, struct diskarch_observer **ret);

/* Shows something of an opened observer; its exit code is the verb's. */
typedef int observe_show(struct diskarch_observer *observer, const struct command_line *line, void *context);

/* Opens the disks of the command line read-only for the time that `show` takes. Its exit code, or why there is none. */
int observe_with(const struct command_line *line, observe_show *show, void *context);

/* diskarch_observer_watch(): long enough to know who is alive. An exit code; unless EXIT_CODE_OK, it has complained. */
int observe_watch(struct diskarch_observer *observer);

/* Complains of the observer's last failed call and gives the exit code of its error. */
int observe_failed(const struct diskarch_observer *observer, int error);

/* All roles, in memory that the caller frees. An exit code; unless EXIT_CODE_OK, it has complained. */
int observe_roles(struct diskarch_observer *observer, struct diskarch_role_status **ret_roles, size_t *ret_count);

/* All nodes that stand in the heartbeat row, in memory that the caller frees. An exit code as above. */
int observe_nodes(struct diskarch_observer *observer, struct diskarch_node_status **ret_nodes, size_t *ret_count);

/* "held by alpha, epoch 7, alive" or "free, last epoch 7". Static storage, one thread. */
const char *observe_role_words(const struct diskarch_role_status *role);

#endif
