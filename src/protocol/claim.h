/*
 * Getting a slot (rules S1 to S3 and S5): look, claim, wait, confirm, first heartbeat. Every attempt is a new
 * incarnation. Until the first heartbeat has counted the node has no right to anything.
 */
#ifndef DISKARCH_PROTOCOL_CLAIM_H
#define DISKARCH_PROTOCOL_CLAIM_H

#include "block/limits.h"
#include "protocol/node.h"

struct io;

enum { RETIRED_PER_SLOT = 4 };

enum claim_stage {
    CLAIM_START,   /* draws a new incarnation */
    CLAIM_LEDGER,  /* reading the ledger rows, which only grow truer with time */
    CLAIM_LOOK,    /* S1: from t0 on; both rows of every disk */
    CLAIM_WRITE,   /* S1: until every disk has answered, at most until t0 + d */
    CLAIM_SETTLE,  /* S2: until t0 + 3d */
    CLAIM_CONFIRM, /* S2: reading both rows again */
    CLAIM_FIRST,   /* S2: the first heartbeat, within d of the start of the confirming read */
    CLAIM_REST,    /* between two attempts */
    CLAIM_DONE,
    CLAIM_GIVE_BACK, /* T9: saying in the claim blocks that the slot is free */
};

/* What is known of one slot on one disk. */
struct claim_sight {
    bool is_claim_intact, is_heartbeat_intact;
    bool has_claim_before;     /* claim_before means something */
    uint64_t claim;            /* incarnation in the claim block at the last look */
    uint64_t claim_before;     /* at the look before */
    uint64_t heartbeat;        /* incarnation in the heartbeat block */
    bool is_given_back;        /* what the claim block says */
    bool has_left, is_my_name; /* what the heartbeat block says */
};

struct claim_disk {
    uint8_t pending; /* requests of the current stage in flight */
    bool is_done;    /* every request of the current stage succeeded */
    bool is_failed;
    bool is_counting;    /* S1: the claim was acknowledged before t0 + d */
    bool is_confirmed;   /* S2: the confirming read shows the claim */
    bool is_tuned;       /* S2: the confirming read shows another header than the set was opened with */
    uint32_t ledger_row; /* next ledger row to read */
};

struct claim {
    enum claim_stage stage;
    uint64_t generation;
    int64_t t0_fast_ns, t0_slow_ns;
    int64_t confirm_fast_ns;
    int64_t rest_fast_ns;
    bool is_conflicting; /* S2: a stranger stands in the slot's heartbeat block */
    bool has_waited;     /* NOTICE_JOIN_WAITS has been given for the present reason */
    enum join_wait wait;
    bool has_warned_slow;
    struct claim_disk disks[DISKS_MAX];
    struct claim_sight *sights; /* slots x disks */
    int64_t *foreign_slow_ns;   /* S3: per slot, since when its claim blocks have stood still */
    uint64_t *retired;          /* slots x RETIRED_PER_SLOT: incarnations that ledger blocks call retired */
};

/* Begins joining. */
void claim_begin(struct node *node);

/* S2: abandons the claim if its first heartbeat is late. Asked before a completion may cause another write of it. */
void claim_judge_first(struct node *node);

/* Does what is due. */
void claim_run(struct node *node);

/* One of its requests has finished. */
void claim_on_io(struct node *node, const struct io *io, const struct io_result *result);

/* The first heartbeat of this incarnation has counted: the slot is ours, unless it is too late (S2). */
void claim_on_first_heartbeat(struct node *node);

/* Fills in the claim block of a write; also used to bring back a claim that a disk lacks (D8). */
void claim_prepare_write(struct node *node, struct io *io, bool is_given_back);

/* T9: everything this incarnation ever submitted has come back, and `left` stands in the heartbeat row: writes so into
 * its claim blocks. Only this sets the slot free at once. */
void claim_give_back(struct node *node);

/* Whether those writes have ended, and how many succeeded. */
bool claim_has_given_back(const struct node *node, uint32_t *ret_count);

/* A claim write or first heartbeat has finished: half of the delay is the warning mark, once a node, naming the disk. Beyond
 * it a busy minute makes joining fail. */
void claim_warn_slow(struct node *node, const struct io *io);

/* Whether this incarnation stood in the chosen slot's heartbeat block when the claim began: on this disk, or on any disk
 * if this one was not seen then. 0, the empty block, counts like any other. */
bool claim_has_seen_before(const struct node *node, uint32_t disk, uint64_t incarnation);

#endif
