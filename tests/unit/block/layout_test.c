#include "block/layout.h"
#include "block/limits.h"

#include <criterion/criterion.h>

static const struct layout usual = {.block_bytes = 512, .slots = 32, .registers = 256};

Test(layout, usual_set_is_about_4_mib)
{
    cr_expect(layout_is_valid(&usual));
    cr_expect_eq(layout_ledger_rows(&usual), 1);
    cr_expect_eq(layout_rows(&usual), 2 + 1 + 256);
    cr_expect_eq(layout_row_bytes(&usual), 16384);
    cr_expect_eq(layout_bytes(&usual), 512 + 259 * 16384 + 512);
}

Test(layout, offsets)
{
    cr_expect_eq(layout_offset(&usual, ROW_CLAIM, 0), 512);
    cr_expect_eq(layout_offset(&usual, ROW_CLAIM, 31), 512 + 31 * 512);
    cr_expect_eq(layout_offset(&usual, ROW_HEARTBEAT, 0), 512 + 16384);
    cr_expect_eq(layout_offset(&usual, ROW_LEDGER_FIRST, 0), 512 + 2 * 16384);
    cr_expect_eq(layout_register_row(&usual, 0), 3);
    cr_expect_eq(layout_register_row(&usual, 255), 258);
    cr_expect_eq(layout_offset(&usual, 258, 31) + 512, layout_header_copy_offset(&usual));
    cr_expect_eq(layout_header_copy_offset(&usual) + 512, layout_bytes(&usual));
}

/* Every block has a place of its own, and together they fill the disk between the two headers. */
Test(layout, blocks_lie_side_by_side)
{
    struct layout layout = {.block_bytes = 4096, .slots = 33, .registers = 5};
    uint64_t next = layout.block_bytes;
    for (uint32_t row = 0; row < layout_rows(&layout); row++) {
        for (uint32_t slot = 0; slot < layout.slots; slot++) {
            cr_assert_eq(layout_offset(&layout, row, slot), next);
            next += layout.block_bytes;
        }
    }
    cr_expect_eq(next, layout_header_copy_offset(&layout));
}

Test(layout, ledger_rows_cover_every_slot)
{
    for (uint32_t slots = SLOTS_MIN; slots <= SLOTS_MAX; slots++) {
        struct layout layout = {.block_bytes = 512, .slots = slots, .registers = 1};
        uint32_t rows = layout_ledger_rows(&layout);
        cr_assert_geq(rows * LEDGER_SLOTS_PER_ROW, slots);
        cr_assert_lt((rows - 1) * LEDGER_SLOTS_PER_ROW, slots);
    }
}

Test(layout, the_largest_does_not_overflow)
{
    struct layout layout = {.block_bytes = BLOCK_BYTES_MAX, .slots = SLOTS_MAX, .registers = REGISTERS_MAX};
    uint64_t rows = 2 + SLOTS_MAX / LEDGER_SLOTS_PER_ROW + REGISTERS_MAX;
    uint64_t blocks = rows * SLOTS_MAX + 2;
    cr_expect(layout_is_valid(&layout));
    cr_expect_eq(layout_row_bytes(&layout), UINT32_C(1) << 28);
    cr_expect_eq(layout_bytes(&layout), blocks << 16);
    cr_expect_eq(layout_bytes(&layout) >> 16, blocks);
    cr_expect_lt(layout_bytes(&layout), (uint64_t)INT64_MAX);
}

static bool is_valid(uint32_t block_bytes, uint32_t slots, uint32_t registers)
{
    return layout_is_valid(&(struct layout){.block_bytes = block_bytes, .slots = slots, .registers = registers});
}

Test(layout, limits)
{
    cr_expect(is_valid(512, SLOTS_MIN, 1));
    cr_expect(is_valid(65536, SLOTS_MAX, REGISTERS_MAX));
    cr_expect_not(is_valid(0, 32, 256));
    cr_expect_not(is_valid(256, 32, 256));
    cr_expect_not(is_valid(513, 32, 256));
    cr_expect_not(is_valid(768, 32, 256));
    cr_expect_not(is_valid(131072, 32, 256));
    cr_expect_not(is_valid(512, SLOTS_MIN - 1, 256));
    cr_expect_not(is_valid(512, SLOTS_MAX + 1, 256));
    cr_expect_not(is_valid(512, 32, 0));
    cr_expect_not(is_valid(512, 32, REGISTERS_MAX + 1));
    cr_expect_not(is_valid(UINT32_MAX, UINT32_MAX, UINT32_MAX));
}
