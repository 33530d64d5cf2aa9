#include "tables.h"

#include "columns.h"
#include "disk_words.h"
#include "duration.h"
#include "escape.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

void table_print_disks(const struct diskarch_disk_status *disks, size_t count)
{
    struct columns columns;
    columns_begin(&columns);
    fprintf(columns.cells, "DISK\tSTATE\tLATENCY\tPATH\n");
    for (size_t i = 0; i < count; i++) {
        const struct diskarch_disk_status *disk = &disks[i];
        char latency[DURATION_TEXT_BYTES] = "-";
        if (disk->latency_ns >= 0) {
            duration_format_short(disk->latency_ns, latency);
        }
        fprintf(columns.cells, "%" PRIu32 "\t%s\t%s\t%s\n", disk->index, disk_state_words(disk->state), latency,
                *disk->path == '\0' ? "(none)" : escaped(disk->path));
        if (disk->state != DISKARCH_DISK_GOOD) {
            fprintf(columns.cells, "      %s\n", escaped(disk->reason));
        }
    }
    columns_end(&columns);
}

static const char *node_state_words(const struct diskarch_node_status *node)
{
    if (node->liveness == DISKARCH_LEFT) {
        return "left";
    }
    if (node->is_dead) {
        return "dead";
    }
    return node->is_ready ? "ready" : "joined";
}

void table_print_nodes(const struct diskarch_node_status *nodes, size_t count)
{
    struct columns columns;
    columns_begin(&columns);
    fprintf(columns.cells, "NODE\tSLOT\tINCARNATION\tSTATE\tLIVENESS\tENGINE\tSTARTED\n");
    for (size_t i = 0; i < count; i++) {
        const struct diskarch_node_status *node = &nodes[i];
        fprintf(columns.cells, "%s\t%" PRIu32 "\t%016" PRIx64 "\t%s\t%s\t%s\t%s\n", escaped(node->name), node->slot,
                node->incarnation, node_state_words(node), liveness_words(node->liveness, node->silent_ns, false),
                escaped(node->engine), wall_time_words(node->started_wall_ns));
    }
    columns_end(&columns);
}

/* A change under way makes everything else in the line the last thing that is proven. */
static void role_print_state(FILE *cells, const struct diskarch_role_status *role)
{
    const char *unsettled = role->is_settled ? "" : ", unsettled";
    if (role->is_transferring) {
        fprintf(cells, "to %s%s\t", escaped(role->successor_name), unsettled);
    } else {
        fprintf(cells, "%s%s\t", role->is_held ? "held" : "free", unsettled);
    }
}

void table_print_roles(const struct diskarch_role_status *roles, size_t count)
{
    struct columns columns;
    columns_begin(&columns);
    fprintf(columns.cells, "ROLE\tSTATE\tLEADER\tEPOCH\tSINCE\tLIVENESS\tPAYLOAD\n");
    for (size_t i = 0; i < count; i++) {
        const struct diskarch_role_status *role = &roles[i];
        fprintf(columns.cells, "%s\t", escaped(role->name));
        role_print_state(columns.cells, role);
        fprintf(columns.cells, "%s\t%" PRIu64 "\t%s\t%s\t%s\n", role->is_held ? escaped(role->holder_name) : "-",
                role->epoch, wall_time_words(role->since_wall_ns),
                role->is_held ? liveness_words(role->liveness, role->silent_ns, role->is_holder_dead) : "-",
                role->payload_bytes > 0 ? escaped_bytes(role->payload, role->payload_bytes) : "-");
    }
    columns_end(&columns);
}
