/* When disks fail, hang, slow down and forget, and when all of that ends. */
#include "block/block.h"
#include "protocol/collect.h"
#include "protocol/state.h"
#include "sim.h"

#include <string.h>

enum {
    TREACHEROUS_PERCENT = 50, /* worlds with a disk that can not be trusted */
    CALM_PERCENT = 30,        /* worlds that end in a calm */
    CALM_AWAY_LEASES = 2,     /* in it, how long one disk is away */
    CALM_DELAYS = 10,         /* the most that one request takes, in latencies, and some more */
    CALM_LEASES = 14,         /* and how long the calm lasts: all passes of a sweep */
    SLEW_PPM = 80000,         /* of a clock that is slewed, beyond rho */
    /* Subjects of SIM_WEATHER beyond the disks. */
    HOSTS = SIM_DISKS_MAX,
    PATHS,
    CALM_BEGINS,
    CALM_RETURNS,
    RESUMES, /* and beyond: a process whose clocks stood still */
};

/* What the weather does is drawn from a stream of its own. */
static uint64_t weather_below(struct sim *sim, uint64_t below)
{
    return random_below(&sim->weather_random, below);
}

static bool weather_chance(struct sim *sim, uint64_t percent)
{
    return weather_below(sim, 100) < percent;
}

static int64_t weather_within(struct sim *sim, int64_t span_ns)
{
    return (int64_t)weather_below(sim, (uint64_t)span_ns);
}

void sim_weather_draw(struct sim *sim)
{
    if (weather_chance(sim, TREACHEROUS_PERCENT)) {
        struct sim_disk *disk = &sim->disks[weather_below(sim, sim->disk_count)];
        disk->memory = (enum sim_memory)(1 + weather_below(sim, MEMORY_KINDS - 1));
        if (disk->memory == MEMORY_STALE) {
            memset(disk->heartbeats, 0, sizeof disk->heartbeats);
        }
    }
    if (sim->options.is_liveness) {
        sim_live_draw(sim);
    } else if (weather_chance(sim, CALM_PERCENT)) {
        int64_t lease_ns = sim->header.timings.lease_ns;
        sim->calm_ns = sim->end_ns;
        sim->calm_disk = (uint32_t)weather_below(sim, sim->disk_count);
        sim->end_ns += CALM_LEASES * lease_ns;
        sim_schedule(sim, sim->calm_ns, SIM_WEATHER, CALM_BEGINS, 0);
        sim_schedule(sim, sim->calm_ns + CALM_AWAY_LEASES * lease_ns, SIM_WEATHER, CALM_RETURNS, 0);
    }
    sim_schedule(sim, NS_PER_S, SIM_WEATHER, HOSTS, 0);
    sim_schedule(sim, weather_within(sim, 2 * sim->header.timings.lease_ns), SIM_WEATHER, PATHS, 0);
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
    bool is_power_cut = weather_chance(sim, 25);
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
    uint32_t row = (uint32_t)weather_below(sim, layout_rows(&sim->header.layout));
    uint32_t slot = (uint32_t)weather_below(sim, sim->header.layout.slots);
    size_t at = (size_t)slot * SIM_BLOCK_BYTES + weather_below(sim, SIM_BLOCK_BYTES);
    if (sim_fault(sim, FAULT_BIT_ROT, SIM_NOBODY, index)) {
        sim->disks[index].rows[row][at] ^= 0x40;
    }
}

static void disk_lose_block(struct sim *sim, uint32_t index)
{
    uint32_t row = (uint32_t)weather_below(sim, layout_rows(&sim->header.layout));
    uint32_t slot = (uint32_t)weather_below(sim, sim->header.layout.slots);
    if (sim_fault(sim, FAULT_LATENT_ERROR, SIM_NOBODY, index)) {
        memset(sim->disks[index].rows[row] + (size_t)slot * SIM_BLOCK_BYTES, 0xbd, SIM_BLOCK_BYTES);
    }
}

static void disk_become_blank(struct sim_disk *disk)
{
    memset(disk->rows, 0, sizeof disk->rows);
    memset(disk->header, 0, sizeof disk->header);
}

static void disk_become_clone(struct sim *sim, struct sim_disk *disk)
{
    uint32_t index = (uint32_t)(disk - sim->disks);
    const struct sim_disk *other = &sim->disks[(index + 1) % sim->disk_count];
    memcpy(disk->rows, other->rows, sizeof disk->rows);
    memcpy(disk->header, other->header, sizeof disk->header);
}

