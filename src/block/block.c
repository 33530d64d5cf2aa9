/* The bytes of blocks. The table in README.md is the format; the enums below are that table, held by static asserts. */
#include "block/block.h"

#include "block/crc32c.h"
#include "block/fields.h"
#include "block/header.h"
#include "block/layout.h"
#include "block/name.h"

#include <assert.h>
#include <string.h>

/* Every block: a head, a payload by kind, zeros, the checksum in the last four bytes. */
enum {
    AT_MAGIC = 0,
    AT_KIND = 4,
    AT_DISK = 6,
    AT_MAJOR = 8,
    AT_MINOR = 10,
    AT_ROW = 12,
    AT_SET_TAG = 16,
    AT_SLOT = 24,
    AT_HEAD_SPARE = 28,
    AT_INCARNATION = 32,
    AT_SEQUENCE = 40,
    AT_PAYLOAD = 48,
    CHECKSUM_BYTES = 4,
    PAYLOAD_END = BLOCK_BYTES_MIN - CHECKSUM_BYTES, /* a payload must fit into the smallest block */
};

enum {
    AT_CLAIM_NAME = AT_PAYLOAD,
    AT_CLAIM_GIVEN_BACK = AT_CLAIM_NAME + NAME_FIELD_BYTES,
    CLAIM_END = AT_CLAIM_GIVEN_BACK + 1,
};

enum {
    AT_COUNTER = AT_PAYLOAD,
    AT_STARTED = AT_COUNTER + 8,
    AT_WATCHDOG = AT_STARTED + 8,
    AT_STATE = AT_WATCHDOG + 8,
    AT_VERDICT_COUNT = AT_STATE + 2,
    AT_ENGINE = AT_VERDICT_COUNT + 2,
    AT_HEARTBEAT_NAME = AT_ENGINE + 4,
    AT_VERDICTS = AT_HEARTBEAT_NAME + NAME_FIELD_BYTES,
    AT_CHANGES = AT_VERDICTS + VERDICTS_MAX * NODE_ID_BYTES,
    AT_BUCKETS = AT_CHANGES + BEACON_CHANGES * 4,
    AT_ASK_REGISTER = AT_BUCKETS + BEACON_BUCKETS * 2,
    AT_ASK_HOLDER = AT_ASK_REGISTER + 4,
    AT_ASK_VERB = AT_ASK_HOLDER + NODE_ID_BYTES,
    AT_ASK_SUCCESSOR = AT_ASK_VERB + 4,
    AT_COUNTED_OUT = AT_ASK_SUCCESSOR + NODE_ID_BYTES,
    HEARTBEAT_END = AT_COUNTED_OUT + 4,
};

enum {
    AT_PROMISED = AT_PAYLOAD,
    AT_ACCEPTED = AT_PROMISED + BALLOT_BYTES,
    AT_COMMITTED = AT_ACCEPTED + BALLOT_BYTES,
    AT_VALUE = AT_COMMITTED + BALLOT_BYTES,
    REGISTER_END = AT_VALUE + VALUE_BYTES,
};

static const uint8_t magic[4] = {'D', 'K', 'A', 'B'};

_Static_assert(AT_KIND == sizeof magic, "the kind follows the magic");
_Static_assert(AT_HEAD_SPARE + 4 == AT_INCARNATION && AT_SEQUENCE + 8 == AT_PAYLOAD, "the head has no holes");
_Static_assert((int)CLAIM_END <= (int)PAYLOAD_END, "a claim fits into the smallest block");
_Static_assert((int)HEARTBEAT_END <= (int)PAYLOAD_END, "a heartbeat fits into the smallest block");
_Static_assert((int)REGISTER_END <= (int)PAYLOAD_END, "a register fits into the smallest block");
_Static_assert(DISKS_MAX <= 32, "one bit for every disk");
_Static_assert(REGISTERS_MAX < BEACON_WANTED, "a register number leaves room for the mark");

/* ---- What all kinds share ------------------------------------------------------------------------------------------- */

enum block_kind block_kind_of_row(uint32_t row)
{
    switch (row) {
    case ROW_CLAIM:
        return BLOCK_CLAIM;
    case ROW_HEARTBEAT:
        return BLOCK_HEARTBEAT;
    default:
        return BLOCK_REGISTER;
    }
}

static bool block_bytes_is_valid(uint32_t block_bytes)
{
    return block_bytes >= BLOCK_BYTES_MIN && block_bytes <= BLOCK_BYTES_MAX;
}

