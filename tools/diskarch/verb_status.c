/* diskarch status: the set, its disks, the nodes, the roles. */
#include "block/limits.h"
#include "command_line.h"
#include "documents.h"
#include "duration.h"
#include "escape.h"
#include "failure_domain.h"
#include "observe.h"
#include "report.h"
#include "tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Everything that is shown, read once. */
struct picture {
    struct diskarch_set_info set;
    struct diskarch_disk_status disks[DISKS_MAX];
    size_t disk_count;
    struct diskarch_node_status *nodes;
    size_t node_count;
    struct diskarch_role_status *roles;
    size_t role_count;
};

static void picture_done(struct picture *picture)
{
    free(picture->nodes);
    free(picture->roles);
}

/* Disks are shown whatever happens: without a majority of them, they are what one wants to see. They are asked for last,
 * because reading the roles may have shown more of them. */
static int picture_take(struct diskarch_observer *observer, struct picture *picture)
{
    picture->set.size = sizeof(picture->set);
    diskarch_observer_set_info(observer, &picture->set);
    int code = observe_watch(observer);
    if (code == EXIT_CODE_OK) {
        code = observe_roles(observer, &picture->roles, &picture->role_count);
    }
    int nodes_code = observe_nodes(observer, &picture->nodes, &picture->node_count);
    size_t count = diskarch_observer_disks(observer, picture->disks, DISKS_MAX);
    picture->disk_count = count < DISKS_MAX ? count : DISKS_MAX;
    return code != EXIT_CODE_OK ? code : nodes_code;
}

/* ---- For people -------------------------------------------------------------------------------------------------- */

static void print_set(const struct diskarch_set_info *set)
{
    char lease[DURATION_TEXT_BYTES];
    char renew[DURATION_TEXT_BYTES];
    char watch[DURATION_TEXT_BYTES];
    printf("set %s  %s\n", escaped(set->name), set->uuid);
    printf("lease %s, renewed every %s; a dead leader is replaced after %s\n", message_duration(lease, set->lease_ns),
           message_duration(renew, set->renew_ns), duration_format_short(set->watch_ns, watch));
}

static void print_disks(const struct picture *picture)
{
    size_t good = 0;
    for (size_t i = 0; i < picture->disk_count; i++) {
        good += picture->disks[i].state == DISKARCH_DISK_GOOD;
    }
    printf("\ndisks: %zu of %" PRIu32 " good, %" PRIu32 " needed\n", good, picture->set.disk_count,
           picture->set.disk_count / 2 + 1);
    table_print_disks(picture->disks, picture->disk_count);
}

/* Those that left are history: here they are counted; `nodes` and --json list them. */
static void print_nodes(struct picture *picture)
{
    size_t count = 0;
    for (size_t i = 0; i < picture->node_count; i++) {
        if (picture->nodes[i].liveness != DISKARCH_LEFT) {
            picture->nodes[count] = picture->nodes[i];
            count++;
        }
    }
    printf("\nnodes: %zu, and %zu that left\n", count, picture->node_count - count);
    table_print_nodes(picture->nodes, count);
}

static void print_roles(const struct picture *picture)
{
    printf("\nroles: %zu\n", picture->role_count);
    table_print_roles(picture->roles, picture->role_count);
}

static int picture_print(struct picture *picture)
{
    print_set(&picture->set);
    print_disks(picture);
    if (picture->node_count > 0) {
        print_nodes(picture);
    }
    if (picture->role_count > 0) {
        print_roles(picture);
    }
    return output_finish();
}

/* ---- For programs ------------------------------------------------------------------------------------------------ */

static int picture_print_json(const struct picture *picture)
{
    json_t *disks = json_array();
    json_t *nodes = json_array();
    json_t *roles = json_array();
    for (size_t i = 0; i < picture->disk_count; i++) {
        json_array_append_new(disks, document_disk(&picture->disks[i]));
    }
    for (size_t i = 0; i < picture->node_count; i++) {
        json_array_append_new(nodes, document_node(&picture->nodes[i]));
    }
    for (size_t i = 0; i < picture->role_count; i++) {
        json_array_append_new(roles, document_role(&picture->roles[i]));
    }
    return json_print(json_pack("{s:o, s:s, s:o, s:o, s:o}", "set", document_set(&picture->set), "engine",
                                picture->set.engine, "disks", disks, "nodes", nodes, "roles", roles));
}

static void picture_complain(const struct picture *picture)
{
    const char *paths[DISKS_MAX];
    for (size_t i = 0; i < picture->disk_count; i++) {
        paths[i] = picture->disks[i].path;
    }
    failure_domain_complain(paths, picture->disk_count);
}

static int status_show(struct diskarch_observer *observer, const struct command_line *line, void *context)
{
    (void)context;
    struct picture picture = {.role_count = 0};
    int code = picture_take(observer, &picture);
    picture_complain(&picture);
    int print_code = line->is_json ? picture_print_json(&picture) : picture_print(&picture);
    picture_done(&picture);
    return code != EXIT_CODE_OK ? code : print_code;
}

static int status_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    command_line_check_empty(verb, &line);
    return observe_with(&line, status_show, NULL);
}

const struct verb verb_status = {
    .name = "status",
    .arguments = "",
    .summary = "show the set, its disks, the nodes and the roles",
    .detail =
        "Shows the disk set, each disk's state and latency, the nodes with their liveness, and every role with its\n"
        "leader and epoch. Watches heartbeats for up to two renew intervals. Needs no slot and writes nothing.",
    .common = COMMON_DISKS | COMMON_ENGINE | COMMON_JSON,
    .run = status_run,
};
