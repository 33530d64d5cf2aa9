/* The disk port over simulated disks. */
#include "engine.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum request_state { REQUEST_FREE, REQUEST_QUEUED, REQUEST_SENT };

struct simulated_request {
    enum request_state state;
    uint64_t tag;
    uint32_t sim_request; /* once reaped: where its row lies */
    uint64_t generation;  /* of that: it is no longer ours if its process was killed meanwhile */
    struct io_action action;
    uint8_t block[SIM_BLOCK_BYTES];
};

struct simulated {
    struct disk_engine base; /* first: the port's pointer is ours */
    struct sim *sim;
    uint32_t host;
    uint64_t life; /* of the process: one that was killed while it was stopped in its turn sends nothing any more */
    uint32_t depth;
    uint32_t absent_disk;
    int wake_fd;
    uint32_t queued[SIM_DISKS_MAX * DISK_DEPTH_MAX]; /* in the order in which they came */
    uint32_t queued_count;
    struct simulated_request requests[]; /* depth of disk 0, of disk 1, ... */
};

/* ---- Sending ---------------------------------------------------------------------------------------------------------- */

static enum io_operation operation_of(enum disk_operation operation)
{
    switch (operation) {
    case DISK_READ:
        return IO_READ;
    case DISK_WRITE:
        return IO_WRITE;
    case DISK_EXCHANGE:
        return IO_EXCHANGE;
    case DISK_HEADER:
        return IO_HEADER;
    case DISK_RANGE:
        break;
    }
    assert(false); /* a simulated disk has rows and a header */
    return IO_READ;
}

static int simulated_queue(struct disk_engine *engine, const struct disk_request *request)
{
    struct simulated *own = (struct simulated *)engine;
    assert(request->disk < own->sim->disk_count);
    if (request->disk == own->absent_disk) {
        return -ENODEV;
    }
    for (uint32_t i = request->disk * own->depth; i < (request->disk + 1) * own->depth; i++) {
        struct simulated_request *place = &own->requests[i];
        if (place->state != REQUEST_FREE) {
            continue;
        }
        place->state = REQUEST_QUEUED;
        place->tag = request->tag;
        place->action = (struct io_action){.operation = operation_of(request->operation),
                                           .disk = request->disk,
                                           .row = request->row,
                                           .slot = request->slot,
                                           .tag = i,
                                           .block = place->block};
        if (request->block != NULL) {
            memcpy(place->block, request->block, SIM_BLOCK_BYTES);
        }
        own->queued[own->queued_count++] = i;
        engine->in_flight++;
        return 0;
    }
    return -EBUSY;
}

/* The caller may be stopped before anything of it is sent, and before it comes back. */
static int simulated_submit(struct disk_engine *engine)
{
    struct simulated *own = (struct simulated *)engine;
    if (own->queued_count == 0) {
        return 0;
    }
    sim_process_stumble(own->sim, own->host);
    bool is_gone = own->sim->processes[own->host].life != own->life;
    for (uint32_t i = 0; i < own->queued_count; i++) {
        struct simulated_request *request = &own->requests[own->queued[i]];
        request->state = REQUEST_SENT;
        if (!is_gone) {
            sim_disk_submit(own->sim, own->host, &request->action);
        }
    }
    own->queued_count = 0;
    engine->submissions++;
    sim_process_stumble(own->sim, own->host);
    return 0;
}

/* ---- Waiting ---------------------------------------------------------------------------------------------------------- */

static void pass_event(struct sim *sim)
{
    struct sim_event event;
    bool is_event = sim_next(sim, &event);
    assert(is_event);
    sim->now_ns = event.at_ns;
    switch (event.kind) {
    case SIM_LAND:
        sim_disk_land(sim, &event);
        break;
    case SIM_CAPTURE:
        sim_disk_capture(sim, &event);
        break;
    case SIM_COMPLETE:
        sim_disk_complete(sim, &event);
        break;
    default: /* there are no processes here that could do anything */
        break;
    }
}

