#include "fakes.h"

#include "block/limits.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

enum { SLOW_REAP_MS = 50 };

struct fake fake = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static const uint8_t block[512];
static uint8_t rows[FAKE_REQUESTS_MAX][512];

void fake_reset(void)
{
    pthread_mutex_lock(&fake.mutex);
    memset((char *)&fake + sizeof fake.mutex, 0, sizeof fake - sizeof fake.mutex);
    pthread_mutex_unlock(&fake.mutex);
}

void fake_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
}

int fake_count(int incarnation, enum event_kind kind)
{
    int count = 0;
    for (int i = 0; i < fake.log_count; i++) {
        count += fake.log[i].incarnation == incarnation && fake.log[i].kind == kind;
    }
    return count;
}

const struct fake_event *fake_last(enum event_kind kind)
{
    for (int i = fake.log_count - 1; i >= 0; i--) {
        if (fake.log[i].kind == kind) {
            return &fake.log[i];
        }
    }
    assert(false && "the event was given");
    return NULL;
}

/* ---- The node ---------------------------------------------------------------------------------------------------- */

struct node {
    struct notice notices[FAKE_ROLES + NODE_CALLS_MAX + 1];
    bool has_call[NODE_CALLS_MAX];
    struct io_action ios[2];
    bool is_lost_due; /* its lease ends with the next tick */
};

size_t node_bytes(const struct node_params *params)
{
    (void)params;
    return sizeof(struct node);
}

void node_copy(const struct node *node, void *to)
{
    (void)node; /* what the flight recorder holds is not looked at here */
    (void)to;
}

struct node *node_init(void *memory, const struct node_params *params)
{
    for (size_t i = 0; i < sizeof(struct node); i++) {
        assert(((const char *)memory)[i] == 0);
    }
    pthread_mutex_lock(&fake.mutex);
    fake.incarnations++;
    fake.params = *params;
    pthread_mutex_unlock(&fake.mutex);
    return memory;
}

static void notify(struct node *node, struct actions *actions, enum notice_kind kind, uint32_t role)
{
    struct notice *notice = &node->notices[actions->notice_count++];
    *notice = (struct notice){.kind = kind, .role = role, .epoch = fake.epochs[role % FAKE_ROLES]};
    actions->notices = node->notices;
}

static void end_call(struct node *node, struct actions *actions, uint32_t call, enum call_outcome outcome)
{
    fake.results[call] = (struct call_result){.outcome = outcome, .version = 100 + call};
    node->has_call[call] = false;
    notify(node, actions, NOTICE_CALL_ENDED, 0);
    node->notices[actions->notice_count - 1].call = call;
}

static void go_over(struct node *node, struct actions *actions)
{
    for (uint32_t call = 0; call < NODE_CALLS_MAX; call++) {
        if (node->has_call[call]) {
            end_call(node, actions, call, call % 2 == 0 ? CALL_CANCELLED : CALL_UNKNOWN);
        }
    }
    for (uint32_t role = 0; role < FAKE_ROLES; role++) {
        if (fake.epochs[role] != 0) {
            notify(node, actions, NOTICE_LOST, role);
            node->notices[actions->notice_count - 1].reason = OVER_LEASE;
            fake.epochs[role] = 0;
        }
    }
    fake.lease_end_ns = 0;
    notify(node, actions, NOTICE_OVER, 0);
    node->notices[actions->notice_count - 1].reason = OVER_LEASE;
}

static void lead(struct node *node, const struct event *event, struct actions *actions, int64_t lease_ns)
{
    uint32_t role = event->as.command.role;
    fake.epochs[role] = (uint64_t)fake.incarnations * 100 + role;
    fake.lease_end_ns = event->fast_ns + lease_ns;
    notify(node, actions, NOTICE_LEADER, role);
}

static void want_io(struct node *node, struct actions *actions)
{
    node->ios[0] = (struct io_action){.operation = IO_READ, .disk = 0, .row = 1, .tag = 7};
    node->ios[1] = (struct io_action){.operation = IO_EXCHANGE, .disk = 0, .row = 1, .tag = 8, .block = block};
    actions->ios = node->ios;
    actions->io_count = 2;
}

/* What a campaign of this name makes the node do. */
static void play(struct node *node, const struct event *event, struct actions *actions)
{
    const char *name = event->as.command.name;
    if (strcmp(name, "lead") == 0) {
        lead(node, event, actions, 1000 * NS_PER_S);
    } else if (strcmp(name, "lead too late") == 0) {
        lead(node, event, actions, 0);
        node->is_lost_due = true;
    } else if (strcmp(name, "lead for a moment") == 0) {
        lead(node, event, actions, 1000 * NS_PER_S);
        node->is_lost_due = true;
        actions->wake_fast_ns = event->fast_ns + NS_PER_MS;
    } else if (strcmp(name, "over") == 0 && fake.incarnations == 1) {
        go_over(node, actions);
    } else if (strcmp(name, "io") == 0 && fake.incarnations == 1) {
        want_io(node, actions);
    } else if (strcmp(name, "refuse") == 0) {
        notify(node, actions, NOTICE_REFUSED, event->as.command.role);
    }
}

