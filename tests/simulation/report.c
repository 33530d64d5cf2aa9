#include "report.h"

#include "options.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FAULTS_PRINTED = 100 };

static const char *const class_names[] = {
    [CLASS_TOLERATED] = "tolerated", [CLASS_DETECTED] = "detected", [CLASS_OUTSIDE] = "outside"};

/* ---- Progress --------------------------------------------------------------------------------------------------------- */

static bool has_progress;

void report_progress(const struct report *report, const struct sim_statistics *statistics)
{
    static double shown_at;
    if (!isatty(STDERR_FILENO) || report->seconds - shown_at < 0.1) {
        return;
    }
    shown_at = report->seconds;
    has_progress = true;
    fprintf(stderr, "\r%" PRIu64 " seeds, %" PRIu64 " changes, %.0f a second\033[K", report->to - report->from + 1,
            statistics->changes, (double)statistics->changes / report->seconds);
}

void report_progress_end(void)
{
    if (has_progress) {
        fputs("\r\033[K", stderr);
    }
}

/* ---- Sums ------------------------------------------------------------------------------------------------------------- */

/* Everything that is counted, but for faults. */
static const struct count {
    const char *name, *key;
    size_t at;
} counts[] = {
    {"steps", "steps", offsetof(struct sim_statistics, steps)},
    {"changes of holder", "changes", offsetof(struct sim_statistics, changes)},
    {"takeovers", "takeovers", offsetof(struct sim_statistics, takeovers)},
    {"elections", "elections", offsetof(struct sim_statistics, elections)},
    {"ballots", "ballots", offsetof(struct sim_statistics, ballots)},
    {"joins", "joins", offsetof(struct sim_statistics, joins)},
    {"counted out", "counted_out", offsetof(struct sim_statistics, outs)},
    {"calms", "calms", offsetof(struct sim_statistics, calms)},
    {"incarnations ended", "incarnations_ended", offsetof(struct sim_statistics, overs)},
    {"transfers", "transfers", offsetof(struct sim_statistics, transfers)},
    {"calls", "calls", offsetof(struct sim_statistics, calls)},
    {"unknown calls", "unknown_calls", offsetof(struct sim_statistics, unknown_calls)},
    {"histories undecided", "histories_undecided", offsetof(struct sim_statistics, undecided)},
    {"looks at liveness", "liveness_looks", offsetof(struct sim_statistics, looks)},
    {"longest wait for a leader in % of its bound", "slowest_leader_percent",
     offsetof(struct sim_statistics, slowest_leader_percent)},
    {"for joining", "slowest_join_percent", offsetof(struct sim_statistics, slowest_join_percent)},
};

enum { COUNTS = sizeof counts / sizeof counts[0] };

static uint64_t count_of(const struct sim_statistics *statistics, const struct count *count)
{
    uint64_t value;
    memcpy(&value, (const char *)statistics + count->at, sizeof value);
    return value;
}

void report_sums(const struct report *report, const struct sim_statistics *statistics)
{
    printf("seeds %" PRIu64 "..%" PRIu64 ": no violation; trace %016" PRIx64, report->from, report->to, report->hash);
    for (int i = 0; i < COUNTS; i++) {
        printf("%s %s %" PRIu64, i == 0 ? ";" : ",", counts[i].name, count_of(statistics, &counts[i]));
    }
    printf("\nfaults:\n");
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        const struct sim_fault_kind *row = &sim_fault_kinds[kind];
        printf("  %-24s %-10s %10" PRIu64 "\n", row->name, class_names[row->class], statistics->faults[kind]);
    }
}

/* ---- A violation ------------------------------------------------------------------------------------------------------ */

static void print_subject(FILE *to, const struct sim_fault_record *record)
{
    if (record->process != SIM_NOBODY) {
        fprintf(to, " process %u", record->process);
    }
    if (record->disk != SIM_NOBODY) {
        fprintf(to, " disk %u", record->disk);
    }
}

static uint32_t log_kept(const struct sim_fault_log *log)
{
    return log->injected < SIM_FAULTS_NUMBERED ? log->injected : SIM_FAULTS_NUMBERED;
}

void report_violation(FILE *to, const struct violation *violation)
{
    fprintf(to, "diskarch-sim --seed %" PRIu64, violation->seed);
    options_print(to, violation->options);
    uint32_t kept = log_kept(violation->log);
    uint32_t first = kept > FAULTS_PRINTED ? kept - FAULTS_PRINTED : 0;
    fprintf(to, "\n%s, at %.6f s\n%u faults%s\n", violation->text, (double)violation->at_ns / 1e9,
            violation->log->injected, first > 0 ? ", of which the last:" : "");
    for (uint32_t i = first; i < kept; i++) {
        const struct sim_fault_record *record = &violation->log->records[i];
        fprintf(to, "%12.6f  %5u  %s", (double)record->at_ns / 1e9, record->ordinal,
                sim_fault_kinds[record->kind].name);
        print_subject(to, record);
        fputc('\n', to);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------------------------------- */

static void json_violation(const struct violation *violation)
{
    printf(", \"violation\": {\"seed\": %" PRIu64 ", \"options\": \"", violation->seed);
    options_print(stdout, violation->options);
    printf("\", \"text\": \"%s\", \"seconds\": %.6f, \"faults\": [", violation->text, (double)violation->at_ns / 1e9);
    for (uint32_t i = 0; i < log_kept(violation->log); i++) {
        const struct sim_fault_record *record = &violation->log->records[i];
        printf("%s{\"number\": %u, \"seconds\": %.6f, \"kind\": \"%s\"", i > 0 ? ", " : "", record->ordinal,
               (double)record->at_ns / 1e9, sim_fault_kinds[record->kind].name);
        if (record->process != SIM_NOBODY) {
            printf(", \"process\": %u", record->process);
        }
        if (record->disk != SIM_NOBODY) {
            printf(", \"disk\": %u", record->disk);
        }
        putchar('}');
    }
    printf("]}");
}

void report_json(const struct report *report, const struct sim_statistics *statistics,
                 const struct violation *violation)
{
    printf("{\"from\": %" PRIu64 ", \"to\": %" PRIu64 ", \"trace\": \"%016" PRIx64 "\"", report->from, report->to,
           report->hash);
    for (int i = 0; i < COUNTS; i++) {
        printf(", \"%s\": %" PRIu64, counts[i].key, count_of(statistics, &counts[i]));
    }
    printf(", \"seconds\": %.3f, \"changes_per_second\": %.1f, \"steps_per_second\": %.1f, \"faults\": {",
           report->seconds, (double)statistics->changes / report->seconds, (double)statistics->steps / report->seconds);
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        const struct sim_fault_kind *row = &sim_fault_kinds[kind];
        printf("%s\"%s\": {\"class\": \"%s\", \"count\": %" PRIu64 "}", kind > 0 ? ", " : "", row->name,
               class_names[row->class], statistics->faults[kind]);
    }
    putchar('}');
    if (violation != NULL) {
        json_violation(violation);
    }
    printf("}\n");
}
