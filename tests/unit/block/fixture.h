/* Contents of every kind that use every field, with the same bytes in every test. */
#ifndef DISKARCH_TESTS_BLOCK_FIXTURE_H
#define DISKARCH_TESTS_BLOCK_FIXTURE_H

#include "block/block.h"
#include "block/header.h"
#include "block/role_value.h"

#include <stddef.h>

enum { FIXTURE_BLOCK_BYTES = 512 };

struct block_place fixture_place(uint32_t row);
struct claim_block fixture_claim(void);
struct heartbeat_block fixture_heartbeat(void);
struct register_block fixture_register(void);
struct role_value fixture_role(void);
struct set_header fixture_header(void);

/* The fixture of the kind that stands in that row, encoded for fixture_place(row). */
void fixture_encode(uint8_t *bytes, uint32_t block_bytes, uint32_t row);

/* Whether these bytes decode as the kind that stands in that row. */
bool fixture_decodes(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place);

/* Makes the checksum of a block fit again after a test has changed its bytes. */
void fixture_reseal(uint8_t *bytes, uint32_t block_bytes);

/* A small generator of numbers that do not matter, the same in every run. */
uint64_t fixture_random(uint64_t *state);

#endif
