/* What `check` makes of a set: each kind of damage is found where it is, and weighs what it should. */
#include "table.h"
#include "wraps.h"

#include "offline/survey.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_MAX = 4096, ALL = 7 };

static struct table table;
static struct layout layout;
static struct disk_set *set;
static struct survey survey;
static struct survey_finding findings[FINDINGS_MAX];
static size_t finding_count;

static void setup(void)
{
    scratch_init();
    table_format(&table);
    wrap_reset();
    layout = table.header.layout;
    table_put(&table, ALL, 3, 0, 5, "db", ROLE_FREE, 8);
    set = calloc(1, sizeof *set);
}

static void teardown(void)
{
    disk_set_close(set);
    free(set);
    scratch_done();
}

TestSuite(survey, .init = setup, .fini = teardown);

static void take(void *context, const struct survey_finding *finding)
{
    (void)context;
    cr_assert_lt(finding_count, (size_t)FINDINGS_MAX);
    findings[finding_count++] = *finding;
}

static enum survey_weight look(size_t path_count)
{
    struct disk_set_options options = {
        .paths = table.paths, .path_count = path_count, .allow_minority = true, .allow_tuning = true};
    disk_set_close(set);
    finding_count = 0;
    cr_assert_eq(disk_set_open(&options, set), 0, "%s", set->message);
    cr_assert_eq(survey_run(set, take, NULL, &survey), 0);
    return survey.verdict;
}

static void expect_finding(enum survey_kind kind, uint32_t disk, uint32_t row, uint32_t slot, const char *text)
{
    for (size_t i = 0; i < finding_count; i++) {
        const struct survey_finding *found = &findings[i];
        if (found->kind == kind && found->disk == disk && found->row == row && found->slot == slot &&
            strstr(found->text, text) != NULL) {
            return;
        }
    }
    cr_expect(false, "no finding says \"%s\"; the first of %zu says \"%s\"", text, finding_count, findings[0].text);
}

static uint32_t row_of(uint32_t index)
{
    return layout_register_row(&layout, index);
}

static void put_heartbeat(uint32_t disk, uint64_t counter)
{
    struct block_place place = {
        .set_tag = set_header_tag(&table.header), .disk = disk, .row = ROW_HEARTBEAT, .slot = 2};
    struct heartbeat_block content = {.author = {.incarnation = 7, .sequence = counter},
                                      .state = HEARTBEAT_READY,
                                      .counter = counter,
                                      .node_name = "beta"};
    uint8_t block[512];
    block_encode_heartbeat(block, sizeof block, &place, &content);
    scratch_write(table.paths[disk], layout_offset(&layout, ROW_HEARTBEAT, 2), block, sizeof block);
}

Test(survey, a_whole_set_is_healthy)
{
    cr_expect_eq(look(3), SURVEY_HEALTHY);
    cr_expect_eq(finding_count, 0U);
    uint64_t blocks = (uint64_t)layout_rows(&layout) * layout.slots;
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        cr_expect_eq(survey.disks[i].written_blocks, 1U);
        cr_expect_eq(survey.disks[i].empty_blocks, blocks - 1);
    }
    cr_expect_eq(survey.named_registers, 1U);
    cr_expect_eq(survey.proven_registers, 1U);
    cr_expect_eq(survey.newest_on_disks[3], 1U);
}

Test(survey, a_damaged_block_is_covered_by_the_others)
{
    table_damage(&table, 1, row_of(3), 0);
    cr_expect_eq(look(3), SURVEY_COVERED);
    cr_expect_eq(finding_count, 1U);
    expect_finding(SURVEY_BLOCK, 1, row_of(3), 0, "register 3 is damaged");
    cr_expect_eq(survey.disks[1].damaged_blocks, 1U);
    cr_expect_eq(survey.newest_on_disks[2], 1U);
}

Test(survey, wiped_and_misplaced_blocks_are_told_apart)
{
    uint8_t block[512];
    scratch_fill(table.paths[0], layout_offset(&layout, ROW_CLAIM, 1), 0, 512);
    scratch_read(table.paths[2], layout_offset(&layout, row_of(3), 0), block, sizeof block);
    scratch_write(table.paths[2], layout_offset(&layout, row_of(4), 0), block, sizeof block);
    cr_expect_eq(look(3), SURVEY_COVERED);
    expect_finding(SURVEY_BLOCK, 0, ROW_CLAIM, 1, "the claim row holds nothing but zeros");
    expect_finding(SURVEY_BLOCK, 2, row_of(4), 0, "register 4 is the block of another place");
}

