/* What must be true of disks that forget (D7) and of disks that return (D8). */
#include "block/block.h"
#include "protocol/collect.h"
#include "protocol/state.h"
#include "sim.h"

/* ---- D7 --------------------------------------------------------------------------------------------------------------- */

/* On how many disks besides this one an intact heartbeat says that it is counted out. */
static uint32_t oracle_tellers(const struct sim *sim, uint32_t out, struct node_id id)
{
    uint32_t tellers = 0;
    for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
        struct block_place place = {sim->set_tag, disk, ROW_HEARTBEAT, id.slot};
        const uint8_t *bytes = sim->disks[disk].rows[ROW_HEARTBEAT] + (size_t)id.slot * SIM_BLOCK_BYTES;
        struct heartbeat_block block;
        tellers += disk != out && block_decode_heartbeat(bytes, SIM_BLOCK_BYTES, &place, &block) &&
                   block.author.incarnation == id.incarnation && (block.counted_out >> out & 1U) != 0;
    }
    return tellers;
}

void oracle_out(struct sim *sim, const struct node *node)
{
    for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
        if (node_disk(node, disk).state == DISK_OUT && (sim->out_told >> disk & 1U) == 0 &&
            oracle_tellers(sim, disk, node->self) >= majority_of(sim->disk_count)) {
            sim->out_told |= 1U << disk;
        }
    }
}

/* Who starts after a majority has been told of it joins without that disk, though everybody else may have died. */
void oracle_knows_out(struct sim *sim, uint32_t index)
{
    const struct sim_process *process = &sim->processes[index];
    for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
        if (process->must_know_out[disk] && node_disk(process->node, disk).state != DISK_OUT) {
            oracle_object(sim, "a disk that was counted out counts again");
        }
    }
}

/* ---- D8 --------------------------------------------------------------------------------------------------------------- */

/* For who has counted the disk out it never returns. */
static bool oracle_is_witness_there(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->process_count; i++) {
        const struct sim_process *process = &sim->processes[i];
        if (process->is_alive && process->node->stage == NODE_ACTIVE &&
            process->node->self.incarnation == sim->calm_witness) {
            return node_disk(process->node, sim->calm_disk).state != DISK_OUT;
        }
    }
    return false;
}

/* Whether everybody who acts finds the disk good. */
static bool oracle_is_disk_good(const struct sim *sim, uint32_t disk)
{
    for (uint32_t i = 0; i < sim->process_count; i++) {
        const struct sim_process *process = &sim->processes[i];
        if (process->is_alive && process->node->stage == NODE_ACTIVE &&
            node_disk(process->node, disk).state != DISK_GOOD) {
            return false;
        }
    }
    return true;
}

/* The highest accepted ballot that the disk shows in the row. Counts, by slot, the disks that are intact. */
static struct ballot oracle_highest(const struct sim *sim, uint32_t disk, uint32_t row, uint32_t *intact)
{
    struct ballot highest = {0};
    struct block_place place = {sim->set_tag, disk, row, 0};
    for (place.slot = 0; place.slot < sim->header.layout.slots; place.slot++) {
        const uint8_t *bytes = sim->disks[disk].rows[row] + (size_t)place.slot * SIM_BLOCK_BYTES;
        struct register_block block;
        if (block_decode_register(bytes, SIM_BLOCK_BYTES, &place, &block)) {
            intact[place.slot]++;
            highest = ballot_is_above(block.accepted, highest) ? block.accepted : highest;
        }
    }
    return highest;
}

/* A blank that took a disk's place never returns, and without a return nobody looks for half-kept values. */
static bool oracle_has_returned(const struct sim *sim)
{
    return sim_disk_is_itself(sim, sim->calm_disk);
}

static bool disk_shows_damage(const struct sim *sim, uint32_t disk)
{
    struct block_place place = {sim->set_tag, disk, ROW_HEARTBEAT, 0};
    struct heartbeat_block block;
    bool is_damaged = false;
    for (; place.slot < sim->header.layout.slots; place.slot++) {
        const uint8_t *bytes = sim->disks[disk].rows[ROW_HEARTBEAT] + (size_t)place.slot * SIM_BLOCK_BYTES;
        is_damaged |= !block_decode_heartbeat(bytes, SIM_BLOCK_BYTES, &place, &block);
    }
    return is_damaged;
}

/*
 * D7: after a calm everybody who acts has noticed that a disk lost its header, so it gets no writes any more; unless a write of
 * every single slot was on its way when the disk was overwritten, and nothing in the row that all read shows it.
 */
void oracle_blank(struct sim *sim)
{
    for (uint32_t disk = 0; disk < sim->disk_count && sim_is_calm(sim); disk++) {
        if (sim_disk_is_itself(sim, disk) || !disk_shows_damage(sim, disk)) {
            continue;
        }
        for (uint32_t i = 0; i < sim->process_count; i++) {
            const struct sim_process *process = &sim->processes[i];
            if (process->is_alive && process->node->stage == NODE_ACTIVE && health_counts(process->node, disk)) {
                oracle_object(sim, "a disk without a header still gets writes");
            }
        }
    }
}

/* After a return and a calm every committed value stands on every good disk, but where damage has taken a majority away. */
void oracle_redundancy(struct sim *sim)
{
    if (sim->calm_witness == 0 || !oracle_is_witness_there(sim) || !oracle_has_returned(sim)) {
        return;
    }
    sim->statistics.calms++;
    for (uint32_t row = ROW_LEDGER_FIRST; row < layout_rows(&sim->header.layout); row++) {
        uint32_t intact[SIM_SLOTS_MAX] = {0};
        bool is_stuck = false, is_missing = false;
        for (uint32_t disk = 0; disk < sim->disk_count; disk++) {
            if (oracle_is_disk_good(sim, disk)) {
                is_missing |= ballot_is_above(sim->chains[row].tip, oracle_highest(sim, disk, row, intact));
            }
        }
        for (uint32_t slot = 0; slot < sim->header.layout.slots; slot++) {
            is_stuck |= intact[slot] < majority_of(sim->disk_count);
        }
        if (is_missing && !is_stuck) {
            oracle_object(sim, "a committed value does not stand on every good disk");
        }
    }
}
