/* Rule of format: look first, and refuse, naming what was found and what would allow it. Nothing refused is written to. */
#include "../../contract/scratch.h"

#include "block/endian.h"

#include <criterion/criterion.h>
#include <diskarch/diskarch.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

TestSuite(format, .init = scratch_init, .fini = scratch_done);

enum { IMAGE_BYTES = 4 << 20 };

static char message[DISK_MESSAGE_BYTES];

static int try_format(const char *path, const char *force)
{
    const char *paths[] = {scratch_path("first"), path, scratch_path("last")};
    struct format_options options = scratch_format_options(paths, 3);
    options.force = &force;
    options.force_count = force == NULL ? 0 : 1;
    struct set_header header;
    return disk_format(&options, &header, message, sizeof message);
}

/* Refused with this message, nothing written, and what was created for the sake of the others gone again. */
static void expect_refusal(const char *path, const char *force, int error, const char *reason, const char *remedy)
{
    uint64_t before = scratch_checksum(path);
    cr_expect_eq(try_format(path, force), error, "%s", message);
    scratch_expect_message(message, path, reason, remedy);
    cr_expect_eq(scratch_checksum(path), before, "%s was written to", path);
    cr_expect_neq(access(scratch_path("first"), F_OK), 0, "a created file was left");
    cr_expect_neq(access(scratch_path("last"), F_OK), 0, "a created file was left");
}

static void expect_formatted(const char *path, const char *force)
{
    cr_expect_eq(try_format(path, force), 0, "%s", message);
}

/* Refused without force and with another word; taken with the right one. */
static void expect_force(const char *path, const char *reason, const char *word)
{
    char remedy[80];
    snprintf(remedy, sizeof remedy, "--force %s", word);
    expect_refusal(path, NULL, DISKARCH_EINUSE, reason, remedy);
    expect_refusal(path, "something-else", DISKARCH_EINUSE, reason, remedy);
    expect_formatted(path, word);
}

/* ---- What stands there ------------------------------------------------------------------------------------------------ */

Test(format, A2_a_file_system_is_refused)
{
    const char *image = scratch_file("image", IMAGE_BYTES);
    scratch_run("mkfs.ext4 -q -L precious %s", image);
    expect_force(image, "holds ext4 labelled \"precious\"", "ext4");
}

Test(format, A2_a_file_system_on_a_device_is_refused)
{
    struct scratch_loop loop;
    scratch_loop_attach(scratch_file("image", IMAGE_BYTES), 512, &loop);
    scratch_run("mkfs.ext4 -q %s", loop.path);
    expect_force(loop.path, "holds ext4", "ext4");
    scratch_loop_detach(&loop);
}

Test(format, A2_a_damaged_file_system_is_refused)
{
    const char *image = scratch_file("image", IMAGE_BYTES);
    scratch_run("mkfs.ext4 -q %s", image);
    scratch_fill(image, 1024 + 120, 0x41, 8); /* within the superblock's label: its checksum is wrong now */
    expect_force(image, "holds ext4", "ext4");
}

Test(format, A2_a_swap_area_is_refused)
{
    const char *image = scratch_file("image", IMAGE_BYTES);
    scratch_run("mkswap -q %s", image);
    expect_force(image, "holds swap", "swap");
}

/* One partition of that type over the whole image, from sector 1 on. */
static void write_partition_table(const char *image, uint8_t type)
{
    uint8_t entry[16] = {[4] = type};
    le_store32(entry + 8, 1);
    le_store32(entry + 12, IMAGE_BYTES / 512 - 1);
    scratch_write(image, 446, entry, sizeof entry);
    scratch_write(image, 510, "\x55\xaa", 2);
}

