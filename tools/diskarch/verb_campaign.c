/* diskarch campaign ROLE: be a candidate or the leader until told to stop, and say what happens. */
#include "block/limits.h"
#include "campaign_print.h"
#include "candidate.h"
#include "command_line.h"
#include "duration.h"
#include "escape.h"
#include "report.h"
#include "signals.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 1024, LETTER_FOREVER = LETTER_NONE + 1 };

enum stage {
    STAGE_CAMPAIGN, /* a candidate, or the leader */
    STAGE_LET_GO,   /* another node had it resign; that does not stand on the disks yet */
    STAGE_PAUSE,    /* let go; the others go first until pause_end_ns */
    STAGE_END,      /* a signal had it resign; that does not stand on the disks yet */
};

struct campaign {
    struct diskarch *node;
    struct diskarch_role *role; /* NULL in a pause */
    const char *role_name;
    struct candidate candidate;
    bool is_json;
    bool is_forever; /* goes on after it was made to let go */
    enum stage stage;
    int64_t pause_end_ns; /* on CLOCK_MONOTONIC */
    int code;             /* exit code, once is_over */
    bool is_over;
};

static const struct verb_option options[] = {
    CANDIDATE_OPTIONS,
    {LETTER_FOREVER, "forever", NULL, "having let go for another node, pause for a lease and campaign again"},
};

static void campaign_take(void *values, int letter, const char *argument)
{
    struct campaign *campaign = values;
    if (!candidate_take(&campaign->candidate, letter, argument)) {
        assert(letter == LETTER_FOREVER);
        campaign->is_forever = true;
    }
}

static void campaign_end(struct campaign *campaign, int code)
{
    campaign->is_over = true;
    campaign->code = code;
}

static int64_t lease_ns(const struct campaign *campaign)
{
    struct diskarch_node_info info = {.size = sizeof(info)};
    diskarch_node_info(campaign->node, &info);
    return info.lease_ns;
}

static int campaign_begin(struct campaign *campaign)
{
    struct diskarch_role_options role_options = candidate_options(&campaign->candidate);
    int error = diskarch_campaign(campaign->node, campaign->role_name, &role_options, &campaign->role);
    if (error != 0) {
        complain("role \"%s\": %s", escaped(campaign->role_name), diskarch_error_string(error));
    }
    campaign->stage = STAGE_CAMPAIGN;
    return (int)exit_code_of_error(error);
}

/* Nothing is held any more, and that stands on the disks. */
static void released(struct campaign *campaign)
{
    if (campaign->stage == STAGE_END) {
        campaign_end(campaign, EXIT_CODE_OK);
    } else if (campaign->stage == STAGE_LET_GO && campaign->is_forever) {
        diskarch_role_free(campaign->role);
        campaign->role = NULL;
        campaign->stage = STAGE_PAUSE;
        campaign->pause_end_ns = clock_now_ns(CLOCK_MONOTONIC) + lease_ns(campaign);
    } else if (campaign->stage == STAGE_LET_GO) {
        campaign_end(campaign, EXIT_CODE_GAVE_WAY);
    }
}

static void event_take(struct campaign *campaign, const struct diskarch_event *event)
{
    int code = campaign->is_json ? campaign_print_json(campaign->node, campaign->role_name, event)
                                 : campaign_print(campaign->node, campaign->role_name, event);
    if (code != EXIT_CODE_OK) {
        campaign_end(campaign, code);
    } else if (event->kind == DISKARCH_REFUSED) {
        complain("role \"%s\": %s", escaped(campaign->role_name), escaped(event->text));
        campaign_end(campaign, (int)exit_code_of_error(event->error));
    } else if (event->kind == DISKARCH_RELEASED || event->kind == DISKARCH_LEASE_ENDED) {
        released(campaign);
    } else if (campaign->stage == STAGE_CAMPAIGN && candidate_must_let_go(&campaign->candidate, event)) {
        campaign->stage = STAGE_LET_GO;
        diskarch_resign(campaign->role);
    }
}

/* The first signal resigns; a second one no longer waits for the disks, which may hang. */
static void signal_take(struct campaign *campaign)
{
    if (campaign->stage == STAGE_END || campaign->stage == STAGE_PAUSE) {
        campaign_end(campaign, EXIT_CODE_OK);
    } else {
        campaign->stage = STAGE_END;
        diskarch_resign(campaign->role);
    }
}

static int poll_timeout_ms(const struct campaign *campaign)
{
    if (campaign->stage != STAGE_PAUSE) {
        return -1;
    }
    int64_t left_ns = campaign->pause_end_ns - clock_now_ns(CLOCK_MONOTONIC);
    return left_ns <= 0 ? 0 : (int)(left_ns / NS_PER_MS + 1);
}

static int campaign_loop(struct campaign *campaign, int signal_fd)
{
    while (!campaign->is_over) {
        struct pollfd sources[] = {{.fd = diskarch_fd(campaign->node), .events = POLLIN},
                                   {.fd = signal_fd, .events = POLLIN}};
        (void)poll(sources, 2, poll_timeout_ms(campaign));
        struct diskarch_event event = {.size = sizeof(event)};
        while (!campaign->is_over && diskarch_dispatch(campaign->node, &event) == 1) {
            event_take(campaign, &event);
        }
        bool is_terminal;
        if (signals_take(signal_fd, &is_terminal) != 0) {
            signal_take(campaign);
        }
        if (campaign->stage == STAGE_PAUSE && poll_timeout_ms(campaign) == 0 && !campaign->is_over) {
            int code = campaign_begin(campaign);
            if (code != EXIT_CODE_OK) {
                campaign_end(campaign, code);
            }
        }
    }
    return campaign->code;
}

static int campaign_open(struct campaign *campaign, const struct command_line *line)
{
    struct diskarch_options open_options = command_line_options(line);
    open_options.is_rejoining = true;
    char message[MESSAGE_BYTES] = "";
    int error = diskarch_open(&open_options, &campaign->node, message, sizeof(message));
    if (error != 0) {
        complain("%s", escaped(message));
        return (int)exit_code_of_error(error);
    }
    struct diskarch_node_info info = {.size = sizeof(info)};
    diskarch_node_info(campaign->node, &info);
    if (*info.warning != '\0') {
        complain("warning: %s", escaped(info.warning));
    }
    return campaign_begin(campaign);
}

static int campaign_run(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    struct campaign campaign = {.stage = STAGE_CAMPAIGN};
    command_line_parse(verb, argc, argv, campaign_take, &campaign, &line);
    campaign.role_name = command_line_role(&line);
    campaign.is_json = line.is_json;
    const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    int signal_fd = signals_open(ends, sizeof(ends) / sizeof(ends[0]));
    int code = campaign_open(&campaign, &line);
    if (code == EXIT_CODE_OK) {
        code = campaign_loop(&campaign, signal_fd);
    }
    candidate_record(&campaign.candidate, campaign.node);
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
        "line for each event. After a lost lease it joins again by itself. Told by another node to let go, it does, and\n"
        "ends with 13, or with --forever lets the others go first for one lease.",
    .common = COMMON_DISKS | COMMON_NODE | COMMON_ENGINE | COMMON_JSON,
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = campaign_run,
};
