#include "guard.h"

#include "block/limits.h"
#include "command.h"
#include "common/guard_protocol.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between two rounds of SIGKILL: at first as fast as processes die, later seldom, for what hangs in the kernel. */
#define KILL_PAUSE_FIRST_NS (2 * NS_PER_MS)
#define KILL_PAUSE_LAST_NS (200 * NS_PER_MS)

/* What has not gone so long after SIGKILL is stuck in the kernel. */
#define STUCK_AFTER_NS NS_PER_S

#define SLEEP_SHORTEST_NS NS_PER_MS

/* ---- Becoming a guard -------------------------------------------------------------------------------------------- */

/*
 * A starved guard is a late guard. Real time is taken only from an ordinary priority, because SCHED_RESET_ON_FORK then
 * gives the command exactly what it would have had without a guard. Where it is refused, the margin has to do.
 */
static void priority_raise(void)
{
    if (sched_getscheduler(0) == SCHED_OTHER && getpriority(PRIO_PROCESS, 0) >= 0) {
        struct sched_param parameter = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
        (void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter);
    }
}

/* Nothing but SIGKILL and SIGSTOP reaches the guard; only the end of a child is read. */
static int signals_take(int *ret_fd)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* If it was inherited as ignored, the kernel would reap the children and their wait statuses would be lost. */
    signal(SIGCHLD, SIG_DFL);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    *ret_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret_fd < 0 ? -errno : 0;
}

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

int guard_open(const struct guard_options *options, struct guard *ret)
{
    *ret =
        (struct guard){.phase = GUARD_WAITING, .options = *options, .signal_fd = -1, .timer_fd = -1, .result_fd = -1};
    int status = signals_take(&ret->signal_fd);
    if (status != 0) {
        return status;
    }
    /* A group of its own: what is sent to the parent's group, from a terminal or by a shell, does not stop the guard
     * too. */
    ret->command_group = has_terminal() ? getpgrp() : 0;
    if (setpgid(0, 0) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 ||
        fcntl(options->control_fd, F_SETFD, FD_CLOEXEC) != 0) {
        goto failed;
    }
    /* Of the two clocks this is the one that wakes the guard after a suspend; how much time has passed is judged by
     * both. */
    ret->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (ret->timer_fd < 0) {
        goto failed;
    }
    /* The scan makes its room before memory is locked. What is mapped later is not: beyond the limit it could not be
     * had. */
    process_tree_scan(&ret->tree);
    (void)mlockall(MCL_CURRENT);
    priority_raise();
    turn_clock_init(&ret->clock, clock_read());
    return 0;

failed:
    status = -errno;
    guard_close(ret);
    return status;
}

void guard_close(struct guard *guard)
{
    if (guard->signal_fd >= 0) {
        close(guard->signal_fd);
    }
    if (guard->timer_fd >= 0) {
        close(guard->timer_fd);
    }
    if (guard->result_fd >= 0) {
        close(guard->result_fd);
    }
    process_tree_done(&guard->tree);
}

/* ---- Talking to the parent --------------------------------------------------------------------------------------- */

/* Never waits: a parent that does not listen must not hold the guard back. GUARD_GONE it also learns from the
 * guard's end. */