/* The CRC of Ethernet, that UEFI chose for its tables. */
static uint32_t crc32_of(const uint8_t *bytes, size_t count)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count * 8; i++) {
        crc ^= (uint32_t)(bytes[i / 8] >> i % 8 & 1);
        crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

/* A GUID partition table without entries: its header in sector `here`, the other one in sector `other`. */
static void write_gpt_header(const char *image, uint64_t here, uint64_t other, uint64_t entries)
{
    enum { HEADER = 92, ENTRIES = 128, ENTRY = 128 };
    static const uint8_t no_entries[ENTRIES * ENTRY];
    uint8_t header[HEADER] = "EFI PART";
    le_store32(header + 8, 0x00010000);
    le_store32(header + 12, HEADER);
    le_store64(header + 24, here);
    le_store64(header + 32, other);
    le_store64(header + 40, 34);
    le_store64(header + 48, IMAGE_BYTES / 512 - 34);
    memset(header + 56, 0x11, 16);
    le_store64(header + 72, entries);
    le_store32(header + 80, ENTRIES);
    le_store32(header + 84, ENTRY);
    le_store32(header + 88, crc32_of(no_entries, sizeof no_entries));
    le_store32(header + 16, crc32_of(header, sizeof header));
    scratch_write(image, here * 512, header, sizeof header);
}

Test(format, A2_a_partition_table_is_refused)
{
    const char *image = scratch_file("image", IMAGE_BYTES);
    write_partition_table(image, 0x83);
    expect_force(image, "holds dos partition table", "dos");
}

Test(format, A2_a_gpt_is_refused_and_its_backup_goes_with_it)
{
    uint64_t last = IMAGE_BYTES / 512 - 1;
    const char *image = scratch_file("image", IMAGE_BYTES);
    write_partition_table(image, 0xee);
    write_gpt_header(image, 1, last, 2);
    write_gpt_header(image, last, 1, last - 32);
    expect_force(image, "holds gpt partition table", "gpt");
    char signature[8];
    scratch_read(image, last * 512, signature, sizeof signature);
    cr_assert_neq(memcmp(signature, "EFI PART", 8), 0, "a backup at the end would be taken for the truth some day");
}

Test(format, A2_an_sbd_device_is_refused)
{
    const char *image = scratch_file("image", IMAGE_BYTES);
    scratch_write(image, 0, "SBD_SBD_\x02\xff", 10);
    expect_force(image, "holds sbd device", "sbd");
}

static void expect_sanlock(const char *magic, const char *reason)
{
    const char *image = scratch_file("image", IMAGE_BYTES);
    scratch_write(image, 0, magic, 4);
    expect_force(image, reason, "sanlock");
    unlink(scratch_path("first"));
    unlink(scratch_path("last"));
}

Test(format, A2_sanlock_areas_are_refused)
{
    expect_sanlock("\x10\x20\x21\x12", "holds sanlock lockspace");
    expect_sanlock("\x10\x20\x15\x06", "holds sanlock resource leases");
    expect_sanlock("\x18\x20\x04\x01", "holds sanlock resource index");
}

Test(format, A2_a_single_byte_that_nobody_knows_is_refused)
{
    const char *image = scratch_file("image", IMAGE_BYTES);
    scratch_fill(image, 20000, 1, 1);
    expect_force(image, "holds data of unknown kind", "unknown-data");
}

Test(format, A2_the_last_byte_of_the_area_counts)
{
    struct layout layout = {.block_bytes = 512, .slots = SCRATCH_SLOTS, .registers = SCRATCH_REGISTERS};
    const char *image = scratch_file("image", IMAGE_BYTES);
    scratch_fill(image, layout_bytes(&layout) - 1, 1, 1);
    expect_force(image, "holds data of unknown kind", "unknown-data");
}

Test(format, A2_zeros_are_free)
{
    expect_formatted(scratch_file("image", IMAGE_BYTES), NULL);
}

Test(format, A2_all_that_is_found_on_all_disks_is_named_at_once)
{
    const char *paths[] = {scratch_file("one", IMAGE_BYTES), scratch_file("two", IMAGE_BYTES)};
    scratch_run("mkfs.ext4 -q %s", paths[0]);
    scratch_fill(paths[1], 5000, 7, 10);
    struct format_options options = scratch_format_options(paths, 2);
    struct set_header header;
    cr_assert_eq(disk_format(&options, &header, message, sizeof message), DISKARCH_EINUSE);
    scratch_expect_message(message, paths[0], "holds ext4", "--force ext4 --force unknown-data");
    scratch_expect_message(message, paths[1], "holds data of unknown kind", "--force ext4 --force unknown-data");
    const char *force[] = {"ext4", "unknown-data"};
    options.force = force;
    options.force_count = 2;
    cr_assert_eq(disk_format(&options, &header, message, sizeof message), 0, "%s", message);
}

/* ---- What is in use, and what is no disk ------------------------------------------------------------------------------ */

Test(format, A2_a_held_device_is_refused_even_by_force)
{
    struct scratch_loop loop;
    scratch_loop_attach(scratch_file("image", IMAGE_BYTES), 512, &loop);
    int holder = open(loop.path, O_RDWR | O_EXCL | O_CLOEXEC);
    cr_assert_geq(holder, 0);
    expect_refusal(loop.path, "unknown-data", DISKARCH_EINUSE, "in use", "unmount or stop that first");
    close(holder);
    scratch_loop_detach(&loop);
}

/* Tells the kernel of a partition over the second half of the device; its path goes to `path`. */
static void add_partition(const struct scratch_loop *loop, char *path, size_t path_bytes)
{
    struct loop_info64 info;
    cr_assert_eq(ioctl(loop->fd, LOOP_GET_STATUS64, &info), 0);
    info.lo_flags |= LO_FLAGS_PARTSCAN;
    cr_assert_eq(ioctl(loop->fd, LOOP_SET_STATUS64, &info), 0, "%s", strerror(errno));
    struct blkpg_partition partition = {.start = IMAGE_BYTES / 2, .length = IMAGE_BYTES / 2, .pno = 1};
    struct blkpg_ioctl_arg argument = {.op = BLKPG_ADD_PARTITION, .datalen = sizeof partition, .data = &partition};
    cr_assert_eq(ioctl(loop->fd, BLKPG, &argument), 0, "%s", strerror(errno));
    snprintf(path, path_bytes, "%sp1", loop->path);
}

Test(format, A2_a_disk_with_a_partition_in_use_is_refused_even_by_force)
{
    struct scratch_loop loop;
    char partition[48];
    scratch_loop_attach(scratch_file("image", IMAGE_BYTES), 512, &loop);
    add_partition(&loop, partition, sizeof partition);
    int holder = open(partition, O_RDWR | O_EXCL | O_CLOEXEC);
    cr_assert_geq(holder, 0, "%s: %s", partition, strerror(errno));
    expect_refusal(loop.path, "dos", DISKARCH_EINUSE, "it or a part of it", "unmount or stop that first");
    close(holder);
    expect_formatted(loop.path, NULL);
    scratch_loop_detach(&loop);
}

static const char *mount_loop(const struct scratch_loop *loop)
{
    const char *mount_point = scratch_path("mount");
    scratch_run("mkfs.ext4 -q %s && mkdir %s", loop->path, mount_point);
    cr_assert_eq(unshare(CLONE_NEWNS), 0, "%s", strerror(errno));
    cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0, "%s", strerror(errno));
    cr_assert_eq(mount(loop->path, mount_point, "ext4", 0, NULL), 0, "%s", strerror(errno));
    return mount_point;
}

