#include "documents.h"

#include "client/observer.h"
#include "disk_words.h"
#include "report.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void put(json_t *object, const char *name, json_t *value)
{
    int error = json_object_set_new(object, name, value);
    assert(error == 0); /* fails without memory only */
}

static void put_count(json_t *object, const char *name, uint64_t count)
{
    put(object, name, json_integer((json_int_t)count));
}

json_t *document_wall_ms(int64_t wall_ns)
{
    return wall_ns == 0 ? json_null() : json_integer(wall_ns / NS_PER_MS);
}

json_t *document_set(const struct diskarch_set_info *set)
{
    json_t *json = json_object();
    put(json, "name", json_text(set->name));
    put(json, "uuid", json_text(set->uuid));
    put_count(json, "generation", set->generation);
    put_count(json, "format_major", set->format_major);
    put_count(json, "format_minor", set->format_minor);
    put_count(json, "disk_count", set->disk_count);
    put_count(json, "slots", set->slots);
    put_count(json, "registers", set->registers);
    put_count(json, "block_bytes", set->block_bytes);
    put(json, "lease_ms", json_ms(set->lease_ns));
    put(json, "renew_ms", json_ms(set->renew_ns));
    put(json, "io_deadline_ms", json_ms(set->io_deadline_ns));
    put(json, "quarantine_ms", json_ms(set->quarantine_ns));
    put(json, "watch_ms", json_ms(set->watch_ns));
    put_count(json, "clock_drift_ppm", set->drift_ppm);
    put(json, "slot_reuse", json_string(set->slot_reuse ? "quarantine" : "never"));
    return json;
}

json_t *document_header(const struct set_header *header)
{
    struct diskarch_set_info info = set_info_of(header);
    return document_set(&info);
}

json_t *document_disk(const struct diskarch_disk_status *disk)
{
    json_t *json = json_object();
    put_count(json, "index", disk->index);
    put(json, "path", disk->path[0] == '\0' ? json_null() : json_text(disk->path));
    put(json, "good", json_boolean(disk->state == DISKARCH_DISK_GOOD));
    put(json, "state", json_string(disk_state_code(disk->state)));
    put(json, "reason", disk->state == DISKARCH_DISK_GOOD ? json_null() : json_text(disk->reason));
    put(json, "latency_ms", disk->latency_ns < 0 ? json_null() : json_ms(disk->latency_ns));
    return json;
}

json_t *document_node(const struct diskarch_node_status *node)
{
    json_t *json = json_object();
    put(json, "name", json_text(node->name));
    put_count(json, "slot", node->slot);
    put(json, "incarnation", json_hex(node->incarnation));
    put_count(json, "counter", node->counter);
    put(json, "ready", json_boolean(node->is_ready));
    put(json, "liveness", json_string(liveness_code(node->liveness)));
    put(json, "silent_ms", json_ms(node->silent_ns));
    put(json, "dead", json_boolean(node->is_dead));
    put(json, "started_wall_ms", document_wall_ms(node->started_wall_ns));
    put(json, "engine", json_text(node->engine));
    return json;
}

json_t *document_hex(const uint8_t *bytes, size_t count)
{
    char text[2 * PAYLOAD_BYTES_MAX + 1] = "";
    assert(count <= PAYLOAD_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    return json_string(text);
}

static const char *role_state_code(const struct diskarch_role_status *role)
{
    if (role->is_forgotten) {
        return "forgotten";
    }
    if (role->is_transferring) {
        return "transferring";
    }
    return role->is_held ? "held" : "free";
}

json_t *document_role(const struct diskarch_role_status *role)
{
    json_t *json = json_object();
    put(json, "name", json_text(role->name));
    put(json, "state", json_string(role_state_code(role)));
    put(json, "held", json_boolean(role->is_held));
    put(json, "settled", json_boolean(role->is_settled));
    put_count(json, "epoch", role->epoch);
    put(json, "since_wall_ms", document_wall_ms(role->since_wall_ns));
    put(json, "payload", json_bytes(role->payload, role->payload_bytes));
    put(json, "payload_hex", document_hex(role->payload, role->payload_bytes));
    put(json, "successor", role->is_transferring ? json_text(role->successor_name) : json_null());
    put(json, "holder", role->is_held ? json_text(role->holder_name) : json_null());
    put(json, "holder_slot", role->is_held ? json_integer((json_int_t)role->holder_slot) : json_null());
    put(json, "holder_incarnation", role->is_held ? json_hex(role->holder_incarnation) : json_null());
    put(json, "holder_liveness", role->is_held ? json_string(liveness_code(role->liveness)) : json_null());
    put(json, "holder_silent_ms", role->is_held ? json_ms(role->silent_ns) : json_null());
    put(json, "holder_dead", role->is_held ? json_boolean(role->is_holder_dead) : json_null());
    return json;
}
