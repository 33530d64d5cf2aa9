/*
 * The node thread over a scripted node and scripted disks: what it does when disks refuse, engines fail, leases end at
 * the wrong moment and nobody takes the notices.
 */
#include "fakes.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void campaign(struct runtime *runtime, uint32_t role, const char *name, bool is_try)
{
    runtime_campaign(runtime, &(struct role_command){.role = role, .name = name, .is_try = is_try});
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
    campaign(runtime, 3, "lead", false);
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
    campaign(runtime, 3, "lead too late", false);
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
    campaign(runtime, 0, "over", false);
    expect(runtime, NOTICE_RELEASED);
    expect(runtime, NOTICE_OVER);
    campaign(runtime, 1, "lead", false);
    struct runtime_notice released = expect(runtime, NOTICE_RELEASED);
    CHECK(released.what.role == 1 && released.is_final);
    runtime_close(runtime);
}

/* A resignation that crosses a refusal under way. */
static void test_resign_after_refusal(void)
{
    struct runtime *runtime = open_runtime(false);
    campaign(runtime, 5, "refuse", true);
    runtime_resign(runtime, 5);
    expect(runtime, NOTICE_REFUSED);
    campaign(runtime, 5, "lead", false);
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
    campaign(runtime, 0, "io", false);
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
    campaign(runtime, 0, "io", false);
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
    campaign(runtime, 2, "lead", false);
    expect(runtime, NOTICE_LEADER);
    campaign(runtime, 4, "over", false);
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
    campaign(runtime, 0, "io", false);
    FAKE_AWAIT(fake.request_count == 2);
    fake_complete(0, 'a');
    campaign(runtime, 1, "over", false);
    FAKE_AWAIT(fake.incarnations == 2);
    pthread_mutex_lock(&fake.mutex);
    CHECK(node_id_is_none(fake.params.former));
    pthread_mutex_unlock(&fake.mutex);
    fake_complete(1, 'b');
    FAKE_AWAIT(fake.released_count == 2);
    campaign(runtime, 2, "refuse", false);
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
    campaign(runtime, 1, "lead", false);
    expect(runtime, NOTICE_LEADER);
    pthread_mutex_lock(&fake.mutex);
    fake.submit_error = -EIO;
    pthread_mutex_unlock(&fake.mutex);
    campaign(runtime, 2, "nothing", false);
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
    campaign(runtime, 0, "lead", false);
    CHECK(expect(runtime, NOTICE_LEADER).what.epoch == 100);
    campaign(runtime, 1, "lead for a moment", false);
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

/* N2, N3: what a leader is told and what it publishes. A transfer and a publication reach the node while it leads. */
static void test_transfer_and_payload(void)
{
    struct runtime *runtime = open_runtime(false);
    struct role_command command = {
        .role = 3, .name = "lead", .priority = 7, .payload = (const uint8_t *)"first", .payload_bytes = 5};
    runtime_campaign(runtime, &command);
    expect(runtime, NOTICE_LEADER);
    runtime_transfer(runtime, 3, "beta");
    struct runtime_notice transfer = expect(runtime, NOTICE_TRANSFER);
    CHECK(transfer.what.role == 3 && transfer.what.epoch == 103);
    runtime_publish(runtime, 3, "second", 6);
    CHECK(expect(runtime, NOTICE_PUBLISHED).what.epoch == 103);
    pthread_mutex_lock(&fake.mutex);
    CHECK(fake_last(EVENT_CAMPAIGN)->priority == 7 && strcmp(fake_last(EVENT_CAMPAIGN)->text, "first") == 0);
    CHECK(strcmp(fake_last(EVENT_TRANSFER)->text, "beta") == 0);
    CHECK(strcmp(fake_last(EVENT_PUBLISH)->text, "second") == 0);
    pthread_mutex_unlock(&fake.mutex);
    runtime_resign(runtime, 3);
    expect(runtime, NOTICE_RELEASED);
    runtime_publish(runtime, 3, "too late", 8);
    runtime_transfer(runtime, 3, "too late");
    campaign(runtime, 4, "refuse", false);
    expect(runtime, NOTICE_REFUSED);
    pthread_mutex_lock(&fake.mutex);
    CHECK(fake_count(1, EVENT_PUBLISH) == 1 && fake_count(1, EVENT_TRANSFER) == 1);
    pthread_mutex_unlock(&fake.mutex);
    runtime_close(runtime);
}

/* Far more publications than the queue has room for: none blocks, and the last one stays, also for the next life. */
static void test_publishing_without_end(void)
{
    struct runtime *runtime = open_runtime(true);
    campaign(runtime, 0, "lead", false);
    expect(runtime, NOTICE_LEADER);
    for (int i = 0; i < 1000; i++) {
        runtime_publish(runtime, 0, "flood", 5);
    }
    runtime_publish(runtime, 0, "last", 4);
    campaign(runtime, 1, "over", false);
    FAKE_AWAIT(fake_count(2, EVENT_CAMPAIGN) == 2);
    pthread_mutex_lock(&fake.mutex);
    CHECK(strcmp(fake_last(EVENT_PUBLISH)->text, "last") == 0);
    bool is_kept = false;
    for (int i = 0; i < fake.log_count; i++) {
        const struct fake_event *event = &fake.log[i];
        bool is_again = event->incarnation == 2 && event->kind == EVENT_CAMPAIGN && event->role == 0;
        is_kept = is_kept || (is_again && strcmp(event->text, "last") == 0);
    }
    CHECK(is_kept);
    pthread_mutex_unlock(&fake.mutex);
    runtime_close(runtime);
}

static void call(struct runtime *runtime, uint32_t number, enum call_verb verb, const char *name)
{
    runtime_call(runtime, &(struct call_command){.call = number, .verb = verb, .name = name});
}

static void expect_call(struct runtime *runtime, uint32_t number, enum call_outcome outcome)
{
    CHECK(expect(runtime, NOTICE_CALL_ENDED).what.call == number);
    CHECK(runtime_call_result(runtime, number)->outcome == outcome);
}

static void test_calls(void)
{
    struct runtime *runtime = open_runtime(false);
    call(runtime, 5, CALL_SET, "done");
    expect_call(runtime, 5, CALL_DONE);
    CHECK(runtime_call_result(runtime, 5)->version == 105);
    call(runtime, 5, CALL_SET, "wait");
    runtime_cancel(runtime, 5);
    expect_call(runtime, 5, CALL_CANCELLED);
    /* A cancellation that crosses the end means nothing to the next call under that number. */
    call(runtime, 6, CALL_SET, "done");
    runtime_cancel(runtime, 6);
    expect_call(runtime, 6, CALL_DONE);
    call(runtime, 6, CALL_SET, "done");
    expect_call(runtime, 6, CALL_DONE);
    runtime_close(runtime);
}

static void test_asked(void)
{
    struct runtime *runtime = open_runtime(false);
    campaign(runtime, 3, "lead", false);
    expect(runtime, NOTICE_LEADER);
    call(runtime, 3, CALL_ASK, "asked");
    struct runtime_notice asked = expect(runtime, NOTICE_ASKED);
    CHECK(asked.what.role == 3 && asked.what.ask == ASK_RESIGN && asked.what.epoch == 103);
    runtime_close(runtime);
}

/* Without rejoining, every call ends with the node. The fake says unknown of the odd ones. */
static void test_calls_at_the_end(void)
{
    struct runtime *runtime = open_runtime(false);
    call(runtime, 2, CALL_SET, "wait");
    call(runtime, 3, CALL_GET, "wait");
    call(runtime, 0, CALL_SET, "over");
    expect_call(runtime, 0, CALL_CANCELLED);
    expect_call(runtime, 2, CALL_CANCELLED);
    expect_call(runtime, 3, CALL_UNKNOWN);
    CHECK(expect(runtime, NOTICE_OVER).is_final);
    call(runtime, 4, CALL_SET, "done");
    expect_call(runtime, 4, CALL_CANCELLED);
    runtime_close(runtime);
}

/* With it, a call that has changed nothing goes on under the next incarnation; one of unknown outcome does not, unless
 * doing it again does no harm. */
static void test_calls_that_go_on(void)
{
    struct runtime *runtime = open_runtime(true);
    call(runtime, 2, CALL_SET, "wait");
    call(runtime, 3, CALL_SET, "wait");
    call(runtime, 5, CALL_GET, "wait");
    call(runtime, 0, CALL_SET, "over");
    expect_call(runtime, 3, CALL_UNKNOWN);
    CHECK(!expect(runtime, NOTICE_OVER).is_final);
    FAKE_AWAIT(fake_count(2, EVENT_CALL) == 3);
    runtime_cancel(runtime, 2);
    expect_call(runtime, 2, CALL_CANCELLED);
    runtime_cancel(runtime, 5);
    expect_call(runtime, 5, CALL_CANCELLED);
    runtime_close(runtime);
}

static void test_calls_under_a_failing_engine(void)
{
    struct runtime *runtime = open_runtime(true);
    call(runtime, 2, CALL_SET, "wait");
    FAKE_AWAIT(fake_count(1, EVENT_CALL) == 1);
    pthread_mutex_lock(&fake.mutex);
    fake.submit_error = -EIO;
    pthread_mutex_unlock(&fake.mutex);
    campaign(runtime, 0, "nothing", false);
    CHECK(expect(runtime, NOTICE_RELEASED).what.role == 0);
    expect_call(runtime, 2, CALL_UNKNOWN);
    CHECK(expect(runtime, NOTICE_OVER).is_internal);
    runtime_close(runtime);
}

static void test_disks(void)
{
    struct runtime *runtime = open_runtime(false);
    CHECK(runtime_disk(runtime, 0).state == DISK_GOOD);
    call(runtime, 0, CALL_ASK, "disk");
    CHECK(expect(runtime, NOTICE_DISK).what.disk == 0);
    struct disk_report report = runtime_disk(runtime, 0);
    CHECK(report.state == DISK_OUT && report.cause == DISK_CAUSE_BACKWARDS && report.latency_ns == 5);
    runtime_close(runtime);
}

/* A renewal is a later end of the same lease: counted, and told by the bell alone. */
static void test_renewals(void)
{
    struct runtime *runtime = open_runtime(false);
    campaign(runtime, 0, "lead", false);
    expect(runtime, NOTICE_LEADER);
    CHECK(runtime_renewals(runtime) == 0);
    for (uint64_t i = 1; i <= 3; i++) {
        pthread_mutex_lock(&fake.mutex);
        fake.lease_end_ns += NS_PER_S;
        pthread_mutex_unlock(&fake.mutex);
        campaign(runtime, (uint32_t)i, "nothing", false);
        while (runtime_renewals(runtime) < i) {
            fake_pause();
        }
        CHECK(runtime_renewals(runtime) == i);
    }
    expect_nothing(runtime);
    runtime_close(runtime);
}

static void test_closing_while_leading(void)
{
    struct runtime *runtime = open_runtime(true);
    campaign(runtime, 0, "lead", false);
    expect(runtime, NOTICE_LEADER);
    runtime_close(runtime);
    pthread_mutex_lock(&fake.mutex);
    CHECK(fake_count(1, EVENT_LEAVE) == 1 && fake.incarnations == 1);
    pthread_mutex_unlock(&fake.mutex);
    runtime_close(NULL);
}

/* Closing that comes in the middle of a turn, before the bell is cleared there: the thread ends all the same. */
static void test_closing_during_a_turn(void)
{
    struct runtime *runtime = open_runtime(false);
    campaign(runtime, 0, "over", false);
    expect(runtime, NOTICE_RELEASED);
    expect(runtime, NOTICE_OVER);
    pthread_mutex_lock(&fake.mutex);
    fake.is_reaping_slow = true;
    pthread_mutex_unlock(&fake.mutex);
    campaign(runtime, 1, "nothing", false);
    FAKE_AWAIT(fake.slow_count > 0);
    runtime_close(runtime);
    pthread_mutex_lock(&fake.mutex);
    CHECK(fake.closed_count == 1);
    pthread_mutex_unlock(&fake.mutex);
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
    test_closing_during_a_turn();
    test_transfer_and_payload();
    test_publishing_without_end();
    test_asked();
    test_calls();
    test_calls_at_the_end();
    test_calls_that_go_on();
    test_calls_under_a_failing_engine();
    test_disks();
    test_renewals();
    return 0;
}
