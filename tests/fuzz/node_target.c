/*
 * A whole node among hostile disks. The input is a list of deeds: disks answer, fail, forget and show any bytes, with places
 * and checksums made good, so that the decoders are passed; time goes on; the application asks for what it may. Whatever is
 * read, the node neither fails nor writes what is not its own (node_world.c checks each step).
 *
 * Input: disks, slots, whether the process had an incarnation before; then the deeds, each a byte and its arguments.
 */
#include "block/endian.h"
#include "block/role_value.h"
#include "node_world.h"

#include <string.h>

static const char *const names[] = {"a", "b", "db", "queue/7"};

/* Numbers that are worth trying, and those that mean something in this world. */
static uint64_t take_number(const struct world *world, struct fuzz_input *input)
{
    const struct node *node = world->node;
    uint8_t choice = fuzz_take8(input);
    uint8_t small = choice >> 4;
    switch (choice % 12) {
    case 0:
        return small;
    case 1:
        return node->self.incarnation;
    case 2:
        return UINT64_MAX - small;
    case 3:
        return (uint64_t)INT64_MAX - small;
    case 4:
        return (uint64_t)INT64_MAX + small;
    case 5:
        return node->self.slot;
    case 6:
        return node->sequence + small;
    case 7:
        return node->lease.counter + small;
    case 8:
        return UINT32_MAX - small;
    case 9:
        return UINT64_C(1) << (4 * small);
    case 10:
        return 1000 + small; /* somebody else's incarnation */
    default:
        return fuzz_take64(input);
    }
}

/* ---- What stands on the disks ----------------------------------------------------------------------------------------- */

/* Where the fields of blocks are, and how wide: see src/block/README.md. */
struct field {
    uint16_t at, bytes;
};

static const struct field claim_fields[] = {{32, 8}, {40, 8}, {112, 1}};

static const struct field heartbeat_fields[] = {
    {32, 8},  {40, 8},  {48, 8},  {56, 8},  {64, 8},  {72, 2},  {74, 2},  {76, 4},
    {144, 4}, {148, 8}, {156, 4}, {160, 8}, {240, 4}, {244, 4}, {272, 2}, {274, 2},
    {276, 2}, {400, 4}, {404, 4}, {408, 8}, {416, 4}, {420, 4}, {424, 8}, {432, 4},
};

static const struct field register_fields[] = {
    {32, 8},  {40, 8},  {48, 8},  {56, 4},  {60, 8},  {68, 8},  {76, 4},  {80, 8},  {88, 8},  {96, 4},
    {100, 8}, {108, 1}, {109, 1}, {110, 1}, {116, 8}, {132, 4}, {136, 8}, {144, 4}, {148, 8}, {220, 8},
};

static void store(uint8_t *to, uint64_t value, uint32_t bytes)
{
    uint8_t all[8];
    le_store64(all, value);
    memcpy(to, all, bytes);
}

static struct field field_of(uint32_t row, uint8_t choice)
{
    switch (block_kind_of_row(row)) {
    case BLOCK_CLAIM:
        return claim_fields[choice % (sizeof claim_fields / sizeof *claim_fields)];
    case BLOCK_HEARTBEAT:
        return heartbeat_fields[choice % (sizeof heartbeat_fields / sizeof *heartbeat_fields)];
    case BLOCK_REGISTER:
        break;
    }
    return register_fields[choice % (sizeof register_fields / sizeof *register_fields)];
}

/* A block of somebody that decodes, as a beginning for fields that are worse. */
static void write_stranger(struct world *world, uint8_t *bytes, const struct block_place *place, uint64_t incarnation,
                           uint8_t choice)
{
    struct node_id stranger = {.slot = place->slot, .incarnation = incarnation};
    struct block_author author = {.incarnation = incarnation, .sequence = choice};
    struct ballot ballot = {.round = 1U + choice / 8, .slot = stranger.slot, .incarnation = incarnation};
    struct claim_block claim = {.author = author, .node_name = "stranger"};
    struct heartbeat_block heartbeat = {
        .author = author, .node_name = "stranger", .state = HEARTBEAT_READY, .counter = choice};
    struct register_block reg = {.author = author, .promised = ballot, .accepted = ballot, .committed = ballot};
    struct role_value value = {.kind = choice % 4, .epoch = 1, .holder = stranger, .hold = ROLE_HELD};
    strcpy(value.name, names[choice / 4 % 4]);
    strcpy(value.node_name, "stranger");
    if (value.kind != VALUE_ROLE) {
        value.hold = ROLE_FREE;
        value.holder = (struct node_id){0};
    }
    (void)world;
    switch (block_kind_of_row(place->row)) {
    case BLOCK_CLAIM:
        block_encode_claim(bytes, BLOCK_BYTES_MIN, place, &claim);
        break;
    case BLOCK_HEARTBEAT:
        block_encode_heartbeat(bytes, BLOCK_BYTES_MIN, place, &heartbeat);
        break;
    case BLOCK_REGISTER:
        role_value_encode(reg.value, &value);
        block_encode_register(bytes, BLOCK_BYTES_MIN, place, &reg);
        break;
    }
}

