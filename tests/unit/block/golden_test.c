/*
 * Version 1.0 of the format, byte for byte: what is written today must be read, and written the same, for ever. And what is to
 * come, as far as it can be known: a 1.1 whose additions are ignored, a 2.0 that is refused.
 */
#include "block/layout.h"
#include "fixture.h"
#include "golden_1_0.h"
#include "golden_1_1.h"
#include "golden_2_0.h"
#include "golden_tuned.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t nibble(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* Bytes of hexadecimal text; what it leaves out up to the count is zero, but the last four bytes come from `checksum`. */
static void golden_bytes(const struct golden *golden, uint8_t *ret_bytes, size_t count)
{
    size_t digits = strlen(golden->content);
    cr_assert_eq(digits % 2, 0);
    cr_assert_leq(digits / 2, count);
    memset(ret_bytes, 0, count);
    for (size_t i = 0; i < digits / 2; i++) {
        ret_bytes[i] = (uint8_t)(nibble(golden->content[2 * i]) << 4 | nibble(golden->content[2 * i + 1]));
    }
    for (size_t i = 0; golden->checksum != NULL && i < 4; i++) {
        ret_bytes[count - 4 + i] =
            (uint8_t)(nibble(golden->checksum[2 * i]) << 4 | nibble(golden->checksum[2 * i + 1]));
    }
}

static void expect_golden_block(const struct golden *golden, uint32_t row, bool is_empty)
{
    uint8_t expected[512];
    uint8_t written[512];
    struct block_place place = fixture_place(row);
    golden_bytes(golden, expected, sizeof expected);
    cr_expect(fixture_decodes(expected, sizeof expected, &place));
    if (is_empty) {
        block_encode_empty(written, sizeof written, &place);
    } else {
        fixture_encode(written, sizeof written, row);
    }
    for (size_t i = 0; i < sizeof written; i++) {
        cr_assert_eq(written[i], expected[i], "byte %zu: %02x instead of %02x", i, written[i], expected[i]);
    }
}

Test(golden_1_0, empty)
{
    expect_golden_block(&golden_empty, ROW_CLAIM, true);
}

Test(golden_1_0, claim)
{
    expect_golden_block(&golden_claim, ROW_CLAIM, false);
}

Test(golden_1_0, heartbeat)
{
    expect_golden_block(&golden_heartbeat, ROW_HEARTBEAT, false);
}

Test(golden_1_0, register_with_a_role)
{
    expect_golden_block(&golden_register, 9, false);
}

static void expect_golden_header(const struct golden *golden, const struct set_header *header)
{
    uint8_t expected[HEADER_BYTES];
    uint8_t written[HEADER_BYTES];
    struct set_header back;
    golden_bytes(golden, expected, sizeof expected);
    cr_expect_eq(set_header_decode(expected, &back), HEADER_OK);
    set_header_encode(written, sizeof written, header);
    for (size_t i = 0; i < sizeof written; i++) {
        cr_assert_eq(written[i], expected[i], "byte %zu: %02x instead of %02x", i, written[i], expected[i]);
    }
}

Test(golden_1_0, header)
{
    struct set_header header = fixture_header();
    expect_golden_header(&golden_header, &header);
}

Test(golden_1_0, header_of_a_set_being_tuned)
{
    struct set_header header = fixture_header();
    header.revision = 6;
    header.tuning = UINT64_C(0xe1e2e3e4e5e6e7e8);
    header.is_compacting = true;
    expect_golden_header(&golden_tuning_header, &header);
}

Test(golden_1_0, header_of_a_set_that_was_tuned)
{
    struct set_header header = fixture_header();
    header.revision = 7;
    expect_golden_header(&golden_tuned_header, &header);
}

Test(golden_1_0, ledger_value)
{
    uint8_t expected[VALUE_BYTES];
    uint8_t written[VALUE_BYTES] = {0};
    golden_bytes(&golden_ledger, expected, sizeof expected);
    ledger_value_set(written, 33, UINT64_C(0xa1a2a3a4a5a6a7a8));
    cr_expect_arr_eq(written, expected, sizeof written);
    cr_expect_eq(ledger_value_get(expected, 33), UINT64_C(0xa1a2a3a4a5a6a7a8));
}

/* ---- 1.1: what is added is ignored ----------------------------------------------------------------------------------- */

Test(golden_1_1, A11_the_header_says_the_same_as_in_1_0)
{
    uint8_t bytes[HEADER_BYTES];
    uint8_t written[HEADER_BYTES];
    uint8_t expected[HEADER_BYTES];
    struct set_header back;
    golden_bytes(&golden_1_1_header, bytes, sizeof bytes);
    cr_assert_eq(set_header_decode(bytes, &back), HEADER_OK);
    cr_expect_eq(back.minor, 1);
    back.minor = FORMAT_MINOR;
    golden_bytes(&golden_header, expected, sizeof expected);
    set_header_encode(written, sizeof written, &back);
    cr_expect_arr_eq(written, expected, sizeof written);
}

/* Decodes the block and encodes it again: without what 1.1 has added it must be the block of 1.0. */
static void expect_as_in_1_0(const struct golden *newer, const struct golden *known, uint32_t row)
{
    uint8_t bytes[512];
    uint8_t expected[512];
    uint8_t written[512];
    struct block_place place = fixture_place(row);
    struct claim_block claim;
    struct heartbeat_block heartbeat;
    struct register_block content;
    golden_bytes(newer, bytes, sizeof bytes);
    golden_bytes(known, expected, sizeof expected);
    if (row == ROW_CLAIM) {
        cr_assert(block_decode_claim(bytes, sizeof bytes, &place, &claim));
        block_encode_claim(written, sizeof written, &place, &claim);
    } else if (row == ROW_HEARTBEAT) {
        cr_assert(block_decode_heartbeat(bytes, sizeof bytes, &place, &heartbeat));
        block_encode_heartbeat(written, sizeof written, &place, &heartbeat);
    } else {
        cr_assert(block_decode_register(bytes, sizeof bytes, &place, &content));
        block_encode_register(written, sizeof written, &place, &content);
    }
    cr_expect_arr_eq(written, expected, sizeof written);
}

Test(golden_1_1, A11_blocks_say_the_same_as_in_1_0)
{
    expect_as_in_1_0(&golden_1_1_claim, &golden_claim, ROW_CLAIM);
    expect_as_in_1_0(&golden_1_1_heartbeat, &golden_heartbeat, ROW_HEARTBEAT);
    expect_as_in_1_0(&golden_1_1_register, &golden_register, 9);
}

/* ---- 2.0: refused by its name ---------------------------------------------------------------------------------------- */

Test(golden_2_0, A11_the_header_is_newer_not_damaged)
{
    uint8_t bytes[HEADER_BYTES];
    struct set_header back;
    golden_bytes(&golden_2_0_header, bytes, sizeof bytes);
    cr_assert_eq(set_header_decode(bytes, &back), HEADER_NEWER);
    cr_expect_eq(back.major, 2);
    cr_expect_eq(back.minor, 0);
}

Test(golden_2_0, A11_blocks_have_no_vote)
{
    static const struct {
        const struct golden *golden;
        uint32_t row;
    } blocks[] = {{&golden_2_0_claim, ROW_CLAIM}, {&golden_2_0_heartbeat, ROW_HEARTBEAT}, {&golden_2_0_register, 9}};
    uint8_t bytes[512];
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        struct block_place place = fixture_place(blocks[i].row);
        golden_bytes(blocks[i].golden, bytes, sizeof bytes);
        cr_expect_not(fixture_decodes(bytes, sizeof bytes, &place));
    }
}
