/* What is written of a node's steps is read back as it was, and damaged bytes are told from good ones. */
#include "runtime/recording.h"

#include "block/layout.h"
#include "protocol/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 400, DISKS = 3, ROWS = 90 };

static const struct layout layout = {.block_bytes = 512, .slots = 4, .registers = 200};

struct side {
    struct recording recording;
    uint8_t *rows;
};

static struct side side_new(void)
{
    struct side side = {.rows = malloc(recording_bytes(&layout))};
    cr_assert_not_null(side.rows);
    recording_init(&side.recording, &layout, side.rows);
    return side;
}

/* A read whose row differs in a few words from what the row showed before, or an exchange that failed. */
static struct event event_draw(struct random *random, uint8_t disks[DISKS][ROWS][2048], struct io_action *ret_request)
{
    uint32_t disk = (uint32_t)random_below(random, DISKS);
    uint32_t row = (uint32_t)random_below(random, ROWS);
    uint32_t tag = (uint32_t)random_below(random, 100);
    bool is_good = random_below(random, 10) != 0;
    uint8_t *bytes = disks[disk][row];
    for (uint64_t i = random_below(random, 5); i > 0; i--) {
        bytes[random_below(random, 2048)] = (uint8_t)random_below(random, 256);
    }
    *ret_request = (struct io_action){.operation = IO_READ, .disk = disk, .row = row, .tag = tag};
    return (struct event){.kind = EVENT_IO,
                          .fast_ns = (int64_t)random_below(random, UINT32_MAX),
                          .slow_ns = 7,
                          .wall_ns = -5,
                          .as.io = {.tag = tag,
                                    .is_write_ok = random_below(random, 2) == 0,
                                    .is_read_ok = is_good,
                                    .bytes = is_good ? bytes : NULL}};
}

static void expect_same_io(const struct event *sent, const struct event *back)
{
    cr_assert_eq(back->kind, sent->kind);
    cr_assert_eq(back->fast_ns, sent->fast_ns);
    cr_assert_eq(back->slow_ns, sent->slow_ns);
    cr_assert_eq(back->wall_ns, sent->wall_ns);
    cr_assert_eq(back->as.io.tag, sent->as.io.tag);
    cr_assert_eq(back->as.io.is_write_ok, sent->as.io.is_write_ok);
    cr_assert_eq(back->as.io.is_read_ok, sent->as.io.is_read_ok);
    if (sent->as.io.is_read_ok) {
        cr_assert_arr_eq(back->as.io.bytes, sent->as.io.bytes, layout_row_bytes(&layout));
    } else {
        cr_assert_null(back->as.io.bytes);
    }
}

/* More rows than are remembered, so that some make room for others on both sides alike. */
Test(recording, rows_are_read_back_as_they_were)
{
    static uint8_t disks[DISKS][ROWS][2048];
    struct side writer = side_new();
    struct side reader = side_new();
    struct random random;
    random_seed(&random, (const uint64_t[]){11, 12});
    uint8_t *bytes = malloc(recording_step_bytes(&layout));
    struct recording_text text;
    size_t most = 0;
    for (int i = 0; i < STEPS; i++) {
        struct io_action request;
        struct event sent = event_draw(&random, disks, &request);
        struct actions actions = {.ios = &request, .io_count = 1};
        recording_note_requests(&writer.recording, &actions);
        recording_note_requests(&reader.recording, &actions);
        size_t used = recording_write_event(&writer.recording, &sent, bytes);
        struct event back;
        cr_assert_eq(recording_read_event(&reader.recording, bytes, used, &back, &text), used);
        expect_same_io(&sent, &back);
        most = used > most ? used : most;
        cr_assert_leq(used, recording_step_bytes(&layout));
    }
    cr_expect_gt(most, 0);
    free(bytes);
    free(writer.rows);
    free(reader.rows);
}

