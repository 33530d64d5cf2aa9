/* The numbers to hold: what an update, an election and a renew interval cost, in requests per disk. */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { ALPHA, BETA, INTERVALS = 50 };

static struct rig rig;

static void setup(void)
{
    rig_init(&rig, 3);
    rig.header.layout.registers = RIG_REGISTERS_MAX;
    rig_format(&rig);
    rig_join(&rig, ALPHA);
}

static void teardown(void)
{
    rig_done(&rig);
}

TestSuite(cost, .init = setup, .fini = teardown);

static void lead(uint32_t node, uint32_t role, const char *name)
{
    rig_campaign(&rig, node, role, name);
    cr_assert(rig_await(&rig, node, NOTICE_LEADER, NS_PER_S));
}

static void expect_cost(uint32_t node, uint32_t row, uint32_t reads, uint32_t exchanges)
{
    for (uint32_t disk = 0; disk < 3; disk++) {
        cr_expect_eq(rig.nodes[node].submitted[disk][row][IO_READ], reads);
        cr_expect_eq(rig.nodes[node].submitted[disk][row][IO_EXCHANGE], exchanges);
        cr_expect_eq(rig.nodes[node].submitted[disk][row][IO_WRITE], 0U);
    }
}

Test(cost, a_cold_election_is_one_read_and_two_exchanges)
{
    lead(ALPHA, 0, "db");
    expect_cost(ALPHA, rig_row_of(&rig, "db"), 1, 2);
}

Test(cost, an_update_by_a_stable_owner_is_one_exchange)
{
    lead(ALPHA, 0, "db");
    rig_resign(&rig, ALPHA, 0);
    rig_run(&rig, NS_PER_S);
    cr_assert_eq(rig_notice_count(&rig, ALPHA, NOTICE_RELEASED), 1U);
    expect_cost(ALPHA, rig_row_of(&rig, "db"), 1, 3);
}

Test(cost, an_election_on_a_known_row_is_two_exchanges)
{
    rig_join(&rig, BETA);
    lead(ALPHA, 0, "db");
    rig_campaign(&rig, BETA, 0, "db");
    rig_run(&rig, 3 * NS_PER_S);
    rig_kill(&rig, ALPHA);
    cr_assert(rig_await(&rig, BETA, NOTICE_LEADER, 20 * NS_PER_S));
    uint32_t row = rig_row_of(&rig, "db");
    expect_cost(BETA, row, rig.nodes[BETA].submitted[0][row][IO_READ], 2);
}

/* One row read and one block written per disk and renew interval, and nothing else anywhere. */
static void expect_heartbeats_only(uint32_t held)
{
    for (uint32_t i = 0; i < held; i++) {
        char name[NAME_FIELD_BYTES];
        snprintf(name, sizeof name, "role-%u", i);
        lead(ALPHA, i, name);
    }
    static struct rig_node before;
    before = rig.nodes[ALPHA];
    rig_run(&rig, INTERVALS * rig.header.timings.renew_ns);
    const struct rig_node *after = &rig.nodes[ALPHA];
    for (uint32_t disk = 0; disk < 3; disk++) {
        for (uint32_t row = 0; row < RIG_ROWS_MAX; row++) {
            for (int operation = IO_READ; operation <= IO_HEADER; operation++) {
                bool is_heartbeat = row == ROW_HEARTBEAT && (operation == IO_READ || operation == IO_WRITE);
                uint32_t count = after->submitted[disk][row][operation] - before.submitted[disk][row][operation];
                cr_expect_eq(count, is_heartbeat ? (uint32_t)INTERVALS : 0U);
            }
        }
    }
    for (uint32_t i = 0; i < held; i++) {
        cr_expect_neq(node_role_epoch(after->node, i), 0U);
    }
}

Test(cost, T5_heartbeats_with_no_role)
{
    expect_heartbeats_only(0);
}

Test(cost, T5_heartbeats_with_1_role)
{
    expect_heartbeats_only(1);
}

Test(cost, T5_heartbeats_with_200_roles)
{
    expect_heartbeats_only(200);
}
