#include "block/crc32c.h"
#include "block/endian.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t bytes[4096];

/* Offsets as in src/block/README.md. */
enum {
    MINOR = 10,
    DISK_INDEX = 12,
    DISK_COUNT = 14,
    BLOCK_SIZE = 40,
    SLOTS = 44,
    REGISTERS = 48,
    DRIFT = 52,
    LEASE = 56,
    RENEW = 64,
    FLAGS = 104,
    SET_NAME = 112,
    DISK_UUIDS = 176,
    SPARE = 336,
    CHECKSUM = 508,
};

static void encode(const struct set_header *header)
{
    memset(bytes, 0xee, sizeof bytes);
    set_header_encode(bytes, sizeof bytes, header);
}

static void reseal(void)
{
    le_store32(bytes + CHECKSUM, crc32c(bytes, CHECKSUM));
}

static enum header_fault decode(void)
{
    struct set_header ignored;
    return set_header_decode(bytes, &ignored);
}

static void expect_same(const struct set_header *a, const struct set_header *b)
{
    cr_expect_eq(a->major, b->major);
    cr_expect_eq(a->minor, b->minor);
    cr_expect_arr_eq(a->set_name, b->set_name, NAME_FIELD_BYTES);
    cr_expect_arr_eq(&a->set_uuid, &b->set_uuid, sizeof a->set_uuid);
    cr_expect_eq(a->generation, b->generation);
    cr_expect_eq(a->disk_index, b->disk_index);
    cr_expect_eq(a->disk_count, b->disk_count);
    cr_expect_arr_eq(a->disk_uuids, b->disk_uuids, sizeof a->disk_uuids);
    cr_expect_eq(a->layout.block_bytes, b->layout.block_bytes);
    cr_expect_eq(a->layout.slots, b->layout.slots);
    cr_expect_eq(a->layout.registers, b->layout.registers);
    cr_expect_eq(a->timings.lease_ns, b->timings.lease_ns);
    cr_expect_eq(a->timings.renew_ns, b->timings.renew_ns);
    cr_expect_eq(a->timings.io_deadline_ns, b->timings.io_deadline_ns);
    cr_expect_eq(a->timings.quarantine_ns, b->timings.quarantine_ns);
    cr_expect_eq(a->timings.drift_ppm, b->timings.drift_ppm);
    cr_expect_eq(a->slot_reuse, b->slot_reuse);
    cr_expect_eq(a->epoch_floor, b->epoch_floor);
    cr_expect_eq(a->created_wall_ns, b->created_wall_ns);
    cr_expect_eq(a->revision, b->revision);
    cr_expect_eq(a->tuning, b->tuning);
    cr_expect_eq(a->is_compacting, b->is_compacting);
}

static void expect_round_trip(const struct set_header *header)
{
    struct set_header back;
    encode(header);
    cr_assert_eq(set_header_decode(bytes, &back), HEADER_OK);
    expect_same(header, &back);
}

Test(header, round_trips)
{
    struct set_header header = fixture_header();
    expect_round_trip(&header);
    header.slot_reuse = false;
    memset(header.set_name, 'n', NAME_BYTES_MAX);
    header.generation = UINT64_MAX;
    header.created_wall_ns = INT64_MIN;
    header.revision = UINT64_MAX;
    expect_round_trip(&header);
    header.tuning = 1;
    expect_round_trip(&header);
    header.is_compacting = true;
    expect_round_trip(&header);
}

Test(header, one_to_nine_disks)
{
    struct set_header header = fixture_header();
    for (uint32_t count = 1; count <= DISKS_MAX; count++) {
        header.disk_count = count;
        header.disk_index = count - 1;
        for (uint32_t i = 0; i < DISKS_MAX; i++) {
            memset(&header.disk_uuids[i], i < count ? (int)(i + 1) : 0, sizeof header.disk_uuids[i]);
        }
        expect_round_trip(&header);
    }
}

/* The header is read before the block size is known: what lies behind its bytes in the block plays no part. */
Test(header, is_read_without_knowing_the_block_size)
{
    struct set_header header = fixture_header();
    encode(&header);
    for (size_t i = HEADER_BYTES; i < sizeof bytes; i++) {
        cr_assert_eq(bytes[i], 0);
    }
    memset(bytes + HEADER_BYTES, 0xff, sizeof bytes - HEADER_BYTES);
    cr_expect_eq(decode(), HEADER_OK);
}

