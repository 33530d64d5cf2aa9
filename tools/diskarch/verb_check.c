/*
 * diskarch check: every header and block of a set, what is wrong with it, what covers that, and what the set rests on. Writes
 * nothing: nodes may live on the set meanwhile.
 */
#include "assumptions.h"
#include "columns.h"
#include "command_line.h"
#include "disk/disk_set.h"
#include "disk/topology.h"
#include "disk/uuid.h"
#include "documents.h"
#include "escape.h"
#include "idle_watch_words.h"
#include "offline/survey.h"
#include "offline/tune.h"
#include "report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_SHOWN_MAX = 200 };

/* A check on its way. */
struct check {
    struct disk_set set;
    struct survey survey;
    bool is_json;
    uint64_t finding_count;
    json_t *findings; /* with --json */
    json_t *warnings; /* with --json */
};

/* ---- What was found ---------------------------------------------------------------------------------------------- */

static const char *weight_code(enum survey_weight weight)
{
    static const char *const codes[] = {
        [SURVEY_HEALTHY] = "healthy",
        [SURVEY_COVERED] = "covered",
        [SURVEY_REPAIR] = "repair",
        [SURVEY_LOST] = "lost",
    };
    return codes[weight];
}

static const char *kind_code(enum survey_kind kind)
{
    static const char *const codes[] = {
        [SURVEY_DISK_ABSENT] = "disk_absent",
        [SURVEY_HEADER] = "header",
        [SURVEY_TUNING] = "tuning",
        [SURVEY_BLOCK] = "block",
        [SURVEY_SLOT] = "slot",
        [SURVEY_VALUE] = "value",
        [SURVEY_BEHIND] = "behind",
        [SURVEY_UNSETTLED] = "unsettled",
    };
    return codes[kind];
}

static json_t *number_or_null(uint32_t number)
{
    return number == SURVEY_NOWHERE ? json_null() : json_integer((json_int_t)number);
}

static void finding_print(const struct check *check, const struct survey_finding *finding)
{
    if (finding->disk != SURVEY_NOWHERE) {
        const char *path = check->set.members[finding->disk].path;
        printf("disk %" PRIu32 "%s%s: ", finding->disk, *path == '\0' ? "" : " ", escaped(path));
    }
    printf("%s\n", escaped(finding->text));
}

/* A wiped disk has thousands: those beyond a screenful or two are only counted, with --json all are listed. */
static void finding_take(void *context, const struct survey_finding *finding)
{
    struct check *check = context;
    check->finding_count++;
    if (check->is_json) {
        json_array_append_new(check->findings,
                              json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "kind", kind_code(finding->kind), "weight",
                                        weight_code(finding->weight), "disk", number_or_null(finding->disk), "row",
                                        number_or_null(finding->row), "slot", number_or_null(finding->slot), "text",
                                        json_text(finding->text)));
    } else if (check->finding_count <= FINDINGS_SHOWN_MAX) {
        finding_print(check, finding);
    }
}

static void warning_take(void *context, const char *sentence)
{
    struct check *check = context;
    if (check->is_json) {
        json_array_append_new(check->warnings, json_text(sentence));
    } else {
        printf("warning: %s\n", escaped(sentence));
    }
}

static void warn_of_failure_domains(struct check *check)
{
    const char *paths[DISKS_MAX];
    for (uint32_t i = 0; i < check->set.header.disk_count; i++) {
        paths[i] = check->set.members[i].path;
    }
    topology_warn(paths, check->set.header.disk_count, warning_take, check);
}

/* ---- The sum ----------------------------------------------------------------------------------------------------- */

static const char *header_code(const struct header_sight *sight, const struct set_header *known)
{
    if (sight->read_error != 0) {
        return "unreadable";
    }
    switch (sight->fault) {
    case HEADER_NO_MAGIC:
        return "missing";
    case HEADER_NEWER:
        return "newer";
    case HEADER_DAMAGED:
    case HEADER_NONSENSE:
        return "damaged";
    case HEADER_OK:
        break;
    }
    return header_sight_is_good(sight, known) ? "intact" : "foreign";
}

