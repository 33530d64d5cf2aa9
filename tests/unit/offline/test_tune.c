/* Tuning: in which order headers change, what refuses it, and that a cut anywhere leaves no set that two timings can be read from. */
#include "table.h"
#include "wraps.h"

#include "disk/header_pair.h"
#include "offline/tune.h"

#include <criterion/criterion.h>
#include <diskarch/diskarch.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct table table;
static char message[DISK_MESSAGE_BYTES];
static struct tune_result result;

static void setup(void)
{
    scratch_init();
    table_format(&table);
    wrap_reset();
}

TestSuite(tune, .init = setup, .fini = scratch_done);

static int tune_paths(const char *const *paths, size_t count, int64_t lease_ns)
{
    struct tune_options options = {
        .paths = paths, .path_count = count, .change = {.lease_ns = lease_ns, -1, -1, -1, -1, -1}};
    return tune_set(&options, &result, message, sizeof message);
}

static int tune(int64_t lease_ns)
{
    return tune_paths(table.paths, TABLE_DISKS, lease_ns);
}

static int open_paths(const char *const *paths, size_t count, struct set_header *ret)
{
    static struct disk_set set;
    struct disk_set_options options = {.paths = paths, .path_count = count};
    int error = disk_set_open(&options, &set);
    *ret = set.header;
    disk_set_close(&set);
    return error;
}

/* Writes the header of a disk in both places. */
static void put_header(uint32_t disk, const struct set_header *header)
{
    uint8_t block[512];
    struct set_header own = *header;
    own.disk_index = disk;
    set_header_encode(block, sizeof block, &own);
    scratch_write(table.paths[disk], 0, block, sizeof block);
    scratch_write(table.paths[disk], layout_header_copy_offset(&table.header.layout), block, sizeof block);
}

Test(tune, all_headers_and_copies_tell_the_new_timings)
{
    cr_assert_eq(tune(NS_PER_S), 0, "%s", message);
    cr_expect_not(result.has_ended_an_earlier);
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        for (int place = 0; place < 2; place++) {
            uint8_t block[512];
            struct set_header found;
            struct set_header expected = table.header;
            scratch_read(table.paths[i], place == 0 ? 0 : layout_header_copy_offset(&table.header.layout), block,
                         sizeof block);
            cr_assert_eq(set_header_decode(block, &found), HEADER_OK);
            expected.disk_index = i;
            expected.timings.lease_ns = NS_PER_S;
            expected.revision = 1;
            cr_expect(set_header_is_unchanged(&found, &expected));
        }
    }
}

Test(tune, blocks_stay_as_they_are)
{
    table_put(&table, 7, 3, 1, 5, table_name(3, 0), ROLE_FREE, 8);
    cr_assert_eq(tune(NS_PER_S), 0, "%s", message);
    struct role_value value;
    cr_expect_eq(table_find(&table, 1, table_name(3, 0), &value), 3);
    cr_expect_eq(value.epoch, 8U);
}

/* T6: whatever majority of the disks a node opens, it opens the old timings or the new ones, and never both exist at a time. */
Test(tune, T6_cut_off_anywhere_no_two_majorities_open_with_different_timings)
{
    static const uint32_t pairs[][2] = {{0, 1}, {0, 2}, {1, 2}};
    uint32_t cuts = 0;
    table_save(&table);
    for (int error = -1; error != 0; cuts++) {
        bool has_old = false;
        bool has_new = false;
        table_restore(&table);
        wrap_writes_left = cuts;
        error = tune(NS_PER_S);
        wrap_writes_left = -1;
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
            struct set_header header;
            const char *paths[] = {table.paths[pairs[i][0]], table.paths[pairs[i][1]]};
            if (open_paths(paths, 2, &header) == 0) {
                has_old = has_old || header.timings.lease_ns == table.header.timings.lease_ns;
                has_new = has_new || header.timings.lease_ns == NS_PER_S;
            }
        }
        cr_expect_not(has_old && has_new, "cut after %u writes", cuts);
        int again = tune(NS_PER_S);
        cr_expect(again == 0 || (error == 0 && again == DISKARCH_EUSAGE), "cut after %u writes: %s", cuts, message);
        struct set_header header;
        cr_assert_eq(open_paths(table.paths, TABLE_DISKS, &header), 0);
        cr_expect_eq(header.timings.lease_ns, NS_PER_S);
    }
    cr_expect_eq(cuts, 13U, "marks and targets, each on three disks in two places");
}