Test(survey, a_claim_damaged_on_a_majority_needs_mending)
{
    table_damage(&table, 0, ROW_CLAIM, 1);
    table_damage(&table, 1, ROW_CLAIM, 1);
    cr_expect_eq(look(3), SURVEY_REPAIR);
    expect_finding(SURVEY_SLOT, SURVEY_NOWHERE, ROW_CLAIM, 1, "intact on 1 of 3 disks, 2 are needed");
}

Test(survey, a_register_damaged_on_a_majority_may_be_lost)
{
    table_damage(&table, 0, row_of(3), 0);
    table_damage(&table, 1, row_of(3), 0);
    cr_expect_eq(look(3), SURVEY_LOST);
    expect_finding(SURVEY_SLOT, SURVEY_NOWHERE, row_of(3), 0, "may be lost");
}

Test(survey, a_header_with_a_good_copy_is_covered)
{
    scratch_fill(table.paths[1], 0, 0x11, 512);
    scratch_fill(table.paths[2], layout_header_copy_offset(&layout) + 50, 0x11, 8);
    cr_expect_eq(look(3), SURVEY_COVERED);
    expect_finding(SURVEY_HEADER, 1, SURVEY_NOWHERE, SURVEY_NOWHERE, "its header is gone, the copy is good");
    expect_finding(SURVEY_HEADER, 2, SURVEY_NOWHERE, SURVEY_NOWHERE, "its copy of the header is damaged");
}

Test(survey, an_absent_disk_is_covered)
{
    cr_expect_eq(look(2), SURVEY_COVERED);
    expect_finding(SURVEY_DISK_ABSENT, 2, SURVEY_NOWHERE, SURVEY_NOWHERE, "bring it back");
    cr_expect_eq(survey.newest_on_disks[2], 1U);
}

Test(survey, what_stands_on_a_minority_is_unsettled_and_no_damage)
{
    table_put(&table, 2, 3, 1, 9, "db", ROLE_FREE, 9);
    cr_expect_eq(look(3), SURVEY_HEALTHY);
    expect_finding(SURVEY_UNSETTLED, SURVEY_NOWHERE, row_of(3), SURVEY_NOWHERE, "register 3 (\"db\") is not settled");
    cr_expect_eq(survey.newest_on_disks[1], 1U);
    cr_expect_eq(survey.proven_registers, 0U);
}

Test(survey, D7_a_disk_that_shows_older_heartbeats_is_named)
{
    put_heartbeat(0, 90);
    put_heartbeat(1, 12);
    put_heartbeat(2, 89);
    cr_expect_eq(look(3), SURVEY_COVERED);
    cr_expect_eq(finding_count, 1U, "one write under way is no evidence");
    expect_finding(SURVEY_BEHIND, 1, ROW_HEARTBEAT, 2, "heartbeat 12 of node \"beta\", others show 90");
}

Test(survey, a_tune_that_was_cut_off_needs_mending)
{
    uint8_t block[512];
    struct set_header header = table.header;
    header.tuning = 3;
    set_header_encode(block, sizeof block, &header);
    scratch_write(table.paths[0], 0, block, sizeof block);
    cr_expect_eq(look(3), SURVEY_REPAIR);
    expect_finding(SURVEY_TUNING, 0, SURVEY_NOWHERE, SURVEY_NOWHERE, "run it again with all disks");
    expect_finding(SURVEY_HEADER, 0, SURVEY_NOWHERE, SURVEY_NOWHERE, "its header and the copy differ");
}

Test(survey, timings_that_differ_need_mending)
{
    uint8_t block[512];
    struct set_header header = table.header;
    header.disk_index = 2;
    header.timings.lease_ns *= 2;
    set_header_encode(block, sizeof block, &header);
    scratch_write(table.paths[2], 0, block, sizeof block);
    cr_expect_eq(look(3), SURVEY_REPAIR);
    expect_finding(SURVEY_TUNING, 2, SURVEY_NOWHERE, SURVEY_NOWHERE, "diskarch tune makes them the same");
}
