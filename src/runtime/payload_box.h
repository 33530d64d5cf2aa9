/*
 * The newest payload on its way to the node thread: whoever publishes faster than the thread takes leaves only the last
 * one, in bounded memory, and neither side ever waits for the other.
 *
 * Three places: one is the writer's, one the reader's, and the third changes hands. Knows nothing of roles.
 */
#ifndef DISKARCH_RUNTIME_PAYLOAD_BOX_H
#define DISKARCH_RUNTIME_PAYLOAD_BOX_H

#include "block/limits.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { PAYLOAD_PLACES = 3 };

struct payload {
    uint32_t byte_count;
    uint8_t bytes[PAYLOAD_BYTES_MAX];
};

/* All zero is an empty box: the indices count from a different place for each side. */
struct payload_box {
    _Atomic uint32_t between; /* from place 0; PAYLOAD_FRESH is set until it is taken */
    uint32_t writer;          /* from place 1; the writing thread only */
    uint32_t reader;          /* from place 2; the reading thread only */
    struct payload places[PAYLOAD_PLACES];
};

/* Replaces what waits. True if nothing waited: the reader is to be told. */
bool payload_box_put(struct payload_box *box, const void *bytes, uint32_t byte_count);

/* Takes what waits; false, and *ret untouched, if nothing does. */
bool payload_box_take(struct payload_box *box, struct payload *ret);

#endif
