/*
 * A node as a pure function: node_step(node, event) -> actions.
 *
 * No I/O, no clock, no randomness, no allocation, no logging, no threads, no errno. Every event carries the time; the
 * pseudo-random state is a field, seeded once. The same node, fed the same events, gives the same actions: that is what
 * the simulator and every regression rest on.
 */
#ifndef DISKARCH_PROTOCOL_NODE_H
#define DISKARCH_PROTOCOL_NODE_H

#include "block/ballot.h"
#include "block/block.h"
#include "block/header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NODE_DEPTH_MAX = 32,    /* register requests in flight per disk */
    NODE_RESERVED = 8,      /* and others beside them: heartbeat, claim, header, mending, stragglers */
    NODE_ROLES_MAX = 65536, /* roles one node campaigns for at a time */
    NODE_CALLS_MAX = 64,    /* calls of one node that have not ended yet */
    PRIORITY_MAX = 100,
};

struct node_params {
    struct set_header header; /* layout, timings, identity; majorities are of header.disk_count */
    char name[NAME_FIELD_BYTES];
    uint64_t seed[2];      /* drawn from the system once per incarnation: incarnations and back-off come from it */
    uint32_t engine;       /* enum heartbeat_engine, shown in the heartbeat */
    uint32_t depth;        /* register requests in flight per disk, 1..NODE_DEPTH_MAX */
    uint32_t roles_max;    /* local role numbers are below this */
    int64_t poll_ns;       /* how often a waiting candidate looks; 0: renew/4 */
    struct node_id former; /* the incarnation this process had before, over and with no request in flight; else none */
};

struct node;

/* Bytes node_init() needs; the caller allocates and zeroes them, aligned as malloc does. */
size_t node_bytes(const struct node_params *params);

/* Makes a node in zeroed memory. The first event starts it joining. */
struct node *node_init(void *memory, const struct node_params *params);

/* Copies a node between two steps into node_bytes() bytes that any process of the same build can read. */
void node_copy(const struct node *node, void *to);

/* Makes a node out of such a copy, in place. Given the same events, it takes the same actions as the one it was copied from. */
struct node *node_adopt(void *copy, const struct node_params *params);

/* ---- Events --------------------------------------------------------------------------------------------------------- */

enum event_kind {
    EVENT_TICK,     /* time has passed */
    EVENT_IO,       /* a request has finished */
    EVENT_CAMPAIGN, /* become a candidate for a role */
    EVENT_RESIGN,   /* stop being one; if leading, resign, or hand over where a transfer has begun */
    EVENT_TRANSFER, /* begin to hand a led role over to a named node; NOTICE_TRANSFER or NOTICE_TRANSFER_REFUSED */
    EVENT_PUBLISH,  /* another payload for a led role; NOTICE_PUBLISHED */
    EVENT_CALL,     /* begin a call on a name; NOTICE_CALL_ENDED */
    EVENT_CANCEL,   /* end a call early; NOTICE_CALL_ENDED, at once or when its outcome is known (B2) */
    EVENT_LEAVE,    /* resign everything and leave (T9) */
};

/* What became of one ACTION_IO. */
struct io_result {
    uint32_t tag;
    bool is_write_ok;     /* the write was acknowledged; true when nothing was to be written */
    bool is_read_ok;      /* the row or header was read; true when nothing was to be read */
    const uint8_t *bytes; /* the row (or header block) if is_read_ok */
};

struct role_command {
    uint32_t role;     /* the client's number for it, below roles_max; free for reuse after ROLE_RELEASED / _REFUSED */
    bool is_try;       /* campaign: give up if somebody not known to be dead holds it */
    const char *name;  /* campaign: a good name, copied; a node never has two campaigns for one name */
    uint32_t priority; /* campaign: 0 is preferred; others give way for a few exchanges each, at most PRIORITY_MAX */
    const uint8_t *payload;     /* campaign, publish: copied; NULL if payload_bytes is 0 */
    uint32_t payload_bytes;     /* at most PAYLOAD_BYTES_MAX */
    const char *successor_name; /* transfer: a good node name, copied */
};

