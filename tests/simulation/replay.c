#include "replay.h"

#include "runtime/replay.h"
#include "runtime/replay_text.h"

#include <inttypes.h>
#include <stdio.h>

static void print_name(FILE *to, const char *name)
{
    fputs(name, to);
}

int sim_replay(const char *path, bool is_tracing)
{
    struct replay *replay = NULL;
    char message[512];
    if (replay_open(path, &replay, message, sizeof message) != 0) {
        fprintf(stderr, "diskarch-sim: %s\n", message);
        return 2;
    }
    struct replay_step step;
    uint64_t steps = 0;
    uint64_t others = 0;
    uint32_t segments = 0;
    enum replay_progress progress;
    while ((progress = replay_next(replay, &step)) != REPLAY_END && progress != REPLAY_BROKEN) {
        bool is_step = progress == REPLAY_STEP;
        segments += !is_step;
        steps += is_step;
        others += is_step && !step.is_same;
        if (is_tracing && !is_step) {
            replay_print_segment(stdout, replay, print_name);
        } else if (is_step && (is_tracing || !step.is_same)) {
            replay_print_step(stdout, &step, print_name);
        }
    }
    if (progress == REPLAY_BROKEN) {
        printf("%s: after %" PRIu64 " steps: %s\n", path, steps, replay_message(replay));
    } else {
        printf("%s: %" PRIu32 " segments, %" PRIu64 " steps, %" PRIu64 " of them with other actions than recorded\n",
               path, segments, steps, others);
    }
    replay_close(replay);
    return progress == REPLAY_BROKEN || others > 0 || steps == 0;
}
