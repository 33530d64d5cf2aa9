/*
 * N2, N3, N4, H3: what passes between two nodes about a role: asking its leader, handing it over, publishing, forgetting;
 * and what an observer is told of all that.
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct fixture fixture;
static struct diskarch *alpha, *beta;
static struct diskarch_observer *observer;

static struct diskarch_role *campaign(struct diskarch *node, const char *name, const char *payload)
{
    struct diskarch_role_options options = {.size = sizeof options, .payload = payload};
    struct diskarch_role *role;
    options.payload_bytes = payload != NULL ? strlen(payload) : 0;
    CHECK(diskarch_campaign(node, name, &options, &role) == 0);
    return role;
}

static struct diskarch_role_status observe(const char *name)
{
    struct diskarch_role_status status;
    int error;
    do {
        error = diskarch_observer_role(observer, name, &status);
    } while (error == DISKARCH_EUNSETTLED || (error == 0 && !status.is_settled));
    CHECK(error == 0);
    return status;
}

static bool has_payload(const struct diskarch_role_status *status, const char *payload)
{
    return status->payload_bytes == strlen(payload) && memcmp(status->payload, payload, status->payload_bytes) == 0;
}

/* ---- Asking ------------------------------------------------------------------------------------------------------ */

struct question {
    pthread_t thread;
    struct diskarch *node;
    const char *role;
    enum diskarch_ask ask;
    const char *successor;
    int answer;
};

static void *ask(void *argument)
{
    struct question *question = argument;
    question->answer = diskarch_ask(question->node, question->role, question->ask, question->successor, -1);
    return NULL;
}

static void begin_asking(struct question *question)
{
    CHECK(pthread_create(&question->thread, NULL, ask, question) == 0);
}

static void await_answer(struct question *question, int expected)
{
    CHECK(pthread_join(question->thread, NULL) == 0);
    CHECK(question->answer == expected);
}

static void test_asked_to_resign(void)
{
    struct diskarch_role *led = campaign(alpha, "db", NULL);
    CHECK(diskarch_wait(led, -1) == 0);
    struct question question = {.node = beta, .role = "db", .ask = DISKARCH_ASK_RESIGN};
    begin_asking(&question);
    struct diskarch_event event = event_await(alpha, DISKARCH_ASKED);
    CHECK(event.role == led && event.ask == DISKARCH_ASK_RESIGN && event.epoch == 1);
    CHECK(strcmp(event.node_name, "beta") == 0);
    CHECK(diskarch_resign(led) == 0);
    await_answer(&question, 0);
    diskarch_role_free(led);
}

/* A request may be declined; who asked takes it back when his time has passed. */
static void test_request_declined(void)
{
    struct diskarch_role *led = campaign(alpha, "db", NULL);
    CHECK(diskarch_wait(led, -1) == 0);
    CHECK(diskarch_ask(beta, "db", DISKARCH_ASK_REQUEST, NULL, FIXTURE_LEASE_MS / 2 * 1000000LL) == DISKARCH_ETIMEOUT);
    struct diskarch_event event = event_await(alpha, DISKARCH_ASKED);
    CHECK(event.role == led && event.ask == DISKARCH_ASK_REQUEST && event.epoch == 2);
    CHECK(diskarch_remaining_ns(led, NULL) > 0);
    diskarch_role_free(led);
}

static void test_questions_without_answer(void)
{
    CHECK(diskarch_ask(beta, "nobody", DISKARCH_ASK_RESIGN, NULL, -1) == DISKARCH_ENONE);
    struct diskarch_role *led = campaign(alpha, "short", NULL);
    CHECK(diskarch_wait(led, -1) == 0);
    CHECK(diskarch_ask(beta, "short", DISKARCH_ASK_TRANSFER, "stranger", -1) == DISKARCH_ENOTREADY);
    CHECK(diskarch_resign(led) == 0);
    CHECK(event_await(alpha, DISKARCH_RELEASED).role == led);
    CHECK(diskarch_ask(beta, "short", DISKARCH_ASK_RESIGN, NULL, -1) == DISKARCH_EFREE);
    CHECK(diskarch_ask(beta, "short", DISKARCH_ASK_RESIGN, "alpha", -1) == DISKARCH_EUSAGE);
    CHECK(diskarch_ask(beta, "short", DISKARCH_ASK_TRANSFER, NULL, -1) == DISKARCH_EUSAGE);
    CHECK(diskarch_ask(beta, "short", DISKARCH_ASK_TRANSFER, "", -1) == DISKARCH_EUSAGE);
    CHECK(diskarch_ask(beta, "short", (enum diskarch_ask)9, NULL, -1) == DISKARCH_EUSAGE);
    diskarch_role_free(led);
}

/* ---- Handing over ------------------------------------------------------------------------------------------------ */

