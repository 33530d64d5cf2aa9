#include "disk/caretaker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_BYTES = 65536 };

/* clone() by the other name that glibc has for it: the thread sanitizer takes the first for a fork of this process, and from
 * then on forbids it to have threads. */
int clone_unwatched(int (*entry)(void *), void *stack, int flags, void *argument, ...) __asm__("__clone");

/*
 * The caretaker's whole life. It runs on memory that is another process's, with the thread pointer of a thread that may end
 * before it: so it touches nothing but its own stack, and system calls that cannot fail here, because a failing one would
 * write errno into that thread's memory. They cannot: the owner has tried them, and every signal is blocked.
 * Instrumentation and stack protectors would look at that memory too.
 */
__attribute__((no_sanitize("address", "thread", "undefined"), no_stack_protector)) static int care(void *argument)
{
    const struct caretaker *caretaker = argument;
    struct pollfd ends[] = {{.fd = caretaker->process_fd, .events = POLLIN},
                            {.fd = caretaker->line[0], .events = POLLIN}};
    unsigned lower = (unsigned)(ends[0].fd < ends[1].fd ? ends[0].fd : ends[1].fd);
    unsigned upper = (unsigned)(ends[0].fd < ends[1].fd ? ends[1].fd : ends[0].fd);
    syscall(SYS_prctl, PR_SET_NAME, CARETAKER_NAME, 0, 0, 0);
    /* A signal to the owner's whole group, from a terminal or a shell, is not meant for the caretaker. */
    syscall(SYS_setsid);
    if (lower > 0) {
        syscall(SYS_close_range, 0U, lower - 1, 0U);
    }
    if (upper > lower + 1) {
        syscall(SYS_close_range, lower + 1, upper - 1, 0U);
    }
    syscall(SYS_close_range, upper + 1, ~0U, 0U);
    syscall(SYS_ppoll, ends, sizeof ends / sizeof ends[0], NULL, NULL, 0UL);
    return 0;
}

static int open_ends(struct caretaker *caretaker, const char **ret_what)
{
    /* Closes nothing; tells whether the caretaker will be able to. */
    if (syscall(SYS_close_range, ~0U, ~0U, 0) != 0) {
        *ret_what = "close_range";
        return -errno;
    }
    caretaker->process_fd = (int)syscall(SYS_pidfd_open, caretaker->owner, 0);
    if (caretaker->process_fd < 0) {
        *ret_what = "pidfd_open";
        return -errno;
    }
    if (pipe2(caretaker->line, O_CLOEXEC) != 0) {
        *ret_what = "pipe2";
        return -errno;
    }
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        *ret_what = "mmap";
        return -errno;
    }
    caretaker->stack = stack;
    return 0;
}

/* Without CLONE_FILES: descriptors that were shared would stay open after the owner's end. Without a signal at its own end:
 * the application's wait() does not see it. */
static int start(struct caretaker *caretaker, const char **ret_what)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pid = clone_unwatched(care, (char *)caretaker->stack + STACK_BYTES, CLONE_VM, caretaker);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        *ret_what = "clone";
        return -error;
    }
    caretaker->pid = pid;
    return 0;
}

static void close_all(struct caretaker *caretaker)
{
    if (caretaker->process_fd >= 0) {
        close(caretaker->process_fd);
    }
    for (int i = 0; i < 2; i++) {
        if (caretaker->line[i] >= 0) {
            close(caretaker->line[i]);
        }
    }
    if (caretaker->stack != NULL) {
        munmap(caretaker->stack, STACK_BYTES);
    }
    *caretaker = (struct caretaker){.process_fd = -1, .line = {-1, -1}};
}

int caretaker_begin(struct caretaker *caretaker, const char **ret_what)
{
    *caretaker = (struct caretaker){.owner = getpid(), .process_fd = -1, .line = {-1, -1}};
    int error = open_ends(caretaker, ret_what);
    if (error == 0) {
        error = start(caretaker, ret_what);
    }
    if (error != 0) {
        close_all(caretaker);
    }
    return error;
}

/* In a forked child the caretaker is another's: only the copies are closed. */
void caretaker_end(struct caretaker *caretaker)
{
    if (caretaker->pid == 0) {
        return;
    }
    if (caretaker->owner == getpid()) {
        const char go = 0;
        while (write(caretaker->line[1], &go, sizeof go) < 0 && errno == EINTR) {
        }
        while (waitpid(caretaker->pid, NULL, (int)__WCLONE) < 0 && errno == EINTR) {
        }
    }
    close_all(caretaker);
}
