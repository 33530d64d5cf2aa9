/* diskarch format: make a disk set. The one verb that goes to the disks without the library: sets are made offline. */
#include "block/limits.h"
#include "command_line.h"
#include "disk/format.h"
#include "disk/uuid.h"
#include "documents.h"
#include "duration.h"
#include "escape.h"
#include "failure_domain.h"
#include "report.h"

#include <diskarch/diskarch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FORCE_MAX = 32, SLOTS_DEFAULT = 32, REGISTERS_DEFAULT = 256, DRIFT_DEFAULT_PPM = 5000 };

#define BYTES_PER_MIB (1024.0 * 1024.0)
#define LEASE_DEFAULT_NS (10 * NS_PER_S)
#define QUARANTINE_DEFAULT_NS (60 * NS_PER_S)
#define PROGRESS_AFTER_NS NS_PER_S /* what is done sooner needs no progress shown */
#define PROGRESS_EVERY_NS (200 * NS_PER_MS)

enum {
    LETTER_NAME = LETTER_NONE + 1,
    LETTER_SLOTS,
    LETTER_REGISTERS,
    LETTER_LEASE,
    LETTER_RENEW,
    LETTER_IO_DEADLINE,
    LETTER_QUARANTINE,
    LETTER_DRIFT,
    LETTER_SLOT_REUSE,
    LETTER_BLOCK_SIZE,
    LETTER_FORCE
};

static const struct verb_option options[] = {
    {LETTER_NAME, "name", "NAME", "name of the set (default: diskarch)"},
    {LETTER_SLOTS, "slots", "N", "nodes that can take part at a time (default: 32)"},
    {LETTER_REGISTERS, "registers", "R", "roles and registers there can be (default: 256)"},
    {LETTER_LEASE, "lease", "DURATION", "L, how long a leader may act on one renewal (default: 10s)"},
    {LETTER_RENEW, "renew", "DURATION", "between two heartbeats, at most L/3 (default: L/10)"},
    {LETTER_IO_DEADLINE, "io-deadline", "DURATION",
     "after which a request stops counting, at most L/4 (default: L/20)"},
    {LETTER_QUARANTINE, "quarantine", "DURATION", "after which no write of a dead node can land (default: 60s)"},
    {LETTER_DRIFT, "clock-drift", "RATE", "how far a clock's rate may be off, as 0.5% or 5000ppm (default: 0.5%)"},
    {LETTER_SLOT_REUSE, "slot-reuse", "WHEN", "slots of dead nodes: quarantine (default) or never"},
    {LETTER_BLOCK_SIZE, "block-size", "BYTES", "at least the physical sector (default: the largest of the disks)"},
    {LETTER_FORCE, "force", "WHAT", "overwrite WHAT was found: a set's name or UUID, ext4, unknown-data (repeatable)"},
};

struct values {
    struct format_options format;
    const char *force[FORCE_MAX];
};

static void force_take(struct values *values, const char *argument)
{
    if (values->format.force_count == FORCE_MAX) {
        usage_fail("--force: given more than %d times; name each thing once", FORCE_MAX);
    }
    values->force[values->format.force_count] = argument;
    values->format.force_count++;
}

static void timing_take(struct timings *timings, int letter, const char *argument)
{
    switch (letter) {
    case LETTER_LEASE:
        timings->lease_ns = option_duration("lease", argument);
        break;
    case LETTER_RENEW:
        timings->renew_ns = option_duration("renew", argument);
        break;
    case LETTER_IO_DEADLINE:
        timings->io_deadline_ns = option_duration("io-deadline", argument);
        break;
    default:
        timings->quarantine_ns = option_duration("quarantine", argument);
        break;
    }
}

