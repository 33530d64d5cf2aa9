/* Compacting (rule N1): forgotten names go, all others are found where their probes look; and it may be cut off at any write. */
#include "table.h"
#include "wraps.h"

#include "offline/tune.h"

#include <criterion/criterion.h>
#include <diskarch/diskarch.h>
#include <string.h>

enum { ALL = 7, HIGHEST_EPOCH = 900, LIVE_NAMES = 5, CUTS_MAX = 1000 };

static struct table table;
static char message[DISK_MESSAGE_BYTES];
static struct tune_result result;
static const char *forgotten[2];
static struct {
    const char *name;
    uint64_t epoch;
    int register_before, register_after;
} live[LIVE_NAMES];

static void put_live(int at, const char *name, uint32_t index, uint32_t after, uint64_t epoch)
{
    live[at].name = name;
    live[at].epoch = epoch;
    live[at].register_before = (int)index;
    live[at].register_after = (int)after;
    table_put(&table, ALL, index, 0, 5, name, ROLE_FREE, epoch - 1);
    table_put(&table, 6, index, 1, 9, name, ROLE_FREE, epoch);
}

/* Two clusters, one around the end of the table; two forgotten names in the way of three others. Every row has an older value beside
 * the newest, which stands on two disks only. Register 1 was promised and never accepted. */
static void setup(void)
{
    scratch_init();
    table_format(&table);
    forgotten[0] = table_name(2, 0);
    forgotten[1] = table_name(3, 0);
    table_put(&table, ALL, 2, 0, 5, forgotten[0], ROLE_FREE, 30);
    table_put(&table, 5, 2, 2, 6, forgotten[0], ROLE_FORGOTTEN, HIGHEST_EPOCH);
    table_put(&table, ALL, 4, 3, 5, forgotten[1], ROLE_FREE, 2);
    table_put(&table, 3, 4, 0, 6, forgotten[1], ROLE_FORGOTTEN, 2);
    table_put(&table, ALL, 1, 2, 40, "", ROLE_FREE, 0);
    put_live(0, table_name(2, 1), 3, 2, 11);
    put_live(1, table_name(2, 2), 5, 3, 22);
    put_live(2, table_name(4, 0), 6, 4, 33);
    put_live(3, table_name(7, 0), 7, 7, 44);
    put_live(4, table_name(7, 1), 0, 0, 55);
    wrap_reset();
}

TestSuite(compact, .init = setup, .fini = scratch_done);

static int compact(void)
{
    struct tune_options options = {
        .paths = table.paths, .path_count = TABLE_DISKS, .change = {-1, -1, -1, -1, -1, -1}, .is_compacting = true};
    return tune_set(&options, &result, message, sizeof message);
}

static int open_set(struct set_header *ret)
{
    static struct disk_set set;
    struct disk_set_options options = {.paths = table.paths, .path_count = TABLE_DISKS};
    int error = disk_set_open(&options, &set);
    *ret = set.header;
    disk_set_close(&set);
    return error;
}

static void expect_compacted(void)
{
    struct set_header header;
    cr_assert_eq(open_set(&header), 0);
    cr_expect_geq(header.epoch_floor, (uint64_t)HIGHEST_EPOCH);
    for (int i = 0; i < 2; i++) {
        cr_expect(table_has_nowhere(&table, forgotten[i]), "%s is still there", forgotten[i]);
    }
    for (int i = 0; i < LIVE_NAMES; i++) {
        for (uint32_t majority = 3; majority <= ALL; majority++) {
            struct role_value value;
            if (majority == 4) {
                continue; /* one disk */
            }
            cr_assert_eq(table_find(&table, majority, live[i].name, &value), live[i].register_after, "%s on disks %u",
                         live[i].name, majority);
            cr_assert_eq(value.epoch, live[i].epoch);
            cr_assert_eq(value.hold, ROLE_FREE);
        }
    }
}

Test(compact, N1_forgotten_names_go_and_all_others_are_found)
{
    cr_assert_eq(compact(), 0, "%s", message);
    cr_expect_eq(result.freed_registers, 2U);
    cr_expect_eq(result.header.epoch_floor, (uint64_t)HIGHEST_EPOCH);
    expect_compacted();
}

Test(compact, N1_compacting_twice_changes_nothing_more)
{
    cr_assert_eq(compact(), 0, "%s", message);
    cr_assert_eq(compact(), 0, "%s", message);
    cr_expect_eq(result.freed_registers, 0U);
    expect_compacted();
}

