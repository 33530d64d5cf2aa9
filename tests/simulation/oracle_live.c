/*
 * Liveness mode: at a drawn instant every fault ends for good, or a majority of the disks does. From then on a leader must
 * come within the bound of src/protocol/README.md ("How long until there is a leader"), or none may.
 *
 * Times are taken at regular looks, the first when everything that was on its way to a disk has come back.
 */
#include "block/block.h"
#include "protocol/collect.h"
#include "protocol/state.h"
#include "sim.h"

#include <assert.h>
#include <string.h>

enum {
    TAKEN_AWAY_PERCENT = 20, /* worlds in which a majority of the disks ends instead of the faults */
    FAULTS_LEASES = 3,       /* faults last for so many leases, up to three times as long */
    LOOKS_PER_RENEWAL = 4,   /* as often as candidates poll */
    CANDIDATE_PERCENT = 60,  /* processes that want a role once all is well */
    EXCHANGE_LATENCIES = 7,  /* the slowest exchange on a disk, in its latencies: see disk_time() */
    JOIN_LATENCIES = 16, /* what must fit into the claim delay when another disk of the set keeps a newcomer waiting */
    BACK_OFF_EXCHANGES = 64,   /* the check's allowance for lost ballots */
    LEAST_YIELD_EXCHANGES = 8, /* N4: of one step of priority */
    PRIORITY_MOST = 3,         /* that clients here ask for */
    JOIN_ATTEMPTS = 4,
};

/* Whether the disk does all that is asked of it, soon enough for a newcomer too. */
static bool disk_is_well(const struct sim *sim, uint32_t index)
{
    const struct sim_disk *disk = &sim->disks[index];
    return disk->memory == MEMORY_GOOD && sim_disk_is_itself(sim, index) && !disk->is_failing &&
           JOIN_LATENCIES * disk->latency_ns <= sim->header.timings.io_deadline_ns;
}

static uint32_t well_for(const struct sim *sim, const struct node *node)
{
    uint32_t mask = 0;
    for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
        bool is_out = node != NULL && node_disk(node, disk).state == DISK_OUT;
        mask |= (uint32_t)(disk_is_well(sim, disk) && !is_out) << disk;
    }
    return mask;
}

static bool is_majority(const struct sim *sim, uint32_t mask)
{
    return (uint32_t)__builtin_popcount(mask) >= majority_of(sim->disk_count);
}

static bool block_is_intact(const uint8_t *bytes, const struct block_place *place)
{
    struct heartbeat_block heartbeat;
    struct register_block block;
    return place->row == ROW_HEARTBEAT ? block_decode_heartbeat(bytes, SIM_BLOCK_BYTES, place, &heartbeat)
                                       : block_decode_register(bytes, SIM_BLOCK_BYTES, place, &block);
}

/* Whether on these disks some slot has too few intact blocks in a row: of a register, for any phase to end; of heartbeats, for
 * anybody to be found dead (T6 b). */
