#include "supervise.h"

#include <assert.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HANGS_AFTER_MS = 60000 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- The filter ------------------------------------------------------------------------------------------------------- */

/* From here on, every call of the table waits for the other side. Returns the descriptor by which that is told. */
static int install_filter(void)
{
    struct sock_filter code[2 * CALL_COUNT + 2];
    unsigned short length = 0;
    code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < CALL_COUNT; i++) {
        if (call_kinds[i].number >= 0) {
            uint32_t number = (uint32_t)call_kinds[i].number;
            code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
            code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
        }
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = length, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        die("no_new_privs");
    }
    long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (fd < 0) {
        die("seccomp");
    }
    return (int)fd;
}

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static void send_descriptor(int socket, int fd)
{
    char byte = 0;
    union control control = {.bytes = {0}};
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    if (sendmsg(socket, &message, 0) != 1) {
        die("sendmsg");
    }
}

static int receive_descriptor(int socket)
{
    char byte;
    int fd = -1;
    union control control;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&message) == NULL) {
        die("recvmsg");
    }
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* ---- Answering -------------------------------------------------------------------------------------------------------- */

/* Threads of the process count; its children do not. */
static bool is_thread_of(pid_t process, pid_t task)
{
    char path[64];
    if (task == process) {
        return true;
    }
    snprintf(path, sizeof path, "/proc/%d/task/%d", (int)process, (int)task);
    return access(path, F_OK) == 0;
}

static bool must_fail(struct injection *page, pid_t process, const struct seccomp_notif *asked)
{
    if (!atomic_load(&page->is_armed) || !is_thread_of(process, (pid_t)asked->pid)) {
        return false;
    }
    bool is_memory = asked->data.nr == SYS_mmap && (int)asked->data.args[4] < 0;
    for (int i = 0; i < CALL_COUNT && !is_memory; i++) {
        if (call_kinds[i].number == asked->data.nr) {
            return injection_strikes(page, (enum call)i);
        }
    }
    return false;
}

/* A process that was killed meanwhile needs no answer. */
static void answer(struct injection *page, pid_t process, int listener)
{
    struct seccomp_notif asked = {0};
    struct seccomp_notif_resp answer = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) {
        return;
    }
    answer.id = asked.id;
    if (must_fail(page, process, &asked)) {
        answer.error = -page->error;
    } else {
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    }
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* Until the process has ended. Its children, should any be left, are not waited for. */
static bool answer_all(struct injection *page, pid_t process, int listener)
{
    int process_fd = (int)syscall(SYS_pidfd_open, process, 0);
    if (process_fd < 0) {
        die("pidfd_open");
    }
    bool is_hung = false;
    for (;;) {
        struct pollfd sources[] = {{.fd = listener, .events = POLLIN}, {.fd = process_fd, .events = POLLIN}};
        int ready = poll(sources, 2, HANGS_AFTER_MS);
        if (ready == 0 && !is_hung) {
            is_hung = true;
            kill(process, SIGKILL);
        } else if ((sources[0].revents & POLLIN) != 0) {
            answer(page, process, listener);
        } else if (sources[1].revents != 0) {
            break;
        }
    }
    close(process_fd);
    return is_hung;
}

struct outcome supervise(struct injection *page, void (*begin)(void *context), void *context)
{
    struct outcome outcome = {.is_hung = false};
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        die("socketpair");
    }
    pid_t process = fork();
    if (process < 0) {
        die("fork");
    }
    if (process == 0) {
        int fd = install_filter();
        send_descriptor(sockets[1], fd);
        close(fd);
        close(sockets[0]);
        close(sockets[1]);
        begin(context);
        abort();
    }
    close(sockets[1]);
    int listener = receive_descriptor(sockets[0]);
    close(sockets[0]);
    outcome.is_hung = answer_all(page, process, listener);
    close(listener);
    if (waitpid(process, &outcome.wait_status, 0) != process) {
        die("waitpid");
    }
    return outcome;
}
