/*
 * Running the command of `diskarch lock` inside the lease. This side tells the guard a fresh deadline after each
 * renewal, forwards signals, and waits until the guard says that nothing of the command is left. Only then may the
 * roles be resigned (rule N6). Another node may order to let a role go: then the guard is told to stop the command, while
 * the lease goes on being renewed. If the guard is killed, its orphans become ours, and are killed here.
 */
#include "block/limits.h"
#include "common/process_tree.h"
#include "disk_words.h"
#include "escape.h"
#include "guard_link.h"
#include "lock.h"
#include "report.h"
#include "runtime/clock.h"
#include "signals.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { KILL_PAUSE_MS = 10 };

struct run {
    struct lock *lock;
    struct guard_link link;
    bool has_deadline; /* the guard has one: the command runs */
    bool is_lost;      /* leadership was lost or is about to end: the command is being stopped */
    bool is_ordered;   /* another node has it let go: the command is being stopped */
    bool is_unguarded; /* the guard was killed */
    bool has_exited;   /* the command itself has ended */
    bool is_gone;      /* nothing of the command is left */
    int exec_error;    /* errno, if the command could not be executed */
    int wait_status;   /* the command's */
};

/* What is left of the lease under all roles: the least of them, 0 if one is not led. */
static int64_t remaining_ns(const struct lock *lock)
{
    int64_t least_ns = INT64_MAX;
    for (size_t i = 0; i < lock->role_count; i++) {
        int64_t ns = diskarch_remaining_ns(lock->roles[i].handle, NULL);
        least_ns = ns < least_ns ? ns : least_ns;
    }
    return least_ns;
}

/* The first deadline starts the command: it is not told before it leaves time to run. */
static void deadline_tell(struct run *run)
{
    const struct lock *lock = run->lock;
    struct clock_reading read = clock_read(); /* before the question: the guard's idea of the end is never later */
    int64_t left_ns = remaining_ns(lock);
    if (!run->has_deadline && left_ns <= lock->grace_ns + lock->margin_ns) {
        return;
    }
    run->has_deadline = true;
    guard_link_deadline(&run->link, read, left_ns);
}

/* A command that does not run yet is not going to: without its parent's end of the descriptor the guard gives up. */
static void command_cancel(struct run *run)
{
    guard_link_close(&run->link);
    run->is_gone = true;
}

static void leadership_lost(struct run *run)
{
    run->is_lost = true;
    if (run->has_deadline) {
        guard_link_deadline(&run->link, clock_read(), 0);
    } else {
        command_cancel(run);
    }
}

/* A command that has ended by itself keeps its exit code: letting go is what follows anyway. */
static void leadership_ordered(struct run *run)
{
    run->is_ordered = run->is_ordered || !run->has_exited;
    if (!run->has_deadline) {
        command_cancel(run);
    }
}

/* ---- What the library says --------------------------------------------------------------------------------------- */

/* Of the node: the disks that its lease rests on. */
static void node_event_take(const struct lock *lock, const struct diskarch_event *event)
{
    if (event->kind == DISKARCH_DISK && lock->is_verbose) {
        struct diskarch_disk_status disk = {.index = event->disk};
        disk_of_node(lock->node, event->disk, &disk);
        complain("%s", disk_words(&disk));
    }
}

static void event_take(struct run *run, const struct diskarch_event *event)
{
    struct lock *lock = run->lock;
    struct lock_role *role = lock_role_of(lock, event);
    if (role == NULL) {
        node_event_take(lock, event);
        return;
    }
    const char *name = escaped(role->name);
    if (event->kind == DISKARCH_LOST) {
        complain("leadership of role \"%s\", epoch %" PRIu64 ", was lost: %s", name, event->epoch,
                 escaped(event->text));
        diskarch_resign(role->handle); /* nothing is led; only the campaign must not go on */
        leadership_lost(run);
    } else if (lock_must_let_go(lock, role, event)) {
        leadership_ordered(run);
    } else if (event->kind == DISKARCH_AT_RISK && lock->is_verbose) {
        complain("role \"%s\" is at risk: less than half of the lease is left", name);
    } else if (event->kind == DISKARCH_SAFE && lock->is_verbose) {
        complain("role \"%s\" is safe again", name);
    }
}

static void events_take(struct run *run)
{
    struct diskarch_event event = {.size = sizeof(event)};
    while (!run->is_gone && diskarch_dispatch(run->lock->node, &event) == 1) {
        event_take(run, &event);
    }
}

/* ---- What the guard says ----------------------------------------------------------------------------------------- */

