#include "offline/repair.h"

#include "block/block.h"
#include "block/layout.h"
#include "block/role_value.h"
#include "disk/message.h"
#include "protocol/collect.h"

#include <diskarch/diskarch.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct repair {
    const struct device *devices; /* by index in the set */
    const struct disk_set *set;
    struct layout layout;
    uint64_t set_tag;
    uint32_t disk_count;
    uint32_t out_disks; /* bit i: somebody has counted disk i out */
    bool is_writing;    /* the second time through all rows */
    uint8_t *rows;      /* the row being looked at, of each disk */
    uint8_t *block;
    struct repair_result result;
    char *message;
    size_t message_bytes;
};

static const uint8_t *block_at(const struct repair *repair, const struct block_place *place)
{
    return repair->rows + (size_t)place->disk * layout_row_bytes(&repair->layout) +
           (size_t)place->slot * repair->layout.block_bytes;
}

static bool is_out(const struct repair *repair, uint32_t disk)
{
    return (repair->out_disks >> disk & 1) != 0;
}

static int refuse_device(struct repair *repair, uint32_t disk, const char *what, int error)
{
    return message_set(error, repair->message, repair->message_bytes,
                       "%s: %s: %s; see the kernel log for the device's state, then repair again",
                       repair->set->members[disk].path, what, strerror(-error));
}

/* Only the blocks that fail are damaged (rule D9); writing them anew is what may cure them. */
static int read_row_of(struct repair *repair, uint32_t disk, uint32_t row)
{
    uint32_t block_bytes = repair->layout.block_bytes;
    uint8_t *to = repair->rows + (size_t)disk * layout_row_bytes(&repair->layout);
    const struct device *device = &repair->devices[disk];
    int error = device_read(device, to, layout_row_bytes(&repair->layout), layout_offset(&repair->layout, row, 0));
    for (uint32_t slot = 0; error == -EIO && slot < repair->layout.slots; slot++, to += block_bytes) {
        if (device_read(device, to, block_bytes, layout_offset(&repair->layout, row, slot)) != 0) {
            memset(to, 0, block_bytes);
        }
    }
    return error == -EIO ? 0 : error;
}

static int read_row(struct repair *repair, uint32_t row)
{
    for (uint32_t disk = 0; disk < repair->disk_count; disk++) {
        int error = read_row_of(repair, disk, row);
        if (error != 0) {
            return refuse_device(repair, disk, "a row cannot be read", error);
        }
    }
    return 0;
}

static int write_block(struct repair *repair, const struct block_place *place)
{
    int error = device_write(&repair->devices[place->disk], repair->block, repair->layout.block_bytes,
                             layout_offset(&repair->layout, place->row, place->slot));
    if (error != 0) {
        return refuse_device(repair, place->disk, "a block cannot be written", error);
    }
    repair->result.written_blocks[place->disk]++;
    return 0;
}

/* ---- What the copies of one block come to ----------------------------------------------------------------------------- */

/* One of these, by the kind of row. */
union copy {
    struct claim_block claim;
    struct heartbeat_block heartbeat;
    struct register_block value;
};

static bool copy_decode(const struct repair *repair, const struct block_place *place, union copy *ret)
{
    const uint8_t *bytes = block_at(repair, place);
    uint32_t block_bytes = repair->layout.block_bytes;
    switch (block_kind_of_row(place->row)) {
    case BLOCK_CLAIM:
        return block_decode_claim(bytes, block_bytes, place, &ret->claim);
    case BLOCK_HEARTBEAT:
        return block_decode_heartbeat(bytes, block_bytes, place, &ret->heartbeat);
    case BLOCK_REGISTER:
        break;
    }
    return block_decode_register(bytes, block_bytes, place, &ret->value);
}

