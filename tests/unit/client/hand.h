/*
 * Blocks written by hand onto the files of a fixture: what nodes would have written, one step at a time.
 * Slot s has the incarnation 100 + s.
 */
#ifndef DISKARCH_TESTS_CLIENT_HAND_H
#define DISKARCH_TESTS_CLIENT_HAND_H

#include "fixture.h"

#include "block/block.h"
#include "block/header.h"

#include <stdint.h>

struct set_header hand_read_header(const struct fixture *fixture);

/* The row that a name comes to after so many others. */
uint32_t hand_row_of(const struct set_header *header, const char *name, uint32_t probe);

struct ballot hand_ballot(uint64_t round, uint32_t slot);

/* A block that accepted `round` with a role held by its slot, and knows `committed` to be committed. */
struct register_block hand_accepted(uint64_t round, uint32_t slot, uint64_t committed, const char *name,
                                    uint64_t epoch);

/* Onto the first `disks` disks. */
void hand_put_register(const struct fixture *fixture, const struct set_header *header, uint32_t disks, uint32_t row,
                       uint32_t slot, const struct register_block *block);
void hand_put_heartbeat(const struct fixture *fixture, const struct set_header *header, uint32_t disks, uint32_t slot,
                        const struct heartbeat_block *block);

#endif