enum change { CHANGE_FIELD, CHANGE_BYTES, CHANGE_STRANGER, CHANGE_EMPTY, CHANGE_COPY, CHANGE_DAMAGE, CHANGES };

/* Changes the block of one place, on each disk that is meant. The same arguments serve all of them. */
static void change_block(struct world *world, uint8_t *bytes, const struct block_place *place, enum change change,
                         struct fuzz_input *input)
{
    struct field field = field_of(place->row, fuzz_take8(input));
    uint64_t number = take_number(world, input);
    switch (change) {
    case CHANGE_FIELD:
        store(bytes + field.at, number, field.bytes);
        break;
    case CHANGE_BYTES: {
        uint32_t at = 32 + (uint32_t)(number % (BLOCK_BYTES_MIN - 36 - 16));
        fuzz_take_bytes(input, bytes + at, 1 + fuzz_take8(input) % 16U);
        break;
    }
    case CHANGE_STRANGER:
        write_stranger(world, bytes, place, number == 0 ? 1000 : number, fuzz_take8(input));
        break;
    case CHANGE_EMPTY:
        block_encode_empty(bytes, BLOCK_BYTES_MIN, place);
        break;
    case CHANGE_COPY: {
        uint32_t disk = fuzz_take8(input) % world->params.header.disk_count;
        uint32_t slot = fuzz_take8(input) % world->params.header.layout.slots;
        memmove(bytes, world_block(world, disk, place->row, slot), BLOCK_BYTES_MIN);
        break;
    }
    case CHANGE_DAMAGE:
    case CHANGES:
        bytes[number % BLOCK_BYTES_MIN] ^= 1;
        return;
    }
    fuzz_seal_block(bytes, BLOCK_BYTES_MIN, place);
}

static void change_blocks(struct world *world, struct fuzz_input *input)
{
    uint8_t disks = fuzz_take8(input);
    uint8_t row = fuzz_take8(input);
    uint32_t slot = fuzz_take8(input);
    enum change change = (enum change)(fuzz_take8(input) % CHANGES);
    slot = slot >= 128 ? world->node->self.slot : slot % world->params.header.layout.slots;
    struct fuzz_input rest = *input;
    for (uint32_t disk = 0; disk < world->params.header.disk_count; disk++) {
        if (disks == 0 || (disks >> disk & 1) != 0) {
            struct block_place place = world_place(world, disk, row % WORLD_ROWS, slot);
            *input = rest;
            change_block(world, world_block(world, disk, place.row, slot), &place, change, input);
        }
    }
}

/* A disk becomes what it, or another one, was before; or its header changes. */
static void change_disk(struct world *world, struct fuzz_input *input)
{
    struct world_disk *disk = &world->disks[fuzz_take8(input) % world->params.header.disk_count];
    uint8_t choice = fuzz_take8(input);
    switch (choice % 4) {
    case 0:
        world->saved = *disk;
        break;
    case 1:
        *disk = world->saved;
        break;
    case 2:
        disk->header[fuzz_take16(input) % HEADER_BYTES] = fuzz_take8(input);
        fuzz_seal_header(disk->header);
        break;
    default:
        memset(disk->rows[choice / 4 % WORLD_ROWS], 0, WORLD_ROW_BYTES);
        break;
    }
}

/* ---- What the application asks for ------------------------------------------------------------------------------------ */

