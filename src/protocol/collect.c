#include "protocol/collect.h"

#include <assert.h>
#include <string.h>

void collect_begin(struct collect *collect, const struct layout *layout, uint64_t set_tag, uint32_t disk_count,
                   uint32_t row)
{
    assert(layout->slots <= SLOTS_MAX);
    assert(disk_count >= 1 && disk_count <= DISKS_MAX);
    collect->layout = *layout;
    collect->set_tag = set_tag;
    collect->row = row;
    collect->disk_count = disk_count;
    collect->slots_done = 0;
    memset(collect->intact, 0, layout->slots);
    collect->accepted = collect->committed = collect->promised = (struct ballot){0};
    memset(collect->value, 0, sizeof collect->value);
    memset(collect->disks, 0, sizeof collect->disks);
}

static void disk_note_promise(struct collect_disk *disk, struct ballot promised)
{
    if (promised.slot == disk->promised.slot || ballot_is_none(disk->promised)) {
        if (ballot_is_above(promised, disk->promised)) {
            disk->promised = promised;
        }
    } else if (ballot_is_above(promised, disk->promised)) {
        disk->runner_up = disk->promised;
        disk->promised = promised;
    } else if (ballot_is_above(promised, disk->runner_up)) {
        disk->runner_up = promised;
    }
}

static void collect_block(struct collect *collect, struct collect_disk *disk, const struct register_block *block)
{
    disk_note_promise(disk, block->promised);
    if (ballot_is_above(block->promised, collect->promised)) {
        collect->promised = block->promised;
    }
    if (ballot_is_above(block->committed, collect->committed)) {
        collect->committed = block->committed;
    }
    if (ballot_is_above(block->accepted, disk->accepted)) {
        disk->accepted = block->accepted;
    }
    if (ballot_is_above(block->accepted, collect->accepted)) {
        collect->accepted = block->accepted;
        memcpy(collect->value, block->value, VALUE_BYTES);
    }
}

void collect_add(struct collect *collect, uint32_t disk_index, const uint8_t *bytes)
{
    assert(disk_index < collect->disk_count);
    struct collect_disk *disk = &collect->disks[disk_index];
    if (disk->is_read) {
        return;
    }
    disk->is_read = true;
    disk->is_whole = true;
    struct block_place place = {.set_tag = collect->set_tag, .disk = disk_index, .row = collect->row};
    for (uint32_t slot = 0; slot < collect->layout.slots; slot++) {
        struct register_block block;
        place.slot = slot;
        const uint8_t *at = bytes + (size_t)slot * collect->layout.block_bytes;
        if (!block_decode_register(at, collect->layout.block_bytes, &place, &block)) {
            disk->is_whole = false;
            continue;
        }
        collect->intact[slot]++;
        if (collect->intact[slot] == majority_of(collect->disk_count)) {
            collect->slots_done++;
        }
        collect_block(collect, disk, &block);
    }
}

bool collect_is_majority(const struct collect *collect)
{
    assert(collect->slots_done <= collect->layout.slots);
    return collect->slots_done == collect->layout.slots;
}

bool collect_is_proven(const struct collect *collect, struct ballot known)
{
    return collect_is_majority(collect) &&
           (ballot_is_same(collect->committed, collect->accepted) || ballot_is_same(known, collect->accepted));
}

bool collect_is_proven_twice(const struct collect *first, const struct collect *second)
{
    if (!collect_is_majority(first) || !ballot_is_same(first->accepted, second->accepted)) {
        return false;
    }
    struct ballot accepted = first->accepted;
    uint32_t agreeing = 0;
    for (uint32_t i = 0; i < first->disk_count; i++) {
        const struct collect_disk *one = &first->disks[i];
        const struct collect_disk *two = &second->disks[i];
        struct ballot other = two->promised.slot == accepted.slot ? two->runner_up : two->promised;
        agreeing += one->is_read && two->is_read && one->is_whole && two->is_whole &&
                    ballot_is_same(one->accepted, accepted) && !ballot_is_above(other, accepted);
    }
    return agreeing >= majority_of(first->disk_count);
}
