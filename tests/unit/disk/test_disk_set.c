/* Opening a disk set: what is sorted, what is absent, and what is refused by name. */
#include "../../contract/scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <diskarch/diskarch.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct disk_set *set;
static struct set_header header;
static const char *a;
static const char *b;
static const char *c;

static void setup(void)
{
    scratch_init();
    a = scratch_path("a");
    b = scratch_path("b");
    c = scratch_path("c");
    header = scratch_format((const char *[]){a, b, c}, 3, 0);
    set = calloc(1, sizeof *set);
}

static void teardown(void)
{
    disk_set_close(set);
    free(set);
    scratch_done();
}

TestSuite(disk_set, .init = setup, .fini = teardown);

static int open_set(const char *const *paths, size_t count)
{
    struct disk_set_options options = {.paths = paths, .path_count = count, .is_writable = true};
    return disk_set_open(&options, set);
}

#define OPEN(...) open_set((const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static int open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

/* Refuses with that error and message, leaves nothing open, and writes nothing. */
static void expect_refusal(const char *const *paths, size_t count, int error, const char *thing, const char *reason,
                           const char *remedy)
{
    uint64_t before[DISKS_MAX + 1] = {0};
    for (size_t i = 0; i < count; i++) {
        before[i] = scratch_checksum(paths[i]);
    }
    int open_before = open_descriptors();
    cr_expect_eq(open_set(paths, count), error, "%s", set->message);
    cr_expect_eq(open_descriptors(), open_before, "a refused set leaves descriptors open");
    scratch_expect_message(set->message, thing, reason, remedy);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(scratch_checksum(paths[i]), before[i], "%s was written to", paths[i]);
    }
}

#define REFUSED(error, thing, reason, remedy, ...)                                                                     \
    expect_refusal((const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), error,       \
                   thing, reason, remedy)

/* Writes the header of that disk again, changed, in both places. */
static void rewrite_header(const char *path, uint32_t disk, const struct set_header *changed)
{
    uint8_t block[512];
    struct set_header own = *changed;
    own.disk_index = disk;
    set_header_encode(block, sizeof block, &own);
    scratch_write(path, 0, block, sizeof block);
    scratch_write(path, layout_header_copy_offset(&header.layout), block, sizeof block);
}

/* ---- Sorting --------------------------------------------------------------------------------------------------------- */

Test(disk_set, the_order_of_naming_does_not_matter)
{
    cr_assert_eq(OPEN(c, a, b), 0, "%s", set->message);
    cr_assert_eq(set->present_count, 3);
    cr_assert_eq(set->unplaced_count, 0);
    cr_assert_str_eq(set->members[0].path, a);
    cr_assert_str_eq(set->members[1].path, b);
    cr_assert_str_eq(set->members[2].path, c);
    cr_assert_str_eq(set->header.set_name, "scratch");
    for (int i = 0; i < 3; i++) {
        cr_assert(set->members[i].is_present);
        cr_assert(fcntl(set->members[i].fd, F_GETFL) & O_DIRECT, "rule D4");
        cr_assert(fcntl(set->members[i].fd, F_GETFD) & FD_CLOEXEC);
    }
}

Test(disk_set, D5_a_majority_of_the_formatted_disks_is_enough)
{
    cr_assert_eq(OPEN(c, a), 0, "%s", set->message);
    cr_assert_eq(set->present_count, 2);
    cr_assert_not(set->members[1].is_present);
    cr_assert_eq(set->members[1].fd, -1);
    cr_assert_str_eq(set->members[1].path, "");
    cr_assert(strlen(set->members[1].reason) > 0);
}

Test(disk_set, D5_a_missing_disk_is_absent_and_says_why)
{
    unlink(b);
    cr_assert_eq(OPEN(a, b, c), 0, "%s", set->message);
    cr_assert_eq(set->present_count, 2);
    cr_assert_eq(set->unplaced_count, 1);
    cr_assert_str_eq(set->unplaced[0], b);
    cr_assert(strstr(set->unplaced_reason[0], "No such file") != NULL, "%s", set->unplaced_reason[0]);
}

Test(disk_set, D5_a_minority_is_refused)
{
    unlink(b);
    truncate(c, 0);
    REFUSED(DISKARCH_ENOQUORUM, b, "1 of 3 disks can be used, 2 are needed", "bring them back", a, b, c);
    scratch_expect_message(set->message, "scratch", "No such file", c);
}