Test(format, A2_a_mounted_device_and_the_file_below_it_are_refused_even_by_force)
{
    struct scratch_loop loop;
    const char *image = scratch_file("image", IMAGE_BYTES);
    scratch_loop_attach(image, 512, &loop);
    const char *mount_point = mount_loop(&loop);
    expect_refusal(loop.path, "ext4", DISKARCH_EINUSE, "mounted", "unmount or stop that first");
    expect_refusal(image, "ext4", DISKARCH_EINUSE, loop.path, "unmount or stop that first");
    cr_assert_eq(umount2(mount_point, 0), 0);
    expect_formatted(loop.path, "ext4");
    scratch_loop_detach(&loop);
}

Test(format, A2_a_read_only_device_is_refused)
{
    struct scratch_loop loop;
    scratch_loop_attach(scratch_file("image", IMAGE_BYTES), 512, &loop);
    scratch_loop_set_read_only(&loop, true);
    expect_refusal(loop.path, NULL, -EROFS, "Read-only", "not read-only");
    scratch_loop_detach(&loop);
}

Test(format, A2_a_small_file_is_refused)
{
    expect_refusal(scratch_file("image", 8192), NULL, DISKARCH_EUSAGE, "too small: 8192 bytes", "take a larger one");
}

Test(format, A2_a_small_device_is_refused)
{
    struct scratch_loop loop;
    scratch_loop_attach(scratch_file("image", 8192), 512, &loop);
    expect_refusal(loop.path, NULL, DISKARCH_EUSAGE, "too small: 8192 bytes", "take a larger one");
    scratch_loop_detach(&loop);
}

