/* What format writes, and what it takes back when it fails. */
#include "../../contract/scratch.h"

#include "block/block.h"

#include <criterion/criterion.h>
#include <diskarch/diskarch.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(format_write, .init = scratch_init, .fini = scratch_done);

static char message[DISK_MESSAGE_BYTES];

static void expect_empty_block(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place)
{
    struct block_author author = {.incarnation = 1};
    bool is_intact = false;
    if (place->row == ROW_CLAIM) {
        struct claim_block claim;
        is_intact = block_decode_claim(bytes, block_bytes, place, &claim);
        author = claim.author;
    } else if (place->row == ROW_HEARTBEAT) {
        struct heartbeat_block heartbeat;
        is_intact = block_decode_heartbeat(bytes, block_bytes, place, &heartbeat);
        author = heartbeat.author;
    } else {
        struct register_block content;
        is_intact = block_decode_register(bytes, block_bytes, place, &content);
        author = content.author;
    }
    cr_assert(is_intact, "disk %u row %u slot %u is damaged", place->disk, place->row, place->slot);
    cr_assert_eq(author.incarnation, 0);
}

static void expect_header(const uint8_t *bytes, const struct set_header *header, uint32_t disk)
{
    struct set_header found;
    cr_assert_eq(set_header_decode(bytes, &found), HEADER_OK);
    cr_assert_eq(found.disk_index, disk);
    found.disk_index = header->disk_index;
    cr_assert(set_header_is_same_disk(&found, header));
}

static void expect_whole_disk(const char *path, const struct set_header *header, uint32_t disk)
{
    const struct layout *layout = &header->layout;
    uint64_t size = layout_bytes(layout);
    uint8_t *bytes = malloc(size);
    scratch_read(path, 0, bytes, size);
    expect_header(bytes, header, disk);
    expect_header(bytes + layout_header_copy_offset(layout), header, disk);
    for (uint32_t row = 0; row < layout_rows(layout); row++) {
        for (uint32_t slot = 0; slot < layout->slots; slot++) {
            struct block_place place = {.set_tag = set_header_tag(header), .disk = disk, .row = row, .slot = slot};
            expect_empty_block(bytes + layout_offset(layout, row, slot), layout->block_bytes, &place);
        }
    }
    free(bytes);
}

static void format_and_look(uint32_t block_bytes)
{
    const char *paths[] = {scratch_path("a"), scratch_path("b"), scratch_path("c")};
    struct set_header header = scratch_format(paths, 3, block_bytes);
    cr_assert_eq(header.layout.block_bytes, block_bytes);
    for (uint32_t i = 0; i < 3; i++) {
        struct stat status;
        cr_assert_eq(stat(paths[i], &status), 0);
        cr_assert_eq((uint64_t)status.st_size, layout_bytes(&header.layout));
        cr_assert_eq(status.st_mode & 07777, 0600);
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        cr_assert_eq(lseek(fd, 0, SEEK_HOLE), status.st_size, "a hole costs a worker with its first write");
        close(fd);
        expect_whole_disk(paths[i], &header, i);
    }
}

Test(format_write, missing_files_become_whole_disks_of_512_byte_blocks)
{
    format_and_look(512);
}

Test(format_write, missing_files_become_whole_disks_of_4096_byte_blocks)
{
    format_and_look(4096);
}

Test(format_write, missing_files_become_whole_disks_of_65536_byte_blocks)
{
    format_and_look(65536);
}

Test(format_write, the_header_holds_what_was_asked_for)
{
    const char *paths[] = {scratch_path("a"), scratch_path("b")};
    struct format_options options = scratch_format_options(paths, 2);
    options.slot_reuse = false;
    struct set_header header;
    cr_assert_eq(disk_format(&options, &header, message, sizeof message), 0, "%s", message);
    struct disk_set *set = calloc(1, sizeof *set);
    struct disk_set_options open_options = {.paths = paths, .path_count = 2};
    cr_assert_eq(disk_set_open(&open_options, set), 0, "%s", set->message);
    const struct set_header *found = &set->header;
    cr_assert_str_eq(found->set_name, "scratch");
    cr_assert_eq(found->disk_count, 2);
    cr_assert_eq(found->generation, 1);
    cr_assert_eq(found->layout.slots, SCRATCH_SLOTS);
    cr_assert_eq(found->layout.registers, SCRATCH_REGISTERS);
    cr_assert_eq(found->timings.lease_ns, options.timings.lease_ns);
    cr_assert_eq(found->timings.renew_ns, options.timings.renew_ns);
    cr_assert_eq(found->timings.io_deadline_ns, options.timings.io_deadline_ns);
    cr_assert_eq(found->timings.quarantine_ns, options.timings.quarantine_ns);
    cr_assert_eq(found->timings.drift_ppm, options.timings.drift_ppm);
    cr_assert_not(found->slot_reuse);
    cr_assert_neq(memcmp(&found->disk_uuids[0], &found->disk_uuids[1], sizeof found->disk_uuids[0]), 0);
    disk_set_close(set);
    free(set);
}

