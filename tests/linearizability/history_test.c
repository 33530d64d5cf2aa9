/* The checker must accept what an order explains, and reject what none does: a checker that cannot fail proves nothing. */
#include "history.h"

#include <criterion/criterion.h>

#define COUNT(ops) (sizeof(ops) / sizeof(ops)[0])

static enum history_verdict check(const struct history_op *ops, size_t count)
{
    return history_check(ops, count, 1, NULL);
}

static struct history_op set(int64_t begin, int64_t end, uint64_t value, uint64_t version)
{
    return (struct history_op){
        .operation = HISTORY_SET, .begin = begin, .end = end, .value = value, .found_version = version};
}

static struct history_op open_set(int64_t begin, uint64_t value)
{
    return (struct history_op){.operation = HISTORY_SET, .begin = begin, .is_open = true, .value = value};
}

static struct history_op get(int64_t begin, int64_t end, uint64_t value, uint64_t version)
{
    return (struct history_op){
        .operation = HISTORY_GET, .begin = begin, .end = end, .found = value, .found_version = version};
}

static struct history_op swap(int64_t begin, int64_t end, uint64_t expected, uint64_t value, uint64_t version)
{
    return (struct history_op){.operation = HISTORY_COMPARE_SET,
                               .begin = begin,
                               .end = end,
                               .expected = expected,
                               .value = value,
                               .found_version = version};
}

static struct history_op no_swap(int64_t begin, int64_t end, uint64_t expected, uint64_t found, uint64_t version)
{
    struct history_op op = swap(begin, end, expected, 99, version);
    op.is_unchanged = true;
    op.found = found;
    return op;
}

static struct history_op propose(int64_t begin, int64_t end, uint64_t value, uint64_t found)
{
    return (struct history_op){
        .operation = HISTORY_PROPOSE, .begin = begin, .end = end, .value = value, .found = found, .found_version = 1};
}

/* ---- Accepted --------------------------------------------------------------------------------------------------------- */

Test(history, nothing_at_all_is_linearizable)
{
    cr_expect_eq(check(NULL, 0), HISTORY_LINEARIZABLE);
}

Test(history, operations_one_after_the_other)
{
    struct history_op ops[] = {get(0, 1, HISTORY_NONE, 0), set(2, 3, 7, 1),        get(4, 5, 7, 1),
                               swap(6, 7, 7, 8, 2),        no_swap(8, 9, 7, 8, 2), get(10, 11, 8, 2)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_LINEARIZABLE);
}

Test(history, overlapping_operations_may_be_put_in_any_order)
{
    struct history_op ops[] = {set(0, 10, 7, 2), set(1, 9, 8, 1), get(2, 3, 8, 1), get(4, 12, 7, 2)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_LINEARIZABLE);
}

Test(history, an_open_operation_may_have_happened_late)
{
    struct history_op ops[] = {open_set(0, 7), set(1, 2, 8, 1), get(3, 4, 8, 1), get(5, 6, 7, 2)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_LINEARIZABLE);
}

Test(history, an_open_operation_may_never_have_happened)
{
    struct history_op ops[] = {open_set(0, 7), set(1, 2, 8, 1), get(3, 4, 8, 1)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_LINEARIZABLE);
}

Test(history, an_open_operation_fills_a_version_that_nobody_else_made)
{
    struct history_op ops[] = {set(0, 1, 7, 1), open_set(2, 8), open_set(2, 9), set(3, 6, 5, 3), get(4, 5, 9, 2)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_LINEARIZABLE);
}

Test(history, the_first_proposal_stays)
{
    struct history_op ops[] = {propose(0, 9, 7, 8), propose(1, 8, 8, 8), propose(10, 11, 9, 8)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_LINEARIZABLE);
}

Test(history, versions_may_start_above_a_floor)
{
    struct history_op ops[] = {set(0, 1, 7, 42), get(2, 3, 7, 42)};
    cr_expect_eq(history_check(ops, COUNT(ops), 42, NULL), HISTORY_LINEARIZABLE);
    cr_expect_eq(history_check(ops, COUNT(ops), 41, NULL), HISTORY_VIOLATED);
}

