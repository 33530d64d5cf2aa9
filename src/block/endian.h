/* Explicit little-endian stores and loads: the only way in which numbers reach a disk. */
#ifndef DISKARCH_BLOCK_ENDIAN_H
#define DISKARCH_BLOCK_ENDIAN_H

#include <stdint.h>

static inline void le_store16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void le_store32(uint8_t *to, uint32_t value)
{
    le_store16(to, (uint16_t)value);
    le_store16(to + 2, (uint16_t)(value >> 16));
}

static inline void le_store64(uint8_t *to, uint64_t value)
{
    le_store32(to, (uint32_t)value);
    le_store32(to + 4, (uint32_t)(value >> 32));
}

static inline uint16_t le_load16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t le_load32(const uint8_t *from)
{
    return le_load16(from) | (uint32_t)le_load16(from + 2) << 16;
}

static inline uint64_t le_load64(const uint8_t *from)
{
    return le_load32(from) | (uint64_t)le_load32(from + 4) << 32;
}

#endif