/* Before the first mark the set is as it was; after the last header it is done; between nobody can open it. */
Test(compact, N1_it_may_be_cut_off_at_any_write_and_run_again)
{
    bool was_refused = false;
    uint32_t cuts = 0;
    table_save(&table);
    for (int error = -1; error != 0; cuts++) {
        struct set_header header;
        cr_assert_lt(cuts, (uint32_t)CUTS_MAX);
        table_restore(&table);
        wrap_writes_left = cuts;
        error = compact();
        wrap_writes_left = -1;
        int opened = open_set(&header);
        was_refused = was_refused || opened != 0;
        cr_assert(opened == 0 || opened == DISKARCH_EUNSETTLED);
        if (opened == 0 && error != 0) {
            cr_expect_eq(header.revision, 0U);
            cr_expect_leq(cuts, 1U, "one copy of a header may have been marked, and nothing else");
        }
        cr_assert_eq(compact(), 0, "cut after %u writes: %s", cuts, message);
        expect_compacted();
    }
    cr_expect(was_refused);
    cr_expect_gt(cuts, 40U, "every write was cut once");
}

/* The second cut falls into the run that mends the first. */
Test(compact, N1_it_may_be_cut_off_twice)
{
    table_save(&table);
    compact();
    uint32_t writes = wrap_writes_done;
    for (uint32_t first = 1; first < writes; first += 17) {
        for (uint32_t second = 1; second < writes; second += 13) {
            table_restore(&table);
            wrap_writes_left = first;
            compact();
            wrap_writes_left = second;
            compact();
            wrap_writes_left = -1;
            cr_assert_eq(compact(), 0, "cut at %u and %u: %s", first, second, message);
            expect_compacted();
        }
    }
}

/* What the old timings' nodes may still have on its way must not land in a register that has become somebody else's. */
Test(compact, Q_the_watch_before_rows_are_rewritten_lasts_a_quarantine_longer)
{
    cr_assert_eq(compact(), 0, "%s", message);
    cr_expect_eq(wrap_watches, 2U);
    cr_expect_eq(wrap_watch_more_ns, table.header.timings.quarantine_ns);
}

static void expect_refusal(int error, const char *thing, const char *reason, const char *remedy)
{
    uint64_t before[TABLE_DISKS];
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        before[i] = scratch_checksum(table.paths[i]);
    }
    cr_expect_eq(compact(), error, "%s", message);
    scratch_expect_message(message, thing, reason, remedy);
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        cr_expect_eq(scratch_checksum(table.paths[i]), before[i], "the set is as it was");
    }
}

Test(compact, N1_an_unsettled_register_is_refused)
{
    table_put(&table, 1, 3, 2, 70, live[0].name, ROLE_FREE, live[0].epoch + 1);
    expect_refusal(DISKARCH_EUNSETTLED, "register 3", "is not settled", "let a node settle it");
}

Test(compact, N1_a_promise_above_the_value_is_unsettled)
{
    table_put(&table, ALL, 3, 2, 70, "", ROLE_FREE, 0);
    expect_refusal(DISKARCH_EUNSETTLED, "register 3", "is not settled", "let a node settle it");
}

Test(compact, N1_a_damaged_block_is_refused)
{
    struct layout layout = table.header.layout;
    table_damage(&table, 2, layout_register_row(&layout, 6), 3);
    expect_refusal(DISKARCH_EUNSETTLED, table.paths[2], "slot 3 in register 6 is damaged", "mend it first");
}

Test(compact, Q_a_set_that_never_uses_slots_again_keeps_its_registers)
{
    struct tune_options options = {
        .paths = table.paths, .path_count = TABLE_DISKS, .change = {-1, -1, -1, -1, -1, .slot_reuse = 0}};
    cr_assert_eq(tune_set(&options, &result, message, sizeof message), 0, "%s", message);
    expect_refusal(DISKARCH_EUSAGE, "set \"scratch\"", "their writes may come at any time", "--slot-reuse quarantine");
}

/* A name in two registers with two values is no work of compacting: nothing may be guessed. */
Test(compact, N1_one_name_with_two_values_is_refused)
{
    table_put(&table, ALL, 4, 1, 50, live[0].name, ROLE_FREE, 77);
    cr_expect_eq(compact(), DISKARCH_EUNSETTLED, "%s", message);
    scratch_expect_message(message, live[0].name, "with different values", "do not use the set");
}
