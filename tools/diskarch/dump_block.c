#include "dump_block.h"

#include "block/role_value.h"
#include "documents.h"
#include "escape.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

enum block_sight { SIGHT_EMPTY, SIGHT_UNREADABLE, SIGHT_DAMAGED, SIGHT_WRITTEN };

/* A block of any kind, decoded. */
struct decoded {
    enum block_kind kind;
    struct block_author author;
    struct claim_block claim;
    struct heartbeat_block heartbeat;
    struct register_block reg;
};

static enum block_sight decode(const struct dump_place *place, struct decoded *ret)
{
    ret->kind = block_kind_of_row(place->block.row);
    if (place->bytes == NULL) {
        return SIGHT_UNREADABLE;
    }
    bool is_intact = false;
    switch (ret->kind) {
    case BLOCK_CLAIM:
        is_intact = block_decode_claim(place->bytes, place->layout->block_bytes, &place->block, &ret->claim);
        ret->author = ret->claim.author;
        break;
    case BLOCK_HEARTBEAT:
        is_intact = block_decode_heartbeat(place->bytes, place->layout->block_bytes, &place->block, &ret->heartbeat);
        ret->author = ret->heartbeat.author;
        break;
    case BLOCK_REGISTER:
        is_intact = block_decode_register(place->bytes, place->layout->block_bytes, &place->block, &ret->reg);
        ret->author = ret->reg.author;
        break;
    }
    if (!is_intact) {
        return SIGHT_DAMAGED;
    }
    return ret->author.incarnation == 0 ? SIGHT_EMPTY : SIGHT_WRITTEN;
}

static bool row_is_ledger(const struct dump_place *place)
{
    uint32_t row = place->block.row;
    return row >= ROW_LEDGER_FIRST && row < ROW_LEDGER_FIRST + layout_ledger_rows(place->layout);
}

static const char *kind_name(const struct dump_place *place, enum block_kind kind)
{
    switch (kind) {
    case BLOCK_CLAIM:
        return "claim";
    case BLOCK_HEARTBEAT:
        return "heartbeat";
    case BLOCK_REGISTER:
        break;
    }
    return row_is_ledger(place) ? "ledger" : "register";
}

static const char *state_name(enum heartbeat_state state)
{
    static const char *const names[] = {[HEARTBEAT_NONE] = "none",
                                        [HEARTBEAT_JOINED] = "joined",
                                        [HEARTBEAT_READY] = "ready",
                                        [HEARTBEAT_LEFT] = "left"};
    return names[state];
}

static const char *hold_name(enum role_hold hold)
{
    static const char *const names[] = {[ROLE_FREE] = "free",
                                        [ROLE_HELD] = "held",
                                        [ROLE_TRANSFERRING] = "transferring",
                                        [ROLE_FORGOTTEN] = "forgotten"};
    return names[hold];
}

/* ---- In words ---------------------------------------------------------------------------------------------------- */

/* Slot and incarnation: as everywhere, the incarnation alone would do, but the slot tells where to look. */
static void print_id(struct node_id id)
{
    printf("%" PRIu32 "/%016" PRIx64, id.slot, id.incarnation);
}

static void print_ballot(const char *name, struct ballot ballot)
{
    if (!ballot_is_none(ballot)) {
        printf("      %-9s %" PRIu64 "/", name, ballot.round);
        print_id((struct node_id){.slot = ballot.slot, .incarnation = ballot.incarnation});
        putchar('\n');
    }
}

static void print_ledger(const struct dump_place *place, const uint8_t *value)
{
    uint32_t first = (place->block.row - ROW_LEDGER_FIRST) * LEDGER_SLOTS_PER_ROW;
    for (uint32_t i = 0; i < LEDGER_SLOTS_PER_ROW && first + i < place->layout->slots; i++) {
        struct node_id retired = {.slot = first + i, .incarnation = ledger_value_get(value, i)};
        if (!node_id_is_none(retired)) {
            printf("      retired   ");
            print_id(retired);
            putchar('\n');
        }
    }
}

static void print_role(const uint8_t *value)
{
    struct role_value role;
    if (!role_value_decode(value, &role)) {
        printf("      value     DAMAGED\n");
        return;
    }
    if (role.kind == VALUE_UNNAMED) {
        return;
    }
    printf("      value     \"%s\" %s, epoch %" PRIu64 ", changed %s\n", escaped(role.name), hold_name(role.hold),
           role.epoch, wall_time_words(role.changed_wall_ns));
    if (!node_id_is_none(role.holder)) {
        printf("      holder    ");
        print_id(role.holder);
        printf("  %s\n", escaped(role.node_name));
    }
    if (!node_id_is_none(role.successor)) {
        printf("      successor ");
        print_id(role.successor);
        putchar('\n');
    }
}

static void print_heartbeat(const struct heartbeat_block *heartbeat)
{
    printf("      node      %s, %s, counter %" PRIu64 ", started %s\n", escaped(heartbeat->node_name),
           state_name(heartbeat->state), heartbeat->counter, wall_time_words(heartbeat->started_wall_ns));
    for (uint32_t i = 0; i < heartbeat->verdict_count; i++) {
        printf("      dead      ");
        print_id(heartbeat->verdicts[i]);
        putchar('\n');
    }
}

