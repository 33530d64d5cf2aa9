#include "runtime/payload_box.h"

#include <assert.h>
#include <string.h>

enum { PAYLOAD_FRESH = 4, WRITER_BASE = 1, READER_BASE = 2 };

static uint32_t place_at(uint32_t index, uint32_t base)
{
    return (index + base) % PAYLOAD_PLACES;
}

static uint32_t index_from(uint32_t place, uint32_t base)
{
    return (place + PAYLOAD_PLACES - base) % PAYLOAD_PLACES;
}

/* Gives a place away and gets the one that was between the sides, with what it was marked. */
static uint32_t change_hands(struct payload_box *box, uint32_t given)
{
    return atomic_exchange_explicit(&box->between, given, memory_order_acq_rel);
}

bool payload_box_put(struct payload_box *box, const void *bytes, uint32_t byte_count)
{
    assert(byte_count <= PAYLOAD_BYTES_MAX);
    uint32_t own = place_at(box->writer, WRITER_BASE);
    box->places[own].byte_count = byte_count;
    if (byte_count > 0) {
        memcpy(box->places[own].bytes, bytes, byte_count);
    }
    uint32_t before = change_hands(box, own | PAYLOAD_FRESH);
    box->writer = index_from(before & ~(uint32_t)PAYLOAD_FRESH, WRITER_BASE);
    return (before & PAYLOAD_FRESH) == 0;
}

bool payload_box_take(struct payload_box *box, struct payload *ret)
{
    uint32_t before = change_hands(box, place_at(box->reader, READER_BASE));
    uint32_t got = before & ~(uint32_t)PAYLOAD_FRESH;
    box->reader = index_from(got, READER_BASE);
    if ((before & PAYLOAD_FRESH) == 0) {
        return false;
    }
    *ret = box->places[got];
    return true;
}
