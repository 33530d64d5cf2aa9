/*
 * Two processes. The leader is stopped past its lease; the other one takes over under a higher epoch; the stopped one,
 * woken, finds itself out: it is told LOST once for the one LEADER it was told, leads nothing, and joins again. A question
 * that it had asked is asked again by its next incarnation; who waits for the answer does not notice.
 */
#include "fixture.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_word(int fd, char word)
{
    CHECK(write(fd, &word, 1) == 1);
}

static char read_word(int fd)
{
    char word = 0;
    CHECK(read(fd, &word, 1) == 1);
    return word;
}

static void *ask_for_other(void *node)
{
    CHECK(diskarch_ask(node, "other", DISKARCH_ASK_REQUEST, NULL, -1) == 0);
    return NULL;
}

/* The child: leads, is stopped and woken, and checks what it is told. */
static int leader(const struct fixture *fixture, int to_parent, int from_parent)
{
    struct diskarch *node = fixture_open(fixture, "alpha", true);
    struct diskarch_role *role;
    CHECK(diskarch_campaign(node, "db", NULL, &role) == 0);
    struct diskarch_event event = event_await(node, DISKARCH_LEADER);
    CHECK(event.epoch == 1);
    write_word(to_parent, 'L');
    pthread_t asking;
    CHECK(read_word(from_parent) == 'A');
    CHECK(pthread_create(&asking, NULL, ask_for_other, node) == 0);

    event = event_await(node, DISKARCH_LOST);
    CHECK(event.role == role && event.epoch == 1);
    CHECK(event.reason == DISKARCH_REASON_LEASE || event.reason == DISKARCH_REASON_VERDICT);
    CHECK(diskarch_remaining_ns(role, NULL) == 0);
    event = event_await(node, DISKARCH_LEASE_ENDED);
    CHECK(event.reason == DISKARCH_REASON_LEASE || event.reason == DISKARCH_REASON_VERDICT);
    event_await(node, DISKARCH_JOINED);
    event = event_await(node, DISKARCH_CANDIDATE);
    CHECK(event.epoch == 2 && strcmp(event.node_name, "beta") == 0);
    write_word(to_parent, 'C');

    CHECK(read_word(from_parent) == 'G');
    event = event_await(node, DISKARCH_LEADER);
    CHECK(event.epoch == 3);
    CHECK(pthread_join(asking, NULL) == 0);
    diskarch_close(node);
    return 0;
}

static void check_observed(const struct fixture *fixture)
{
    struct diskarch_observer *observer = fixture_observe(fixture);
    struct diskarch_role_status role;
    struct diskarch_node_status nodes[16];
    CHECK(diskarch_observer_watch(observer) == 0);
    CHECK(diskarch_observer_role(observer, "db", &role) == 0);
    CHECK(role.is_held && role.epoch == 2 && role.liveness == DISKARCH_ALIVE);
    size_t count = diskarch_observer_nodes(observer, nodes, 16);
    bool is_dead_seen = false;
    for (size_t i = 0; i < count; i++) {
        bool is_alpha = strcmp(nodes[i].name, "alpha") == 0;
        CHECK(!is_alpha || nodes[i].liveness != DISKARCH_ALIVE);
        is_dead_seen = is_dead_seen || (is_alpha && nodes[i].is_dead);
    }
    CHECK(is_dead_seen);
    diskarch_observer_close(observer);
}

static void take_over(const struct fixture *fixture, pid_t child, int from_child, int to_child)
{
    CHECK(read_word(from_child) == 'L');
    struct diskarch *node = fixture_open(fixture, "beta", false);
    struct diskarch_role *role;
    CHECK(diskarch_campaign(node, "db", NULL, &role) == 0);
    event_await(node, DISKARCH_CANDIDATE);
    struct diskarch_role *other;
    CHECK(diskarch_campaign(node, "other", NULL, &other) == 0);
    CHECK(diskarch_wait(other, -1) == 0);
    write_word(to_child, 'A');
    CHECK(event_await(node, DISKARCH_ASKED).role == other);
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(event_await(node, DISKARCH_LEADER).epoch == 2);
    check_observed(fixture);
    CHECK(kill(child, SIGCONT) == 0);
    CHECK(read_word(from_child) == 'C');
    CHECK(event_await(node, DISKARCH_ASKED).role == other);
    CHECK(diskarch_resign(other) == 0);
    write_word(to_child, 'G');
    diskarch_close(node);
}

int main(void)
{
    struct fixture fixture;
    int up[2], down[2];
    fixture_make(&fixture);
    CHECK(pipe(up) == 0 && pipe(down) == 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a parent that fails takes it along, stopped or not */
        _exit(leader(&fixture, up[1], down[0]));
    }
    close(up[1]);
    close(down[0]);
    take_over(&fixture, child, up[0], down[1]);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fixture_remove(&fixture);
    return 0;
}