static void copy_encode(struct repair *repair, const struct block_place *place, const union copy *copy)
{
    uint32_t block_bytes = repair->layout.block_bytes;
    switch (block_kind_of_row(place->row)) {
    case BLOCK_CLAIM:
        block_encode_claim(repair->block, block_bytes, place, &copy->claim);
        break;
    case BLOCK_HEARTBEAT:
        block_encode_heartbeat(repair->block, block_bytes, place, &copy->heartbeat);
        break;
    case BLOCK_REGISTER:
        block_encode_register(repair->block, block_bytes, place, &copy->value);
        break;
    }
}

static uint64_t author_of(uint32_t row, const union copy *copy)
{
    switch (block_kind_of_row(row)) {
    case BLOCK_CLAIM:
        return copy->claim.author.incarnation;
    case BLOCK_HEARTBEAT:
        return copy->heartbeat.author.incarnation;
    case BLOCK_REGISTER:
        break;
    }
    return copy->value.author.incarnation;
}

static struct ballot highest_of(struct ballot a, struct ballot b)
{
    return ballot_is_above(a, b) ? a : b;
}

/* As a restart recovers its block: the value accepted last, under a promise that takes back none that any copy has made. */
static void merge_register(struct register_block *best, const struct register_block *other)
{
    struct ballot promised = highest_of(best->promised, other->promised);
    struct ballot committed = highest_of(best->committed, other->committed);
    int order = ballot_compare(other->accepted, best->accepted);
    if (order > 0 || (order == 0 && ballot_is_above(other->promised, best->promised))) {
        *best = *other;
    }
    best->promised = promised;
    best->committed = committed;
}

/* Of claims and heartbeats: how many disks that count show this author. */
static uint32_t count_author(const struct repair *repair, struct block_place place, uint64_t author)
{
    uint32_t count = 0;
    for (place.disk = 0; place.disk < repair->disk_count; place.disk++) {
        union copy copy;
        count +=
            !is_out(repair, place.disk) && copy_decode(repair, &place, &copy) && author_of(place.row, &copy) == author;
    }
    return count;
}

/* Its owners are all dead, and what they wrote has landed: any of them will do, so the one that most disks show. */
static bool is_better(const struct repair *repair, const struct block_place *place, const union copy *other,
                      const union copy *best)
{
    uint64_t author = author_of(place->row, other);
    uint64_t best_author = author_of(place->row, best);
    if (author != best_author) {
        return count_author(repair, *place, author) > count_author(repair, *place, best_author);
    }
    return place->row == ROW_HEARTBEAT ? other->heartbeat.author.sequence > best->heartbeat.author.sequence
                                       : other->claim.is_given_back && !best->claim.is_given_back;
}

/* What all disks are to show. Returns the number of disks that count and gave the block intact. */
static uint32_t merge_copies(const struct repair *repair, struct block_place place, union copy *ret)
{
    uint32_t intact = 0;
    for (place.disk = 0; place.disk < repair->disk_count; place.disk++) {
        union copy copy;
        if (is_out(repair, place.disk) || !copy_decode(repair, &place, &copy)) {
            continue;
        }
        if (intact++ == 0) {
            *ret = copy;
        } else if (block_kind_of_row(place.row) == BLOCK_REGISTER) {
            merge_register(&ret->value, &copy.value);
        } else if (is_better(repair, &place, &copy, ret)) {
            *ret = copy;
        }
    }
    if (place.row == ROW_HEARTBEAT) {
        ret->heartbeat.counted_out = 0;
    }
    return intact;
}

/* ---- Rows --------------------------------------------------------------------------------------------------------------- */

static int refuse_lost(struct repair *repair, const struct block_place *place, const union copy *copy, uint32_t intact)
{
    struct role_value value;
    bool is_named = block_kind_of_row(place->row) == BLOCK_REGISTER && intact > 0 &&
                    place->row >= layout_register_row(&repair->layout, 0) &&
                    role_value_decode(copy->value.value, &value) && value.kind != VALUE_UNNAMED;
    return message_set(DISKARCH_EUNSETTLED, repair->message, repair->message_bytes,
                       "set \"%s\": row %u, slot %u: its block is intact on %u of the disks that count, and %u are "
                       "needed; the last change of %s may be lost if it is made up. Bring a disk back that has it, or "
                       "save the disks and format the set anew",
                       repair->set->header.set_name, place->row, place->slot, intact, majority_of(repair->disk_count),
                       is_named ? value.name : "what stood there");
}