/* What can be asked of a name without campaigning for it. One exchange or a few, then NOTICE_CALL_ENDED. */
enum call_verb {
    CALL_GET,         /* register or agree-once value: its value and version, linearizable */
    CALL_SET,         /* register: creates it, or replaces its value */
    CALL_COMPARE_SET, /* register: replaces its value if it is the expected one; without an expected one only creates it */
    CALL_PROPOSE,     /* agree-once value: the first proposal stays for ever; answers with the value that stays */
    CALL_FORGET,      /* role: only a free one; its name and its epoch are kept */
    CALL_ASK,         /* role: asks its holder for something (N2); ends when it has happened */
};

struct call_command {
    uint32_t call; /* the client's number for it, below NODE_CALLS_MAX; free for reuse after NOTICE_CALL_ENDED */
    enum call_verb verb;
    const char *name;     /* a good name, copied */
    const uint8_t *bytes; /* set, compare-and-set, propose: the new value, copied */
    uint32_t byte_count;  /* at most PAYLOAD_BYTES_MAX */
    bool has_expected;    /* compare-and-set: false if the register must not exist yet */
    const uint8_t *expected_bytes;
    uint32_t expected_count;
    enum ask_verb ask;          /* ask */
    const char *successor_name; /* ask for a transfer: a good node name, copied */
};

struct event {
    enum event_kind kind;
    int64_t fast_ns; /* T1: what this node holds is judged by it */
    int64_t slow_ns; /* T1: what this node waits for is judged by it */
    int64_t wall_ns; /* display only */
    union {
        struct io_result io;
        struct role_command command;
        struct call_command call;
    } as;
};

/* ---- Actions -------------------------------------------------------------------------------------------------------- */

enum io_operation { IO_READ, IO_WRITE, IO_EXCHANGE, IO_HEADER };

struct io_action {
    enum io_operation operation;
    uint32_t disk;
    uint32_t row;
    uint32_t slot;
    uint32_t tag;
    const uint8_t *block; /* write, exchange: valid until that request has finished */
};

enum over_reason {
    OVER_NONE = 0,
    OVER_LEASE,    /* T4 */
    OVER_VERDICT,  /* T8: found itself in a verdict, or retired in the ledger */
    OVER_REPLACED, /* T8: another holder in a role it believed to hold */
    OVER_SLOT,     /* T5: another incarnation in its slot */
    OVER_LEFT,     /* T9: left cleanly: it never had a slot, or gave it back */
    OVER_STOPPED,  /* T9: left with requests in flight: the slot goes into quarantine */
};

enum notice_kind {
    NOTICE_JOINED,     /* node_identity() is set, the lease is real */
    NOTICE_JOIN_WAITS, /* wait says why */
    NOTICE_CANDIDATE,  /* role, epoch, holder_name: held by another as last read */
    NOTICE_LEADER,     /* role, epoch */
    NOTICE_AT_RISK,    /* the node: less than L/2 left */
    NOTICE_SAFE,       /* the node: renewed again */
    NOTICE_LOST,       /* role, epoch, reason */
    NOTICE_RELEASED,   /* role */
    NOTICE_REFUSED,    /* role, refusal */
    NOTICE_ASKED,      /* role, epoch, ask, holder_name: who asks. The holder should let go, or must (ASK_RESIGN) */
    NOTICE_TRANSFER,   /* role, epoch, holder_name: the successor. Stop the work, then EVENT_RESIGN hands over */
    NOTICE_TRANSFER_REFUSED, /* role, refusal: nothing has changed */
    NOTICE_PUBLISHED,        /* role: the newest payload is committed */
    NOTICE_CALL_ENDED,       /* call: see node_call_result() */
    NOTICE_DISK,             /* disk: its state has changed: see node_disk() */
    NOTICE_OVER,             /* the node, reason; nothing follows it */
};

enum join_wait {
    WAIT_NO_SLOT,
    WAIT_NAME_HAS_SLOT,
    WAIT_NO_MAJORITY,
    WAIT_SLOW_DISK,
    WAIT_TUNED, /* the headers are no longer what they were when the set was opened: that will not change by waiting */
};

enum role_refusal {
    REFUSED_HELD,
    REFUSED_FULL, /* every register has a name, or no epoch can follow the one there is */
    REFUSED_KIND,
    REFUSED_NOT_READY, /* transfer: no other node of that name is ready */
};

