#include "ask.h"

#include "joined.h"
#include "report.h"

int ask_do(const struct verb *verb, const struct command_line *line, const char *role, enum diskarch_ask ask,
           const char *successor)
{
    struct joined joined;
    int code = joined_open(verb, line, &joined);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    int error = diskarch_ask(joined.node, role, ask, successor, joined_left_ns(&joined));
    joined_close(&joined);
    return error == 0 ? EXIT_CODE_OK : joined_failed("role", role, error);
}
