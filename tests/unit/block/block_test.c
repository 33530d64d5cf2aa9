#include "block/endian.h"
#include "block/header.h"
#include "block/layout.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ROW_OF_A_REGISTER = 9, ROWS = 3 };

/* Offsets as in src/block/README.md. */
enum { KIND = 4, MAJOR = 8, MINOR = 10, INCARNATION = 32, SEQUENCE = 40, SPARE_OF_HEARTBEAT = 500 };

static const uint32_t rows[ROWS] = {ROW_CLAIM, ROW_HEARTBEAT, ROW_OF_A_REGISTER};
static const uint32_t sizes[] = {512, 4096, 65536};

static uint8_t block[BLOCK_BYTES_MAX];

Test(block, kind_follows_from_the_row)
{
    cr_expect_eq(block_kind_of_row(ROW_CLAIM), BLOCK_CLAIM);
    cr_expect_eq(block_kind_of_row(ROW_HEARTBEAT), BLOCK_HEARTBEAT);
    cr_expect_eq(block_kind_of_row(ROW_LEDGER_FIRST), BLOCK_REGISTER);
    cr_expect_eq(block_kind_of_row(UINT32_MAX), BLOCK_REGISTER);
}

/* ---- Round trips ---------------------------------------------------------------------------------------------------- */

Test(block, claim_round_trip)
{
    for (size_t i = 0; i < 3; i++) {
        struct block_place place = fixture_place(ROW_CLAIM);
        struct claim_block sent = fixture_claim();
        struct claim_block back;
        memset(block, 0xee, sizeof block);
        block_encode_claim(block, sizes[i], &place, &sent);
        cr_assert(block_decode_claim(block, sizes[i], &place, &back));
        cr_expect_eq(back.author.incarnation, sent.author.incarnation);
        cr_expect_eq(back.author.sequence, sent.author.sequence);
        cr_expect_arr_eq(back.node_name, sent.node_name, NAME_FIELD_BYTES);
    }
}

static void expect_same_heartbeat(const struct heartbeat_block *a, const struct heartbeat_block *b)
{
    cr_expect_eq(a->author.incarnation, b->author.incarnation);
    cr_expect_eq(a->author.sequence, b->author.sequence);
    cr_expect_eq(a->state, b->state);
    cr_expect_eq(a->counter, b->counter);
    cr_expect_arr_eq(a->node_name, b->node_name, NAME_FIELD_BYTES);
    cr_expect_eq(a->started_wall_ns, b->started_wall_ns);
    cr_expect_eq(a->engine, b->engine);
    cr_expect_eq(a->watchdog_promise_ns, b->watchdog_promise_ns);
    cr_expect_eq(a->verdict_count, b->verdict_count);
    for (size_t i = 0; i < VERDICTS_MAX; i++) {
        cr_expect(node_id_is_same(a->verdicts[i], b->verdicts[i]));
    }
    cr_expect_arr_eq(&a->beacon, &b->beacon, sizeof a->beacon);
    cr_expect_eq(a->ask.verb, b->ask.verb);
    cr_expect_eq(a->ask.register_index, b->ask.register_index);
    cr_expect(node_id_is_same(a->ask.holder, b->ask.holder));
    cr_expect(node_id_is_same(a->ask.successor, b->ask.successor));
    cr_expect_eq(a->counted_out, b->counted_out);
}

static void expect_heartbeat_round_trip(const struct heartbeat_block *sent, uint32_t block_bytes)
{
    struct block_place place = fixture_place(ROW_HEARTBEAT);
    struct heartbeat_block back;
    memset(block, 0xee, sizeof block);
    block_encode_heartbeat(block, block_bytes, &place, sent);
    cr_assert(block_decode_heartbeat(block, block_bytes, &place, &back));
    expect_same_heartbeat(sent, &back);
}

Test(block, heartbeat_round_trip)
{
    struct heartbeat_block heartbeat = fixture_heartbeat();
    for (size_t i = 0; i < 3; i++) {
        expect_heartbeat_round_trip(&heartbeat, sizes[i]);
    }
    heartbeat.state = HEARTBEAT_JOINED;
    expect_heartbeat_round_trip(&heartbeat, 512);
    heartbeat.state = HEARTBEAT_LEFT;
    expect_heartbeat_round_trip(&heartbeat, 512);
}

