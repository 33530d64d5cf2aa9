#include "signals.h"

#include "report.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A signal that is ignored, as by nohup(1), stays so: blocked, it would be read all the same. */
static bool signal_is_ignored(int signal)
{
    struct sigaction action;
    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int signals_open(const int *signals, size_t count)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) {
        if (!signal_is_ignored(signals[i])) {
            sigaddset(&set, signals[i]);
        }
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        complain("signals cannot be read: %s; raise the limit of open files", strerror(errno));
        exit(EXIT_CODE_SYSTEM);
    }
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return fd;
}

int signals_take(int fd, bool *ret_is_terminal)
{
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
        return 0;
    }
    *ret_is_terminal = info.ssi_code == SI_KERNEL;
    return (int)info.ssi_signo;
}
