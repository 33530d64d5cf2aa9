/* diskarch forget ROLE: lists do not show it any more. */
#include "joined.h"
#include "report.h"

static int forget_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    const char *role = command_line_role(&line);
    struct joined joined;
    int code = joined_open(verb, &line, &joined);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    int error = diskarch_forget(joined.node, role, joined_left_ns(&joined));
    joined_close(&joined);
    return error == 0 ? EXIT_CODE_OK : joined_failed("role", role, error);
}

const struct verb verb_forget = {
    .name = "forget",
    .arguments = "ROLE",
    .summary = "take a free role off the lists",
    .detail =
        "Forgets ROLE, which nobody may hold: it is not listed any more. Its name keeps its place and its epoch, and a\n"
        "campaign for it goes on from there. By default waits for a minute at most.",
    .common = COMMON_DISKS | COMMON_NODE | COMMON_ENGINE | COMMON_TIMEOUT,
    .run = forget_run,
};
