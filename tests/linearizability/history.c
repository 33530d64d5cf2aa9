#include "history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIGURATIONS_MAX = 1 << 20 };

/* The register, after some operations. */
struct state {
    uint64_t value, version;
};

/* What the answers say of a version: each is made once, so an open operation that made it must agree. */
struct known {
    uint64_t version, value;
    bool is_made; /* by an operation that is not open */
};

/* An operation begins or ends. Those not yet put in order are a list; node 0 is its head. */
struct point {
    size_t op;
    bool is_begin;
    int64_t at;
    size_t previous, next; /* neighbours in the list */
    size_t end;            /* of a begin: its end, 0 if it has none */
};

/* A choice on the way: this operation was put next, when the register was thus. */
struct choice {
    size_t point;
    struct state before;
};

struct search {
    const struct history_op *ops;
    uint64_t first_version;
    struct known *known; /* by version */
    size_t known_count;
    struct point *points; /* points[0] is the head; the list is circular */
    size_t point_count;
    struct choice *choices;
    size_t depth, deepest, stuck;
    uint64_t *done; /* a bit for every operation put in order */
    size_t words;
    /* Configurations that have been met: state and bits, open addressing; an unused one has no bit set. */
    uint64_t *met;
    size_t met_count, met_room;
};

/* ---- The register ----------------------------------------------------------------------------------------------------- */

static struct state state_changed(struct state state, uint64_t value, uint64_t first_version)
{
    return (struct state){.value = value, .version = state.version == 0 ? first_version : state.version + 1};
}

/* Whether the operation may happen now, and what the register is then. */
static bool state_step(struct state state, const struct history_op *op, uint64_t first_version, struct state *ret)
{
    struct state changed = state_changed(state, op->value, first_version);
    bool is_found = op->found == state.value && op->found_version == state.version;
    bool is_told = op->is_open || op->found_version == changed.version;
    switch (op->operation) {
    case HISTORY_GET:
        *ret = state;
        return is_found;
    case HISTORY_SET:
        *ret = changed;
        return is_told;
    case HISTORY_COMPARE_SET:
        *ret = op->is_unchanged ? state : changed;
        return op->is_unchanged ? is_found && state.value != op->expected : is_told && state.value == op->expected;
    case HISTORY_PROPOSE:
        *ret = state.version == 0 ? changed : state;
        return op->is_open || (op->found == ret->value && op->found_version == ret->version);
    }
    return false;
}

/* ---- What is known of versions ---------------------------------------------------------------------------------------- */

/* By version; within one, who made it comes first. */
static int known_compare(const void *a, const void *b)
{
    const struct known *one = a;
    const struct known *two = b;
    if (one->version != two->version) {
        return one->version < two->version ? -1 : 1;
    }
    return one->is_made == two->is_made ? 0 : one->is_made ? -1 : 1;
}

static void search_list_known(struct search *search, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct history_op *op = &search->ops[i];
        bool is_change = op->operation == HISTORY_SET || (op->operation == HISTORY_COMPARE_SET && !op->is_unchanged);
        if (!op->is_open && op->found_version != 0) {
            search->known[search->known_count++] = (struct known){
                .version = op->found_version, .value = is_change ? op->value : op->found, .is_made = is_change};
        }
    }
    qsort(search->known, search->known_count, sizeof search->known[0], known_compare);
}

/* The first entry of the version, NULL if nothing is known of it. */
static const struct known *known_find(const struct search *search, uint64_t version)
{
    size_t low = 0;
    size_t high = search->known_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (search->known[middle].version < version) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < search->known_count && search->known[low].version == version ? &search->known[low] : NULL;
}

/*
 * Without this the search would try every set of open operations in the place of every change. What would come after all
 * that is known need not have happened.
 */
static bool search_permits_open(const struct search *search, struct state before, struct state after)
{
    const struct known *known = known_find(search, after.version);
    if (known != NULL) {
        return after.version == before.version || (!known->is_made && known->value == after.value);
    }
    return search->known_count > 0 && after.version < search->known[search->known_count - 1].version;
}