static void disks_print(const struct check *check)
{
    struct columns columns;
    columns_begin(&columns);
    fprintf(columns.cells, "DISK\tHEADER\tCOPY\tWRITTEN\tEMPTY\tDAMAGED\tPATH\n");
    for (uint32_t i = 0; i < check->set.header.disk_count; i++) {
        const struct survey_disk *disk = &check->survey.disks[i];
        const struct disk_member *member = &check->set.members[i];
        if (!disk->is_present) {
            fprintf(columns.cells, "%" PRIu32 "\tabsent\t-\t-\t-\t-\t-\n", i);
            continue;
        }
        fprintf(columns.cells, "%" PRIu32 "\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\n", i,
                header_code(&disk->headers.first, &member->header), header_code(&disk->headers.copy, &member->header),
                disk->written_blocks, disk->empty_blocks, disk->damaged_blocks, escaped(member->path));
    }
    columns_end(&columns);
}

static void registers_print(const struct check *check)
{
    const struct survey *survey = &check->survey;
    printf("registers: %" PRIu32 " named, %" PRIu32 " of them proven; rows not settled: %" PRIu32 "\n",
           survey->named_registers, survey->proven_registers, survey->unsettled_registers);
    for (uint32_t i = check->set.header.disk_count; i > 0; i--) {
        if (survey->newest_on_disks[i] > 0) {
            printf("  newest value on %" PRIu32 " of %" PRIu32 " disks: %" PRIu32 "\n", i, check->set.header.disk_count,
                   survey->newest_on_disks[i]);
        }
    }
}

static bool has_majority(const struct check *check)
{
    return check->set.present_count > check->set.header.disk_count / 2;
}

static const char *verdict_words(const struct check *check)
{
    if (!has_majority(check)) {
        return "fewer than a majority of the disks are here: bring them back and check again";
    }
    switch (check->survey.verdict) {
    case SURVEY_HEALTHY:
        return "healthy";
    case SURVEY_COVERED:
        return "damaged; a majority of the disks covers it, and all goes on";
    case SURVEY_REPAIR:
        return "damaged; something does not work before it is mended";
    case SURVEY_LOST:
        break;
    }
    return "damaged on too many disks: data may be lost";
}

static int verdict_exit_code(const struct check *check)
{
    if (!has_majority(check)) {
        return EXIT_CODE_SET;
    }
    switch (check->survey.verdict) {
    case SURVEY_HEALTHY:
        return EXIT_CODE_OK;
    case SURVEY_COVERED:
        return EXIT_CODE_COVERED;
    case SURVEY_REPAIR:
        return EXIT_CODE_REPAIR;
    case SURVEY_LOST:
        break;
    }
    return EXIT_CODE_DATA_LOST;
}

static int check_print(struct check *check)
{
    char uuid[UUID_TEXT_BYTES];
    const struct set_header *header = &check->set.header;
    if (check->finding_count > FINDINGS_SHOWN_MAX) {
        printf("and %" PRIu64 " findings more; --json lists all\n", check->finding_count - FINDINGS_SHOWN_MAX);
    }
    warn_of_failure_domains(check);
    printf("%sset %s  %s  generation %" PRIu64 "\n", check->finding_count > 0 ? "\n" : "", escaped(header->set_name),
           uuid_format(uuid, &header->set_uuid), header->generation);
    disks_print(check);
    registers_print(check);
    printf("verdict: %s\n\n", verdict_words(check));
    assumptions_print();
    return output_finish();
}

static json_t *disk_json(const struct check *check, uint32_t index)
{
    const struct survey_disk *disk = &check->survey.disks[index];
    const struct disk_member *member = &check->set.members[index];
    json_t *json = json_pack("{s:I, s:b}", "index", (json_int_t)index, "present", disk->is_present);
    if (disk->is_present) {
        json_object_set_new(json, "path", json_text(member->path));
        json_object_set_new(json, "header", json_string(header_code(&disk->headers.first, &member->header)));
        json_object_set_new(json, "header_copy", json_string(header_code(&disk->headers.copy, &member->header)));
        json_object_set_new(json, "written_blocks", json_integer((json_int_t)disk->written_blocks));
        json_object_set_new(json, "empty_blocks", json_integer((json_int_t)disk->empty_blocks));
        json_object_set_new(json, "damaged_blocks", json_integer((json_int_t)disk->damaged_blocks));
    }
    return json;
}

