/*
 * Two nodes in one process on three files: one leads, resigning hands over, epochs grow, closing leaves cleanly; the
 * observer sees all of it. A plain program, so that it also runs under the thread sanitizer.
 */
#include "fixture.h"

#include <string.h>

static void check_observed(const struct fixture *fixture, const char *holder, uint64_t epoch)
{
    struct diskarch_observer *observer = fixture_observe(fixture);
    struct diskarch_role_status role;
    CHECK(diskarch_observer_watch(observer) == 0);
    CHECK(diskarch_observer_role(observer, "db", &role) == 0);
    CHECK(role.is_held && role.epoch == epoch);
    CHECK(strcmp(role.holder_name, holder) == 0);
    CHECK(role.liveness == DISKARCH_ALIVE && !role.is_holder_dead);
    diskarch_observer_close(observer);
}

static void check_left(const struct fixture *fixture)
{
    struct diskarch_observer *observer = fixture_observe(fixture);
    struct diskarch_node_status nodes[16];
    struct diskarch_role_status roles[16];
    struct diskarch_disk_status disks[FIXTURE_DISKS];
    size_t role_count;
    CHECK(diskarch_observer_watch(observer) == 0);
    size_t node_count = diskarch_observer_nodes(observer, nodes, 16);
    size_t left_count = 0;
    for (size_t i = 0; i < node_count && i < 16; i++) {
        left_count += nodes[i].liveness == DISKARCH_LEFT;
    }
    CHECK(left_count == 2); /* beside incarnations that joined too slowly and began anew */
    CHECK(diskarch_observer_roles(observer, roles, 16, &role_count) == 0);
    CHECK(role_count == 1 && !roles[0].is_held && strcmp(roles[0].name, "db") == 0);
    CHECK(diskarch_observer_disks(observer, disks, FIXTURE_DISKS) == FIXTURE_DISKS);
    for (int i = 0; i < FIXTURE_DISKS; i++) {
        CHECK(disks[i].state == DISKARCH_DISK_GOOD && disks[i].latency_ns >= 0);
    }
    CHECK(diskarch_observer_role(observer, "nobody", &roles[0]) == DISKARCH_ENONE);
    diskarch_observer_close(observer);
}

int main(void)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct diskarch *alpha = fixture_open(&fixture, "alpha", false);
    struct diskarch *beta = fixture_open(&fixture, "beta", false);
    struct diskarch_role *first, *second;
    uint64_t epoch = 0;

    CHECK(diskarch_campaign(alpha, "db", NULL, &first) == 0);
    struct diskarch_event led = event_await(alpha, DISKARCH_LEADER);
    CHECK(led.role == first && led.epoch == 1);
    CHECK(diskarch_wait(first, -1) == 0);
    CHECK(diskarch_remaining_ns(first, &epoch) > 0 && epoch == 1);
    check_observed(&fixture, "alpha", 1);

    CHECK(diskarch_campaign(beta, "db", NULL, &second) == 0);
    struct diskarch_event waits = event_await(beta, DISKARCH_CANDIDATE);
    CHECK(waits.role == second && waits.epoch == 1 && strcmp(waits.node_name, "alpha") == 0);
    CHECK(diskarch_wait(second, 1000) == DISKARCH_ETIMEOUT);
    CHECK(diskarch_remaining_ns(second, NULL) == 0);

    CHECK(diskarch_resign(first) == 0);
    CHECK(diskarch_remaining_ns(first, NULL) == 0);
    event_await(alpha, DISKARCH_RELEASED);
    led = event_await(beta, DISKARCH_LEADER);
    CHECK(led.epoch == 2);
    CHECK(diskarch_remaining_ns(second, &epoch) > 0 && epoch == 2);
    check_observed(&fixture, "beta", 2);

    diskarch_close(alpha);
    diskarch_close(beta);
    check_left(&fixture);
    fixture_remove(&fixture);
    return 0;
}