/* ---- Rejected --------------------------------------------------------------------------------------------------------- */

Test(history, a_stale_read_is_rejected)
{
    struct history_op ops[] = {set(0, 1, 7, 1), set(2, 3, 8, 2), get(4, 5, 7, 1)};
    size_t stuck = 99;
    cr_expect_eq(history_check(ops, COUNT(ops), 1, &stuck), HISTORY_VIOLATED);
    cr_expect_eq(stuck, 2U, "the read is what no order explains");
}

Test(history, a_value_that_nobody_wrote_is_rejected)
{
    struct history_op ops[] = {set(0, 1, 7, 1), get(2, 3, 9, 1)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_VIOLATED);
}

Test(history, a_lost_write_is_rejected)
{
    struct history_op ops[] = {set(0, 1, 7, 1), set(2, 3, 8, 1), get(4, 5, 8, 1)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_VIOLATED, "two changes, one version");
}

Test(history, a_write_that_happened_twice_is_rejected)
{
    struct history_op ops[] = {open_set(0, 7), get(2, 3, 7, 1), set(4, 5, 8, 2), get(6, 7, 7, 3)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_VIOLATED);
}

Test(history, an_effect_before_its_cause_is_rejected)
{
    struct history_op ops[] = {get(0, 1, 7, 1), set(2, 3, 7, 1)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_VIOLATED);
}

Test(history, reads_that_go_back_are_rejected_even_during_the_write)
{
    struct history_op ops[] = {set(0, 1, 7, 1), set(2, 20, 8, 2), get(3, 4, 8, 2), get(5, 6, 7, 1)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_VIOLATED);
}

Test(history, two_swaps_of_one_value_are_rejected)
{
    struct history_op ops[] = {set(0, 1, 7, 1), swap(2, 9, 7, 8, 2), swap(3, 8, 7, 9, 3)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_VIOLATED);
}

Test(history, a_swap_refused_on_the_expected_value_is_rejected)
{
    struct history_op ops[] = {set(0, 1, 7, 1), no_swap(2, 3, 7, 7, 1)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_VIOLATED);
}

Test(history, two_proposals_that_both_stay_are_rejected)
{
    struct history_op ops[] = {propose(0, 9, 7, 7), propose(1, 8, 8, 8)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_VIOLATED);
}

Test(history, a_proposal_that_vanished_is_rejected)
{
    struct history_op ops[] = {propose(0, 1, 7, 7), get(2, 3, HISTORY_NONE, 0)};
    cr_expect_eq(check(ops, COUNT(ops)), HISTORY_VIOLATED);
}

/* ---- At length -------------------------------------------------------------------------------------------------------- */

enum { WRITERS = 8, ROUNDS = 60 };

/* In each round all writers set at once, and one of them is never heard of again; then somebody reads. */
static size_t long_history(struct history_op *ops)
{
    size_t count = 0;
    uint64_t version = 0;
    for (int64_t round = 0; round < ROUNDS; round++) {
        int64_t at = round * 100;
        for (uint64_t i = 0; i < WRITERS; i++) {
            uint64_t value = (uint64_t)round * WRITERS + i + 1;
            ops[count++] = i == 0 ? open_set(at, value) : set(at + (int64_t)i, at + 50 - (int64_t)i, value, ++version);
        }
        ops[count++] = get(at + 60, at + 70, (uint64_t)round * WRITERS + WRITERS, version);
    }
    return count;
}

Test(history, a_long_one_with_lost_answers_is_decided)
{
    static struct history_op ops[ROUNDS * (WRITERS + 1)];
    size_t count = long_history(ops);
    cr_expect_eq(check(ops, count), HISTORY_LINEARIZABLE);
    ops[count - 1].found =
        ops[0].value; /* the first open write, seen in a version that another is known to have made */
    cr_expect_eq(check(ops, count), HISTORY_VIOLATED);
}