static void begin(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place, struct block_author author)
{
    assert(block_bytes_is_valid(block_bytes));
    assert(place->disk < DISKS_MAX);
    assert(place->slot < SLOTS_MAX);
    memset(bytes, 0, block_bytes);
    memcpy(bytes + AT_MAGIC, magic, sizeof magic);
    le_store16(bytes + AT_KIND, (uint16_t)block_kind_of_row(place->row));
    le_store16(bytes + AT_DISK, (uint16_t)place->disk);
    le_store16(bytes + AT_MAJOR, FORMAT_MAJOR);
    le_store16(bytes + AT_MINOR, FORMAT_MINOR);
    le_store32(bytes + AT_ROW, place->row);
    le_store64(bytes + AT_SET_TAG, place->set_tag);
    le_store32(bytes + AT_SLOT, place->slot);
    le_store64(bytes + AT_INCARNATION, author.incarnation);
    le_store64(bytes + AT_SEQUENCE, author.sequence);
}

static void seal(uint8_t *bytes, uint32_t block_bytes)
{
    uint32_t covered_bytes = block_bytes - CHECKSUM_BYTES;
    le_store32(bytes + covered_bytes, crc32c(bytes, covered_bytes));
}

/* Whether these bytes are a block of this major version, whole, that belongs exactly there. */
static bool is_intact(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place)
{
    assert(block_bytes_is_valid(block_bytes));
    uint32_t covered_bytes = block_bytes - CHECKSUM_BYTES;
    return memcmp(bytes + AT_MAGIC, magic, sizeof magic) == 0 &&
           le_load16(bytes + AT_KIND) == block_kind_of_row(place->row) && le_load16(bytes + AT_DISK) == place->disk &&
           le_load16(bytes + AT_MAJOR) == FORMAT_MAJOR && le_load32(bytes + AT_ROW) == place->row &&
           le_load64(bytes + AT_SET_TAG) == place->set_tag && le_load32(bytes + AT_SLOT) == place->slot &&
           le_load32(bytes + covered_bytes) == crc32c(bytes, covered_bytes);
}

static struct block_author load_author(const uint8_t *bytes)
{
    return (struct block_author){.incarnation = le_load64(bytes + AT_INCARNATION),
                                 .sequence = le_load64(bytes + AT_SEQUENCE)};
}

/* Nobody has written it yet; then it holds nothing, and anything else behind a zero incarnation is damage. */
static bool is_unwritten(const uint8_t *bytes)
{
    return le_load64(bytes + AT_INCARNATION) == 0;
}

static bool has_nothing(const uint8_t *bytes, uint32_t block_bytes)
{
    return bytes_are_zero(bytes + AT_SEQUENCE, block_bytes - CHECKSUM_BYTES - AT_SEQUENCE);
}

void block_encode_empty(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place)
{
    begin(bytes, block_bytes, place, (struct block_author){0});
    seal(bytes, block_bytes);
}

/* ---- Claims --------------------------------------------------------------------------------------------------------- */

void block_encode_claim(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                        const struct claim_block *content)
{
    assert(place->row == ROW_CLAIM);
    if (content->author.incarnation == 0) {
        block_encode_empty(bytes, block_bytes, place);
        return;
    }
    begin(bytes, block_bytes, place, content->author);
    name_field_store(bytes + AT_CLAIM_NAME, content->node_name);
    assert(name_field_is_valid(bytes + AT_CLAIM_NAME));
    bytes[AT_CLAIM_GIVEN_BACK] = content->is_given_back;
    seal(bytes, block_bytes);
}

bool block_decode_claim(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                        struct claim_block *ret)
{
    assert(place->row == ROW_CLAIM);
    if (!is_intact(bytes, block_bytes, place)) {
        return false;
    }
    if (is_unwritten(bytes) ? !has_nothing(bytes, block_bytes) : !name_field_is_valid(bytes + AT_CLAIM_NAME)) {
        return false;
    }
    ret->author = load_author(bytes);
    memcpy(ret->node_name, bytes + AT_CLAIM_NAME, NAME_FIELD_BYTES);
    ret->is_given_back = bytes[AT_CLAIM_GIVEN_BACK] == 1;
    return true;
}

/* ---- Heartbeats ----------------------------------------------------------------------------------------------------- */

static size_t verdict_offset(size_t index)
{
    return AT_VERDICTS + index * NODE_ID_BYTES;
}

static void beacon_store(uint8_t *bytes, const struct beacon *beacon)
{
    for (size_t i = 0; i < BEACON_CHANGES; i++) {
        le_store32(bytes + AT_CHANGES + i * 4, beacon->changes[i]);
    }
    for (size_t i = 0; i < BEACON_BUCKETS; i++) {
        le_store16(bytes + AT_BUCKETS + i * 2, beacon->buckets[i]);
    }
}

