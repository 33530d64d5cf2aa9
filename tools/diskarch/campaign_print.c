#include "campaign_print.h"

#include "disk_words.h"
#include "documents.h"
#include "duration.h"
#include "escape.h"
#include "report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static const char *event_code(enum diskarch_event_kind kind)
{
    static const char *const codes[] = {
        [DISKARCH_JOINED] = "joined",
        [DISKARCH_JOIN_WAITS] = "join_waits",
        [DISKARCH_CANDIDATE] = "candidate",
        [DISKARCH_LEADER] = "leader",
        [DISKARCH_AT_RISK] = "at_risk",
        [DISKARCH_SAFE] = "safe",
        [DISKARCH_LOST] = "lost",
        [DISKARCH_RELEASED] = "released",
        [DISKARCH_REFUSED] = "refused",
        [DISKARCH_LEASE_ENDED] = "lease_ended",
        [DISKARCH_ASKED] = "asked",
        [DISKARCH_TRANSFER] = "transfer",
        [DISKARCH_TRANSFER_REFUSED] = "transfer_refused",
        [DISKARCH_PUBLISHED] = "published",
        [DISKARCH_RENEWED] = "renewed",
        [DISKARCH_DISK] = "disk",
    };
    assert(kind >= DISKARCH_JOINED && kind <= DISKARCH_DISK);
    return codes[kind];
}

static const char *reason_code(enum diskarch_reason reason)
{
    static const char *const codes[] = {
        [DISKARCH_REASON_NONE] = "none",         [DISKARCH_REASON_LEASE] = "lease",
        [DISKARCH_REASON_VERDICT] = "verdict",   [DISKARCH_REASON_REPLACED] = "replaced",
        [DISKARCH_REASON_SLOT] = "slot",         [DISKARCH_REASON_CLOSED] = "closed",
        [DISKARCH_REASON_INTERNAL] = "internal",
    };
    assert(reason >= DISKARCH_REASON_NONE && reason <= DISKARCH_REASON_INTERNAL);
    return codes[reason];
}

static const char *ask_code(enum diskarch_ask ask)
{
    switch (ask) {
    case DISKARCH_ASK_REQUEST:
        return "request";
    case DISKARCH_ASK_RESIGN:
        return "resign";
    case DISKARCH_ASK_TRANSFER:
        break;
    }
    return "transfer";
}

/* What the name of a node in an event stands for; NULL where there is none. */
static const char *named_node_code(enum diskarch_event_kind kind)
{
    switch (kind) {
    case DISKARCH_CANDIDATE:
        return "holder";
    case DISKARCH_ASKED:
        return "asked_by";
    case DISKARCH_TRANSFER:
        return "successor";
    default:
        return NULL;
    }
}

static struct diskarch_node_info node_info(struct diskarch *node)
{
    struct diskarch_node_info info = {.size = sizeof(info)};
    diskarch_node_info(node, &info);
    return info;
}

static void put(json_t *object, const char *name, json_t *value)
{
    int error = json_object_set_new(object, name, value);
    assert(error == 0); /* fails without memory only */
}

int campaign_print_json(struct diskarch *node, const char *role_name, const struct diskarch_event *event)
{
    json_t *json = json_object();
    put(json, "wall_ms", document_wall_ms(clock_now_ns(CLOCK_REALTIME)));
    put(json, "event", json_string(event_code(event->kind)));
    put(json, "node", json_text(node_info(node).node_name));
    if (event->role != NULL) {
        put(json, "role", json_text(role_name));
    }
    if (event->epoch != 0) {
        put(json, "epoch", json_integer((json_int_t)event->epoch));
    }
    if (named_node_code(event->kind) != NULL) {
        put(json, named_node_code(event->kind), json_text(event->node_name));
    }
    if (event->kind == DISKARCH_ASKED) {
        put(json, "ask", json_string(ask_code(event->ask)));
    }
    if (event->kind == DISKARCH_DISK) {
        struct diskarch_disk_status disk = {.index = event->disk};
        disk_of_node(node, event->disk, &disk);
        put(json, "disk", json_integer(event->disk));
        put(json, "state", json_string(disk_state_code(disk.state)));
    }
    if (event->reason != DISKARCH_REASON_NONE) {
        put(json, "reason", json_string(reason_code(event->reason)));
    }
    if (*event->text != '\0') {
        put(json, "text", json_text(event->text));
    }
    return json_print_line(json);
}

/* Of the node: its membership and its disks. */
static void node_event_print(struct diskarch *node, const struct diskarch_event *event)
{
    struct diskarch_node_info info = node_info(node);
    const char *name = escaped(info.node_name);
    const char *text = escaped(event->text);
    struct diskarch_disk_status disk = {.index = event->disk};
    switch (event->kind) {
    case DISKARCH_JOINED:
        printf("%s: joined set %s by %s\n", name, escaped(info.set_name), info.engine);
        break;
    case DISKARCH_JOIN_WAITS:
        printf("%s: waiting to join: %s\n", name, text);
        break;
    case DISKARCH_LEASE_ENDED:
        printf("%s: lease ended: %s\n", name, text);
        break;
    case DISKARCH_DISK:
        disk_of_node(node, event->disk, &disk);
        printf("%s: %s\n", name, disk_words(&disk));
        break;
    default:
        printf("%s: %s\n", name, event_code(event->kind));
        break;
    }
}

static void role_event_print(const char *role, const struct diskarch_event *event)
{
    const char *text = escaped(event->text);
    const char *node = escaped(event->node_name);
    switch (event->kind) {
    case DISKARCH_CANDIDATE:
        printf("%s: candidate; held by %s, epoch %" PRIu64 "\n", role, node, event->epoch);
        break;
    case DISKARCH_LEADER:
        printf("%s: leader, epoch %" PRIu64 "\n", role, event->epoch);
        break;
    case DISKARCH_AT_RISK:
        printf("%s: at risk, epoch %" PRIu64 ": less than half of the lease is left\n", role, event->epoch);
        break;
    case DISKARCH_SAFE:
        printf("%s: safe again, epoch %" PRIu64 "\n", role, event->epoch);
        break;
    case DISKARCH_LOST:
        printf("%s: lost, epoch %" PRIu64 ": %s\n", role, event->epoch, text);
        break;
    case DISKARCH_REFUSED:
    case DISKARCH_TRANSFER_REFUSED:
        printf("%s: refused: %s\n", role, text);
        break;
    case DISKARCH_ASKED:
        printf("%s: asked by %s to %s, epoch %" PRIu64 "\n", role, node,
               event->ask == DISKARCH_ASK_REQUEST ? "let go if it will" : "let go", event->epoch);
        break;
    case DISKARCH_TRANSFER:
        printf("%s: to be handed over to %s, epoch %" PRIu64 "\n", role, node, event->epoch);
        break;
    default:
        printf("%s: %s\n", role, event_code(event->kind));
        break;
    }
}

int campaign_print(struct diskarch *node, const char *role_name, const struct diskarch_event *event)
{
    if (event->role != NULL) {
        role_event_print(escaped(role_name), event);
    } else {
        node_event_print(node, event);
    }
    return output_finish();
}
