/*
 * diskarch watch [ROLE...]: a line at each change. With roles named, changes of these roles; without, also of nodes and
 * disks. Each renew interval heartbeats are read, and of the registers only those that the heartbeats say have changed.
 */
#include "block/limits.h"
#include "command_line.h"
#include "disk_words.h"
#include "documents.h"
#include "duration.h"
#include "escape.h"
#include "observe.h"
#include "report.h"
#include "signals.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHANGES_ROOM = 64 };

#define PAUSE_SHORTEST_NS (50 * NS_PER_MS)

struct watched_role {
    bool is_known; /* `now` holds something */
    bool is_shown; /* `shown` was printed */
    struct diskarch_role_status now;
    struct diskarch_role_status shown;
};

/* Everything as it was seen last and as it was shown last. */
struct watch {
    struct diskarch_observer *observer;
    bool is_json;
    bool has_names; /* roles were named: nothing else is of interest */
    struct diskarch_set_info set;
    struct watched_role *roles;
    size_t role_count;
    struct diskarch_node_status *nodes;
    size_t node_count;
    struct diskarch_disk_status disks[DISKS_MAX];
    bool has_disks;  /* they were read once */
    bool is_failing; /* the last reading failed, and that has been said */
    int code;        /* of the output: what cannot be written ends the watching */
};

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

static void line_print_json(struct watch *watch, const char *kind, json_t *document)
{
    json_object_set_new(document, "wall_ms", document_wall_ms(clock_now_ns(CLOCK_REALTIME)));
    json_object_set_new(document, "kind", json_string(kind));
    watch->code = json_print_line(document);
}

__attribute__((format(printf, 2, 3))) static void line_print(struct watch *watch, const char *format, ...)
{
    int64_t now = clock_now_ns(CLOCK_REALTIME);
    printf("%s.%03d  ", wall_time_words(now), (int)(now % NS_PER_S / NS_PER_MS));
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    watch->code = output_finish();
}

/* Whether a node is thought to go on, whatever little is known of it yet: learning that is no change. */
static enum diskarch_liveness standing(enum diskarch_liveness liveness)
{
    return liveness == DISKARCH_NOT_OBSERVED ? DISKARCH_ALIVE : liveness;
}

/* ---- Roles ------------------------------------------------------------------------------------------------------- */

static struct watched_role *role_find(const struct watch *watch, const char *name)
{
    for (size_t i = 0; i < watch->role_count; i++) {
        if (strcmp(watch->roles[i].now.name, name) == 0) {
            return &watch->roles[i];
        }
    }
    return NULL;
}

static struct watched_role *role_add(struct watch *watch, const char *name)
{
    struct watched_role *roles = realloc(watch->roles, (watch->role_count + 1) * sizeof(*roles));
    if (roles == NULL) {
        complain("out of memory; free some, or name the roles to watch");
        exit(EXIT_CODE_SYSTEM);
    }
    struct watched_role *role = &roles[watch->role_count];
    *role = (struct watched_role){.is_known = false};
    memcpy(role->now.name, name, strnlen(name, NAME_BYTES_MAX));
    watch->roles = roles;
    watch->role_count++;
    return role;
}

static void role_name(struct watch *watch, const char *name)
{
    if (role_find(watch, name) == NULL) {
        role_add(watch, name);
    }
}

static void role_update(struct watch *watch, const struct diskarch_role_status *status)
{
    struct watched_role *role = role_find(watch, status->name);
    if (role == NULL && watch->has_names) {
        return;
    }
    if (role == NULL) {
        role = role_add(watch, status->name);
    }
    role->now = *status;
    role->is_known = true;
}

/* Takes what has changed since the last time. 0 or the observer's error. */
static int roles_update(struct watch *watch)
{
    struct diskarch_role_status changes[CHANGES_ROOM];
    size_t count;
    do {
        count = 0;
        int error = diskarch_observer_changes(watch->observer, changes, CHANGES_ROOM, &count);
        if (error != 0) {
            return error;
        }
        for (size_t i = 0; i < count; i++) {
            role_update(watch, &changes[i]);
        }
    } while (count == CHANGES_ROOM);
    return 0;
}

static bool holder_has_changed(const struct diskarch_role_status *before, const struct diskarch_role_status *now)
{
    return before->is_held != now->is_held || before->epoch != now->epoch || before->holder_slot != now->holder_slot ||
           before->holder_incarnation != now->holder_incarnation || before->is_holder_dead != now->is_holder_dead ||
           standing(before->liveness) != standing(now->liveness);
}

static bool value_has_changed(const struct diskarch_role_status *before, const struct diskarch_role_status *now)
{
    return before->is_forgotten != now->is_forgotten || before->is_transferring != now->is_transferring ||
           strcmp(before->successor_name, now->successor_name) != 0 || before->payload_bytes != now->payload_bytes ||
           memcmp(before->payload, now->payload, now->payload_bytes) != 0;
}

/* What had been forgotten before anybody watched is history. */
static bool role_is_news(const struct watched_role *role)
{
    if (!role->is_shown) {
        return role->is_known && !role->now.is_forgotten;
    }
    return holder_has_changed(&role->shown, &role->now) || value_has_changed(&role->shown, &role->now);
}

