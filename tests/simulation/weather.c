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

static void power_cut(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->process_count; i++) {
        if (sim->processes[i].is_alive) {
            sim_process_kill(sim, i);
        }
    }
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
    bool is_power_cut = sim_chance(sim, 25);
    if (sim_fault(sim, FAULT_ROLLBACK, SIM_NOBODY, index)) {
        sim_trace(sim, "disk %u goes back to an earlier image", index);
        memcpy(disk->rows, disk->image, sizeof disk->rows);
    }
    if (is_power_cut && sim_fault(sim, FAULT_POWER_CUT, SIM_NOBODY, SIM_NOBODY)) {
        power_cut(sim);
    }
}

static void disk_rot(struct sim *sim, uint32_t index)
{
    uint32_t row = (uint32_t)sim_below(sim, layout_rows(&sim->header.layout));
    uint32_t slot = (uint32_t)sim_below(sim, sim->header.layout.slots);
    size_t at = (size_t)slot * SIM_BLOCK_BYTES + sim_below(sim, SIM_BLOCK_BYTES);
    if (sim_fault(sim, FAULT_BIT_ROT, SIM_NOBODY, index)) {
        sim->disks[index].rows[row][at] ^= 0x40;
    }
}

/* Put in its place while it was away, or overwritten in use. */
static void disk_become_blank(struct sim *sim, uint32_t index)
{
    struct sim_disk *disk = &sim->disks[index];
    if (!disk->is_failing && !sim_chance(sim, 30)) {
        return;
    }
    if (sim_fault(sim, disk->is_failing ? FAULT_BLANK : FAULT_OVERWRITTEN, SIM_NOBODY, index)) {
        memset(disk->rows, 0, sizeof disk->rows);
        memset(disk->header, 0, sizeof disk->header);
    }
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
        if (is_due) {
            disk_become_blank(sim, index);
        }
        break;
    case MEMORY_DROPS:
        disk->is_dropping = is_due;
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
        if (sim_chance(sim, 40)) {
            disk->is_failing = sim_fault(sim, FAULT_DISK_ERRORS, SIM_NOBODY, index);
        } else {
            int64_t until_ns = sim->now_ns + (int64_t)sim_below(sim, 2 * lease);
            disk->hangs_until_ns = sim_fault(sim, FAULT_DISK_HANG, SIM_NOBODY, index) ? until_ns : 0;
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

/* Nothing fails any more, but for one disk, which is away for a while. */
static void calm_begin(struct sim *sim)
{
    sim_trace(sim, "calm begins, disk %u is away", sim->calm_disk);
    for (uint32_t i = 0; i < sim->disk_count; i++) {
        struct sim_disk *disk = &sim->disks[i];
        disk->is_failing = i == sim->calm_disk;
        disk->is_dropping = false;
        disk->spike_percent = 0;
        disk->hangs_until_ns = 0;
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

void sim_draw_rates(struct sim *sim, int64_t ret_ppm[2])
{
    uint64_t rho = sim->header.timings.drift_ppm;
    for (int i = 0; i < 2; i++) {
        uint64_t extreme = sim_below(sim, 3);
        int64_t any_ppm = (int64_t)sim_below(sim, 2 * rho + 1) - (int64_t)rho;
        ret_ppm[i] = extreme == 0 ? (int64_t)rho : extreme == 1 ? -(int64_t)rho : any_ppm;
    }
    if (sim_chance(sim, 60)) {
        ret_ppm[1] = ret_ppm[0];
    }
}

static void clock_weather(struct sim *sim)
{
    int64_t rate_ppm[2];
    uint32_t process = (uint32_t)sim_below(sim, sim->process_count);
    sim_draw_rates(sim, rate_ppm);
    if (sim_fault(sim, FAULT_CLOCK_RATE, process, SIM_NOBODY)) {
        sim_process_clock(sim, process, rate_ppm);
    }
    sim_schedule(sim, sim->now_ns + (int64_t)sim_below(sim, (uint64_t)NS_PER_S), SIM_WEATHER, CLOCKS, 0);
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
        clock_weather(sim);
    }
}
