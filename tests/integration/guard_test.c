/*
 * The guard by itself: whatever the command does, nothing of it outlives the lease, and a command that behaves notices
 * no guard at all. Usage: guard_test GUARD
 *
 * Every process of a tree inherits one end of a pipe; only when the last of them is gone does the other end read
 * end-of-file. That is how these tests know, without looking for processes, that nothing was left behind.
 */
#include "guard_driver.h"

#include "runtime/clock.h"

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *guard_path;

enum { LONG_MS = 600 * 1000, GRACE_MS = 300, MARGIN_MS = 1000, LEASE_MS = 2500 };

/* Scripts tell on this pipe that they are set up, so that no test acts before. */
static int ready_pipe[2];

static void ready_wait(void)
{
    char byte;
    CHECK(read(ready_pipe[0], &byte, 1) == 1);
}

/* Scripts say `$READY` where they are set up. */
static void ready_open(void)
{
    CHECK(pipe(ready_pipe) == 0);
    char text[64];
    snprintf(text, sizeof(text), "echo >&%d", dup2(ready_pipe[1], 9));
    CHECK(setenv("READY", text, 1) == 0);
}

/* Runs the script on a short lease that nobody renews: everything must be gone before the lease ends. */
static void expect_gone_with_lease(const char *script)
{
    struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, script);
    struct clock_reading begun = clock_read();
    driver_deadline(&driver, LEASE_MS);
    ready_wait();
    CHECK(driver_expect(&driver, GUARD_STOPPING).number == GUARD_CAUSE_LEASE);
    driver_expect(&driver, GUARD_GONE);
    driver_finish(&driver);
    CHECK(clock_larger_difference_ns(begun, clock_read()) < (int64_t)LEASE_MS * 1000000);
}

/* Runs the script on a long lease and lets the control descriptor end. */
static void expect_gone_with_parent(const char *script)
{
    struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, script);
    driver_deadline(&driver, LONG_MS);
    ready_wait();
    CHECK(driver_is_alive(&driver));
    close(driver.control_fd);
    driver_wait_gone(&driver);
    int status = -1;
    CHECK(waitpid(driver.guard, &status, 0) == driver.guard && status == 0);
    close(driver.alive_fd);
}

static const char *const scripts[] = {
    "sleep 1000 & eval $READY; wait",                                           /* a worker of a shell */
    "setsid sh -c 'eval $READY; sleep 1000' & wait",                            /* its own session */
    "setsid -f sh -c 'setsid -f sleep 1000; eval $READY'; sleep 1000",          /* forked twice, without parents */
    "trap '' TERM HUP INT; sh -c 'sleep 1000 & eval $READY; wait; sleep 1000'", /* deaf to SIGTERM, children too */
    "eval $READY; kill -STOP $$",                                               /* stopped */
    "sh -c 'eval $READY; kill -STOP $$' & wait",                                /* its child stopped */
    "(while :; do sleep 0.01 & done) & eval $READY; wait",                      /* forks without end */
};

static void test_lease_end_stops_everything(void)
{
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        expect_gone_with_lease(scripts[i]);
    }
}

static void test_parents_death_stops_everything(void)
{
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        expect_gone_with_parent(scripts[i]);
    }
}

/* A parent that is stopped neither renews nor goes away: the guard's own timer must do. */
static void test_stopped_parent_cannot_hold_the_guard_back(void)
{
    int alive[2];
    CHECK(pipe(alive) == 0);
    pid_t parent = fork();
    CHECK(parent >= 0);
    if (parent == 0) {
        close(alive[0]);
        struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, "eval $READY; sleep 1000");
        close(alive[1]);
        driver_deadline(&driver, LEASE_MS);
        raise(SIGSTOP);
        driver_expect(&driver, GUARD_GONE);
        driver_finish(&driver);
        _exit(0);
    }
    close(alive[1]);
    ready_wait();
    int status = -1;
    CHECK(waitpid(parent, &status, WUNTRACED) == parent && WIFSTOPPED(status));
    char byte;
    CHECK(read(alive[0], &byte, 1) == 0);
    close(alive[0]);
    kill(parent, SIGCONT);
    CHECK(waitpid(parent, &status, 0) == parent && status == 0);
}

static void test_killed_guard_takes_the_command_with_it(void)
{
    struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, "eval $READY; exec sleep 1000");
    driver_deadline(&driver, LONG_MS);
    ready_wait();
    kill(driver.guard, SIGKILL);
    driver_wait_gone(&driver);
    CHECK(waitpid(driver.guard, NULL, 0) == driver.guard);
    close(driver.control_fd);
    close(driver.alive_fd);
}

