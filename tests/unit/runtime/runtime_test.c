/*
 * The node thread over a scripted node and scripted disks: what it does when disks refuse, engines fail, leases end at
 * the wrong moment and nobody takes the notices.
 */
#include "fakes.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(bool is_true, const char *condition, int line)
{
    if (!is_true) {
        fprintf(stderr, "runtime_test.c:%d: this does not hold: %s\n", line, condition);
        exit(1);
    }
}

static struct runtime *open_runtime(bool is_rejoining)
{
    struct runtime_options options = {.node_name = "fake", .is_rejoining = is_rejoining};
    struct runtime *runtime = NULL;
    char message[256] = "";
    fake_reset();
    CHECK(runtime_open(&options, &runtime, message, sizeof message) == 0);
    return runtime;
}

static struct runtime_notice await_notice(struct runtime *runtime)
{
    struct runtime_notice notice;
    struct bell *bell = runtime_bell(runtime);
    for (;;) {
        uint32_t seen = bell_rings(bell);
        if (runtime_take_notice(runtime, &notice)) {
            return notice;
        }
        bell_wait(bell, seen, -1);
    }
}

static struct runtime_notice expect(struct runtime *runtime, enum notice_kind kind)
{
    struct runtime_notice notice = await_notice(runtime);
    if (notice.what.kind != kind) {
        fprintf(stderr, "notice %d instead of %d\n", (int)notice.what.kind, (int)kind);
    }
    CHECK(notice.what.kind == kind);
    return notice;
}

static void expect_nothing(struct runtime *runtime)
{
    struct runtime_notice notice;
    CHECK(!runtime_take_notice(runtime, &notice));
}

/* N5, N7: led, published, resigned. */
static void test_leading(void)
{
    struct runtime *runtime = open_runtime(false);
    uint64_t epoch = 0;
    CHECK(runtime_roles_max(runtime) >= 8);
    runtime_campaign(runtime, 3, "lead", false);
    CHECK(expect(runtime, NOTICE_LEADER).what.epoch == 103);
    CHECK(runtime_remaining_ns(runtime, 3, &epoch) > 0 && epoch == 103);
    CHECK(runtime_remaining_ns(runtime, 2, NULL) == 0);
    runtime_resign(runtime, 3);
    CHECK(expect(runtime, NOTICE_RELEASED).what.role == 3);
    CHECK(runtime_remaining_ns(runtime, 3, NULL) == 0);
    runtime_close(runtime);
}

/* T1, N5: the lease ended between the commit and the clock that is read before publishing: nobody is told of it. */
static void test_leadership_too_late(void)
{
    struct runtime *runtime = open_runtime(false);
    runtime_campaign(runtime, 3, "lead too late", false);
    CHECK(expect(runtime, NOTICE_RELEASED).is_final);
    struct runtime_notice over = expect(runtime, NOTICE_OVER);
    CHECK(over.what.reason == OVER_LEASE && over.is_final && !over.is_internal);
    expect_nothing(runtime);
    runtime_close(runtime);
}

/* A number given after the end is released at once, so that nothing waits for ever. */
static void test_campaign_after_the_end(void)
{
    struct runtime *runtime = open_runtime(false);
    runtime_campaign(runtime, 0, "over", false);
    expect(runtime, NOTICE_RELEASED);
    expect(runtime, NOTICE_OVER);
    runtime_campaign(runtime, 1, "lead", false);
    struct runtime_notice released = expect(runtime, NOTICE_RELEASED);
    CHECK(released.what.role == 1 && released.is_final);
    runtime_close(runtime);
}

/* A resignation that crosses a refusal under way. */
static void test_resign_after_refusal(void)
{
    struct runtime *runtime = open_runtime(false);
    runtime_campaign(runtime, 5, "refuse", true);
    runtime_resign(runtime, 5);
    expect(runtime, NOTICE_REFUSED);
    runtime_campaign(runtime, 5, "lead", false);
    expect(runtime, NOTICE_LEADER);
    pthread_mutex_lock(&fake.mutex);
    CHECK(fake_count(1, EVENT_RESIGN) == 0);
    pthread_mutex_unlock(&fake.mutex);
    runtime_close(runtime);
}

/* What the engine cannot take is answered as failed, once, and not in the same breath. */
static void test_refused_requests(void)
{
    struct runtime *runtime = open_runtime(false);
    fake.queue_error = -ENODEV;
    runtime_campaign(runtime, 0, "io", false);
    FAKE_AWAIT(fake_count(1, EVENT_IO) == 2);
    pthread_mutex_lock(&fake.mutex);
    for (int i = 0; i < fake.log_count; i++) {
        CHECK(fake.log[i].kind != EVENT_IO || (!fake.log[i].is_write_ok && !fake.log[i].is_read_ok));
    }
    CHECK(fake.request_count == 0 && fake.released_count == 0);
    pthread_mutex_unlock(&fake.mutex);
    runtime_close(runtime);
}

static void test_completions(void)
{
    struct runtime *runtime = open_runtime(false);
    runtime_campaign(runtime, 0, "io", false);
    FAKE_AWAIT(fake.request_count == 2);
    fake_complete(1, 'x');
    FAKE_AWAIT(fake_count(1, EVENT_IO) == 1 && fake.released_count == 1);
    pthread_mutex_lock(&fake.mutex);
    const struct fake_event *event = &fake.log[fake.log_count - 1];
    CHECK(event->tag == 8 && event->is_write_ok && event->is_read_ok && event->first_byte == 'x');
    pthread_mutex_unlock(&fake.mutex);
    runtime_close(runtime);
}

