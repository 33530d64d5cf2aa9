/* The owner's side of a runtime: how it begins and ends, and what passes through the queues. */
#include "block/name.h"
#include "runtime/state.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    ARENA_BYTES = 8 << 20, /* what the engine's buffers may take, about */
    STACK_BYTES = 512 << 10,
    ENGINE_DEPTH_MAX = 64,
    NODE_DEPTH_MIN = 4,
    NOTICE_QUEUE_ROOM = 256,
    ROLES_BEYOND_REGISTERS = 16, /* campaigns that are ending, or will be refused because every register has a name */
    /* Twice what one incarnation can have in flight: the hung requests of one do not starve the next. */
    ENGINE_DEPTH_MIN = 2 * (NODE_DEPTH_MIN + NODE_RESERVED),
};
_Static_assert(ENGINE_DEPTH_MIN <= ENGINE_DEPTH_MAX, "the smallest node must fit into an engine");
_Static_assert(ENGINE_DEPTH_MAX / 2 - NODE_RESERVED <= (int)NODE_DEPTH_MAX, "the largest engine must fit a node");
_Static_assert((int)DISKS_MAX *ENGINE_DEPTH_MAX <= (int)REQUESTS_REFUSED_MAX, "every request of a node may be refused");

static uint32_t engine_depth_of(const struct set_header *header)
{
    uint64_t request_bytes = (uint64_t)layout_row_bytes(&header->layout) + header->layout.block_bytes;
    uint64_t depth = ARENA_BYTES / (request_bytes * header->disk_count);
    if (depth < ENGINE_DEPTH_MIN) {
        return ENGINE_DEPTH_MIN;
    }
    return depth < ENGINE_DEPTH_MAX ? (uint32_t)depth : ENGINE_DEPTH_MAX;
}

static uint32_t roles_max_of(const struct set_header *header)
{
    uint32_t wanted = header->layout.registers + ROLES_BEYOND_REGISTERS;
    return wanted < NODE_ROLES_MAX ? wanted : NODE_ROLES_MAX;
}

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

static void plan(struct runtime *runtime, const struct runtime_options *options)
{
    runtime->turn.is_rejoining = options->is_rejoining;
    runtime->turn.wants_renewals = options->wants_renewals;
    runtime->engine_kind = options->engine;
    runtime->engine_depth = engine_depth_of(&runtime->set.header);
    struct node_params *params = &runtime->turn.params;
    params->header = runtime->set.header;
    params->depth = runtime->engine_depth / 2 - NODE_RESERVED;
    params->roles_max = roles_max_of(&runtime->set.header);
    params->poll_ns = options->poll_ns;
    name_field_store((uint8_t *)params->name, options->node_name);
}

static int map_area(void *context, size_t bytes, void **ret)
{
    struct runtime *runtime = context;
    return area_map(&runtime->areas, bytes, ret);
}

static int map_memory(struct runtime *runtime)
{
    struct turn *turn = &runtime->turn;
    int error = turn_map(turn, NOTICE_QUEUE_ROOM, map_area, runtime);
    if (error == 0) {
        error = recorder_map(&runtime->recorder_areas, &turn->params, &runtime->recorder);
    }
    return error != 0 ? error : lease_page_map(turn->params.roles_max, &turn->page);
}

static int open_bells(struct runtime *runtime)
{
    int error = bell_open(&runtime->command_bell);
    return error != 0 ? error : bell_open(&runtime->notice_bell);
}

/* Every signal is for the application's threads: a handler of theirs must not run on a stack and at a time of ours. */
static int start_thread(struct runtime *runtime)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return -error;
    }
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&runtime->thread, &attributes, thread_main, runtime);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        return -error;
    }
    while (sem_wait(&runtime->started) != 0) {
        assert(errno == EINTR);
    }
    if (runtime->start_error != 0) {
        pthread_join(runtime->thread, NULL);
    }
    return runtime->start_error;
}