static void test_only_sigkill_reaches_the_guard(void)
{
    struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, "eval $READY; exec sleep 1000");
    driver_deadline(&driver, LONG_MS);
    ready_wait();
    const int deaf_to[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGTSTP, SIGTTIN, SIGPIPE};
    for (size_t i = 0; i < sizeof(deaf_to) / sizeof(deaf_to[0]); i++) {
        kill(driver.guard, deaf_to[i]);
    }
    CHECK(driver_is_alive(&driver));
    driver_order(&driver, GUARD_SIGNAL, SIGTERM);
    CHECK(driver_expect(&driver, GUARD_GONE).number == SIGTERM);
    driver_finish(&driver);
}

static int status_of(const char *script)
{
    struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, script);
    driver_deadline(&driver, LONG_MS);
    int status = driver_expect(&driver, GUARD_GONE).number;
    driver_finish(&driver);
    return status;
}

static void test_end_of_the_command_is_reported(void)
{
    CHECK(WEXITSTATUS(status_of("exit 0")) == 0);
    CHECK(WEXITSTATUS(status_of("exit 7")) == 7);
    CHECK(WTERMSIG(status_of("kill -USR1 $$")) == SIGUSR1);
    CHECK(WTERMSIG(status_of("kill -KILL $$")) == SIGKILL);
}

static void test_command_that_cannot_be_executed(void)
{
    char *const missing[] = {(char[]){"/nonexistent/command"}, NULL};
    struct guard_driver driver = driver_start_command(guard_path, GRACE_MS, MARGIN_MS, missing);
    driver_deadline(&driver, LONG_MS);
    CHECK(driver_expect(&driver, GUARD_REFUSED).number == ENOENT);
    driver_expect(&driver, GUARD_GONE);
    driver_finish(&driver);

    char *const folder[] = {(char[]){"/"}, NULL};
    driver = driver_start_command(guard_path, GRACE_MS, MARGIN_MS, folder);
    driver_deadline(&driver, LONG_MS);
    CHECK(driver_expect(&driver, GUARD_REFUSED).number == EACCES);
    driver_expect(&driver, GUARD_GONE);
    driver_finish(&driver);
}

/* Rule N6: whoever resigns when the command has ended must know that nothing of it works on. */
static void test_leftovers_are_stopped_before_gone(void)
{
    struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, "setsid sleep 1000 & exit 3");
    driver_deadline(&driver, LONG_MS);
    CHECK(WEXITSTATUS(driver_expect(&driver, GUARD_EXITED).number) == 3);
    CHECK(driver_expect(&driver, GUARD_STOPPING).number == GUARD_CAUSE_LEFTOVER);
    CHECK(WEXITSTATUS(driver_expect(&driver, GUARD_GONE).number) == 3);
    driver_finish(&driver);
}

static void test_order_to_stop_leaves_grace(void)
{
    struct guard_driver driver = driver_start(guard_path, LONG_MS / 4, MARGIN_MS,
                                              "trap 'exit 3' TERM; eval $READY; while :; do sleep 0.01; done");
    driver_deadline(&driver, LONG_MS);
    ready_wait();
    driver_order(&driver, GUARD_STOP, 0);
    CHECK(driver_expect(&driver, GUARD_STOPPING).number == GUARD_CAUSE_ORDER);
    CHECK(WEXITSTATUS(driver_expect(&driver, GUARD_GONE).number) == 3);
    driver_finish(&driver);
}

/* A lost leadership is told as a deadline of zero: there is no time for grace. */
static void test_deadline_of_zero_kills(void)
{
    struct guard_driver driver =
        driver_start(guard_path, LONG_MS, MARGIN_MS, "trap '' TERM; eval $READY; while :; do sleep 0.01; done");
    driver_deadline(&driver, 4 * LONG_MS);
    ready_wait();
    driver_deadline(&driver, 0);
    CHECK(WTERMSIG(driver_expect(&driver, GUARD_GONE).number) == SIGKILL);
    driver_finish(&driver);
}

static void test_renewals_keep_it_running(void)
{
    struct guard_driver driver =
        driver_start(guard_path, GRACE_MS, MARGIN_MS, "trap 'exit 6' USR1; eval $READY; while :; do sleep 0.01; done");
    driver_deadline(&driver, LEASE_MS);
    ready_wait();
    for (int passed_ms = 0; passed_ms < 2 * LEASE_MS; passed_ms += 100) {
        usleep(100 * 1000);
        driver_deadline(&driver, LEASE_MS);
    }
    driver_order(&driver, GUARD_SIGNAL, SIGUSR1);
    CHECK(WEXITSTATUS(driver_expect(&driver, GUARD_GONE).number) == 6);
    driver_finish(&driver);
}

