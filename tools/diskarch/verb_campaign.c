/* diskarch campaign ROLE: be a candidate or the leader until told to stop, and say what happens. */
#include "block/limits.h"
#include "command_line.h"
#include "documents.h"
#include "escape.h"
#include "report.h"
#include "signals.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 1024 };

struct campaign {
    struct diskarch *node;
    struct diskarch_role *role;
    const char *role_name;
    bool is_json;
    bool is_ending; /* a signal came: resigned, waiting for it to stand on the disks */
    int code;       /* exit code, once is_over */
    bool is_over;
};

static const char *event_code(enum diskarch_event_kind kind)
{
    static const char *const codes[] = {
        [DISKARCH_JOINED] = "joined",       [DISKARCH_JOIN_WAITS] = "join_waits",
        [DISKARCH_CANDIDATE] = "candidate", [DISKARCH_LEADER] = "leader",
        [DISKARCH_AT_RISK] = "at_risk",     [DISKARCH_SAFE] = "safe",
        [DISKARCH_LOST] = "lost",           [DISKARCH_RELEASED] = "released",
        [DISKARCH_REFUSED] = "refused",     [DISKARCH_LEASE_ENDED] = "lease_ended",
    };
    assert(kind >= DISKARCH_JOINED && kind <= DISKARCH_LEASE_ENDED);
    return codes[kind];
}

static const char *reason_code(enum diskarch_reason reason)
{
    static const char *const codes[] = {
        [DISKARCH_REASON_NONE] = "none",         [DISKARCH_REASON_LEASE] = "lease",
        [DISKARCH_REASON_VERDICT] = "verdict",   [DISKARCH_REASON_REPLACED] = "replaced",
        [DISKARCH_REASON_SLOT] = "slot",         [DISKARCH_REASON_CLOSED] = "closed",
        [DISKARCH_REASON_INTERNAL] = "internal",
    };
    assert(reason >= DISKARCH_REASON_NONE && reason <= DISKARCH_REASON_INTERNAL);
    return codes[reason];
}

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static struct diskarch_node_info node_info(const struct campaign *campaign)
{
    struct diskarch_node_info info = {.size = sizeof(info)};
    diskarch_node_info(campaign->node, &info);
    return info;
}

static int event_print_json(const struct campaign *campaign, const struct diskarch_event *event)
{
    struct diskarch_node_info info = node_info(campaign);
    json_t *json = json_pack("{s:o, s:s, s:o}", "wall_ms", document_wall_ms(wall_ns()), "event",
                             event_code(event->kind), "node", json_text(info.node_name));
    if (event->role != NULL) {
        json_object_set_new(json, "role", json_text(campaign->role_name));
    }
    if (event->epoch != 0) {
        json_object_set_new(json, "epoch", json_integer((json_int_t)event->epoch));
    }
    if (event->kind == DISKARCH_CANDIDATE) {
        json_object_set_new(json, "holder", json_text(event->node_name));
    }
    if (event->reason != DISKARCH_REASON_NONE) {
        json_object_set_new(json, "reason", json_string(reason_code(event->reason)));
    }
    if (*event->text != '\0') {
        json_object_set_new(json, "text", json_text(event->text));
    }
    return json_print_line(json);
}

static void event_print_words(const struct campaign *campaign, const struct diskarch_event *event)
{
    struct diskarch_node_info info = node_info(campaign);
    const char *role = escaped(campaign->role_name);
    const char *text = escaped(event->text);
    switch (event->kind) {
    case DISKARCH_JOINED:
        printf("%s: joined set %s by %s\n", escaped(info.node_name), escaped(info.set_name), info.engine);
        break;
    case DISKARCH_JOIN_WAITS:
        printf("%s: waiting to join: %s\n", escaped(info.node_name), text);
        break;
    case DISKARCH_CANDIDATE:
        printf("%s: candidate; held by %s, epoch %" PRIu64 "\n", role, escaped(event->node_name), event->epoch);
        break;
    case DISKARCH_LEADER:
        printf("%s: leader, epoch %" PRIu64 "\n", role, event->epoch);
        break;
    case DISKARCH_AT_RISK:
        printf("%s: at risk, epoch %" PRIu64 ": less than half of the lease is left\n", role, event->epoch);
        break;
    case DISKARCH_SAFE:
        printf("%s: safe again, epoch %" PRIu64 "\n", role, event->epoch);
        break;
    case DISKARCH_LOST:
        printf("%s: lost, epoch %" PRIu64 ": %s\n", role, event->epoch, text);
        break;
    case DISKARCH_RELEASED:
        printf("%s: released\n", role);
        break;
    case DISKARCH_REFUSED:
        printf("%s: refused: %s\n", role, text);
        break;
    case DISKARCH_LEASE_ENDED:
        printf("%s: lease ended: %s\n", escaped(info.node_name), text);
        break;
    }
}

