/*
 * Changes the timings of a formatted set on which nobody lives, gives the registers of forgotten names back, and repairs. The order of its
 * steps is a rule of safety: src/protocol/README.md, "Tuning a set at rest".
 */
#ifndef DISKARCH_OFFLINE_TUNE_H
#define DISKARCH_OFFLINE_TUNE_H

#include "block/header.h"
#include "offline/repair.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -1: stays as it is. */
struct tune_change {
    int64_t lease_ns;
    int64_t renew_ns;
    int64_t io_deadline_ns;
    int64_t quarantine_ns;
    int64_t drift_ppm;
    int slot_reuse;
};

struct tune_options {
    const char *const *paths; /* every disk of the set, in any order */
    size_t path_count;
    struct tune_change change;
    bool is_compacting;
    bool is_repairing; /* repair.h; its refusals are tune's */
    /* Called before each wait, with how long it takes; may be NULL. */
    void (*waiting)(void *context, int64_t ns);
    void *waiting_context;
};

struct tune_result {
    struct set_header header; /* as it stands now; disk_index there has no meaning */
    uint32_t freed_registers; /* of forgotten names */
    struct repair_result repair;
    bool has_ended_an_earlier; /* one that was cut off */
};

/*
 * Tunes. Blocks for twice W, and for a quarantine if it compacts or repairs. 0 or an error of diskarch.h; on error the message names the
 * thing, the reason and the remedy. On every error but one of writing the set is as it was; after that, or when this is cut off,
 * nobody can join the set until it was tuned again, with every disk and by the same or other options.
 */
int tune_set(const struct tune_options *options, struct tune_result *ret, char *message, size_t message_bytes);

#endif
