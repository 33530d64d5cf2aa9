/* The start-ups of the library, each with what must be true when one of its calls has failed. */
#ifndef DISKARCH_TESTS_STARTUP_STORIES_H
#define DISKARCH_TESTS_STARTUP_STORIES_H

#include "stage.h"

#include <stdbool.h>

/* A call that may fail without the start-up failing, and what then has to be told. */
struct tolerance {
    const char *call;  /* its name in call_kinds[] */
    const char *words; /* stands in what is told; empty: nothing needs to be told */
};

struct story {
    const char *name;
    bool is_blank;    /* on blank disks, not on a formatted set */
    bool needs_uring; /* not in a build without it */
    /* Starts; then, the calls being unarmed, writes what the owner is told into injection->told, and ends again. 0 or the
     * error of the start. */
    int (*run)(const struct stage *stage);
    const struct tolerance *tolerances; /* ends with a NULL name */
};

extern const struct story stories[];
extern const int story_count;

#endif
