/* When disks fail, hang, slow down and forget, and when all of that ends. */
#include "block/block.h"
#include "protocol/collect.h"
#include "protocol/state.h"
#include "sim.h"

#include <string.h>

enum {
    FORGETFUL_PERCENT = 40, /* worlds with a disk that forgets */
    CALM_PERCENT = 30,      /* worlds that end in a calm */
    CALM_AWAY_LEASES = 2,   /* in it, how long one disk is away */
    CALM_DELAYS = 10,       /* the most that one request takes, in latencies, and some more */
    CALM_LEASES = 14,       /* and how long the calm lasts: all passes of a sweep */
    CLOCKS = SIM_DISKS_MAX, /* subjects of SIM_WEATHER beyond the disks */
    CALM_BEGINS,
    CALM_RETURNS,
};

void sim_weather_draw(struct sim *sim)
{
    if (sim_chance(sim, FORGETFUL_PERCENT)) {
        struct sim_disk *disk = &sim->disks[sim_below(sim, sim->disk_count)];
        disk->memory = (enum sim_memory)(1 + sim_below(sim, MEMORY_KINDS - 1));
    }
    if (sim_chance(sim, CALM_PERCENT)) {
        int64_t lease_ns = sim->header.timings.lease_ns;
        sim->calm_ns = sim->end_ns;
        sim->calm_disk = (uint32_t)sim_below(sim, sim->disk_count);
        sim->end_ns += CALM_LEASES * lease_ns;
        sim_schedule(sim, sim->calm_ns, SIM_WEATHER, CALM_BEGINS, 0);
        sim_schedule(sim, sim->calm_ns + CALM_AWAY_LEASES * lease_ns, SIM_WEATHER, CALM_RETURNS, 0);
    }
}

/* ---- Disks that forget ---------------------------------------------------------------------------------------------- */

static bool block_covers(const struct sim *sim, struct block_place place, const struct register_block *block)
{
    const uint8_t *bytes = sim->disks[place.disk].rows[place.row] + (size_t)place.slot * SIM_BLOCK_BYTES;
    struct register_block other;
    return block_decode_register(bytes, SIM_BLOCK_BYTES, &place, &other) &&
           !ballot_is_above(block->promised, other.promised) && !ballot_is_above(block->accepted, other.accepted);
}

static bool heartbeat_covers(const struct sim *sim, struct block_place place, const struct heartbeat_block *block)
{
    const uint8_t *bytes = sim->disks[place.disk].rows[place.row] + (size_t)place.slot * SIM_BLOCK_BYTES;
    struct heartbeat_block other;
    return block_decode_heartbeat(bytes, SIM_BLOCK_BYTES, &place, &other) &&
           other.author.incarnation == block->author.incarnation && other.counter >= block->counter;
}

static bool incarnation_is_running(const struct sim *sim, uint64_t incarnation)
{
    for (uint32_t i = 0; i < sim->process_count; i++) {
        const struct sim_process *process = &sim->processes[i];
        if (process->is_alive && process->node->self.incarnation == incarnation) {
            return true;
        }
    }
    return false;
}

/* Whether a majority of the disks, this one left out, shows something at least as new as this block of it. */
static bool block_is_elsewhere(const struct sim *sim, struct block_place place)
{
    const uint8_t *bytes = sim->disks[place.disk].rows[place.row] + (size_t)place.slot * SIM_BLOCK_BYTES;
    struct register_block block;
    struct heartbeat_block heartbeat;
    bool is_heartbeat = place.row == ROW_HEARTBEAT;
    if (is_heartbeat) {
        if (!block_decode_heartbeat(bytes, SIM_BLOCK_BYTES, &place, &heartbeat) ||
            !incarnation_is_running(sim, heartbeat.author.incarnation)) {
            return true;
        }
    } else if (!block_decode_register(bytes, SIM_BLOCK_BYTES, &place, &block)) {
        return true;
    }
    uint32_t covering = 0;
    struct block_place at = place;
    for (at.disk = 0; at.disk < sim->disk_count; at.disk++) {
        covering += at.disk != place.disk &&
                    (is_heartbeat ? heartbeat_covers(sim, at, &heartbeat) : block_covers(sim, at, &block));
    }
    return covering >= majority_of(sim->disk_count);
}

static bool disk_is_elsewhere(const struct sim *sim, uint32_t disk)
{
    struct block_place place = {.set_tag = sim->set_tag, .disk = disk};
    for (place.row = ROW_HEARTBEAT; place.row < layout_rows(&sim->header.layout); place.row++) {
        for (place.slot = 0; place.slot < sim->header.layout.slots; place.slot++) {
            if (!block_is_elsewhere(sim, place)) {
                return false;
            }
        }
    }
    return true;
}

