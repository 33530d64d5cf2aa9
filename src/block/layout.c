#include "block/layout.h"

#include "block/limits.h"

#include <assert.h>

enum { LEDGER_ROWS_MAX = (SLOTS_MAX + LEDGER_SLOTS_PER_ROW - 1) / LEDGER_SLOTS_PER_ROW };

/* No product below can overflow while the limits hold. */
_Static_assert((uint64_t)SLOTS_MAX *BLOCK_BYTES_MAX <= UINT32_MAX, "bytes of a row are a 32-bit number");
_Static_assert((uint64_t)ROW_LEDGER_FIRST + LEDGER_ROWS_MAX + REGISTERS_MAX <= UINT32_MAX, "row numbers have 32 bits");
_Static_assert(((uint64_t)ROW_LEDGER_FIRST + LEDGER_ROWS_MAX + REGISTERS_MAX) * SLOTS_MAX + 2 <=
                   INT64_MAX / BLOCK_BYTES_MAX,
               "a disk's size fits into an off_t");

uint32_t layout_ledger_rows(const struct layout *layout)
{
    return (layout->slots + LEDGER_SLOTS_PER_ROW - 1) / LEDGER_SLOTS_PER_ROW;
}

uint32_t layout_register_row(const struct layout *layout, uint32_t index)
{
    assert(index < layout->registers);
    return ROW_LEDGER_FIRST + layout_ledger_rows(layout) + index;
}

uint32_t layout_rows(const struct layout *layout)
{
    return ROW_LEDGER_FIRST + layout_ledger_rows(layout) + layout->registers;
}

uint32_t layout_row_bytes(const struct layout *layout)
{
    return layout->slots * layout->block_bytes;
}

uint64_t layout_offset(const struct layout *layout, uint32_t row, uint32_t slot)
{
    assert(row < layout_rows(layout));
    assert(slot < layout->slots);
    return (1 + (uint64_t)row * layout->slots + slot) * layout->block_bytes;
}

uint64_t layout_header_copy_offset(const struct layout *layout)
{
    return (1 + (uint64_t)layout_rows(layout) * layout->slots) * layout->block_bytes;
}

uint64_t layout_bytes(const struct layout *layout)
{
    return layout_header_copy_offset(layout) + layout->block_bytes;
}

bool layout_is_valid(const struct layout *layout)
{
    bool is_power_of_two = (layout->block_bytes & (layout->block_bytes - 1)) == 0;
    return is_power_of_two && layout->block_bytes >= BLOCK_BYTES_MIN && layout->block_bytes <= BLOCK_BYTES_MAX &&
           layout->slots >= SLOTS_MIN && layout->slots <= SLOTS_MAX && layout->registers >= 1 &&
           layout->registers <= REGISTERS_MAX;
}
