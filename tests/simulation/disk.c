/* Simulated disks: when a write lands, what a read shows, how either fails. */
#include "block/block.h"
#include "block/layout.h"
#include "sim.h"

#include <assert.h>
#include <string.h>

void sim_disks_format(struct sim *sim)
{
    const struct layout *layout = &sim->header.layout;
    for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
        struct set_header header = sim->header;
        header.disk_index = disk;
        set_header_encode(sim->disks[disk].header, SIM_BLOCK_BYTES, &header);
        for (uint32_t row = 0; row < layout_rows(layout); row++) {
            for (uint32_t slot = 0; slot < layout->slots; slot++) {
                struct block_place place = {.set_tag = sim->set_tag, .disk = disk, .row = row, .slot = slot};
                block_encode_empty(sim->disks[disk].rows[row] + (size_t)slot * SIM_BLOCK_BYTES, SIM_BLOCK_BYTES,
                                   &place);
            }
        }
    }
}

static int64_t disk_delay(struct sim *sim, struct sim_disk *disk)
{
    int64_t delay_ns = disk->latency_ns / 2 + (int64_t)sim_below(sim, (uint64_t)disk->latency_ns);
    if (sim_chance(sim, disk->spike_percent)) {
        delay_ns += (int64_t)sim_below(sim, (uint64_t)disk->spike_ns);
    }
    return delay_ns;
}

/* Nothing happens on a disk while it hangs; what it owes comes after, in a new random order. */
static int64_t disk_time(struct sim *sim, struct sim_disk *disk, int64_t after_ns)
{
    int64_t at_ns = after_ns + disk_delay(sim, disk);
    if (at_ns < disk->hangs_until_ns) {
        at_ns = disk->hangs_until_ns + disk_delay(sim, disk);
    }
    return at_ns;
}

static struct sim_request *request_new(struct sim *sim, uint32_t *ret_index)
{
    for (uint32_t i = 0; i < SIM_REQUESTS_MAX; i++) {
        if (!sim->requests[i].is_used) {
            *ret_index = i;
            return &sim->requests[i];
        }
    }
    assert(false); /* the request table of the simulator is full */
    return NULL;
}

static bool action_writes(const struct io_action *action)
{
    return action->operation == IO_WRITE || action->operation == IO_EXCHANGE;
}

static void request_draw_fate(struct sim *sim, struct sim_request *request, const struct sim_disk *disk)
{
    request->fate = FATE_LANDS;
    if (disk->is_dropping && request->action.row != ROW_HEARTBEAT && sim_chance(sim, 30)) {
        request->fate = FATE_LOST; /* and acknowledged */
    }
    if (!disk->is_failing) {
        return;
    }
    bool is_write = action_writes(&request->action);
    request->is_write_ok = !is_write;
    request->is_read_ok = is_write && request->action.operation == IO_WRITE;
    uint64_t fate = sim_below(sim, 10);
    request->fate = fate < 4 ? FATE_LANDS : fate < 9 ? FATE_LOST : FATE_TORN;
}

void sim_disk_submit(struct sim *sim, uint32_t process, const struct io_action *action)
{
    struct sim_disk *disk = &sim->disks[action->disk];
    uint32_t index = 0;
    struct sim_request *request = request_new(sim, &index);
    uint64_t generation = request->generation + 1;
    request->is_used = true;
    request->is_orphan = false;
    request->generation = generation;
    request->process = process;
    request->life = sim->processes[process].life;
    request->action = *action;
    request->submitted_ns = sim->now_ns;
    request->bound_ns = 0;
    request->is_write_ok = request->is_read_ok = true;
    request->captures = 0;
    memset(request->is_captured_slot, 0, sizeof request->is_captured_slot);
    request_draw_fate(sim, request, disk);
    int64_t at_ns = sim->now_ns;
    if (action_writes(action)) {
        memcpy(request->block, action->block, SIM_BLOCK_BYTES);
        at_ns = disk_time(sim, disk, at_ns);
        sim_schedule(sim, at_ns, SIM_LAND, index, generation);
        at_ns = disk_time(sim, disk, at_ns); /* the acknowledgement */
    }
    if (action->operation != IO_WRITE && request->is_read_ok) {
        at_ns = disk_time(sim, disk, at_ns);
        for (int i = 0; i < SIM_CAPTURES; i++) {
            sim_schedule(sim, at_ns, SIM_CAPTURE, index, generation);
            at_ns = i == SIM_CAPTURES / 2 ? disk_time(sim, disk, at_ns) : at_ns + disk_delay(sim, disk) / SIM_CAPTURES;
        }
    }
    sim_schedule(sim, at_ns, SIM_COMPLETE, index, generation);
}

static struct sim_request *request_of(struct sim *sim, const struct sim_event *event)
{
    struct sim_request *request = &sim->requests[event->subject];
    return request->is_used && request->generation == event->argument ? request : NULL;
}