static struct beacon beacon_load(const uint8_t *bytes)
{
    struct beacon beacon;
    for (size_t i = 0; i < BEACON_CHANGES; i++) {
        beacon.changes[i] = le_load32(bytes + AT_CHANGES + i * 4);
    }
    for (size_t i = 0; i < BEACON_BUCKETS; i++) {
        beacon.buckets[i] = le_load16(bytes + AT_BUCKETS + i * 2);
    }
    return beacon;
}

static void ask_store(uint8_t *bytes, const struct ask *ask)
{
    le_store32(bytes + AT_ASK_REGISTER, ask->register_index);
    node_id_store(bytes + AT_ASK_HOLDER, ask->holder);
    le_store32(bytes + AT_ASK_VERB, (uint32_t)ask->verb);
    node_id_store(bytes + AT_ASK_SUCCESSOR, ask->successor);
}

static struct ask ask_load(const uint8_t *bytes)
{
    return (struct ask){.verb = (enum ask_verb)le_load32(bytes + AT_ASK_VERB),
                        .register_index = le_load32(bytes + AT_ASK_REGISTER),
                        .holder = node_id_load(bytes + AT_ASK_HOLDER),
                        .successor = node_id_load(bytes + AT_ASK_SUCCESSOR)};
}

static void heartbeat_store(uint8_t *bytes, const struct heartbeat_block *content)
{
    le_store64(bytes + AT_COUNTER, content->counter);
    le_store64(bytes + AT_STARTED, (uint64_t)content->started_wall_ns);
    le_store64(bytes + AT_WATCHDOG, content->watchdog_promise_ns);
    le_store16(bytes + AT_STATE, (uint16_t)content->state);
    le_store16(bytes + AT_VERDICT_COUNT, (uint16_t)content->verdict_count);
    le_store32(bytes + AT_ENGINE, content->engine);
    name_field_store(bytes + AT_HEARTBEAT_NAME, content->node_name);
    for (uint32_t i = 0; i < content->verdict_count; i++) {
        node_id_store(bytes + verdict_offset(i), content->verdicts[i]);
    }
    beacon_store(bytes, &content->beacon);
    ask_store(bytes, &content->ask);
    le_store32(bytes + AT_COUNTED_OUT, content->counted_out);
}

/* A question is asked of somebody, a hand-over names to whom; without one nothing stands there. */
static bool ask_is_sound(const uint8_t *bytes)
{
    struct ask ask = ask_load(bytes);
    if (ask.verb == ASK_NONE) {
        return bytes_are_zero(bytes + AT_ASK_REGISTER, AT_COUNTED_OUT - AT_ASK_REGISTER);
    }
    return ask.verb <= ASK_TRANSFER && ask.register_index < REGISTERS_MAX && !node_id_is_none(ask.holder) &&
           node_id_is_sound(ask.holder) && node_id_is_sound(ask.successor) &&
           node_id_is_none(ask.successor) == (ask.verb != ASK_TRANSFER);
}

/* Whether the heartbeat of somebody says only what the format allows. */
static bool heartbeat_is_sound(const uint8_t *bytes)
{
    uint32_t state = le_load16(bytes + AT_STATE);
    uint32_t verdict_count = le_load16(bytes + AT_VERDICT_COUNT);
    if (state < HEARTBEAT_JOINED || state > HEARTBEAT_LEFT || verdict_count > VERDICTS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < verdict_count; i++) {
        struct node_id verdict = node_id_load(bytes + verdict_offset(i));
        if (node_id_is_none(verdict) || !node_id_is_sound(verdict)) {
            return false;
        }
    }
    return name_field_is_valid(bytes + AT_HEARTBEAT_NAME) && ask_is_sound(bytes);
}

void block_encode_heartbeat(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                            const struct heartbeat_block *content)
{
    assert(place->row == ROW_HEARTBEAT);
    if (content->author.incarnation == 0) {
        block_encode_empty(bytes, block_bytes, place);
        return;
    }
    assert(content->verdict_count <= VERDICTS_MAX);
    begin(bytes, block_bytes, place, content->author);
    heartbeat_store(bytes, content);
    assert(heartbeat_is_sound(bytes));
    seal(bytes, block_bytes);
}