Test(block, heartbeat_with_all_verdicts_and_extreme_numbers)
{
    struct heartbeat_block heartbeat = fixture_heartbeat();
    heartbeat.counter = UINT64_MAX;
    heartbeat.started_wall_ns = INT64_MIN;
    heartbeat.watchdog_promise_ns = UINT64_MAX;
    heartbeat.engine = UINT32_MAX;
    heartbeat.verdict_count = VERDICTS_MAX;
    for (uint32_t i = 0; i < VERDICTS_MAX; i++) {
        heartbeat.verdicts[i] = (struct node_id){.slot = SLOTS_MAX - 1 - i, .incarnation = UINT64_MAX - i};
    }
    heartbeat.counted_out = UINT32_MAX;
    heartbeat.ask = (struct ask){
        .verb = ASK_TRANSFER,
        .register_index = REGISTERS_MAX - 1,
        .holder = {.slot = SLOTS_MAX - 1, .incarnation = UINT64_MAX},
        .successor = {.slot = SLOTS_MAX - 2, .incarnation = UINT64_MAX - 1},
    };
    for (uint32_t i = 0; i < BEACON_CHANGES; i++) {
        heartbeat.beacon.changes[i] = (REGISTERS_MAX - i) | (i % 2 == 0 ? BEACON_WANTED : 0);
    }
    for (uint32_t i = 0; i < BEACON_BUCKETS; i++) {
        heartbeat.beacon.buckets[i] = (uint16_t)(UINT16_MAX - i);
    }
    expect_heartbeat_round_trip(&heartbeat, 512);
}

static void expect_register_round_trip(const struct register_block *sent, uint32_t block_bytes)
{
    struct block_place place = fixture_place(ROW_OF_A_REGISTER);
    struct register_block back;
    memset(block, 0xee, sizeof block);
    block_encode_register(block, block_bytes, &place, sent);
    cr_assert(block_decode_register(block, block_bytes, &place, &back));
    cr_expect_eq(back.author.incarnation, sent->author.incarnation);
    cr_expect_eq(back.author.sequence, sent->author.sequence);
    cr_expect(ballot_is_same(back.promised, sent->promised));
    cr_expect(ballot_is_same(back.accepted, sent->accepted));
    cr_expect(ballot_is_same(back.committed, sent->committed));
    cr_expect_arr_eq(back.value, sent->value, VALUE_BYTES);
}

Test(block, register_round_trip)
{
    struct register_block content = fixture_register();
    for (size_t i = 0; i < 3; i++) {
        expect_register_round_trip(&content, sizes[i]);
    }
    memset(content.value, 0xff, VALUE_BYTES);
    expect_register_round_trip(&content, 512);
    content.accepted = content.promised;
    expect_register_round_trip(&content, 512);
    content.accepted = (struct ballot){0};
    memset(content.value, 0, VALUE_BYTES);
    expect_register_round_trip(&content, 512);
}

/* ---- Empty ---------------------------------------------------------------------------------------------------------- */

Test(block, empty_is_intact_and_nobodys)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct block_place place = fixture_place(rows[i]);
        block_encode_empty(block, 4096, &place);
        cr_expect(fixture_decodes(block, 4096, &place));
    }
    struct block_place place = fixture_place(ROW_OF_A_REGISTER);
    static const struct register_block nothing;
    struct register_block back;
    memset(&back, 0xee, sizeof back);
    cr_assert(block_decode_register(block, 4096, &place, &back));
    cr_expect_eq(back.author.incarnation, 0);
    cr_expect_eq(back.author.sequence, 0);
    cr_expect(ballot_is_none(back.promised) && ballot_is_none(back.accepted) && ballot_is_none(back.committed));
    cr_expect_arr_eq(back.value, nothing.value, VALUE_BYTES);
}

/* Content of nobody encodes to the same bytes, whatever else it says. */
Test(block, content_without_author_is_empty)
{
    uint8_t empty[512];
    struct block_place place = fixture_place(ROW_HEARTBEAT);
    struct heartbeat_block heartbeat = fixture_heartbeat();
    heartbeat.author.incarnation = 0;
    block_encode_heartbeat(block, 512, &place, &heartbeat);
    block_encode_empty(empty, 512, &place);
    cr_expect_arr_eq(block, empty, 512);
}