/*
 * The assumption Q: no write lands later than the quarantine after its author's death. An incarnation dies with its lease;
 * one that has none yet, with the claim delay.
 */
static bool request_is_too_late(const struct sim *sim, const struct sim_request *request)
{
    const struct sim_process *process = &sim->processes[request->process];
    const struct timings *timings = &sim->header.timings;
    if (request->is_orphan) {
        return false; /* bounded when it was orphaned */
    }
    if (request->bound_ns != 0) {
        return sim->now_ns > request->bound_ns;
    }
    int64_t end_ns = process->node == NULL ? 0 : sim_process_lease_end(process);
    if (end_ns == 0) {
        return sim->now_ns > request->submitted_ns + timings->io_deadline_ns + timings->quarantine_ns;
    }
    return sim_process_fast_now(sim, process) > end_ns + timings->quarantine_ns;
}

void sim_disk_land(struct sim *sim, const struct sim_event *event)
{
    struct sim_request *request = request_of(sim, event);
    if (request == NULL || request->fate == FATE_LOST) {
        return;
    }
    if (request_is_too_late(sim, request)) {
        request->is_write_ok = request->is_read_ok = false;
        return;
    }
    oracle_landing(sim, request);
    const struct io_action *action = &request->action;
    uint8_t *block = sim->disks[action->disk].rows[action->row] + (size_t)action->slot * SIM_BLOCK_BYTES;
    memcpy(block, request->block, SIM_BLOCK_BYTES);
    if (request->fate == FATE_TORN) {
        memset(block + SIM_BLOCK_BYTES / 2, 0x5a, SIM_BLOCK_BYTES / 2);
    }
    if (request->is_orphan) {
        request->is_used = false;
    }
}

void sim_disk_capture(struct sim *sim, const struct sim_event *event)
{
    struct sim_request *request = request_of(sim, event);
    if (request == NULL || request->is_orphan) {
        return;
    }
    const struct sim_disk *disk = &sim->disks[request->action.disk];
    if (request->action.operation == IO_HEADER) {
        memcpy(request->row, disk->header, SIM_BLOCK_BYTES);
        return;
    }
    /* A row is not read at once: each of its blocks is read at one of several instants, drawn for it. */
    uint32_t left = SIM_CAPTURES - request->captures++;
    for (uint32_t slot = 0; slot < sim->header.layout.slots; slot++) {
        size_t at = (size_t)slot * SIM_BLOCK_BYTES;
        if (!request->is_captured_slot[slot] && sim_below(sim, left) == 0) {
            request->is_captured_slot[slot] = true;
            memcpy(request->row + at, disk->rows[request->action.row] + at, SIM_BLOCK_BYTES);
        }
    }
}

void sim_disk_complete(struct sim *sim, const struct sim_event *event)
{
    struct sim_request *request = request_of(sim, event);
    if (request == NULL || request->is_orphan) {
        return;
    }
    struct sim_process *process = &sim->processes[request->process];
    assert(process->inbox_count < SIM_REQUESTS_MAX);
    process->inbox[process->inbox_count++] = event->subject;
    sim_process_wake(sim, request->process, sim->now_ns);
}

void sim_disk_bound(struct sim *sim, uint32_t process)
{
    int64_t bound_ns = sim->processes[process].dead_since_ns + sim->header.timings.quarantine_ns;
    for (uint32_t i = 0; i < SIM_REQUESTS_MAX; i++) {
        struct sim_request *request = &sim->requests[i];
        if (request->is_used && !request->is_orphan && request->process == process && request->bound_ns == 0) {
            request->bound_ns = bound_ns;
        }
    }
}

/* The author dies: its reads vanish; a write that has not landed may still do so, within the quarantine (Q), or never. */
void sim_disk_orphan(struct sim *sim, uint32_t process)
{
    for (uint32_t i = 0; i < SIM_REQUESTS_MAX; i++) {
        struct sim_request *request = &sim->requests[i];
        if (!request->is_used || request->is_orphan || request->process != process) {
            continue;
        }
        request->generation++;
        request->is_orphan = true;
        if (!action_writes(&request->action) || request->fate == FATE_LOST || sim_chance(sim, 30)) {
            request->is_used = false;
            continue;
        }
        int64_t bound_ns = sim->processes[process].dead_since_ns + sim->header.timings.quarantine_ns;
        int64_t left_ns = (request->bound_ns != 0 ? request->bound_ns : bound_ns) - sim->now_ns;
        if (left_ns <= 0) {
            request->is_used = false;
            continue;
        }
        uint64_t span = (uint64_t)left_ns;
        int64_t after_ns = (int64_t)(sim_chance(sim, 50) ? sim_below(sim, span) : sim_below(sim, span / 50 + 1));
        sim_schedule(sim, sim->now_ns + after_ns, SIM_LAND, i, request->generation);
    }
}
