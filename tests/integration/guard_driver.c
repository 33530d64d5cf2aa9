#include "guard_driver.h"

#include "runtime/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_WORDS_MAX = 16 };

_Noreturn void check_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, condition);
    abort();
}

static void guard_become(const char *guard_path, int control_fd, int64_t grace_ms, int64_t margin_ms,
                         char *const *command)
{
    char control[16];
    char grace[32];
    char margin[32];
    snprintf(control, sizeof(control), "%d", control_fd);
    snprintf(grace, sizeof(grace), "%lld", (long long)grace_ms * 1000000);
    snprintf(margin, sizeof(margin), "%lld", (long long)margin_ms * 1000000);
    const char *words[COMMAND_WORDS_MAX] = {guard_path, "--control", control, "--grace",
                                            grace,      "--margin",  margin,  "--"};
    for (size_t i = 8; *command != NULL && i + 1 < COMMAND_WORDS_MAX; i++, command++) {
        words[i] = *command;
    }
    fcntl(control_fd, F_SETFD, 0);
    execv(guard_path, (char *const *)(uintptr_t)words);
    _exit(126);
}

struct guard_driver driver_start_command(const char *guard_path, int64_t grace_ms, int64_t margin_ms,
                                         char *const *command)
{
    int control[2];
    int alive[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0);
    CHECK(pipe2(alive, O_CLOEXEC) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        fcntl(alive[1], F_SETFD, 0);
        guard_become(guard_path, control[1], grace_ms, margin_ms, command);
    }
    close(control[1]);
    close(alive[1]);
    return (struct guard_driver){.guard = pid, .control_fd = control[0], .alive_fd = alive[0]};
}

struct guard_driver driver_start(const char *guard_path, int64_t grace_ms, int64_t margin_ms, const char *script)
{
    const char *const command[] = {"sh", "-c", script, NULL};
    return driver_start_command(guard_path, grace_ms, margin_ms, (char *const *)(uintptr_t)command);
}

static void message_send(const struct guard_driver *driver, const struct guard_message *message)
{
    CHECK(send(driver->control_fd, message, sizeof(*message), MSG_NOSIGNAL) == (ssize_t)sizeof(*message));
}

void driver_deadline(const struct guard_driver *driver, int64_t remaining_ms)
{
    struct clock_reading now = clock_read();
    struct guard_message message = {
        .kind = GUARD_DEADLINE,
        .boot_ns = now.boot_ns,
        .raw_ns = now.raw_ns,
        .remaining_ns = remaining_ms * 1000000,
    };
    message_send(driver, &message);
}

void driver_order(const struct guard_driver *driver, enum guard_message_kind kind, int number)
{
    struct guard_message message = {.kind = kind, .number = number};
    message_send(driver, &message);
}

struct guard_message driver_expect(const struct guard_driver *driver, enum guard_message_kind kind)
{
    struct guard_message message;
    do {
        CHECK(recv(driver->control_fd, &message, sizeof(message), 0) == (ssize_t)sizeof(message));
    } while (message.kind != kind);
    return message;
}

bool driver_is_alive(const struct guard_driver *driver)
{
    struct pollfd source = {.fd = driver->alive_fd, .events = POLLIN};
    return poll(&source, 1, 0) == 0;
}

void driver_wait_gone(const struct guard_driver *driver)
{
    char byte;
    CHECK(read(driver->alive_fd, &byte, 1) == 0);
}

void driver_finish(struct guard_driver *driver)
{
    int status = -1;
    CHECK(waitpid(driver->guard, &status, 0) == driver->guard);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(!driver_is_alive(driver));
    close(driver->control_fd);
    close(driver->alive_fd);
}
