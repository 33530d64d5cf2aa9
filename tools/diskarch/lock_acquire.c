/*
 * Taking the roles of `diskarch lock`. They are taken one after the other, in the order of their names: two commands
 * that want the same two roles then never hold one each and wait for the other. When one that was held is lost
 * meanwhile, everything is given back and begun anew, for the same reason.
 */
#include "block/limits.h"
#include "escape.h"
#include "lock.h"
#include "observe.h"
#include "report.h"
#include "runtime/clock.h"
#include "signals.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS_UP (NS_PER_MS - 1)

static int campaign_begin(struct lock *lock, struct lock_role *role)
{
    struct diskarch_role_options options = candidate_options(&lock->candidate);
    options.is_try = lock->is_try;
    int error = diskarch_campaign(lock->node, role->name, &options, &role->handle);
    if (error != 0) {
        complain("role \"%s\": %s", escaped(role->name), diskarch_error_string(error));
        return (int)exit_code_of_error(error);
    }
    return LOCK_GO_ON;
}

/* Begins the campaign for the first role not yet led, if it has not begun. */
static int campaign_next(struct lock *lock)
{
    for (size_t i = 0; i < lock->role_count; i++) {
        struct lock_role *role = &lock->roles[i];
        if (!role->is_led) {
            return role->handle == NULL ? campaign_begin(lock, role) : LOCK_GO_ON;
        }
    }
    return LOCK_GO_ON;
}

static void roles_give_back(struct lock *lock)
{
    for (size_t i = lock->role_count; i-- > 0;) {
        diskarch_role_free(lock->roles[i].handle);
        lock->roles[i].handle = NULL;
        lock->roles[i].is_led = false;
    }
}

static bool all_are_led(const struct lock *lock)
{
    for (size_t i = 0; i < lock->role_count; i++) {
        if (!lock->roles[i].is_led) {
            return false;
        }
    }
    return true;
}

/* Who holds it, under which epoch, and whether that node lives (rule N8): an observer watches for up to two
 * renewals. */
static void holder_explain(const struct lock *lock, const char *name)
{
    struct diskarch_observer *observer;
    if (lock->is_quiet || observe_open(&lock->line, &observer) != EXIT_CODE_OK) {
        return;
    }
    struct diskarch_role_status role;
    if (observe_watch(observer) == EXIT_CODE_OK && diskarch_observer_role(observer, name, &role) == 0) {
        complain("role \"%s\" was not acquired: it is %s; wait with -w, or ask for it by `diskarch request`",
                 escaped(name), observe_role_words(&role));
    } else {
        complain("role \"%s\" was not acquired: %s", escaped(name), escaped(diskarch_observer_message(observer)));
    }
    diskarch_observer_close(observer);
}

static int refused(const struct lock *lock, const struct lock_role *role, const struct diskarch_event *event)
{
    if (event->error == DISKARCH_EHELD) {
        holder_explain(lock, role->name);
        return lock->conflict_code;
    }
    complain("role \"%s\": %s", escaped(role->name), escaped(event->text));
    return (int)exit_code_of_error(event->error);
}

static int join_waits(const struct lock *lock, const struct diskarch_event *event)
{
    if (lock->is_try && event->error != 0) {
        complain("the node cannot join now: %s", escaped(event->text));
        return (int)exit_code_of_error(event->error);
    }
    if (!lock->is_quiet) {
        complain("%s: %s", event->error != 0 ? "waiting to join" : "warning", escaped(event->text));
    }
    return LOCK_GO_ON;
}

static int event_take(struct lock *lock, const struct diskarch_event *event)
{
    struct lock_role *role = lock_role_of(lock, event);
    if (role != NULL && lock_must_let_go(lock, role, event)) {
        return EXIT_CODE_GAVE_WAY;
    }
    switch (event->kind) {
    case DISKARCH_JOIN_WAITS:
        return join_waits(lock, event);
    case DISKARCH_CANDIDATE:
        if (lock->is_verbose && role != NULL) {
            complain("waiting for role \"%s\": held by %s, epoch %" PRIu64, escaped(role->name),
                     escaped(event->node_name), event->epoch);
        }
        return LOCK_GO_ON;
    case DISKARCH_LEADER:
        if (role != NULL) {
            role->is_led = true;
            role->epoch = event->epoch;
        }
        return LOCK_GO_ON;
    case DISKARCH_LOST:
        if (role != NULL) {
            roles_give_back(lock);
        }
        return LOCK_GO_ON;
    case DISKARCH_REFUSED:
        return role != NULL ? refused(lock, role, event) : LOCK_GO_ON;
    default:
        return LOCK_GO_ON;
    }
}

/* Until the time given by -w has passed on the slower clock: never sooner than was asked for. */
static int poll_timeout_ms(const struct lock *lock, const struct turn_clock *clock)
{
    if (lock->line.timeout_ns < 0) {
        return -1;
    }
    int64_t left_ns = lock->line.timeout_ns - clock->slow_ns;
    int64_t left_ms = left_ns <= 0 ? 0 : (left_ns + NS_PER_MS_UP) / NS_PER_MS;
    return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

static int events_take(struct lock *lock)
{
    struct diskarch_event event = {.size = sizeof(event)};
    int code = LOCK_GO_ON;
    while (code == LOCK_GO_ON && !all_are_led(lock) && diskarch_dispatch(lock->node, &event) == 1) {
        code = event_take(lock, &event);
    }
    return code == LOCK_GO_ON ? campaign_next(lock) : code;
}

/* Control-Z is taken and ignored: stopped, the node would lose its lease and its place. */
static int signal_take(const struct lock *lock)
{
    bool is_terminal;
    int signal = signals_take(lock->signal_fd, &is_terminal);
    bool is_end = signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM || signal == SIGALRM ||
                  signal == SIGUSR1 || signal == SIGUSR2;
    return is_end ? EXIT_CODE_SIGNAL + signal : LOCK_GO_ON;
}

int lock_acquire(struct lock *lock)
{
    struct turn_clock clock = {.last = clock_read()};
    int code = campaign_next(lock);
    while (code == LOCK_GO_ON && !all_are_led(lock)) {
        struct pollfd sources[] = {{.fd = diskarch_fd(lock->node), .events = POLLIN},
                                   {.fd = lock->signal_fd, .events = POLLIN}};
        (void)poll(sources, 2, poll_timeout_ms(lock, &clock));
        turn_clock_advance(&clock, clock_read());
        code = signal_take(lock);
        if (code == LOCK_GO_ON) {
            code = events_take(lock);
        }
        bool is_late = code == LOCK_GO_ON && !all_are_led(lock) && lock->line.timeout_ns >= 0 &&
                       clock.slow_ns >= lock->line.timeout_ns;
        if (is_late) {
            const struct lock_role *role = lock->roles;
            while (role->is_led) {
                role++;
            }
            holder_explain(lock, role->name);
            code = lock->conflict_code;
        }
    }
    return code;
}