/* In true time: somebody else rings. */
static bool is_awake(const struct simulated *own, bool is_sleeping)
{
    struct pollfd wake = {.fd = own->wake_fd, .events = POLLIN};
    return poll(&wake, 1, is_sleeping ? -1 : 0) > 0;
}

static int simulated_wait(struct disk_engine *engine, int64_t timeout_ns)
{
    struct simulated *own = (struct simulated *)engine;
    struct sim *sim = own->sim;
    int64_t deadline_ns = timeout_ns < 0 ? INT64_MAX : sim->now_ns + timeout_ns;
    while (sim->processes[own->host].inbox_count == 0 && !is_awake(own, false)) {
        if (sim->event_count > 0 && sim->events[0].at_ns <= deadline_ns) {
            pass_event(sim);
        } else if (timeout_ns < 0) {
            is_awake(own, true);
        } else {
            sim->now_ns = deadline_ns;
            return 0;
        }
    }
    return 0;
}

/* ---- Completions ------------------------------------------------------------------------------------------------------ */

static bool is_writing(const struct io_action *action)
{
    return action->operation == IO_WRITE || action->operation == IO_EXCHANGE;
}

static struct disk_completion complete(const struct simulated *own, const struct sim_request *request)
{
    const struct io_action *action = &request->action;
    bool is_read = action->operation != IO_WRITE;
    struct disk_completion done = {.tag = own->requests[action->tag].tag, .disk = action->disk, .request = action->tag};
    if (is_writing(action) && !request->is_write_ok) {
        done.write_error = -EIO;
        done.read_error = is_read ? -ECANCELED : 0;
    } else if (is_read && !request->is_read_ok) {
        done.read_error = -EIO;
    } else if (is_read) {
        done.bytes = request->row;
    }
    return done;
}

static bool simulated_reap(struct disk_engine *engine, struct disk_completion *ret)
{
    struct simulated *own = (struct simulated *)engine;
    struct sim_process *process = &own->sim->processes[own->host];
    if (process->inbox_count == 0) {
        return false;
    }
    uint32_t first = process->inbox[0];
    process->inbox_count--;
    memmove(process->inbox, process->inbox + 1, process->inbox_count * sizeof process->inbox[0]);
    *ret = complete(own, &own->sim->requests[first]);
    own->requests[ret->request].sim_request = first;
    own->requests[ret->request].generation = own->sim->requests[first].generation;
    sim_process_stumble(own->sim, own->host);
    return true;
}

static void simulated_release(struct disk_engine *engine, uint32_t request)
{
    struct simulated *own = (struct simulated *)engine;
    assert(own->requests[request].state == REQUEST_SENT);
    struct sim_request *done = &own->sim->requests[own->requests[request].sim_request];
    if (done->generation == own->requests[request].generation) {
        done->is_used = false;
    }
    own->requests[request].state = REQUEST_FREE;
    engine->in_flight--;
}

static void simulated_close(struct disk_engine *engine)
{
    free(engine);
}

static const struct disk_engine_operations simulated_operations = {
    .kind = DISK_ENGINE_SIMULATED,
    .name = "simulated",
    .close = simulated_close,
    .queue = simulated_queue,
    .submit = simulated_submit,
    .wait = simulated_wait,
    .reap = simulated_reap,
    .release = simulated_release,
};

struct disk_engine *sim_engine_open(struct sim *sim, uint32_t host, uint32_t depth, uint32_t absent_disk, int wake_fd)
{
    struct simulated *own = calloc(1, sizeof *own + sizeof own->requests[0] * sim->disk_count * depth);
    assert(own != NULL && host < SIM_PROCESSES_MAX && depth <= DISK_DEPTH_MAX);
    own->base.operations = &simulated_operations;
    own->sim = sim;
    own->host = host;
    own->life = sim->processes[host].life;
    own->depth = depth;
    own->absent_disk = absent_disk;
    own->wake_fd = wake_fd;
    return &own->base;
}