static bool rows_are_stuck(const struct sim *sim, uint32_t mask)
{
    struct block_place place = {.set_tag = sim->set_tag};
    for (place.row = ROW_HEARTBEAT; place.row < layout_rows(&sim->header.layout); place.row++) {
        for (place.slot = 0; place.slot < sim->header.layout.slots; place.slot++) {
            uint32_t intact = 0;
            for (place.disk = 0; place.disk < sim->disk_count; place.disk++) {
                const uint8_t *bytes = sim->disks[place.disk].rows[place.row] + (size_t)place.slot * SIM_BLOCK_BYTES;
                intact += (mask >> place.disk & 1U) != 0 && block_is_intact(bytes, &place);
            }
            if (intact < majority_of(sim->disk_count)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- The bounds: src/protocol/README.md derives them --------------------------------------------------------------------- */

/* A time on the slowest clock, in true time. */
static int64_t on_slow_clock(const struct sim *sim, int64_t ns)
{
    int64_t rate_ppm = 1000000 - (int64_t)sim->header.timings.drift_ppm;
    return ns / rate_ppm * 1000000 + ns % rate_ppm * 1000000 / rate_ppm;
}

static int64_t live_exchange_ns(const struct sim *sim)
{
    int64_t slowest_ns = 0;
    for (uint32_t i = 0; i < sim->disk_count; i++) {
        if (disk_is_well(sim, i) && sim->disks[i].latency_ns > slowest_ns) {
            slowest_ns = sim->disks[i].latency_ns;
        }
    }
    return EXCHANGE_LATENCIES * slowest_ns;
}

static int64_t live_leader_bound_ns(const struct sim *sim)
{
    const struct timings *timings = &sim->header.timings;
    int64_t exchange_ns = live_exchange_ns(sim);
    int64_t poll_ns = sim->poll_ns != 0 ? sim->poll_ns : timings->renew_ns / 4;
    int64_t yield_ns = PRIORITY_MOST * (timings->renew_ns + poll_ns + LEAST_YIELD_EXCHANGES * exchange_ns);
    int64_t waits_ns = timings_watch_ns(timings) + 4 * timings->renew_ns + 3 * poll_ns + yield_ns;
    return on_slow_clock(sim, waits_ns) + BACK_OFF_EXCHANGES * exchange_ns;
}

static int64_t live_join_bound_ns(const struct sim *sim)
{
    const struct timings *timings = &sim->header.timings;
    int64_t slot_ns = timings_watch_ns(timings) + timings->quarantine_ns + 4 * timings->renew_ns;
    int64_t attempt_ns = 2 * timings->renew_ns + 8 * timings->io_deadline_ns;
    return on_slow_clock(sim, slot_ns + JOIN_ATTEMPTS * attempt_ns);
}

/* ---- When the faults end ----------------------------------------------------------------------------------------------- */

void sim_live_draw(struct sim *sim)
{
    int64_t lease_ns = sim->header.timings.lease_ns;
    memset(&sim->live, 0, sizeof sim->live);
    sim->live.is_taken_away = sim_chance(sim, TAKEN_AWAY_PERCENT);
    sim->calm_ns = (int64_t)(FAULTS_LEASES + sim_below(sim, 2 * (uint64_t)FAULTS_LEASES)) * lease_ns +
                   (int64_t)sim_below(sim, (uint64_t)lease_ns);
    int64_t bound_ns = live_leader_bound_ns(sim);
    if (sim_chance(sim, 30)) {
        bound_ns += live_join_bound_ns(sim);
    }
    sim->end_ns = sim->calm_ns + bound_ns + 4 * lease_ns;
    sim_schedule(sim, sim->calm_ns, SIM_LIVE, 0, 0);
}

static void live_take_away(struct sim *sim)
{
    assert(sim->disk_count > 0);
    uint32_t first = (uint32_t)sim_below(sim, sim->disk_count);
    bool is_hanging = sim_chance(sim, 50);
    uint32_t left = sim->disk_count - majority_of(sim->disk_count);
    uint32_t taken = sim->disk_count - left + (uint32_t)sim_below(sim, left + 1);
    for (uint32_t i = 0; i < taken; i++) {
        struct sim_disk *disk = &sim->disks[(first + i) % sim->disk_count];
        disk->is_failing = !is_hanging;
        disk->hangs_until_ns = is_hanging ? INT64_MAX / 4 : 0;
    }
}

/* A hang and a spike are over when what they hold back has come back. */
static int64_t live_last_return_ns(const struct sim *sim)
{
    int64_t last_ns = sim->now_ns;
    for (uint32_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        bool is_of_disk = event->kind == SIM_LAND || event->kind == SIM_CAPTURE || event->kind == SIM_COMPLETE;
        last_ns = is_of_disk && event->at_ns > last_ns ? event->at_ns : last_ns;
    }
    return last_ns;
}

static void live_begin(struct sim *sim)
{
    sim->live.from_ns = live_last_return_ns(sim);
    sim->end_ns += sim->live.from_ns - sim->now_ns;
    for (uint32_t i = 0; i < sim->process_count; i++) {
        sim->processes[i].paused_until_ns = sim->now_ns;
        sim->processes[i].is_clock_stopped = false;
    }
    sim_faults_end(sim);
    if (sim->live.is_taken_away) {
        live_take_away(sim);
    }
    for (uint32_t i = 0; i < sim->process_count; i++) {
        struct sim_process *process = &sim->processes[i];
        for (uint32_t role = 0; role < sim->role_count; role++) {
            sim->live.is_wanted[i][role] = sim_chance(sim, CANDIDATE_PERCENT);
        }
        if (process->is_alive) {
            sim_process_wake(sim, i, sim->now_ns);
            sim_client_later(sim, i, sim->header.timings.renew_ns);
        }
    }
    sim_trace(sim, "%s; all that was on its way is back at %.6f",
              sim->live.is_taken_away ? "a majority of the disks is gone" : "no more faults",
              (double)sim->live.from_ns / 1e9);
}

/* ---- What must happen then --------------------------------------------------------------------------------------------- */

static bool process_holds(const struct sim *sim, const struct sim_process *process, uint32_t role)
{
    int64_t end_ns = process->is_alive ? node_lease_end_ns(process->node) : 0;
    return end_ns != 0 && sim_process_fast_now(sim, process) < end_ns && node_role_epoch(process->node, role) != 0;
}

static bool role_is_led(const struct sim *sim, uint32_t role)
{
    for (uint32_t i = 0; i < sim->process_count; i++) {
        if (process_holds(sim, &sim->processes[i], role)) {
            return true;
        }
    }
    return false;
}

/* Since when somebody who has joined, and has a majority of well disks, has wanted the role without a break. */
static bool live_has_candidate(const struct sim *sim, uint32_t index, uint32_t role)
{
    const struct sim_process *process = &sim->processes[index];
    if (!process->is_alive || sim_process_is_stopped(sim, process) || process->node->stage != NODE_ACTIVE ||
        !process->is_role_used[role] || process->is_to_resign[role]) {
        return false;
    }
    uint32_t well = well_for(sim, process->node);
    return is_majority(sim, well) && !rows_are_stuck(sim, well);
}

static void live_check_role(struct sim *sim, uint32_t role)
{
    struct sim_live *live = &sim->live;
    if (role_is_led(sim, role)) {
        live->led_ns[role] = sim->now_ns;
    }
    for (uint32_t i = 0; i < sim->process_count; i++) {
        bool is_same = live->candidate_life[i][role] == sim->processes[i].life;
        if (!live_has_candidate(sim, i, role) || !is_same) {
            live->candidate_life[i][role] = sim->processes[i].life;
            live->candidate_ns[i][role] = sim->now_ns;
            continue;
        }
        int64_t since_ns = live->candidate_ns[i][role];
        since_ns = live->led_ns[role] > since_ns ? live->led_ns[role] : since_ns;
        int64_t waited_ns = sim->now_ns - since_ns;
        uint64_t percent = (uint64_t)(waited_ns * 100 / live_leader_bound_ns(sim));
        if (percent > sim->statistics.slowest_leader_percent) {
            sim->statistics.slowest_leader_percent = percent;
        }
        if (percent > 100) {
            oracle_object(sim, "no faults, a candidate, a majority of the disks, and no leader within the bound");
        }
    }
}

/* There is room for every process, counting a slot each of them may have abandoned, and slots of the dead are used again. */
static bool live_has_room(const struct sim *sim)
{
    return sim->header.slot_reuse && sim->header.layout.slots >= 2 * sim->process_count;
}

static void live_check_join(struct sim *sim, uint32_t index)
{
    struct sim_live *live = &sim->live;
    const struct sim_process *process = &sim->processes[index];
    bool is_same = live->join_life[index] == process->life;
    bool is_joining = process->is_alive && !sim_process_is_stopped(sim, process) &&
                      process->node->stage == NODE_JOINING && is_majority(sim, well_for(sim, process->node)) &&
                      live_has_room(sim);
    if (!is_joining || !is_same) {
        live->join_life[index] = process->life;
        live->join_ns[index] = sim->now_ns;
        return;
    }
    uint64_t percent = (uint64_t)((sim->now_ns - live->join_ns[index]) * 100 / live_join_bound_ns(sim));
    if (percent > sim->statistics.slowest_join_percent) {
        sim->statistics.slowest_join_percent = percent;
    }
    if (percent > 100) {
        oracle_object(sim, "no faults, a free slot, a majority of the disks, and nobody joins within the bound");
    }
}

/* Nobody becomes leader, and who was one is none any more when a lease has passed. */
static void live_check_nobody(struct sim *sim)
{
    struct sim_live *live = &sim->live;
    if (live->elections == 0) {
        live->elections = sim->statistics.elections + 1;
    } else if (live->elections != sim->statistics.elections + 1) {
        oracle_object(sim, "a leader is elected without a majority of the disks");
    }
    int64_t lease_ns = on_slow_clock(sim, sim->header.timings.lease_ns);
    for (uint32_t role = 0; role < sim->role_count && sim->now_ns > live->from_ns + lease_ns; role++) {
        if (role_is_led(sim, role)) {
            oracle_object(sim, "a leader outlives its lease without a majority of the disks");
        }
    }
}

/* Its next campaign is another one, if there is room for the name at all. */
void sim_live_ended(struct sim *sim, uint32_t index, const struct notice *notice)
{
    sim->live.candidate_life[index][notice->role] = 0;
    if (notice->kind == NOTICE_REFUSED && notice->refusal == REFUSED_FULL) {
        sim->live.is_wanted[index][notice->role] = false;
    }
}

void sim_live(struct sim *sim)
{
    if (sim->live.from_ns == 0) {
        live_begin(sim);
        sim_schedule(sim, sim->live.from_ns + 1, SIM_LIVE, 0, 0);
        return;
    }
    sim->statistics.looks++;
    if (sim->live.is_taken_away) {
        live_check_nobody(sim);
    }
    for (uint32_t role = 0; role < sim->role_count && !sim->live.is_taken_away; role++) {
        live_check_role(sim, role);
    }
    for (uint32_t i = 0; i < sim->process_count && !sim->live.is_taken_away; i++) {
        live_check_join(sim, i);
    }
    sim_schedule(sim, sim->now_ns + sim->header.timings.renew_ns / LOOKS_PER_RENEWAL, SIM_LIVE, 0, 0);
}
