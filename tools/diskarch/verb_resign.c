/* diskarch resign ROLE: order whoever leads it to let go. */
#include "ask.h"

static int resign_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    return ask_do(verb, &line, command_line_role(&line), DISKARCH_ASK_RESIGN, NULL);
}

const struct verb verb_resign = {
    .name = "resign",
    .arguments = "ROLE",
    .summary = "order the leader of a role to let go",
    .detail =
        "Orders the leader of ROLE, on whatever node, to stop its work and to resign, and waits until it has: until the\n"
        "role is free or led by another. By default for a minute at most; then the order is taken back.",
    .common = ASK_COMMON,
    .run = resign_run,
};
