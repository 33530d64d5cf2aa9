/*
 * Is a history of one register linearizable? Every operation must seem to happen at one instant between its begin and its
 * end, in an order in which each answer is right (Herlihy and Wing, 1990). The search is Wing and Gong's (1993) with Lowe's
 * memory of the configurations that led nowhere (2017): complete, so what it rejects has no such order, and exponential at
 * worst. Versions are part of the answers and leave it little to guess.
 *
 * Plain C, nothing of diskarch: a history may come from a simulator or from the logs of real processes.
 */
#ifndef DISKARCH_TESTS_LINEARIZABILITY_HISTORY_H
#define DISKARCH_TESTS_LINEARIZABILITY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum history_operation {
    HISTORY_GET,
    HISTORY_SET,
    HISTORY_COMPARE_SET,
    HISTORY_PROPOSE, /* the first value stays; `value` is what was proposed, `found` what stays */
};

/* The value of a register that does not exist; its version is 0. Any other number may stand for any value, the same number
 * for the same bytes. */
#define HISTORY_NONE UINT64_C(0)

struct history_op {
    uint32_t process; /* whose; only for those who read the history */
    enum history_operation operation;
    int64_t begin, end;     /* on one clock for all; they may be equal, and then the two overlap */
    bool is_open;           /* its outcome is not known: it happened at some time after its begin, or never */
    bool is_unchanged;      /* a compare-and-set that found another value than the expected one */
    uint64_t value;         /* written: set, compare-and-set, propose */
    uint64_t expected;      /* compare-and-set; HISTORY_NONE: only creates */
    uint64_t found;         /* answered: get, propose, unchanged compare-and-set */
    uint64_t found_version; /* answered: after the change, or of what was found */
};

enum history_verdict {
    HISTORY_LINEARIZABLE,
    HISTORY_VIOLATED,
    HISTORY_UNDECIDED, /* too many ways to tell within the memory that is allowed */
};

/*
 * The first change makes version `first_version`, each further one the next. *ret_stuck (may be NULL), set if the history is
 * violated, is the index of an operation at which every order fails that got as far as any.
 */
enum history_verdict history_check(const struct history_op *ops, size_t count, uint64_t first_version,
                                   size_t *ret_stuck);

#endif