static void format_take(void *context, int letter, const char *argument)
{
    struct values *values = context;
    switch (letter) {
    case LETTER_NAME:
        command_line_check_name("set", argument);
        values->format.set_name = argument;
        break;
    case LETTER_SLOTS:
        values->format.slots = option_count("slots", argument, SLOTS_MIN, SLOTS_MAX);
        break;
    case LETTER_REGISTERS:
        values->format.registers = option_count("registers", argument, 1, REGISTERS_MAX);
        break;
    case LETTER_DRIFT:
        values->format.timings.drift_ppm = option_rate("clock-drift", argument);
        break;
    case LETTER_SLOT_REUSE:
        values->format.slot_reuse = option_slot_reuse(argument);
        break;
    case LETTER_BLOCK_SIZE:
        values->format.block_bytes = option_count("block-size", argument, BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
        break;
    case LETTER_FORCE:
        force_take(values, argument);
        break;
    default:
        timing_take(&values->format.timings, letter, argument);
        break;
    }
}

/* ---- Progress ---------------------------------------------------------------------------------------------------- */

struct progress {
    int64_t begun_ns;
    int64_t shown_ns; /* 0: nothing shown yet */
};

static void progress_show(void *context, uint64_t done_bytes, uint64_t all_bytes)
{
    struct progress *progress = context;
    int64_t now = clock_now_ns(CLOCK_MONOTONIC);
    if (now - progress->begun_ns < PROGRESS_AFTER_NS || now - progress->shown_ns < PROGRESS_EVERY_NS ||
        all_bytes == 0) {
        return;
    }
    progress->shown_ns = now;
    fprintf(stderr, "\rformatting: %3.0f %% of %.1f MiB", 100.0 * (double)done_bytes / (double)all_bytes,
            (double)all_bytes / BYTES_PER_MIB);
}

static void progress_end(const struct progress *progress)
{
    if (progress->shown_ns != 0) {
        fputs("\r\033[K", stderr);
    }
}

/* ---- The verb ---------------------------------------------------------------------------------------------------- */

static int summary_print_json(const struct set_header *header, const struct command_line *line)
{
    json_t *disks = json_array();
    for (size_t i = 0; i < line->disk_count; i++) {
        json_array_append_new(disks, json_text(line->disks[i]));
    }
    return json_print(json_pack("{s:o, s:o, s:I}", "set", document_header(header), "disks", disks, "disk_bytes",
                                (json_int_t)layout_bytes(&header->layout)));
}

static int summary_print(const struct set_header *header, const struct command_line *line)
{
    char uuid[UUID_TEXT_BYTES];
    char lease[DURATION_TEXT_BYTES];
    char watch[DURATION_TEXT_BYTES];
    printf("set %s  %s\n", escaped(header->set_name), uuid_format(uuid, &header->set_uuid));
    for (size_t i = 0; i < line->disk_count; i++) {
        printf("  disk %zu  %s\n", i, escaped(line->disks[i]));
    }
    printf("%" PRIu32 " slots, %" PRIu32 " registers, blocks of %" PRIu32 " bytes: %.1f MiB a disk\n",
           header->layout.slots, header->layout.registers, header->layout.block_bytes,
           (double)layout_bytes(&header->layout) / BYTES_PER_MIB);
    printf("lease %s; a dead leader is replaced after %s\n", message_duration(lease, header->timings.lease_ns),
           duration_format_short(timings_watch_ns(&header->timings), watch));
    return output_finish();
}

/* What was not given follows from the lease. */
static void timings_complete(struct timings *timings)
{
    if (timings->renew_ns < 0) {
        timings->renew_ns = timings->lease_ns / 10;
    }
    if (timings->io_deadline_ns < 0) {
        timings->io_deadline_ns = timings->lease_ns / 20;
    }
}

static int format_run(const struct verb *verb, int argc, char **argv)
{
    struct values values = {.format = {.set_name = "diskarch",
                                       .slots = SLOTS_DEFAULT,
                                       .registers = REGISTERS_DEFAULT,
                                       .slot_reuse = true,
                                       .timings = {.lease_ns = LEASE_DEFAULT_NS,
                                                   .renew_ns = -1,
                                                   .io_deadline_ns = -1,
                                                   .quarantine_ns = QUARANTINE_DEFAULT_NS,
                                                   .drift_ppm = DRIFT_DEFAULT_PPM}}};
    struct command_line line;
    command_line_parse(verb, argc, argv, format_take, &values, &line);
    if (line.argument_count != 0) {
        usage_fail("\"%s\" is one argument too many; name the disks by --disks", escaped(line.arguments[0]));
    }
    if (line.disk_count % 2 == 0) {
        complain(
            "warning: %zu disks stand the loss of no more disks than %zu would, and can fail more often; an odd number "
            "is best",
            line.disk_count, line.disk_count - 1);
    }
    timings_complete(&values.format.timings);
    struct progress progress = {.begun_ns = clock_now_ns(CLOCK_MONOTONIC)};
    values.format.paths = line.disks;
    values.format.path_count = line.disk_count;
    values.format.force = values.force;
    values.format.progress = isatty(STDERR_FILENO) ? progress_show : NULL;
    values.format.progress_context = &progress;
    struct set_header header;
    char message[DISK_MESSAGE_BYTES] = "";
    int error = disk_format(&values.format, &header, message, sizeof(message));
    progress_end(&progress);
    if (error != 0) {
        complain("%s", escaped(message));
        return (int)exit_code_of_error(error);
    }
    failure_domain_complain(line.disks, line.disk_count);
    return line.is_json ? summary_print_json(&header, &line) : summary_print(&header, &line);
}

const struct verb verb_format = {
    .name = "format",
    .arguments = "",
    .summary = "make a disk set of devices or files",
    .detail =
        "Makes one disk set of the named devices or files, 1 to 9, an odd number at best. Files that are missing are\n"
        "created. Looks first, and refuses whatever is not known to be free, naming what it found.",
    .common = COMMON_TARGETS | COMMON_JSON,
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = format_run,
};
