/* Rigs on the disks of the simulator: the same contract, kept by what the protocol is tested against. */
#include "rig.h"

#include "simulation/engine.h"

#include <criterion/criterion.h>
#include <string.h>

const struct rig_kind rig_kinds[] = {
    {.name = "simulated disks, 512", .block_bytes = SIM_BLOCK_BYTES, .can_fail = true},
    {.name = NULL},
};

static const struct set_header simulated_header = {
    .major = FORMAT_MAJOR,
    .set_name = "simulated",
    .set_uuid = {.bytes = {1}},
    .disk_count = RIG_DISKS,
    .generation = 1,
    .disk_uuids = {{.bytes = {1}}, {.bytes = {2}}, {.bytes = {3}}},
    .layout = {.block_bytes = SIM_BLOCK_BYTES, .slots = SCRATCH_SLOTS, .registers = SCRATCH_REGISTERS},
    .timings = {.lease_ns = NS_PER_S,
                .renew_ns = NS_PER_S / 10,
                .io_deadline_ns = NS_PER_S / 20,
                .quarantine_ns = 60 * NS_PER_S,
                .drift_ppm = 5000},
};

/* A world of healthy, formatted disks and nothing else. */
static struct sim *simulated_world(const struct set_header *header)
{
    static const uint64_t seed[2] = {1, 2};
    struct sim *sim = sim_new();
    cr_assert(sim != NULL && header->layout.block_bytes == SIM_BLOCK_BYTES);
    random_seed(&sim->random, seed);
    sim->header = *header;
    sim->set_tag = set_header_tag(header);
    sim->disk_count = header->disk_count;
    for (uint32_t i = 0; i < sim->disk_count; i++) {
        sim->disks[i].latency_ns = NS_PER_MS / 10;
        sim->disks[i].spike_percent = 5;
        sim->disks[i].spike_ns = 5 * NS_PER_MS;
    }
    sim_disks_format(sim);
    return sim;
}

void rig_make(struct rig *rig)
{
    rig->header = simulated_header;
    rig->sim = simulated_world(&rig->header);
    rig->engine = sim_engine_open(rig->sim, rig->host_count++, RIG_DEPTH, RIG_NO_DISK, rig->wake_fd);
}

void rig_unmake(struct rig *rig)
{
    disk_engine_close(rig->engine);
    sim_free(rig->sim);
}

void rig_open_host(struct rig *rig, uint32_t absent_disk, struct rig_host *ret)
{
    *ret = (struct rig_host){.engine = sim_engine_open(rig->sim, rig->host_count++, RIG_DEPTH, absent_disk, -1)};
}

void rig_close_host(struct rig_host *host)
{
    disk_engine_close(host->engine);
}

void rig_set_failing(struct rig *rig, uint32_t disk, bool is_failing)
{
    rig->sim->disks[disk].is_failing = is_failing;
}

/* FNV-1a. */
uint64_t rig_checksum(const struct rig *rig, uint32_t disk)
{
    const uint8_t *bytes = (const uint8_t *)rig->sim->disks[disk].rows;
    uint64_t checksum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof rig->sim->disks[disk].rows; i++) {
        checksum = (checksum ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return checksum;
}

int64_t rig_now_ns(const struct rig *rig)
{
    return sim_now_ns(rig->sim);
}