static void campaign_end(struct campaign *campaign, int code)
{
    campaign->is_over = true;
    campaign->code = code;
}

static void event_take(struct campaign *campaign, const struct diskarch_event *event)
{
    int code = EXIT_CODE_OK;
    if (campaign->is_json) {
        code = event_print_json(campaign, event);
    } else {
        event_print_words(campaign, event);
        code = output_finish();
    }
    if (code != EXIT_CODE_OK) {
        campaign_end(campaign, code);
    } else if (event->kind == DISKARCH_REFUSED) {
        complain("role \"%s\": %s", escaped(campaign->role_name), escaped(event->text));
        campaign_end(campaign, (int)exit_code_of_error(event->error));
    } else if (campaign->is_ending && (event->kind == DISKARCH_RELEASED || event->kind == DISKARCH_LEASE_ENDED)) {
        campaign_end(campaign, EXIT_CODE_OK);
    }
}

/* The first signal resigns; a second one no longer waits for the disks, which may hang. */
static void signal_take(struct campaign *campaign)
{
    if (campaign->is_ending) {
        campaign_end(campaign, EXIT_CODE_OK);
    } else {
        campaign->is_ending = true;
        diskarch_resign(campaign->role);
    }
}

static int campaign_loop(struct campaign *campaign, int signal_fd)
{
    while (!campaign->is_over) {
        struct pollfd sources[] = {{.fd = diskarch_fd(campaign->node), .events = POLLIN},
                                   {.fd = signal_fd, .events = POLLIN}};
        (void)poll(sources, 2, -1);
        struct diskarch_event event = {.size = sizeof(event)};
        while (!campaign->is_over && diskarch_dispatch(campaign->node, &event) == 1) {
            event_take(campaign, &event);
        }
        bool is_terminal;
        if (signals_take(signal_fd, &is_terminal) != 0) {
            signal_take(campaign);
        }
    }
    return campaign->code;
}

static int campaign_open(struct campaign *campaign, const struct command_line *line)
{
    struct diskarch_options options = command_line_options(line);
    options.is_rejoining = true;
    char message[MESSAGE_BYTES] = "";
    int error = diskarch_open(&options, &campaign->node, message, sizeof(message));
    if (error != 0) {
        complain("%s", escaped(message));
        return (int)exit_code_of_error(error);
    }
    struct diskarch_node_info info = node_info(campaign);
    if (*info.warning != '\0') {
        complain("warning: %s", escaped(info.warning));
    }
    error = diskarch_campaign(campaign->node, campaign->role_name, NULL, &campaign->role);
    if (error != 0) {
        complain("role \"%s\": %s", escaped(campaign->role_name), diskarch_error_string(error));
    }
    return (int)exit_code_of_error(error);
}

static int campaign_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    command_line_parse(verb, argc, argv, NULL, NULL, &line);
    if (line.argument_count != 1) {
        usage_fail("%d roles are named; name one", line.argument_count);
    }
    command_line_check_name("role", line.arguments[0]);
    struct campaign campaign = {.role_name = line.arguments[0], .is_json = line.is_json};
    const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    int signal_fd = signals_open(ends, sizeof(ends) / sizeof(ends[0]));
    int code = campaign_open(&campaign, &line);
    if (code == EXIT_CODE_OK) {
        code = campaign_loop(&campaign, signal_fd);
    }
    diskarch_close(campaign.node);
    close(signal_fd);
    return code;
}

const struct verb verb_campaign = {
    .name = "campaign",
    .arguments = "ROLE",
    .summary = "be a candidate or the leader of a role until stopped",
    .detail =
        "Joins the set and campaigns for ROLE until SIGINT, SIGTERM or SIGHUP, then resigns and leaves cleanly. Prints a\n"
        "line for each event. After a lost lease it joins again by itself.",
    .common = COMMON_DISKS | COMMON_NODE | COMMON_ENGINE | COMMON_JSON,
    .run = campaign_run,
};