static void free_runtime(struct runtime *runtime)
{
    lease_page_unmap(runtime->turn.page, runtime->turn.params.roles_max);
    bell_close(&runtime->command_bell);
    bell_close(&runtime->notice_bell);
    sem_destroy(&runtime->started);
    disk_set_close(&runtime->set);
    /* The list lives in one of its own areas. */
    struct area_list areas = runtime->areas;
    area_unmap_all(&runtime->recorder_areas);
    area_unmap_all(&areas);
}

static int make_runtime(struct runtime **ret)
{
    struct area_list areas = {0};
    void *memory;
    int error = area_map(&areas, sizeof(struct runtime), &memory);
    if (error != 0) {
        return error;
    }
    struct runtime *runtime = memory;
    runtime->areas = areas;
    runtime->command_bell.fd = -1;
    runtime->notice_bell.fd = -1;
    sem_init(&runtime->started, 0, 0);
    *ret = runtime;
    return 0;
}

/* What a failed step says: the set's own message where it has one. */
static void explain(const struct runtime *runtime, int error, char *message, size_t message_bytes)
{
    if (runtime != NULL && runtime->set.message[0] != '\0') {
        snprintf(message, message_bytes, "%s", runtime->set.message);
    } else {
        const char *reason = error > -4096 ? strerrordesc_np(-error) : NULL;
        snprintf(message, message_bytes, "node: cannot start: %s; free memory or raise the limits of this process",
                 reason != NULL ? reason : "unknown error");
    }
}

static int open_everything(struct runtime *runtime, const struct runtime_options *options)
{
    struct disk_set_options set_options = {
        .paths = options->disks, .path_count = options->disk_count, .is_writable = true, .engine = options->engine};
    int error = disk_set_open(&set_options, &runtime->set);
    if (error != 0) {
        return error;
    }
    plan(runtime, options);
    error = map_memory(runtime);
    if (error != 0) {
        return error;
    }
    error = open_bells(runtime);
    return error != 0 ? error : start_thread(runtime);
}

int runtime_open(const struct runtime_options *options, struct runtime **ret, char *message, size_t message_bytes)
{
    assert(name_check(options->node_name) == NAME_OK);
    struct runtime *runtime = NULL;
    int error = make_runtime(&runtime);
    if (error == 0) {
        error = open_everything(runtime, options);
    }
    if (error == 0) {
        *ret = runtime;
        return 0;
    }
    if (message != NULL) {
        explain(runtime, error, message, message_bytes);
    }
    if (runtime != NULL) {
        free_runtime(runtime);
    }
    return error;
}

/* ---- Closing ----------------------------------------------------------------------------------------------------- */

/*
 * The node bounds its leaving itself; the bound here is beyond that one, for a thread that the kernel does not let go.
 */
static void wait_until_over(struct runtime *runtime)
{
    const struct timings *timings = &runtime->set.header.timings;
    int64_t end_ns = clock_monotonic_ns() + timings->lease_ns + 4 * timings->io_deadline_ns + NS_PER_S;
    for (;;) {
        uint32_t seen = bell_rings(&runtime->notice_bell);
        int64_t left_ns = end_ns - clock_monotonic_ns();
        if (atomic_load(&runtime->turn.is_over) || left_ns <= 0) {
            return;
        }
        bell_wait(&runtime->notice_bell, seen, left_ns);
    }
}

static bool join_thread(struct runtime *runtime)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += (time_t)(runtime->set.header.timings.lease_ns / NS_PER_S) + 2;
    return pthread_timedjoin_np(runtime->thread, NULL, &end) == 0;
}

void runtime_close(struct runtime *runtime)
{
    if (runtime == NULL || runtime_is_forked(runtime)) {
        return;
    }
    owner_leave(&runtime->turn);
    bell_ring(&runtime->command_bell);
    wait_until_over(runtime);
    atomic_store(&runtime->must_stop, true);
    bell_ring(&runtime->command_bell);
    if (join_thread(runtime)) {
        free_runtime(runtime);
    } else {
        pthread_detach(runtime->thread);
    }
}