/* ---- Configurations met ----------------------------------------------------------------------------------------------- */

static uint64_t *met_at(const struct search *search, size_t index)
{
    return search->met + index * (search->words + 2);
}

static bool is_unused(const struct search *search, const uint64_t *entry)
{
    for (size_t i = 0; i < search->words; i++) {
        if (entry[2 + i] != 0) {
            return false;
        }
    }
    return true;
}

static uint64_t configuration_hash(const struct search *search, struct state state)
{
    uint64_t hash = (state.value * UINT64_C(0x9e3779b97f4a7c15)) ^ state.version;
    for (size_t i = 0; i < search->words; i++) {
        hash = (hash ^ search->done[i]) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 29;
    }
    return hash;
}

/* Notes the configuration; false if it has been met before. */
static bool configuration_note(struct search *search, struct state state)
{
    size_t bytes = search->words * sizeof(uint64_t);
    size_t at = (size_t)(configuration_hash(search, state) % search->met_room);
    for (;; at = (at + 1) % search->met_room) {
        uint64_t *entry = met_at(search, at);
        if (is_unused(search, entry)) {
            entry[0] = state.value;
            entry[1] = state.version;
            memcpy(&entry[2], search->done, bytes);
            search->met_count++;
            return true;
        }
        if (entry[0] == state.value && entry[1] == state.version && memcmp(&entry[2], search->done, bytes) == 0) {
            return false;
        }
    }
}

/* ---- The list --------------------------------------------------------------------------------------------------------- */

static void point_take_out(struct search *search, size_t index)
{
    const struct point *point = &search->points[index];
    search->points[point->previous].next = point->next;
    search->points[point->next].previous = point->previous;
}

static void point_put_back(struct search *search, size_t index)
{
    const struct point *point = &search->points[index];
    search->points[point->previous].next = index;
    search->points[point->next].previous = index;
}

/* ---- The search ------------------------------------------------------------------------------------------------------- */

static void search_mark(struct search *search, size_t op, bool is_done)
{
    uint64_t bit = UINT64_C(1) << op % 64;
    search->done[op / 64] = is_done ? search->done[op / 64] | bit : search->done[op / 64] & ~bit;
}

static void search_choose(struct search *search, size_t begin, struct state before)
{
    search->choices[search->depth++] = (struct choice){.point = begin, .before = before};
    point_take_out(search, begin);
    if (search->points[begin].end != 0) {
        point_take_out(search, search->points[begin].end);
    }
}

/* Takes the last choice back; the register is what it was before. */
static struct choice search_undo(struct search *search)
{
    struct choice choice = search->choices[--search->depth];
    const struct point *begin = &search->points[choice.point];
    if (begin->end != 0) {
        point_put_back(search, begin->end);
    }
    point_put_back(search, choice.point);
    search_mark(search, begin->op, false);
    return choice;
}

static bool search_try(struct search *search, size_t begin, struct state state, struct state *ret)
{
    size_t op = search->points[begin].op;
    if (!state_step(state, &search->ops[op], search->first_version, ret) ||
        (search->ops[op].is_open && !search_permits_open(search, state, *ret))) {
        return false;
    }
    search_mark(search, op, true);
    if (configuration_note(search, *ret)) {
        return true;
    }
    search_mark(search, op, false);
    return false;
}

/*
 * From the first point on: an operation that begins may be the next, if that is right; one that ends and was not put in
 * order by then shows that an earlier choice was wrong. No end left: everything whose outcome is known has its place.
 */
