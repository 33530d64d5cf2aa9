/*
 * Brings a disk up to date with what this node has to say (rule D8): its claim block, and its block of every row whose
 * newest state that disk has not acknowledged. A disk falls behind while it is away, when newer state has to wait for an
 * older write (D1), and when a block of mine is found damaged there. Its heartbeat is the heartbeat's own business.
 *
 * Plain writes, a few at a time: nothing is read back, nothing counts for any phase.
 */
#ifndef DISKARCH_PROTOCOL_MEND_H
#define DISKARCH_PROTOCOL_MEND_H

#include "block/limits.h"
#include "protocol/node.h"

struct io;

enum mend_claim { MEND_CLAIM_FINE, MEND_CLAIM_DUE, MEND_CLAIM_ASKED, MEND_CLAIM_WRITING };

struct mend_disk {
    enum mend_claim claim;
    bool is_due;             /* rows from `cursor` on are still to be looked at */
    uint32_t cursor;         /* counted from the first ledger row */
    uint32_t writes;         /* of rows, in flight and not overdue */
    uint64_t since_sequence; /* heartbeats written after the disk returned have a higher one */
};

struct mend {
    struct mend_disk disks[DISKS_MAX];
};

/* D8: the disk counts again. */
void mend_on_return(struct node *node, uint32_t disk);

/* The disk may lack this row: writes it now, or as soon as it can be, unless an operation is going to. */
void mend_row(struct node *node, uint32_t row, uint32_t disk);

/* mend_row() for every disk. */
void mend_row_everywhere(struct node *node, uint32_t row);

/* Does what is due, on every disk. */
void mend_run(struct node *node);

/* One of its requests, or of the sweep's, has finished. */
void mend_on_io(struct node *node, const struct io *io, const struct io_result *result);

/* D2: or is past its deadline. */
void mend_on_overdue(struct node *node, const struct io *io);

#endif