Test(header, other_things_have_no_magic)
{
    memset(bytes, 0, sizeof bytes);
    cr_expect_eq(decode(), HEADER_NO_MAGIC);
    memset(bytes, 0xff, sizeof bytes);
    cr_expect_eq(decode(), HEADER_NO_MAGIC);
}

Test(header, every_flipped_bit_is_seen)
{
    struct set_header header = fixture_header();
    encode(&header);
    for (uint32_t bit = 0; bit < HEADER_BYTES * 8; bit++) {
        uint32_t at = bit / 8;
        bytes[at] = (uint8_t)(bytes[at] ^ 1u << bit % 8);
        cr_assert_eq(decode(), at < 8 ? HEADER_NO_MAGIC : HEADER_DAMAGED, "bit %u", bit);
        bytes[at] = (uint8_t)(bytes[at] ^ 1u << bit % 8);
    }
    cr_expect_eq(decode(), HEADER_OK);
}

Test(header, faults_leave_the_output_untouched)
{
    struct set_header header = fixture_header();
    struct set_header before = header;
    encode(&header);
    bytes[200] ^= 1;
    cr_expect_eq(set_header_decode(bytes, &header), HEADER_DAMAGED);
    bytes[200] ^= 1;
    bytes[DISK_COUNT] = 0;
    reseal();
    cr_expect_eq(set_header_decode(bytes, &header), HEADER_NONSENSE);
    expect_same(&header, &before);
}

Test(header, newer_major_is_refused_with_its_number)
{
    struct set_header header = fixture_header();
    header.major = FORMAT_MAJOR + 1;
    header.minor = 9;
    encode(&header);
    memset(bytes + 12, 0xff, CHECKSUM - 12); /* nothing of it is understood but where version and checksum stand */
    reseal();
    memset(&header, 0xee, sizeof header);
    cr_expect_eq(set_header_decode(bytes, &header), HEADER_NEWER);
    cr_expect_eq(header.major, FORMAT_MAJOR + 1);
    cr_expect_eq(header.minor, 9);
}

Test(header, fields_of_a_newer_minor_version_are_ignored)
{
    struct set_header header = fixture_header();
    struct set_header back;
    encode(&header);
    le_store16(bytes + MINOR, FORMAT_MINOR + 3);
    memset(bytes + SPARE, 0x5a, CHECKSUM - SPARE);
    memset(bytes + 108, 0x5a, 4);
    le_store32(bytes + FLAGS, 0xfffffffc | le_load32(bytes + FLAGS));
    reseal();
    cr_assert_eq(set_header_decode(bytes, &back), HEADER_OK);
    header.minor = FORMAT_MINOR + 3;
    expect_same(&header, &back);
}

struct fault {
    const char *what;
    size_t at;
    uint8_t byte;
};

Test(header, nonsense)
{
    static const struct fault faults[] = {
        {"major 0", 8, 0},
        {"no disks", DISK_COUNT, 0},
        {"ten disks", DISK_COUNT, 10},
        {"65283 disks", DISK_COUNT + 1, 0xff},
        {"index above the count", DISK_INDEX, 3},
        {"a disk without UUID", DISK_COUNT, 4},
        {"block size 513", BLOCK_SIZE, 1},
        {"block size 256", BLOCK_SIZE + 1, 1},
        {"no slots", SLOTS, 0},
        {"too many slots", SLOTS + 1, 0x20},
        {"no registers", REGISTERS + 1, 0},
        {"too many registers", REGISTERS + 3, 1},
        {"lease of minus some days", LEASE + 7, 0x80},
        {"renew above a third of the lease", RENEW + 4, 0x20},
        {"drift above 20 %", DRIFT + 2, 4},
        {"no name", SET_NAME, 0},
        {"control character in the name", SET_NAME + 1, 0x1b},
        {"rows being rewritten by nobody", FLAGS, 3},
    };
    struct set_header header = fixture_header();
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        encode(&header);
        cr_assert_neq(bytes[faults[i].at], faults[i].byte, "%s: nothing to change", faults[i].what);
        bytes[faults[i].at] = faults[i].byte;
        reseal();
        cr_expect_eq(decode(), HEADER_NONSENSE, "%s", faults[i].what);
    }
}

