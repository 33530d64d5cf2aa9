/* diskarch transfer ROLE NODE: have a role handed over to a node. */
#include "ask.h"
#include "report.h"

static int transfer_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    if (line.argument_count != 2) {
        usage_fail("%d names are given; name the role and the node that is to lead it", line.argument_count);
    }
    command_line_check_name("role", line.arguments[0]);
    command_line_check_name("node", line.arguments[1]);
    return ask_do(verb, &line, line.arguments[0], DISKARCH_ASK_TRANSFER, line.arguments[1]);
}

const struct verb verb_transfer = {
    .name = "transfer",
    .arguments = "ROLE NODE",
    .summary = "have a role handed over to a node",
    .detail =
        "Orders the leader of ROLE, on whatever node, to stop its work and to hand over to NODE, which should be a\n"
        "candidate for it, and waits until it has. NODE leads under the next epoch, and nobody else between. By default\n"
        "waits for a minute at most.",
    .common = ASK_COMMON,
    .run = transfer_run,
};
