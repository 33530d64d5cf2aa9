/* diskarch status: the set, its disks, the nodes, the roles. */
#include "block/limits.h"
#include "columns.h"
#include "command_line.h"
#include "documents.h"
#include "duration.h"
#include "escape.h"
#include "failure_domain.h"
#include "observe.h"
#include "report.h"

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
    struct columns columns;
    size_t good = 0;
    columns_begin(&columns);
    fprintf(columns.cells, "DISK\tSTATE\tLATENCY\tPATH\n");
    for (size_t i = 0; i < picture->disk_count; i++) {
        const struct diskarch_disk_status *disk = &picture->disks[i];
        char latency[DURATION_TEXT_BYTES] = "-";
        if (disk->latency_ns >= 0) {
            duration_format_short(disk->latency_ns, latency);
        }
        fprintf(columns.cells, "%" PRIu32 "\t%s\t%s\t%s\n", disk->index, disk->is_good ? "good" : "FAILED", latency,
                *disk->path == '\0' ? "(none)" : escaped(disk->path));
        if (!disk->is_good) {
            fprintf(columns.cells, "      %s\n", escaped(disk->reason));
        }
        good += disk->is_good;
    }
    printf("\ndisks: %zu of %" PRIu32 " good, %" PRIu32 " needed\n", good, picture->set.disk_count,
           picture->set.disk_count / 2 + 1);
    columns_end(&columns);
}

/* Those that left are history: they are counted, and listed with --json. */
static void print_nodes(const struct picture *picture)
{
    struct columns columns;
    size_t left = 0;
    columns_begin(&columns);
    fprintf(columns.cells, "NODE\tSTATE\tINCARNATION\tENGINE\tSTARTED\n");
    for (size_t i = 0; i < picture->node_count; i++) {
        const struct diskarch_node_status *node = &picture->nodes[i];
        if (node->liveness == DISKARCH_LEFT) {
            left++;
            continue;
        }
        fprintf(columns.cells, "%s\t%s\t%016" PRIx64 "\t%s\t%s\n", escaped(node->name),
                liveness_words(node->liveness, node->silent_ns, node->is_dead), node->incarnation,
                escaped(node->engine), wall_time_words(node->started_wall_ns));
    }
    printf("\nnodes: %zu, and %zu that left\n", picture->node_count - left, left);
    columns_end(&columns);
}

static void print_roles(const struct picture *picture)
{
    struct columns columns;
    columns_begin(&columns);
    fprintf(columns.cells, "ROLE\tLEADER\tEPOCH\tSTATE\tSINCE\n");
    for (size_t i = 0; i < picture->role_count; i++) {
        const struct diskarch_role_status *role = &picture->roles[i];
        const char *state =
            role->is_held ? liveness_words(role->liveness, role->silent_ns, role->is_holder_dead) : "free";
        fprintf(columns.cells, "%s\t%s\t%" PRIu64 "\t%s%s\t%s\n", escaped(role->name),
                role->is_held ? escaped(role->holder_name) : "-", role->epoch, state,
                role->is_settled ? "" : ", unsettled", wall_time_words(role->since_wall_ns));
    }
    printf("\nroles: %zu\n", picture->role_count);
    columns_end(&columns);
}

static int picture_print(const struct picture *picture)
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

static int status_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    if (line.argument_count != 0) {
        usage_fail("\"%s\" is one argument too many; status takes none", escaped(line.arguments[0]));
    }
    struct diskarch_observer *observer;
    int code = observe_open(&line, &observer);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    struct picture picture = {.role_count = 0};
    code = picture_take(observer, &picture);
    picture_complain(&picture);
    int print_code = line.is_json ? picture_print_json(&picture) : picture_print(&picture);
    picture_done(&picture);
    diskarch_observer_close(observer);
    return code != EXIT_CODE_OK ? code : print_code;
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
