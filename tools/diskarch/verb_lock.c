/* diskarch lock ROLE[,ROLE...] COMMAND: run a command while leading. See lock.h for its two halves. */
#include "block/limits.h"
#include "epoch_file.h"
#include "escape.h"
#include "guard_link.h"
#include "lock.h"
#include "report.h"
#include "signals.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 1024, EPOCH_TEXT_BYTES = 21, LIST_BYTES = LOCK_ROLES_MAX * (NAME_FIELD_BYTES + 1) };

_Static_assert((int)EPOCH_TEXT_BYTES <= (int)NAME_FIELD_BYTES, "a list of epochs fits where a list of names does");

enum { LETTER_GRACE = LETTER_NONE + 1, LETTER_EPOCH_FILE };

static const struct verb_option options[] = {
    {'n', "nonblock", NULL, "do not wait: if a role is held, say by whom and end with 1"},
    {'E', "conflict-exit-code", "CODE", "end with CODE instead of 1 if -n or -w did not get the role"},
    {LETTER_GRACE, "grace", "DURATION", "between SIGTERM and SIGKILL (default: a quarter of the lease)"},
    {LETTER_EPOCH_FILE, "epoch-file", "PATH", "write the epochs there before the command starts; kept afterwards"},
    CANDIDATE_OPTIONS,
    {'q', "quiet", NULL, "say nothing about waiting, nor who holds the role"},
    {'v', "verbose", NULL, "say who is waited for, what of lease and disks is at risk (default on a terminal)"},
};

static void lock_take(void *values, int letter, const char *argument)
{
    struct lock *lock = values;
    if (candidate_take(&lock->candidate, letter, argument)) {
        return;
    }
    switch (letter) {
    case 'n':
        lock->is_try = true;
        break;
    case 'E':
        lock->conflict_code = (int)option_count("conflict-exit-code", argument, 0, 255);
        break;
    case LETTER_GRACE:
        lock->grace_ns = option_duration("grace", argument);
        break;
    case LETTER_EPOCH_FILE:
        lock->epoch_file = argument;
        break;
    case 'q':
        lock->is_quiet = true;
        break;
    case 'v':
        lock->is_verbose = true;
        break;
    default:
        assert(false);
    }
}

/* ---- Roles ------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct lock_role *left = a;
    const struct lock_role *right = b;
    return strcmp(left->name, right->name);
}

/* Takes the list apart in place. */
static void roles_parse(struct lock *lock, char *list)
{
    for (char *rest = list, *name; (name = strsep(&rest, ",")) != NULL;) {
        command_line_check_name("role", name);
        if (lock->role_count == LOCK_ROLES_MAX) {
            usage_fail("more than %d roles are named; take fewer at a time", LOCK_ROLES_MAX);
        }
        lock->given[lock->role_count] = name;
        lock->roles[lock->role_count] = (struct lock_role){.name = name};
        lock->role_count++;
    }
    qsort(lock->roles, lock->role_count, sizeof(lock->roles[0]), by_name);
    for (size_t i = 1; i < lock->role_count; i++) {
        if (strcmp(lock->roles[i - 1].name, lock->roles[i].name) == 0) {
            usage_fail("role \"%s\" is named twice; name each role once", escaped(lock->roles[i].name));
        }
    }
}

struct lock_role *lock_role_of(struct lock *lock, const struct diskarch_event *event)
{
    for (size_t i = 0; i < lock->role_count; i++) {
        if (event->role != NULL && lock->roles[i].handle == event->role) {
            return &lock->roles[i];
        }
    }
    return NULL;
}

uint64_t lock_epoch(const struct lock *lock, const char *name)
{
    for (size_t i = 0; i < lock->role_count; i++) {
        if (strcmp(lock->roles[i].name, name) == 0) {
            return lock->roles[i].epoch;
        }
    }
    assert(false);
    return 0;
}

/* ---- What the command is told ------------------------------------------------------------------------------------ */

static void list_append(char list[LIST_BYTES], const char *text)
{
    size_t length = strlen(list);
    snprintf(list + length, LIST_BYTES - length, "%s%s", length > 0 ? "," : "", text);
}

/* Environment and epoch file, in the order in which the roles were given. */
static int command_tell(const struct lock *lock)
{
    char names[LIST_BYTES] = "";
    char epochs[LIST_BYTES] = "";
    for (size_t i = 0; i < lock->role_count; i++) {
        char epoch[EPOCH_TEXT_BYTES];
        snprintf(epoch, sizeof(epoch), "%" PRIu64, lock_epoch(lock, lock->given[i]));
        list_append(names, lock->given[i]);
        list_append(epochs, epoch);
    }
    struct diskarch_node_info info = {.size = sizeof(info)};
    diskarch_node_info(lock->node, &info);
    if (setenv("DISKARCH_SET", info.set_name, 1) != 0 || setenv("DISKARCH_ROLE", names, 1) != 0 ||
        setenv("DISKARCH_EPOCH", epochs, 1) != 0) {
        complain("the environment cannot be set: %s", strerror(errno));
        return EXIT_CODE_SYSTEM;
    }
    if (lock->epoch_file != NULL) {
        int status = epoch_file_write(lock->epoch_file, epochs);
        if (status != 0) {
            complain("epoch file %s cannot be written: %s; choose a path that can be", escaped(lock->epoch_file),
                     strerror(-status));
            return EXIT_CODE_SYSTEM;
        }
    }
    return LOCK_GO_ON;
}