Test(tune, one_that_was_cut_off_is_ended_without_naming_a_change)
{
    wrap_writes_left = 9;
    cr_assert_neq(tune(NS_PER_S), 0);
    wrap_writes_left = -1;
    cr_assert_eq(tune(-1), 0, "%s", message);
    cr_expect(result.has_ended_an_earlier);
    struct set_header header;
    cr_assert_eq(open_paths(table.paths, TABLE_DISKS, &header), 0);
    cr_expect_eq(header.timings.lease_ns, NS_PER_S, "the newest header had them already");
}

/* ---- Nobody may live there -------------------------------------------------------------------------------------------- */

static void put_heartbeat(uint64_t counter)
{
    struct block_place place = {.set_tag = set_header_tag(&table.header), .disk = 1, .row = ROW_HEARTBEAT, .slot = 2};
    struct heartbeat_block content = {.author = {.incarnation = 7, .sequence = counter},
                                      .state = HEARTBEAT_READY,
                                      .counter = counter,
                                      .node_name = "beta"};
    uint8_t block[512];
    block_encode_heartbeat(block, sizeof block, &place, &content);
    scratch_write(table.paths[1], layout_offset(&table.header.layout, ROW_HEARTBEAT, 2), block, sizeof block);
}

static void expect_as_before(void)
{
    struct set_header header;
    cr_assert_eq(open_paths(table.paths, TABLE_DISKS, &header), 0);
    cr_expect_eq(header.revision, 0U);
    cr_expect_eq(header.timings.lease_ns, table.header.timings.lease_ns);
}

static uint32_t beating_watch;
static pid_t beater;

/* In the background from that watch on. */
static void beat(uint32_t number)
{
    wrap_is_watching = number == beating_watch;
    if (!wrap_is_watching) {
        return;
    }
    pid_t parent = getpid();
    beater = fork();
    for (uint64_t counter = 1; beater == 0; counter++) {
        put_heartbeat(counter);
        usleep(5000);
        if (getppid() != parent) {
            _exit(0);
        }
    }
}

/* With a lease so long that a busy machine lets the heartbeat move before the watch is over. */
static void expect_in_use(uint32_t watch)
{
    table.header.timings.lease_ns = 10 * NS_PER_S;
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        put_header(i, &table.header);
    }
    wrap_on_watch = beat;
    beating_watch = watch;
    cr_expect_eq(tune(NS_PER_S), DISKARCH_EINUSE, "%s", message);
    scratch_expect_message(message, table.paths[1], "heartbeat of node \"beta\" moves", "stop that node first");
    cr_expect_eq(wrap_watches, watch);
    kill(beater, SIGKILL);
    waitpid(beater, NULL, 0);
    expect_as_before();
}

Test(tune, T6_a_set_on_which_a_node_lives_is_refused)
{
    expect_in_use(1);
}

Test(tune, T6_a_node_that_came_between_watch_and_mark_is_seen_and_the_marks_are_taken_back)
{
    expect_in_use(2);
}

static void mark_by_another(uint32_t number)
{
    struct set_header header = table.header;
    header.tuning = 99;
    if (number == 2) {
        put_header(2, &header);
    }
}

Test(tune, T6_two_at_once_see_each_other)
{
    wrap_on_watch = mark_by_another;
    cr_expect_eq(tune(NS_PER_S), DISKARCH_EINUSE, "%s", message);
    scratch_expect_message(message, table.paths[2], "another diskarch tune", "one at a time");
}

/* ---- What else is refused --------------------------------------------------------------------------------------------- */