Test(disk_set, a_minority_opens_for_those_who_only_look)
{
    const char *paths[] = {b};
    struct disk_set_options options = {.paths = paths, .path_count = 1, .allow_minority = true};
    cr_assert_eq(disk_set_open(&options, set), 0, "%s", set->message);
    cr_assert_eq(set->present_count, 1);
    cr_assert(set->members[1].is_present);
    cr_assert_eq(fcntl(set->members[1].fd, F_GETFL) & O_ACCMODE, O_RDONLY);
}

Test(disk_set, loop_devices_and_files_mix)
{
    struct scratch_loop loop;
    scratch_loop_attach(b, 512, &loop);
    cr_assert_eq(OPEN(a, loop.path, c), 0, "%s", set->message);
    cr_assert_str_eq(set->members[1].path, loop.path);
    scratch_loop_detach(&loop);
}

/* ---- Headers --------------------------------------------------------------------------------------------------------- */

Test(disk_set, the_copy_stands_in_for_a_damaged_header)
{
    scratch_fill(a, 100, 0xee, 10);
    scratch_fill(c, 0, 0, 512);
    cr_assert_eq(OPEN(a, b, c), 0, "%s", set->message);
    cr_assert_eq(set->present_count, 3);
}

Test(disk_set, it_is_known_by_which_header_a_disk_was_opened)
{
    scratch_fill(b, 0, 0xff, 512);
    cr_assert_eq(OPEN(a, b, c), 0, "%s", set->message);
    cr_expect_eq(set->members[0].header_offset, 0U);
    cr_expect_eq(set->members[1].header_offset, layout_header_copy_offset(&header.layout));
}

Test(disk_set, the_copy_is_found_on_a_larger_device_through_another_disk)
{
    scratch_fill(b, layout_bytes(&header.layout), 0, 1 << 20);
    scratch_fill(b, 0, 0xee, 512);
    cr_assert_eq(OPEN(b, a, c), 0, "%s", set->message);
    cr_assert_eq(set->present_count, 3);
}

Test(disk_set, a_set_of_one_disk_opens_by_its_copy)
{
    const char *single = scratch_path("single");
    scratch_format(&single, 1, 4096);
    scratch_fill(single, 0, 0, 4096);
    cr_assert_eq(OPEN(single), 0, "%s", set->message);
    cr_assert_eq(set->header.layout.block_bytes, 4096);
}

Test(disk_set, a_disk_whose_headers_are_both_damaged_is_absent)
{
    scratch_fill(a, 100, 0xee, 10);
    scratch_fill(a, layout_header_copy_offset(&header.layout) + 100, 0xee, 10);
    cr_assert_eq(OPEN(a, b, c), 0, "%s", set->message);
    cr_assert_eq(set->present_count, 2);
    cr_assert(strstr(set->unplaced_reason[0], "damaged") != NULL, "%s", set->unplaced_reason[0]);
}

Test(disk_set, a_copy_left_over_from_a_smaller_set_is_not_believed)
{
    uint8_t block[512];
    struct set_header smaller = header;
    smaller.layout.registers = 1;
    set_header_encode(block, sizeof block, &smaller);
    scratch_fill(a, 0, 0, 512);
    scratch_write(a, layout_header_copy_offset(&header.layout), block, sizeof block);
    cr_assert_eq(OPEN(a, b, c), 0, "%s", set->message);
    cr_assert_eq(set->present_count, 2);
}

Test(disk_set, a_newer_minor_version_is_read)
{
    struct set_header newer = header;
    newer.minor = FORMAT_MINOR + 1;
    rewrite_header(a, 0, &newer);
    cr_assert_eq(OPEN(a, b, c), 0, "%s", set->message);
    cr_assert_eq(set->present_count, 3);
}

Test(disk_set, a_newer_major_version_is_refused)
{
    struct set_header newer = header;
    newer.major = FORMAT_MAJOR + 1;
    rewrite_header(b, 1, &newer);
    REFUSED(DISKARCH_EVERSION, b, "format 2.0, this program knows 1", "upgrade", a, b, c);
}

/* ---- Refusals -------------------------------------------------------------------------------------------------------- */

