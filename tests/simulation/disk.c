/* Simulated disks: when a write lands, what a read shows, how either fails. */
#include "block/block.h"
#include "block/layout.h"
#include "protocol/state.h"
#include "sim.h"

#include <assert.h>
#include <string.h>

/* Each disk draws from a stream of its own, so that a fault that is withheld changes little on the others. */
static uint64_t disk_below(struct sim_disk *disk, uint64_t below)
{
    return disk->is_steady ? below / 2 : random_below(&disk->random, below);
}

static bool disk_chance(struct sim_disk *disk, uint32_t percent)
{
    return disk_below(disk, 100) < percent;
}

static void disk_encode_header(const struct sim *sim, uint32_t disk, uint8_t ret_bytes[SIM_BLOCK_BYTES])
{
    struct set_header header = sim->header;
    header.disk_index = disk;
    set_header_encode(ret_bytes, SIM_BLOCK_BYTES, &header);
}

bool sim_disk_is_itself(const struct sim *sim, uint32_t disk)
{
    uint8_t expected[SIM_BLOCK_BYTES];
    disk_encode_header(sim, disk, expected);
    return memcmp(expected, sim->disks[disk].header, sizeof expected) == 0;
}

void sim_disks_format(struct sim *sim)
{
    const struct layout *layout = &sim->header.layout;
    for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
        uint64_t seed[2] = {random_next(&sim->random), random_next(&sim->random)};
        random_seed(&sim->disks[disk].random, seed);
        disk_encode_header(sim, disk, sim->disks[disk].header);
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
    int64_t delay_ns = disk->latency_ns / 2 + (int64_t)disk_below(disk, (uint64_t)disk->latency_ns);
    if (disk_chance(disk, disk->spike_percent)) {
        int64_t spike_ns = (int64_t)disk_below(disk, (uint64_t)disk->spike_ns);
        delay_ns += sim_fault(sim, FAULT_LATENCY_SPIKE, SIM_NOBODY, (uint32_t)(disk - sim->disks)) ? spike_ns : 0;
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
            sim->request_end = i < sim->request_end ? sim->request_end : i + 1;
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

static void request_befalls(struct sim *sim, struct sim_request *request, enum sim_fault kind, enum sim_write_fate fate)
{
    if (sim_fault(sim, kind, request->process, request->action.disk)) {
        request->fate = fate;
    }
}

/* Lands in another row or slot of the same disk, seldom of another one. */
static struct block_place request_draw_astray(const struct sim *sim, struct sim_disk *disk)
{
    uint32_t own = (uint32_t)(disk - sim->disks);
    uint32_t any = (uint32_t)disk_below(disk, sim->disk_count);
    return (struct block_place){
        .disk = disk_chance(disk, 10) ? any : own,
        .row = (uint32_t)disk_below(disk, layout_rows(&sim->header.layout)),
        .slot = (uint32_t)disk_below(disk, sim->header.layout.slots),
    };
}

/* Whether the reader must notice: the row before its newest heartbeat shows less than this disk has acknowledged to it. */
static bool heartbeat_would_be_noticed(const struct sim *sim, const struct sim_request *request)
{
    const struct sim_process *process = &sim->processes[request->process];
    const struct io_action *action = &request->action;
    if (action->row != ROW_HEARTBEAT || action->operation != IO_READ || process->node == NULL ||
        process->node->stage != NODE_ACTIVE) {
        return false;
    }
    struct node_id self = process->node->self;
    struct block_place place = {sim->set_tag, action->disk, ROW_HEARTBEAT, self.slot};
    const uint8_t *row = sim->disks[action->disk].heartbeats[request->process];
    struct heartbeat_block block;
    return block_decode_heartbeat(row + (size_t)self.slot * SIM_BLOCK_BYTES, SIM_BLOCK_BYTES, &place, &block) &&
           block.author.incarnation == self.incarnation &&
           block.author.sequence < process->node->beat.disks[action->disk].acknowledged_sequence;
}

static void request_draw_stale(struct sim *sim, struct sim_request *request, struct sim_disk *disk)
{
    bool is_exchange = request->action.operation == IO_EXCHANGE;
    if ((!is_exchange && !heartbeat_would_be_noticed(sim, request)) || !disk_chance(disk, 15) ||
        !sim_fault(sim, FAULT_STALE_READ, request->process, request->action.disk)) {
        return;
    }
    request->is_stale_wanted = is_exchange;
    if (!is_exchange) {
        memcpy(request->row, disk->heartbeats[request->process], SIM_ROW_BYTES_MAX);
        request->is_stale = true;
    }
}

/* What a disk does that acknowledges everything. */
static void request_draw_treason(struct sim *sim, struct sim_request *request, struct sim_disk *disk)
{
    bool is_write = action_writes(&request->action) && request->action.row != ROW_HEARTBEAT;
    if (disk->memory == MEMORY_DROPS && is_write && disk_chance(disk, 30)) {
        request_befalls(sim, request, FAULT_WRITE_DROPPED, FATE_LOST);
    } else if (disk->memory == MEMORY_ASTRAY && is_write && disk_chance(disk, 15)) {
        request->astray = request_draw_astray(sim, disk);
        request_befalls(sim, request, FAULT_WRITE_ASTRAY, FATE_ASTRAY);
    } else if (disk->memory == MEMORY_STALE) {
        request_draw_stale(sim, request, disk);
    }
}

/* Ends with an error, which tells nothing of whether it has landed. */
static void request_draw_error(struct sim *sim, struct sim_request *request, struct sim_disk *disk)
{
    bool is_write = action_writes(&request->action);
    request->is_write_ok = !is_write;
    request->is_read_ok = is_write && request->action.operation == IO_WRITE;
    uint64_t fate = disk_below(disk, 10);
    request->fate = FATE_LANDS;
    if (fate >= 4 && is_write) {
        bool is_torn = fate == 9;
        request_befalls(sim, request, is_torn ? FAULT_TORN_WRITE : FAULT_WRITE_LOST, is_torn ? FATE_TORN : FATE_LOST);
    }
}

static void request_draw_fate(struct sim *sim, struct sim_request *request, struct sim_disk *disk)
{
    request->is_write_ok = request->is_read_ok = true;
    request->is_stale_wanted = request->is_stale = false;
    request->fate = FATE_LANDS;
    const struct sim_process *process = &sim->processes[request->process];
    uint32_t index = request->action.disk;
    bool is_path_lost = sim->now_ns < process->path_lost_until_ns[index] && !process->is_path_silent[index];
    if (disk->is_failing || is_path_lost) {
        request_draw_error(sim, request, disk);
    } else if (disk->is_treacherous) {
        request_draw_treason(sim, request, disk);
    }
}

/* When the path to a silent disk is found again: what is asked before waits for that. */
static int64_t path_time(const struct sim *sim, uint32_t process, uint32_t disk, int64_t at_ns)
{
    const struct sim_process *on = &sim->processes[process];
    int64_t until_ns = on->path_lost_until_ns[disk];
    return on->is_path_silent[disk] && at_ns < until_ns ? until_ns : at_ns;
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
    request->captures = 0;
    memset(request->is_captured_slot, 0, sizeof request->is_captured_slot);
    request_draw_fate(sim, request, disk);
    int64_t at_ns = path_time(sim, process, action->disk, sim->now_ns);
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

/* The row as it is before the write, for reads that are to show too little. */
static void disk_keep_before(struct sim *sim, struct sim_request *request)
{
    const struct io_action *action = &request->action;
    struct sim_disk *disk = &sim->disks[action->disk];
    if (disk->memory == MEMORY_STALE && action->row == ROW_HEARTBEAT) {
        memcpy(disk->heartbeats[request->process], disk->rows[ROW_HEARTBEAT], SIM_ROW_BYTES_MAX);
    }
    if (request->is_stale_wanted) {
        memcpy(request->row, disk->rows[action->row], SIM_ROW_BYTES_MAX);
        request->is_stale = true;
    }
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
    const struct io_action *action = &request->action;
    struct block_place at = {.disk = action->disk, .row = action->row, .slot = action->slot};
    if (request->fate == FATE_ASTRAY) {
        at = request->astray;
    } else {
        oracle_landing(sim, request);
        disk_keep_before(sim, request);
    }
    uint8_t *block = sim->disks[at.disk].rows[at.row] + (size_t)at.slot * SIM_BLOCK_BYTES;
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
    if (request == NULL || request->is_orphan || request->is_stale) {
        return;
    }
    struct sim_disk *disk = &sim->disks[request->action.disk];
    if (request->action.operation == IO_HEADER) {
        memcpy(request->row, disk->header, SIM_BLOCK_BYTES);
        return;
    }
    /* A row is not read at once: each of its blocks is read at one of several instants, drawn for it. */
    uint32_t left = SIM_CAPTURES - request->captures++;
    for (uint32_t slot = 0; slot < sim->header.layout.slots; slot++) {
        size_t at = (size_t)slot * SIM_BLOCK_BYTES;
        if (!request->is_captured_slot[slot] && disk_below(disk, left) == 0) {
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
    for (uint32_t i = 0; i < sim->request_end; i++) {
        struct sim_request *request = &sim->requests[i];
        if (request->is_used && !request->is_orphan && request->process == process && request->bound_ns == 0) {
            request->bound_ns = bound_ns;
        }
    }
}

/* A write whose author has died: it vanishes, or lands whole or torn, within the quarantine (Q). */
static void request_orphan(struct sim *sim, uint32_t index)
{
    struct sim_request *request = &sim->requests[index];
    struct sim_disk *disk = &sim->disks[request->action.disk];
    int64_t bound_ns = sim->processes[request->process].dead_since_ns + sim->header.timings.quarantine_ns;
    int64_t left_ns = (request->bound_ns != 0 ? request->bound_ns : bound_ns) - sim->now_ns;
    bool is_gone = disk_chance(disk, 30);
    request->is_used = false;
    if (!action_writes(&request->action) || request->fate == FATE_LOST || is_gone || left_ns <= 0) {
        return;
    }
    uint64_t span = (uint64_t)left_ns;
    int64_t after_ns = (int64_t)(disk_chance(disk, 50) ? disk_below(disk, span) : disk_below(disk, span / 50 + 1));
    if (disk_chance(disk, 10)) {
        request_befalls(sim, request, FAULT_TORN_WRITE, FATE_TORN);
    }
    if (sim->options.is_outside && disk_chance(disk, 50) &&
        sim_fault(sim, FAULT_WRITE_TOO_LATE, request->process, request->action.disk)) {
        after_ns = left_ns + (int64_t)disk_below(disk, 8 * (uint64_t)sim->header.timings.lease_ns);
    }
    if (sim_fault(sim, FAULT_LATE_WRITE, request->process, request->action.disk)) {
        request->is_used = true;
        sim_schedule(sim, sim->now_ns + after_ns, SIM_LAND, index, request->generation);
    }
}

/* The author dies: its reads vanish; a write that has not landed may still do so. */
void sim_disk_orphan(struct sim *sim, uint32_t process)
{
    for (uint32_t i = 0; i < sim->request_end; i++) {
        struct sim_request *request = &sim->requests[i];
        if (request->is_used && !request->is_orphan && request->process == process) {
            request->generation++;
            request->is_orphan = true;
            request_orphan(sim, i);
        }
    }
}