Test(block, all_zero_is_damaged)
{
    memset(block, 0, sizeof block);
    for (size_t i = 0; i < ROWS; i++) {
        struct block_place place = {.row = rows[i]};
        cr_expect_not(fixture_decodes(block, 512, &place));
    }
}

/* An incarnation of zero with anything else in the block, wherever it is, is damage: even under a good checksum. */
Test(block, nobody_has_written_nothing)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct block_place place = fixture_place(rows[i]);
        for (uint32_t at = SEQUENCE; at < 1024 - 4; at++) {
            block_encode_empty(block, 1024, &place);
            block[at] = 1;
            fixture_reseal(block, 1024);
            cr_assert_not(fixture_decodes(block, 1024, &place), "row %u, byte %u", rows[i], at);
        }
    }
}

/* ---- Damage --------------------------------------------------------------------------------------------------------- */

/* D4 and the one assumption of section 2: whatever single bit flips, in a used or an empty block, it is seen. */
Test(block, every_flipped_bit_is_damage)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct block_place place = fixture_place(rows[i]);
        fixture_encode(block, 512, rows[i]);
        for (uint32_t bit = 0; bit < 2 * 512 * 8; bit++) {
            if (bit == 512 * 8) {
                block_encode_empty(block, 512, &place);
            }
            uint32_t at = bit / 8 % 512;
            block[at] = (uint8_t)(block[at] ^ 1u << bit % 8);
            cr_assert_not(fixture_decodes(block, 512, &place), "row %u, bit %u", rows[i], bit);
            block[at] = (uint8_t)(block[at] ^ 1u << bit % 8);
        }
        cr_expect(fixture_decodes(block, 512, &place));
    }
}

/* A write torn at any sector's or any byte's edge leaves old and new mixed: seen as damage unless nothing differs. */
Test(block, torn_writes_are_damage)
{
    uint8_t old[512];
    struct block_place place = fixture_place(ROW_HEARTBEAT);
    struct heartbeat_block heartbeat = fixture_heartbeat();
    block_encode_heartbeat(old, 512, &place, &heartbeat);
    heartbeat.author.sequence++;
    heartbeat.counter++;
    for (size_t torn = 1; torn < 512; torn++) {
        block_encode_heartbeat(block, 512, &place, &heartbeat);
        memcpy(block + torn, old + torn, 512 - torn);
        cr_assert_eq(fixture_decodes(block, 512, &place), memcmp(block, old, 512) == 0, "torn at %zu", torn);
    }
}

Test(block, wrong_place_is_damage)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct block_place place = fixture_place(rows[i]);
        for (int is_empty = 0; is_empty < 2; is_empty++) {
            if (is_empty) {
                block_encode_empty(block, 512, &place);
            } else {
                fixture_encode(block, 512, rows[i]);
            }
            struct block_place other_set = place, other_disk = place, other_slot = place;
            other_set.set_tag ^= UINT64_C(1) << 63;
            other_disk.disk++;
            other_slot.slot--;
            cr_expect(fixture_decodes(block, 512, &place));
            cr_expect_not(fixture_decodes(block, 512, &other_set));
            cr_expect_not(fixture_decodes(block, 512, &other_disk));
            cr_expect_not(fixture_decodes(block, 512, &other_slot));
        }
    }
    struct block_place other_row = fixture_place(ROW_OF_A_REGISTER + 1);
    cr_expect_not(fixture_decodes(block, 512, &other_row));
}

Test(block, wrong_kind_is_damage)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct block_place place = fixture_place(rows[i]);
        fixture_encode(block, 512, rows[i]);
        for (uint16_t kind = 0; kind < 6; kind++) {
            le_store16(block + KIND, kind);
            fixture_reseal(block, 512);
            cr_expect_eq(fixture_decodes(block, 512, &place), kind == block_kind_of_row(rows[i]));
        }
    }
}

