/* diskarch-sim: runs seeds of the simulator and tells what the oracles say. */
#include "options.h"
#include "replay.h"
#include "report.h"
#include "shrink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SHRINK_RUNS = 600,
    TRANSCRIPT_LINES = 80, /* of the trace */
};

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- A violation ------------------------------------------------------------------------------------------------------ */

struct rerun {
    struct sim *sim;
    uint64_t seed;
    struct sim_options options;
};

static const char *run_again(void *context, const struct sim_without *without, const struct sim_fault_log **ret_log)
{
    struct rerun *rerun = context;
    uint64_t hash = 0;
    rerun->options.without = *without;
    sim_set_options(rerun->sim, &rerun->options);
    const char *violation = sim_run(rerun->sim, rerun->seed, &hash);
    *ret_log = sim_fault_log(rerun->sim);
    return violation;
}

/* The last lines of a file that has been written to. */
static void copy_end(FILE *from, FILE *to)
{
    long starts[TRANSCRIPT_LINES] = {0};
    uint32_t lines = 0;
    int byte = 0;
    rewind(from);
    while ((byte = fgetc(from)) != EOF) {
        if (byte == '\n') {
            starts[++lines % TRANSCRIPT_LINES] = ftell(from);
        }
    }
    fseek(from, lines < TRANSCRIPT_LINES ? 0 : starts[(lines + 1) % TRANSCRIPT_LINES], SEEK_SET);
    while ((byte = fgetc(from)) != EOF) {
        fputc(byte, to);
    }
}

/* Command line, faults, and how it ended. Runs the violation once more. */
static int keep_transcript(const char *path, struct sim *sim, const struct violation *violation)
{
    FILE *to = fopen(path, "w");
    FILE *trace = tmpfile();
    if (to == NULL || trace == NULL) {
        fprintf(stderr, "diskarch-sim: --keep %s: %s; give a file that can be written\n", path, strerror(errno));
        return 2;
    }
    uint64_t hash = 0;
    sim_set_trace(sim, trace);
    sim_run(sim, violation->seed, &hash);
    report_violation(to, violation);
    fprintf(to, "the end of its trace:\n");
    copy_end(trace, to);
    fclose(trace);
    return fclose(to) == 0 ? 1 : 2;
}

static int tell_violation(struct sim *sim, const struct sim_command *command, const struct report *report,
                          const char *text)
{
    static struct rerun rerun;
    static struct violation violation;
    rerun = (struct rerun){.sim = sim, .seed = report->to, .options = command->sim};
    violation = (struct violation){.seed = report->to,
                                   .text = text,
                                   .at_ns = sim_now_ns(sim),
                                   .options = &rerun.options,
                                   .log = sim_fault_log(sim)};
    struct sim_statistics sums = *sim_statistics(sim);
    if (!command->is_json) {
        printf("seed %" PRIu64 ": %s, at %.6f s; see it with --seed %" PRIu64 " --trace\n", report->to, text,
               (double)violation.at_ns / 1e9, report->to);
        fflush(stdout);
    }
    if (command->is_shrinking) {
        static struct sim_without without;
        without = command->sim.without;
        sim_set_trace(sim, NULL);
        shrink(run_again, &rerun, text, SHRINK_RUNS, &without);
        run_again(&rerun, &without, &violation.log);
        violation.at_ns = sim_now_ns(sim);
    }
    if (command->is_json) {
        report_json(report, &sums, &violation);
    } else {
        report_violation(stdout, &violation);
    }
    return command->keep != NULL ? keep_transcript(command->keep, sim, &violation) : 1;
}

/* ---- Seeds ------------------------------------------------------------------------------------------------------------ */

static int run_seeds(struct sim *sim, const struct sim_command *command)
{
    double began = now_seconds();
    struct report report = {.from = command->from, .hash = UINT64_C(0xcbf29ce484222325)};
    for (uint64_t seed = command->from;; seed++) {
        uint64_t hash = 0;
        const char *violation = sim_run(sim, seed, &hash);
        report.to = seed;
        report.hash = (report.hash ^ hash) * UINT64_C(0x100000001b3);
        report.seconds = now_seconds() - began;
        if (violation != NULL) {
            report_progress_end();
            return tell_violation(sim, command, &report, violation);
        }
        report_progress(&report, sim_statistics(sim));
        if (command->minutes != 0 ? report.seconds >= (double)command->minutes * 60 : seed == command->to) {
            break;
        }
    }
    report_progress_end();
    if (command->is_json) {
        report_json(&report, sim_statistics(sim), NULL);
    } else {
        report_sums(&report, sim_statistics(sim));
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct sim_command command;
    enum parsed parsed = options_parse(argc, argv, &command);
    if (parsed != PARSED_RUN) {
        return parsed == PARSED_HELP ? 0 : 2;
    }
    if (command.replay != NULL) {
        return sim_replay(command.replay, command.is_tracing);
    }
    struct sim *sim = sim_new();
    if (sim == NULL) {
        fprintf(stderr, "diskarch-sim: not enough memory\n");
        return 2;
    }
    sim_set_options(sim, &command.sim);
    sim_set_trace(sim, command.is_tracing ? stdout : NULL);
    int result = run_seeds(sim, &command);
    sim_free(sim);
    return result;
}