Test(recording, commands_are_read_back_with_their_texts)
{
    struct side side = side_new();
    uint8_t bytes[2048];
    uint8_t value[PAYLOAD_BYTES_MAX];
    memset(value, 'v', sizeof value);
    struct event sent = {.kind = EVENT_CALL,
                         .as.call = {.call = 3,
                                     .verb = CALL_COMPARE_SET,
                                     .name = "config",
                                     .has_expected = true,
                                     .bytes = value,
                                     .byte_count = sizeof value,
                                     .expected_bytes = (const uint8_t *)"",
                                     .expected_count = 0}};
    struct event back;
    struct recording_text text;
    size_t used = recording_write_event(&side.recording, &sent, bytes);
    cr_assert_eq(recording_read_event(&side.recording, bytes, used, &back, &text), used);
    cr_expect_eq(back.as.call.call, 3);
    cr_expect_eq(back.as.call.verb, CALL_COMPARE_SET);
    cr_expect_str_eq(back.as.call.name, "config");
    cr_expect_null(back.as.call.successor_name);
    cr_expect(back.as.call.has_expected);
    cr_expect_eq(back.as.call.byte_count, sizeof value);
    cr_expect_arr_eq(back.as.call.bytes, value, sizeof value);
    cr_expect_eq(back.as.call.expected_count, 0);

    struct event campaign = {.kind = EVENT_CAMPAIGN,
                             .as.command = {.role = 5, .is_try = true, .name = "db", .priority = 9}};
    used = recording_write_event(&side.recording, &campaign, bytes);
    for (size_t count = 0; count < used; count++) {
        cr_expect_eq(recording_read_event(&side.recording, bytes, count, &back, &text), 0, "%zu bytes are enough",
                     count);
    }
    cr_assert_eq(recording_read_event(&side.recording, bytes, used, &back, &text), used);
    cr_expect(back.as.command.is_try && back.as.command.role == 5 && back.as.command.priority == 9);
    cr_expect_str_eq(back.as.command.name, "db");
    free(side.rows);
}

Test(recording, other_actions_are_told)
{
    struct side side = side_new();
    uint8_t bytes[64];
    struct io_action io = {.operation = IO_READ, .disk = 1, .row = 2, .tag = 4};
    struct notice notice = {.kind = NOTICE_LEADER, .role = 1, .epoch = 7};
    struct actions actions = {.ios = &io, .io_count = 1, .notices = &notice, .notice_count = 1, .wake_fast_ns = 9};
    bool is_same = false;
    size_t used = recording_write_actions(&side.recording, &actions, bytes);
    cr_assert_eq(recording_read_actions(&side.recording, bytes, used, &actions, &is_same), used);
    cr_expect(is_same);
    notice.epoch = 8;
    cr_assert_eq(recording_read_actions(&side.recording, bytes, used, &actions, &is_same), used);
    cr_expect_not(is_same);
    notice.epoch = 7;
    io.row = 3;
    cr_assert_eq(recording_read_actions(&side.recording, bytes, used, &actions, &is_same), used);
    cr_expect_not(is_same);
    cr_expect_eq(recording_read_actions(&side.recording, bytes, used - 1, &actions, &is_same), 0);
    free(side.rows);
}

/* Whatever stands in a file, reading it stays inside what there is. */
Test(recording, any_bytes_are_safe_to_read)
{
    struct side side = side_new();
    struct random random;
    random_seed(&random, (const uint64_t[]){1, 2});
    uint8_t bytes[300];
    struct event event;
    struct recording_text text;
    for (int i = 0; i < 20000; i++) {
        for (size_t at = 0; at < sizeof bytes; at++) {
            bytes[at] = (uint8_t)(random_below(&random, 4) == 0 ? random_below(&random, 256) : 0);
        }
        bytes[0] = (uint8_t)random_below(&random, 10);
        memset(bytes + 1, 0, 3);
        cr_assert_leq(recording_read_event(&side.recording, bytes, sizeof bytes, &event, &text), sizeof bytes);
    }
    free(side.rows);
}