static void parent_tell(const struct guard *guard, enum guard_message_kind kind, int number)
{
    struct guard_message message = {.kind = kind, .number = number};
    (void)send(guard->options.control_fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void stop_begin(struct guard *guard, enum guard_cause cause)
{
    assert(guard->phase == GUARD_RUNNING);
    guard->phase = GUARD_TERMINATING;
    guard->stop_begun_ns = guard->clock.fast_ns;
    process_tree_terminate(&guard->tree);
    parent_tell(guard, GUARD_STOPPING, (int)cause);
}

static void command_begin(struct guard *guard)
{
    guard->phase = GUARD_RUNNING;
    int status = command_start(guard->options.command, guard->command_group, &guard->command, &guard->result_fd);
    if (status != 0) {
        parent_tell(guard, GUARD_REFUSED, -status);
    }
}

static void result_take(struct guard *guard)
{
    int status = command_result(guard->result_fd);
    guard->result_fd = -1;
    if (status == 0) {
        parent_tell(guard, GUARD_STARTED, (int)guard->command);
    } else {
        parent_tell(guard, GUARD_REFUSED, -status);
    }
}

/*
 * The parent read its clocks before it asked how much was left, so the lease ends no earlier than that reading plus
 * what was left; what has passed since is taken by the faster clock.
 */
static void deadline_take(struct guard *guard, const struct guard_message *message)
{
    struct clock_reading then = {.boot_ns = message->boot_ns, .raw_ns = message->raw_ns};
    int64_t passed_ns = clock_larger_difference_ns(then, guard->clock.last);
    guard->lease_end_ns = guard->clock.fast_ns - passed_ns + message->remaining_ns;
    if (guard->phase == GUARD_WAITING) {
        command_begin(guard);
    }
}

static void order_take(struct guard *guard, const struct guard_message *message)
{
    switch (message->kind) {
    case GUARD_DEADLINE:
        deadline_take(guard, message);
        break;
    case GUARD_SIGNAL:
        if (guard->command != 0) {
            kill(guard->command, message->number); /* our child, not yet waited for: the pid cannot be another's */
        }
        break;
    case GUARD_STOP:
        if (guard->phase == GUARD_RUNNING) {
            stop_begin(guard, GUARD_CAUSE_ORDER);
        }
        break;
    default:
        break;
    }
}

static void orders_take(struct guard *guard)
{
    while (!guard->is_orphan) {
        struct guard_message message;
        ssize_t bytes = recv(guard->options.control_fd, &message, sizeof(message), MSG_DONTWAIT);
        if (bytes == (ssize_t)sizeof(message)) {
            order_take(guard, &message);
        } else if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        } else if (bytes <= 0) {
            guard->is_orphan = true;
        }
    }
}

/* ---- Judging ----------------------------------------------------------------------------------------------------- */

static int64_t lease_kill_ns(const struct guard *guard)
{
    return guard->lease_end_ns - guard->options.margin_ns;
}

static int64_t lease_stop_ns(const struct guard *guard)
{
    return lease_kill_ns(guard) - guard->options.grace_ns;
}

/* The grace may be cut short by the end of the lease, never the other way round. */
static int64_t kill_due_ns(const struct guard *guard)
{
    int64_t grace_end_ns = guard->stop_begun_ns + guard->options.grace_ns;
    return grace_end_ns < lease_kill_ns(guard) ? grace_end_ns : lease_kill_ns(guard);
}

static void judge_running(struct guard *guard)
{
    if (guard->is_orphan) {
        stop_begin(guard, GUARD_CAUSE_ORPHAN);
    } else if (guard->clock.fast_ns >= lease_stop_ns(guard)) {
        stop_begin(guard, GUARD_CAUSE_LEASE);
    } else if (guard->command == 0) {
        stop_begin(guard, GUARD_CAUSE_LEFTOVER);
    }
}

static void judge_killing(struct guard *guard)
{
    process_tree_kill(&guard->tree);
    if (!guard->is_stuck_told && guard->clock.fast_ns - guard->kill_begun_ns >= STUCK_AFTER_NS) {
        guard->is_stuck_told = true;
        parent_tell(guard, GUARD_STUCK, guard->tree.count > 0 ? (int)guard->tree.processes[0].pid : 0);
    }
}

/*
 * A command cannot be suspended from the terminal: its shell waits for `diskarch lock`, which goes on renewing the lease
 * and cannot stop, so the terminal would hang. SIGSTOP, which somebody sent on purpose, is respected.
 */
static void suspension_undo(const struct guard *guard)
{
    siginfo_t info = {0};
    bool is_stopped =
        guard->command != 0 && waitid(P_PID, (id_t)guard->command, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid != 0;
    pid_t group = is_stopped ? getpgid(guard->command) : 0;
    if (group > 1 && info.si_status == SIGTSTP) {
        kill(-group, SIGCONT); /* all of it: the terminal has stopped all of it */
        parent_tell(guard, GUARD_CONTINUED, (int)guard->command);
    }
}

static void children_take(struct guard *guard)
{
    struct signalfd_siginfo info;
    while (read(guard->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
    }
    suspension_undo(guard);
    bool had_command = guard->command != 0;
    bool is_gone = process_tree_reap(&guard->command, &guard->command_status);
    if (had_command && guard->command == 0) {
        parent_tell(guard, GUARD_EXITED, guard->command_status);
    }
    if (is_gone && guard->phase != GUARD_WAITING) {
        guard->phase = GUARD_FINISHED;
        parent_tell(guard, GUARD_GONE, guard->command_status);
    }
}

static void judge(struct guard *guard)
{
    children_take(guard);
    if (guard->phase == GUARD_WAITING && guard->is_orphan) {
        guard->phase = GUARD_FINISHED;
    }
    if (guard->phase == GUARD_RUNNING) {
        judge_running(guard);
    }
    if (guard->phase == GUARD_TERMINATING && guard->clock.fast_ns >= kill_due_ns(guard)) {
        guard->phase = GUARD_KILLING;
        guard->kill_begun_ns = guard->clock.fast_ns;
    }
    if (guard->phase == GUARD_KILLING) {
        judge_killing(guard);
    }
}

/* ---- Sleeping ---------------------------------------------------------------------------------------------------- */

/* 7/8 of the way: the timer's clock may run slower than the one that counts, and each waking judges anew. */
static int64_t sleep_towards_ns(const struct guard *guard, int64_t due_ns)
{
    int64_t left_ns = due_ns - guard->clock.fast_ns;
    int64_t sleep_ns = left_ns - left_ns / 8;
    return sleep_ns < SLEEP_SHORTEST_NS ? SLEEP_SHORTEST_NS : sleep_ns;
}

static int64_t kill_pause_ns(const struct guard *guard)
{
    int64_t pause_ns = (guard->clock.fast_ns - guard->kill_begun_ns) / 8;
    if (pause_ns < KILL_PAUSE_FIRST_NS) {
        return KILL_PAUSE_FIRST_NS;
    }
    return pause_ns > KILL_PAUSE_LAST_NS ? KILL_PAUSE_LAST_NS : pause_ns;
}

/* 0: until somebody says something. */
static int64_t sleep_ns(const struct guard *guard)
{
    switch (guard->phase) {
    case GUARD_RUNNING:
        return sleep_towards_ns(guard, lease_stop_ns(guard));
    case GUARD_TERMINATING:
        return sleep_towards_ns(guard, kill_due_ns(guard));
    case GUARD_KILLING:
        return kill_pause_ns(guard);
    case GUARD_WAITING:
    case GUARD_FINISHED:
        break;
    }
    return 0;
}

/* What was done since the turn began may have taken a while: the clocks are read once more. */
static void guard_sleep(struct guard *guard)
{
    turn_clock_advance(&guard->clock, clock_read());
    int64_t wait_ns = sleep_ns(guard);
    struct itimerspec when = {.it_value = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S}};
    int status = timerfd_settime(guard->timer_fd, 0, &when, NULL); /* also forgets an expiry not yet read */
    assert(status == 0);
    (void)status;
    struct pollfd sources[] = {
        {.fd = guard->timer_fd, .events = POLLIN},
        {.fd = guard->signal_fd, .events = POLLIN},
        {.fd = guard->is_orphan ? -1 : guard->options.control_fd, .events = POLLIN},
        {.fd = guard->result_fd, .events = POLLIN},
    };
    if (poll(sources, sizeof(sources) / sizeof(sources[0]), -1) > 0 && sources[3].revents != 0) {
        result_take(guard);
    }
}

void guard_run(struct guard *guard)
{
    while (guard->phase != GUARD_FINISHED) {
        turn_clock_advance(&guard->clock, clock_read());
        orders_take(guard);
        judge(guard);
        if (guard->phase != GUARD_FINISHED) {
            guard_sleep(guard);
        }
    }
}