static void ask_for_role(struct world *world, struct fuzz_input *input)
{
    static const uint8_t payload[PAYLOAD_BYTES_MAX] = "payload";
    uint8_t choice = fuzz_take8(input);
    uint8_t more = fuzz_take8(input);
    struct world_role *role = &world->roles[choice % WORLD_ROLES];
    struct event event = {.kind = EVENT_CAMPAIGN,
                          .as.command = {.role = choice % WORLD_ROLES,
                                         .is_try = (choice & 4) != 0,
                                         .name = names[choice % WORLD_ROLES],
                                         .priority = more % (PRIORITY_MAX + 1),
                                         .payload = payload,
                                         .payload_bytes = more % (PAYLOAD_BYTES_MAX + 1),
                                         .successor_name = (more & 1) != 0 ? "stranger" : "alpha"}};
    if (role->is_campaign) {
        static const enum event_kind kinds[] = {EVENT_RESIGN, EVENT_TRANSFER, EVENT_PUBLISH};
        event.kind = kinds[choice / 16 % 3];
    }
    role->is_campaign = true;
    world_step(world, event);
}

static void ask_for_call(struct world *world, struct fuzz_input *input)
{
    static const uint8_t value[PAYLOAD_BYTES_MAX] = "value";
    uint8_t choice = fuzz_take8(input);
    uint8_t more = fuzz_take8(input);
    uint32_t call = choice % 4U;
    struct call_command command = {.call = call,
                                   .verb = (enum call_verb)(choice / 4 % (CALL_ASK + 1)),
                                   .name = names[more % 4],
                                   .bytes = value,
                                   .byte_count = more % (PAYLOAD_BYTES_MAX + 1),
                                   .has_expected = (more & 4) != 0,
                                   .expected_bytes = value,
                                   .expected_count = more / 8,
                                   .successor_name = (more & 16) != 0 ? "stranger" : "alpha"};
    command.ask = command.verb == CALL_ASK ? (enum ask_verb)(ASK_REQUEST + more / 32 % 3) : ASK_NONE;
    bool is_open = world->is_call_open[call];
    world->is_call_open[call] = true;
    world_step(world, (struct event){.kind = is_open ? EVENT_CANCEL : EVENT_CALL, .as.call = command});
}

/* ---- Deeds ------------------------------------------------------------------------------------------------------------ */

enum deed { DEED_RUN, DEED_ANSWER, DEED_BLOCKS, DEED_DISK, DEED_PASS, DEED_ROLE, DEED_CALL, DEED_LEAVE, DEEDS };

static void answer(struct world *world, struct fuzz_input *input)
{
    uint8_t which = fuzz_take8(input);
    uint8_t how = fuzz_take8(input);
    struct world_request *request = world_pending(world, which);
    if (request != NULL) {
        world_complete(world, request, how % 8 != 1, how % 8 != 2);
    }
}

static void pass(struct world *world, struct fuzz_input *input)
{
    int64_t fast_ns = fuzz_take16(input) * NS_PER_MS;
    int64_t slow_ns = fast_ns - fast_ns / 100 * (fuzz_take8(input) % 8);
    world_pass(world, fast_ns, slow_ns);
    world_step(world, (struct event){.kind = EVENT_TICK});
}

static void do_deed(struct world *world, struct fuzz_input *input)
{
    switch ((enum deed)(fuzz_take8(input) % DEEDS)) {
    case DEED_RUN:
        world_run(world, (1 + fuzz_take8(input)) * 100 * NS_PER_MS);
        break;
    case DEED_ANSWER:
        answer(world, input);
        break;
    case DEED_BLOCKS:
    case DEEDS:
        change_blocks(world, input);
        break;
    case DEED_DISK:
        change_disk(world, input);
        break;
    case DEED_PASS:
        pass(world, input);
        break;
    case DEED_ROLE:
        ask_for_role(world, input);
        break;
    case DEED_CALL:
        ask_for_call(world, input);
        break;
    case DEED_LEAVE:
        if (fuzz_take8(input) == 1) {
            world_step(world, (struct event){.kind = EVENT_LEAVE});
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct world world;
    struct fuzz_input input = {bytes, count};
    uint32_t disks = 1 + fuzz_take8(&input) % WORLD_DISKS_MAX;
    uint32_t slots = SLOTS_MIN + fuzz_take8(&input) % (WORLD_SLOTS_MAX - SLOTS_MIN + 1);
    struct node_id former = {.slot = fuzz_take8(&input) % slots};
    former.incarnation = fuzz_take8(&input) % 2 != 0 ? 1000 : 0;
    former.slot = former.incarnation == 0 ? 0 : former.slot;
    world_begin(&world, disks, slots, former);
    while (input.left > 0 && world.steps < WORLD_STEPS_MAX) {
        do_deed(&world, &input);
    }
    world_run(&world, 5 * NS_PER_S);
    world_end(&world);
    return 0;
}
