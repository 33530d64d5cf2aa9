/*
 * What `lock` and `campaign` share: how a candidate stands for a role, and when a leader has to let go. An order (to resign,
 * to hand over) is always obeyed; a request is, if the user has said so by --yield.
 */
#ifndef DISKARCH_COMMAND_CANDIDATE_H
#define DISKARCH_COMMAND_CANDIDATE_H

#include "verb.h"

#include <diskarch/diskarch.h>
#include <stdbool.h>
#include <stdint.h>

enum { LETTER_PRIORITY = LETTER_NONE + 100, LETTER_PAYLOAD, LETTER_YIELD, LETTER_RECORDER };

/* Rows of a verb's table of options. */
#define CANDIDATE_OPTIONS                                                                                              \
    {LETTER_PRIORITY, "priority", "N", "0 (preferred, the default) to 100: let more preferred candidates go first"},   \
        {LETTER_PAYLOAD, "payload", "TEXT", "what the leader publishes, an address say: at most 128 bytes"},           \
        {LETTER_RECORDER, "recorder", "FILE", "at the end save the node's last steps there; see dump --recorder"},     \
    {                                                                                                                  \
        LETTER_YIELD, "yield", NULL, "let go when another node requests the role; else that is only told"              \
    }

struct candidate {
    uint32_t priority;
    const char *payload; /* NULL: none */
    bool is_yielding;
    const char *recorder; /* NULL: the flight recorder is not saved */
};

/* False if the option is another one. usage_fail() on nonsense. */
bool candidate_take(struct candidate *candidate, int letter, const char *argument);

/* For diskarch_campaign(); points into *candidate. */
struct diskarch_role_options candidate_options(const struct candidate *candidate);

/* Whether the leader must let go because of this event. */
bool candidate_must_let_go(const struct candidate *candidate, const struct diskarch_event *event);

/* Saves the flight recorder of a node that is about to be closed, if that is wanted; complains if it cannot be done. */
void candidate_record(const struct candidate *candidate, struct diskarch *node);

#endif