static void message_take(struct run *run, const struct guard_message *message)
{
    switch (message->kind) {
    case GUARD_REFUSED:
        run->exec_error = message->number;
        break;
    case GUARD_CONTINUED:
        complain("the command cannot be suspended: the lease would end; run a shell, and suspend what runs inside it");
        break;
    case GUARD_STOPPING:
        if (message->number == GUARD_CAUSE_LEASE && !run->is_lost) {
            run->is_lost = true;
            complain("the lease is about to end without a renewal, so the command is stopped; look for disks that "
                     "hang, for a stopped process or a starved processor");
        } else if (message->number == GUARD_CAUSE_LEFTOVER && run->lock->is_verbose) {
            complain("the command has ended; the processes it left behind are stopped");
        }
        break;
    case GUARD_STUCK:
        complain(
            "process %d survives SIGKILL, most likely in the kernel waiting for a disk; its role stays held until it "
            "is gone or the lease ends",
            message->number);
        break;
    case GUARD_EXITED:
        run->has_exited = true;
        break;
    case GUARD_GONE:
        run->wait_status = message->number;
        run->is_gone = true;
        break;
    default:
        break;
    }
}

/* The guard's death is its last message. Its command died with it, and what else it guarded is now our child. */
static void guard_died(struct run *run)
{
    complain("the guard was killed, so the command is killed too; nothing but `diskarch lock` should stop a guard");
    run->is_unguarded = true;
    struct process_tree tree = {.count = 0};
    while (!process_tree_reap(&run->link.guard, &run->wait_status)) {
        process_tree_kill(&tree);
        (void)poll(NULL, 0, KILL_PAUSE_MS);
    }
    process_tree_done(&tree);
    run->is_gone = true;
}

static void messages_take(struct run *run)
{
    struct guard_message message;
    int status = 0;
    while (!run->is_gone && (status = guard_link_receive(&run->link, &message)) == 1) {
        message_take(run, &message);
    }
    if (!run->is_gone && status < 0) {
        guard_died(run);
    }
}

/* ---- What the terminal and others say ---------------------------------------------------------------------------- */

/*
 * What the terminal sends, it sends to the whole foreground group, the command included: only what was sent to us alone
 * is passed on. Control-Z is undone by the guard, as a stopped command could not be told when its time is up.
 */
static void signals_forward(struct run *run)
{
    bool is_terminal;
    int signal;
    while ((signal = signals_take(run->lock->signal_fd, &is_terminal)) != 0) {
        bool is_for_command = signal != SIGCHLD && signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU;
        if (is_for_command && !is_terminal) {
            guard_link_signal(&run->link, signal);
        }
    }
}

/* ---- The loop ---------------------------------------------------------------------------------------------------- */

static void run_loop(struct run *run)
{
    /* Twice in each renewal interval: the guard learns of a renewal half an interval late at most. */
    int pause_ms = (int)(run->lock->renew_ns / 2 / NS_PER_MS);
    while (!run->is_gone) {
        if (!run->is_lost) {
            deadline_tell(run);
        }
        if (run->is_ordered) {
            guard_link_stop(&run->link);
        }
        struct pollfd sources[] = {{.fd = diskarch_fd(run->lock->node), .events = POLLIN},
                                   {.fd = run->lock->signal_fd, .events = POLLIN},
                                   {.fd = run->link.control_fd, .events = POLLIN}};
        (void)poll(sources, 3, pause_ms > 0 ? pause_ms : 1);
        events_take(run);
        signals_forward(run);
        messages_take(run);
    }
}

static int run_exit_code(const struct run *run)
{
    if (run->is_unguarded) {
        return EXIT_CODE_GUARD;
    }
    if (run->is_lost) {
        return EXIT_CODE_LOST;
    }
    if (run->is_ordered) {
        return EXIT_CODE_GAVE_WAY;
    }
    if (run->exec_error != 0) {
        complain("command \"%s\": %s; check its name and its permissions", escaped(run->lock->command[0]),
                 strerror(run->exec_error));
        return run->exec_error == ENOENT ? EXIT_CODE_NOT_FOUND : EXIT_CODE_CANNOT_EXECUTE;
    }
    return WIFSIGNALED(run->wait_status) ? EXIT_CODE_SIGNAL + WTERMSIG(run->wait_status)
                                         : WEXITSTATUS(run->wait_status);
}

int lock_run(struct lock *lock)
{
    struct run run = {.lock = lock};
    int status = guard_link_open(lock->guard_path, lock->grace_ns, lock->margin_ns, lock->command, &run.link);
    if (status != 0) {
        complain("guard %s cannot be started: %s; check the installation", escaped(lock->guard_path),
                 strerror(-status));
        return EXIT_CODE_GUARD;
    }
    run_loop(&run);
    int code = run_exit_code(&run);
    guard_link_close(&run.link);
    int guard_status;
    (void)process_tree_reap(&run.link.guard, &guard_status);
    return code;
}
