/* Formatting over a diskarch set: refused by name; by force only when nobody lives there. */
#include "../../contract/scratch.h"

#include "block/block.h"
#include "disk/uuid.h"

#include <criterion/criterion.h>
#include <diskarch/diskarch.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char message[DISK_MESSAGE_BYTES];
static const char *paths[3];
static struct set_header header;

static void setup(void)
{
    scratch_init();
    paths[0] = scratch_path("a");
    paths[1] = scratch_path("b");
    paths[2] = scratch_path("c");
    header = scratch_format(paths, 3, 0);
}

TestSuite(format_set, .init = setup, .fini = scratch_done);

static int format_again(const char *force)
{
    struct format_options options = scratch_format_options(paths, 3);
    options.set_name = "next";
    options.force = &force;
    options.force_count = force == NULL ? 0 : 1;
    struct set_header next;
    return disk_format(&options, &next, message, sizeof message);
}

static void expect_refusal(const char *force, int error, const char *reason, const char *remedy)
{
    uint64_t before[3];
    for (int i = 0; i < 3; i++) {
        before[i] = scratch_checksum(paths[i]);
    }
    cr_expect_eq(format_again(force), error, "%s", message);
    scratch_expect_message(message, paths[0], reason, remedy);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(scratch_checksum(paths[i]), before[i], "%s was written to", paths[i]);
    }
}

