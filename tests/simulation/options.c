#include "options.h"

#include "without.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "usage: diskarch-sim [--seed N | --seeds FROM..TO | --minutes M [--seeds FROM..TO]] [OPTION]...\n"
    "       diskarch-sim --replay FILE [--trace]\n"
    "\n"
    "Runs the protocol over simulated disks, clocks and processes, one world a seed, and checks every oracle after every\n"
    "step. The same seed, options and code give the same trace. A run that violates an oracle is repeated with fewer and\n"
    "fewer of its faults, and the few that are enough are printed.\n"
    "\n"
    "  --seed N           one seed\n"
    "  --seeds FROM..TO   all seeds of a range, both ends included; 1..1000 unless told otherwise\n"
    "  --minutes M        fresh seeds until the time is up, from FROM on, or from one that the clock gives\n"
    "  --nodes N          that many processes (1..9), whatever the seed draws\n"
    "  --disks N          that many disks (1..9)\n"
    "  --roles N          that many roles\n"
    "  --without LIST     withholds faults: numbers, ranges (3..9, 40..) and kinds (pause,kill), between commas\n"
    "  --outside          injects what no lease can stand, too: frozen clocks, writes later than the quarantine\n"
    "  --liveness         faults end at a drawn instant, and then a leader must come within the stated bound\n"
    "  --no-shrink        takes the first violation as it is\n"
    "  --keep FILE        writes a transcript of the violation: command, faults, end of the trace\n"
    "  --trace            prints what happens\n"
    "  --json             prints one object at the end, and nothing else\n"
    "  --replay FILE      what the flight recorder of a real node has saved (the same build only)\n"
    "\n"
    "Exit code: 0 no violation, 1 a violation (its seed is printed) or other actions than recorded, 2 usage.\n";

static bool parse_number(const char *text, const char *end_marks, uint64_t *ret, const char **ret_rest)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *text < '0' || *text > '9' || strchr(end_marks, *end) == NULL) {
        return false;
    }
    *ret = value;
    *ret_rest = end;
    return true;
}

static bool parse_range(const char *text, uint64_t *ret_from, uint64_t *ret_to)
{
    const char *rest = NULL;
    return parse_number(text, ".", ret_from, &rest) && strncmp(rest, "..", 2) == 0 &&
           parse_number(rest + 2, "", ret_to, &rest) && *ret_from <= *ret_to;
}

static bool refuse(const char *option, const char *value, const char *why)
{
    fprintf(stderr, "diskarch-sim: --%s %s: %s\n", option, value, why);
    return false;
}

static bool parse_bounded(const char *option, const char *text, uint64_t most, uint64_t *ret)
{
    char why[128];
    const char *rest = NULL;
    uint64_t value = 0;
    if (!parse_number(text, "", &value, &rest)) {
        snprintf(why, sizeof why, "not a whole number; give one from 1 to %llu", (unsigned long long)most);
        return refuse(option, text, why);
    }
    if (value < 1 || value > most) {
        snprintf(why, sizeof why, "out of range; give a number from 1 to %llu", (unsigned long long)most);
        return refuse(option, text, why);
    }
    *ret = value;
    return true;
}

static bool parse_count(const char *option, const char *text, uint32_t most, uint32_t *ret)
{
    uint64_t value = 0;
    if (!parse_bounded(option, text, most, &value)) {
        return false;
    }
    *ret = (uint32_t)value;
    return true;
}

enum option_key {
    OPTION_SEED = 1,
    OPTION_SEEDS,
    OPTION_MINUTES,
    OPTION_NODES,
    OPTION_DISKS,
    OPTION_ROLES,
    OPTION_WITHOUT,
    OPTION_OUTSIDE,
    OPTION_LIVENESS,
    OPTION_NO_SHRINK,
    OPTION_KEEP,
    OPTION_TRACE,
    OPTION_JSON,
    OPTION_REPLAY,
    OPTION_HELP,
    OPTIONS,
};

