/* diskarch nodes: every node that stands in the heartbeat row. */
#include "command_line.h"
#include "documents.h"
#include "observe.h"
#include "report.h"
#include "tables.h"

#include <stdlib.h>

static int nodes_print_json(const struct diskarch_node_status *nodes, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, document_node(&nodes[i]));
    }
    return json_print(list);
}

static int nodes_show(struct diskarch_observer *observer, const struct command_line *line, void *context)
{
    (void)context;
    struct diskarch_node_status *nodes = NULL;
    size_t count = 0;
    int code = observe_watch(observer);
    if (code == EXIT_CODE_OK) {
        code = observe_nodes(observer, &nodes, &count);
    }
    if (code != EXIT_CODE_OK) {
        return code;
    }
    if (line->is_json) {
        code = nodes_print_json(nodes, count);
    } else {
        table_print_nodes(nodes, count);
        code = output_finish();
    }
    free(nodes);
    return code;
}

static int nodes_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    command_line_check_empty(verb, &line);
    return observe_with(&line, nodes_show, NULL);
}

const struct verb verb_nodes = {
    .name = "nodes",
    .arguments = "",
    .summary = "list the nodes, those that left or died included",
    .detail =
        "Lists every node that stands in the heartbeat row: name, slot, incarnation, state, liveness, engine and\n"
        "start. Watches heartbeats for up to two renew intervals. Needs no slot and writes nothing.",
    .common = COMMON_DISKS | COMMON_ENGINE | COMMON_JSON,
    .run = nodes_run,
};