Test(disk_set, a_disk_of_another_set_is_refused)
{
    const char *other = scratch_path("other");
    struct format_options options = scratch_format_options(&other, 1);
    options.set_name = "elsewhere";
    struct set_header ignored;
    char message[DISK_MESSAGE_BYTES];
    cr_assert_eq(disk_format(&options, &ignored, message, sizeof message), 0, "%s", message);
    REFUSED(DISKARCH_EFOREIGN, other, "belongs to set \"elsewhere\"", "one set only", a, other, c);
    scratch_expect_message(set->message, a, "\"scratch\"", "name");
}

Test(disk_set, a_disk_of_another_generation_is_refused)
{
    struct set_header older = header;
    older.generation = 7;
    rewrite_header(c, 2, &older);
    REFUSED(DISKARCH_EFOREIGN, c, "generation 7", "leave out the older", a, b, c);
}

Test(disk_set, headers_that_disagree_are_refused)
{
    struct set_header other = header;
    other.timings.lease_ns *= 2;
    rewrite_header(c, 2, &other);
    REFUSED(DISKARCH_EFOREIGN, c, "disagree", "leave out", a, b, c);
}

Test(disk_set, a_disk_being_tuned_is_refused_with_the_remedy)
{
    header.tuning = 7;
    rewrite_header(b, 1, &header);
    REFUSED(DISKARCH_EUNSETTLED, b, "tune is at work", "run it again with all disks", a, b, c);
    REFUSED(DISKARCH_EUNSETTLED, b, "was cut off", "run it again", b, a);
}

Test(disk_set, another_revision_or_other_timings_are_refused)
{
    header.revision++;
    rewrite_header(b, 1, &header);
    REFUSED(DISKARCH_EFOREIGN, b, "disagree about set \"scratch\"", "leave out", a, b, c);
    header.revision--;
    header.timings.quarantine_ns++;
    rewrite_header(b, 1, &header);
    REFUSED(DISKARCH_EFOREIGN, b, "disagree", "leave out", a, b, c);
}

Test(disk_set, disks_being_tuned_open_for_those_who_allow_it)
{
    struct set_header tuning = header;
    tuning.tuning = 7;
    tuning.revision++;
    rewrite_header(b, 1, &tuning);
    const char *paths[] = {a, b, c};
    struct disk_set_options options = {.paths = paths, .path_count = 3, .allow_tuning = true};
    cr_assert_eq(disk_set_open(&options, set), 0, "%s", set->message);
    cr_expect_eq(set->members[0].header.tuning, 0U);
    cr_expect_eq(set->members[1].header.tuning, 7U);
    cr_expect_eq(set->members[1].header.revision, header.revision + 1);
}

Test(disk_set, another_block_size_is_refused)
{
    struct set_header other = header;
    other.layout.block_bytes = 4096;
    rewrite_header(c, 2, &other);
    REFUSED(DISKARCH_EFOREIGN, c, "4096-byte blocks", "leave it out", a, b, c);
}

Test(disk_set, a_copy_of_a_disk_is_refused)
{
    const char *copy = scratch_path("copy");
    scratch_run("cp %s %s", a, copy);
    REFUSED(DISKARCH_EFOREIGN, copy, "both are disk 0", "name one of them", a, b, copy);
    scratch_expect_message(set->message, a, "two paths to one device", "name one of them");
}

Test(disk_set, one_name_twice_is_refused)
{
    REFUSED(DISKARCH_EUSAGE, a, "named twice", "name each disk once", a, b, a);
}

Test(disk_set, two_names_of_one_file_are_refused)
{
    const char *link = scratch_path("link");
    cr_assert_eq(symlink(a, link), 0);
    REFUSED(DISKARCH_EUSAGE, link, "two names of one file", "name each disk once", a, b, link);
}

Test(disk_set, a_symbolic_link_to_a_disk_is_as_good_as_the_disk)
{
    const char *link = scratch_path("link");
    cr_assert_eq(symlink(a, link), 0);
    cr_assert_eq(OPEN(link, b, c), 0, "%s", set->message);
    cr_assert_str_eq(set->members[0].path, link);
}