/* The same place of a set that differs in its UUID alone, formatted and never used. */
static void disk_become_foreign(struct sim *sim, struct sim_disk *disk)
{
    struct set_header header = sim->header;
    header.disk_index = (uint32_t)(disk - sim->disks);
    header.set_uuid.bytes[0] = 2;
    set_header_encode(disk->header, SIM_BLOCK_BYTES, &header);
    struct block_place place = {.set_tag = set_header_tag(&header), .disk = header.disk_index};
    for (place.row = 0; place.row < layout_rows(&header.layout); place.row++) {
        for (place.slot = 0; place.slot < header.layout.slots; place.slot++) {
            uint8_t *block = disk->rows[place.row] + (size_t)place.slot * SIM_BLOCK_BYTES;
            block_encode_empty(block, SIM_BLOCK_BYTES, &place);
        }
    }
}

static void disk_swap(struct sim *sim, struct sim_disk *disk)
{
    uint32_t index = (uint32_t)(disk - sim->disks);
    struct sim_disk *other = &sim->disks[(index + 1) % sim->disk_count];
    static uint8_t kept[sizeof disk->rows]; /* one world runs at a time */
    uint8_t kept_header[sizeof disk->header];
    memcpy(kept, disk->rows, sizeof kept);
    memcpy(disk->rows, other->rows, sizeof kept);
    memcpy(other->rows, kept, sizeof kept);
    memcpy(kept_header, disk->header, sizeof kept_header);
    memcpy(disk->header, other->header, sizeof kept_header);
    memcpy(other->header, kept_header, sizeof kept_header);
    other->is_replaced = true;
}

/* Put in its place while it was away, or overwritten in use; it does not come back. */
static void disk_be_replaced(struct sim *sim, uint32_t index)
{
    struct sim_disk *disk = &sim->disks[index];
    bool is_in_use = weather_chance(sim, 30);
    bool is_clone = weather_chance(sim, 50) && sim->disk_count > 1;
    if (disk->is_replaced || (!disk->is_failing && !is_in_use)) {
        return;
    }
    if (disk->memory == MEMORY_BLANK) {
        disk->is_replaced = sim_fault(sim, disk->is_failing ? FAULT_BLANK : FAULT_OVERWRITTEN, SIM_NOBODY, index);
        if (disk->is_replaced) {
            disk_become_blank(disk);
        }
    } else if (disk->memory == MEMORY_SWAPPED) {
        disk->is_replaced = sim->disk_count > 1 && sim_fault(sim, FAULT_SWAPPED, SIM_NOBODY, index);
        if (disk->is_replaced) {
            disk_swap(sim, disk);
        }
    } else {
        disk->is_replaced = sim_fault(sim, is_clone ? FAULT_CLONED : FAULT_FOREIGN, SIM_NOBODY, index);
        if (disk->is_replaced && is_clone) {
            disk_become_clone(sim, disk);
        } else if (disk->is_replaced) {
            disk_become_foreign(sim, disk);
        }
    }
}

