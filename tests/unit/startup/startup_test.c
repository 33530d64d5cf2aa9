/*
 * Start-up that may fail anywhere: every call of call_kinds[] that a start-up makes fails in turn, once alone and once with
 * all later ones of its kind, in a process of its own. Each time the start-up must refuse, with a message that names reason
 * and remedy, or tell what it goes on without; it must give everything back, and a refusal leaves the disks as they were.
 */
#include "census.h"
#include "stories.h"
#include "supervise.h"

#include "disk/engine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_CALLS = 12, CALL_STRIDE = 9, NODE_STACK_BYTES = 512 << 10 };

struct trial {
    const struct stage *stage;
    const struct story *story;
    uint32_t runs;
    uint32_t refusals;
    uint32_t complaints;
    uint32_t counts[CALL_COUNT]; /* of each kind, how often one was made to fail */
};

/* ---- In the process under test ---------------------------------------------------------------------------------------- */

static void *nothing(void *context)
{
    return context;
}

/* The C library keeps the stack of a thread that has ended for the next one of that size. */
static void keep_a_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, NODE_STACK_BYTES);
    if (pthread_create(&thread, &attributes, nothing, NULL) == 0) {
        pthread_join(thread, NULL);
    }
    pthread_attr_destroy(&attributes);
}

static void begin(void *context)
{
    const struct trial *trial = context;
    keep_a_stack();
    struct census before = census_take(NULL);
    atomic_store(&injection->is_armed, true);
    injection->result = trial->story->run(trial->stage);
    atomic_store(&injection->is_armed, false);
    struct census after = census_take(&before);
    census_compare(&before, &after, injection->complaint, sizeof injection->complaint);
    _exit(0);
}

/* ---- In the one that tests it ----------------------------------------------------------------------------------------- */

static void complain(struct trial *trial, const char *what)
{
    printf("%s, with %s number %u failing%s by %s: %s\n    told (%d): %s\n", trial->story->name,
           call_kinds[injection->call].name, injection->nth, injection->is_lasting ? " and all later ones" : "",
           strerrorname_np(injection->error), what, injection->result, injection->told);
    trial->complaints++;
}

static void judge_success(struct trial *trial)
{
    const struct tolerance *tolerance = trial->story->tolerances;
    while (tolerance->call != NULL && strcmp(tolerance->call, call_kinds[injection->call].name) != 0) {
        tolerance++;
    }
    if (injection->injected == 0) {
        if (injection->told[0] != '\0') {
            complain(trial, "nothing failed, and yet something was told");
        }
    } else if (tolerance->call == NULL) {
        complain(trial, "it went on");
    } else if (strstr(injection->told, tolerance->words) == NULL) {
        complain(trial, "it went on without telling so");
    }
}

static void judge_refusal(struct trial *trial)
{
    trial->refusals++;
    if (injection->injected == 0) {
        complain(trial, "nothing failed, and yet it refused");
    }
    if (strchr(injection->told, ':') == NULL || strchr(injection->told, ';') == NULL) {
        complain(trial, "the message lacks the thing, the reason or the remedy");
    }
    /* Once a format has begun to write, a refusal leaves no header, and no file that was not there before. */
    bool has_written = trial->story->is_blank && atomic_load(&injection->counts[CALL_PWRITE]) > 0;
    const char *difference = stage_difference(trial->stage);
    if (!has_written && difference != NULL) {
        complain(trial, difference);
    }
    if (has_written && stage_has_remains(trial->stage)) {
        complain(trial, "something is left");
    }
}