Test(disk_set, two_names_of_one_device_are_refused)
{
    struct scratch_loop loop;
    const char *link = scratch_path("link");
    scratch_loop_attach(a, 512, &loop);
    cr_assert_eq(symlink(loop.path, link), 0);
    REFUSED(DISKARCH_EUSAGE, link, "two names of one device", "name each disk once", loop.path, b, link);
    scratch_loop_detach(&loop);
}

Test(disk_set, two_loop_devices_over_one_file_are_refused)
{
    struct scratch_loop one;
    struct scratch_loop two;
    scratch_loop_attach(a, 512, &one);
    scratch_loop_attach(a, 512, &two);
    REFUSED(DISKARCH_EFOREIGN, one.path, "both are disk 0", "name one of them", one.path, b, two.path);
    scratch_loop_detach(&one);
    scratch_loop_detach(&two);
}

Test(disk_set, a_short_disk_is_refused)
{
    cr_assert_eq(truncate(b, (off_t)layout_bytes(&header.layout) - 512), 0);
    REFUSED(DISKARCH_EFOREIGN, b, "the set needs", "restore its size", a, b, c);
}

Test(disk_set, larger_sectors_than_the_set_was_formatted_for_are_refused)
{
    struct scratch_loop loop;
    scratch_fill(b, layout_bytes(&header.layout), 0, 65536 - layout_bytes(&header.layout) % 4096);
    scratch_loop_attach(b, 4096, &loop);
    REFUSED(DISKARCH_EFOREIGN, loop.path, "4096-byte sectors, set was formatted with 512", "--block-size 4096", a,
            loop.path, c);
    scratch_loop_detach(&loop);
}

Test(disk_set, D4_a_file_system_without_direct_io_is_refused)
{
    const char *paths[] = {a, b, "/proc/version"};
    struct disk_set_options options = {.paths = paths, .path_count = 3};
    cr_assert_eq(disk_set_open(&options, set), DISKARCH_EDIRECT);
    scratch_expect_message(set->message, "/proc/version", "no direct I/O on proc file system", "use a block device");
}

Test(disk_set, what_is_no_disk_is_refused)
{
    const char *directory = scratch_path("");
    const char *pipe_path = scratch_path("pipe");
    scratch_run("mkfifo %s", pipe_path);
    const char *paths[] = {a, b, directory};
    cr_assert_eq(open_set(paths, 3), DISKARCH_EUSAGE);
    scratch_expect_message(set->message, directory, "a directory", "name a block device or a file");
    paths[2] = pipe_path;
    cr_assert_eq(open_set(paths, 3), DISKARCH_EUSAGE);
    scratch_expect_message(set->message, pipe_path, "a pipe", "name a block device or a file");
    paths[2] = "/dev/null";
    cr_assert_eq(open_set(paths, 3), DISKARCH_EUSAGE);
    scratch_expect_message(set->message, "/dev/null", "a character device", "name a block device or a file");
}

Test(disk_set, files_of_something_else_are_no_set)
{
    const char *zeros = scratch_file("zeros", 65536);
    const char *empty = scratch_file("empty", 0);
    REFUSED(DISKARCH_ENOSET, zeros, "no diskarch header", "diskarch format", zeros, empty);
    scratch_expect_message(set->message, empty, "no diskarch header", "check the paths");
}

Test(disk_set, nothing_that_can_be_opened_is_no_quorum)
{
    const char *x = scratch_path("x");
    const char *y = scratch_path("y");
    REFUSED(DISKARCH_ENOQUORUM, x, "No such file", "check the paths", x, y);
}

Test(disk_set, too_few_or_too_many_names_are_refused)
{
    const char *paths[DISKS_MAX + 1];
    for (int i = 0; i <= DISKS_MAX; i++) {
        paths[i] = a;
    }
    cr_assert_eq(open_set(paths, 0), DISKARCH_EUSAGE);
    scratch_expect_message(set->message, "disks", "0 are named", "name 1 to 9");
    cr_assert_eq(open_set(paths, DISKS_MAX + 1), DISKARCH_EUSAGE);
    scratch_expect_message(set->message, "disks", "10 are named", "name 1 to 9");
    cr_assert_eq(OPEN(a, ""), DISKARCH_EUSAGE);
}

Test(disk_set, closing_twice_or_nothing_is_fine)
{
    cr_assert_eq(OPEN(a, b, c), 0);
    disk_set_close(set);
    disk_set_close(set);
    disk_set_close(NULL);
}
