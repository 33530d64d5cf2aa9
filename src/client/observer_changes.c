/*
 * Only the roles that have changed (rule T10): the heartbeat row says which registers to read again, and what was read of
 * the others is kept, so that many quiet roles cost one row.
 */
#include "client/observer.h"
#include "disk/message.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t registers_of(const struct diskarch_observer *observer)
{
    return observer->set.header.layout.registers;
}

static int begin(struct diskarch_observer *observer)
{
    struct watched *watched = &observer->watched;
    if (watched->has_begun) {
        return 0;
    }
    struct watched_role **roles = calloc(registers_of(observer), sizeof(struct watched_role *));
    int error = roles == NULL
                    ? -ENOMEM
                    : beacons_init(&watched->beacons, observer->set.header.layout.slots, registers_of(observer));
    if (error != 0) {
        free(roles);
        return message_set(error, observer->message, sizeof observer->message, "observer: no memory; free some");
    }
    watched->roles = roles;
    watched->has_begun = true;
    return 0;
}

void observer_changes_done(struct diskarch_observer *observer)
{
    struct watched *watched = &observer->watched;
    for (uint32_t i = 0; watched->has_begun && i < registers_of(observer); i++) {
        free(watched->roles[i]);
    }
    free(watched->roles);
    beacons_done(&watched->beacons);
}

/* ---- Looking ----------------------------------------------------------------------------------------------------- */

/* Whether the ledger may have news: only who is silent, and not known to be dead, can have been retired since. */
static bool is_anybody_missed(const struct diskarch_observer *observer)
{
    for (uint32_t slot = 0; slot < observer->sightings.slots; slot++) {
        const struct sighting *sighting = sightings_of_slot(&observer->sightings, slot);
        int64_t silent_ns;
        if (sighting == NULL || sightings_liveness(&observer->sightings, sighting, &silent_ns) != DISKARCH_SILENT) {
            continue;
        }
        struct node_id id = {.slot = slot, .incarnation = sighting->incarnation};
        if (!sightings_is_dead(&observer->sightings, id)) {
            return true;
        }
    }
    return false;
}

