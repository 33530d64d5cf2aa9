/*
 * CRC-32C two ways: the processor's instruction, and slicing-by-8. Nothing is initialised at run time: the tables are
 * constant expressions, so any thread may come first.
 */
#include "block/crc32c.h"

#include "block/endian.h"

#include <string.h>

/*
 * table[k][b] is the remainder of byte b followed by k zero bytes. The remainder is linear over xor, so 8 constants, the
 * remainders of the 8 single bits, make a whole slice; the tests hold the result against division bit by bit.
 */
#define BIT(n, bit, remainder) ((((n) >> (bit)) & 1u) * UINT32_C(remainder))
#define ENTRY(n, a, b, c, d, e, f, g, h)                                                                               \
    (BIT(n, 0, a) ^ BIT(n, 1, b) ^ BIT(n, 2, c) ^ BIT(n, 3, d) ^ BIT(n, 4, e) ^ BIT(n, 5, f) ^ BIT(n, 6, g) ^          \
     BIT(n, 7, h))
#define ENTRIES_4(n, ...)                                                                                              \
    ENTRY((n), __VA_ARGS__), ENTRY((n) + 1u, __VA_ARGS__), ENTRY((n) + 2u, __VA_ARGS__), ENTRY((n) + 3u, __VA_ARGS__)
#define ENTRIES_16(n, ...)                                                                                             \
    ENTRIES_4((n), __VA_ARGS__), ENTRIES_4((n) + 4u, __VA_ARGS__), ENTRIES_4((n) + 8u, __VA_ARGS__),                   \
        ENTRIES_4((n) + 12u, __VA_ARGS__)
#define ENTRIES_64(n, ...)                                                                                             \
    ENTRIES_16((n), __VA_ARGS__), ENTRIES_16((n) + 16u, __VA_ARGS__), ENTRIES_16((n) + 32u, __VA_ARGS__),              \
        ENTRIES_16((n) + 48u, __VA_ARGS__)
#define SLICE(...)                                                                                                     \
    {                                                                                                                  \
        ENTRIES_64(0u, __VA_ARGS__), ENTRIES_64(64u, __VA_ARGS__), ENTRIES_64(128u, __VA_ARGS__),                      \
            ENTRIES_64(192u, __VA_ARGS__)                                                                              \
    }

static const uint32_t table[8][256] = {
    SLICE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    SLICE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    SLICE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    SLICE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    SLICE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    SLICE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    SLICE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    SLICE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

static uint32_t extend_by_byte(uint32_t crc, uint8_t byte)
{
    return crc >> 8 ^ table[0][(crc ^ byte) & 0xff];
}

static uint32_t extend_by_8_bytes(uint32_t crc, const uint8_t *bytes)
{
    uint32_t low = le_load32(bytes) ^ crc;
    uint32_t high = le_load32(bytes + 4);
    return table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
           table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^ table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
}

uint32_t crc32c_by_table(const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint32_t crc = UINT32_MAX;
    for (; count >= 8; count -= 8, at += 8) {
        crc = extend_by_8_bytes(crc, at);
    }
    for (; count > 0; count--, at++) {
        crc = extend_by_byte(crc, *at);
    }
    return ~crc;
}

#if defined(__x86_64__)

int crc32c_is_hardware(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_by_instruction(const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint64_t crc = UINT32_MAX;
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word); /* this processor is little-endian, as the instruction wants it */
        crc = __builtin_ia32_crc32di(crc, word);
    }
    uint32_t rest = (uint32_t)crc;
    for (; count > 0; count--, at++) {
        rest = __builtin_ia32_crc32qi(rest, *at);
    }
    return ~rest;
}

uint32_t crc32c(const void *bytes, size_t count)
{
    return crc32c_is_hardware() ? crc32c_by_instruction(bytes, count) : crc32c_by_table(bytes, count);
}

#else

int crc32c_is_hardware(void)
{
    return 0;
}

uint32_t crc32c(const void *bytes, size_t count)
{
    return crc32c_by_table(bytes, count);
}

#endif
