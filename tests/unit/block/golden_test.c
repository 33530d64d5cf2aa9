/* Version 1.0 of the format, byte for byte: what is written today must be read, and written the same, for ever. */
#include "block/layout.h"
#include "fixture.h"
#include "golden_1_0.h"

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

Test(golden_1_0, header)
{
    uint8_t expected[HEADER_BYTES];
    uint8_t written[HEADER_BYTES];
    struct set_header header = fixture_header();
    struct set_header back;
    golden_bytes(&golden_header, expected, sizeof expected);
    cr_expect_eq(set_header_decode(expected, &back), HEADER_OK);
    set_header_encode(written, sizeof written, &header);
    for (size_t i = 0; i < sizeof written; i++) {
        cr_assert_eq(written[i], expected[i], "byte %zu: %02x instead of %02x", i, written[i], expected[i]);
    }
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
