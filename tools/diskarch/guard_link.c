#include "guard_link.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GUARD_WORDS = 8, PATH_BYTES = 4096, NUMBER_BYTES = 32 };

static const char guard_name[] = "diskarch-guard";

bool guard_link_find(char *ret_path, size_t room)
{
    char self[PATH_BYTES];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length > 0) {
        self[length] = '\0';
        char *slash = strrchr(self, '/');
        assert(slash != NULL);
        *slash = '\0';
        int bytes = snprintf(ret_path, room, "%s/%s", self, guard_name);
        if (bytes > 0 && (size_t)bytes < room && access(ret_path, X_OK) == 0) {
            return true;
        }
    }
    snprintf(ret_path, room, "%s/%s", DISKARCH_LIBEXEC_DIR, guard_name);
    return access(ret_path, X_OK) == 0;
}

/* posix_spawn, not fork: this process has a thread with locked memory. */
static int guard_spawn(const char *path, char *const *words, int guard_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return -error;
    }
    error = posix_spawn_file_actions_adddup2(&actions, guard_fd, guard_fd); /* to the same number: is inherited */
    if (error == 0) {
        error = posix_spawn(ret_pid, path, &actions, NULL, words, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

int guard_link_open(const char *path, int64_t grace_ns, int64_t margin_ns, char *const *command, struct guard_link *ret)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
        return -errno;
    }
    char numbers[3][NUMBER_BYTES];
    snprintf(numbers[0], NUMBER_BYTES, "%d", fds[1]);
    snprintf(numbers[1], NUMBER_BYTES, "%" PRId64, grace_ns);
    snprintf(numbers[2], NUMBER_BYTES, "%" PRId64, margin_ns);
    size_t count = 0;
    while (command[count] != NULL) {
        count++;
    }
    const char *head[GUARD_WORDS] = {path,       "--control", numbers[0], "--grace",
                                     numbers[1], "--margin",  numbers[2], "--"};
    char **words = calloc(GUARD_WORDS + count + 1, sizeof(*words));
    int status = -ENOMEM;
    pid_t pid = 0;
    if (words != NULL) {
        memcpy(words, head, sizeof(head));
        memcpy(words + GUARD_WORDS, command, count * sizeof(*words));
        status = guard_spawn(path, words, fds[1], &pid);
        free(words);
    }
    close(fds[1]);
    if (status != 0) {
        close(fds[0]);
        return status;
    }
    *ret = (struct guard_link){.control_fd = fds[0], .guard = pid};
    return 0;
}

void guard_link_close(struct guard_link *link)
{
    if (link->control_fd >= 0) {
        close(link->control_fd);
        link->control_fd = -1;
    }
}

/* Never waits. A guard that takes no message stops the command when the last deadline it took has come. */
static void message_send(const struct guard_link *link, const struct guard_message *message)
{
    if (link->control_fd >= 0) {
        (void)send(link->control_fd, message, sizeof(*message), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

void guard_link_deadline(const struct guard_link *link, struct clock_reading read, int64_t remaining_ns)
{
    struct guard_message message = {
        .kind = GUARD_DEADLINE, .boot_ns = read.boot_ns, .raw_ns = read.raw_ns, .remaining_ns = remaining_ns};
    message_send(link, &message);
}

void guard_link_stop(const struct guard_link *link)
{
    struct guard_message message = {.kind = GUARD_STOP};
    message_send(link, &message);
}

void guard_link_signal(const struct guard_link *link, int signal)
{
    struct guard_message message = {.kind = GUARD_SIGNAL, .number = signal};
    message_send(link, &message);
}

int guard_link_receive(struct guard_link *link, struct guard_message *ret)
{
    if (link->control_fd < 0) {
        return -1;
    }
    struct guard_message message;
    ssize_t bytes;
    do {
        bytes = recv(link->control_fd, &message, sizeof(message), MSG_DONTWAIT);
        /* A guard that ends before it has read our last deadline leaves this error, once, in front of its last words. */
    } while (bytes < 0 && errno == ECONNRESET);
    if (bytes == (ssize_t)sizeof(message)) {
        *ret = message;
        return 1;
    }
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    guard_link_close(link);
    return -1;
}
