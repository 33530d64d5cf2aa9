/* A led role from the application's side: how long it is led, waiting for it, handing it over, what it publishes. */
#include "block/name.h"
#include "client/node.h"
#include "runtime/clock.h"

#include <errno.h>

/* ---- Waiting and asking ------------------------------------------------------------------------------------------ */

int64_t diskarch_remaining_ns(const struct diskarch_role *role, uint64_t *ret_epoch)
{
    uint32_t number_plus_one = atomic_load_explicit(&role->number_plus_one, memory_order_acquire);
    if (number_plus_one == 0) {
        return 0;
    }
    uint64_t epoch;
    int64_t remaining_ns = runtime_remaining_ns(role->node->runtime, number_plus_one - 1, &epoch);
    /* Asked last: an epoch of the next candidate under the same number was published after this one had stopped. */
    if (remaining_ns == 0 || atomic_load_explicit(&role->is_stopped, memory_order_acquire)) {
        return 0;
    }
    if (ret_epoch != NULL) {
        *ret_epoch = epoch;
    }
    return remaining_ns;
}

const char *diskarch_role_name(const struct diskarch_role *role)
{
    return role->name;
}

enum { STILL_WAITING = 1 };

static int wait_status(struct diskarch_role *role)
{
    pthread_mutex_lock(&role->node->mutex);
    node_take_notices(role->node);
    int status = STILL_WAITING;
    if (role->stage == CANDIDATE_ENDED) {
        status = role->error;
    } else if (diskarch_remaining_ns(role, NULL) > 0) {
        status = 0;
    }
    pthread_mutex_unlock(&role->node->mutex);
    return status;
}

int diskarch_wait(struct diskarch_role *role, int64_t timeout_ns)
{
    if (runtime_is_forked(role->node->runtime)) {
        return DISKARCH_ECLOSED;
    }
    struct bell *bell = runtime_bell(role->node->runtime);
    int64_t begin_ns = clock_monotonic_ns();
    for (;;) {
        uint32_t seen = bell_rings(bell);
        int status = wait_status(role);
        if (status != STILL_WAITING) {
            return status;
        }
        int64_t waited_ns = clock_monotonic_ns() - begin_ns;
        if (timeout_ns >= 0 && waited_ns >= timeout_ns) {
            return DISKARCH_ETIMEOUT;
        }
        bell_wait(bell, seen, timeout_ns < 0 ? -1 : timeout_ns - waited_ns);
    }
}

/* ---- What a leader does beside leading ---------------------------------------------------------------------------- */

static bool is_leading(struct diskarch_role *role)
{
    node_take_notices(role->node);
    return role->stage == CANDIDATE_LEADING && !role->is_resigning;
}

static int transfer(struct diskarch_role *role, const char *successor_name)
{
    if (!is_leading(role)) {
        return DISKARCH_ENONE;
    }
    if (role->is_transferring) {
        return -EALREADY;
    }
    role->is_transferring = true;
    runtime_transfer(role->node->runtime, role->campaign->number, successor_name);
    return 0;
}

int diskarch_transfer(struct diskarch_role *role, const char *node_name)
{
    struct diskarch *node = role->node;
    if (node_name == NULL || name_check(node_name) != NAME_OK) {
        return DISKARCH_EUSAGE;
    }
    if (runtime_is_forked(node->runtime)) {
        return DISKARCH_ECLOSED;
    }
    pthread_mutex_lock(&node->mutex);
    int error = transfer(role, node_name);
    pthread_mutex_unlock(&node->mutex);
    return error;
}

static int publish(struct diskarch_role *role, const void *payload, uint32_t payload_bytes)
{
    if (!is_leading(role)) {
        return DISKARCH_ENONE;
    }
    runtime_publish(role->node->runtime, role->campaign->number, payload, payload_bytes);
    return 0;
}

int diskarch_publish(struct diskarch_role *role, const void *payload, size_t payload_bytes)
{
    struct diskarch *node = role->node;
    if (payload_bytes > PAYLOAD_BYTES_MAX || (payload == NULL && payload_bytes > 0)) {
        return DISKARCH_EUSAGE;
    }
    if (runtime_is_forked(node->runtime)) {
        return DISKARCH_ECLOSED;
    }
    pthread_mutex_lock(&node->mutex);
    int error = publish(role, payload, (uint32_t)payload_bytes);
    pthread_mutex_unlock(&node->mutex);
    return error;
}
