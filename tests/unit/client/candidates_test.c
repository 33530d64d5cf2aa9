/*
 * H5: several candidates on one node for one role; one wins, the next takes over with a higher epoch. Also what handles
 * promise beside that: refusals, waiting, handles given back early.
 */
#include "fixture.h"

#include <string.h>

static struct diskarch_role *campaign(struct diskarch *node, const char *name, bool is_try)
{
    struct diskarch_role_options options = {.size = sizeof options, .is_try = is_try};
    struct diskarch_role *role = NULL;
    CHECK(diskarch_campaign(node, name, &options, &role) == 0);
    CHECK(strcmp(diskarch_role_name(role), name) == 0);
    return role;
}

static void test_one_wins(struct diskarch *node)
{
    struct diskarch_role *first = campaign(node, "db", false);
    struct diskarch_role *second = campaign(node, "db", false);
    struct diskarch_role *third = campaign(node, "db", false);
    uint64_t epoch = 0;
    CHECK(diskarch_wait(first, -1) == 0);
    CHECK(diskarch_remaining_ns(second, NULL) == 0 && diskarch_remaining_ns(third, NULL) == 0);
    struct diskarch_event event = event_await(node, DISKARCH_LEADER);
    CHECK(event.role == first && event.epoch == 1);
    event = event_await(node, DISKARCH_CANDIDATE);
    CHECK(event.role == second && event.epoch == 1 && strcmp(event.node_name, "alpha") == 0);

    diskarch_role_free(second);
    CHECK(diskarch_resign(first) == 0);
    CHECK(diskarch_wait(first, -1) != 0);
    CHECK(diskarch_wait(third, -1) == 0);
    CHECK(diskarch_remaining_ns(third, &epoch) > 0 && epoch == 2);
    CHECK(diskarch_remaining_ns(first, NULL) == 0);
    diskarch_role_free(first);
    event = event_await(node, DISKARCH_LEADER);
    CHECK(event.role == third && event.epoch == 2);
    diskarch_role_free(third);
}

static void test_one_look(struct diskarch *node, struct diskarch *other)
{
    struct diskarch_role *holder = campaign(node, "vip", true);
    CHECK(diskarch_wait(holder, -1) == 0);
    struct diskarch_role *here = campaign(node, "vip", true);
    CHECK(diskarch_wait(here, -1) == DISKARCH_EHELD);
    struct diskarch_role *there = campaign(other, "vip", true);
    CHECK(diskarch_wait(there, -1) == DISKARCH_EHELD);
    struct diskarch_event event = event_await(other, DISKARCH_REFUSED);
    CHECK(event.role == there && event.error == DISKARCH_EHELD && event.epoch == 1);
    CHECK(strcmp(event.node_name, "alpha") == 0 && strstr(event.text, "alpha") != NULL);
    /* Its number is free again. */
    diskarch_role_free(there);
    there = campaign(other, "vip", false);
    CHECK(diskarch_wait(there, 1000000) == DISKARCH_ETIMEOUT);
    CHECK(diskarch_remaining_ns(holder, NULL) > 0);
    CHECK(diskarch_resign(holder) == 0);
    CHECK(diskarch_wait(there, -1) == 0);
    diskarch_role_free(there);
}

/* A campaign that is ended before the node could even begin it, many times over. */
static void test_changed_minds(struct diskarch *node)
{
    for (int i = 0; i < 200; i++) {
        struct diskarch_role *a = campaign(node, "mood", false);
        struct diskarch_role *b = campaign(node, "mood", i % 2 == 0);
        diskarch_role_free(i % 3 == 0 ? a : b);
        CHECK(diskarch_resign(i % 3 == 0 ? b : a) == 0);
        diskarch_role_free(i % 3 == 0 ? b : a);
    }
    struct diskarch_role *last = campaign(node, "mood", false);
    CHECK(diskarch_wait(last, -1) == 0);
}

/* As many as the set has registers; the next name is refused, and the others stay. */
static void test_full(struct diskarch *node)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"};
    int led = 0;
    int refused = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct diskarch_role *role = campaign(node, names[i], false);
        int status = diskarch_wait(role, -1);
        CHECK(status == 0 || status == DISKARCH_EFULL);
        led += status == 0;
        refused += status == DISKARCH_EFULL;
    }
    CHECK(led == 13 && refused == 3); /* of 16 registers three have names from the stories before */
}

static void test_bad_names(struct diskarch *node)
{
    struct diskarch_role *role = NULL;
    CHECK(diskarch_campaign(node, "", NULL, &role) == DISKARCH_EUSAGE);
    CHECK(diskarch_campaign(node, NULL, NULL, &role) == DISKARCH_EUSAGE);
    CHECK(diskarch_campaign(node, "line\nbreak", NULL, &role) == DISKARCH_EUSAGE);
    CHECK(role == NULL);
}

int main(void)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct diskarch *alpha = fixture_open(&fixture, "alpha", false);
    struct diskarch *beta = fixture_open(&fixture, "beta", false);
    test_bad_names(alpha);
    test_one_wins(alpha);
    test_one_look(alpha, beta);
    test_changed_minds(beta);
    test_full(alpha);
    diskarch_close(beta);
    diskarch_close(alpha);
    diskarch_close(NULL);
    diskarch_role_free(NULL);
    fixture_remove(&fixture);
    return 0;
}
