/*
 * What reads of one row over several disks have shown so far: which slots a majority has spoken for, the highest
 * accepted ballot with its value, the highest commit mark, the highest foreign promise.
 *
 * Phases of a ballot, majority reads of a node and the reads of an observer all end by the same arithmetic, kept here.
 */
#ifndef DISKARCH_PROTOCOL_COLLECT_H
#define DISKARCH_PROTOCOL_COLLECT_H

#include "block/ballot.h"
#include "block/block.h"
#include "block/layout.h"

#include <stdbool.h>
#include <stdint.h>

/* Disks needed for a decision: a majority of the formatted ones (rule D5). */
static inline uint32_t majority_of(uint32_t disk_count)
{
    return disk_count / 2 + 1;
}

/* What one disk showed. */
struct collect_disk {
    bool is_read;
    bool is_whole;           /* every block of the row was intact */
    struct ballot accepted;  /* highest */
    struct ballot promised;  /* highest */
    struct ballot runner_up; /* highest promise of any slot but that of `promised` */
};

struct collect {
    struct layout layout;
    uint64_t set_tag;
    uint32_t row;
    uint32_t disk_count;
    uint32_t slots_done;        /* slots that a majority of the disks gave intact */
    uint8_t intact[SLOTS_MAX];  /* per slot: disks that gave its block intact */
    struct ballot accepted;     /* highest seen anywhere */
    uint8_t value[VALUE_BYTES]; /* that goes with it */
    struct ballot committed;    /* highest commit mark seen anywhere */
    struct ballot promised;     /* highest promise seen anywhere */
    struct collect_disk disks[DISKS_MAX];
};

/* Begins a pass over a row. */
void collect_begin(struct collect *collect, const struct layout *layout, uint64_t set_tag, uint32_t disk_count,
                   uint32_t row);

/* Adds what one disk gave for the row: layout_row_bytes() bytes. Each disk counts once in a pass. */
void collect_add(struct collect *collect, uint32_t disk, const uint8_t *bytes);

/* Whether, for every slot, a majority of the formatted disks has given that slot's block intact. */
bool collect_is_majority(const struct collect *collect);

/* B1 (a): a finished majority read in which some commit mark equals the highest accepted ballot. `known` is a ballot the
 * reader itself knows to be committed (none is fine): its own memory is a mark like any other. */
bool collect_is_proven(const struct collect *collect, struct ballot known);

/* B1 (b): two passes, each read of `second` begun after that disk's read of `first` ended, prove first's accepted. */
bool collect_is_proven_twice(const struct collect *first, const struct collect *second);

#endif
