/*
 * Half-kept registers (rule D8): after a disk has returned, looks slowly at every row for a value that some disk lacks and
 * that nobody will write there, because its author is gone; a *read* ballot brings it to every disk. What a living author
 * lacks on a disk is its own to write; a role held by a living node is that node's.
 */
#ifndef DISKARCH_PROTOCOL_SWEEP_H
#define DISKARCH_PROTOCOL_SWEEP_H

#include "protocol/collect.h"
#include "protocol/node.h"
#include "protocol/register.h"

struct io;

enum sweep_stage { SWEEP_RESTS, SWEEP_READS, SWEEP_BALLOTS };

struct sweep {
    enum sweep_stage stage;
    uint32_t rows_left;  /* to look at; 0: none is due */
    uint32_t index;      /* of the present row, from the first ledger row */
    uint32_t passes;     /* made again because some author may have been dying */
    uint32_t waits;      /* for an operation that runs on the present row */
    bool has_left_over;  /* this pass: a row was left to somebody, or to later */
    bool is_second_look; /* the row was found half-kept, and a random time has been waited */
    bool is_own_damaged; /* some disk shows my slot's block of the row damaged */
    uint64_t generation; /* of the reads of the present look */
    uint16_t asked_disks, awaited_disks;
    int64_t due_fast_ns;
    struct collect seen;
};

/* Every row is looked at once from now on. */
void sweep_begin(struct node *node);

/* Does what is due. */
void sweep_run(struct node *node);

/* One of its reads has finished. */
void sweep_on_io(struct node *node, const struct io *io, const struct io_result *result);

/* D2: or is past its deadline. */
void sweep_on_overdue(struct node *node, const struct io *io);

/* The f and the ends of its operations; op_task.c lists them. */
bool sweep_change_keep(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value);
void sweep_on_ballot(struct node *node, const struct op *op, enum op_outcome outcome);

#endif
