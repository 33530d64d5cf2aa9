/* diskarch scan: the sets that this host can see, whatever its devices are called today. */
#include "command_line.h"
#include "disk/uuid.h"
#include "documents.h"
#include "escape.h"
#include "find_set.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- For people -------------------------------------------------------------------------------------------------- */

static void set_print(const struct scan_set *set)
{
    char uuid[UUID_TEXT_BYTES];
    const struct set_header *header = &set->header;
    printf("set %s  %s  generation %" PRIu64 "  %" PRIu32 " of %" PRIu32 " disks\n", escaped(header->set_name),
           uuid_format(uuid, &header->set_uuid), header->generation, set->usable_count, header->disk_count);
    for (size_t i = 0; i < set->disk_count; i++) {
        const struct scan_disk *disk = &set->disks[i];
        printf("  disk %" PRIu32 "  %s\n", disk->header.disk_index, escaped(disk->path));
        if (disk->reason[0] != '\0') {
            printf("          %s%s\n", disk->state == SCAN_USABLE ? "" : "not used: ", escaped(disk->reason));
        }
    }
}

static int scan_print(const struct scan *scan)
{
    for (size_t i = 0; i < scan->set_count; i++) {
        set_print(&scan->sets[i]);
    }
    if (scan->other_count > 0) {
        printf("of no known set:\n");
    }
    for (size_t i = 0; i < scan->other_count; i++) {
        printf("  %s\n          %s\n", escaped(scan->others[i].path), escaped(scan->others[i].reason));
    }
    return output_finish();
}

/* ---- For programs ------------------------------------------------------------------------------------------------ */

static const char *state_code(enum scan_state state)
{
    static const char *const codes[] = {
        [SCAN_USABLE] = "usable",   [SCAN_LOWER_PATH] = "lower_path",
        [SCAN_TWIN] = "twin",       [SCAN_OLD_GENERATION] = "old_generation",
        [SCAN_UNFIT] = "unfit",     [SCAN_NEWER_FORMAT] = "newer_format",
        [SCAN_DAMAGED] = "damaged", [SCAN_NO_DISK] = "no_disk",
    };
    return codes[state];
}

static json_t *disk_json(const struct scan_disk *disk, bool has_set)
{
    json_t *json = json_pack("{s:o, s:s, s:o}", "path", json_text(disk->path), "state", state_code(disk->state),
                             "reason", disk->reason[0] == '\0' ? json_null() : json_text(disk->reason));
    if (has_set) {
        json_object_set_new(json, "index", json_integer((json_int_t)disk->header.disk_index));
        json_object_set_new(json, "generation", json_integer((json_int_t)disk->header.generation));
    }
    return json;
}

static json_t *set_json(const struct scan_set *set)
{
    json_t *disks = json_array();
    for (size_t i = 0; i < set->disk_count; i++) {
        json_array_append_new(disks, disk_json(&set->disks[i], true));
    }
    return json_pack("{s:o, s:I, s:o}", "set", document_header(&set->header), "usable_count",
                     (json_int_t)set->usable_count, "disks", disks);
}

static int scan_print_json(const struct scan *scan)
{
    json_t *sets = json_array();
    json_t *others = json_array();
    for (size_t i = 0; i < scan->set_count; i++) {
        json_array_append_new(sets, set_json(&scan->sets[i]));
    }
    for (size_t i = 0; i < scan->other_count; i++) {
        json_array_append_new(others, disk_json(&scan->others[i], false));
    }
    return json_print(json_pack("{s:o, s:o}", "sets", sets, "others", others));
}

static int scan_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    struct scan scan;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    find_look(line.arguments, (size_t)line.argument_count, &scan);
    int code = line.is_json ? scan_print_json(&scan) : scan_print(&scan);
    scan_done(&scan);
    return code;
}

const struct verb verb_scan = {
    .name = "scan",
    .arguments = "[PATH...]",
    .summary = "list the disk sets that this host can see",
    .detail =
        "Lists every disk set found on the named devices, files and directories; without names, on those of\n"
        "DISKARCH_SCAN (separated by commas), else on all block devices, for which /dev stands as a name. Tells of each\n"
        "disk what is wrong with it. Reads headers only and writes nothing.",
    .common = COMMON_JSON,
    .run = scan_run,
};
