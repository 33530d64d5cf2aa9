/* Spreads the bits of a number over all of it. Part of the format: set tags and probe sequences rest on it. */
#ifndef DISKARCH_BLOCK_MIX_H
#define DISKARCH_BLOCK_MIX_H

#include <stdint.h>

/* The 64-bit finalizer of MurmurHash3: a bijection. */
static inline uint64_t mix64(uint64_t value)
{
    value = (value ^ value >> 33) * UINT64_C(0xff51afd7ed558ccd);
    value = (value ^ value >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return value ^ value >> 33;
}

#endif