/* Two rows of a set hold blocks of different kinds: a claim read as a heartbeat is damage. */
Test(block, block_of_another_row_is_damage)
{
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < ROWS; j++) {
            struct block_place place = fixture_place(rows[j]);
            fixture_encode(block, 512, rows[i]);
            cr_expect_eq(fixture_decodes(block, 512, &place), i == j);
        }
    }
}

Test(block, wrong_size_is_damage)
{
    struct block_place place = fixture_place(ROW_CLAIM);
    memset(block, 0, sizeof block);
    fixture_encode(block, 512, ROW_CLAIM);
    cr_expect_not(fixture_decodes(block, 1024, &place));
}

Test(block, damage_leaves_the_output_untouched)
{
    struct block_place place = fixture_place(ROW_OF_A_REGISTER);
    struct register_block back, before;
    memset(&back, 0xee, sizeof back);
    before = back;
    fixture_encode(block, 512, ROW_OF_A_REGISTER);
    block[100] ^= 1;
    cr_expect_not(block_decode_register(block, 512, &place, &back));
    cr_expect_eq(memcmp(&back, &before, sizeof back), 0);
}

Test(block, any_bytes_are_safe)
{
    uint64_t random = 11;
    for (int round = 0; round < 20000; round++) {
        uint32_t row = rows[round % ROWS];
        struct block_place place = fixture_place(row);
        fixture_encode(block, 512, row);
        for (uint64_t change = fixture_random(&random) % 16; change < 16; change++) {
            block[INCARNATION + fixture_random(&random) % 470] = (uint8_t)fixture_random(&random);
        }
        fixture_reseal(block, 512);
        (void)fixture_decodes(block, 512, &place);
    }
}

/* ---- Contents under a good checksum --------------------------------------------------------------------------------- */

struct fault {
    const char *what;
    uint32_t row;
    uint32_t at;
    uint8_t byte;
};

Test(block, impossible_contents_are_damage)
{
    static const struct fault faults[] = {
        {"claim: no name", ROW_CLAIM, 48, 0},
        {"claim: control character in the name", ROW_CLAIM, 49, 7},
        {"claim: bytes behind the name", ROW_CLAIM, 48 + 63, 'x'},
        {"heartbeat: no state", ROW_HEARTBEAT, 72, 0},
        {"heartbeat: unknown state", ROW_HEARTBEAT, 72, HEARTBEAT_LEFT + 1},
        {"heartbeat: verdict of nobody", ROW_HEARTBEAT, 74, 3},
        {"heartbeat: verdict of an impossible slot", ROW_HEARTBEAT, 144 + 2, 1},
        {"heartbeat: no name", ROW_HEARTBEAT, 80, 0},
        {"heartbeat: invalid UTF-8 in the name", ROW_HEARTBEAT, 81, 0xff},
        {"heartbeat: an ask of nobody", ROW_HEARTBEAT, 416, ASK_REQUEST},
        {"heartbeat: unknown ask", ROW_HEARTBEAT, 416, ASK_TRANSFER + 1},
        {"heartbeat: a holder without an ask", ROW_HEARTBEAT, 404 + 4, 1},
        {"register: accepted above promised", ROW_OF_A_REGISTER, 68, 13},
        {"register: value without a ballot", ROW_OF_A_REGISTER, 68, 0},
        {"register: promise in round 0 by somebody", ROW_OF_A_REGISTER, 48, 0},
        {"register: promise in an impossible slot", ROW_OF_A_REGISTER, 56 + 2, 1},
        {"register: commit mark in an impossible slot", ROW_OF_A_REGISTER, 88 + 8 + 3, 1},
        {"register: commit mark in round 0 by somebody", ROW_OF_A_REGISTER, 88, 0},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct block_place place = fixture_place(faults[i].row);
        fixture_encode(block, 512, faults[i].row);
        cr_assert_neq(block[faults[i].at], faults[i].byte, "%s: nothing to change", faults[i].what);
        block[faults[i].at] = faults[i].byte;
        fixture_reseal(block, 512);
        cr_expect_not(fixture_decodes(block, 512, &place), "%s", faults[i].what);
    }
}