static void disk_betray(struct sim *sim, uint32_t index)
{
    struct sim_disk *disk = &sim->disks[index];
    disk->is_treacherous = weather_chance(sim, 40);
    if (!disk->is_treacherous) {
        return;
    }
    switch (disk->memory) {
    case MEMORY_GOES_BACK:
        disk_go_back(sim, index);
        break;
    case MEMORY_BLANK:
    case MEMORY_FOREIGN:
    case MEMORY_SWAPPED:
        disk_be_replaced(sim, index);
        break;
    case MEMORY_ROTS:
        disk_rot(sim, index);
        break;
    case MEMORY_LATENT:
        disk_lose_block(sim, index);
        break;
    case MEMORY_DROPS: /* request by request */
    case MEMORY_ASTRAY:
    case MEMORY_STALE:
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
    if (weather_chance(sim, sim->fault_percent)) {
        if (weather_chance(sim, 40)) {
            disk->is_failing = sim_fault(sim, FAULT_DISK_ERRORS, SIM_NOBODY, index);
        } else {
            int64_t until_ns = sim->now_ns + (int64_t)weather_below(sim, 2 * lease);
            disk->hangs_until_ns = sim_fault(sim, FAULT_DISK_HANG, SIM_NOBODY, index) ? until_ns : 0;
        }
    }
    disk->spike_percent = weather_chance(sim, 30) ? (uint32_t)weather_below(sim, 20) : 1;
    disk_betray(sim, index);
    sim_trace(sim, "disk %u %s", index,
              disk->is_failing                     ? "fails"
              : disk->hangs_until_ns > sim->now_ns ? "hangs"
                                                   : "is well");
    sim_schedule(sim, sim->now_ns + (int64_t)(lease / 4 + weather_below(sim, 3 * lease)), SIM_WEATHER, index, 0);
}

/* ---- Processes and their clocks ------------------------------------------------------------------------------------------ */

void sim_draw_rates(struct sim *sim, int64_t ret_ppm[2])
{
    uint64_t rho = sim->header.timings.drift_ppm;
    for (int i = 0; i < 2; i++) {
        uint64_t extreme = weather_below(sim, 3);
        int64_t any_ppm = (int64_t)weather_below(sim, 2 * rho + 1) - (int64_t)rho;
        ret_ppm[i] = extreme == 0 ? (int64_t)rho : extreme == 1 ? -(int64_t)rho : any_ppm;
    }
    if (weather_chance(sim, 60)) {
        ret_ppm[1] = ret_ppm[0];
    }
}

/* Clocks that run within rho again, whatever they did before. */
static void process_tell_time(struct sim *sim, uint32_t process)
{
    int64_t rate_ppm[2];
    sim_draw_rates(sim, rate_ppm);
    sim_process_clock(sim, process, rate_ppm);
}

/* One clock runs beyond rho while the other one keeps it: chrony slews by up to 8 %. */
static void process_slew(struct sim *sim, uint32_t process, int64_t rate_ppm[2])
{
    int64_t most_ppm = SLEW_PPM + sim->header.timings.drift_ppm;
    rate_ppm[weather_below(sim, 2)] = weather_within(sim, 2 * most_ppm + 1) - most_ppm;
    if (sim_fault(sim, FAULT_CLOCK_SLEW, process, SIM_NOBODY)) {
        sim_process_clock(sim, process, rate_ppm);
    }
}

/* The host sleeps: CLOCK_BOOTTIME goes on, CLOCK_MONOTONIC_RAW stands still. Frozen by a hypervisor, both stand still. */
static void process_suspend(struct sim *sim, uint32_t index, enum sim_fault kind, const int64_t rate_ppm[2])
{
    enum { STANDS_STILL = -1000000 };
    struct sim_process *process = &sim->processes[index];
    int64_t until_ns = sim->now_ns + weather_within(sim, 3 * sim->header.timings.lease_ns);
    if (until_ns <= process->paused_until_ns || !sim_fault(sim, kind, index, SIM_NOBODY)) {
        return;
    }
    process->paused_until_ns = until_ns;
    process->is_clock_stopped = true;
    int64_t stopped_ppm[2] = {kind == FAULT_FREEZE ? STANDS_STILL : rate_ppm[0], STANDS_STILL};
    sim_process_clock(sim, index, stopped_ppm);
    sim_schedule(sim, until_ns, SIM_WEATHER, RESUMES + index, 0);
}

static void process_jump_wall_clock(struct sim *sim, uint32_t index)
{
    int64_t ahead_ns = weather_within(sim, INT64_MAX / 2) - INT64_MAX / 4;
    if (sim_fault(sim, FAULT_WALL_JUMP, index, SIM_NOBODY)) {
        sim->processes[index].wall_ahead_ns = ahead_ns;
    }
}

static void host_weather(struct sim *sim)
{
    int64_t rate_ppm[2];
    uint32_t index = (uint32_t)weather_below(sim, sim->process_count);
    struct sim_process *process = &sim->processes[index];
    sim_draw_rates(sim, rate_ppm);
    uint64_t draw = weather_below(sim, 100);
    bool is_frozen = sim->options.is_outside && weather_chance(sim, 50);
    if (draw >= 85) {
        process_jump_wall_clock(sim, index);
    } else if (process->is_clock_stopped) {
        /* nothing can be told of its clocks */
    } else if (draw < sim->fault_percent / 4) {
        process_suspend(sim, index, is_frozen ? FAULT_FREEZE : FAULT_SUSPEND, rate_ppm);
    } else if (draw < 30) {
        process_slew(sim, index, rate_ppm);
    } else if (sim_fault(sim, FAULT_CLOCK_RATE, index, SIM_NOBODY)) {
        sim_process_clock(sim, index, rate_ppm);
    }
    sim_schedule(sim, sim->now_ns + weather_within(sim, NS_PER_S), SIM_WEATHER, HOSTS, 0);
}

static void process_resume(struct sim *sim, uint32_t process)
{
    sim->processes[process].is_clock_stopped = false;
    process_tell_time(sim, process);
}

/* ---- Between processes and disks -------------------------------------------------------------------------------------- */

static void path_lose(struct sim *sim, uint32_t process, uint32_t disk, int64_t until_ns, bool is_silent)
{
    sim->processes[process].path_lost_until_ns[disk] = until_ns;
    sim->processes[process].is_path_silent[disk] = is_silent;
}

/* Some processes see some of the disks, the others see the others. */
static void paths_split(struct sim *sim, int64_t until_ns, bool is_silent)
{
    uint64_t processes = weather_below(sim, UINT64_C(1) << sim->process_count);
    uint64_t disks = weather_below(sim, UINT64_C(1) << sim->disk_count);
    if (!sim_fault(sim, FAULT_SPLIT, SIM_NOBODY, SIM_NOBODY)) {
        return;
    }
    for (uint32_t process = 0; process < sim->process_count; process++) {
        for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
            if ((processes >> process & 1U) != (disks >> disk & 1U)) {
                path_lose(sim, process, disk, until_ns, is_silent);
            }
        }
    }
}