/* By the leader himself. It leads until it resigns; the successor leads under the next epoch. */
static void test_transfer(void)
{
    struct diskarch_role *led = campaign(alpha, "web", NULL);
    CHECK(diskarch_wait(led, -1) == 0);
    struct diskarch_role *next = campaign(beta, "web", NULL);
    CHECK(event_await(beta, DISKARCH_CANDIDATE).role == next);
    CHECK(diskarch_transfer(next, "alpha") == DISKARCH_ENONE);
    CHECK(diskarch_transfer(led, "") == DISKARCH_EUSAGE);
    CHECK(diskarch_transfer(led, "stranger") == 0);
    struct diskarch_event event = event_await(alpha, DISKARCH_TRANSFER_REFUSED);
    CHECK(event.role == led && event.error == DISKARCH_ENOTREADY && event.text[0] != '\0');

    CHECK(diskarch_transfer(led, "beta") == 0);
    CHECK(diskarch_transfer(led, "beta") == -EALREADY);
    event = event_await(alpha, DISKARCH_TRANSFER);
    CHECK(event.role == led && event.epoch == 1 && strcmp(event.node_name, "beta") == 0);
    struct diskarch_role_status status = observe("web");
    CHECK(status.is_held && status.is_transferring && strcmp(status.holder_name, "alpha") == 0);
    CHECK(strcmp(status.successor_name, "beta") == 0);
    CHECK(diskarch_remaining_ns(led, NULL) > 0 && diskarch_remaining_ns(next, NULL) == 0);

    CHECK(diskarch_resign(led) == 0);
    uint64_t epoch = 0;
    CHECK(diskarch_wait(next, -1) == 0);
    CHECK(diskarch_remaining_ns(next, &epoch) > 0 && epoch == 2);
    CHECK(event_await(alpha, DISKARCH_RELEASED).role == led);
    status = observe("web");
    CHECK(status.epoch == 2 && !status.is_transferring && strcmp(status.holder_name, "beta") == 0);
    diskarch_role_free(led);
    diskarch_role_free(next);
}

/* Begun by the node that wants the role. */
static void test_transfer_asked_for(void)
{
    struct diskarch_role *led = campaign(alpha, "vip", NULL);
    CHECK(diskarch_wait(led, -1) == 0);
    struct diskarch_role *next = campaign(beta, "vip", NULL);
    struct question question = {.node = beta, .role = "vip", .ask = DISKARCH_ASK_TRANSFER, .successor = "beta"};
    begin_asking(&question);
    CHECK(event_await(alpha, DISKARCH_TRANSFER).role == led);
    CHECK(diskarch_resign(led) == 0);
    await_answer(&question, 0);
    uint64_t epoch = 0;
    CHECK(diskarch_wait(next, -1) == 0);
    CHECK(diskarch_remaining_ns(next, &epoch) > 0 && epoch == 2);
    diskarch_role_free(led);
    diskarch_role_free(next);
}

/* N4: of two that wait, the preferred one leads next. Its node may have been kept waiting by a busy machine, so not every
 * round is asked for. */
static void test_priority(void)
{
    enum { ROUNDS = 3 };
    struct diskarch *gamma = fixture_open(&fixture, "gamma", false);
    int preferred_wins = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct diskarch_role_options reluctant = {.size = sizeof reluctant, .priority = 20};
        struct diskarch_role *led = campaign(alpha, "queue", NULL);
        struct diskarch_role *other, *preferred;
        CHECK(diskarch_wait(led, -1) == 0);
        CHECK(diskarch_campaign(beta, "queue", &reluctant, &other) == 0);
        CHECK(event_await(beta, DISKARCH_CANDIDATE).role == other);
        preferred = campaign(gamma, "queue", NULL);
        CHECK(event_await(gamma, DISKARCH_CANDIDATE).role == preferred);
        diskarch_role_free(led);
        while (diskarch_remaining_ns(preferred, NULL) == 0 && diskarch_remaining_ns(other, NULL) == 0) {
            sleep_ms(5);
        }
        preferred_wins += diskarch_remaining_ns(preferred, NULL) > 0;
        diskarch_role_free(other);
        diskarch_role_free(preferred);
    }
    diskarch_close(gamma);
    CHECK(2 * preferred_wins > ROUNDS);
}

/* ---- Publishing -------------------------------------------------------------------------------------------------- */