Test(header, two_disks_with_one_uuid_are_nonsense)
{
    struct set_header header = fixture_header();
    encode(&header);
    memcpy(bytes + DISK_UUIDS + 2 * 16, bytes + DISK_UUIDS, 16);
    reseal();
    cr_expect_eq(decode(), HEADER_NONSENSE);
}

Test(header, any_bytes_are_safe)
{
    uint64_t random = 5;
    struct set_header header = fixture_header();
    for (int round = 0; round < 20000; round++) {
        encode(&header);
        for (uint64_t change = fixture_random(&random) % 8; change < 8; change++) {
            bytes[8 + fixture_random(&random) % 400] = (uint8_t)fixture_random(&random);
        }
        reseal();
        (void)decode();
    }
}

/* Part of the format: the tag stands in every block. */
Test(header, tag_is_part_of_the_format)
{
    struct set_header header = fixture_header();
    cr_expect_eq(set_header_tag(&header), UINT64_C(0x2f413e8d90afc312));
}

Test(header, tag_tells_sets_and_generations_apart_but_not_disks)
{
    struct set_header header = fixture_header();
    uint64_t tag = set_header_tag(&header);
    header.disk_index = 2;
    cr_expect_eq(set_header_tag(&header), tag);
    header.generation++;
    cr_expect_neq(set_header_tag(&header), tag);
    header.generation--;
    for (size_t i = 0; i < 16; i++) {
        header.set_uuid.bytes[i] ^= 1;
        cr_expect_neq(set_header_tag(&header), tag);
        header.set_uuid.bytes[i] ^= 1;
    }
}

Test(header, same_disk)
{
    struct set_header a = fixture_header();
    struct set_header b = a;
    b.created_wall_ns++;
    b.epoch_floor++;
    cr_expect(set_header_is_same_disk(&a, &b));
    b = a, b.generation++;
    cr_expect_not(set_header_is_same_disk(&a, &b));
    b = a, b.disk_index = 0;
    cr_expect_not(set_header_is_same_disk(&a, &b));
    b = a, b.disk_uuids[a.disk_index].bytes[15] ^= 1;
    cr_expect_not(set_header_is_same_disk(&a, &b));
    b = a, b.set_uuid.bytes[0] ^= 1;
    cr_expect_not(set_header_is_same_disk(&a, &b));
    b = a, b.layout.block_bytes = 4096;
    cr_expect_not(set_header_is_same_disk(&a, &b));
    b = a, b.layout.slots++;
    cr_expect_not(set_header_is_same_disk(&a, &b));
    b = a, b.layout.registers++;
    cr_expect_not(set_header_is_same_disk(&a, &b));
}

Test(header, same_tuning)
{
    struct set_header a = fixture_header();
    struct set_header b = a;
    b.epoch_floor++;
    b.disk_index = 0;
    cr_expect(set_header_is_same_tuning(&a, &b));
    cr_expect_not(set_header_is_unchanged(&a, &b), "another disk");
    b = a, b.revision++;
    cr_expect_not(set_header_is_same_tuning(&a, &b));
    cr_expect_not(set_header_is_unchanged(&a, &b));
    b = a, b.slot_reuse = !a.slot_reuse;
    cr_expect_not(set_header_is_same_tuning(&a, &b));
    b = a, b.timings.lease_ns++;
    cr_expect_not(set_header_is_same_tuning(&a, &b));
    b = a, b.timings.renew_ns++;
    cr_expect_not(set_header_is_same_tuning(&a, &b));
    b = a, b.timings.io_deadline_ns++;
    cr_expect_not(set_header_is_same_tuning(&a, &b));
    b = a, b.timings.quarantine_ns++;
    cr_expect_not(set_header_is_same_tuning(&a, &b));
    b = a, b.timings.drift_ppm++;
    cr_expect_not(set_header_is_same_tuning(&a, &b));
    b = a;
    cr_expect(set_header_is_unchanged(&a, &b));
    a.tuning = b.tuning = 5;
    cr_expect_not(set_header_is_same_tuning(&a, &b), "what is being changed is the same as nothing");
}
