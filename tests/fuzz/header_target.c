/*
 * The header of a disk, and the timings and the layout in it: what decodes is possible, and encodes to the same bytes where
 * this version knows them.
 *
 * Input: whether magic, version and checksum are made good; then the bytes of the header, over a good one.
 */
#include "block/header.h"
#include "fuzz.h"

#include <string.h>

enum { AT_FLAGS = 104, AT_NAME = 112, AT_UUIDS = 176, AT_REVISION = 320, AT_END = 336 };

static bool is_ignored(const struct set_header *header, uint32_t at)
{
    bool is_uuid_of_none = at >= AT_UUIDS + header->disk_count * sizeof(struct uuid) && at < AT_REVISION;
    bool is_flag_spare = at >= AT_FLAGS && at < AT_NAME; /* bits; judged by what they mean */
    return is_uuid_of_none || is_flag_spare || at >= AT_END;
}

static void check_decoded(const uint8_t *bytes, const struct set_header *header)
{
    uint8_t again[HEADER_BYTES];
    struct set_header back;
    set_header_encode(again, HEADER_BYTES, header);
    for (uint32_t at = 0; at < HEADER_BYTES; at++) {
        FUZZ_CHECK(bytes[at] == again[at] || is_ignored(header, at));
    }
    FUZZ_CHECK(set_header_decode(again, &back) == HEADER_OK);
    FUZZ_CHECK(set_header_is_same_disk(header, &back));
    FUZZ_CHECK(back.slot_reuse == header->slot_reuse && back.is_compacting == header->is_compacting);
    FUZZ_CHECK(set_header_is_unchanged(header, &back) == (header->tuning == 0));
    FUZZ_CHECK(set_header_tag(header) != 0 && set_header_tag(header) == set_header_tag(&back));
    FUZZ_CHECK(fuzz_name_is_sound(header->set_name) && header->set_name[0] != '\0');
    FUZZ_CHECK(timings_watch_ns(&header->timings) >= header->timings.lease_ns);
    FUZZ_CHECK(layout_bytes(&header->layout) % header->layout.block_bytes == 0);
    FUZZ_CHECK(layout_bytes(&header->layout) <= INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *input_bytes, size_t count)
{
    struct fuzz_input input = {input_bytes, count};
    struct set_header header = fuzz_set_header(3, 8, 16);
    struct set_header before;
    uint8_t bytes[HEADER_BYTES];
    bool is_sealed = fuzz_take8(&input) % 4 != 0;
    set_header_encode(bytes, HEADER_BYTES, &header);
    fuzz_take_bytes(&input, bytes, sizeof bytes);
    if (is_sealed) {
        fuzz_seal_header(bytes);
    }
    memset(&header, 0x5a, sizeof header);
    before = header;
    switch (set_header_decode(bytes, &header)) {
    case HEADER_OK:
        check_decoded(bytes, &header);
        break;
    case HEADER_NEWER:
        FUZZ_CHECK(header.major > FORMAT_MAJOR);
        break;
    case HEADER_NO_MAGIC:
    case HEADER_DAMAGED:
    case HEADER_NONSENSE:
        FUZZ_CHECK(memcmp(&header, &before, sizeof header) == 0);
        break;
    }
    return 0;
}
