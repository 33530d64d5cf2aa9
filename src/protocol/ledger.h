/*
 * The slot ledger (rule S4): who was found dead, or was named in a verdict, long enough ago is written down as retired,
 * so that its slot can be taken again. Also publishes this node's own verdicts (T7).
 */
#ifndef DISKARCH_PROTOCOL_LEDGER_H
#define DISKARCH_PROTOCOL_LEDGER_H

#include "block/ballot.h"
#include "protocol/node.h"
#include "protocol/register.h"

struct ledger {
    bool is_op_running;
    struct node_id retiring; /* the subject of the running operation */
    int64_t due_slow_ns;     /* nothing falls due before */
};

/* Something may fall due then. */
void ledger_wake(struct node *node, int64_t at_slow_ns);

/* Publishes what was found dead since the last time, and retires what is due. */
void ledger_run(struct node *node);

/* The f and the ends of its operations; op_task.c lists them. */
bool ledger_change_retire(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value);
void ledger_on_retired(struct node *node, const struct op *op, enum op_outcome outcome);

#endif
