/*
 * Where everything stands on a disk. Every disk of a set has the same layout:
 *
 *   | header | claim row | heartbeat row | ledger rows | register row 0 | ... | register row R-1 | header copy |
 *
 * A row is `slots` blocks side by side, so that one read fetches what every slot has to say. Rows are numbered from 0
 * (the claim row) through the last register row; that number also stands inside every block.
 */
#ifndef DISKARCH_BLOCK_LAYOUT_H
#define DISKARCH_BLOCK_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

enum { ROW_CLAIM = 0, ROW_HEARTBEAT = 1, ROW_LEDGER_FIRST = 2 };

struct layout {
    uint32_t block_bytes; /* a power of two, BLOCK_BYTES_MIN..BLOCK_BYTES_MAX */
    uint32_t slots;       /* N: blocks in a row */
    uint32_t registers;   /* R: register rows */
};

/* Ledger rows needed so that every slot has its entry. */
uint32_t layout_ledger_rows(const struct layout *layout);

/* The row of register `index` (0..registers-1). */
uint32_t layout_register_row(const struct layout *layout, uint32_t index);

/* All rows: claim, heartbeat, ledger, registers. */
uint32_t layout_rows(const struct layout *layout);

/* Bytes of one row. */
uint32_t layout_row_bytes(const struct layout *layout);

/* Byte offset of a block on every disk. */
uint64_t layout_offset(const struct layout *layout, uint32_t row, uint32_t slot);

/* Byte offset of the header copy, the last block. */
uint64_t layout_header_copy_offset(const struct layout *layout);

/* Bytes a disk must have. */
uint64_t layout_bytes(const struct layout *layout);

/* Whether all limits hold and layout_bytes() cannot overflow. */
bool layout_is_valid(const struct layout *layout);

#endif