/* What a call on this name makes the node do; any other waits for ever. */
static void play_call(struct node *node, const struct event *event, struct actions *actions)
{
    const struct call_command *call = &event->as.call;
    node->has_call[call->call] = true;
    if (strcmp(call->name, "done") == 0) {
        end_call(node, actions, call->call, CALL_DONE);
    } else if (strcmp(call->name, "over") == 0 && fake.incarnations == 1) {
        go_over(node, actions);
    } else if (strcmp(call->name, "asked") == 0) {
        notify(node, actions, NOTICE_ASKED, call->call);
        node->notices[actions->notice_count - 1].ask = ASK_RESIGN;
    } else if (strcmp(call->name, "disk") == 0) {
        fake.disk = (struct disk_report){.state = DISK_OUT, .cause = DISK_CAUSE_BACKWARDS, .latency_ns = 5};
        notify(node, actions, NOTICE_DISK, 0);
    }
}

static void write_down_role(struct fake_event *entry, const struct role_command *command, enum event_kind kind)
{
    entry->role = command->role;
    entry->priority = command->priority;
    const char *successor = kind == EVENT_TRANSFER ? command->successor_name : NULL;
    if (successor != NULL) {
        memcpy(entry->text, successor, strlen(successor) + 1);
    } else if (command->payload_bytes > 0) {
        memcpy(entry->text, command->payload, command->payload_bytes);
    }
}

static void write_down(const struct event *event)
{
    if (fake.log_count == FAKE_LOG_MAX) {
        return; /* a test of many lives counts lives, not events */
    }
    struct fake_event *entry = &fake.log[fake.log_count++];
    *entry = (struct fake_event){.incarnation = fake.incarnations, .kind = event->kind};
    if (event->kind == EVENT_IO) {
        entry->tag = event->as.io.tag;
        entry->is_write_ok = event->as.io.is_write_ok;
        entry->is_read_ok = event->as.io.is_read_ok;
        entry->first_byte = event->as.io.bytes != NULL ? (char)event->as.io.bytes[0] : 0;
    } else if (event->kind == EVENT_CALL || event->kind == EVENT_CANCEL) {
        entry->call = event->as.call.call;
    } else if (event->kind != EVENT_TICK && event->kind != EVENT_LEAVE) {
        write_down_role(entry, &event->as.command, event->kind);
    }
}

void node_step(struct node *node, const struct event *event, struct actions *ret_actions)
{
    struct actions actions = {.wake_fast_ns = INT64_MAX, .wake_slow_ns = INT64_MAX};
    pthread_mutex_lock(&fake.mutex);
    write_down(event);
    if (event->kind == EVENT_CAMPAIGN) {
        play(node, event, &actions);
    } else if (event->kind == EVENT_RESIGN) {
        fake.epochs[event->as.command.role] = 0;
        notify(node, &actions, NOTICE_RELEASED, event->as.command.role);
    } else if (event->kind == EVENT_TRANSFER || event->kind == EVENT_PUBLISH) {
        notify(node, &actions, event->kind == EVENT_TRANSFER ? NOTICE_TRANSFER : NOTICE_PUBLISHED,
               event->as.command.role);
    } else if (event->kind == EVENT_CALL) {
        play_call(node, event, &actions);
    } else if (event->kind == EVENT_CANCEL) {
        end_call(node, &actions, event->as.call.call, CALL_CANCELLED);
    } else if (event->kind == EVENT_LEAVE) {
        notify(node, &actions, NOTICE_OVER, 0);
        node->notices[0].reason = OVER_LEFT;
    } else if (event->kind == EVENT_TICK && node->is_lost_due) {
        go_over(node, &actions);
    }
    pthread_mutex_unlock(&fake.mutex);
    *ret_actions = actions;
}

struct node_id node_identity(const struct node *node)
{
    (void)node;
    return (struct node_id){.slot = 1, .incarnation = 4711};
}

int64_t node_lease_end_ns(const struct node *node)
{
    (void)node;
    pthread_mutex_lock(&fake.mutex);
    int64_t end_ns = fake.lease_end_ns;
    pthread_mutex_unlock(&fake.mutex);
    return end_ns;
}

uint64_t node_role_epoch(const struct node *node, uint32_t role)
{
    (void)node;
    pthread_mutex_lock(&fake.mutex);
    uint64_t epoch = fake.epochs[role];
    pthread_mutex_unlock(&fake.mutex);
    return epoch;
}

const struct call_result *node_call_result(const struct node *node, uint32_t call)
{
    (void)node;
    return &fake.results[call];
}