/* A ninth verdict would stand where a later minor version keeps something else. */
Test(block, ninth_verdict_is_damage)
{
    struct block_place place = fixture_place(ROW_HEARTBEAT);
    fixture_encode(block, 512, ROW_HEARTBEAT);
    for (uint32_t i = 0; i <= VERDICTS_MAX; i++) {
        le_store32(block + 144 + i * 12, i);
        le_store64(block + 144 + i * 12 + 4, 100 + i);
    }
    block[74] = VERDICTS_MAX;
    fixture_reseal(block, 512);
    cr_expect(fixture_decodes(block, 512, &place));
    block[74] = VERDICTS_MAX + 1;
    fixture_reseal(block, 512);
    cr_expect_not(fixture_decodes(block, 512, &place));
}

Test(block, value_without_a_ballot_is_damage)
{
    struct block_place place = fixture_place(ROW_OF_A_REGISTER);
    fixture_encode(block, 512, ROW_OF_A_REGISTER);
    memset(block + 68, 0, 20);
    fixture_reseal(block, 512);
    cr_expect_not(fixture_decodes(block, 512, &place));
    memset(block + 108, 0, VALUE_BYTES);
    fixture_reseal(block, 512);
    cr_expect(fixture_decodes(block, 512, &place));
}

/* ---- Versions ------------------------------------------------------------------------------------------------------- */

Test(block, fields_of_a_newer_minor_version_are_ignored)
{
    struct block_place place = fixture_place(ROW_HEARTBEAT);
    struct heartbeat_block sent = fixture_heartbeat();
    struct heartbeat_block back;
    block_encode_heartbeat(block, 512, &place, &sent);
    le_store16(block + MINOR, 7);
    memset(block + SPARE_OF_HEARTBEAT, 0xab, 512 - 4 - SPARE_OF_HEARTBEAT);
    fixture_reseal(block, 512);
    cr_assert(block_decode_heartbeat(block, 512, &place, &back));
    expect_same_heartbeat(&sent, &back);
}

Test(block, spare_bytes_are_ignored)
{
    static const uint32_t spare[ROWS] = {112, SPARE_OF_HEARTBEAT, 412};
    for (size_t i = 0; i < ROWS; i++) {
        struct block_place place = fixture_place(rows[i]);
        fixture_encode(block, 512, rows[i]);
        memset(block + spare[i], 0xcd, 512 - 4 - spare[i]);
        memset(block + 28, 0xcd, 4);
        fixture_reseal(block, 512);
        cr_expect(fixture_decodes(block, 512, &place));
    }
}

Test(block, another_major_version_is_not_read)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct block_place place = fixture_place(rows[i]);
        fixture_encode(block, 512, rows[i]);
        le_store16(block + MAJOR, FORMAT_MAJOR + 1);
        fixture_reseal(block, 512);
        cr_expect_not(fixture_decodes(block, 512, &place));
    }
}

Test(block, what_is_wrong_is_told_apart)
{
    uint8_t bytes[512];
    for (size_t i = 0; i < ROWS; i++) {
        struct block_place place = fixture_place(rows[i]);
        struct block_place other = place;
        fixture_encode(bytes, sizeof bytes, rows[i]);
        cr_expect_eq(block_judge(bytes, sizeof bytes, &place), BLOCK_WRITTEN);
        other.slot++;
        cr_expect_eq(block_judge(bytes, sizeof bytes, &other), BLOCK_MISPLACED);
        bytes[60] ^= 1;
        cr_expect_eq(block_judge(bytes, sizeof bytes, &place), BLOCK_DAMAGED);
        bytes[60] ^= 1;
        bytes[8] = FORMAT_MAJOR + 1;
        fixture_reseal(bytes, sizeof bytes);
        cr_expect_eq(block_judge(bytes, sizeof bytes, &place), BLOCK_NEWER);
        memset(bytes, 0, sizeof bytes);
        cr_expect_eq(block_judge(bytes, sizeof bytes, &place), BLOCK_ZEROS);
        block_encode_empty(bytes, sizeof bytes, &place);
        cr_expect_eq(block_judge(bytes, sizeof bytes, &place), BLOCK_EMPTY);
        bytes[100] = 1;
        fixture_reseal(bytes, sizeof bytes);
        cr_expect_eq(block_judge(bytes, sizeof bytes, &place), BLOCK_DAMAGED, "an empty block that holds something");
    }
}
