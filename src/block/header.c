/*
 * The bytes of a disk's header. The table in README.md is the format. Magic, version and checksum stand where they stand
 * in every major version, so that a newer header is told from a damaged one.
 */
#include "block/header.h"

#include "block/crc32c.h"
#include "block/fields.h"
#include "block/mix.h"
#include "block/name.h"

#include <assert.h>
#include <string.h>

enum {
    AT_MAGIC = 0,
    AT_MAJOR = 8,
    AT_MINOR = 10,
    AT_DISK_INDEX = 12,
    AT_DISK_COUNT = 14,
    AT_SET_UUID = 16,
    AT_GENERATION = 32,
    AT_BLOCK_BYTES = 40,
    AT_SLOTS = 44,
    AT_REGISTERS = 48,
    AT_DRIFT = 52,
    AT_LEASE = 56,
    AT_RENEW = 64,
    AT_IO_DEADLINE = 72,
    AT_QUARANTINE = 80,
    AT_EPOCH_FLOOR = 88,
    AT_CREATED = 96,
    AT_FLAGS = 104,
    AT_SPARE = 108,
    AT_SET_NAME = 112,
    AT_DISK_UUIDS = AT_SET_NAME + NAME_FIELD_BYTES,
    AT_REVISION = AT_DISK_UUIDS + DISKS_MAX * (int)sizeof(struct uuid),
    AT_TUNING = AT_REVISION + 8,
    HEADER_END = AT_TUNING + 8,
    AT_CHECKSUM = HEADER_BYTES - 4,
};

enum { FLAG_SLOT_REUSE = 1, FLAG_COMPACTING = 2 };

static const uint8_t magic[8] = {'D', 'I', 'S', 'K', 'A', 'R', 'C', 'H'};

_Static_assert(AT_MAJOR == sizeof magic, "the version follows the magic");
_Static_assert((int)HEADER_END <= (int)AT_CHECKSUM, "the header fits");
_Static_assert((int)HEADER_BYTES <= (int)BLOCK_BYTES_MIN, "a header fits into the smallest block");

