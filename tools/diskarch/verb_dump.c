/*
 * diskarch dump: what stands on the disks, block by block, decoded and not judged. It reads the disks one after the other
 * and without the library, so that it also works where no majority is left. A disk that hangs costs one deadline.
 */
#include "command_line.h"
#include "disk/device.h"
#include "disk/disk_set.h"
#include "disk/range_reader.h"
#include "disk/uuid.h"
#include "documents.h"
#include "dump_block.h"
#include "dump_recording.h"
#include "duration.h"
#include "escape.h"
#include "report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOW_READS_MAX = 2 }; /* of one disk, before the rest of it is left out */

/* One disk being read. */
struct dump {
    const struct disk_set *set;
    struct range_reader *reader;
    uint32_t disk;
    uint8_t *bytes;      /* room for a row */
    uint32_t slow_reads; /* that took longer than two io deadlines */
    bool is_json;
    json_t *blocks; /* of this disk, with --json */
};

static const struct layout *dump_layout(const struct dump *dump)
{
    return &dump->set->header.layout;
}

static bool dump_read(struct dump *dump, uint8_t *to, size_t count, uint64_t offset)
{
    struct range range = {.fd = dump->disk, .bytes = (uint32_t)count, .offset = offset, .to = to};
    int64_t begin_ns = clock_now_ns(CLOCK_MONOTONIC);
    range_reader_read(dump->reader, &range, 1);
    dump->slow_reads += clock_now_ns(CLOCK_MONOTONIC) - begin_ns > 2 * dump->set->header.timings.io_deadline_ns;
    return range.error == 0;
}

/* A disk that crawls would keep everything behind it waiting: its row count decides for how long. */
static bool dump_is_too_slow(const struct dump *dump)
{
    return dump->slow_reads >= SLOW_READS_MAX;
}

/* ---- Headers ----------------------------------------------------------------------------------------------------- */

static const char *header_state(struct dump *dump, uint64_t offset)
{
    struct set_header header;
    if (!dump_read(dump, dump->bytes, dump_layout(dump)->block_bytes, offset)) {
        return "unreadable";
    }
    switch (set_header_decode(dump->bytes, &header)) {
    case HEADER_OK:
        return "intact";
    case HEADER_NO_MAGIC:
        return "missing";
    case HEADER_NEWER:
        return "newer";
    case HEADER_DAMAGED:
    case HEADER_NONSENSE:
        break;
    }
    return "damaged";
}

