/* The caretaker shares memory and nothing else, is seen by nobody, and goes when its time has come. */
#include "disk/caretaker.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct caretaker caretaker;

static void begin(void)
{
    const char *what = "";
    cr_assert_eq(caretaker_begin(&caretaker, &what), 0, "%s", what);
    cr_assert_gt(caretaker.pid, 0);
}

/* Gone, or dead and not collected yet. */
static bool is_over(pid_t pid)
{
    char path[64];
    char state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
            state = 'Z';
        }
        fclose(file);
    }
    return state == 'Z';
}

/* ctest ends what never comes. */
static void wait_until_over(pid_t pid)
{
    while (!is_over(pid)) {
        usleep(1000);
    }
}

Test(caretaker, goes_when_told)
{
    for (int i = 0; i < 100; i++) {
        begin();
        pid_t pid = caretaker.pid;
        caretaker_end(&caretaker);
        cr_assert_eq(kill(pid, 0), -1, "it is not even left as a zombie");
        cr_assert_eq(errno, ESRCH);
    }
    caretaker_end(&caretaker);
}

Test(caretaker, is_not_seen_by_wait)
{
    begin();
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
    cr_expect_eq(errno, ECHILD);
    caretaker_end(&caretaker);
}

Test(caretaker, does_not_heed_signals_for_everybody)
{
    begin();
    kill(caretaker.pid, SIGTERM);
    kill(caretaker.pid, SIGINT);
    kill(caretaker.pid, SIGHUP);
    usleep(20000);
    cr_expect_not(is_over(caretaker.pid));
    caretaker_end(&caretaker);
}

/* What was open when it began does not stay open because of it. */
Test(caretaker, holds_no_descriptor)
{
    int line[2];
    cr_assert_eq(pipe(line), 0);
    begin();
    close(line[1]);
    struct pollfd end = {.fd = line[0], .events = POLLIN};
    while (end.revents == 0) {
        cr_assert_geq(poll(&end, 1, -1), 0);
    }
    cr_expect(end.revents & POLLHUP);
    close(line[0]);
    caretaker_end(&caretaker);
}

static void *begin_in_thread(void *argument)
{
    (void)argument;
    begin();
    return NULL;
}

/* It runs with the thread pointer of the thread that began it, and must not need it. */
Test(caretaker, outlives_the_thread_that_began_it)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    /* Too large for the cache of stacks: unmapped as soon as the thread has ended. */
    cr_assert_eq(pthread_attr_setstacksize(&attributes, 64 << 20), 0);
    cr_assert_eq(pthread_create(&thread, &attributes, begin_in_thread, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect_not(is_over(caretaker.pid));
    pid_t pid = caretaker.pid;
    int status = -1;
    ssize_t written = write(caretaker.line[1], "", 1);
    cr_assert_eq(written, 1);
    cr_assert_eq(waitpid(pid, &status, (int)__WCLONE), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}

Test(caretaker, of_the_parent_is_left_alone_by_a_forked_child)
{
    begin();
    pid_t child = fork();
    if (child == 0) {
        caretaker_end(&caretaker);
        _exit(0);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    usleep(20000);
    cr_expect_not(is_over(caretaker.pid));
    caretaker_end(&caretaker);
}

/* Begins one in a process of its own, which tells its number and goes on with `then`. */
static pid_t begin_elsewhere(void (*then)(void), pid_t *ret_process)
{
    int line[2];
    pid_t pid = 0;
    cr_assert_eq(pipe(line), 0);
    *ret_process = fork();
    if (*ret_process == 0) {
        begin();
        if (write(line[1], &caretaker.pid, sizeof pid) == (ssize_t)sizeof pid) {
            close(line[1]);
            then();
        }
        _exit(111);
    }
    close(line[1]);
    cr_assert_eq(read(line[0], &pid, sizeof pid), (ssize_t)sizeof pid);
    close(line[0]);
    return pid;
}

static void sleep_for_ever(void)
{
    for (;;) {
        pause();
    }
}

static void become_another(void)
{
    execl("/bin/sleep", "sleep", "1000", (char *)NULL);
}

Test(caretaker, goes_when_its_process_is_killed)
{
    pid_t process;
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    pid_t pid = begin_elsewhere(sleep_for_ever, &process);
    kill(process, SIGKILL);
    cr_assert_eq(waitpid(process, NULL, 0), process);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(caretaker, goes_when_its_process_becomes_another_program)
{
    pid_t process;
    pid_t pid = begin_elsewhere(become_another, &process);
    wait_until_over(pid);
    cr_expect_eq(kill(process, 0), 0);
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
}