Test(format_write, an_empty_file_is_grown_and_a_large_one_kept)
{
    const char *paths[] = {scratch_file("empty", 0), scratch_file("large", 1 << 20), scratch_path("missing")};
    scratch_fill(paths[1], (1 << 20) - 100, 0x5a, 100);
    struct set_header header = scratch_format(paths, 3, 0);
    for (uint32_t i = 0; i < 3; i++) {
        expect_whole_disk(paths[i], &header, i);
    }
    uint8_t tail[100];
    scratch_read(paths[1], (1 << 20) - 100, tail, sizeof tail);
    cr_assert_eq(tail[0], 0x5a, "what lies behind the set is not touched");
    struct stat status;
    cr_assert_eq(stat(paths[1], &status), 0);
    cr_assert_eq(status.st_size, 1 << 20);
}

Test(format_write, the_largest_sector_decides_the_block_size)
{
    struct scratch_loop loop;
    scratch_loop_attach(scratch_file("image", 4 << 20), 4096, &loop);
    const char *paths[] = {scratch_path("a"), loop.path, scratch_path("c")};
    struct set_header header = scratch_format(paths, 3, 0);
    cr_assert_eq(header.layout.block_bytes, 4096);
    expect_whole_disk(loop.path, &header, 1);
    scratch_loop_detach(&loop);
}

struct seen_progress {
    uint64_t done_bytes;
    uint64_t all_bytes;
    int calls;
};

static void note_progress(void *context, uint64_t done_bytes, uint64_t all_bytes)
{
    struct seen_progress *seen = context;
    cr_assert_gt(done_bytes, seen->done_bytes);
    cr_assert(seen->calls == 0 || seen->all_bytes == all_bytes);
    *seen = (struct seen_progress){.done_bytes = done_bytes, .all_bytes = all_bytes, .calls = seen->calls + 1};
}

Test(format_write, progress_is_told_to_the_end)
{
    const char *paths[] = {scratch_path("a"), scratch_path("b")};
    struct seen_progress seen = {0};
    struct format_options options = scratch_format_options(paths, 2);
    options.registers = 1024;
    options.progress = note_progress;
    options.progress_context = &seen;
    struct set_header header;
    cr_assert_eq(disk_format(&options, &header, message, sizeof message), 0, "%s", message);
    cr_assert_gt(seen.calls, 2);
    cr_assert_eq(seen.done_bytes, seen.all_bytes);
}

/* ---- Taking back ------------------------------------------------------------------------------------------------------ */

Test(format_write, created_files_go_away_when_there_is_no_room)
{
    const char *paths[] = {scratch_path("a"), scratch_file("empty", 0), scratch_path("c")};
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 16384, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct format_options options = scratch_format_options(paths, 3);
    struct set_header header;
    int error = disk_format(&options, &header, message, sizeof message);
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    cr_assert_lt(error, 0);
    scratch_expect_message(message, paths[0], "no room for", "fewer slots");
    cr_assert_neq(access(paths[0], F_OK), 0);
    cr_assert_neq(access(paths[2], F_OK), 0);
    struct stat status;
    cr_assert_eq(stat(paths[1], &status), 0);
    cr_assert_eq(status.st_size, 0);
}

Test(format_write, A2_two_paths_to_one_device_show_when_the_headers_are_read_again)
{
    const char *image = scratch_file("image", 1 << 20);
    struct scratch_loop one;
    struct scratch_loop two;
    scratch_loop_attach(image, 512, &one);
    scratch_loop_attach(image, 512, &two);
    const char *paths[] = {one.path, scratch_path("created"), two.path};
    struct format_options options = scratch_format_options(paths, 3);
    struct set_header header;
    cr_assert_eq(disk_format(&options, &header, message, sizeof message), DISKARCH_EUSAGE, "%s", message);
    scratch_expect_message(message, one.path, "two paths to one device", "name each device once");
    scratch_expect_message(message, two.path, "two paths to one device", "name each device once");
    cr_assert_neq(access(paths[1], F_OK), 0, "the created file is gone");
    uint8_t block[512];
    scratch_read(one.path, 0, block, sizeof block);
    cr_assert_eq(set_header_decode(block, &header), HEADER_NO_MAGIC, "nothing that looks like a set is left");
    scratch_loop_detach(&one);
    scratch_loop_detach(&two);
}