struct disk_report node_disk(const struct node *node, uint32_t disk)
{
    (void)node;
    (void)disk;
    pthread_mutex_lock(&fake.mutex);
    struct disk_report report = fake.disk;
    pthread_mutex_unlock(&fake.mutex);
    return report;
}

/* ---- The disks --------------------------------------------------------------------------------------------------- */

int disk_set_open(const struct disk_set_options *options, struct disk_set *ret)
{
    (void)options;
    memset(ret, 0, sizeof *ret);
    ret->header = (struct set_header){
        .disk_count = 1,
        .layout = {.block_bytes = 512, .slots = 4, .registers = 8},
        .timings = {.lease_ns = NS_PER_S, .renew_ns = NS_PER_S / 10, .io_deadline_ns = NS_PER_S / 10},
    };
    ret->members[0].is_present = true;
    return 0;
}

struct disk_absence disk_set_absence(const struct disk_set *set, uint32_t index)
{
    (void)set;
    (void)index;
    return (struct disk_absence){.path = "", .reason = ""};
}

void disk_set_close(struct disk_set *set)
{
    (void)set;
}

int disk_engine_open(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret)
{
    (void)set;
    pthread_mutex_lock(&fake.mutex);
    fake.wake_fd = options->wake_fd;
    pthread_mutex_unlock(&fake.mutex);
    *ret = (struct disk_engine *)(void *)&fake;
    return 0;
}

void disk_engine_close(struct disk_engine *engine)
{
    (void)engine;
    pthread_mutex_lock(&fake.mutex);
    fake.closed_count++;
    pthread_mutex_unlock(&fake.mutex);
}

const char *disk_engine_name(const struct disk_engine *engine)
{
    (void)engine;
    return "fake";
}

enum disk_engine_kind disk_engine_kind(const struct disk_engine *engine)
{
    (void)engine;
    return DISK_ENGINE_IO_URING;
}

const char *disk_engine_warning(const struct disk_engine *engine)
{
    (void)engine;
    return "";
}

int disk_engine_queue(struct disk_engine *engine, const struct disk_request *request)
{
    (void)engine;
    pthread_mutex_lock(&fake.mutex);
    int error = fake.queue_error;
    if (error == 0) {
        assert(fake.request_count < FAKE_REQUESTS_MAX);
        fake.requests[fake.request_count++] = *request;
    }
    pthread_mutex_unlock(&fake.mutex);
    return error;
}

int disk_engine_submit(struct disk_engine *engine)
{
    (void)engine;
    pthread_mutex_lock(&fake.mutex);
    int error = fake.submit_error;
    pthread_mutex_unlock(&fake.mutex);
    return error;
}

int disk_engine_wait(struct disk_engine *engine, int64_t timeout_ns)
{
    (void)engine;
    pthread_mutex_lock(&fake.mutex);
    int error = fake.submit_error;
    struct pollfd wake = {.fd = fake.wake_fd, .events = POLLIN};
    bool is_ready = error != 0 || fake.completion_count > 0;
    pthread_mutex_unlock(&fake.mutex);
    if (!is_ready) {
        struct timespec timeout = {.tv_sec = timeout_ns / NS_PER_S, .tv_nsec = timeout_ns % NS_PER_S};
        ppoll(&wake, 1, timeout_ns < 0 ? NULL : &timeout, NULL);
    }
    return error;
}

void fake_complete(int request, char first_byte)
{
    pthread_mutex_lock(&fake.mutex);
    assert(request < fake.request_count);
    rows[request][0] = (uint8_t)first_byte;
    fake.completions[fake.completion_count++] = (struct disk_completion){
        .tag = fake.requests[request].tag, .bytes = rows[request], .request = (uint32_t)request};
    eventfd_write(fake.wake_fd, 1);
    pthread_mutex_unlock(&fake.mutex);
}

bool disk_engine_reap(struct disk_engine *engine, struct disk_completion *ret)
{
    (void)engine;
    pthread_mutex_lock(&fake.mutex);
    bool is_slow = fake.is_reaping_slow;
    fake.slow_count += is_slow;
    pthread_mutex_unlock(&fake.mutex);
    if (is_slow) {
        nanosleep(&(struct timespec){.tv_nsec = SLOW_REAP_MS * NS_PER_MS}, NULL);
    }
    pthread_mutex_lock(&fake.mutex);
    bool has_one = fake.completion_count > 0;
    if (has_one) {
        *ret = fake.completions[--fake.completion_count];
    }
    pthread_mutex_unlock(&fake.mutex);
    return has_one;
}

void disk_engine_release(struct disk_engine *engine, uint32_t request)
{
    (void)engine;
    (void)request;
    pthread_mutex_lock(&fake.mutex);
    fake.released_count++;
    pthread_mutex_unlock(&fake.mutex);
}
