#include "block/endian.h"
#include "block/layout.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

/* Offsets as in src/block/README.md. */
enum {
    KIND = 0,
    HOLD = 1,
    LENGTH = 2,
    EPOCH = 8,
    HOLDER = 24,
    SUCCESSOR = 36,
    NAME = 48,
    NODE_NAME = 112,
    PAYLOAD = 176
};

static void expect_same(const struct role_value *a, const struct role_value *b)
{
    cr_expect_eq(a->kind, b->kind);
    cr_expect_eq(a->hold, b->hold);
    cr_expect_str_eq(a->name, b->name);
    cr_expect(node_id_is_same(a->holder, b->holder));
    cr_expect_str_eq(a->node_name, b->node_name);
    cr_expect_eq(a->epoch, b->epoch);
    cr_expect_eq(a->changed_wall_ns, b->changed_wall_ns);
    cr_expect(node_id_is_same(a->successor, b->successor));
    cr_expect_eq(a->payload_bytes, b->payload_bytes);
    cr_expect_arr_eq(a->payload, b->payload, PAYLOAD_BYTES_MAX);
    cr_expect_arr_eq(a->writers, b->writers, sizeof a->writers);
}

static void expect_round_trip(const struct role_value *role)
{
    uint8_t value[VALUE_BYTES];
    struct role_value back;
    memset(value, 0xee, sizeof value);
    role_value_encode(value, role);
    cr_assert(role_value_decode(value, &back));
    expect_same(role, &back);
}

Test(role_value, round_trips)
{
    struct role_value role = fixture_role();
    expect_round_trip(&role);
    role.hold = ROLE_HELD;
    role.successor = (struct node_id){0};
    expect_round_trip(&role);
    role.hold = ROLE_FREE;
    role.holder = (struct node_id){0};
    expect_round_trip(&role);
    role.hold = ROLE_FORGOTTEN;
    role.node_name[0] = '\0';
    memset(role.node_name, 0, sizeof role.node_name);
    expect_round_trip(&role);
}

/* N3: 63 bytes of name and 128 of payload fit, both at once. */
Test(role_value, N3_longest_of_everything)
{
    struct role_value role = fixture_role();
    memset(role.name, 'n', NAME_BYTES_MAX);
    memset(role.node_name, 'h', NAME_BYTES_MAX);
    memset(role.payload, 0xff, PAYLOAD_BYTES_MAX);
    role.payload_bytes = PAYLOAD_BYTES_MAX;
    role.epoch = UINT64_MAX;
    role.changed_wall_ns = INT64_MIN;
    role.holder.slot = SLOTS_MAX - 1;
    expect_round_trip(&role);
}

Test(role_value, N3_kinds_of_registers)
{
    static const enum value_kind kinds[] = {VALUE_REGISTER, VALUE_AGREE_ONCE};
    for (size_t i = 0; i < 2; i++) {
        struct role_value value = {
            .kind = kinds[i], .name = "config", .epoch = 2, .payload_bytes = 3, .payload = "1.0"};
        expect_round_trip(&value);
        for (uint64_t tag = 0; tag < WRITERS_KEPT; tag++) {
            value.writers[tag] = UINT64_MAX - tag;
        }
        expect_round_trip(&value);
    }
}

Test(role_value, nobody_holds_a_users_register)
{
    uint8_t value[VALUE_BYTES];
    struct role_value role = {.kind = VALUE_REGISTER, .name = "config", .payload_bytes = 1, .payload = "x"};
    role_value_encode(value, &role);
    cr_expect(role_value_decode(value, &role));
    value[HOLD] = ROLE_HELD;
    cr_expect_not(role_value_decode(value, &role));
    value[HOLD] = ROLE_FREE;
    value[HOLDER + 4] = 1;
    cr_expect_not(role_value_decode(value, &role));
}

Test(role_value, unnamed_is_all_zero)
{
    static const uint8_t zeros[VALUE_BYTES];
    uint8_t value[VALUE_BYTES];
    struct role_value role = {.kind = VALUE_UNNAMED};
    memset(value, 0xee, sizeof value);
    role_value_encode(value, &role);
    cr_expect_arr_eq(value, zeros, sizeof value);
    cr_assert(role_value_decode(zeros, &role));
    cr_expect_eq(role.kind, VALUE_UNNAMED);
    value[VALUE_BYTES - 1] = 1;
    cr_expect_not(role_value_decode(value, &role));
}