static void disk_go_back(struct sim *sim, uint32_t index)
{
    struct sim_disk *disk = &sim->disks[index];
    if (!disk->has_image) {
        memcpy(disk->image, disk->rows, sizeof disk->image);
        disk->has_image = true;
        return;
    }
    if (!disk_is_elsewhere(sim, index)) {
        return;
    }
    sim_trace(sim, "disk %u goes back to an earlier image", index);
    sim->statistics.forgets++;
    memcpy(disk->rows, disk->image, sizeof disk->rows);
    bool is_power_cut = sim_chance(sim, 25);
    for (uint32_t i = 0; is_power_cut && i < sim->process_count; i++) {
        if (sim->processes[i].is_alive) {
            sim_process_kill(sim, i);
        }
    }
}

static void disk_rot(struct sim *sim, uint32_t index)
{
    uint32_t row = (uint32_t)sim_below(sim, layout_rows(&sim->header.layout));
    uint32_t slot = (uint32_t)sim_below(sim, sim->header.layout.slots);
    sim->statistics.forgets++;
    sim->disks[index].rows[row][(size_t)slot * SIM_BLOCK_BYTES + sim_below(sim, SIM_BLOCK_BYTES)] ^= 0x40;
}

static void disk_forget(struct sim *sim, uint32_t index)
{
    struct sim_disk *disk = &sim->disks[index];
    bool is_due = sim_chance(sim, 40);
    disk->is_dropping = false;
    switch (disk->memory) {
    case MEMORY_GOES_BACK:
        if (is_due) {
            disk_go_back(sim, index);
        }
        break;
    case MEMORY_BLANK:
        if (is_due &&
            (disk->is_failing || sim_chance(sim, 30))) { /* put in its place while it was away, or overwritten */
            sim_trace(sim, "disk %u becomes a blank", index);
            sim->statistics.forgets++;
            memset(disk->rows, 0, sizeof disk->rows);
            memset(disk->header, 0, sizeof disk->header);
        }
        break;
    case MEMORY_DROPS:
        disk->is_dropping = is_due;
        sim->statistics.forgets += is_due;
        break;
    case MEMORY_ROTS:
        if (is_due) {
            disk_rot(sim, index);
        }
        break;
    case MEMORY_GOOD:
    case MEMORY_KINDS:
        break;
    }
}

/* ---- Faults and their end --------------------------------------------------------------------------------------------- */

static void disk_weather(struct sim *sim, uint32_t index)
{
    struct sim_disk *disk = &sim->disks[index];
    uint64_t lease = (uint64_t)sim->header.timings.lease_ns;
    disk->is_failing = false;
    if (sim_chance(sim, sim->fault_percent)) {
        sim->statistics.disk_faults++;
        if (sim_chance(sim, 40)) {
            disk->is_failing = true;
        } else {
            disk->hangs_until_ns = sim->now_ns + (int64_t)sim_below(sim, 2 * lease);
        }
    }
    disk->spike_percent = sim_chance(sim, 30) ? (uint32_t)sim_below(sim, 20) : 1;
    disk_forget(sim, index);
    sim_trace(sim, "disk %u %s", index,
              disk->is_failing                     ? "fails"
              : disk->hangs_until_ns > sim->now_ns ? "hangs"
                                                   : "is well");
    sim_schedule(sim, sim->now_ns + (int64_t)(lease / 4 + sim_below(sim, 3 * lease)), SIM_WEATHER, index, 0);
}

/* Nothing fails any more, but for one disk, which is away for a while; and none is so slow that requests miss their deadline. */
static void calm_begin(struct sim *sim)
{
    int64_t latency_max_ns = sim->header.timings.io_deadline_ns / CALM_DELAYS;
    sim_trace(sim, "calm begins, disk %u is away", sim->calm_disk);
    for (uint32_t i = 0; i < sim->disk_count; i++) {
        struct sim_disk *disk = &sim->disks[i];
        disk->is_failing = i == sim->calm_disk;
        disk->is_dropping = false;
        disk->spike_percent = 0;
        disk->hangs_until_ns = 0;
        disk->latency_ns = disk->latency_ns < latency_max_ns ? disk->latency_ns : latency_max_ns;
    }
}

static void calm_return(struct sim *sim)
{
    sim_trace(sim, "disk %u is back", sim->calm_disk);
    sim->disks[sim->calm_disk].is_failing = false;
    for (uint32_t i = 0; i < sim->process_count; i++) {
        const struct sim_process *process = &sim->processes[i];
        if (process->is_alive && process->node->stage == NODE_ACTIVE) {
            sim->calm_witness = process->node->self.incarnation;
        }
    }
}

void sim_weather(struct sim *sim, const struct sim_event *event)
{
    if (event->subject == CALM_BEGINS) {
        calm_begin(sim);
    } else if (event->subject == CALM_RETURNS) {
        calm_return(sim);
    } else if (sim_is_calm(sim)) {
        return;
    } else if (event->subject < sim->disk_count) {
        disk_weather(sim, event->subject);
    } else {
        sim_process_clock(sim, (uint32_t)sim_below(sim, sim->process_count));
        sim_schedule(sim, sim->now_ns + (int64_t)sim_below(sim, (uint64_t)NS_PER_S), SIM_WEATHER, CLOCKS, 0);
    }
}
