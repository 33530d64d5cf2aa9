#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EXIT_NOT_EXECUTED = 127 };

/* Never returns. An error goes to the pipe, which a successful exec closes. */
static void command_become(char *const *argv, pid_t group, pid_t guard, int error_pipe)
{
    /* If the guard is killed, the command is too. It may have been killed before this took effect, hence the second
     * look. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guard) {
        _exit(EXIT_NOT_EXECUTED);
    }
    setpgid(0, group); /* fails only if the parent's group is gone, and then the guard is about to stop everything */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    int error = errno;
    while (write(error_pipe, &error, sizeof(error)) < 0 && errno == EINTR) {
    }
    _exit(EXIT_NOT_EXECUTED);
}

int command_start(char *const *argv, pid_t group, pid_t *ret_pid, int *ret_result_fd)
{
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return -errno;
    }
    pid_t guard = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        command_become(argv, group, guard, pipe_fds[1]);
    }
    int status = pid < 0 ? -errno : 0;
    close(pipe_fds[1]);
    if (status != 0) {
        close(pipe_fds[0]);
        return status;
    }
    *ret_pid = pid;
    *ret_result_fd = pipe_fds[0];
    return 0;
}

int command_result(int result_fd)
{
    int error = 0;
    ssize_t bytes;
    do {
        bytes = read(result_fd, &error, sizeof(error));
    } while (bytes < 0 && errno == EINTR);
    close(result_fd);
    return bytes == (ssize_t)sizeof(error) ? -error : 0;
}
