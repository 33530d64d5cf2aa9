/*
 * Calls on names (rules N1, N2, B2, B4): registers are read, set, compared and set, agreed upon; a role is forgotten, or
 * its holder asked for something. A call looks for its name, does at most one update(f), and ends once.
 *
 * Exactly once: a phase 2 that was cut off may have happened, been adopted by others, and been overwritten by them. So each
 * change of a register puts a tag of its own into the value, where the last WRITERS_KEPT stand, and every later attempt of
 * the same call looks for it first: there it is, and the call is done, as many versions ago as its place says; or it is
 * not there, though it would still be: then it never happened and never will, once the new attempt is committed above it;
 * or so much has been changed since that nobody can tell: CALL_UNKNOWN.
 */
#ifndef DISKARCH_PROTOCOL_CALL_H
#define DISKARCH_PROTOCOL_CALL_H

#include "block/block.h"
#include "protocol/lookup.h"
#include "protocol/node.h"
#include "protocol/register.h"

enum call_stage {
    CALL_IDLE,
    CALL_DUE,     /* waits for its time, or for the node to have joined */
    CALL_LOOKING, /* an operation proves the value of a row */
    CALL_WRITING, /* an update(f) is running */
};

/* What f made of the value that it saw last: what is to be done when that answer is committed. */
enum call_decision {
    CALL_APPLIES,    /* f has changed it */
    CALL_ENDS,       /* f has declined; the outcome is known */
    CALL_STEPS_OVER, /* f has declined: the row has got another name meanwhile */
};

struct call {
    enum call_stage stage;
    enum call_verb verb;
    uint64_t number; /* of the calls of this node: the order in which they began */
    struct lookup lookup;
    bool is_cancelled;      /* the client has gone; what may have been accepted is still settled (B2) */
    bool is_row_known;      /* the last look ended at the row that the call is about */
    bool is_written;        /* f has answered with a change, which may have been accepted somewhere (B2) */
    uint64_t tag;           /* of its change */
    uint64_t least_version; /* the lowest that one of its attempts had */
    enum call_decision decision;
    enum call_outcome outcome; /* CALL_ENDS: this one */
    uint64_t version;          /* CALL_ENDS with CALL_DONE: of its own change */
    uint32_t attempts;
    int64_t due_fast_ns;
    bool has_expected;
    uint32_t byte_count, expected_count;
    uint8_t bytes[PAYLOAD_BYTES_MAX], expected[PAYLOAD_BYTES_MAX];
    /* A question. */
    bool is_asking; /* the answer is waited for */
    struct ask ask;
    uint64_t asked_epoch;
    char successor_name[NAME_FIELD_BYTES];
    struct call_result result; /* once it has ended */
};

struct call_table {
    struct call calls[NODE_CALLS_MAX];
    uint32_t open_count;
    uint64_t made;
};

void call_begin(struct node *node, const struct call_command *command);
void call_cancel(struct node *node, uint32_t index);

/* T9: ends what has changed nothing; the rest ends with its operation. */
void call_leave_all(struct node *node);

/* The node is over. */
void call_lose_all(struct node *node);

/* Does what is due for every call. */
void call_run_all(struct node *node);

/* T10: questions about a register that has changed look now. */
void call_hear_changes(struct node *node, const struct beacon *before, const struct beacon *now);

/* The question that this node's heartbeats carry: the oldest open one, or none. */
struct ask call_standing_ask(const struct node *node);

/* The f and the ends of its operations; op_task.c lists them. */
void call_on_looked(struct node *node, const struct op *op, enum op_outcome outcome);
void call_on_written(struct node *node, const struct op *op, enum op_outcome outcome);

#endif