static const struct option option_table[] = {
    {"seed", required_argument, NULL, OPTION_SEED},
    {"seeds", required_argument, NULL, OPTION_SEEDS},
    {"minutes", required_argument, NULL, OPTION_MINUTES},
    {"nodes", required_argument, NULL, OPTION_NODES},
    {"disks", required_argument, NULL, OPTION_DISKS},
    {"roles", required_argument, NULL, OPTION_ROLES},
    {"without", required_argument, NULL, OPTION_WITHOUT},
    {"outside", no_argument, NULL, OPTION_OUTSIDE},
    {"liveness", no_argument, NULL, OPTION_LIVENESS},
    {"no-shrink", no_argument, NULL, OPTION_NO_SHRINK},
    {"keep", required_argument, NULL, OPTION_KEEP},
    {"trace", no_argument, NULL, OPTION_TRACE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"replay", required_argument, NULL, OPTION_REPLAY},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static bool take_option(enum option_key option, const char *value, struct sim_command *ret)
{
    const char *rest = NULL;
    switch (option) {
    case OPTION_SEED:
        if (!parse_number(value, "", &ret->from, &rest)) {
            return refuse("seed", value, "not a whole number; give one seed, such as 4711");
        }
        ret->to = ret->from;
        return true;
    case OPTION_SEEDS:
        return parse_range(value, &ret->from, &ret->to) ||
               refuse("seeds", value, "not a range; give FROM..TO with FROM not above TO, such as 1..1000");
    case OPTION_MINUTES:
        return parse_bounded("minutes", value, 1000000, &ret->minutes);
    case OPTION_NODES:
        return parse_count("nodes", value, SIM_PROCESSES_MAX, &ret->sim.nodes);
    case OPTION_DISKS:
        return parse_count("disks", value, SIM_DISKS_MAX, &ret->sim.disks);
    case OPTION_ROLES:
        return parse_count("roles", value, SIM_ROLES_MAX, &ret->sim.roles);
    case OPTION_WITHOUT:
        return without_parse(value, &ret->sim.without) ||
               refuse("without", value,
                      "not a list of faults; give numbers, ranges or kinds, such as 3..9,17,40..,kill; "
                      "the kinds are told at the end of every run");
    case OPTION_OUTSIDE:
        ret->sim.is_outside = true;
        break;
    case OPTION_LIVENESS:
        ret->sim.is_liveness = true;
        break;
    case OPTION_NO_SHRINK:
        ret->is_shrinking = false;
        break;
    case OPTION_KEEP:
        ret->keep = value;
        break;
    case OPTION_TRACE:
        ret->is_tracing = true;
        break;
    case OPTION_JSON:
        ret->is_json = true;
        break;
    case OPTION_REPLAY:
        ret->replay = value;
        break;
    case OPTION_HELP:
    case OPTIONS:
        break;
    }
    return true;
}

static bool check_together(const bool is_given[OPTIONS])
{
    const char *why = NULL;
    if (is_given[OPTION_SEED] && is_given[OPTION_SEEDS]) {
        why = "--seed and --seeds exclude each other; give one of them";
    } else if (is_given[OPTION_SEED] && is_given[OPTION_MINUTES]) {
        why = "--seed is one run, --minutes many; give --seeds FROM..TO to say where to begin";
    } else if (is_given[OPTION_TRACE] && is_given[OPTION_JSON]) {
        why = "--trace and --json both write to standard output; give one of them";
    }
    for (int option = OPTION_SEED; option < OPTIONS && is_given[OPTION_REPLAY]; option++) {
        if (is_given[option] && option != OPTION_REPLAY && option != OPTION_TRACE) {
            why = "--replay draws nothing; give --trace beside it, or nothing";
        }
    }
    if (why != NULL) {
        fprintf(stderr, "diskarch-sim: %s\n", why);
    }
    return why == NULL;
}

enum parsed options_parse(int argc, char **argv, struct sim_command *ret)
{
    bool is_given[OPTIONS] = {false};
    *ret = (struct sim_command){.from = 1, .to = 1000, .is_shrinking = true};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", option_table, NULL)) != -1) {
        if (option <= 0 || option >= OPTIONS) {
            fprintf(stderr, "diskarch-sim: see --help\n"); /* getopt has named the option */
            return PARSED_REFUSED;
        }
        if (option == OPTION_HELP) {
            fputs(usage, stdout);
            return PARSED_HELP;
        }
        is_given[option] = true;
        if (!take_option((enum option_key)option, optarg, ret)) {
            return PARSED_REFUSED;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "diskarch-sim: %s: no operands are taken; see --help\n", argv[optind]);
        return PARSED_REFUSED;
    }
    if (ret->minutes != 0 && !is_given[OPTION_SEEDS]) {
        ret->from = (uint64_t)time(NULL) << 20; /* no two hours have a seed in common */
    }
    return check_together(is_given) ? PARSED_RUN : PARSED_REFUSED;
}

void options_print(FILE *to, const struct sim_options *options)
{
    if (options->nodes != 0) {
        fprintf(to, " --nodes %u", options->nodes);
    }
    if (options->disks != 0) {
        fprintf(to, " --disks %u", options->disks);
    }
    if (options->roles != 0) {
        fprintf(to, " --roles %u", options->roles);
    }
    if (options->is_liveness) {
        fputs(" --liveness", to);
    }
    if (options->is_outside) {
        fputs(" --outside", to);
    }
    if (!without_is_empty(&options->without)) {
        fputs(" --without ", to);
        without_print(to, &options->without);
    }
}