/* What this node thinks of a disk. */
enum disk_state {
    DISK_GOOD,
    DISK_SLOW,        /* answers, but needs more than half of the io deadline */
    DISK_FAILED,      /* errors or does not answer; gets nothing but header reads until its header is intact */
    DISK_CATCHING_UP, /* is back and counts (D8); this node's current blocks are being written there again */
    DISK_OUT,         /* D7: counted out for the rest of this incarnation */
};

enum disk_cause {
    DISK_CAUSE_NONE,
    DISK_CAUSE_ERROR,     /* a request failed */
    DISK_CAUSE_SILENT,    /* a request is past its deadline (D2) */
    DISK_CAUSE_HEADER,    /* its header is no longer intact, or another disk's */
    DISK_CAUSE_BACKWARDS, /* D7: a block is older than what this disk had acknowledged or shown */
    DISK_CAUSE_TOLD,      /* D7: another node has counted it out */
};

struct disk_report {
    enum disk_state state;
    enum disk_cause cause;
    int64_t latency_ns; /* smoothed, of a heartbeat's write; 0 before the first */
};

struct notice {
    enum notice_kind kind;
    uint32_t role;
    uint64_t epoch;
    enum over_reason reason;
    enum join_wait wait;
    enum role_refusal refusal;
    enum ask_verb ask;
    uint32_t call;
    uint32_t disk; /* WAIT_SLOW_DISK, NOTICE_DISK: which */
    char holder_name[NAME_FIELD_BYTES];
};

/*
 * What one step wants done, in order; both arrays live in the node until the next step. Each io is answered by exactly one
 * EVENT_IO with its tag. A request that cannot even be queued is answered at once with both flags false.
 */
struct actions {
    const struct io_action *ios;
    uint32_t io_count;
    const struct notice *notices;
    uint32_t notice_count;
    int64_t wake_fast_ns; /* step again with EVENT_TICK when either clock has got there */
    int64_t wake_slow_ns;
};

/* The one entry. *ret_actions is overwritten. */
void node_step(struct node *node, const struct event *event, struct actions *ret_actions);

/* ---- What the runtime publishes and tests look at ------------------------------------------------------------------- */

/* Its slot and incarnation; none while joining and for an incarnation that failed to join. */
struct node_id node_identity(const struct node *node);

/* The lease's end on the fast clock; 0 while there is none. Leadership is held only before it. */
int64_t node_lease_end_ns(const struct node *node);

/* The epoch under which it leads the role, 0 if it does not. True only together with fast < node_lease_end_ns(). */
uint64_t node_role_epoch(const struct node *node, uint32_t role);

enum call_outcome {
    CALL_DONE,
    CALL_UNCHANGED, /* compare-and-set: the value is another one, and stands in the result */
    CALL_NONE,      /* get, forget, ask: there is no such name */
    CALL_KIND,      /* the name belongs to another kind of value */
    CALL_FULL,      /* every register has a name, or no version can follow the one there is */
    CALL_HELD,      /* forget: somebody holds the role */
    CALL_FREE,      /* ask: nobody alive holds the role */
    CALL_NOT_READY, /* ask for a transfer: no node of that name, other than the holder, is ready */
    CALL_UNKNOWN,   /* whether it has happened cannot be told any more (see protocol/call.h) */
    CALL_CANCELLED, /* nothing has changed */
};

struct call_result {
    enum call_outcome outcome;
    uint64_t version; /* of a register: the number of its changes; of a role: its epoch */
    uint32_t byte_count;
    uint8_t bytes[PAYLOAD_BYTES_MAX];
    char node_name[NAME_FIELD_BYTES]; /* of a role: who holds it */
};

/* Of a call that has ended; valid until the next step. */
const struct call_result *node_call_result(const struct node *node, uint32_t call);

/* What is thought of a disk now. */
struct disk_report node_disk(const struct node *node, uint32_t disk);

/* Whether it is over: no further action will come. */
bool node_is_over(const struct node *node);

/* Requests not yet answered by an EVENT_IO. */
uint32_t node_in_flight(const struct node *node);

#endif
