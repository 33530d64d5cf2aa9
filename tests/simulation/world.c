/* Draws a world from the seed and runs it. */
#include "block/mix.h"
#include "disk/disk.h"
#include "sim.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CROWDED_PERCENT = 12,
    HASTY_PERCENT = 25, /* worlds whose clients do not wait for leases */
    HASTY_LEASES = 4,   /* they live for so many, up to twice as long */
    PACE_LATENCIES = 4, /* the hastiest pace: an exchange and a little */
    PACE_DOUBLINGS = 8,
    SPIKE_HALVINGS = 10,
    SLOW_ROLES = 2, /* of a world that is paced by the lease, at most */
};

void sim_trace(struct sim *sim, const char *format, ...)
{
    if (sim->trace == NULL) {
        return;
    }
    va_list list;
    va_start(list, format);
    fprintf(sim->trace, "%12.6f ", (double)sim->now_ns / 1e9);
    vfprintf(sim->trace, format, list);
    fputc('\n', sim->trace);
    va_end(list);
}

void sim_hash(struct sim *sim, uint64_t value)
{
    sim->hash = (sim->hash ^ value ^ (uint64_t)sim->now_ns) * UINT64_C(0x100000001b3);
}

static void world_draw_header(struct sim *sim)
{
    static const uint32_t disk_counts[] = {1, 3, 3, 3, 3, 3, 5, 2};
    static const uint32_t drifts_ppm[] = {500, 5000, 50000, 150000};
    struct set_header *header = &sim->header;
    memset(header, 0, sizeof *header);
    header->major = FORMAT_MAJOR;
    memcpy(header->set_name, "simulated", 10);
    sim->disk_count = disk_counts[sim_below(sim, sizeof disk_counts / sizeof disk_counts[0])];
    sim->disk_count = sim->options.disks != 0 ? sim->options.disks : sim->disk_count;
    header->disk_count = sim->disk_count;
    header->set_uuid.bytes[0] = 1;
    header->generation = 1;
    for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
        header->disk_uuids[disk].bytes[0] = (uint8_t)(disk + 1);
    }
    header->layout = (struct layout){
        .block_bytes = SIM_BLOCK_BYTES,
        .slots = (uint32_t)(2 + sim_below(sim, sim_chance(sim, 50) ? 4 : SIM_SLOTS_MAX - 1)),
        .registers = (uint32_t)(2 + sim_below(sim, SIM_REGISTERS_MAX - 1)),
    };
    int64_t lease_ns = NS_PER_S;
    header->timings = (struct timings){
        .lease_ns = lease_ns,
        .renew_ns = lease_ns / (sim_chance(sim, 50) ? 10 : 4),
        .io_deadline_ns = lease_ns / (sim_chance(sim, 50) ? 20 : 5),
        .quarantine_ns = (int64_t)sim_below(sim, 4) * lease_ns / 2 + lease_ns / 5,
        .drift_ppm = drifts_ppm[sim_below(sim, 4)],
    };
    header->slot_reuse = !sim_chance(sim, 10);
    if (sim->is_crowded) {
        header->layout.slots = 2 + (uint32_t)sim_below(sim, 3);
        header->timings.io_deadline_ns = header->timings.quarantine_ns = lease_ns / 5;
    }
    sim->set_tag = set_header_tag(header);
}

/*
 * How hasty the clients are. Most worlds are paced by the lease: what goes wrong rarely goes wrong there, between kills,
 * pauses and renewals. In the others clients act every few exchanges, or at any pace between; such a world sees as many
 * changes of holder in one lease as the others in all their life, and ends sooner.
 */
static void world_draw_pace(struct sim *sim)
{
    int64_t lease_ns = sim->header.timings.lease_ns;
    sim->pace_ns = 2 * lease_ns;
    sim->poll_ns = 0;
    if (!sim_chance(sim, HASTY_PERCENT)) {
        return;
    }
    int64_t fastest_ns = lease_ns;
    for (uint32_t i = 0; i < sim->disk_count; i++) {
        fastest_ns = sim->disks[i].latency_ns < fastest_ns ? sim->disks[i].latency_ns : fastest_ns;
        sim->disks[i].spike_ns = (sim->disks[i].spike_ns >> sim_below(sim, SPIKE_HALVINGS)) + 1;
    }
    sim->pace_ns = PACE_LATENCIES * fastest_ns << sim_below(sim, PACE_DOUBLINGS);
    sim->fault_percent >>= sim_below(sim, 4);
    sim->pace_ns = sim->pace_ns < lease_ns / 2 ? sim->pace_ns : lease_ns / 2;
    sim->role_count = (uint32_t)(1 + sim_below(sim, SIM_ROLES_MAX));
    sim->end_ns = (int64_t)(HASTY_LEASES + sim_below(sim, HASTY_LEASES)) * lease_ns;
    if (sim_chance(sim, 75)) {
        sim->poll_ns = sim->pace_ns;
    }
}

