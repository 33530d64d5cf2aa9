/* What other nodes want of the roles of `diskarch lock`: told on stderr, and whether it is to be done. */
#include "escape.h"
#include "lock.h"
#include "report.h"

#include <inttypes.h>

static void order_tell(const struct lock *lock, const struct lock_role *role, const struct diskarch_event *event)
{
    const char *name = escaped(role->name);
    const char *node = escaped(event->node_name);
    const char *done = "it is let go, the command stopped";
    if (event->kind == DISKARCH_TRANSFER) {
        complain("role \"%s\", epoch %" PRIu64 ", is to be handed over to node %s: %s", name, event->epoch, node, done);
    } else if (event->kind == DISKARCH_ASKED && event->ask == DISKARCH_ASK_RESIGN) {
        complain("role \"%s\", epoch %" PRIu64 ", is to be resigned by order of node %s: %s", name, event->epoch, node,
                 done);
    } else if (event->kind == DISKARCH_ASKED && event->ask == DISKARCH_ASK_REQUEST) {
        complain("role \"%s\", epoch %" PRIu64 ", is requested by node %s: %s", name, event->epoch, node,
                 lock->candidate.is_yielding ? done : "it is kept, for want of --yield; SIGTERM lets it go");
    }
}

bool lock_must_let_go(const struct lock *lock, const struct lock_role *role, const struct diskarch_event *event)
{
    if (!lock->is_quiet) {
        order_tell(lock, role, event);
    }
    return candidate_must_let_go(&lock->candidate, event);
}
