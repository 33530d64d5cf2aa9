/* Roles as an observer tells them: one by its name (rule N1), or all of them. */
#include "block/name.h"
#include "client/observer.h"
#include "disk/message.h"

#include <string.h>

enum { SETTLE_ATTEMPTS = 4 };

static const struct layout *layout_of(const struct diskarch_observer *observer)
{
    return &observer->set.header.layout;
}

static void fill_holder(const struct diskarch_observer *observer, const struct role_value *value,
                        struct diskarch_role_status *status)
{
    const struct sighting *holder = sightings_find(&observer->sightings, value->holder);
    status->is_held = true;
    status->holder_slot = value->holder.slot;
    status->holder_incarnation = value->holder.incarnation;
    memcpy(status->holder_name, value->node_name, sizeof status->holder_name);
    status->is_holder_dead = sightings_is_dead(&observer->sightings, value->holder);
    if (holder != NULL) {
        status->liveness = sightings_liveness(&observer->sightings, holder, &status->silent_ns);
    }
}

static void fill_successor(const struct diskarch_observer *observer, const struct role_value *value,
                           struct diskarch_role_status *status)
{
    const struct sighting *successor = sightings_find(&observer->sightings, value->successor);
    status->is_transferring = true;
    if (successor != NULL) {
        memcpy(status->successor_name, successor->block.node_name, sizeof status->successor_name);
    }
}

void observer_fill_role(const struct diskarch_observer *observer, const struct row_finding *finding,
                        struct diskarch_role_status *ret)
{
    const struct role_value *value = &finding->value;
    struct diskarch_role_status status = {
        .is_settled = finding->is_settled,
        .is_forgotten = value->hold == ROLE_FORGOTTEN,
        .epoch = value->epoch,
        .since_wall_ns = value->changed_wall_ns,
        .payload_bytes = value->payload_bytes,
    };
    memcpy(status.name, value->name, sizeof status.name);
    memcpy(status.payload, value->payload, sizeof status.payload);
    if (value->hold == ROLE_HELD || value->hold == ROLE_TRANSFERRING) {
        fill_holder(observer, value, &status);
    }
    if (value->hold == ROLE_TRANSFERRING) {
        fill_successor(observer, value, &status);
    }
    *ret = status;
}

static bool is_role(const struct row_finding *finding)
{
    return finding->is_known && finding->value.kind == VALUE_ROLE && finding->value.hold != ROLE_FORGOTTEN;
}

static int no_such_role(struct diskarch_observer *observer, const char *name)
{
    return message_set(DISKARCH_ENONE, observer->message, sizeof observer->message,
                       "role %s: set %s has no role of this name; a first campaign creates it", name,
                       observer->set.header.set_name);
}

static int take_found(struct diskarch_observer *observer, const char *name, const struct row_finding *finding,
                      struct diskarch_role_status *ret)
{
    if (finding->value.kind != VALUE_ROLE) {
        return message_set(DISKARCH_EKIND, observer->message, sizeof observer->message,
                           "%s: it is a register, not a role; choose another name", name);
    }
    if (!is_role(finding)) {
        return no_such_role(observer, name);
    }
    observer_fill_role(observer, finding, ret);
    return 0;
}

/* Gives changes that are under way some time to settle. */
static int read_settled(struct diskarch_observer *observer, const uint32_t *registers, uint32_t count,
                        struct row_finding *ret_findings)
{
    int error = observer_read_rows(observer, registers, count, ret_findings);
    for (uint32_t i = 0; i < count && error == 0; i++) {
        if (!ret_findings[i].is_settled) {
            observer_settle_row(observer, registers[i], SETTLE_ATTEMPTS, &ret_findings[i]);
            error = observer_has_quorum(observer) ? 0 : observer_no_quorum(observer);
        }
    }
    return error;
}

/* Rule N1: from the name's own row on, over rows that have other names, up to a row that has none. */
static int find_role(struct diskarch_observer *observer, const char *name, struct diskarch_role_status *ret)
{
    uint32_t registers = layout_of(observer)->registers;
    uint32_t start = (uint32_t)(name_hash(name) % registers);
    for (uint32_t i = 0; i < registers; i++) {
        struct row_finding finding;
        uint32_t index = (start + i) % registers;
        int error = read_settled(observer, &index, 1, &finding);
        if (error != 0) {
            return error;
        }
        if (!finding.is_known || (!finding.is_settled && finding.value.kind == VALUE_UNNAMED)) {
            return message_set(DISKARCH_EUNSETTLED, observer->message, sizeof observer->message,
                               "role %s: its last change is not settled yet; ask again, or let a node run", name);
        }
        if (finding.value.kind == VALUE_UNNAMED) {
            return no_such_role(observer, name);
        }
        if (strcmp(finding.value.name, name) == 0) {
            return take_found(observer, name, &finding, ret);
        }
    }
    return no_such_role(observer, name);
}

int diskarch_observer_role(struct diskarch_observer *observer, const char *name, struct diskarch_role_status *ret)
{
    if (name == NULL || name_check(name) != NAME_OK) {
        return message_set(DISKARCH_EUSAGE, observer->message, sizeof observer->message,
                           "role: its name is not 1 to 63 bytes of printable UTF-8; give such a name");
    }
    pthread_mutex_lock(&observer->mutex);
    int error = observer_look(observer, 0);
    if (error == 0) {
        error = find_role(observer, name, ret);
    }
    pthread_mutex_unlock(&observer->mutex);
    return error;
}

static int list_roles(struct diskarch_observer *observer, struct diskarch_role_status *ret, size_t room,
                      size_t *ret_count)
{
    uint32_t registers = layout_of(observer)->registers;
    size_t found = 0;
    for (uint32_t next = 0; next < registers;) {
        uint32_t indices[READER_WANTS_MAX];
        struct row_finding findings[READER_WANTS_MAX];
        uint32_t count = 0;
        while (next < registers && count < observer->reader.depth) {
            indices[count++] = next++;
        }
        int error = read_settled(observer, indices, count, findings);
        if (error != 0) {
            return error;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (is_role(&findings[i])) {
                if (found < room) {
                    observer_fill_role(observer, &findings[i], &ret[found]);
                }
                found++;
            }
        }
    }
    *ret_count = found;
    return 0;
}

int diskarch_observer_roles(struct diskarch_observer *observer, struct diskarch_role_status *ret, size_t room,
                            size_t *ret_count)
{
    pthread_mutex_lock(&observer->mutex);
    int error = observer_look(observer, 0);
    if (error == 0) {
        error = list_roles(observer, ret, room, ret_count);
    }
    pthread_mutex_unlock(&observer->mutex);
    return error;
}