static void expect_no_disk(const char *path, int error, const char *reason, const char *remedy)
{
    cr_expect_eq(try_format(path, NULL), error, "%s: %s", path, message);
    scratch_expect_message(message, path, reason, remedy);
    cr_expect_neq(access(scratch_path("first"), F_OK), 0, "a created file was left");
}

Test(format, A2_what_is_no_disk_is_refused)
{
    const char *pipe_path = scratch_path("pipe");
    const char *dangling = scratch_path("dangling");
    scratch_run("mkfifo %s && ln -s nothing %s", pipe_path, dangling);
    expect_no_disk(scratch_path(""), DISKARCH_EUSAGE, "a directory", "name a block device or a file");
    expect_no_disk("/dev/null", DISKARCH_EUSAGE, "a character device", "name a block device or a file");
    expect_no_disk(pipe_path, DISKARCH_EUSAGE, "a pipe", "name a block device or a file");
    expect_no_disk(dangling, -EEXIST, "symbolic link to nothing", "remove it");
    expect_no_disk(scratch_path("no/such/directory"), -ENOENT, "cannot be created", "see that its directory exists");
    expect_no_disk("/dev/diskarch-no-such-disk", -ENOENT, "no such device", "check the name");
}

Test(format, D4_a_file_system_without_direct_io_is_refused)
{
    expect_no_disk("/proc/self/comm", DISKARCH_EDIRECT, "no direct I/O on proc file system", "use a block device");
}

/* ---- One disk twice ---------------------------------------------------------------------------------------------------- */

static void expect_second_name(const char *one, const char *two, const char *reason)
{
    const char *paths[] = {one, scratch_path("between"), two};
    struct format_options options = scratch_format_options(paths, 3);
    struct set_header header;
    uint64_t before = scratch_checksum(one);
    cr_expect_eq(disk_format(&options, &header, message, sizeof message), DISKARCH_EUSAGE, "%s", message);
    scratch_expect_message(message, one, reason, "name each disk once");
    scratch_expect_message(message, two, reason, "name each disk once");
    cr_expect_eq(scratch_checksum(one), before);
    cr_expect_neq(access(paths[1], F_OK), 0);
}

