/* The handle of a node: how it opens and closes, and how events reach the application. */
#include "client/node.h"

#include "block/name.h"
#include "client/options.h"
#include "disk/message.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

static const char *fault_text(enum name_fault fault)
{
    switch (fault) {
    case NAME_EMPTY:
        return "it is empty";
    case NAME_TOO_LONG:
        return "it is longer than 63 bytes";
    case NAME_NOT_UTF8:
        return "it is not UTF-8";
    case NAME_NOT_PRINTABLE:
        return "it has characters that cannot be printed";
    case NAME_OK:
        break;
    }
    return "";
}

/* The name given, or else the host's. */
static int choose_name(const char *given, char name[NAME_FIELD_BYTES], char *message, size_t message_bytes)
{
    char host[256] = "";
    if (given == NULL) {
        gethostname(host, sizeof host - 1);
        given = host;
    }
    enum name_fault fault = name_check(given);
    if (fault != NAME_OK) {
        return message_set(DISKARCH_EUSAGE, message, message_bytes, "node name \"%s\": %s; give another one", given,
                           fault_text(fault));
    }
    name_field_store((uint8_t *)name, given);
    return 0;
}

static void node_free(struct diskarch *node)
{
    free(node->by_number);
    free(node->buckets);
    free(node->free_numbers);
    pthread_mutex_destroy(&node->mutex);
    free(node);
}

static int make_tables(struct diskarch *node)
{
    uint32_t count = node->numbers_max = runtime_roles_max(node->runtime);
    node->by_number = calloc(count, sizeof *node->by_number);
    node->buckets = calloc(count, sizeof *node->buckets);
    node->free_numbers = calloc(count, sizeof *node->free_numbers);
    if (node->by_number == NULL || node->buckets == NULL || node->free_numbers == NULL) {
        return -ENOMEM;
    }
    while (node->free_count < count) {
        node->free_numbers[node->free_count] = count - 1 - node->free_count;
        node->free_count++;
    }
    return 0;
}

static int node_start(struct diskarch *node, const struct diskarch_options *options, char *message,
                      size_t message_bytes)
{
    struct runtime_options own = {
        .disks = options->disks,
        .disk_count = options->disk_count,
        .node_name = node->node_name,
        .poll_ns = options->poll_ns,
        .is_rejoining = options->is_rejoining,
        .wants_renewals = options->wants_renewals,
    };
    int error = options_engine(options->engine, &own.engine, message, message_bytes);
    if (error != 0) {
        return error;
    }
    error = runtime_open(&own, &node->runtime, message, message_bytes);
    if (error != 0) {
        return error;
    }
    error = make_tables(node);
    if (error != 0) {
        runtime_close(node->runtime);
        return message_set(error, message, message_bytes, "node: no memory; free some");
    }
    memcpy(node->set_name, runtime_header(node->runtime)->set_name, sizeof node->set_name);
    node->is_rejoining = options->is_rejoining;
    node->wants_renewals = options->wants_renewals;
    return 0;
}

int diskarch_open(const struct diskarch_options *options, struct diskarch **ret, char *message, size_t message_bytes)
{
    struct diskarch_options own;
    int error = options_copy(options, &own, message, message_bytes);
    if (error != 0) {
        return error;
    }
    if (own.poll_ns < 0) {
        return message_set(DISKARCH_EUSAGE, message, message_bytes,
                           "poll interval: it is negative; give 0 for the default");
    }
    struct diskarch *node = calloc(1, sizeof *node);
    if (node == NULL) {
        return message_set(-ENOMEM, message, message_bytes, "node: no memory; free some");
    }
    pthread_mutex_init(&node->mutex, NULL);
    error = choose_name(own.node_name, node->node_name, message, message_bytes);
    if (error == 0) {
        error = node_start(node, &own, message, message_bytes);
    }
    if (error != 0) {
        node_free(node);
        return error;
    }
    *ret = node;
    return 0;
}

/* ---- Closing ----------------------------------------------------------------------------------------------------- */

void diskarch_close(struct diskarch *node)
{
    if (node == NULL || runtime_is_forked(node->runtime)) {
        return;
    }
    for (struct diskarch_role *role = node->roles; role != NULL; role = role->next) {
        atomic_store_explicit(&role->is_stopped, true, memory_order_release);
    }
    runtime_close(node->runtime);
    while (node->roles != NULL) {
        campaign_free_candidate(node->roles);
    }
    for (uint32_t number = 0; number < node->numbers_max; number++) {
        free(node->by_number[number]);
    }
    node_free(node);
}

/* ---- Events ------------------------------------------------------------------------------------------------------ */

static void take_node_notice(struct diskarch *node, const struct runtime_notice *notice)
{
    switch (notice->what.kind) {
    case NOTICE_JOINED:
        node->identity = notice->node;
        break;
    case NOTICE_OVER:
        node->identity = (struct node_id){0};
        node->is_over = notice->is_final;
        node->renewals_told = runtime_renewals(node->runtime);
        break;
    case NOTICE_AT_RISK:
    case NOTICE_SAFE:
        campaign_tell_leaders(node, notice);
        return;
    case NOTICE_DISK:
        notice_list_put(&node->events, &node->disk_boxes[notice->what.disk], notice);
        return;
    default:
        break;
    }
    notice_list_put(&node->events, &node->node_box, notice);
}