/* ---- In between -------------------------------------------------------------------------------------------------- */

void runtime_campaign(struct runtime *runtime, const struct role_command *command)
{
    owner_campaign(&runtime->turn, command);
    bell_ring(&runtime->command_bell);
}

void runtime_resign(struct runtime *runtime, uint32_t role)
{
    owner_resign(&runtime->turn, role);
    bell_ring(&runtime->command_bell);
}

void runtime_transfer(struct runtime *runtime, uint32_t role, const char *successor_name)
{
    owner_transfer(&runtime->turn, role, successor_name);
    bell_ring(&runtime->command_bell);
}

void runtime_publish(struct runtime *runtime, uint32_t role, const void *payload, uint32_t payload_bytes)
{
    if (owner_publish(&runtime->turn, role, payload, payload_bytes)) {
        bell_ring(&runtime->command_bell);
    }
}

void runtime_call(struct runtime *runtime, const struct call_command *command)
{
    owner_call(&runtime->turn, command);
    bell_ring(&runtime->command_bell);
}

void runtime_cancel(struct runtime *runtime, uint32_t call)
{
    owner_cancel(&runtime->turn, call);
    bell_ring(&runtime->command_bell);
}

const struct call_result *runtime_call_result(const struct runtime *runtime, uint32_t call)
{
    return owner_call_result(&runtime->turn, call);
}

bool runtime_take_notice(struct runtime *runtime, struct runtime_notice *ret)
{
    return owner_take_notice(&runtime->turn, ret);
}

struct bell *runtime_bell(struct runtime *runtime)
{
    return &runtime->notice_bell;
}

int64_t runtime_remaining_ns(const struct runtime *runtime, uint32_t role, uint64_t *ret_epoch)
{
    assert(role < runtime->turn.params.roles_max);
    return lease_page_remaining_ns(runtime->turn.page, role, ret_epoch);
}

bool runtime_is_forked(const struct runtime *runtime)
{
    return lease_page_is_wiped(runtime->turn.page);
}

const struct set_header *runtime_header(const struct runtime *runtime)
{
    return &runtime->set.header;
}

const struct runtime_info *runtime_info(const struct runtime *runtime)
{
    return &runtime->info;
}

const char *runtime_disk_path(const struct runtime *runtime, uint32_t disk)
{
    assert(disk < runtime->set.header.disk_count);
    const struct disk_member *member = &runtime->set.members[disk];
    return member->is_present ? member->path : disk_set_absence(&runtime->set, disk).path;
}

const char *runtime_disk_absence(const struct runtime *runtime, uint32_t disk)
{
    assert(disk < runtime->set.header.disk_count);
    return runtime->set.members[disk].is_present ? "" : disk_set_absence(&runtime->set, disk).reason;
}

struct disk_report runtime_disk(const struct runtime *runtime, uint32_t disk)
{
    assert(disk < runtime->set.header.disk_count);
    const struct disk_cell *cell = &runtime->turn.disk_cells[disk];
    uint32_t state = atomic_load_explicit(&cell->state, memory_order_relaxed);
    struct disk_report report = {
        .state = (enum disk_state)(state >> DISK_STATE_SHIFT),
        .cause = (enum disk_cause)(state & ((1U << DISK_STATE_SHIFT) - 1)),
        .latency_ns = atomic_load_explicit(&cell->latency_ns, memory_order_relaxed),
    };
    /* The node thinks well of every disk until it has asked it; this one it cannot even ask. */
    if (report.state == DISK_GOOD && !runtime->set.members[disk].is_present) {
        report.state = DISK_FAILED;
    }
    return report;
}

uint64_t runtime_renewals(const struct runtime *runtime)
{
    return atomic_load_explicit(&runtime->turn.renewals, memory_order_acquire);
}

uint32_t runtime_roles_max(const struct runtime *runtime)
{
    return runtime->turn.params.roles_max;
}

int runtime_record(struct runtime *runtime, int fd)
{
    return recorder_save(runtime->recorder, fd);
}
