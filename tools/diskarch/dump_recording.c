#include "dump_recording.h"

#include "escape.h"
#include "report.h"
#include "runtime/replay_text.h"

static void print_name(FILE *to, const char *name)
{
    fputs(escaped(name), to);
}

int dump_recording(const char *path)
{
    struct replay *replay = NULL;
    char message[512];
    if (replay_open(path, &replay, message, sizeof(message)) != 0) {
        complain("recorder: %s", escaped(message));
        return EXIT_CODE_USAGE;
    }
    struct replay_step step;
    enum replay_progress progress;
    while ((progress = replay_next(replay, &step)) == REPLAY_STEP || progress == REPLAY_SEGMENT) {
        if (progress == REPLAY_SEGMENT) {
            replay_print_segment(stdout, replay, print_name);
        } else {
            replay_print_step(stdout, &step, print_name);
        }
    }
    int code = EXIT_CODE_OK;
    if (progress == REPLAY_BROKEN) {
        complain("recorder: %s: %s; save it again", escaped(path), escaped(replay_message(replay)));
        code = EXIT_CODE_USAGE;
    }
    replay_close(replay);
    return code;
}