static int check_print_json(struct check *check)
{
    json_t *disks = json_array();
    json_t *newest = json_array();
    for (uint32_t i = 0; i < check->set.header.disk_count; i++) {
        json_array_append_new(disks, disk_json(check, i));
        json_array_append_new(newest, json_integer((json_int_t)check->survey.newest_on_disks[i + 1]));
    }
    warn_of_failure_domains(check);
    return json_print(json_pack(
        "{s:o, s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:o}", "set", document_header(&check->set.header), "verdict",
        has_majority(check) ? weight_code(check->survey.verdict) : "no_majority", "disks", disks, "named_registers",
        (json_int_t)check->survey.named_registers, "proven_registers", (json_int_t)check->survey.proven_registers,
        "unsettled_rows", (json_int_t)check->survey.unsettled_registers, "newest_on_disks", newest, "findings",
        check->findings, "warnings", check->warnings));
}

/* ---- The verb ---------------------------------------------------------------------------------------------------- */

static int check_set(struct check *check)
{
    int error = survey_run(&check->set, finding_take, check, &check->survey);
    if (error != 0) {
        complain("out of memory; free some and try again");
        return EXIT_CODE_SYSTEM;
    }
    int code = check->is_json ? check_print_json(check) : check_print(check);
    return code != EXIT_CODE_OK ? code : verdict_exit_code(check);
}

enum { LETTER_REPAIR = LETTER_NONE + 1 };

static const struct verb_option own_options[] = {
    {LETTER_REPAIR, "repair", NULL, "first make all disks say the same; nobody may live on the set"},
};

static void check_take(void *values, int letter, const char *argument)
{
    (void)argument;
    assert(letter == LETTER_REPAIR);
    *(bool *)values = true;
}

/* On standard error: what is printed otherwise is the state after it. */
static int repair_set(const struct command_line *line)
{
    static struct tune_result result; /* too large for a stack */
    struct tune_options options = {.paths = line->disks,
                                   .path_count = line->disk_count,
                                   .change = {-1, -1, -1, -1, -1, -1},
                                   .is_repairing = true,
                                   .waiting = tell_idle_watch};
    char message[DISK_MESSAGE_BYTES];
    int error = tune_set(&options, &result, message, sizeof(message));
    if (error != 0) {
        complain("%s", escaped(message));
        return error == DISKARCH_EUNSETTLED ? EXIT_CODE_DATA_LOST : (int)exit_code_of_error(error);
    }
    for (uint32_t i = 0; i < result.header.disk_count; i++) {
        complain("disk %" PRIu32 ": %" PRIu64 " blocks were written%s", i, result.repair.written_blocks[i],
                 (result.repair.returned_disks >> i & 1) != 0 ? "; it was counted out and counts again" : "");
    }
    return EXIT_CODE_OK;
}

static int check_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    bool is_repairing = false;
    command_line_parse(verb, argc, argv, check_take, &is_repairing, &line);
    command_line_check_empty(verb, &line);
    int repair_code = is_repairing ? repair_set(&line) : EXIT_CODE_OK;
    if (repair_code != EXIT_CODE_OK) {
        return repair_code;
    }
    static struct check check; /* too large for a stack */
    check.is_json = line.is_json;
    check.findings = json_array();
    check.warnings = json_array();
    struct disk_set_options options = {
        .paths = line.disks, .path_count = line.disk_count, .allow_minority = true, .allow_tuning = true};
    int error = disk_set_open(&options, &check.set);
    if (error != 0) {
        complain("%s", escaped(check.set.message));
        return (int)exit_code_of_error(error);
    }
    int code = check_set(&check);
    disk_set_close(&check.set);
    return code;
}

const struct verb verb_check = {
    .name = "check",
    .arguments = "",
    .summary = "look at every header and block, and say what is damaged",
    .detail =
        "Reads every header and every block of every disk, says what is damaged, what covers it and which disks agree, and\n"
        "prints what diskarch rests on. Its exit code is the verdict. Works without a majority of the disks, and while\n"
        "nodes live on the set. Writes nothing, except with --repair: that needs every disk, and nobody on the set.",
    .options = own_options,
    .option_count = sizeof(own_options) / sizeof(own_options[0]),
    .common = COMMON_DISKS | COMMON_JSON,
    .run = check_run,
};