Test(format, A2_one_disk_twice_is_refused_by_both_names)
{
    const char *image = scratch_file("image", IMAGE_BYTES);
    const char *symbolic = scratch_path("symbolic");
    const char *hard = scratch_path("hard");
    scratch_run("ln -s %s %s && ln %s %s", image, symbolic, image, hard);
    expect_second_name(image, image, "named twice");
    expect_second_name(image, symbolic, "two names of one file");
    expect_second_name(hard, image, "two names of one file");
    expect_second_name(scratch_path("new"), scratch_path("./new"), "two names of one file");
    cr_assert_neq(access(scratch_path("new"), F_OK), 0);
    struct scratch_loop loop;
    scratch_loop_attach(image, 512, &loop);
    scratch_run("ln -sf %s %s", loop.path, symbolic);
    expect_second_name(loop.path, symbolic, "two names of one device");
    scratch_loop_detach(&loop);
}

/* ---- Options ----------------------------------------------------------------------------------------------------------- */

static void expect_bad_options(struct format_options options, const char *thing, const char *reason, const char *remedy)
{
    struct set_header header;
    cr_expect_eq(disk_format(&options, &header, message, sizeof message), DISKARCH_EUSAGE, "%s", message);
    scratch_expect_message(message, thing, reason, remedy);
    cr_expect_neq(access(options.paths[0], F_OK), 0, "%s was created", options.paths[0]);
}

Test(format, names_and_numbers_out_of_range_are_refused_with_their_limits)
{
    const char *path = scratch_path("a");
    const struct format_options good = scratch_format_options(&path, 1);
    struct format_options bad = good;
    bad.path_count = 0;
    expect_bad_options(bad, "disks", "0 are named", "1 to 9");
    bad = good;
    bad.set_name = "";
    expect_bad_options(bad, "set name", "empty", "1 to 63");
    bad.set_name = "0123456789012345678901234567890123456789012345678901234567890123";
    expect_bad_options(bad, "set name", "64 bytes", "at most 63");
    bad.set_name = "line\nfeed";
    expect_bad_options(bad, "set name", "cannot be printed", "plain letters");
    bad.set_name = "\xff";
    expect_bad_options(bad, "set name", "not UTF-8", "plain letters");
    bad = good;
    bad.slots = 1;
    expect_bad_options(bad, "slots", "1", "2 to 4096");
    bad = good;
    bad.registers = 0;
    expect_bad_options(bad, "registers", "0", "1 to 1048576");
    bad = good;
    bad.block_bytes = 1000;
    expect_bad_options(bad, "block size", "1000", "power of two from 512 to 65536");
}

Test(format, timings_out_of_range_are_refused_with_their_limits)
{
    const char *path = scratch_path("a");
    const struct format_options good = scratch_format_options(&path, 1);
    struct format_options bad = good;
    bad.timings.lease_ns = 99 * NS_PER_MS;
    expect_bad_options(bad, "lease", "99ms is too short", "at least 100ms");
    bad.timings.lease_ns = 25 * 3600 * NS_PER_S;
    expect_bad_options(bad, "lease", "90000s is too long", "at most a day");
    bad = good;
    bad.timings.renew_ns = 67 * NS_PER_MS;
    expect_bad_options(bad, "renew", "a third of the lease", "at most 66ms");
    bad = good;
    bad.timings.io_deadline_ns = 51 * NS_PER_MS;
    expect_bad_options(bad, "io deadline", "a quarter of the lease", "at most 50ms");
    bad = good;
    bad.timings.quarantine_ns = -1;
    expect_bad_options(bad, "quarantine", "out of range", "a week");
    bad = good;
    bad.timings.drift_ppm = 200000;
    expect_bad_options(bad, "clock drift", "200000 ppm", "less than 20%");
}

Test(format, a_block_size_below_the_sector_is_refused)
{
    struct scratch_loop loop;
    scratch_loop_attach(scratch_file("image", IMAGE_BYTES), 4096, &loop);
    const char *paths[] = {scratch_path("a"), loop.path};
    struct format_options options = scratch_format_options(paths, 2);
    options.block_bytes = 512;
    expect_bad_options(options, loop.path, "4096-byte sectors", "leave out --block-size or give at least 4096");
    scratch_loop_detach(&loop);
}