static void all_disks_hang(struct sim *sim, int64_t until_ns)
{
    if (sim_fault(sim, FAULT_ALL_DISKS_HANG, SIM_NOBODY, SIM_NOBODY)) {
        for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
            sim->disks[disk].hangs_until_ns = until_ns;
        }
    }
}

static void path_weather(struct sim *sim)
{
    int64_t lease_ns = sim->header.timings.lease_ns;
    uint32_t process = (uint32_t)weather_below(sim, sim->process_count);
    uint32_t disk = (uint32_t)weather_below(sim, sim->disk_count);
    int64_t until_ns = sim->now_ns + weather_within(sim, 3 * lease_ns);
    bool is_silent = weather_chance(sim, 50);
    uint64_t draw = weather_below(sim, 200);
    if (draw < sim->fault_percent / 10) {
        all_disks_hang(sim, until_ns);
    } else if (draw < sim->fault_percent / 6) {
        if (sim_fault(sim, FAULT_POWER_CUT, SIM_NOBODY, SIM_NOBODY)) {
            power_cut(sim);
        }
    } else if (draw < sim->fault_percent / 2) {
        paths_split(sim, until_ns, is_silent);
    } else if (draw < (uint64_t)2 * sim->fault_percent && sim_fault(sim, FAULT_PATH_LOST, process, disk)) {
        path_lose(sim, process, disk, until_ns, is_silent);
    }
    sim_schedule(sim, sim->now_ns + lease_ns / 4 + weather_within(sim, 3 * lease_ns), SIM_WEATHER, PATHS, 0);
}

/* ---- Calm --------------------------------------------------------------------------------------------------------------- */

void sim_faults_end(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->disk_count; i++) {
        struct sim_disk *disk = &sim->disks[i];
        disk->is_failing = disk->is_treacherous = false;
        disk->spike_percent = 0;
        disk->hangs_until_ns = 0;
    }
    for (uint32_t i = 0; i < sim->process_count; i++) {
        struct sim_process *process = &sim->processes[i];
        memset(process->path_lost_until_ns, 0, sizeof process->path_lost_until_ns);
        if (!process->is_clock_stopped) {
            process_tell_time(sim, i);
        }
    }
}

/* Nothing fails any more, but for one disk, which is away for a while. */
static void calm_begin(struct sim *sim)
{
    int64_t latency_max_ns = sim->header.timings.io_deadline_ns / CALM_DELAYS;
    sim_trace(sim, "calm begins, disk %u is away", sim->calm_disk);
    sim_faults_end(sim);
    for (uint32_t i = 0; i < sim->disk_count; i++) { /* a disk that misses deadlines would fail and return for ever */
        struct sim_disk *disk = &sim->disks[i];
        disk->latency_ns = disk->latency_ns < latency_max_ns ? disk->latency_ns : latency_max_ns;
    }
    sim->disks[sim->calm_disk].is_failing = true;
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
    if (event->subject >= RESUMES) {
        process_resume(sim, event->subject - RESUMES);
    } else if (event->subject == CALM_BEGINS) {
        calm_begin(sim);
    } else if (event->subject == CALM_RETURNS) {
        calm_return(sim);
    } else if (sim_is_calm(sim)) {
        return;
    } else if (event->subject < sim->disk_count) {
        disk_weather(sim, event->subject);
    } else if (event->subject == HOSTS) {
        host_weather(sim);
    } else {
        path_weather(sim);
    }
}
