/* A stand-in for `diskarch lock`: starts a guard and speaks the control protocol with it. */
#ifndef DISKARCH_TESTS_GUARD_DRIVER_H
#define DISKARCH_TESTS_GUARD_DRIVER_H

#include "common/guard_protocol.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            check_failed(__FILE__, __LINE__, #condition);                                                              \
        }                                                                                                              \
    } while (0)

_Noreturn void check_failed(const char *file, int line, const char *condition);

struct guard_driver {
    pid_t guard;
    int control_fd;
    int alive_fd; /* reads end-of-file once neither the guard nor any of its tree lives: all inherit the other end */
};

/* Starts the guard on `sh -c script`, without a deadline yet. */
struct guard_driver driver_start(const char *guard_path, int64_t grace_ms, int64_t margin_ms, const char *script);

/* The same for any command. */
struct guard_driver driver_start_command(const char *guard_path, int64_t grace_ms, int64_t margin_ms,
                                         char *const *command);

void driver_deadline(const struct guard_driver *driver, int64_t remaining_ms);
void driver_order(const struct guard_driver *driver, enum guard_message_kind kind, int number);

/* The next message of that kind; others are skipped. Fails the test if the guard ends without it. */
struct guard_message driver_expect(const struct guard_driver *driver, enum guard_message_kind kind);

/* Whether anything of the tree, or the guard, lives. */
bool driver_is_alive(const struct guard_driver *driver);

/* Blocks until nothing lives. */
void driver_wait_gone(const struct guard_driver *driver);

/* Collects the guard, checks that it ended well and that nothing is left. */
void driver_finish(struct guard_driver *driver);

#endif
