#include "shrink.h"

#include "without.h"

#include <string.h>

struct shrinking {
    shrink_run *run;
    void *context;
    const char *violation;
    uint32_t runs_left;
    struct sim_without best; /* the smallest that has been seen to end with the violation */
    uint32_t due;            /* in that run: how many faults were due, */
    uint32_t count;          /* and which of them happened */
    uint32_t numbers[SIM_FAULTS_NUMBERED];
};

/* Takes the candidate for the best if it ends alike. What comes after its last fault is withheld in all that follow. */
static bool shrink_try(struct shrinking *shrinking, const struct sim_without *candidate)
{
    if (shrinking->runs_left == 0) {
        return false;
    }
    shrinking->runs_left--;
    const struct sim_fault_log *log = NULL;
    const char *violation = shrinking->run(shrinking->context, candidate, &log);
    if (violation == NULL || strcmp(violation, shrinking->violation) != 0) {
        return false;
    }
    shrinking->best = *candidate;
    shrinking->due = log->count;
    shrinking->count = log->injected < SIM_FAULTS_NUMBERED ? log->injected : SIM_FAULTS_NUMBERED;
    for (uint32_t i = 0; i < shrinking->count; i++) {
        shrinking->numbers[i] = log->records[i].ordinal;
    }
    if (shrinking->best.first_of_rest == 0 || shrinking->best.first_of_rest > log->count + 1) {
        shrinking->best.first_of_rest = log->count + 1;
    }
    return true;
}

/* All faults of one kind at once: most kinds have nothing to do with it. */
static void shrink_kinds(struct shrinking *shrinking)
{
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        struct sim_without candidate = shrinking->best;
        candidate.kinds |= UINT64_C(1) << kind;
        if (candidate.kinds != shrinking->best.kinds) {
            shrink_try(shrinking, &candidate);
        }
    }
}

/* Chunk by chunk. True if any of them could go. */
static bool shrink_chunks(struct shrinking *shrinking, uint32_t chunk)
{
    bool has_shrunk = false;
    uint32_t first = 0;
    while (first < shrinking->count && shrinking->runs_left > 0) {
        struct sim_without candidate = shrinking->best;
        for (uint32_t i = first; i < first + chunk && i < shrinking->count; i++) {
            without_add_number(&candidate, shrinking->numbers[i]);
        }
        bool is_gone = shrink_try(shrinking, &candidate);
        has_shrunk |= is_gone;
        first += is_gone ? 0 : chunk;
    }
    return has_shrunk;
}

/* What did not happen is withheld by its number, whyever it did not. */
static void shrink_normalise(struct shrinking *shrinking)
{
    uint32_t next = 0;
    for (uint32_t number = 1; number <= shrinking->due; number++) {
        if (next < shrinking->count && shrinking->numbers[next] == number) {
            next++;
        } else {
            without_add_number(&shrinking->best, number);
        }
    }
    shrinking->best.kinds = 0;
}

uint32_t shrink(shrink_run *run, void *context, const char *violation, uint32_t runs_max, struct sim_without *without)
{
    static struct shrinking shrinking; /* large; one at a time */
    shrinking = (struct shrinking){.run = run, .context = context, .violation = violation, .runs_left = runs_max};
    if (!shrink_try(&shrinking, without)) {
        return SIM_FAULTS_NUMBERED;
    }
    shrink_kinds(&shrinking);
    uint32_t chunk = (shrinking.count + 1) / 2;
    while (chunk > 0 && shrinking.runs_left > 0) {
        bool has_shrunk = shrink_chunks(&shrinking, chunk);
        if (has_shrunk) {
            shrink_kinds(&shrinking);
        }
        chunk = chunk == 1 && has_shrunk ? 1 : chunk / 2;
    }
    if (shrinking.due < SIM_FAULTS_NUMBERED) {
        shrink_normalise(&shrinking);
    }
    *without = shrinking.best;
    return shrinking.count;
}
