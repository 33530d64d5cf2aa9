/*
 * Decoders of blocks and of values. What decodes must encode to the same bytes, but for those that the format lets every
 * reader ignore; what is refused must leave the caller's struct alone.
 *
 * Input: kind of row, block size, whether the place and the checksum are made good; then the bytes of the block.
 */
#include "block/endian.h"
#include "block/name.h"
#include "block/role_value.h"
#include "fuzz.h"

#include <string.h>

enum { AT_MINOR = 10, AT_SPARE = 28, AT_INCARNATION = 32, CHECKSUM_BYTES = 4 };

/* Of the payloads, as the table in src/block/README.md has them. */
enum {
    CLAIM_GIVEN_BACK = 112,
    CLAIM_END = 113,
    VERDICT_COUNT = 74,
    VERDICTS = 144,
    VERDICT_BYTES = 12,
    HEARTBEAT_END = 436,
    REGISTER_END = 412,
    VALUE_SPARE = 3,
    VALUE_EPOCH = 8,
};

/* What a decoder refused must be as it was. */
enum { UNTOUCHED = 0x5a };

static bool is_untouched(const void *content, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (((const uint8_t *)content)[i] != UNTOUCHED) {
            return false;
        }
    }
    return true;
}

/* Whether a reader of this version ignores the byte of a written block. */
static bool is_ignored(const uint8_t *bytes, uint32_t block_bytes, enum block_kind kind, uint32_t at)
{
    bool is_head_spare = at == AT_MINOR || at == AT_MINOR + 1 || (at >= AT_SPARE && at < AT_INCARNATION);
    if (is_head_spare || at >= block_bytes - CHECKSUM_BYTES) {
        return true;
    }
    switch (kind) {
    case BLOCK_CLAIM:
        return at >= CLAIM_END || (at == CLAIM_GIVEN_BACK && bytes[at] != 1);
    case BLOCK_HEARTBEAT: {
        uint32_t verdicts_end = VERDICTS + le_load16(bytes + VERDICT_COUNT) * (uint32_t)VERDICT_BYTES;
        return at >= HEARTBEAT_END || (at >= verdicts_end && at < VERDICTS + VERDICTS_MAX * VERDICT_BYTES);
    }
    case BLOCK_REGISTER:
        break;
    }
    return at >= REGISTER_END;
}

static void check_same(const uint8_t *bytes, const uint8_t *again, uint32_t block_bytes, enum block_kind kind)
{
    for (uint32_t at = 0; at < block_bytes; at++) {
        FUZZ_CHECK(bytes[at] == again[at] || is_ignored(bytes, block_bytes, kind, at));
    }
}

static void check_value(const uint8_t value[VALUE_BYTES])
{
    struct role_value content;
    memset(&content, UNTOUCHED, sizeof content);
    if (!role_value_decode(value, &content)) {
        FUZZ_CHECK(is_untouched(&content, sizeof content));
        return;
    }
    FUZZ_CHECK(fuzz_name_is_sound(content.name) && fuzz_name_is_sound(content.node_name));
    FUZZ_CHECK(content.payload_bytes <= PAYLOAD_BYTES_MAX);
    uint8_t again[VALUE_BYTES];
    role_value_encode(again, &content);
    for (uint32_t at = 0; at < VALUE_BYTES; at++) {
        FUZZ_CHECK(value[at] == again[at] || (at >= VALUE_SPARE && at < VALUE_EPOCH));
    }
}

/* Each decodes the block and writes it again; false if it was refused. */
static bool claim_again(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place, uint8_t *ret)
{
    struct claim_block content;
    memset(&content, UNTOUCHED, sizeof content);
    if (!block_decode_claim(bytes, block_bytes, place, &content)) {
        FUZZ_CHECK(is_untouched(&content, sizeof content));
        return false;
    }
    FUZZ_CHECK(fuzz_name_is_sound(content.node_name));
    block_encode_claim(ret, block_bytes, place, &content);
    return true;
}

static bool heartbeat_again(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place, uint8_t *ret)
{
    struct heartbeat_block content;
    memset(&content, UNTOUCHED, sizeof content);
    if (!block_decode_heartbeat(bytes, block_bytes, place, &content)) {
        FUZZ_CHECK(is_untouched(&content, sizeof content));
        return false;
    }
    FUZZ_CHECK(fuzz_name_is_sound(content.node_name));
    FUZZ_CHECK(content.verdict_count <= VERDICTS_MAX);
    block_encode_heartbeat(ret, block_bytes, place, &content);
    return true;
}

static bool register_again(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place, uint8_t *ret)
{
    struct register_block content;
    memset(&content, UNTOUCHED, sizeof content);
    if (!block_decode_register(bytes, block_bytes, place, &content)) {
        FUZZ_CHECK(is_untouched(&content, sizeof content));
        return false;
    }
    check_value(content.value);
    block_encode_register(ret, block_bytes, place, &content);
    return true;
}

static bool write_again(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place, uint8_t *ret)
{
    switch (block_kind_of_row(place->row)) {
    case BLOCK_CLAIM:
        return claim_again(bytes, block_bytes, place, ret);
    case BLOCK_HEARTBEAT:
        return heartbeat_again(bytes, block_bytes, place, ret);
    case BLOCK_REGISTER:
        break;
    }
    return register_again(bytes, block_bytes, place, ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *input_bytes, size_t count)
{
    static const uint32_t sizes[] = {BLOCK_BYTES_MIN, 4096};
    struct fuzz_input input = {input_bytes, count};
    struct block_place place = {.set_tag = 7, .disk = 1, .row = fuzz_take8(&input) % 4U, .slot = 3};
    uint32_t block_bytes = sizes[fuzz_take8(&input) % 2];
    bool is_sealed = fuzz_take8(&input) % 4 != 0;
    uint8_t *bytes = calloc(2, block_bytes);
    FUZZ_CHECK(bytes != NULL);
    uint8_t *again = bytes + block_bytes;
    block_encode_empty(bytes, block_bytes, &place);
    size_t from = is_sealed ? AT_SPARE : 0;
    fuzz_take_bytes(&input, bytes + from, block_bytes - from);
    if (is_sealed) {
        fuzz_seal_block(bytes, block_bytes, &place);
    }
    enum block_state state = block_judge(bytes, block_bytes, &place);
    bool is_intact = write_again(bytes, block_bytes, &place, again);
    FUZZ_CHECK(is_intact == (state == BLOCK_EMPTY || state == BLOCK_WRITTEN));
    if (is_intact) {
        FUZZ_CHECK(block_judge(again, block_bytes, &place) == state);
        check_same(bytes, again, block_bytes, block_kind_of_row(place.row));
    }
    if (count >= VALUE_BYTES) {
        check_value(input_bytes + count - VALUE_BYTES);
    }
    free(bytes);
    return 0;
}