static void role_show(struct watch *watch, struct watched_role *role)
{
    const struct diskarch_role_status *now = &role->now;
    role->shown = *now;
    role->is_shown = true;
    if (watch->is_json) {
        line_print_json(watch, "role", document_role(now));
    } else {
        line_print(watch, "role %s: %s%s%s", escaped(now->name), observe_role_words(now),
                   now->payload_bytes > 0 ? ", publishes " : "", escaped_bytes(now->payload, now->payload_bytes));
    }
}

static void roles_look(struct watch *watch)
{
    for (size_t i = 0; i < watch->role_count; i++) {
        struct watched_role *role = &watch->roles[i];
        if (role_is_news(role)) {
            role_show(watch, role);
        }
    }
}

/* ---- Nodes and disks --------------------------------------------------------------------------------------------- */

static const struct diskarch_node_status *node_find(const struct watch *watch, const struct diskarch_node_status *node)
{
    for (size_t i = 0; i < watch->node_count; i++) {
        if (watch->nodes[i].slot == node->slot && watch->nodes[i].incarnation == node->incarnation) {
            return &watch->nodes[i];
        }
    }
    return NULL;
}

/* Who had left or was dead before anybody watched is history. */
static bool node_is_news(const struct diskarch_node_status *before, const struct diskarch_node_status *now)
{
    if (before == NULL) {
        return now->liveness != DISKARCH_LEFT && !now->is_dead;
    }
    return before->is_dead != now->is_dead || standing(before->liveness) != standing(now->liveness);
}

static void node_show(struct watch *watch, const struct diskarch_node_status *node)
{
    if (watch->is_json) {
        line_print_json(watch, "node", document_node(node));
    } else {
        line_print(watch, "node %s: %s (%016" PRIx64 ")", escaped(node->name),
                   liveness_words(node->liveness, node->silent_ns, node->is_dead), node->incarnation);
    }
}

static void nodes_look(struct watch *watch)
{
    struct diskarch_node_status *nodes = NULL;
    size_t count = 0;
    if (observe_nodes(watch->observer, &nodes, &count) != EXIT_CODE_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (node_is_news(node_find(watch, &nodes[i]), &nodes[i])) {
            node_show(watch, &nodes[i]);
        }
    }
    free(watch->nodes);
    watch->nodes = nodes;
    watch->node_count = count;
}

static void disk_show(struct watch *watch, const struct diskarch_disk_status *disk)
{
    if (watch->is_json) {
        line_print_json(watch, "disk", document_disk(disk));
    } else {
        line_print(watch, "%s", disk_words(disk));
    }
}

static void disks_look(struct watch *watch)
{
    struct diskarch_disk_status disks[DISKS_MAX];
    size_t count = diskarch_observer_disks(watch->observer, disks, DISKS_MAX);
    for (size_t i = 0; i < count && i < DISKS_MAX; i++) {
        if (disks[i].state != (watch->has_disks ? watch->disks[i].state : DISKARCH_DISK_GOOD)) {
            disk_show(watch, &disks[i]);
        }
        watch->disks[i] = disks[i];
    }
    watch->has_disks = true;
}

/* ---- The verb ---------------------------------------------------------------------------------------------------- */

/* Disks that do not answer are waited for: that is when somebody watches. */
static void watch_turn(struct watch *watch)
{
    int error = roles_update(watch);
    if (!watch->has_names) {
        disks_look(watch);
    }
    if (error != 0) {
        if (!watch->is_failing) {
            observe_failed(watch->observer, error);
        }
        watch->is_failing = true;
        return;
    }
    if (watch->is_failing) {
        complain("a majority of the disks answers again");
        watch->is_failing = false;
    }
    if (!watch->has_names) {
        nodes_look(watch);
    }
    roles_look(watch);
}

static int watch_loop(struct watch *watch, int signal_fd)
{
    int64_t pause_ns = watch->set.renew_ns < PAUSE_SHORTEST_NS ? PAUSE_SHORTEST_NS : watch->set.renew_ns;
    struct pollfd source = {.fd = signal_fd, .events = POLLIN};
    do {
        watch_turn(watch);
    } while (watch->code == EXIT_CODE_OK && poll(&source, 1, (int)(pause_ns / NS_PER_MS)) == 0);
    return watch->code;
}

static int watch_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    struct watch watch = {.is_json = line.is_json, .has_names = line.argument_count > 0};
    for (int i = 0; i < line.argument_count; i++) {
        command_line_check_name("role", line.arguments[i]);
        role_name(&watch, line.arguments[i]);
    }
    const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    int signal_fd = signals_open(ends, sizeof(ends) / sizeof(ends[0]));
    int code = observe_open(&line, &watch.observer);
    if (code == EXIT_CODE_OK) {
        watch.set.size = sizeof(watch.set);
        diskarch_observer_set_info(watch.observer, &watch.set);
        diskarch_observer_watch(watch.observer); /* so that the first lines can tell liveness; a failure shows again */
        code = watch_loop(&watch, signal_fd);
    }
    free(watch.roles);
    free(watch.nodes);
    diskarch_observer_close(watch.observer);
    close(signal_fd);
    return code;
}

const struct verb verb_watch = {
    .name = "watch",
    .arguments = "[ROLE...]",
    .summary = "print each change of leader, epoch, payload or liveness",
    .detail =
        "Prints the state of the named roles, then a line at each change of leader, epoch, payload or liveness, until\n"
        "interrupted. Without names: of all roles, nodes and disks. Needs no slot and writes nothing.",
    .common = COMMON_DISKS | COMMON_ENGINE | COMMON_JSON,
    .run = watch_run,
};
