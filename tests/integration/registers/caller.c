/*
 * A process that calls registers at random until it is told to end, or killed, and keeps a journal of it (journal.h).
 *
 *     caller NAME SEED JOURNAL DISK...
 *
 * The registers are r0, r1 (get, set, compare-and-set) and p0 (get, propose). Every value that it writes is its own: no
 * other call, of whatever process, writes the same.
 */
#include "journal.h"
#include "linearizability/history.h"

#include <diskarch/diskarch.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REGISTERS = 3, PROPOSED = 2, MESSAGE_BYTES = 512, CALLS_BEHIND_SEED = 1000000 };

#define NS_PER_MS INT64_C(1000000)
#define PATIENCE_NS (30 * 1000 * NS_PER_MS)

static const char *const names[REGISTERS] = {"r0", "r1", "p0"};

struct caller {
    struct diskarch *node;
    int journal;
    uint64_t seed;
    uint64_t calls;
    uint64_t random;
    uint64_t last_found[REGISTERS]; /* what this process saw there last: likely, but not certainly, there still */
};

static volatile sig_atomic_t is_told_to_end;

static void on_signal(int signal)
{
    (void)signal;
    is_told_to_end = 1;
}

static uint64_t random_below(struct caller *caller, uint64_t bound)
{
    caller->random ^= caller->random << 13;
    caller->random ^= caller->random >> 7;
    caller->random ^= caller->random << 17;
    return caller->random % bound;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static void sleep_ms(uint64_t ms)
{
    struct timespec pause = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * NS_PER_MS)};
    nanosleep(&pause, NULL);
}

_Noreturn static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "caller: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

__attribute__((format(printf, 2, 3))) static void journal_write(const struct caller *caller, const char *format, ...)
{
    char line[JOURNAL_LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (write(caller->journal, line, (size_t)length) != length) {
        give_up("journal", strerror(errno));
    }
}

/* Values are written as decimal numbers. */
static uint64_t value_number(const struct diskarch_value *value)
{
    char text[sizeof(value->bytes) + 1] = "";
    memcpy(text, value->bytes, value->bytes_used);
    return strtoull(text, NULL, 10);
}

static enum journal_outcome outcome_of(int error)
{
    switch (error) {
    case 0:
        return OUTCOME_DONE;
    case DISKARCH_ENONE:
        return OUTCOME_NONE;
    case DISKARCH_ECHANGED:
        return OUTCOME_UNCHANGED;
    case DISKARCH_ETIMEOUT:
        return OUTCOME_NOTHING;
    case DISKARCH_EUNKNOWN:
        return OUTCOME_UNKNOWN;
    default:
        give_up("call", diskarch_error_string(error));
    }
}

struct call {
    unsigned place; /* which register */
    enum history_operation operation;
    uint64_t value;    /* 0: none is written */
    uint64_t expected; /* 0: none; compare-and-set only creates then */
    int64_t timeout_ns;
};

static int call_make(struct caller *caller, const struct call *call, struct diskarch_value *ret)
{
    char value[32];
    char expected[32];
    size_t count = (size_t)snprintf(value, sizeof(value), "%" PRIu64, call->value);
    size_t expected_count = (size_t)snprintf(expected, sizeof(expected), "%" PRIu64, call->expected);
    const char *name = names[call->place];
    switch (call->operation) {
    case HISTORY_GET:
        return diskarch_register_get(caller->node, name, call->timeout_ns, ret);
    case HISTORY_SET:
        memcpy(ret->bytes, value, count);
        ret->bytes_used = count;
        return diskarch_register_set(caller->node, name, value, count, call->timeout_ns, &ret->version);
    case HISTORY_COMPARE_SET:
        return diskarch_register_compare_and_set(caller->node, name, call->expected == 0 ? NULL : expected,
                                                 call->expected == 0 ? 0 : expected_count, value, count,
                                                 call->timeout_ns, ret);
    case HISTORY_PROPOSE:
        break;
    }
    return diskarch_register_propose(caller->node, name, value, count, call->timeout_ns, ret);
}

/* One in eight is given so little time that it is often cut off. */
static struct call call_draw(struct caller *caller)
{
    struct call call = {.place = (unsigned)random_below(caller, REGISTERS), .timeout_ns = PATIENCE_NS};
    caller->calls++;
    uint64_t own_value = caller->seed * CALLS_BEHIND_SEED + caller->calls;
    if (random_below(caller, 8) == 0) {
        call.timeout_ns = (int64_t)random_below(caller, 10) * NS_PER_MS;
    }
    if (random_below(caller, 2) == 0) {
        call.operation = HISTORY_GET;
    } else if (call.place == PROPOSED) {
        call.operation = HISTORY_PROPOSE;
    } else {
        call.operation = random_below(caller, 2) == 0 ? HISTORY_SET : HISTORY_COMPARE_SET;
    }
    call.value = call.operation == HISTORY_GET ? 0 : own_value;
    call.expected = call.operation == HISTORY_COMPARE_SET ? caller->last_found[call.place] : 0;
    return call;
}

static void call_one(struct caller *caller)
{
    struct call call = call_draw(caller);
    struct diskarch_value found = {.size = sizeof(found)};
    journal_write(caller, "begin %" PRId64 " %u %s %" PRIu64 " %" PRIu64 "\n", now_ns(), call.place,
                  journal_operations[call.operation], call.value, call.expected);
    enum journal_outcome outcome = outcome_of(call_make(caller, &call, &found));
    bool is_answered = outcome == OUTCOME_DONE || outcome == OUTCOME_UNCHANGED;
    uint64_t value = is_answered ? value_number(&found) : 0;
    journal_write(caller, "end %" PRId64 " %s %" PRIu64 " %" PRIu64 "\n", now_ns(), journal_outcomes[outcome],
                  is_answered ? found.version : 0, value);
    if (is_answered) {
        caller->last_found[call.place] = value;
    }
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        give_up("usage", "caller NAME SEED JOURNAL DISK...");
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    struct caller caller = {.seed = strtoull(argv[2], NULL, 10)};
    caller.random = (caller.seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    caller.journal = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (caller.journal < 0) {
        give_up(argv[3], strerror(errno));
    }
    struct diskarch_options options = {.size = sizeof(options),
                                       .disks = (const char *const *)(argv + 4),
                                       .disk_count = (size_t)(argc - 4),
                                       .node_name = argv[1],
                                       .is_rejoining = true};
    char message[MESSAGE_BYTES] = "";
    if (diskarch_open(&options, &caller.node, message, sizeof(message)) != 0) {
        give_up("open", message);
    }
    while (!is_told_to_end) {
        call_one(&caller);
        sleep_ms(random_below(&caller, 20));
    }
    diskarch_close(caller.node);
    close(caller.journal);
    return EXIT_SUCCESS;
}
