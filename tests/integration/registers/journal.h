/*
 * What callers of registers write down and the judge reads: a line before each call and a line after it, each written at
 * once, so that kill -9 leaves whole lines. A call without its second line was cut off: its outcome is open.
 *
 *     begin TIME REGISTER OPERATION VALUE EXPECTED
 *     end TIME OUTCOME VERSION VALUE
 *
 * Times are of CLOCK_MONOTONIC, in nanoseconds; registers are numbered from 0; values are positive numbers, 0 for none.
 */
#ifndef DISKARCH_TESTS_REGISTERS_JOURNAL_H
#define DISKARCH_TESTS_REGISTERS_JOURNAL_H

#include <stddef.h>

enum { JOURNAL_REGISTERS_MAX = 16, JOURNAL_LINE_BYTES = 160 };

/* The same names in the journal, in the order of enum history_operation. */
static const char *const journal_operations[] = {"get", "set", "cas", "propose"};

enum journal_outcome {
    OUTCOME_DONE,      /* version and value as they stand then */
    OUTCOME_NONE,      /* get: there is no such register */
    OUTCOME_UNCHANGED, /* cas: version and value as they were found */
    OUTCOME_NOTHING,   /* nothing has happened: as if it had never been called */
    OUTCOME_UNKNOWN,   /* it happened at some time after its begin, or never */
};

static const char *const journal_outcomes[] = {"done", "none", "unchanged", "nothing", "unknown"};

#define JOURNAL_COUNT(list) (sizeof(list) / sizeof((list)[0]))

#endif