static void expect_refusal(int64_t lease_ns, int error, const char *thing, const char *reason, const char *remedy)
{
    uint64_t before = scratch_checksum(table.paths[0]);
    cr_expect_eq(tune(lease_ns), error, "%s", message);
    scratch_expect_message(message, thing, reason, remedy);
    cr_expect_eq(scratch_checksum(table.paths[0]), before);
}

Test(tune, a_missing_disk_is_refused)
{
    const char *paths[] = {table.paths[2], table.paths[0]};
    cr_expect_eq(tune_paths(paths, 2, NS_PER_S), DISKARCH_ENOQUORUM);
    scratch_expect_message(message, "disk 1", "is missing", "bring it back");
    expect_as_before();
}

Test(tune, timings_that_do_not_fit_are_refused)
{
    expect_refusal(50 * NS_PER_MS, DISKARCH_EUSAGE, "lease", "too short", "at least 100ms");
    table.header.timings.renew_ns = 60 * NS_PER_MS;
    table.header.timings.io_deadline_ns = 50 * NS_PER_MS;
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        put_header(i, &table.header);
    }
    expect_refusal(150 * NS_PER_MS, DISKARCH_EUSAGE, "renew", "third of the lease", "give at most 50ms");
}

Test(tune, nothing_to_change_is_said)
{
    expect_refusal(-1, DISKARCH_EUSAGE, "scratch", "nothing to change", "say what is to be");
    expect_refusal(table.header.timings.lease_ns, DISKARCH_EUSAGE, "scratch", "nothing to change", "say what");
}

Test(tune, A11_a_set_of_a_later_minor_version_is_left_to_that_version)
{
    table.header.minor = 1;
    for (uint32_t i = 0; i < TABLE_DISKS; i++) {
        put_header(i, &table.header);
    }
    expect_refusal(NS_PER_S, DISKARCH_EVERSION, table.paths[0], "format 1.1", "that version of diskarch");
}

/* ---- Mending headers -------------------------------------------------------------------------------------------------- */

static int mend(uint32_t disk)
{
    struct device device;
    struct set_header known = table.header;
    known.disk_index = disk;
    cr_assert_eq(device_open(table.paths[disk], O_RDWR, &device, message, sizeof message), 0);
    int error = header_mend(&device, &known, message, sizeof message);
    device_close(&device);
    return error;
}

Test(header_mend, either_header_is_mended_by_the_other, .init = setup, .fini = scratch_done)
{
    const uint64_t offsets[] = {0, layout_header_copy_offset(&table.header.layout)};
    uint64_t whole = scratch_checksum(table.paths[1]);
    for (int i = 0; i < 2; i++) {
        scratch_fill(table.paths[1], offsets[i], 0xaa, 200);
        cr_expect_neq(scratch_checksum(table.paths[1]), whole);
        cr_expect_eq(mend(1), 0, "%s", message);
        cr_expect_eq(scratch_checksum(table.paths[1]), whole);
    }
    cr_expect_eq(mend(1), 0, "nothing to do is fine");
    cr_expect_eq(scratch_checksum(table.paths[1]), whole);
}

Test(header_mend, without_a_good_one_it_is_refused, .init = setup, .fini = scratch_done)
{
    scratch_fill(table.paths[1], 0, 0xaa, 200);
    scratch_fill(table.paths[1], layout_header_copy_offset(&table.header.layout), 0xaa, 200);
    uint64_t before = scratch_checksum(table.paths[1]);
    cr_expect_eq(mend(1), DISKARCH_EFOREIGN);
    scratch_expect_message(message, "neither its header", "is intact", "replace the disk");
    cr_expect_eq(scratch_checksum(table.paths[1]), before);
}

Test(header_mend, what_is_being_tuned_is_left_to_tune, .init = setup, .fini = scratch_done)
{
    table.header.tuning = 5;
    put_header(1, &table.header);
    scratch_fill(table.paths[1], 0, 0xaa, 200);
    cr_expect_eq(mend(1), DISKARCH_EUNSETTLED);
    scratch_expect_message(message, "diskarch tune", "cut off", "run it again");
}