static void set_print(const struct set_header *header, const char *engine)
{
    char uuid[UUID_TEXT_BYTES];
    printf("set %s  %s  generation %" PRIu64 "  format %u.%u\n", escaped(header->set_name),
           uuid_format(uuid, &header->set_uuid), header->generation, header->major, header->minor);
    printf("%" PRIu32 " disks, %" PRIu32 " slots, %" PRIu32 " registers, blocks of %" PRIu32 " bytes\n",
           header->disk_count, header->layout.slots, header->layout.registers, header->layout.block_bytes);
    printf("read by %s\n", engine);
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------ */

static void block_show(struct dump *dump, uint32_t row, uint32_t slot, const uint8_t *bytes)
{
    struct dump_place place = {
        .layout = dump_layout(dump),
        .block = {.set_tag = set_header_tag(&dump->set->header), .disk = dump->disk, .row = row, .slot = slot},
        .bytes = bytes,
    };
    if (!dump->is_json) {
        dump_block_print(&place);
        return;
    }
    json_t *json = dump_block_json(&place);
    if (json != NULL) {
        json_array_append_new(dump->blocks, json);
    }
}

/* A row that cannot be read is read block by block (rule D9): what can be had of it is shown. */
static void row_show(struct dump *dump, uint32_t row)
{
    const struct layout *layout = dump_layout(dump);
    bool is_whole = dump_read(dump, dump->bytes, layout_row_bytes(layout), layout_offset(layout, row, 0));
    for (uint32_t slot = 0; slot < layout->slots && (is_whole || !dump_is_too_slow(dump)); slot++) {
        uint8_t *bytes = dump->bytes + (size_t)slot * layout->block_bytes;
        bool is_read = is_whole || dump_read(dump, bytes, layout->block_bytes, layout_offset(layout, row, slot));
        block_show(dump, row, slot, is_read ? bytes : NULL);
    }
}

/* Returns the first row that was left out, layout_rows() if none was. */
static uint32_t blocks_show(struct dump *dump)
{
    uint32_t row = 0;
    for (; row < layout_rows(dump_layout(dump)) && !dump_is_too_slow(dump); row++) {
        row_show(dump, row);
    }
    return row;
}

/* ---- Disks ------------------------------------------------------------------------------------------------------- */

static void disk_print(struct dump *dump)
{
    const struct disk_member *member = &dump->set->members[dump->disk];
    if (!member->is_present) {
        printf("\ndisk %" PRIu32 "  absent: %s\n", dump->disk, escaped(member->reason));
        return;
    }
    printf("\ndisk %" PRIu32 "  %s\n", dump->disk, escaped(member->path));
    printf("  header %s, its copy %s\n", header_state(dump, 0),
           header_state(dump, layout_header_copy_offset(dump_layout(dump))));
    uint32_t end = blocks_show(dump);
    if (end < layout_rows(dump_layout(dump))) {
        printf("  rows %" PRIu32 " to %" PRIu32 " left out: the disk needs more than two io deadlines for a read\n",
               end, layout_rows(dump_layout(dump)) - 1);
    }
}

static int set_dump(const struct disk_set *set, struct range_reader *reader, uint8_t *bytes)
{
    set_print(&set->header, range_reader_engine(reader));
    for (uint32_t disk = 0; disk < set->header.disk_count; disk++) {
        struct dump dump = {.set = set, .reader = reader, .disk = disk, .bytes = bytes};
        disk_print(&dump);
    }
    for (uint32_t i = 0; i < set->unplaced_count; i++) {
        printf("\n%s\n  no disk of the set: %s\n", escaped(set->unplaced[i]), escaped(set->unplaced_reason[i]));
    }
    return output_finish();
}

static json_t *disk_json(struct dump *dump)
{
    const struct disk_member *member = &dump->set->members[dump->disk];
    json_t *json = json_pack("{s:I, s:b}", "index", (json_int_t)dump->disk, "present", member->is_present);
    if (!member->is_present) {
        json_object_set_new(json, "reason", json_text(member->reason));
        return json;
    }
    uint64_t copy_offset = layout_header_copy_offset(dump_layout(dump));
    json_object_set_new(json, "path", json_text(member->path));
    json_object_set_new(json, "header", json_string(header_state(dump, 0)));
    json_object_set_new(json, "header_copy", json_string(header_state(dump, copy_offset)));
    dump->blocks = json_array();
    uint32_t end = blocks_show(dump);
    json_object_set_new(json, "blocks", dump->blocks);
    if (end < layout_rows(dump_layout(dump))) {
        json_object_set_new(json, "left_out_from_row", json_integer((json_int_t)end));
    }
    return json;
}

static int set_dump_json(const struct disk_set *set, struct range_reader *reader, uint8_t *bytes)
{
    json_t *disks = json_array();
    json_t *unplaced = json_array();
    for (uint32_t disk = 0; disk < set->header.disk_count; disk++) {
        struct dump dump = {.set = set, .reader = reader, .disk = disk, .bytes = bytes, .is_json = true};
        json_array_append_new(disks, disk_json(&dump));
    }
    for (uint32_t i = 0; i < set->unplaced_count; i++) {
        json_array_append_new(unplaced, json_pack("{s:o, s:o}", "path", json_text(set->unplaced[i]), "reason",
                                                  json_text(set->unplaced_reason[i])));
    }
    return json_print(json_pack("{s:o, s:s, s:o, s:o}", "set", document_header(&set->header), "engine",
                                range_reader_engine(reader), "disks", disks, "unplaced", unplaced));
}

static int dump_with(const struct disk_set *set, struct range_reader *reader, bool is_json)
{
    uint8_t *bytes = malloc(layout_row_bytes(&set->header.layout));
    if (bytes == NULL) {
        complain("out of memory; free some and try again");
        return EXIT_CODE_SYSTEM;
    }
    int code = is_json ? set_dump_json(set, reader, bytes) : set_dump(set, reader, bytes);
    free(bytes);
    return code;
}

static int reader_open(const struct disk_set *set, enum disk_engine_kind engine, struct range_reader **ret)
{
    int fds[DISKS_MAX];
    struct range_reader_options options = {.fds = fds,
                                           .fd_count = set->header.disk_count,
                                           .bytes_max = layout_row_bytes(&set->header.layout),
                                           .depth = 1,
                                           .engine = engine};
    for (uint32_t i = 0; i < set->header.disk_count; i++) {
        fds[i] = set->members[i].fd;
    }
    char message[DISK_MESSAGE_BYTES];
    int error = range_reader_open(&options, ret, message, sizeof(message));
    if (error != 0) {
        complain("%s", escaped(message));
        return (int)exit_code_of_error(error);
    }
    const char *warning = range_reader_warning(*ret);
    if (*warning != '\0') {
        complain("warning: %s", escaped(warning));
    }
    return EXIT_CODE_OK;
}

enum { LETTER_RECORDER = LETTER_NONE + 1 };

static const struct verb_option own_options[] = {
    {LETTER_RECORDER, "recorder", "FILE", "instead: print the steps that lock or campaign --recorder has saved"},
};

/* Like --help it needs no disks, and is answered at once. */
static void dump_take(void *values, int letter, const char *argument)
{
    (void)values;
    assert(letter == LETTER_RECORDER);
    int code = dump_recording(argument);
    exit(code != EXIT_CODE_OK ? code : output_finish());
}

static int dump_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, dump_take, NULL, &line);
    command_line_check_empty(verb, &line);
    static struct disk_set set; /* too large for a stack */
    struct disk_set_options options = {
        .paths = line.disks, .path_count = line.disk_count, .allow_minority = true, .engine = line.engine_kind};
    int error = disk_set_open(&options, &set);
    if (error != 0) {
        complain("%s", escaped(set.message));
        return (int)exit_code_of_error(error);
    }
    struct range_reader *reader;
    int code = reader_open(&set, options.engine, &reader);
    if (code == EXIT_CODE_OK) {
        code = dump_with(&set, reader, line.is_json);
        range_reader_close(reader);
    }
    disk_set_close(&set);
    return code;
}

const struct verb verb_dump = {
    .name = "dump",
    .arguments = "",
    .summary = "print every block that is not empty, of every disk, decoded",
    .detail =
        "Prints the state of the headers and every block that is not empty, of every disk, decoded but not judged: for\n"
        "bug reports and the curious. Works without a majority of the disks. Needs no slot and writes nothing.\n"
        "With --recorder: what a node of the same build read, decided and did, step by step.",
    .options = own_options,
    .option_count = sizeof(own_options) / sizeof(own_options[0]),
    .common = COMMON_DISKS | COMMON_ENGINE | COMMON_JSON,
    .run = dump_run,
};
