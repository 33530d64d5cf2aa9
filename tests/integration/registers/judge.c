/*
 * Reads the journals of callers (journal.h), one file a process, and judges whether the history of every register is
 * linearizable. Prints what it has judged.
 *
 *     judge JOURNAL...
 *
 * Ends with 0, with 1 if a history is none that a single register could have had, with 2 if a journal cannot be read.
 */
#include "journal.h"
#include "linearizability/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_VIOLATED = 1, EXIT_JOURNAL = 2 };

struct history {
    struct history_op *ops;
    size_t count;
    size_t room;
    size_t open_count;
};

static struct history histories[JOURNAL_REGISTERS_MAX];

_Noreturn static void give_up(const char *journal, size_t line, const char *why)
{
    fprintf(stderr, "judge: %s:%zu: %s\n", journal, line, why);
    exit(EXIT_JOURNAL);
}

static void history_add(struct history *history, const struct history_op *op)
{
    if (history->count == history->room) {
        history->room = history->room == 0 ? 256 : 2 * history->room;
        history->ops = realloc(history->ops, history->room * sizeof(*history->ops));
        if (history->ops == NULL) {
            give_up("memory", 0, strerror(ENOMEM));
        }
    }
    history->ops[history->count] = *op;
    history->count++;
    history->open_count += op->is_open;
}

/* The number of a word in a list; the length of the list if it is not there. */
static size_t word_find(const char *word, const char *const *list, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(word, list[i]) != 0) {
        i++;
    }
    return i;
}

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

struct reader {
    const char *path;
    size_t line;
    unsigned place; /* the register of the call that has begun */
    bool has_begun;
    struct history_op op;
};

static void begin_take(struct reader *reader, const char *text)
{
    char word[16];
    struct history_op *op = &reader->op;
    int fields = sscanf(text, "begin %" SCNd64 " %u %15s %" SCNu64 " %" SCNu64, &op->begin, &reader->place, word,
                        &op->value, &op->expected);
    size_t operation = word_find(word, journal_operations, JOURNAL_COUNT(journal_operations));
    if (fields != 5 || operation == JOURNAL_COUNT(journal_operations) || reader->place >= JOURNAL_REGISTERS_MAX) {
        give_up(reader->path, reader->line, "not the begin of a call");
    }
    op->operation = (enum history_operation)operation;
    reader->has_begun = true;
}

static void end_take(struct reader *reader, const char *text)
{
    char word[16];
    struct history_op *op = &reader->op;
    uint64_t value;
    int fields = sscanf(text, "end %" SCNd64 " %15s %" SCNu64 " %" SCNu64, &op->end, word, &op->found_version, &value);
    size_t outcome = word_find(word, journal_outcomes, JOURNAL_COUNT(journal_outcomes));
    if (fields != 4 || outcome == JOURNAL_COUNT(journal_outcomes)) {
        give_up(reader->path, reader->line, "not the end of a call");
    }
    bool is_write = op->operation == HISTORY_SET || (op->operation == HISTORY_COMPARE_SET && outcome == OUTCOME_DONE);
    if (is_write && outcome == OUTCOME_DONE && value != op->value) {
        give_up(reader->path, reader->line, "a write that was done answers with another value");
    }
    op->is_open = outcome == OUTCOME_UNKNOWN;
    op->is_unchanged = outcome == OUTCOME_UNCHANGED;
    op->found = outcome == OUTCOME_NONE ? HISTORY_NONE : value;
    if (outcome != OUTCOME_NOTHING) {
        history_add(&histories[reader->place], op);
    }
    reader->has_begun = false;
}

static void journal_read(const char *path, uint32_t process)
{
    struct reader reader = {.path = path};
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        give_up(path, 0, strerror(errno));
    }
    char text[JOURNAL_LINE_BYTES];
    while (fgets(text, sizeof(text), file) != NULL) {
        reader.line++;
        if (!reader.has_begun) {
            reader.op = (struct history_op){.process = process};
            begin_take(&reader, text);
        } else {
            end_take(&reader, text);
        }
    }
    fclose(file);
    if (reader.has_begun) {
        reader.op.is_open = true;
        history_add(&histories[reader.place], &reader.op);
    }
}

/* ---- Judgement --------------------------------------------------------------------------------------------------- */

static bool history_judge(unsigned place, const struct history *history)
{
    size_t stuck = 0;
    enum history_verdict verdict = history_check(history->ops, history->count, 1, &stuck);
    printf("register %u: %zu calls, %zu of them with an open outcome: %s\n", place, history->count, history->open_count,
           verdict == HISTORY_LINEARIZABLE ? "linearizable"
           : verdict == HISTORY_VIOLATED   ? "VIOLATED"
                                           : "too many ways to tell");
    if (verdict == HISTORY_VIOLATED) {
        const struct history_op *op = &history->ops[stuck];
        printf("  no order gets beyond process %" PRIu32 ", %s begun at %" PRId64 ", value %" PRIu64 ", found %" PRIu64
               " at version %" PRIu64 "\n",
               op->process, journal_operations[op->operation], op->begin, op->value, op->found, op->found_version);
    }
    return verdict == HISTORY_LINEARIZABLE;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        journal_read(argv[i], (uint32_t)i);
    }
    bool is_right = true;
    for (unsigned place = 0; place < JOURNAL_REGISTERS_MAX; place++) {
        if (histories[place].count > 0) {
            is_right = history_judge(place, &histories[place]) && is_right;
            free(histories[place].ops);
        }
    }
    return is_right ? EXIT_SUCCESS : EXIT_VIOLATED;
}
