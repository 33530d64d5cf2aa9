#include "runtime/replay_text.h"

#include "block/layout.h"

#include <inttypes.h>
#include <string.h>

/* Words by number; what has none is shown as its number. */
static void print_word(FILE *to, const char *const *words, size_t count, size_t number)
{
    if (number < count && words[number] != NULL) {
        fputs(words[number], to);
    } else {
        fprintf(to, "%zu", number);
    }
}

#define PRINT_WORD(to, words, number) print_word((to), (words), sizeof(words) / sizeof *(words), (size_t)(number))

static const char *const event_words[] = {
    [EVENT_TICK] = "tick",         [EVENT_IO] = "io",
    [EVENT_CAMPAIGN] = "campaign", [EVENT_RESIGN] = "resign",
    [EVENT_TRANSFER] = "transfer", [EVENT_PUBLISH] = "publish",
    [EVENT_CALL] = "call",         [EVENT_CANCEL] = "cancel",
    [EVENT_LEAVE] = "leave",
};

static const char *const operation_words[] = {
    [IO_READ] = "read",
    [IO_WRITE] = "write",
    [IO_EXCHANGE] = "exchange",
    [IO_HEADER] = "read header",
};

static const char *const notice_words[] = {
    [NOTICE_JOINED] = "joined",
    [NOTICE_JOIN_WAITS] = "join waits",
    [NOTICE_CANDIDATE] = "candidate",
    [NOTICE_LEADER] = "leader",
    [NOTICE_AT_RISK] = "at risk",
    [NOTICE_SAFE] = "safe",
    [NOTICE_LOST] = "lost",
    [NOTICE_RELEASED] = "released",
    [NOTICE_REFUSED] = "refused",
    [NOTICE_OVER] = "over",
    [NOTICE_ASKED] = "asked",
    [NOTICE_TRANSFER] = "transfer",
    [NOTICE_TRANSFER_REFUSED] = "transfer refused",
    [NOTICE_PUBLISHED] = "published",
    [NOTICE_CALL_ENDED] = "call ended",
    [NOTICE_DISK] = "disk",
};

static const char *const reason_words[] = {
    [OVER_NONE] = "-",    [OVER_LEASE] = "lease", [OVER_VERDICT] = "verdict", [OVER_REPLACED] = "replaced",
    [OVER_SLOT] = "slot", [OVER_LEFT] = "left",   [OVER_STOPPED] = "stopped",
};

static void print_row(FILE *to, uint32_t row)
{
    if (row == ROW_CLAIM) {
        fputs("claim row", to);
    } else if (row == ROW_HEARTBEAT) {
        fputs("heartbeat row", to);
    } else {
        fprintf(to, "row %" PRIu32, row);
    }
}

static void print_request(FILE *to, const struct io_action *request)
{
    PRINT_WORD(to, operation_words, request->operation);
    if (request->operation != IO_HEADER) {
        fputc(' ', to);
        print_row(to, request->row);
    }
    fprintf(to, " on disk %" PRIu32, request->disk);
}

static void print_event(FILE *to, const struct replay_step *step, replay_print_name *print_name)
{
    const struct event *event = &step->event;
    PRINT_WORD(to, event_words, event->kind);
    if (event->kind == EVENT_IO) {
        fputs(": ", to);
        print_request(to, step->request);
        fputs(event->as.io.is_write_ok && event->as.io.is_read_ok ? ", done" : ", FAILED", to);
    } else if (event->kind == EVENT_CALL || event->kind == EVENT_CANCEL) {
        fprintf(to, " %" PRIu32, event->as.call.call);
        if (event->as.call.name != NULL) {
            fputc(' ', to);
            print_name(to, event->as.call.name);
        }
    } else if (event->kind != EVENT_TICK && event->kind != EVENT_LEAVE) {
        fprintf(to, ": role %" PRIu32, event->as.command.role);
        if (event->as.command.name != NULL) {
            fputc(' ', to);
            print_name(to, event->as.command.name);
        }
    }
}

static void print_notice(FILE *to, const struct notice *notice, replay_print_name *print_name)
{
    fputs("        = ", to);
    PRINT_WORD(to, notice_words, notice->kind);
    switch (notice->kind) {
    case NOTICE_JOINED:
    case NOTICE_AT_RISK:
    case NOTICE_SAFE:
        break;
    case NOTICE_OVER:
        fputs(": ", to);
        PRINT_WORD(to, reason_words, notice->reason);
        break;
    case NOTICE_JOIN_WAITS:
    case NOTICE_DISK:
        fprintf(to, " %" PRIu32, notice->disk);
        break;
    case NOTICE_CALL_ENDED:
        fprintf(to, " %" PRIu32, notice->call);
        break;
    default:
        fprintf(to, ": role %" PRIu32 ", epoch %" PRIu64, notice->role, notice->epoch);
        if (notice->holder_name[0] != '\0') {
            fputs(", ", to);
            print_name(to, notice->holder_name);
        }
        break;
    }
    fputc('\n', to);
}

void replay_print_segment(FILE *to, const struct replay *replay, replay_print_name *print_name)
{
    const struct node_params *params = replay_params(replay);
    struct node_id id = node_identity(replay_node(replay));
    fputs("node ", to);
    print_name(to, params->name);
    fputs(" of set ", to);
    print_name(to, params->header.set_name);
    if (node_id_is_none(id)) {
        fputs(", joining\n", to);
    } else {
        fprintf(to, ", slot %" PRIu32 ", incarnation %016" PRIx64 "\n", id.slot, id.incarnation);
    }
}

void replay_print_step(FILE *to, const struct replay_step *step, replay_print_name *print_name)
{
    fprintf(to, "%14.6f  ", (double)step->event.fast_ns / (double)NS_PER_S);
    print_event(to, step, print_name);
    fputs(step->is_same ? "\n" : "   THE ACTIONS ARE NOT THE RECORDED ONES\n", to);
    for (uint32_t i = 0; i < step->actions.io_count; i++) {
        fputs("        > ", to);
        print_request(to, &step->actions.ios[i]);
        fputc('\n', to);
    }
    for (uint32_t i = 0; i < step->actions.notice_count; i++) {
        print_notice(to, &step->actions.notices[i], print_name);
    }
}