/* ---- The lease --------------------------------------------------------------------------------------------------- */

/*
 * A tenth of the lease before its end everything must be gone: time for a late timer, for a busy processor, and for the
 * kernel to take large processes down. In front of that goes the grace. What is left must hold, with nothing wrong, one
 * and a half renewal intervals (half an interval passes until the guard hears of a renewal) and a slow disk's io
 * deadline, at most a quarter of the lease; else the guard would stop a command whose lease is renewed as usual.
 */
static int grace_settle(struct lock *lock, int64_t lease_ns)
{
    lock->margin_ns = lease_ns / 10;
    int64_t room_ns = lease_ns - lock->margin_ns - lease_ns / 4 - lock->renew_ns * 3 / 2;
    assert(room_ns > 0); /* format holds renew at L/3 or less */
    if (lock->grace_ns < 0) {
        lock->grace_ns = lease_ns / 4 < room_ns ? lease_ns / 4 : room_ns;
    }
    if (lock->grace_ns > room_ns) {
        complain("--grace: longer than the lease of this set leaves room for; give at most %" PRId64
                 "ms, or format a set with a longer lease",
                 room_ns / NS_PER_MS);
        return EXIT_CODE_USAGE;
    }
    return LOCK_GO_ON;
}

/* ---- The verb ---------------------------------------------------------------------------------------------------- */

static int node_open(struct lock *lock)
{
    struct diskarch_options open_options = command_line_options(&lock->line);
    open_options.is_rejoining = true; /* while waiting; leadership once lost is not waited for again */
    char message[MESSAGE_BYTES] = "";
    int error = diskarch_open(&open_options, &lock->node, message, sizeof(message));
    if (error != 0) {
        complain("%s", escaped(message));
        return (int)exit_code_of_error(error);
    }
    struct diskarch_node_info info = {.size = sizeof(info)};
    diskarch_node_info(lock->node, &info);
    lock->renew_ns = info.renew_ns;
    /* Which engine moves the blocks is the operator's to know; the rest only for whoever asks. */
    bool is_telling = lock->is_verbose || (info.is_other_engine && !lock->is_quiet);
    if (is_telling && *info.warning != '\0') {
        complain("warning: %s", escaped(info.warning));
    }
    return grace_settle(lock, info.lease_ns);
}

/* Each by itself: a role whose transfer has begun is handed over by that. */
static void roles_resign(struct lock *lock)
{
    for (size_t i = 0; i < lock->role_count; i++) {
        if (lock->roles[i].handle != NULL) {
            diskarch_resign(lock->roles[i].handle);
        }
    }
}

static int lock_do(struct lock *lock)
{
    int code = node_open(lock);
    if (code == LOCK_GO_ON) {
        code = lock_acquire(lock);
    }
    if (code == LOCK_GO_ON) {
        code = command_tell(lock);
    }
    if (code == LOCK_GO_ON) {
        code = lock_run(lock);
    }
    roles_resign(lock); /* the command is gone, or never ran */
    candidate_record(&lock->candidate, lock->node);
    diskarch_close(lock->node);
    return code;
}

static int lock_verb_run(const struct verb *verb, int argc, char **argv)
{
    static struct lock lock = {.grace_ns = -1, .conflict_code = EXIT_CODE_NO};
    lock.is_verbose = isatty(STDERR_FILENO);
    command_line_parse(verb, argc, argv, lock_take, &lock, &lock.line);
    if (lock.line.argument_count < 1) {
        usage_fail("no role is named; name one, and a command to run while leading it");
    }
    roles_parse(&lock, lock.line.arguments[0]);
    lock.command = lock.line.arguments + 1;
    if (*lock.command != NULL && strcmp(*lock.command, "--") == 0) {
        lock.command++;
    }
    if (*lock.command == NULL) {
        usage_fail("no command is given; name one to run while leading \"%s\"", escaped(lock.roles[0].name));
    }
    if (lock.line.timeout_ns == 0) {
        lock.is_try = true;
    }
    lock.is_verbose = lock.is_verbose && !lock.is_quiet;
    if (!guard_link_find(lock.guard_path, sizeof(lock.guard_path))) {
        complain("guard %s: %s; install diskarch completely", escaped(lock.guard_path), strerror(errno));
        return EXIT_CODE_GUARD;
    }
    const int taken[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGALRM, SIGUSR1,
                         SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD};
    lock.signal_fd = signals_open(taken, sizeof(taken) / sizeof(taken[0]));
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* a killed guard leaves its orphans to us */
    int code = lock_do(&lock);
    close(lock.signal_fd);
    return code;
}

const struct verb verb_lock = {
    .name = "lock",
    .arguments = "ROLE[,ROLE...] [--] COMMAND [ARGUMENT...]",
    .summary = "run a command while leading a role",
    .detail =
        "Waits until this node leads ROLE (or all of them), runs COMMAND, resigns, and ends with COMMAND's code. A\n"
        "guard stops COMMAND and all its descendants before the lease ends, if it cannot be renewed, and when another\n"
        "node orders to let go, which ends with 13. Waits for ever, unless -n or -w (then ends with 1) is given. COMMAND\n"
        "finds DISKARCH_SET, DISKARCH_ROLE and DISKARCH_EPOCH in its environment.",
    .common = COMMON_DISKS | COMMON_NODE | COMMON_ENGINE | COMMON_TIMEOUT,
    .takes_command = true,
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = lock_verb_run,
};