static void note_beacons(struct diskarch_observer *observer)
{
    for (uint32_t slot = 0; slot < observer->sightings.slots; slot++) {
        const struct sighting *sighting = sightings_of_slot(&observer->sightings, slot);
        if (sighting != NULL) {
            struct node_id id = {.slot = slot, .incarnation = sighting->incarnation};
            bool is_dead = sightings_is_dead(&observer->sightings, id);
            beacons_note(&observer->watched.beacons, slot, &sighting->block, is_dead);
        }
    }
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

static bool is_same_value(const struct role_value *a, const struct role_value *b)
{
    uint8_t a_bytes[VALUE_BYTES], b_bytes[VALUE_BYTES];
    role_value_encode(a_bytes, a);
    role_value_encode(b_bytes, b);
    return memcmp(a_bytes, b_bytes, VALUE_BYTES) == 0;
}

/* A role that is new to the caller; one that has been forgotten before he heard of it is none. */
static int meet_role(struct watched *watched, uint32_t index, const struct row_finding *finding)
{
    if (finding->value.hold == ROLE_FORGOTTEN) {
        return 0;
    }
    struct watched_role *role = calloc(1, sizeof *role);
    if (role == NULL) {
        return -ENOMEM;
    }
    role->finding = *finding;
    role->is_to_tell = true;
    watched->roles[index] = role;
    return 0;
}

static int take_finding(struct watched *watched, uint32_t index, const struct row_finding *finding)
{
    struct watched_role *role = watched->roles[index];
    if (!finding->is_known || finding->value.kind != VALUE_ROLE) {
        return 0;
    }
    if (role == NULL) {
        return meet_role(watched, index, finding);
    }
    bool is_same =
        role->finding.is_settled == finding->is_settled && is_same_value(&role->finding.value, &finding->value);
    role->is_to_tell = role->is_to_tell || !is_same;
    role->finding = *finding;
    return 0;
}

/* Of a change under way nothing is told yet, unless nothing at all has been told of the role. */
static int take_row(struct diskarch_observer *observer, uint32_t index, struct row_finding *finding)
{
    struct watched *watched = &observer->watched;
    if (finding->is_settled) {
        beacons_satisfy(&watched->beacons, index);
    } else if (watched->roles[index] == NULL) {
        observer_settle_row(observer, index, 1, finding);
    } else {
        return 0;
    }
    int error = take_finding(watched, index, finding);
    return error == 0
               ? 0
               : message_set(error, observer->message, sizeof observer->message, "observer: no memory; free some");
}

/* The registers that are wanted, from *next on, as many as one pass can have. */
static uint32_t choose(const struct diskarch_observer *observer, uint32_t *next, uint32_t *ret_indices)
{
    uint32_t count = 0;
    while (*next < registers_of(observer) && count < observer->reader.depth) {
        if (beacons_is_wanted(&observer->watched.beacons, *next)) {
            ret_indices[count++] = *next;
        }
        (*next)++;
    }
    return count;
}

static int read_wanted(struct diskarch_observer *observer)
{
    uint32_t indices[READER_WANTS_MAX];
    struct row_finding findings[READER_WANTS_MAX];
    uint32_t next = 0;
    for (;;) {
        uint32_t count = choose(observer, &next, indices);
        if (count == 0) {
            return 0;
        }
        int error = observer_read_rows(observer, indices, count, findings);
        for (uint32_t i = 0; i < count && error == 0; i++) {
            error = take_row(observer, indices[i], &findings[i]);
        }
        if (error != 0) {
            return error;
        }
    }
}

/* ---- Telling ----------------------------------------------------------------------------------------------------- */

/* Whether the caller does not know it yet: the role has changed, or what can be said of its holder's life. */
static bool is_news(const struct watched_role *role, const struct diskarch_role_status *status)
{
    return role->is_to_tell || role->liveness != status->liveness || role->is_holder_dead != status->is_holder_dead;
}

static void note_told(struct watched *watched, uint32_t index, const struct diskarch_role_status *status)
{
    struct watched_role *role = watched->roles[index];
    role->is_to_tell = false;
    role->liveness = status->liveness;
    role->is_holder_dead = status->is_holder_dead;
    if (status->is_forgotten) {
        watched->roles[index] = NULL;
        free(role);
    }
}

/* Where it stopped for want of room the next call goes on, so that no role is passed over for ever. */
static size_t tell(struct diskarch_observer *observer, struct diskarch_role_status *ret, size_t room)
{
    struct watched *watched = &observer->watched;
    uint32_t registers = registers_of(observer);
    size_t count = 0;
    for (uint32_t i = 0; i < registers && count < room; i++) {
        uint32_t index = watched->next;
        struct diskarch_role_status status;
        watched->next = (watched->next + 1) % registers;
        if (watched->roles[index] == NULL) {
            continue;
        }
        observer_fill_role(observer, &watched->roles[index]->finding, &status);
        if (is_news(watched->roles[index], &status)) {
            note_told(watched, index, &status);
            ret[count++] = status;
        }
    }
    return count;
}

static int changes(struct diskarch_observer *observer, struct diskarch_role_status *ret, size_t room, size_t *ret_count)
{
    int error = begin(observer);
    if (error == 0) {
        error = observer_look(observer, is_anybody_missed(observer) ? UINT32_MAX : 0);
    }
    if (error == 0) {
        note_beacons(observer);
        error = read_wanted(observer);
    }
    if (error == 0) {
        *ret_count = tell(observer, ret, room);
    }
    return error;
}

int diskarch_observer_changes(struct diskarch_observer *observer, struct diskarch_role_status *ret, size_t room,
                              size_t *ret_count)
{
    pthread_mutex_lock(&observer->mutex);
    int error = changes(observer, ret, room, ret_count);
    pthread_mutex_unlock(&observer->mutex);
    return error;
}
