#include "candidate.h"

#include "block/limits.h"
#include "command_line.h"
#include "escape.h"
#include "report.h"

#include <string.h>

enum { PRIORITY_LAST = 100 };

bool candidate_take(struct candidate *candidate, int letter, const char *argument)
{
    switch (letter) {
    case LETTER_PRIORITY:
        candidate->priority = option_count("priority", argument, 0, PRIORITY_LAST);
        return true;
    case LETTER_PAYLOAD:
        if (strlen(argument) > PAYLOAD_BYTES_MAX) {
            usage_fail("--payload: %zu bytes are too many; give at most %d", strlen(argument), PAYLOAD_BYTES_MAX);
        }
        candidate->payload = argument;
        return true;
    case LETTER_RECORDER:
        candidate->recorder = argument;
        return true;
    case LETTER_YIELD:
        candidate->is_yielding = true;
        return true;
    default:
        return false;
    }
}

struct diskarch_role_options candidate_options(const struct candidate *candidate)
{
    return (struct diskarch_role_options){
        .size = sizeof(struct diskarch_role_options),
        .priority = candidate->priority,
        .payload = candidate->payload,
        .payload_bytes = candidate->payload == NULL ? 0 : strlen(candidate->payload),
    };
}

bool candidate_must_let_go(const struct candidate *candidate, const struct diskarch_event *event)
{
    if (event->kind == DISKARCH_ASKED) {
        return event->ask == DISKARCH_ASK_RESIGN || (event->ask == DISKARCH_ASK_REQUEST && candidate->is_yielding);
    }
    return event->kind == DISKARCH_TRANSFER;
}

void candidate_record(const struct candidate *candidate, struct diskarch *node)
{
    int error = candidate->recorder == NULL || node == NULL ? 0 : diskarch_record(node, candidate->recorder);
    if (error != 0) {
        complain("recorder: %s: %s; give a new file", escaped(candidate->recorder), diskarch_error_string(error));
    }
}
