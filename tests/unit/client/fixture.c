#include "fixture.h"

#include "disk/format.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void check(bool is_true, const char *condition, const char *file, int line)
{
    if (!is_true) {
        fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
        exit(1);
    }
}

void sleep_ms(int64_t ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS}, NULL);
}

static void format(const struct fixture *fixture, uint32_t slots, uint32_t registers)
{
    struct format_options options = {
        .paths = fixture->disks,
        .path_count = fixture->disk_count,
        .set_name = "fixture",
        .slots = slots,
        .registers = registers,
        .timings =
            {
                .lease_ns = FIXTURE_LEASE_MS * NS_PER_MS,
                .renew_ns = FIXTURE_LEASE_MS / 10 * NS_PER_MS,
                .io_deadline_ns = FIXTURE_LEASE_MS / 10 * NS_PER_MS,
                .quarantine_ns = 500 * NS_PER_MS,
                .drift_ppm = 5000,
            },
        .slot_reuse = true,
    };
    struct set_header header;
    char message[512] = "";
    int error = disk_format(&options, &header, message, sizeof message);
    if (error != 0) {
        fprintf(stderr, "format: %d: %s\n", error, message);
    }
    CHECK(error == 0);
}

void fixture_make(struct fixture *fixture)
{
    fixture_make_of(fixture, 16, 16);
}

void fixture_make_of(struct fixture *fixture, uint32_t slots, uint32_t registers)
{
    *fixture = (struct fixture){.directory = "client-test-XXXXXX", .disk_count = FIXTURE_DISKS};
    CHECK(mkdtemp(fixture->directory) != NULL);
    for (int i = 0; i < FIXTURE_DISKS; i++) {
        snprintf(fixture->paths[i], sizeof fixture->paths[i], "%s/disk%d", fixture->directory, i);
        fixture->disks[i] = fixture->paths[i];
    }
    format(fixture, slots, registers);
}

void fixture_remove(struct fixture *fixture)
{
    for (int i = 0; i < FIXTURE_DISKS; i++) {
        unlink(fixture->paths[i]);
    }
    CHECK(rmdir(fixture->directory) == 0);
}

struct diskarch *fixture_open(const struct fixture *fixture, const char *node_name, bool is_rejoining)
{
    struct diskarch_options options = {
        .size = sizeof options,
        .disks = fixture->disks,
        .disk_count = fixture->disk_count,
        .node_name = node_name,
        .engine = getenv("DISKARCH_ENGINE"),
        .is_rejoining = is_rejoining,
    };
    struct diskarch *node = NULL;
    char message[512] = "";
    int error = diskarch_open(&options, &node, message, sizeof message);
    if (error != 0) {
        fprintf(stderr, "open: %s: %s\n", diskarch_error_string(error), message);
    }
    CHECK(error == 0);
    struct diskarch_node_info info = {.size = sizeof info};
    diskarch_node_info(node, &info);
    CHECK(options.engine == NULL || strcmp(info.engine, options.engine) == 0);
    return node;
}

struct diskarch_observer *fixture_observe(const struct fixture *fixture)
{
    struct diskarch_options options = {.size = sizeof options,
                                       .disks = fixture->disks,
                                       .disk_count = fixture->disk_count,
                                       .engine = getenv("DISKARCH_ENGINE")};
    struct diskarch_observer *observer = NULL;
    char message[512] = "";
    int error = diskarch_observer_open(&options, &observer, message, sizeof message);
    if (error != 0) {
        fprintf(stderr, "observe: %s: %s\n", diskarch_error_string(error), message);
    }
    CHECK(error == 0);
    return observer;
}

/* What a failed test leaves to read. */
static void tell(const struct diskarch_event *event)
{
    static const char *const kinds[] = {
        [DISKARCH_JOINED] = "joined",
        [DISKARCH_JOIN_WAITS] = "join waits",
        [DISKARCH_CANDIDATE] = "candidate",
        [DISKARCH_LEADER] = "leader",
        [DISKARCH_AT_RISK] = "at risk",
        [DISKARCH_SAFE] = "safe",
        [DISKARCH_LOST] = "lost",
        [DISKARCH_RELEASED] = "released",
        [DISKARCH_REFUSED] = "refused",
        [DISKARCH_LEASE_ENDED] = "lease ended",
        [DISKARCH_ASKED] = "asked",
        [DISKARCH_TRANSFER] = "transfer",
        [DISKARCH_TRANSFER_REFUSED] = "transfer refused",
        [DISKARCH_PUBLISHED] = "published",
        [DISKARCH_RENEWED] = "renewed",
        [DISKARCH_DISK] = "disk",
    };
    fprintf(stderr, "%d: %s role=%s epoch=%llu name=%s reason=%d %s\n", (int)getpid(), kinds[event->kind],
            event->role != NULL ? diskarch_role_name(event->role) : "-", (unsigned long long)event->epoch,
            event->node_name, (int)event->reason, event->text);
}

void event_await_readable(struct diskarch *node)
{
    struct pollfd readable = {.fd = diskarch_fd(node), .events = POLLIN};
    CHECK(poll(&readable, 1, -1) == 1);
}

struct diskarch_event event_await(struct diskarch *node, enum diskarch_event_kind kind)
{
    for (;;) {
        struct diskarch_event event = {.size = sizeof event};
        if (diskarch_dispatch(node, &event) == 0) {
            event_await_readable(node);
            continue;
        }
        tell(&event);
        if (event.kind == kind) {
            return event;
        }
    }
}