bool block_decode_heartbeat(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                            struct heartbeat_block *ret)
{
    assert(place->row == ROW_HEARTBEAT);
    if (!is_intact(bytes, block_bytes, place)) {
        return false;
    }
    if (is_unwritten(bytes) ? !has_nothing(bytes, block_bytes) : !heartbeat_is_sound(bytes)) {
        return false;
    }
    *ret = (struct heartbeat_block){
        .author = load_author(bytes),
        .state = (enum heartbeat_state)le_load16(bytes + AT_STATE),
        .counter = le_load64(bytes + AT_COUNTER),
        .started_wall_ns = (int64_t)le_load64(bytes + AT_STARTED),
        .engine = le_load32(bytes + AT_ENGINE),
        .watchdog_promise_ns = le_load64(bytes + AT_WATCHDOG),
        .verdict_count = le_load16(bytes + AT_VERDICT_COUNT),
        .beacon = beacon_load(bytes),
        .ask = ask_load(bytes),
        .counted_out = le_load32(bytes + AT_COUNTED_OUT),
    };
    memcpy(ret->node_name, bytes + AT_HEARTBEAT_NAME, NAME_FIELD_BYTES);
    for (uint32_t i = 0; i < ret->verdict_count; i++) {
        ret->verdicts[i] = node_id_load(bytes + verdict_offset(i));
    }
    return true;
}

/* ---- Registers ------------------------------------------------------------------------------------------------------ */

static void register_store(uint8_t *bytes, const struct register_block *content)
{
    ballot_store(bytes + AT_PROMISED, content->promised);
    ballot_store(bytes + AT_ACCEPTED, content->accepted);
    ballot_store(bytes + AT_COMMITTED, content->committed);
    memcpy(bytes + AT_VALUE, content->value, VALUE_BYTES);
}

/* What every phase leaves behind: nothing is accepted above the promise, and no value stands without a ballot. */
static bool register_is_sound(const uint8_t *bytes)
{
    struct ballot promised = ballot_load(bytes + AT_PROMISED);
    struct ballot accepted = ballot_load(bytes + AT_ACCEPTED);
    struct ballot committed = ballot_load(bytes + AT_COMMITTED);
    return ballot_is_sound(promised) && ballot_is_sound(accepted) && ballot_is_sound(committed) &&
           !ballot_is_above(accepted, promised) &&
           (!ballot_is_none(accepted) || bytes_are_zero(bytes + AT_VALUE, VALUE_BYTES));
}

void block_encode_register(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                           const struct register_block *content)
{
    assert(place->row >= ROW_LEDGER_FIRST);
    if (content->author.incarnation == 0) {
        block_encode_empty(bytes, block_bytes, place);
        return;
    }
    begin(bytes, block_bytes, place, content->author);
    register_store(bytes, content);
    assert(register_is_sound(bytes));
    seal(bytes, block_bytes);
}

bool block_decode_register(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                           struct register_block *ret)
{
    assert(place->row >= ROW_LEDGER_FIRST);
    if (!is_intact(bytes, block_bytes, place)) {
        return false;
    }
    if (is_unwritten(bytes) ? !has_nothing(bytes, block_bytes) : !register_is_sound(bytes)) {
        return false;
    }
    ret->author = load_author(bytes);
    ret->promised = ballot_load(bytes + AT_PROMISED);
    ret->accepted = ballot_load(bytes + AT_ACCEPTED);
    ret->committed = ballot_load(bytes + AT_COMMITTED);
    memcpy(ret->value, bytes + AT_VALUE, VALUE_BYTES);
    return true;
}

/* ---- Judging -------------------------------------------------------------------------------------------------------- */

static bool is_any_decodable(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place)
{
    struct claim_block claim;
    struct heartbeat_block heartbeat;
    struct register_block content;
    switch (block_kind_of_row(place->row)) {
    case BLOCK_CLAIM:
        return block_decode_claim(bytes, block_bytes, place, &claim);
    case BLOCK_HEARTBEAT:
        return block_decode_heartbeat(bytes, block_bytes, place, &heartbeat);
    case BLOCK_REGISTER:
        break;
    }
    return block_decode_register(bytes, block_bytes, place, &content);
}

enum block_state block_judge(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place)
{
    if (is_any_decodable(bytes, block_bytes, place)) {
        return is_unwritten(bytes) ? BLOCK_EMPTY : BLOCK_WRITTEN;
    }
    if (bytes_are_zero(bytes, block_bytes)) {
        return BLOCK_ZEROS;
    }
    uint32_t covered_bytes = block_bytes - CHECKSUM_BYTES;
    if (memcmp(bytes + AT_MAGIC, magic, sizeof magic) != 0 ||
        le_load32(bytes + covered_bytes) != crc32c(bytes, covered_bytes)) {
        return BLOCK_DAMAGED;
    }
    if (le_load16(bytes + AT_MAJOR) > FORMAT_MAJOR) {
        return BLOCK_NEWER;
    }
    return is_intact(bytes, block_bytes, place) ? BLOCK_DAMAGED : BLOCK_MISPLACED;
}