void sim_map_processes(struct sim *sim)
{
    struct node_params params = {.header = sim->header, .depth = SIM_DEPTH, .roles_max = SIM_ROLES_MAX};
    sim->node_bytes = node_bytes(&params);
    sim->process_bytes = SIM_TURN_BYTES + 2 * sim->node_bytes;
    for (uint32_t i = 0; i < sim->process_count; i++) {
        struct sim_process *process = &sim->processes[i];
        process->memory = realloc(process->memory, sim->process_bytes);
        assert(process->memory != NULL);
        process->memory_used = sim->process_bytes; /* none of it is zero yet */
    }
}

/* Disks so slow that claims overtake one another, and now and then an answer that comes after its claim is long decided. */
static void world_draw_crowd(struct sim *sim)
{
    uint64_t delay_ns = (uint64_t)sim->header.timings.io_deadline_ns;
    sim->pace_ns = 2 * sim->header.timings.lease_ns;
    sim->poll_ns = 0;
    sim->process_count = SIM_PROCESSES_DRAWN;
    sim->fault_percent /= 4;
    sim->end_ns *= 2;
    for (uint32_t i = 0; i < sim->disk_count; i++) {
        sim->disks[i].latency_ns = (int64_t)(delay_ns / 64 + sim_below(sim, delay_ns / 16));
        sim->disks[i].spike_percent = (uint32_t)sim_below(sim, 6);
        sim->disks[i].spike_ns = (int64_t)(4 * delay_ns);
    }
}

static void world_draw(struct sim *sim)
{
    sim->is_crowded = mix64(sim->seed) % 100 < CROWDED_PERCENT; /* no draw: other worlds stay as they are */
    world_draw_header(sim);
    sim->fault_percent = (uint32_t)sim_below(sim, 60);
    sim->process_count = (uint32_t)(2 + sim_below(sim, SIM_PROCESSES_DRAWN - 1));
    sim->role_count = (uint32_t)(1 + sim_below(sim, SLOW_ROLES));
    sim->end_ns = (int64_t)(8 + sim_below(sim, 12)) * sim->header.timings.lease_ns;
    for (uint32_t i = 0; i < sim->disk_count; i++) {
        struct sim_disk *disk = &sim->disks[i];
        disk->latency_ns = (int64_t)(20000 + sim_below(sim, sim_chance(sim, 30) ? 20000000 : 500000));
        disk->spike_percent = 1;
        disk->spike_ns = (int64_t)sim_below(sim, (uint64_t)sim->header.timings.lease_ns * 2) + 1;
        disk->hangs_until_ns = 0;
        disk->is_failing = disk->is_treacherous = disk->has_image = disk->is_replaced = false;
        disk->memory = MEMORY_GOOD;
        sim_schedule(sim, (int64_t)sim_below(sim, 2 * (uint64_t)NS_PER_S), SIM_WEATHER, i, 0);
    }
    if (sim->is_crowded) {
        world_draw_crowd(sim);
    } else {
        world_draw_pace(sim);
    }
    sim->process_count = sim->options.nodes != 0 ? sim->options.nodes : sim->process_count;
    sim->role_count = sim->options.roles != 0 ? sim->options.roles : sim->role_count;
    sim_weather_draw(sim);
    sim_disks_format(sim);
    sim_map_processes(sim);
    for (uint32_t i = 0; i < sim->process_count; i++) {
        struct sim_process *process = &sim->processes[i];
        int64_t rate_ppm[2];
        sim_draw_rates(sim, rate_ppm);
        sim_process_clock(sim, i, rate_ppm);
        process->is_alive = false;
        int64_t at_ns =
            sim_chance(sim, 70) ? (int64_t)sim_below(sim, 1000) : (int64_t)sim_below(sim, (uint64_t)NS_PER_S);
        sim_schedule(sim, at_ns, SIM_CLIENT, i, process->life);
    }
}