static void expect_name(const char *name)
{
    struct set_header found;
    uint8_t block[512];
    for (int i = 0; i < 3; i++) {
        scratch_read(paths[i], 0, block, sizeof block);
        cr_assert_eq(set_header_decode(block, &found), HEADER_OK);
        cr_assert_str_eq(found.set_name, name);
    }
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- By name ----------------------------------------------------------------------------------------------------------- */

Test(format_set, A2_a_set_is_refused_by_name_and_uuid)
{
    char uuid[UUID_TEXT_BYTES];
    char reason[128];
    snprintf(reason, sizeof reason, "diskarch set \"scratch\" (%s)", uuid_format(uuid, &header.set_uuid));
    expect_refusal(NULL, DISKARCH_EINUSE, reason, "--force scratch");
    expect_refusal("unknown-data", DISKARCH_EINUSE, reason, "--force scratch");
    expect_refusal("next", DISKARCH_EINUSE, reason, "--force scratch");
    expect_name("scratch");
}

Test(format_set, A2_a_set_known_only_by_its_header_copies_is_refused)
{
    for (int i = 0; i < 3; i++) {
        scratch_fill(paths[i], 0, 0, 512);
    }
    expect_refusal("unknown-data", DISKARCH_EINUSE, "diskarch set \"scratch\"", "--force scratch");
}

Test(format_set, A2_a_set_with_no_header_left_is_unknown_data)
{
    for (int i = 0; i < 3; i++) {
        scratch_fill(paths[i], 0, 0, 512);
        scratch_fill(paths[i], layout_header_copy_offset(&header.layout), 0, 512);
    }
    expect_refusal("scratch", DISKARCH_EINUSE, "data of unknown kind", "--force unknown-data");
    cr_assert_eq(format_again("unknown-data"), 0, "%s", message);
}

Test(format_set, A2_data_behind_a_set_is_not_covered_by_its_name)
{
    for (int i = 0; i < 3; i++) {
        scratch_fill(paths[i], layout_bytes(&header.layout), 0, 4 << 20);
    }
    scratch_fill(paths[0], layout_bytes(&header.layout) + 70000, 9, 1);
    const char *force = "scratch";
    struct format_options options = scratch_format_options(paths, 3);
    options.registers = 512;
    options.force = &force;
    options.force_count = 1;
    struct set_header next;
    cr_assert_eq(disk_format(&options, &next, message, sizeof message), DISKARCH_EINUSE);
    scratch_expect_message(message, paths[0], "data of unknown kind", "--force unknown-data");
    expect_name("scratch");
}

Test(format_set, A2_a_set_of_a_newer_format_is_refused_even_by_force)
{
    uint8_t block[512];
    struct set_header newer = header;
    newer.major = FORMAT_MAJOR + 1;
    set_header_encode(block, sizeof block, &newer);
    scratch_write(paths[0], 0, block, sizeof block);
    expect_refusal("scratch", DISKARCH_EVERSION, "newer format 2.0", "format it with that version");
    expect_refusal("unknown-data", DISKARCH_EVERSION, "newer format 2.0", "format it with that version");
}

/* ---- What else may stand there ----------------------------------------------------------------------------------------- */

/* The same set with another creation time, so that the checksum at the end of its first header is that of a boot sector. */
static void write_header_like_boot_sector(void)
{
    uint8_t block[512];
    do {
        header.created_wall_ns++;
        set_header_encode(block, sizeof block, &header);
    } while (block[510] != 0x55 || block[511] != 0xAA);
    scratch_write(paths[0], 0, block, sizeof block);
}

Test(format_set, A2_a_header_that_ends_like_a_boot_sector_is_no_partition_table)
{
    write_header_like_boot_sector();
    expect_refusal(NULL, DISKARCH_EINUSE, "diskarch set \"scratch\"", "--force scratch");
    cr_assert_null(strstr(message, "partition table"), "%s", message);
    cr_assert_eq(format_again("scratch"), 0, "%s", message);
    expect_name("next");
}

Test(format_set, A2_a_boot_sector_in_place_of_a_header_is_a_partition_table)
{
    static const uint8_t end[] = {0x55, 0xAA};
    scratch_fill(paths[0], 0, 0, 510);
    scratch_write(paths[0], 510, end, sizeof end);
    expect_refusal("scratch", DISKARCH_EINUSE, "dos partition table", "--force dos");
}

Test(format_set, A2_a_signature_behind_a_header_is_refused)
{
    static const uint8_t version_and_last_page[] = {1, 0, 0, 0, 16, 0, 0, 0};
    scratch_fill(paths[0], layout_bytes(&header.layout), 0, 1 << 16);
    scratch_write(paths[0], 1024, version_and_last_page, sizeof version_and_last_page);
    scratch_write(paths[0], 4096 - 10, "SWAPSPACE2", 10);
    write_header_like_boot_sector();
    expect_refusal("scratch", DISKARCH_EINUSE, "swap", "--force swap");
}

/* ---- By force ---------------------------------------------------------------------------------------------------------- */

Test(format_set, A2_an_idle_set_is_overwritten_by_its_name_after_W)
{
    int64_t begin_ns = now_ns();
    cr_assert_eq(format_again("scratch"), 0, "%s", message);
    cr_assert_geq(now_ns() - begin_ns, timings_watch_ns(&header.timings));
    expect_name("next");
}

Test(format_set, A2_an_idle_set_is_overwritten_by_its_uuid)
{
    char uuid[UUID_TEXT_BYTES];
    cr_assert_eq(format_again(uuid_format(uuid, &header.set_uuid)), 0, "%s", message);
    expect_name("next");
}

static void write_heartbeat(uint64_t counter, uint64_t promise_ns)
{
    uint8_t block[512];
    struct block_place place = {.set_tag = set_header_tag(&header), .disk = 0, .row = ROW_HEARTBEAT, .slot = 3};
    struct heartbeat_block content = {.author = {.incarnation = 77, .sequence = counter},
                                      .state = HEARTBEAT_READY,
                                      .counter = counter,
                                      .node_name = "survivor",
                                      .watchdog_promise_ns = promise_ns};
    block_encode_heartbeat(block, sizeof block, &place, &content);
    scratch_write(paths[0], layout_offset(&header.layout, ROW_HEARTBEAT, 3), block, sizeof block);
}

static void write_claim(uint64_t sequence)
{
    uint8_t block[512];
    struct block_place place = {.set_tag = set_header_tag(&header), .disk = 0, .row = ROW_CLAIM, .slot = 5};
    struct claim_block content = {.author = {.incarnation = 78, .sequence = sequence}, .node_name = "newcomer"};
    block_encode_claim(block, sizeof block, &place, &content);
    scratch_write(paths[0], layout_offset(&header.layout, ROW_CLAIM, 5), block, sizeof block);
}

static atomic_bool is_over;

static void *live(void *argument)
{
    (void)argument;
    for (uint64_t counter = 2; !atomic_load(&is_over); counter++) {
        write_heartbeat(counter, 0);
        usleep(5000);
    }
    return NULL;
}

Test(format_set, A2_a_heartbeat_that_moves_is_refused_even_by_force)
{
    pthread_t node;
    write_heartbeat(1, 0);
    cr_assert_eq(pthread_create(&node, NULL, live, NULL), 0);
    int error = format_again("scratch");
    atomic_store(&is_over, true);
    pthread_join(node, NULL);
    cr_assert_eq(error, DISKARCH_EINUSE, "%s", message);
    scratch_expect_message(message, paths[0], "the heartbeat of node \"survivor\" moves", "stop that node first");
    expect_name("scratch");
}

/* One claim after the other: one of them comes between two looks. */
static void *join(void *argument)
{
    (void)argument;
    for (uint64_t sequence = 1; !atomic_load(&is_over); sequence++) {
        write_claim(sequence);
        usleep(5000);
    }
    return NULL;
}

Test(format_set, A2_a_node_that_joins_is_refused_even_by_force)
{
    pthread_t node;
    cr_assert_eq(pthread_create(&node, NULL, join, NULL), 0);
    int error = format_again("scratch");
    atomic_store(&is_over, true);
    pthread_join(node, NULL);
    cr_assert_eq(error, DISKARCH_EINUSE, "%s", message);
    scratch_expect_message(message, paths[0], "a node is joining", "stop that node first");
    expect_name("scratch");
}

Test(format_set, A2_a_heartbeat_that_stands_still_is_dead)
{
    write_heartbeat(41, 0);
    cr_assert_eq(format_again("scratch"), 0, "%s", message);
    expect_name("next");
}

Test(format_set, A2_a_watchdog_promise_is_waited_for)
{
    write_heartbeat(41, (uint64_t)(300 * NS_PER_MS));
    int64_t begin_ns = now_ns();
    cr_assert_eq(format_again("scratch"), 0, "%s", message);
    cr_assert_geq(now_ns() - begin_ns, timings_watch_ns(&header.timings) + 300 * NS_PER_MS);
}

/* ---- Old traces -------------------------------------------------------------------------------------------------------- */

Test(format_set, the_old_header_copy_does_not_outlive_its_set)
{
    uint64_t old_copy = layout_header_copy_offset(&header.layout);
    const char *force = "scratch";
    struct format_options options = scratch_format_options(paths, 3);
    options.registers = 1;
    options.force = &force;
    options.force_count = 1;
    struct set_header next;
    cr_assert_eq(disk_format(&options, &next, message, sizeof message), 0, "%s", message);
    uint8_t block[512];
    struct set_header found;
    for (int i = 0; i < 3; i++) {
        scratch_read(paths[i], old_copy, block, sizeof block);
        cr_assert_eq(set_header_decode(block, &found), HEADER_NO_MAGIC);
    }
}