static bool uuid_is_same(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Every disk has a UUID of its own, else two paths to one LUN could not be told from two disks. */
static bool disks_are_distinct(const struct set_header *header)
{
    static const struct uuid nil = {{0}};
    for (uint32_t i = 0; i < header->disk_count; i++) {
        if (uuid_is_same(&header->disk_uuids[i], &nil)) {
            return false;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (uuid_is_same(&header->disk_uuids[i], &header->disk_uuids[j])) {
                return false;
            }
        }
    }
    return true;
}

static bool is_sound(const struct set_header *header)
{
    return header->major >= 1 && name_field_is_valid((const uint8_t *)header->set_name) && header->disk_count >= 1 &&
           header->disk_count <= DISKS_MAX && header->disk_index < header->disk_count && disks_are_distinct(header) &&
           layout_is_valid(&header->layout) && timings_check(&header->timings) == TIMINGS_OK &&
           (header->tuning != 0 || !header->is_compacting);
}

static void timings_store(uint8_t *bytes, const struct timings *timings)
{
    le_store64(bytes + AT_LEASE, (uint64_t)timings->lease_ns);
    le_store64(bytes + AT_RENEW, (uint64_t)timings->renew_ns);
    le_store64(bytes + AT_IO_DEADLINE, (uint64_t)timings->io_deadline_ns);
    le_store64(bytes + AT_QUARANTINE, (uint64_t)timings->quarantine_ns);
    le_store32(bytes + AT_DRIFT, timings->drift_ppm);
}

static struct timings timings_load(const uint8_t *bytes)
{
    return (struct timings){
        .lease_ns = (int64_t)le_load64(bytes + AT_LEASE),
        .renew_ns = (int64_t)le_load64(bytes + AT_RENEW),
        .io_deadline_ns = (int64_t)le_load64(bytes + AT_IO_DEADLINE),
        .quarantine_ns = (int64_t)le_load64(bytes + AT_QUARANTINE),
        .drift_ppm = le_load32(bytes + AT_DRIFT),
    };
}

void set_header_encode(uint8_t *bytes, uint32_t block_bytes, const struct set_header *header)
{
    assert(block_bytes >= HEADER_BYTES);
    assert(is_sound(header));
    memset(bytes, 0, block_bytes);
    memcpy(bytes + AT_MAGIC, magic, sizeof magic);
    le_store16(bytes + AT_MAJOR, header->major);
    le_store16(bytes + AT_MINOR, header->minor);
    le_store16(bytes + AT_DISK_INDEX, (uint16_t)header->disk_index);
    le_store16(bytes + AT_DISK_COUNT, (uint16_t)header->disk_count);
    memcpy(bytes + AT_SET_UUID, &header->set_uuid, sizeof header->set_uuid);
    le_store64(bytes + AT_GENERATION, header->generation);
    le_store32(bytes + AT_BLOCK_BYTES, header->layout.block_bytes);
    le_store32(bytes + AT_SLOTS, header->layout.slots);
    le_store32(bytes + AT_REGISTERS, header->layout.registers);
    timings_store(bytes, &header->timings);
    le_store64(bytes + AT_EPOCH_FLOOR, header->epoch_floor);
    le_store64(bytes + AT_CREATED, (uint64_t)header->created_wall_ns);
    le_store32(bytes + AT_FLAGS,
               (header->slot_reuse ? FLAG_SLOT_REUSE : 0) | (header->is_compacting ? FLAG_COMPACTING : 0));
    name_field_store(bytes + AT_SET_NAME, header->set_name);
    memcpy(bytes + AT_DISK_UUIDS, header->disk_uuids, header->disk_count * sizeof *header->disk_uuids);
    le_store64(bytes + AT_REVISION, header->revision);
    le_store64(bytes + AT_TUNING, header->tuning);
    le_store32(bytes + AT_CHECKSUM, crc32c(bytes, AT_CHECKSUM));
}

static struct set_header load(const uint8_t *bytes)
{
    struct set_header header = {
        .major = le_load16(bytes + AT_MAJOR),
        .minor = le_load16(bytes + AT_MINOR),
        .generation = le_load64(bytes + AT_GENERATION),
        .disk_index = le_load16(bytes + AT_DISK_INDEX),
        .disk_count = le_load16(bytes + AT_DISK_COUNT),
        .layout = {.block_bytes = le_load32(bytes + AT_BLOCK_BYTES),
                   .slots = le_load32(bytes + AT_SLOTS),
                   .registers = le_load32(bytes + AT_REGISTERS)},
        .timings = timings_load(bytes),
        .slot_reuse = (le_load32(bytes + AT_FLAGS) & FLAG_SLOT_REUSE) != 0,
        .epoch_floor = le_load64(bytes + AT_EPOCH_FLOOR),
        .created_wall_ns = (int64_t)le_load64(bytes + AT_CREATED),
        .revision = le_load64(bytes + AT_REVISION),
        .tuning = le_load64(bytes + AT_TUNING),
        .is_compacting = (le_load32(bytes + AT_FLAGS) & FLAG_COMPACTING) != 0,
    };
    memcpy(header.set_name, bytes + AT_SET_NAME, NAME_FIELD_BYTES);
    memcpy(&header.set_uuid, bytes + AT_SET_UUID, sizeof header.set_uuid);
    memcpy(header.disk_uuids, bytes + AT_DISK_UUIDS, sizeof header.disk_uuids);
    return header;
}

enum header_fault set_header_decode(const uint8_t *bytes, struct set_header *ret)
{
    if (memcmp(bytes + AT_MAGIC, magic, sizeof magic) != 0) {
        return HEADER_NO_MAGIC;
    }
    if (le_load32(bytes + AT_CHECKSUM) != crc32c(bytes, AT_CHECKSUM)) {
        return HEADER_DAMAGED;
    }
    struct set_header header = load(bytes);
    if (header.major > FORMAT_MAJOR) {
        *ret = (struct set_header){.major = header.major, .minor = header.minor};
        return HEADER_NEWER;
    }
    if (!is_sound(&header)) {
        return HEADER_NONSENSE;
    }
    *ret = header;
    return HEADER_OK;
}

uint64_t set_header_tag(const struct set_header *header)
{
    uint64_t tag = mix64(header->generation + UINT64_C(0x9e3779b97f4a7c15));
    tag = mix64(tag ^ le_load64(header->set_uuid.bytes));
    tag = mix64(tag ^ le_load64(header->set_uuid.bytes + 8));
    return tag != 0 ? tag : 1;
}

bool set_header_is_same_disk(const struct set_header *a, const struct set_header *b)
{
    return uuid_is_same(&a->set_uuid, &b->set_uuid) && a->generation == b->generation &&
           a->disk_count == b->disk_count && a->disk_index == b->disk_index &&
           uuid_is_same(&a->disk_uuids[a->disk_index], &b->disk_uuids[b->disk_index]) &&
           a->layout.block_bytes == b->layout.block_bytes && a->layout.slots == b->layout.slots &&
           a->layout.registers == b->layout.registers;
}

static bool timings_are_same(const struct timings *a, const struct timings *b)
{
    return a->lease_ns == b->lease_ns && a->renew_ns == b->renew_ns && a->io_deadline_ns == b->io_deadline_ns &&
           a->quarantine_ns == b->quarantine_ns && a->drift_ppm == b->drift_ppm;
}

bool set_header_is_same_tuning(const struct set_header *a, const struct set_header *b)
{
    return a->tuning == 0 && b->tuning == 0 && a->revision == b->revision && a->slot_reuse == b->slot_reuse &&
           timings_are_same(&a->timings, &b->timings);
}

bool set_header_is_unchanged(const struct set_header *a, const struct set_header *b)
{
    return set_header_is_same_disk(a, b) && set_header_is_same_tuning(a, b);
}
