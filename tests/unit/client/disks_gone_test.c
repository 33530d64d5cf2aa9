/*
 * One of three files is overwritten while in use: the leader stays, the observer names the file. Then a second one is cut
 * off: the lease ends, leadership is lost once, the node is over, and the observer says what is missing. Calls that wait
 * meanwhile end as well: with the time given, or with the node.
 */
#include "fixture.h"

#include "block/limits.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WIPED_BYTES = 1 << 20 }; /* no less than the file had */

static void check_one_failed(struct diskarch_observer *observer, const struct fixture *fixture)
{
    struct diskarch_disk_status disks[FIXTURE_DISKS];
    CHECK(diskarch_observer_watch(observer) == 0);
    CHECK(diskarch_observer_disks(observer, disks, FIXTURE_DISKS) == FIXTURE_DISKS);
    CHECK(disks[0].state == DISKARCH_DISK_FAILED && disks[0].reason[0] != '\0');
    CHECK(strcmp(disks[0].path, fixture->paths[0]) == 0);
    /* On a busy machine any disk may be slow. */
    CHECK(disks[1].state == DISKARCH_DISK_GOOD || disks[1].state == DISKARCH_DISK_SLOW);
    CHECK(disks[2].state == DISKARCH_DISK_GOOD || disks[2].state == DISKARCH_DISK_SLOW);
    fprintf(stderr, "%s: %s\n", disks[0].path, disks[0].reason);

    struct diskarch_role_status role;
    CHECK(diskarch_observer_role(observer, "db", &role) == 0);
    CHECK(role.is_held && role.epoch == 1 && role.liveness == DISKARCH_ALIVE);
}

/* The node says the same of its own, and told it when it happened. */
static void check_node_says_so(struct diskarch *node, const struct fixture *fixture)
{
    struct diskarch_disk_status disks[FIXTURE_DISKS];
    struct diskarch_event event;
    do {
        event = event_await(node, DISKARCH_DISK);
        CHECK(diskarch_disks(node, disks, FIXTURE_DISKS) == FIXTURE_DISKS);
    } while (event.disk != 0 || disks[0].state != DISKARCH_DISK_FAILED);
    CHECK(event.role == NULL && event.text[0] != '\0' && disks[0].reason[0] != '\0');
    CHECK(strcmp(disks[0].path, fixture->paths[0]) == 0 && disks[0].index == 0);
    for (int i = 1; i < FIXTURE_DISKS; i++) {
        CHECK(disks[i].state == DISKARCH_DISK_GOOD || disks[i].state == DISKARCH_DISK_SLOW);
        CHECK(disks[i].latency_ns > 0 && strcmp(disks[i].path, fixture->paths[i]) == 0);
    }
    CHECK(diskarch_disks(node, disks, 1) == FIXTURE_DISKS);
}

static void check_no_quorum(struct diskarch_observer *observer, const struct fixture *fixture)
{
    struct diskarch_role_status role;
    size_t count;
    CHECK(diskarch_observer_poll(observer) == DISKARCH_ENOQUORUM);
    const char *message = diskarch_observer_message(observer);
    fprintf(stderr, "%s\n", message);
    CHECK(strstr(message, "1 of 3") != NULL && strstr(message, fixture->paths[0]) != NULL);
    CHECK(strstr(message, fixture->paths[1]) != NULL && strstr(message, fixture->paths[2]) == NULL);
    CHECK(diskarch_observer_role(observer, "db", &role) == DISKARCH_ENOQUORUM);
    CHECK(diskarch_observer_roles(observer, &role, 1, &count) == DISKARCH_ENOQUORUM);
}

static void *set_without_limit(void *node)
{
    CHECK(diskarch_register_set(node, "never written", "x", 1, -1, NULL) == DISKARCH_ECLOSED);
    return NULL;
}

int main(void)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct diskarch *node = fixture_open(&fixture, "alpha", false);
    struct diskarch_observer *observer = fixture_observe(&fixture);
    struct diskarch_role *role, *waiting;
    CHECK(diskarch_campaign(node, "db", NULL, &role) == 0);
    CHECK(diskarch_campaign(node, "db", NULL, &waiting) == 0);
    CHECK(diskarch_wait(role, -1) == 0);

    CHECK(event_await(node, DISKARCH_LEADER).role == role);
    /* Nothing of it fails: it shows zeros, and soon this node's own blocks again. */
    CHECK(truncate(fixture.paths[0], 0) == 0 && truncate(fixture.paths[0], WIPED_BYTES) == 0);
    check_node_says_so(node, &fixture);
    check_one_failed(observer, &fixture);
    sleep_ms(2 * FIXTURE_LEASE_MS);
    CHECK(diskarch_remaining_ns(role, NULL) > 0);
    check_one_failed(observer, &fixture);

    CHECK(truncate(fixture.paths[1], 0) == 0);
    pthread_t setting;
    CHECK(pthread_create(&setting, NULL, set_without_limit, node) == 0);
    int error = diskarch_register_set(node, "cut off", "x", 1, NS_PER_MS, NULL);
    CHECK(error == DISKARCH_ETIMEOUT || error == DISKARCH_ECLOSED); /* the latter if this thread slept for a lease */
    struct diskarch_event event = event_await(node, DISKARCH_AT_RISK);
    CHECK(event.role == role && event.epoch == 1);
    event = event_await(node, DISKARCH_LOST);
    CHECK(event.role == role && event.epoch == 1 && event.reason == DISKARCH_REASON_LEASE && event.text[0] != '\0');
    CHECK(diskarch_remaining_ns(role, NULL) == 0);
    CHECK(diskarch_wait(role, -1) == DISKARCH_ELOST);
    event = event_await(node, DISKARCH_RELEASED);
    CHECK(event.role == waiting);
    CHECK(diskarch_wait(waiting, -1) == DISKARCH_ECLOSED);
    event = event_await(node, DISKARCH_LEASE_ENDED);
    CHECK(event.reason == DISKARCH_REASON_LEASE);
    CHECK(diskarch_dispatch(node, &event) == 0);
    CHECK(diskarch_campaign(node, "db", NULL, &role) == DISKARCH_ECLOSED);
    CHECK(pthread_join(setting, NULL) == 0);
    CHECK(diskarch_register_set(node, "too late", "x", 1, -1, NULL) == DISKARCH_ECLOSED);

    check_no_quorum(observer, &fixture);
    diskarch_observer_close(observer);
    diskarch_close(node);
    fixture_remove(&fixture);
    return 0;
}
