#include "block/crc32c.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_crc(const uint8_t *bytes, size_t count, uint32_t expected)
{
    cr_expect_eq(crc32c(bytes, count), expected);
    cr_expect_eq(crc32c_by_table(bytes, count), expected);
}

/* RFC 3720, appendix B.4; the RFC prints the four bytes in the order in which they are sent, the lowest first. */
Test(crc32c, rfc3720_vectors)
{
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    expect_crc(bytes, sizeof bytes, 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    expect_crc(bytes, sizeof bytes, 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++) {
        bytes[i] = i;
    }
    expect_crc(bytes, sizeof bytes, 0x46dd794e);
    for (uint8_t i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)(31 - i);
    }
    expect_crc(bytes, sizeof bytes, 0x113fdb5c);
}

Test(crc32c, rfc3720_iscsi_read_command)
{
    static const uint8_t command[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, 0x28, [40] = 0x02};
    expect_crc(command, sizeof command, 0xd9963a56);
}

Test(crc32c, of_nothing_is_zero)
{
    expect_crc((const uint8_t *)"", 0, 0);
}

Test(crc32c, check_value)
{
    expect_crc((const uint8_t *)"123456789", 9, 0xe3069283);
}

static uint32_t crc_bit_by_bit(const uint8_t *bytes, size_t count)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0x82f63b78u & (0u - (crc & 1)));
        }
    }
    return ~crc;
}

/* Any length at any alignment, so that head, words and tail of every path are met. */
Test(crc32c, hardware_table_and_definition_agree)
{
    static uint8_t bytes[5000];
    uint64_t random = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)fixture_random(&random);
    }
    for (int round = 0; round < 3000; round++) {
        size_t from = fixture_random(&random) % 64;
        size_t count = fixture_random(&random) % (round < 2000 ? 80 : sizeof bytes - 64);
        uint32_t expected = crc_bit_by_bit(bytes + from, count);
        cr_assert_eq(crc32c(bytes + from, count), expected, "crc32c, from %zu, %zu bytes", from, count);
        cr_assert_eq(crc32c_by_table(bytes + from, count), expected, "by table, from %zu, %zu bytes", from, count);
    }
}

/* Every entry of every table is met: each of the eight bytes of a word in all of its values. */
Test(crc32c, every_table_entry)
{
    uint8_t word[8] = {0};
    for (size_t place = 0; place < sizeof word; place++) {
        for (int value = 0; value < 256; value++) {
            word[place] = (uint8_t)value;
            cr_assert_eq(crc32c_by_table(word, sizeof word), crc_bit_by_bit(word, sizeof word));
        }
    }
}

Test(crc32c, hardware_is_used_where_there_is_some)
{
#if defined(__x86_64__)
    cr_expect_eq(crc32c_is_hardware(), __builtin_cpu_supports("sse4.2") != 0);
#else
    cr_expect_eq(crc32c_is_hardware(), 0);
#endif
}
