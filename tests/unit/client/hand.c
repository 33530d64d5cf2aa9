#include "hand.h"

#include "block/name.h"
#include "block/role_value.h"
#include "disk/disk_set.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct set_header hand_read_header(const struct fixture *fixture)
{
    struct disk_set *set = malloc(sizeof *set);
    struct disk_set_options options = {.paths = fixture->disks, .path_count = FIXTURE_DISKS};
    CHECK(set != NULL && disk_set_open(&options, set) == 0);
    struct set_header header = set->header;
    disk_set_close(set);
    free(set);
    return header;
}

uint32_t hand_row_of(const struct set_header *header, const char *name, uint32_t probe)
{
    uint32_t registers = header->layout.registers;
    return layout_register_row(&header->layout, (uint32_t)((name_hash(name) + probe) % registers));
}

struct ballot hand_ballot(uint64_t round, uint32_t slot)
{
    return (struct ballot){.round = round, .slot = slot, .incarnation = 100 + slot};
}

struct register_block hand_accepted(uint64_t round, uint32_t slot, uint64_t committed, const char *name, uint64_t epoch)
{
    struct role_value value = {.kind = VALUE_ROLE, .hold = ROLE_HELD, .epoch = epoch, .holder = {slot, 100 + slot}};
    struct register_block block = {
        .author = {.incarnation = 100 + slot, .sequence = round},
        .promised = hand_ballot(round, slot),
        .accepted = hand_ballot(round, slot),
        .committed = committed == 0 ? (struct ballot){0} : hand_ballot(committed, slot),
    };
    name_field_store((uint8_t *)value.name, name);
    name_field_store((uint8_t *)value.node_name, "hand");
    role_value_encode(block.value, &value);
    return block;
}

static void put_bytes(const struct fixture *fixture, const struct set_header *header, const struct block_place *place,
                      const uint8_t *bytes)
{
    size_t block_bytes = header->layout.block_bytes;
    off_t offset = (off_t)layout_offset(&header->layout, place->row, place->slot);
    int fd = open(fixture->paths[place->disk], O_WRONLY);
    CHECK(fd >= 0);
    CHECK(pwrite(fd, bytes, block_bytes, offset) == (ssize_t)block_bytes);
    CHECK(close(fd) == 0);
}

void hand_put_register(const struct fixture *fixture, const struct set_header *header, uint32_t disks, uint32_t row,
                       uint32_t slot, const struct register_block *block)
{
    uint8_t bytes[BLOCK_BYTES_MAX];
    struct block_place place = {.set_tag = set_header_tag(header), .row = row, .slot = slot};
    for (; place.disk < disks; place.disk++) {
        block_encode_register(bytes, header->layout.block_bytes, &place, block);
        put_bytes(fixture, header, &place, bytes);
    }
}

void hand_put_heartbeat(const struct fixture *fixture, const struct set_header *header, uint32_t disks, uint32_t slot,
                        const struct heartbeat_block *block)
{
    uint8_t bytes[BLOCK_BYTES_MAX];
    struct block_place place = {.set_tag = set_header_tag(header), .row = ROW_HEARTBEAT, .slot = slot};
    for (; place.disk < disks; place.disk++) {
        block_encode_heartbeat(bytes, header->layout.block_bytes, &place, block);
        put_bytes(fixture, header, &place, bytes);
    }
}
