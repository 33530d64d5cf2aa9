/*
 * This node's own block of each ledger and register row: what stands in memory, which disks lack it, and what a disk that
 * has acknowledged it must show (rules D1, D3, D7, D8).
 *
 * States of a block are told apart by the round of its promise, which grows with every change. So one bit per row and disk
 * is all the memory that D7 and D8 need: a disk that is not behind has acknowledged exactly the state in memory.
 */
#ifndef DISKARCH_PROTOCOL_ROW_H
#define DISKARCH_PROTOCOL_ROW_H

#include "protocol/node.h"

struct io;

/* Once used, it stays in memory: a disk is never asked again what I promised. */
struct row_state {
    bool is_known;         /* recovered from a majority read, as the first use of a row demands */
    bool is_next_promised; /* a completed phase 2 also promised `promised`: usable without a phase 1 */
    bool is_open;          /* B2: the outcome of a phase 2 is unknown */
    uint16_t behind_disks; /* that have not acknowledged this state of a block this incarnation has written */
    uint64_t round_seen;   /* highest round in any promise seen, own ones included */
    struct ballot promised;
    struct ballot accepted;
    struct ballot proven; /* highest ballot this node knows to be committed: its commit mark */
    uint64_t name_hash;   /* of the name proven for this row, 0 before; a row once named keeps its name */
    uint8_t value[VALUE_BYTES];
};

struct row_state *register_row(const struct node *node, uint32_t row);

/* Promise, accepted ballot or value have changed: every disk is behind. */
void row_changed(const struct node *node, uint32_t row);

/* Whether the disk lacks what stands in memory. */
bool row_is_behind(const struct node *node, uint32_t row, uint32_t disk);

/* Fills in the block of a write or an exchange. */
void row_prepare_write(struct node *node, struct io *io);

/* D7: notes what a read of the row must show at least. */
void row_prepare_read(const struct node *node, struct io *io);

/* A write of the block has finished. */
void row_on_written(const struct node *node, const struct io *io, const struct io_result *result);

/*
 * Judges my own block in a finished read or exchange. True if all is as it must be: an exchange must show exactly what it
 * wrote. A damaged block will be written again; an older one counts the disk out (D7); another incarnation ends the node.
 */
bool row_check_own(struct node *node, const struct io *io, const uint8_t *bytes);

#endif