void sim_reset(struct sim *sim, uint64_t seed)
{
    uint64_t seeds[2] = {seed, seed * UINT64_C(0x9e3779b97f4a7c15)};
    uint64_t node_seeds[2] = {~seed, seed + 1};
    random_seed(&sim->random, seeds);
    random_seed(&sim->node_random, node_seeds);
    uint64_t weather_seeds[2] = {seed + 2, ~seed};
    random_seed(&sim->weather_random, weather_seeds);
    sim->seed = seed;
    sim->run++;
    sim->hash = UINT64_C(0xcbf29ce484222325);
    sim->violation = NULL;
    sim->faults.count = sim->faults.injected = 0;
    sim->now_ns = 0;
    sim->event_count = 0;
    sim->order = 0;
    sim->ballot_count = 0;
    sim->ready_count = 0;
    sim->values = 0;
    for (uint32_t i = 0; i < SIM_NAMED_REGISTERS; i++) {
        sim->histories[i].count = 0;
    }
    sim->out_told = 0;
    sim->calm_ns = 0;
    sim->calm_witness = 0;
    memset(sim->chains, 0, sizeof sim->chains);
    memset(sim->role_epoch, 0, sizeof sim->role_epoch);
    for (uint32_t i = 0; i < sim->request_end; i++) {
        sim->requests[i].is_used = false;
    }
    sim->request_end = 0;
    for (uint32_t i = 0; i < SIM_PROCESSES_MAX; i++) {
        void *memory = sim->processes[i].memory;
        disk_engine_close(sim->processes[i].engine);
        memset(&sim->processes[i], 0, offsetof(struct sim_process, inbox));
        sim->processes[i].inbox_count = 0;
        sim->processes[i].memory = memory;
    }
}

void sim_dispatch(struct sim *sim, const struct sim_event *event)
{
    switch (event->kind) {
    case SIM_TURN:
        sim_process_turn(sim, event);
        break;
    case SIM_LAND:
        sim_disk_land(sim, event);
        break;
    case SIM_CAPTURE:
        sim_disk_capture(sim, event);
        break;
    case SIM_COMPLETE:
        sim_disk_complete(sim, event);
        break;
    case SIM_CLIENT:
        sim_client(sim, event);
        break;
    case SIM_CALL:
        sim_call_client(sim, event);
        break;
    case SIM_STOPPED:
        sim_client_stopped(sim, event);
        break;
    case SIM_LIVE:
        sim_live(sim);
        break;
    case SIM_WEATHER:
        sim_weather(sim, event);
        break;
    }
}

void sim_pass(struct sim *sim, int64_t until_ns)
{
    struct sim_event event;
    while (sim->violation == NULL && sim->event_count > 0 && sim->events[0].at_ns < until_ns) {
        sim_next(sim, &event);
        sim->now_ns = event.at_ns;
        sim_dispatch(sim, &event);
    }
}

const char *sim_run(struct sim *sim, uint64_t seed, uint64_t *ret_hash)
{
    sim_reset(sim, seed);
    world_draw(sim);
    sim_trace(sim, "%s%u disks, %u slots, %u processes, d %lld ms, renew %lld ms, quarantine %lld ms, rho %u ppm",
              sim->is_crowded ? "crowded: " : "", sim->disk_count, sim->header.layout.slots, sim->process_count,
              (long long)(sim->header.timings.io_deadline_ns / NS_PER_MS),
              (long long)(sim->header.timings.renew_ns / NS_PER_MS),
              (long long)(sim->header.timings.quarantine_ns / NS_PER_MS), sim->header.timings.drift_ppm);
    sim_pass(sim, sim->end_ns);
    if (sim->violation == NULL) {
        oracle_at_end(sim);
        oracle_histories(sim);
    }
    *ret_hash = sim->hash;
    return sim->violation;
}

struct sim *sim_new(void)
{
    return calloc(1, sizeof(struct sim));
}

void sim_free(struct sim *sim)
{
    if (sim == NULL) {
        return;
    }
    for (uint32_t i = 0; i < SIM_PROCESSES_MAX; i++) {
        free(sim->processes[i].memory);
        disk_engine_close(sim->processes[i].engine);
    }
    free(sim);
}

void sim_set_options(struct sim *sim, const struct sim_options *options)
{
    sim->options = *options;
}

const struct sim_fault_log *sim_fault_log(const struct sim *sim)
{
    return &sim->faults;
}

void sim_set_trace(struct sim *sim, FILE *to)
{
    sim->trace = to;
}

const struct sim_statistics *sim_statistics(const struct sim *sim)
{
    return &sim->statistics;
}

int64_t sim_now_ns(const struct sim *sim)
{
    return sim->now_ns;
}
