/* diskarch-sim: runs seeds of the simulator and tells what the oracles say. */
#include "replay.h"
#include "world.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: diskarch-sim [--seed N | --seeds FROM..TO | --replay FILE] [--liveness] [--trace]\n"
    "\n"
    "Runs the protocol over simulated disks, clocks and processes, one world a seed, and checks every oracle after every\n"
    "step. The same seed and the same code give the same trace.\n"
    "\n"
    "  --seed N           one seed; prints the hash of its trace\n"
    "  --seeds FROM..TO   all seeds of a range, both ends included\n"
    "  --replay FILE      what the flight recorder of a real node has saved (the same build only)\n"
    "  --liveness         faults end at a drawn instant, and then a leader must come within the stated bound\n"
    "  --trace            prints what happens\n"
    "\n"
    "Exit code: 0 no violation, 1 a violation (its seed is printed) or other actions than recorded, 2 usage.\n";

static bool parse_number(const char *text, const char *end_marks, uint64_t *ret, const char **ret_rest)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *text == '-' || strchr(end_marks, *end) == NULL) {
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

static int fail_usage(const char *what)
{
    fprintf(stderr, "diskarch-sim: %s\n%s", what, usage);
    return 2;
}

static int run_seeds(struct sim *sim, uint64_t from, uint64_t to)
{
    uint64_t all = UINT64_C(0xcbf29ce484222325);
    for (uint64_t seed = from;; seed++) {
        uint64_t hash = 0;
        const char *violation = sim_run(sim, seed, &hash);
        all = (all ^ hash) * UINT64_C(0x100000001b3);
        if (violation != NULL) {
            printf("seed %llu: %s, at %.6f s; see it with --seed %llu --trace\n", (unsigned long long)seed, violation,
                   (double)sim_now_ns(sim) / 1e9, (unsigned long long)seed);
            return 1;
        }
        if (seed == to) {
            break;
        }
    }
    const struct sim_statistics *count = sim_statistics(sim);
    printf(
        "seeds %llu..%llu: no violation; trace %016llx; steps %llu, changes %llu, takeovers %llu, elections %llu, ballots %llu, joins %llu, "
        "crashes %llu, pauses %llu, disk faults %llu, disks that forgot %llu, counted out %llu, "
        "calms %llu, incarnations ended %llu, transfers %llu, calls %llu (unknown %llu), "
        "histories undecided %llu\n",
        (unsigned long long)from, (unsigned long long)to, (unsigned long long)all, (unsigned long long)count->steps,
        (unsigned long long)count->changes, (unsigned long long)count->takeovers, (unsigned long long)count->elections,
        (unsigned long long)count->ballots, (unsigned long long)count->joins, (unsigned long long)count->crashes,
        (unsigned long long)count->pauses, (unsigned long long)count->disk_faults, (unsigned long long)count->forgets,
        (unsigned long long)count->outs, (unsigned long long)count->calms, (unsigned long long)count->overs,
        (unsigned long long)count->transfers, (unsigned long long)count->calls,
        (unsigned long long)count->unknown_calls, (unsigned long long)count->undecided);
    if (count->looks > 0) {
        printf("liveness: %llu looks; longest wait for a leader %lld %%, for joining %lld %% of its bound\n",
               (unsigned long long)count->looks, (long long)count->slowest_leader_percent,
               (long long)count->slowest_join_percent);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'r'},
        {"replay", required_argument, NULL, 'p'},
        {"trace", no_argument, NULL, 't'},
        {"liveness", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    uint64_t from = 1;
    uint64_t to = 1000;
    bool is_tracing = false;
    bool is_liveness = false;
    const char *recording = NULL;
    const char *rest = NULL;
    int option = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 's') {
            if (!parse_number(optarg, "", &from, &rest)) {
                return fail_usage("--seed takes a whole number");
            }
            to = from;
        } else if (option == 'r') {
            if (!parse_range(optarg, &from, &to)) {
                return fail_usage("--seeds takes FROM..TO, such as 1..1000");
            }
        } else if (option == 'p') {
            recording = optarg;
        } else if (option == 'l') {
            is_liveness = true;
        } else if (option == 't') {
            is_tracing = true;
        } else if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        } else {
            return fail_usage("unknown option");
        }
    }
    if (optind < argc) {
        return fail_usage("no operands are taken");
    }
    if (recording != NULL) {
        return sim_replay(recording, is_tracing);
    }
    struct sim *sim = sim_new();
    if (sim == NULL) {
        fprintf(stderr, "diskarch-sim: not enough memory\n");
        return 2;
    }
    sim_set_trace(sim, is_tracing);
    sim_set_liveness(sim, is_liveness);
    int result = run_seeds(sim, from, to);
    sim_free(sim);
    return result;
}
