#include "fuzz.h"

#include "block/crc32c.h"
#include "block/endian.h"
#include "block/header.h"
#include "block/name.h"

#include <string.h>

uint8_t fuzz_take8(struct fuzz_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

uint16_t fuzz_take16(struct fuzz_input *input)
{
    uint16_t low = fuzz_take8(input);
    return (uint16_t)(low | fuzz_take8(input) << 8);
}

uint64_t fuzz_take64(struct fuzz_input *input)
{
    uint8_t bytes[8] = {0};
    fuzz_take_bytes(input, bytes, sizeof bytes);
    return le_load64(bytes);
}

void fuzz_take_bytes(struct fuzz_input *input, uint8_t *to, size_t count)
{
    size_t taken = count < input->left ? count : input->left;
    if (taken > 0) {
        memcpy(to, input->at, taken);
        input->at += taken;
        input->left -= taken;
    }
}

void fuzz_seal_block(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place)
{
    enum { AT_MINOR = 10, SPARE = 28, CHECKSUM_BYTES = 4 };
    uint8_t *empty = malloc(block_bytes);
    FUZZ_CHECK(empty != NULL);
    block_encode_empty(empty, block_bytes, place);
    uint16_t minor = le_load16(bytes + AT_MINOR); /* may be anything, and so may the spare bytes */
    memcpy(bytes, empty, SPARE);
    le_store16(bytes + AT_MINOR, minor);
    free(empty);
    uint32_t covered_bytes = block_bytes - CHECKSUM_BYTES;
    le_store32(bytes + covered_bytes, crc32c(bytes, covered_bytes));
}

void fuzz_seal_header(uint8_t *bytes)
{
    memcpy(bytes, "DISKARCH", 8);
    le_store16(bytes + 8, FORMAT_MAJOR);
    le_store32(bytes + HEADER_BYTES - 4, crc32c(bytes, HEADER_BYTES - 4));
}

bool fuzz_name_is_sound(const char *field)
{
    static const uint8_t nothing[NAME_FIELD_BYTES];
    return memcmp(field, nothing, NAME_FIELD_BYTES) == 0 || name_field_is_valid((const uint8_t *)field);
}

struct set_header fuzz_set_header(uint32_t disks, uint32_t slots, uint32_t registers)
{
    struct set_header header = {
        .major = FORMAT_MAJOR,
        .minor = FORMAT_MINOR,
        .set_name = "fuzz",
        .set_uuid = {{1}},
        .generation = 1,
        .disk_count = disks,
        .layout = {.block_bytes = BLOCK_BYTES_MIN, .slots = slots, .registers = registers},
        .timings = {.lease_ns = 10 * NS_PER_S,
                    .renew_ns = NS_PER_S,
                    .io_deadline_ns = NS_PER_S / 2,
                    .quarantine_ns = 60 * NS_PER_S,
                    .drift_ppm = 5000},
        .slot_reuse = true,
    };
    for (uint32_t disk = 0; disk < disks; disk++) {
        header.disk_uuids[disk].bytes[0] = (uint8_t)(disk + 1);
    }
    return header;
}
