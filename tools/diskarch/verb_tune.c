/* diskarch tune: other timings for a set at rest, and registers of forgotten names for names to come. */
#include "block/limits.h"
#include "command_line.h"
#include "disk/disk_set.h"
#include "documents.h"
#include "duration.h"
#include "escape.h"
#include "idle_watch_words.h"
#include "offline/tune.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    LETTER_LEASE = LETTER_NONE + 1,
    LETTER_RENEW,
    LETTER_IO_DEADLINE,
    LETTER_QUARANTINE,
    LETTER_DRIFT,
    LETTER_SLOT_REUSE,
    LETTER_COMPACT
};

static const struct verb_option options[] = {
    {LETTER_LEASE, "lease", "DURATION", "L, how long a leader may act on one renewal"},
    {LETTER_RENEW, "renew", "DURATION", "between two heartbeats, at most L/3"},
    {LETTER_IO_DEADLINE, "io-deadline", "DURATION", "after which a request stops counting, at most L/4"},
    {LETTER_QUARANTINE, "quarantine", "DURATION", "after which no write of a dead node can land"},
    {LETTER_DRIFT, "clock-drift", "RATE", "how far a clock's rate may be off, as 0.5% or 5000ppm"},
    {LETTER_SLOT_REUSE, "slot-reuse", "WHEN", "slots of dead nodes: quarantine or never"},
    {LETTER_COMPACT, "compact", NULL, "give the registers of forgotten names back"},
};

static void tune_take(void *context, int letter, const char *argument)
{
    struct tune_options *tune = context;
    struct tune_change *change = &tune->change;
    switch (letter) {
    case LETTER_LEASE:
        change->lease_ns = option_duration("lease", argument);
        break;
    case LETTER_RENEW:
        change->renew_ns = option_duration("renew", argument);
        break;
    case LETTER_IO_DEADLINE:
        change->io_deadline_ns = option_duration("io-deadline", argument);
        break;
    case LETTER_QUARANTINE:
        change->quarantine_ns = option_duration("quarantine", argument);
        break;
    case LETTER_DRIFT:
        change->drift_ppm = option_rate("clock-drift", argument);
        break;
    case LETTER_SLOT_REUSE:
        change->slot_reuse = option_slot_reuse(argument);
        break;
    default:
        tune->is_compacting = true;
        break;
    }
}

static void result_print(const struct tune_result *result, bool is_compacting)
{
    const struct set_header *header = &result->header;
    char texts[5][DURATION_TEXT_BYTES];
    printf("set %s: lease %s, renewed every %s, io deadline %s, quarantine %s, clock drift %" PRIu32
           "ppm, slots of the dead "
           "%s\n",
           escaped(header->set_name), message_duration(texts[0], header->timings.lease_ns),
           message_duration(texts[1], header->timings.renew_ns),
           message_duration(texts[2], header->timings.io_deadline_ns),
           message_duration(texts[3], header->timings.quarantine_ns), header->timings.drift_ppm,
           header->slot_reuse ? "used again" : "never used again");
    if (is_compacting) {
        printf("%" PRIu32 " registers of forgotten names are free; new names start above epoch %" PRIu64 "\n",
               result->freed_registers, header->epoch_floor);
    }
    if (result->has_ended_an_earlier) {
        printf("an earlier diskarch tune had been cut off; this one has ended it\n");
    }
}

static int result_print_json(const struct tune_result *result)
{
    return json_print(json_pack("{s:o, s:I, s:I, s:b}", "set", document_header(&result->header), "freed_registers",
                                (json_int_t)result->freed_registers, "epoch_floor",
                                (json_int_t)result->header.epoch_floor, "ended_an_earlier",
                                result->has_ended_an_earlier));
}

static int tune_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    struct tune_options tune = {
        .change = {-1, -1, -1, -1, -1, -1},
        .waiting = tell_idle_watch,
    };
    command_line_parse(verb, argc, argv, tune_take, &tune, &line);
    command_line_check_empty(verb, &line);
    tune.paths = line.disks;
    tune.path_count = line.disk_count;
    struct tune_result result;
    char message[DISK_MESSAGE_BYTES] = "";
    int error = tune_set(&tune, &result, message, sizeof message);
    if (error != 0) {
        complain("%s", escaped(message));
        return (int)exit_code_of_error(error);
    }
    if (line.is_json) {
        return result_print_json(&result);
    }
    result_print(&result, tune.is_compacting);
    return output_finish();
}

const struct verb verb_tune = {
    .name = "tune",
    .arguments = "",
    .summary = "change the timings of a set on which no node lives",
    .detail =
        "Changes timings of a set at rest; what is not given stays as it is. Every disk must be there. Watches the\n"
        "heartbeats before and after it marks the set, and refuses as soon as one moves. If it is cut off, nobody can\n"
        "join the set before tune was run again.",
    .common = COMMON_DISKS | COMMON_JSON,
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = tune_run,
};
