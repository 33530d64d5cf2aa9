/* One block of a row for `diskarch dump`: decoded, in words or in JSON. */
#ifndef DISKARCH_COMMAND_DUMP_BLOCK_H
#define DISKARCH_COMMAND_DUMP_BLOCK_H

#include "block/block.h"
#include "block/layout.h"

#include <jansson.h>

struct dump_place {
    const struct layout *layout;
    struct block_place block;
    const uint8_t *bytes; /* NULL: the block could not be read */
};

/* Prints a block over a few lines, or nothing for an empty one. */
void dump_block_print(const struct dump_place *place);

/* An object as diskarch(1) documents it, or NULL for an empty block. */
json_t *dump_block_json(const struct dump_place *place);

#endif
