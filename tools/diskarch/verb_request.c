/* diskarch request ROLE: ask whoever leads it to let go. */
#include "ask.h"

static int request_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    return ask_do(verb, &line, command_line_role(&line), DISKARCH_ASK_REQUEST, NULL);
}

const struct verb verb_request = {
    .name = "request",
    .arguments = "ROLE",
    .summary = "ask the leader of a role to let go, if it will",
    .detail =
        "Asks the leader of ROLE, on whatever node, to let go, and waits until the role is free or led by another.\n"
        "The leader may decline: `lock` and `campaign` do, unless they run with --yield. By default waits for a\n"
        "minute at most; then the request is taken back.",
    .common = ASK_COMMON,
    .run = request_run,
};