static int repair_slot(struct repair *repair, struct block_place place)
{
    union copy merged = {0};
    uint32_t intact = merge_copies(repair, place, &merged);
    if (intact < majority_of(repair->disk_count)) {
        return refuse_lost(repair, &place, &merged, intact);
    }
    for (place.disk = 0; place.disk < repair->disk_count && repair->is_writing; place.disk++) {
        copy_encode(repair, &place, &merged);
        if (memcmp(repair->block, block_at(repair, &place), repair->layout.block_bytes) != 0) {
            int error = write_block(repair, &place);
            if (error != 0) {
                return error;
            }
        }
    }
    return 0;
}

static int repair_row(struct repair *repair, uint32_t row)
{
    struct block_place place = {.set_tag = repair->set_tag, .row = row};
    int error = read_row(repair, row);
    for (place.slot = 0; place.slot < repair->layout.slots && error == 0; place.slot++) {
        error = repair_slot(repair, place);
    }
    return error;
}

static int flush(struct repair *repair)
{
    for (uint32_t disk = 0; disk < repair->disk_count; disk++) {
        if (fsync(repair->devices[disk].fd) != 0) {
            return refuse_device(repair, disk, "what was written cannot be flushed", -errno);
        }
    }
    return 0;
}

/* The heartbeats last: they say which disks are out, and must say so until those disks hold everything. */
static int repair_rows(struct repair *repair, bool is_writing)
{
    int error = 0;
    repair->is_writing = is_writing;
    for (uint32_t row = 0; row < layout_rows(&repair->layout) && error == 0; row++) {
        error = row == ROW_HEARTBEAT ? 0 : repair_row(repair, row);
    }
    error = error == 0 && is_writing ? flush(repair) : error;
    error = error == 0 ? repair_row(repair, ROW_HEARTBEAT) : error;
    return error == 0 && is_writing ? flush(repair) : error;
}

/* Any intact heartbeat that names a disk is believed, whoever wrote it. */
static int find_out_disks(struct repair *repair)
{
    struct block_place place = {.set_tag = repair->set_tag, .row = ROW_HEARTBEAT};
    int error = read_row(repair, ROW_HEARTBEAT);
    for (; place.slot < repair->layout.slots && error == 0; place.slot++) {
        for (place.disk = 0; place.disk < repair->disk_count; place.disk++) {
            union copy copy;
            if (copy_decode(repair, &place, &copy)) {
                repair->out_disks |= copy.heartbeat.counted_out & ((UINT32_C(1) << repair->disk_count) - 1);
            }
        }
    }
    return error;
}

int repair_run(const struct device *devices, const struct disk_set *set, struct repair_result *ret, char *message,
               size_t message_bytes)
{
    struct repair repair = {.devices = devices,
                            .set = set,
                            .layout = set->header.layout,
                            .set_tag = set_header_tag(&set->header),
                            .disk_count = set->header.disk_count,
                            .message = message,
                            .message_bytes = message_bytes};
    repair.rows = device_buffer_new((size_t)repair.disk_count * layout_row_bytes(&repair.layout));
    repair.block = device_buffer_new(repair.layout.block_bytes);
    int error = 0;
    if (repair.rows == NULL || repair.block == NULL) {
        error = message_set(-ENOMEM, message, message_bytes, "memory: none for a row of each disk; free some");
        goto out;
    }
    error = find_out_disks(&repair);
    error = error != 0 ? error : repair_rows(&repair, false);
    error = error != 0 ? error : repair_rows(&repair, true);
    if (error == 0) {
        repair.result.returned_disks = repair.out_disks;
        *ret = repair.result;
    }
out:
    free(repair.rows);
    free(repair.block);
    return error;
}
