/*
 * The register engine: Disk Paxos over rows of blocks (design rules B1 to B5, D3, D5).
 *
 * Gafni and Lamport, "Disk Paxos", Distributed Computing 16 (2003). Their words stand beside ours once: mbal = promised,
 * bal = accepted, inp = value. A ballot has two phases; in each, this node writes its block to every disk and then reads
 * the whole row there (one exchange). A phase ends when, for every slot, a majority of the formatted disks has
 * acknowledged the write and then given that slot's block intact. It aborts when another slot has promised more.
 */
#ifndef DISKARCH_PROTOCOL_REGISTER_H
#define DISKARCH_PROTOCOL_REGISTER_H

#include "protocol/collect.h"
#include "protocol/node.h"
#include "protocol/row.h"

struct io;

/* Whom an operation serves: a local role by its number, a call from OP_CALL_FIRST on, or neither. */
#define OP_NO_ROLE UINT32_MAX
#define OP_CALL_FIRST (OP_NO_ROLE - NODE_CALLS_MAX)

enum op_goal {
    OP_LOOK,   /* one majority read; says whether what it saw is proven */
    OP_PROVE,  /* reads until the value is proven, at last by a ballot that rewrites what it saw */
    OP_UPDATE, /* a ballot whose second phase writes change(seen) */
};

enum op_phase { OP_UNUSED, OP_READ, OP_READ_AGAIN, OP_PROMISE, OP_ACCEPT, OP_PAUSE };

enum op_outcome {
    OP_SEEN,      /* op->value is what the read showed; op->is_proven says whether it is committed */
    OP_COMMITTED, /* op->value is committed (B3: only now may anybody act on it) */
    OP_ABORTED,   /* phase 1 met a higher promise; nothing has changed */
};

struct op;

/* The f of update(f): writes the new value and returns true, or declines. Must recognise its own earlier success (B2). */
typedef bool op_change(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value);

/* The op's end. The op is free again when it returns. */
typedef void op_done(struct node *node, const struct op *op, enum op_outcome outcome);

enum op_disk_state { OP_DISK_TODO, OP_DISK_SENT, OP_DISK_DONE };

struct op {
    enum op_phase phase;
    enum op_goal goal;
    uint32_t row;
    uint32_t client; /* whom it serves */
    op_change *change;
    op_done *done;
    uint32_t task;       /* op_task.c: instead of these two in a copy of a node */
    uint64_t generation; /* B5: a completion counts for the phase it was submitted in */
    struct ballot ballot;
    struct ballot parent; /* phase 2: the ballot whose value `value` was made from */
    uint32_t attempts;
    bool is_proven;
    int64_t pause_fast_ns;
    int64_t phase_fast_ns; /* when the phase began */
    struct {
        enum op_disk_state state;
        int64_t retry_fast_ns;
    } disks[DISKS_MAX];
    struct collect first;      /* of the phase, or of the first read */
    struct collect second;     /* of the second read (B1 b) */
    struct register_block own; /* first use of a row: this slot's block with the highest accepted */
    uint8_t value[VALUE_BYTES];
};

struct register_table {
    struct row_state *rows; /* ledger rows, then register rows */
    struct op *ops;         /* params.depth of them */
    uint32_t running;
    uint64_t generation;
};

/* Starts an operation; NULL when one is running on that row already, or as many as may. */
struct op *op_start(struct node *node, uint32_t row, enum op_goal goal, uint32_t client, op_change *change,
                    op_done *done);

/* Before a copy of a node leaves this process, and after it has arrived: functions as numbers, and back. */
void op_task_pack(struct op *op);
void op_task_unpack(struct op *op);

/* The end of an operation that nobody waits for any more. */
void op_end_unheard(struct node *node, const struct op *op, enum op_outcome outcome);

/* The client has gone, and nothing that its operation wrote is open: the operation, if there is one, changes nothing any
 * more and tells nobody. */
void op_forsake(struct node *node, uint32_t client);

/* Whether an operation runs on the row. */
bool op_is_running_on(const struct node *node, uint32_t row);

/* Whether one of them is going to write this node's block of the row on every disk that counts. */
bool op_will_write(const struct node *node, uint32_t row);

/* D2: a request is past its deadline: the disk is asked again when it has returned, and nobody waits for it. */
void op_on_overdue(struct node *node, const struct io *io);

/* D7: the disk is counted out, and with it what it has answered: the phases under way begin again without it. */
void op_forget_disk(struct node *node, uint32_t disk);

/* Submits what is due for every operation. */
void op_run_all(struct node *node);

/* One of their requests has finished. */
void op_on_io(struct node *node, const struct io *io, const struct io_result *result);

/* Random, scaled to the measured exchange, doubling with each attempt (B4). */
int64_t op_back_off_ns(struct node *node, uint32_t attempts);

#endif