static void test_nothing_runs_without_a_deadline(void)
{
    struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, "eval $READY; sleep 1000");
    close(driver.control_fd);
    driver_wait_gone(&driver);
    int status = -1;
    CHECK(waitpid(driver.guard, &status, 0) == driver.guard && status == 0);
    close(driver.alive_fd);
}

/* ---- Streams and terminal ---------------------------------------------------------------------------------------- */

static void test_streams_are_the_commands(void)
{
    int input[2];
    int output[2];
    CHECK(pipe(input) == 0 && pipe(output) == 0);
    pid_t parent = fork();
    CHECK(parent >= 0);
    if (parent == 0) {
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, "read line; echo got $line");
        driver_deadline(&driver, LONG_MS);
        driver_expect(&driver, GUARD_GONE);
        driver_finish(&driver);
        _exit(0);
    }
    CHECK(write(input[1], "this\n", 5) == 5);
    char text[16] = "";
    CHECK(read(output[0], text, sizeof(text)) == 9 && memcmp(text, "got this\n", 9) == 0);
    int status = -1;
    CHECK(waitpid(parent, &status, 0) == parent && status == 0);
    for (int i = 0; i < 2; i++) {
        close(input[i]);
        close(output[i]);
    }
}

/* Reads the terminal until the text has come. */
static void terminal_expect(int terminal, const char *text)
{
    char seen[4096] = "";
    size_t length = 0;
    while (strstr(seen, text) == NULL) {
        CHECK(length + 1 < sizeof(seen));
        ssize_t bytes = read(terminal, seen + length, sizeof(seen) - 1 - length);
        CHECK(bytes > 0);
        length += (size_t)bytes;
        seen[length] = '\0';
    }
}

/* Job control as `diskarch lock` sets it up: it blocks what the terminal sends, the command gets it. */
static void terminal_parent(const char *script)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    struct guard_driver driver = driver_start(guard_path, GRACE_MS, MARGIN_MS, script);
    driver_deadline(&driver, LONG_MS);
    driver_expect(&driver, GUARD_CONTINUED);
    CHECK(write(STDOUT_FILENO, "continued", 9) == 9);
    int status = driver_expect(&driver, GUARD_GONE).number;
    driver_finish(&driver);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void test_terminal_belongs_to_the_command(void)
{
    int terminal;
    pid_t parent = forkpty(&terminal, NULL, NULL, NULL);
    CHECK(parent >= 0);
    if (parent == 0) {
        terminal_parent("trap 'echo interrupted; exit 9' INT; test -t 0 && read line && echo got $line; read line");
    }
    CHECK(write(terminal, "this\n", 5) == 5);
    terminal_expect(terminal, "got this");
    CHECK(write(terminal, "\x1a", 1) == 1); /* control-Z: not to be suspended */
    terminal_expect(terminal, "^Zcontinued");
    CHECK(write(terminal, "\x03", 1) == 1); /* control-C: for the command alone */
    terminal_expect(terminal, "interrupted");
    int status = -1;
    CHECK(waitpid(parent, &status, 0) == parent);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
    close(terminal);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    guard_path = argv[1];
    ready_open();
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"end of the command is reported", test_end_of_the_command_is_reported},
        {"command that cannot be executed", test_command_that_cannot_be_executed},
        {"nothing runs without a deadline", test_nothing_runs_without_a_deadline},
        {"lease end stops everything", test_lease_end_stops_everything},
        {"parent's death stops everything", test_parents_death_stops_everything},
        {"stopped parent cannot hold the guard back", test_stopped_parent_cannot_hold_the_guard_back},
        {"killed guard takes the command with it", test_killed_guard_takes_the_command_with_it},
        {"only SIGKILL reaches the guard", test_only_sigkill_reaches_the_guard},
        {"leftovers are stopped before gone", test_leftovers_are_stopped_before_gone},
        {"order to stop leaves grace", test_order_to_stop_leaves_grace},
        {"deadline of zero kills", test_deadline_of_zero_kills},
        {"renewals keep it running", test_renewals_keep_it_running},
        {"streams are the command's", test_streams_are_the_commands},
        {"terminal belongs to the command", test_terminal_belongs_to_the_command},
    };
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        tests[i].run();
        printf("ok: %s\n", tests[i].name);
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
