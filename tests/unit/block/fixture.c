#include "fixture.h"

#include "block/crc32c.h"
#include "block/endian.h"
#include "block/layout.h"
#include "block/mix.h"

#include <string.h>

struct block_place fixture_place(uint32_t row)
{
    return (struct block_place){.set_tag = UINT64_C(0x1122334455667788), .disk = 2, .row = row, .slot = 5};
}

struct claim_block fixture_claim(void)
{
    return (struct claim_block){
        .author = {.incarnation = UINT64_C(0xa1a2a3a4a5a6a7a8), .sequence = 3},
        .node_name = "alpha",
    };
}

struct heartbeat_block fixture_heartbeat(void)
{
    return (struct heartbeat_block){
        .author = {.incarnation = UINT64_C(0xa1a2a3a4a5a6a7a8), .sequence = 1002},
        .state = HEARTBEAT_READY,
        .counter = 1001,
        .node_name = "alpha",
        .started_wall_ns = INT64_C(1735689600123456789),
        .engine = ENGINE_IO_URING,
        .watchdog_promise_ns = 5 * NS_PER_S,
        .verdict_count = 2,
        .verdicts = {{.slot = 7, .incarnation = UINT64_C(0xb1b2b3b4b5b6b7b8)}, {.slot = 9, .incarnation = 1}},
    };
}

struct register_block fixture_register(void)
{
    struct register_block content = {
        .author = {.incarnation = UINT64_C(0xa1a2a3a4a5a6a7a8), .sequence = 77},
        .promised = {.round = 12, .slot = 5, .incarnation = UINT64_C(0xa1a2a3a4a5a6a7a8)},
        .accepted = {.round = 11, .slot = 5, .incarnation = UINT64_C(0xa1a2a3a4a5a6a7a8)},
        .committed = {.round = 10, .slot = 6, .incarnation = UINT64_C(0xc1c2c3c4c5c6c7c8)},
    };
    struct role_value role = fixture_role();
    role_value_encode(content.value, &role);
    return content;
}

struct role_value fixture_role(void)
{
    return (struct role_value){
        .kind = VALUE_ROLE,
        .hold = ROLE_TRANSFERRING,
        .name = "database",
        .holder = {.slot = 5, .incarnation = UINT64_C(0xa1a2a3a4a5a6a7a8)},
        .node_name = "alpha",
        .epoch = 42,
        .changed_wall_ns = INT64_C(1735689700000000001),
        .successor = {.slot = 6, .incarnation = UINT64_C(0xc1c2c3c4c5c6c7c8)},
        .payload_bytes = 8,
        .payload = "10.0.0.1",
    };
}

struct set_header fixture_header(void)
{
    struct set_header header = {
        .major = FORMAT_MAJOR,
        .minor = FORMAT_MINOR,
        .set_name = "cluster",
        .generation = 1,
        .disk_index = 1,
        .disk_count = 3,
        .layout = {.block_bytes = 512, .slots = 32, .registers = 256},
        .timings = {.lease_ns = 10 * NS_PER_S,
                    .renew_ns = NS_PER_S,
                    .io_deadline_ns = 500 * NS_PER_MS,
                    .quarantine_ns = 60 * NS_PER_S,
                    .drift_ppm = 5000},
        .slot_reuse = true,
        .epoch_floor = 17,
        .created_wall_ns = INT64_C(1735689600000000000),
    };
    for (uint8_t i = 0; i < 16; i++) {
        header.set_uuid.bytes[i] = (uint8_t)(0xd0 + i);
        for (uint8_t disk = 0; disk < 3; disk++) {
            header.disk_uuids[disk].bytes[i] = (uint8_t)(16 * (disk + 1) + i);
        }
    }
    return header;
}

void fixture_encode(uint8_t *bytes, uint32_t block_bytes, uint32_t row)
{
    struct block_place place = fixture_place(row);
    if (row == ROW_CLAIM) {
        struct claim_block claim = fixture_claim();
        block_encode_claim(bytes, block_bytes, &place, &claim);
    } else if (row == ROW_HEARTBEAT) {
        struct heartbeat_block heartbeat = fixture_heartbeat();
        block_encode_heartbeat(bytes, block_bytes, &place, &heartbeat);
    } else {
        struct register_block content = fixture_register();
        block_encode_register(bytes, block_bytes, &place, &content);
    }
}

bool fixture_decodes(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place)
{
    struct claim_block claim;
    struct heartbeat_block heartbeat;
    struct register_block content;
    switch (block_kind_of_row(place->row)) {
    case BLOCK_CLAIM:
        return block_decode_claim(bytes, block_bytes, place, &claim);
    case BLOCK_HEARTBEAT:
        return block_decode_heartbeat(bytes, block_bytes, place, &heartbeat);
    default:
        return block_decode_register(bytes, block_bytes, place, &content);
    }
}

void fixture_reseal(uint8_t *bytes, uint32_t block_bytes)
{
    le_store32(bytes + block_bytes - 4, crc32c(bytes, block_bytes - 4));
}

uint64_t fixture_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return mix64(*state);
}