/* Y2: a new incarnation with every campaign but those that were being resigned. Drained: it knows its former self. */
static void test_rejoining(void)
{
    struct runtime *runtime = open_runtime(true);
    runtime_campaign(runtime, 2, "lead", false);
    expect(runtime, NOTICE_LEADER);
    runtime_campaign(runtime, 4, "over", false);
    struct runtime_notice lost = expect(runtime, NOTICE_LOST);
    CHECK(lost.what.role == 2 && lost.what.epoch == 102);
    CHECK(!expect(runtime, NOTICE_OVER).is_final);
    CHECK(expect(runtime, NOTICE_LEADER).what.epoch == 202);
    FAKE_AWAIT(fake_count(2, EVENT_CAMPAIGN) == 2);
    pthread_mutex_lock(&fake.mutex);
    CHECK(fake.params.former.slot == 1 && fake.params.former.incarnation == 4711);
    pthread_mutex_unlock(&fake.mutex);
    runtime_close(runtime);
}

/*
 * D2, S5: a hung request outlives its incarnation. The next one does not claim that nothing is on its way, and never
 * sees the late answer.
 */
static void test_rejoining_with_a_hung_request(void)
{
    struct runtime *runtime = open_runtime(true);
    runtime_campaign(runtime, 0, "io", false);
    FAKE_AWAIT(fake.request_count == 2);
    fake_complete(0, 'a');
    runtime_campaign(runtime, 1, "over", false);
    FAKE_AWAIT(fake.incarnations == 2);
    pthread_mutex_lock(&fake.mutex);
    CHECK(node_id_is_none(fake.params.former));
    pthread_mutex_unlock(&fake.mutex);
    fake_complete(1, 'b');
    FAKE_AWAIT(fake.released_count == 2);
    runtime_campaign(runtime, 2, "refuse", false);
    FAKE_AWAIT(fake_count(2, EVENT_CAMPAIGN) == 3);
    pthread_mutex_lock(&fake.mutex);
    CHECK(fake_count(2, EVENT_IO) == 0);
    pthread_mutex_unlock(&fake.mutex);
    runtime_close(runtime);
}

/* The engine fails for good: what is led is lost, the reason is told, and closing works. */
static void test_failing_engine(void)
{
    struct runtime *runtime = open_runtime(true);
    runtime_campaign(runtime, 1, "lead", false);
    expect(runtime, NOTICE_LEADER);
    pthread_mutex_lock(&fake.mutex);
    fake.submit_error = -EIO;
    pthread_mutex_unlock(&fake.mutex);
    runtime_campaign(runtime, 2, "nothing", false);
    struct runtime_notice lost = expect(runtime, NOTICE_LOST);
    CHECK(lost.what.role == 1 && lost.what.epoch == 101 && lost.is_internal);
    CHECK(expect(runtime, NOTICE_RELEASED).what.role == 1);
    CHECK(expect(runtime, NOTICE_RELEASED).what.role == 2);
    struct runtime_notice over = expect(runtime, NOTICE_OVER);
    CHECK(over.is_internal && over.is_final);
    CHECK(runtime_remaining_ns(runtime, 1, NULL) == 0);
    runtime_close(runtime);
}

/* Nobody takes notices for many lives: of leaderships that nobody was told of only the last is told, and every end that
 * is told follows its begin. */
static void test_nobody_listens(void)
{
    struct runtime *runtime = open_runtime(true);
    runtime_campaign(runtime, 0, "lead", false);
    CHECK(expect(runtime, NOTICE_LEADER).what.epoch == 100);
    runtime_campaign(runtime, 1, "lead for a moment", false);
    FAKE_AWAIT(fake.incarnations > 100);
    pthread_mutex_lock(&fake.mutex);
    fake.submit_error = -EIO; /* ends it */
    pthread_mutex_unlock(&fake.mutex);
    uint64_t led[2] = {100, 0};
    int taken = 0;
    for (;;) {
        struct runtime_notice notice = await_notice(runtime);
        taken++;
        if (notice.what.kind == NOTICE_LEADER) {
            CHECK(led[notice.what.role] == 0);
            led[notice.what.role] = notice.what.epoch;
        } else if (notice.what.kind == NOTICE_LOST) {
            CHECK(led[notice.what.role] == notice.what.epoch);
            led[notice.what.role] = 0;
        } else if (notice.what.kind == NOTICE_OVER && notice.is_final) {
            break;
        }
    }
    CHECK(led[0] == 0 && led[1] == 0 && taken > 256);
    runtime_close(runtime);
}

static void test_closing_while_leading(void)
{
    struct runtime *runtime = open_runtime(true);
    runtime_campaign(runtime, 0, "lead", false);
    expect(runtime, NOTICE_LEADER);
    runtime_close(runtime);
    pthread_mutex_lock(&fake.mutex);
    CHECK(fake_count(1, EVENT_LEAVE) == 1 && fake.incarnations == 1);
    pthread_mutex_unlock(&fake.mutex);
    runtime_close(NULL);
}

int main(void)
{
    test_leading();
    test_leadership_too_late();
    test_campaign_after_the_end();
    test_resign_after_refusal();
    test_refused_requests();
    test_completions();
    test_rejoining();
    test_rejoining_with_a_hung_request();
    test_failing_engine();
    test_nobody_listens();
    test_closing_while_leading();
    return 0;
}
