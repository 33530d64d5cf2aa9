/*
 * A disk set on plain files for tests of the library, and words to tell a story with: open a node, wait for an event.
 *
 * Files are made in the working directory, because not every /tmp has direct I/O. Waiting has no short limit: what
 * hangs is ended by the test's own timeout.
 */
#ifndef DISKARCH_TESTS_CLIENT_FIXTURE_H
#define DISKARCH_TESTS_CLIENT_FIXTURE_H

#include <diskarch/diskarch.h>

#include <stdbool.h>
#include <stdint.h>

/* A lease that a busy machine can keep; the tests are in no hurry. */
enum { FIXTURE_DISKS = 3, FIXTURE_PATH_BYTES = 256, FIXTURE_LEASE_MS = 3000 };

struct fixture {
    char directory[FIXTURE_PATH_BYTES / 2];
    char paths[FIXTURE_DISKS][FIXTURE_PATH_BYTES];
    const char *disks[FIXTURE_DISKS];
    uint32_t disk_count;
};

/* Ends the program with a message unless the condition holds. */
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)
void check(bool is_true, const char *condition, const char *file, int line);

/* A set of three files: short quarantine, few slots and registers. */
void fixture_make(struct fixture *fixture);
void fixture_make_of(struct fixture *fixture, uint32_t slots, uint32_t registers);
void fixture_remove(struct fixture *fixture);

struct diskarch *fixture_open(const struct fixture *fixture, const char *node_name, bool is_rejoining);
struct diskarch_observer *fixture_observe(const struct fixture *fixture);

/* Takes events until one of this kind comes, and returns it. */
struct diskarch_event event_await(struct diskarch *node, enum diskarch_event_kind kind);

/* Blocks until the node's descriptor is readable. */
void event_await_readable(struct diskarch *node);

void sleep_ms(int64_t ms);

#endif
