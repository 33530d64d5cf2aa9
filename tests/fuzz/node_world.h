/*
 * One real node over tiny disks in memory, for a target that writes on them what it likes. Every step is checked: what the
 * node asks for, what it tells, and that it wrote nothing but whole blocks of its own slot.
 */
#ifndef DISKARCH_TESTS_FUZZ_NODE_WORLD_H
#define DISKARCH_TESTS_FUZZ_NODE_WORLD_H

#include "fuzz.h"
#include "protocol/state.h"

enum {
    WORLD_SLOTS_MAX = 8,
    WORLD_REGISTERS = 3,
    WORLD_LEDGER_ROWS = 1,
    WORLD_ROWS = ROW_LEDGER_FIRST + WORLD_LEDGER_ROWS + WORLD_REGISTERS,
    WORLD_ROW_BYTES = WORLD_SLOTS_MAX * BLOCK_BYTES_MIN,
    WORLD_DISKS_MAX = 5,
    WORLD_ROLES = 4,
    WORLD_DEPTH = 3,
    WORLD_REQUESTS_MAX = WORLD_DISKS_MAX * (WORLD_DEPTH + NODE_RESERVED),
    WORLD_STEPS_MAX = 1000, /* of one input: no single one may keep the fuzzer for long */
};

struct world_disk {
    uint8_t header[BLOCK_BYTES_MIN];
    uint8_t rows[WORLD_ROWS][WORLD_ROW_BYTES];
};

struct world_request {
    bool is_used;
    uint64_t order;
    struct io_action action;
    uint8_t block[BLOCK_BYTES_MIN]; /* as it stood at submission */
};

struct world_role {
    bool is_campaign; /* since EVENT_CAMPAIGN, until its end was told */
    uint64_t epoch;   /* led; 0 otherwise */
};

struct world {
    struct node_params params;
    uint64_t set_tag;
    struct node *node;
    int64_t fast_ns, slow_ns;
    int64_t wake_fast_ns, wake_slow_ns;
    struct world_disk disks[WORLD_DISKS_MAX];
    struct world_disk saved; /* of one disk, as it was at some time */
    struct world_request requests[WORLD_REQUESTS_MAX];
    uint64_t order;
    uint32_t steps;
    bool is_over; /* has been told */
    struct world_role roles[WORLD_ROLES];
    bool is_call_open[NODE_CALLS_MAX];
};

/* Formats the disks, makes the node, lets it take its first step. */
void world_begin(struct world *world, uint32_t disks, uint32_t slots, struct node_id former);
void world_end(struct world *world);

/* One step of the node, at the present time; the clocks of the event are filled in. */
void world_step(struct world *world, struct event event);

/* The pending request of that number, of those there are; NULL if there is none. */
struct world_request *world_pending(struct world *world, uint32_t number);

/* Completes a request as a disk would, but for what the flags forbid. */
void world_complete(struct world *world, struct world_request *request, bool is_write_ok, bool is_read_ok);

/* Lets both clocks go on. */
void world_pass(struct world *world, int64_t fast_ns, int64_t slow_ns);

/* What healthy disks do meanwhile: completes everything, and gives every tick that the node asks for. */
void world_run(struct world *world, int64_t ns);

uint8_t *world_block(struct world *world, uint32_t disk, uint32_t row, uint32_t slot);
struct block_place world_place(const struct world *world, uint32_t disk, uint32_t row, uint32_t slot);

#endif