static enum history_verdict search_run(struct search *search)
{
    struct state state = {HISTORY_NONE, 0};
    size_t at = search->points[0].next;
    while (at != 0) {
        struct state next;
        if (search->met_count * 2 >= search->met_room) {
            return HISTORY_UNDECIDED;
        }
        if (search->points[at].is_begin && search_try(search, at, state, &next)) {
            search_choose(search, at, state);
            state = next;
            at = search->points[0].next;
        } else if (search->points[at].is_begin) {
            at = search->points[at].next;
        } else {
            if (search->depth >= search->deepest) {
                search->deepest = search->depth;
                search->stuck = search->points[at].op;
            }
            if (search->depth == 0) {
                return HISTORY_VIOLATED;
            }
            struct choice choice = search_undo(search);
            state = choice.before;
            at = search->points[choice.point].next;
        }
    }
    return HISTORY_LINEARIZABLE;
}

/* ---- Making ----------------------------------------------------------------------------------------------------------- */

/* By time; at one instant begins come first, so that operations that touch overlap. */
static int point_compare(const void *a, const void *b)
{
    const struct point *one = a;
    const struct point *two = b;
    if (one->at != two->at) {
        return one->at < two->at ? -1 : 1;
    }
    if (one->is_begin != two->is_begin) {
        return one->is_begin ? -1 : 1;
    }
    return one->op < two->op ? -1 : one->op > two->op;
}

/* An open read has told nobody anything. */
static bool op_is_idle(const struct history_op *op)
{
    return op->is_open && op->operation == HISTORY_GET;
}

static void search_list_points(struct search *search, size_t count)
{
    size_t made = 1;
    for (size_t i = 0; i < count; i++) {
        const struct history_op *op = &search->ops[i];
        assert(op->is_open || op->begin <= op->end);
        if (!op_is_idle(op)) {
            search->points[made++] = (struct point){.op = i, .is_begin = true, .at = op->begin};
        }
        if (!op->is_open) {
            search->points[made++] = (struct point){.op = i, .at = op->end};
        }
    }
    qsort(search->points + 1, made - 1, sizeof search->points[0], point_compare);
    search->point_count = made;
    for (size_t i = 0; i < made; i++) {
        search->points[i].previous = (i + made - 1) % made;
        search->points[i].next = (i + 1) % made;
    }
}

static void search_pair_points(struct search *search, size_t count, size_t *begins)
{
    for (size_t i = 1; i < search->point_count; i++) {
        const struct point *point = &search->points[i];
        assert(point->op < count);
        if (point->is_begin) {
            begins[point->op] = i;
        } else {
            search->points[begins[point->op]].end = i;
        }
    }
}

enum history_verdict history_check(const struct history_op *ops, size_t count, uint64_t first_version,
                                   size_t *ret_stuck)
{
    assert(first_version > 0);
    if (count == 0) {
        return HISTORY_LINEARIZABLE;
    }
    struct search search = {.ops = ops, .first_version = first_version, .words = count / 64 + 1};
    size_t most = CONFIGURATIONS_MAX;
    search.met_room = count < most / 4096 ? count * 4096 : most;
    search.points = calloc(2 * count + 1, sizeof *search.points);
    search.choices = calloc(count, sizeof *search.choices);
    search.done = calloc(search.words, sizeof *search.done);
    search.met = calloc(search.met_room, (search.words + 2) * sizeof *search.met);
    search.known = calloc(count, sizeof *search.known);
    size_t *begins = calloc(count, sizeof *begins);
    enum history_verdict verdict = HISTORY_UNDECIDED;
    bool has_memory = search.points != NULL && search.choices != NULL && search.done != NULL && search.met != NULL &&
                      search.known != NULL && begins != NULL;
    if (has_memory) {
        search_list_known(&search, count);
        search_list_points(&search, count);
        search_pair_points(&search, count, begins);
        verdict = search_run(&search);
    }
    if (verdict == HISTORY_VIOLATED && ret_stuck != NULL) {
        *ret_stuck = search.stuck;
    }
    free(begins);
    free(search.known);
    free(search.met);
    free(search.done);
    free(search.choices);
    free(search.points);
    return verdict;
}