void node_take_notices(struct diskarch *node)
{
    struct runtime_notice notice;
    while (runtime_take_notice(node->runtime, &notice)) {
        switch (notice.what.kind) {
        case NOTICE_CANDIDATE:
        case NOTICE_LEADER:
        case NOTICE_LOST:
        case NOTICE_RELEASED:
        case NOTICE_REFUSED:
        case NOTICE_ASKED:
        case NOTICE_TRANSFER:
        case NOTICE_TRANSFER_REFUSED:
        case NOTICE_PUBLISHED:
            campaign_take_notice(node, &notice);
            break;
        case NOTICE_CALL_ENDED:
            call_take_notice(node, &notice);
            break;
        default:
            take_node_notice(node, &notice);
            break;
        }
    }
}

static bool is_of_disk(const struct diskarch *node, const struct notice_box *box)
{
    for (uint32_t i = 0; i < DISKS_MAX; i++) {
        if (box == &node->disk_boxes[i]) {
            return true;
        }
    }
    return false;
}

static struct diskarch_role *role_of_box(struct diskarch *node, struct notice_box *box)
{
    if (box == &node->node_box || is_of_disk(node, box)) {
        return NULL;
    }
    return (struct diskarch_role *)(void *)((char *)box - offsetof(struct diskarch_role, box));
}

static bool has_renewals(const struct diskarch *node)
{
    return node->wants_renewals && runtime_renewals(node->runtime) != node->renewals_told;
}

/* All renewals since the last look are one event: only that the lease is newer matters. */
static bool take_renewals(struct diskarch *node, struct diskarch_event *ret)
{
    if (!has_renewals(node)) {
        return false;
    }
    node->renewals_told = runtime_renewals(node->runtime);
    *ret = (struct diskarch_event){.kind = DISKARCH_RENEWED};
    return true;
}

/* The descriptor is cleared before the queue is looked at, and made readable again while something is left. */
static bool take_event(struct diskarch *node, struct diskarch_event *ret)
{
    bell_clear(runtime_bell(node->runtime));
    node_take_notices(node);
    struct notice_box *box;
    const struct runtime_notice *notice = notice_list_first(&node->events, &box);
    if (notice == NULL) {
        return take_renewals(node, ret);
    }
    event_describe(node, role_of_box(node, box), notice, ret);
    notice_list_drop_first(&node->events);
    if (notice_list_first(&node->events, &box) != NULL || has_renewals(node)) {
        bell_keep_readable(runtime_bell(node->runtime));
    }
    return true;
}

int diskarch_dispatch(struct diskarch *node, struct diskarch_event *ret)
{
    if (runtime_is_forked(node->runtime)) {
        return 0;
    }
    struct diskarch_event event;
    pthread_mutex_lock(&node->mutex);
    bool has_event = take_event(node, &event);
    pthread_mutex_unlock(&node->mutex);
    if (has_event) {
        options_return(ret, &event, sizeof event);
    }
    return has_event;
}

int diskarch_record(struct diskarch *node, const char *path)
{
    if (path == NULL) {
        return DISKARCH_EUSAGE;
    }
    if (runtime_is_forked(node->runtime)) {
        return DISKARCH_ECLOSED;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return -errno;
    }
    int error = runtime_record(node->runtime, fd);
    if (close(fd) != 0 && error == 0) {
        error = -errno;
    }
    if (error != 0) {
        unlink(path); /* half a recording is none */
    }
    return error;
}

int diskarch_fd(const struct diskarch *node)
{
    return runtime_bell(node->runtime)->fd;
}

void diskarch_node_info(struct diskarch *node, struct diskarch_node_info *ret)
{
    const struct runtime_info *runtime = runtime_info(node->runtime);
    const struct timings *timings = &runtime_header(node->runtime)->timings;
    struct diskarch_node_info info = {
        .set_name = node->set_name,
        .node_name = node->node_name,
        .engine = runtime->engine,
        .is_realtime = runtime->is_realtime,
        .is_locked = runtime->is_locked,
        .is_other_engine = runtime->is_other_engine,
        .lease_ns = timings->lease_ns,
        .renew_ns = timings->renew_ns,
        .watch_ns = timings_watch_ns(timings),
    };
    _Static_assert(sizeof info.warning == sizeof runtime->warning, "the warning is copied whole");
    memcpy(info.warning, runtime->warning, sizeof info.warning);
    if (!runtime_is_forked(node->runtime)) {
        pthread_mutex_lock(&node->mutex);
        node_take_notices(node);
        info.is_joined = !node_id_is_none(node->identity);
        info.slot = node->identity.slot;
        info.incarnation = node->identity.incarnation;
        pthread_mutex_unlock(&node->mutex);
    }
    options_return(ret, &info, sizeof info);
}