/* Whether a call was made to fail. */
static bool try_once(struct trial *trial, enum call call, uint32_t nth, int error, bool is_lasting)
{
    stage_restore(trial->stage);
    memset(injection, 0, sizeof *injection);
    injection->call = call;
    injection->nth = nth;
    injection->error = error;
    injection->is_lasting = is_lasting;
    struct outcome outcome = supervise(injection, begin, trial);
    trial->runs++;
    if (outcome.is_hung || !WIFEXITED(outcome.wait_status) || WEXITSTATUS(outcome.wait_status) != 0) {
        char text[64];
        snprintf(text, sizeof text, "it %s, status %#x", outcome.is_hung ? "hung" : "died",
                 (unsigned)outcome.wait_status);
        complain(trial, text);
        return injection->injected > 0;
    }
    if (injection->result == 0) {
        judge_success(trial);
    } else {
        judge_refusal(trial);
    }
    if (injection->complaint[0] != '\0') {
        complain(trial, injection->complaint);
    }
    trial->counts[call] += injection->injected > 0;
    return injection->injected > 0;
}

/* In the short form calls far behind are tried one in some: they are those of a loop over many devices. */
static uint32_t next_of(uint32_t nth, bool is_long)
{
    return !is_long && nth >= FIRST_CALLS ? nth + CALL_STRIDE : nth + 1;
}

/* An engine that never gets its requests off is waited for as long as a silent disk. */
static bool is_waited_for(enum call call)
{
    return call == CALL_URING_ENTER || call == CALL_IO_SUBMIT;
}

static void try_calls(struct trial *trial, enum call call, int error, bool is_long)
{
    for (uint32_t nth = 1; try_once(trial, call, nth, error, false); nth = next_of(nth, is_long)) {
    }
    bool is_left_out = !is_long && is_waited_for(call);
    for (uint32_t nth = 1; !is_left_out && try_once(trial, call, nth, error, true) && is_long; nth++) {
    }
}

/* The short form has the likeliest error only, and only all calls of a kind failing together. */
static void try_kind(struct trial *trial, enum call call, bool is_long)
{
    for (int i = 0; i < ERRORS_MAX && call_kinds[call].errors[i] != 0 && (i == 0 || is_long); i++) {
        try_calls(trial, call, call_kinds[call].errors[i], is_long);
    }
}

static uint32_t try_story(const struct story *story, bool is_long, uint32_t counts[CALL_COUNT])
{
    struct stage stage;
    (story->is_blank ? stage_make_blank : stage_make)(&stage);
    struct trial trial = {.stage = &stage, .story = story};
    for (int call = 0; call < CALL_COUNT; call++) {
        try_kind(&trial, (enum call)call, is_long);
        counts[call] += trial.counts[call];
    }
    printf("%s: %u runs, %u refusals:", story->name, trial.runs, trial.refusals);
    for (int call = 0; call < CALL_COUNT; call++) {
        if (trial.counts[call] > 0) {
            printf(" %s %u", call_kinds[call].name, trial.counts[call]);
        }
    }
    printf("\n");
    fflush(stdout);
    stage_remove(&stage);
    return trial.complaints;
}

/* A check that was never made cannot fail. */
static uint32_t find_untried(const uint32_t counts[CALL_COUNT])
{
    uint32_t untried = 0;
    for (int call = 0; call < CALL_COUNT; call++) {
        bool is_ring = call == CALL_URING_SETUP || call == CALL_URING_REGISTER || call == CALL_URING_ENTER ||
                       call == CALL_MAP_FILE;
        if (counts[call] == 0 && (uring_is_built() || !is_ring)) {
            printf("no story made %s, so it never failed\n", call_kinds[call].name);
            untried++;
        }
    }
    return untried;
}

int main(void)
{
    const char *long_form = getenv("DISKARCH_TEST_LONG");
    bool is_long = long_form != NULL && strcmp(long_form, "1") == 0;
    uint32_t counts[CALL_COUNT] = {0};
    uint32_t complaints = 0;
    injection = injection_map();
    if (injection == NULL) {
        perror("mmap");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < story_count; i++) {
        if (uring_is_built() || !stories[i].needs_uring) {
            complaints += try_story(&stories[i], is_long, counts);
        }
    }
    complaints += find_untried(counts);
    return complaints == 0 ? 0 : 1;
}