static void print_content(const struct dump_place *place, const struct decoded *content)
{
    switch (content->kind) {
    case BLOCK_CLAIM:
        printf("      node      %s\n", escaped(content->claim.node_name));
        break;
    case BLOCK_HEARTBEAT:
        print_heartbeat(&content->heartbeat);
        break;
    case BLOCK_REGISTER:
        print_ballot("promised", content->reg.promised);
        print_ballot("accepted", content->reg.accepted);
        print_ballot("committed", content->reg.committed);
        if (row_is_ledger(place)) {
            print_ledger(place, content->reg.value);
        } else {
            print_role(content->reg.value);
        }
        break;
    }
}

void dump_block_print(const struct dump_place *place)
{
    struct decoded content;
    enum block_sight sight = decode(place, &content);
    if (sight == SIGHT_EMPTY) {
        return;
    }
    printf("  row %" PRIu32 " slot %" PRIu32 "  %s  ", place->block.row, place->block.slot,
           kind_name(place, content.kind));
    if (sight != SIGHT_WRITTEN) {
        printf("%s\n", sight == SIGHT_DAMAGED ? "DAMAGED" : "UNREADABLE");
        return;
    }
    printf("by %016" PRIx64 " write %" PRIu64 "\n", content.author.incarnation, content.author.sequence);
    print_content(place, &content);
}

/* ---- In JSON ----------------------------------------------------------------------------------------------------- */

static json_t *node_id_json(struct node_id id)
{
    return node_id_is_none(id)
               ? json_null()
               : json_pack("{s:I, s:o}", "slot", (json_int_t)id.slot, "incarnation", json_hex(id.incarnation));
}

static json_t *ballot_json(struct ballot ballot)
{
    if (ballot_is_none(ballot)) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:o}", "round", (json_int_t)ballot.round, "slot", (json_int_t)ballot.slot,
                     "incarnation", json_hex(ballot.incarnation));
}

static json_t *ledger_json(const struct dump_place *place, const uint8_t *value)
{
    json_t *retired = json_array();
    uint32_t first = (place->block.row - ROW_LEDGER_FIRST) * LEDGER_SLOTS_PER_ROW;
    for (uint32_t i = 0; i < LEDGER_SLOTS_PER_ROW && first + i < place->layout->slots; i++) {
        struct node_id id = {.slot = first + i, .incarnation = ledger_value_get(value, i)};
        if (!node_id_is_none(id)) {
            json_array_append_new(retired, node_id_json(id));
        }
    }
    return retired;
}

/* null of a row without a name, false of bytes that are no value. */
static json_t *role_json(const uint8_t *value)
{
    struct role_value role;
    if (!role_value_decode(value, &role)) {
        return json_false();
    }
    if (role.kind == VALUE_UNNAMED) {
        return json_null();
    }
    json_t *json = json_pack("{s:o, s:s, s:I, s:o}", "name", json_text(role.name), "state", hold_name(role.hold),
                             "epoch", (json_int_t)role.epoch, "node", json_text(role.node_name));
    json_object_set_new(json, "holder", node_id_json(role.holder));
    json_object_set_new(json, "successor", node_id_json(role.successor));
    json_object_set_new(json, "changed_wall_ms", document_wall_ms(role.changed_wall_ns));
    return json;
}

static void heartbeat_add_json(json_t *json, const struct heartbeat_block *heartbeat)
{
    json_object_set_new(json, "node", json_text(heartbeat->node_name));
    json_object_set_new(json, "state", json_string(state_name(heartbeat->state)));
    json_object_set_new(json, "counter", json_integer((json_int_t)heartbeat->counter));
    json_object_set_new(json, "started_wall_ms", document_wall_ms(heartbeat->started_wall_ns));
    json_object_set_new(json, "watchdog_promise_ms", json_ms((int64_t)heartbeat->watchdog_promise_ns));
    json_t *verdicts = json_array();
    for (uint32_t i = 0; i < heartbeat->verdict_count; i++) {
        json_array_append_new(verdicts, node_id_json(heartbeat->verdicts[i]));
    }
    json_object_set_new(json, "verdicts", verdicts);
}

static void register_add_json(json_t *json, const struct dump_place *place, const struct register_block *reg)
{
    json_object_set_new(json, "promised", ballot_json(reg->promised));
    json_object_set_new(json, "accepted", ballot_json(reg->accepted));
    json_object_set_new(json, "committed", ballot_json(reg->committed));
    if (row_is_ledger(place)) {
        json_object_set_new(json, "retired", ledger_json(place, reg->value));
    } else {
        json_object_set_new(json, "role", role_json(reg->value));
    }
}

json_t *dump_block_json(const struct dump_place *place)
{
    static const char *const states[] = {
        [SIGHT_UNREADABLE] = "unreadable", [SIGHT_DAMAGED] = "damaged", [SIGHT_WRITTEN] = "intact"};
    struct decoded content;
    enum block_sight sight = decode(place, &content);
    if (sight == SIGHT_EMPTY) {
        return NULL;
    }
    json_t *json =
        json_pack("{s:I, s:I, s:s, s:s}", "row", (json_int_t)place->block.row, "slot", (json_int_t)place->block.slot,
                  "kind", kind_name(place, content.kind), "block", states[sight]);
    if (sight != SIGHT_WRITTEN) {
        return json;
    }
    json_object_set_new(json, "incarnation", json_hex(content.author.incarnation));
    json_object_set_new(json, "sequence", json_integer((json_int_t)content.author.sequence));
    switch (content.kind) {
    case BLOCK_CLAIM:
        json_object_set_new(json, "node", json_text(content.claim.node_name));
        break;
    case BLOCK_HEARTBEAT:
        heartbeat_add_json(json, &content.heartbeat);
        break;
    case BLOCK_REGISTER:
        register_add_json(json, place, &content.reg);
        break;
    }
    return json;
}