struct fault {
    const char *what;
    size_t at;
    uint8_t byte;
};

/* Each of these bytes, put into a good value, breaks one rule of the format; *ret stays as it was. */
Test(role_value, faults)
{
    static const struct fault faults[] = {
        {"unknown kind", KIND, VALUE_AGREE_ONCE + 1},
        {"unnamed, but not empty", KIND, VALUE_UNNAMED},
        {"unknown hold", HOLD, ROLE_FORGOTTEN + 1},
        {"free, but with a holder", HOLD, ROLE_FREE},
        {"held, but with a successor", HOLD, ROLE_HELD},
        {"payload longer than its room", LENGTH, PAYLOAD_BYTES_MAX + 1},
        {"bytes behind the payload", LENGTH, 7},
        {"no name", NAME, 0},
        {"control character in the name", NAME + 1, '\n'},
        {"bytes behind the name", NAME + 63, 'x'},
        {"no name of the holder", NODE_NAME, 0},
        {"invalid name of the holder", NODE_NAME, 0xff},
        {"held under no epoch", EPOCH, 0},
        {"holder in an impossible slot", HOLDER + 2, 1},
        {"successor in an impossible slot", SUCCESSOR + 3, 1},
        {"bytes behind the payload", PAYLOAD + PAYLOAD_BYTES_MAX - 1, 1},
    };
    struct role_value role = fixture_role();
    struct role_value untouched = {.epoch = 99};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        uint8_t value[VALUE_BYTES];
        role_value_encode(value, &role);
        value[faults[i].at] = faults[i].byte;
        cr_expect_not(role_value_decode(value, &untouched), "%s", faults[i].what);
        cr_expect_eq(untouched.epoch, 99, "%s", faults[i].what);
    }
}

Test(role_value, holder_or_successor_missing)
{
    struct role_value role = fixture_role();
    uint8_t value[VALUE_BYTES];
    role_value_encode(value, &role);
    le_store64(value + HOLDER + 4, 0);
    cr_expect_not(role_value_decode(value, &role));
    role_value_encode(value, &role);
    memset(value + HOLDER, 0, 12);
    cr_expect_not(role_value_decode(value, &role));
    role_value_encode(value, &role);
    memset(value + SUCCESSOR, 0, 12);
    cr_expect_not(role_value_decode(value, &role));
}

Test(role_value, any_bytes_are_safe)
{
    uint64_t random = 3;
    struct role_value role;
    for (int round = 0; round < 20000; round++) {
        uint8_t value[VALUE_BYTES];
        struct role_value good = fixture_role();
        role_value_encode(value, &good);
        for (uint64_t change = fixture_random(&random) % 8; change < 8; change++) {
            value[fixture_random(&random) % VALUE_BYTES] = (uint8_t)fixture_random(&random);
        }
        if (role_value_decode(value, &role)) {
            uint8_t again[VALUE_BYTES];
            role_value_encode(again, &role);
            cr_assert_leq(strlen(role.name), NAME_BYTES_MAX);
        }
    }
}

Test(role_value, S4_ledger_keeps_every_slot_of_its_row_apart)
{
    uint8_t value[VALUE_BYTES] = {0};
    for (uint32_t slot = 32; slot < 64; slot++) {
        ledger_value_set(value, slot, UINT64_C(0x0102030405060700) + slot);
    }
    for (uint32_t slot = 32; slot < 64; slot++) {
        cr_expect_eq(ledger_value_get(value, slot), UINT64_C(0x0102030405060700) + slot);
    }
    ledger_value_set(value, 40, 0);
    cr_expect_eq(ledger_value_get(value, 40), 0);
    cr_expect_eq(ledger_value_get(value, 41), UINT64_C(0x0102030405060700) + 41);
}

Test(role_value, S4_ledger_of_nothing_names_nobody)
{
    static const uint8_t value[VALUE_BYTES];
    for (uint32_t slot = 0; slot < SLOTS_MAX; slot++) {
        cr_assert_eq(ledger_value_get(value, slot), 0);
    }
}