static void test_payload(void)
{
    char long_payload[129] = "";
    struct diskarch_role *led = campaign(alpha, "api", "10.0.0.1");
    CHECK(diskarch_wait(led, -1) == 0);
    struct diskarch_role_status status = observe("api");
    CHECK(has_payload(&status, "10.0.0.1"));
    CHECK(diskarch_publish(led, long_payload, sizeof long_payload) == DISKARCH_EUSAGE);
    for (int i = 0; i < 100; i++) {
        CHECK(diskarch_publish(led, "10.0.0.2", 8) == 0);
    }
    CHECK(diskarch_publish(led, "10.0.0.3", 8) == 0);
    do {
        struct diskarch_event event = event_await(alpha, DISKARCH_PUBLISHED);
        CHECK(event.role == led && event.epoch == 1);
        status = observe("api");
    } while (has_payload(&status, "10.0.0.2"));
    CHECK(has_payload(&status, "10.0.0.3") && status.epoch == 1);
    CHECK(diskarch_resign(led) == 0);
    CHECK(diskarch_publish(led, "late", 4) == DISKARCH_ENONE);
    CHECK(event_await(alpha, DISKARCH_RELEASED).role == led);
    diskarch_role_free(led);

    struct diskarch_role_options options = {
        .size = sizeof options, .payload = long_payload, .payload_bytes = sizeof long_payload};
    CHECK(diskarch_campaign(alpha, "api", &options, &led) == DISKARCH_EUSAGE);
    options = (struct diskarch_role_options){.size = sizeof options, .priority = 101};
    CHECK(diskarch_campaign(alpha, "api", &options, &led) == DISKARCH_EUSAGE);
}

/* ---- Forgetting -------------------------------------------------------------------------------------------------- */

static bool is_listed(const char *name)
{
    struct diskarch_role_status roles[16];
    size_t count;
    CHECK(diskarch_observer_roles(observer, roles, 16, &count) == 0);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(roles[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void test_forget(void)
{
    struct diskarch_role *led = campaign(alpha, "old", NULL);
    CHECK(diskarch_wait(led, -1) == 0);
    CHECK(diskarch_forget(beta, "old", -1) == DISKARCH_EHELD);
    CHECK(diskarch_resign(led) == 0);
    CHECK(event_await(alpha, DISKARCH_RELEASED).role == led);
    diskarch_role_free(led);
    CHECK(is_listed("old"));
    CHECK(diskarch_forget(beta, "old", -1) == 0);
    CHECK(!is_listed("old"));
    CHECK(diskarch_forget(beta, "never", -1) == DISKARCH_ENONE);

    uint64_t epoch = 0;
    led = campaign(beta, "old", NULL);
    CHECK(diskarch_wait(led, -1) == 0);
    CHECK(diskarch_remaining_ns(led, &epoch) > 0 && epoch == 2);
    CHECK(is_listed("old"));
    diskarch_role_free(led);
}

/* ---- Being told -------------------------------------------------------------------------------------------------- */

/* Looks until the role is told in this epoch, held or not. */
static void await_told(struct diskarch_observer *watcher, const char *name, uint64_t epoch, bool is_held)
{
    struct diskarch_role_status roles[16];
    size_t count;
    for (;;) {
        CHECK(diskarch_observer_changes(watcher, roles, 16, &count) == 0);
        for (size_t i = 0; i < count; i++) {
            bool is_it = strcmp(roles[i].name, name) == 0;
            CHECK(!is_it || roles[i].epoch <= epoch);
            if (is_it && roles[i].epoch == epoch && roles[i].is_held == is_held) {
                return;
            }
        }
        sleep_ms(10);
    }
}

static void test_changes(void)
{
    struct diskarch_observer *watcher = fixture_observe(&fixture);
    struct diskarch_role_status roles[16];
    size_t count;
    CHECK(diskarch_observer_changes(watcher, roles, 16, &count) == 0 && count > 0);
    for (uint64_t epoch = 1; epoch <= 5; epoch++) {
        struct diskarch_role *led = campaign(epoch % 2 == 0 ? alpha : beta, "news", NULL);
        await_told(watcher, "news", epoch, true);
        CHECK(diskarch_resign(led) == 0);
        await_told(watcher, "news", epoch, false);
        diskarch_role_free(led);
    }
    diskarch_observer_close(watcher);
}

/* Only who wants them is told of renewals. */
static void test_renewals(void)
{
    struct diskarch_options options = {.size = sizeof options,
                                       .disks = fixture.disks,
                                       .disk_count = fixture.disk_count,
                                       .node_name = "delta",
                                       .wants_renewals = true};
    struct diskarch *delta = NULL;
    CHECK(diskarch_open(&options, &delta, NULL, 0) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(event_await(delta, DISKARCH_RENEWED).role == NULL);
    }
    diskarch_close(delta);
    struct diskarch_event event = {.size = sizeof event};
    while (diskarch_dispatch(alpha, &event) == 1) {
        CHECK(event.kind != DISKARCH_RENEWED);
    }
}

int main(void)
{
    fixture_make(&fixture);
    alpha = fixture_open(&fixture, "alpha", false);
    beta = fixture_open(&fixture, "beta", false);
    observer = fixture_observe(&fixture);
    test_asked_to_resign();
    test_request_declined();
    test_questions_without_answer();
    test_transfer();
    test_transfer_asked_for();
    test_priority();
    test_payload();
    test_forget();
    test_changes();
    test_renewals();
    diskarch_observer_close(observer);
    diskarch_close(beta);
    diskarch_close(alpha);
    fixture_remove(&fixture);
    return 0;
}
