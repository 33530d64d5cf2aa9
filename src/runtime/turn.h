/*
 * The turn of a node: takes in what has finished, steps the node, sends what it wants, publishes.
 *
 * What it knows of the world it was given: disks as an engine, clocks and chance through a small port, its memory. It
 * never waits, wakes nobody and knows no threads: thread.c runs it on a thread of its own, the simulator in a world of its
 * own. turn.c is the order of things, commands.c and calls.c what the owner asks of the node, incarnation.c what happens
 * between the end of one incarnation and the beginning of the next, owner.c the owner's side of the queues.
 */
#ifndef DISKARCH_RUNTIME_TURN_H
#define DISKARCH_RUNTIME_TURN_H

#include "runtime/clock.h"
#include "runtime/lease_page.h"
#include "runtime/notice_list.h"
#include "runtime/payload_box.h"
#include "runtime/queue.h"
#include "runtime/requests.h"

#include <stdatomic.h>

enum {
    COMMANDS_PER_ROLE = 5, /* see owner.c */
    ORDERS_PER_CALL = 3,   /* a cancellation that crossed the end, the next call under that number, its cancellation */
    DISK_STATE_SHIFT = 16,
};

enum command_kind { COMMAND_CAMPAIGN, COMMAND_RESIGN, COMMAND_TRANSFER, COMMAND_PUBLISH, COMMAND_LEAVE };

struct command {
    enum command_kind kind;
    uint32_t role;
    bool is_try;
    uint32_t priority;
    struct payload payload;      /* campaign; what is published later waits in the role's payload box */
    char name[NAME_FIELD_BYTES]; /* campaign: of the role; transfer: of the successor */
};

/* A call, or the end of one, as it passes through the queue: struct call_command with its bytes. */
struct call_order {
    bool is_cancel;
    uint32_t call;
    enum call_verb verb;
    bool has_expected;
    enum ask_verb ask;
    struct payload value;
    struct payload expected;
    char name[NAME_FIELD_BYTES];
    char successor_name[NAME_FIELD_BYTES];
};

/* A call as the node thread keeps it, over all incarnations. */
struct runtime_call {
    bool is_open;      /* its end has not been told */
    bool is_given;     /* the incarnation that lives has it */
    bool is_cancelled; /* its owner wants it to end */
    bool is_doubtful;  /* an earlier incarnation may have done it */
    struct call_order order;
    struct call_result result; /* the owner reads it once the end has been told */
    struct notice_box box;
};

/* What is thought of a disk, for any thread to read. */
struct disk_cell {
    _Atomic uint32_t state; /* enum disk_state << DISK_STATE_SHIFT | enum disk_cause */
    _Atomic int64_t latency_ns;
};

/* A campaign as the node thread keeps it, over all incarnations. */
struct runtime_role {
    bool is_open; /* neither released nor refused */
    bool is_resigning;
    bool is_try;
    bool is_elected;   /* the node says leader, the clock has not been asked yet */
    bool is_announced; /* the owner has been told, and the epoch published */
    uint32_t priority;
    struct payload payload; /* the newest */
    char name[NAME_FIELD_BYTES];
    struct notice_box box;
};

enum turn_phase {
    PHASE_RUNNING,  /* an incarnation lives */
    PHASE_DRAINING, /* it is over; its requests are waited for, then the next one begins */
    PHASE_ENDED,    /* over for good */
};

/* What a turn gets from outside beside the disks, and who sees each step. Called by the node thread only. */
struct turn_port {
    void *context; /* given to each */
    struct clock_reading (*read_clock)(void *context);
    int64_t (*read_wall_clock)(void *context);
    int (*draw_seed)(void *context, uint64_t ret_seed[2]); /* 0 or -errno */
    int (*wipe_node)(void *context, void *memory);         /* makes the node's memory all zero again: 0 or -errno */
    void (*note_begin)(void *context, const struct node_params *params, const struct node *node);
    void (*note_event)(void *context, const struct event *event); /* before its step */
    void (*note_actions)(void *context,
                         const struct actions *actions); /* what that step wants, before any of it is done */
};

struct turn {
    /* Constant from turn_begin() on. */
    struct turn_port port;
    struct node_params params; /* but seed and former */
    bool is_rejoining;
    bool wants_renewals;

    /* Between the node thread and its owner. */
    struct queue commands;             /* struct command */
    struct queue call_orders;          /* struct call_order */
    struct queue notices;              /* struct runtime_notice */
    struct payload_box *payload_boxes; /* params.roles_max */
    struct lease_page *page;
    struct disk_cell disk_cells[DISKS_MAX];
    _Atomic uint64_t renewals;
    _Atomic bool is_over; /* PHASE_ENDED has been reached */

    /* The node thread only. */
    enum turn_phase phase;
    struct turn_clock clock;
    struct requests requests;
    void *node_memory;
    struct node *node;
    int64_t wake_fast_ns;
    int64_t wake_slow_ns;
    int64_t drain_end_fast_ns;
    int64_t failing_since_fast_ns; /* the engine refuses every call since then; 0: it works */
    bool is_leaving;
    struct runtime_role *roles; /* params.roles_max */
    uint32_t roles_used;        /* numbers from here on were never taken */
    uint32_t *elected;          /* roles with is_elected, and perhaps some that no longer have it */
    uint32_t elected_count;
    struct runtime_call calls[NODE_CALLS_MAX];
    int64_t published_end_ns; /* of the lease, as the page shows it */
    bool has_news;            /* the owner is to be woken, though no notice may wait */
    struct notice_box node_box;
    struct notice_box disk_boxes[DISKS_MAX];
    struct notice_list backlog;
};

/* ---- turn.c ------------------------------------------------------------------------------------------------------ */

/* Gives zeroed memory that lives as long as the turn. 0 or -errno. */
typedef int turn_map_function(void *context, size_t bytes, void **ret);

/*
 * Gets all memory of a turn but its page, for the params in it, with room for so many notices at a time; what does not fit
 * waits in the backlog. 0 or the first error of `map`.
 */
int turn_map(struct turn *turn, size_t notice_room, turn_map_function *map, void *context);

/* Begins the first incarnation; everything that is constant has been set, and all else is zero. 0 or -errno. */
int turn_begin(struct turn *turn);

/* One turn. True if the owner is to be woken. */
bool turn_run(struct turn *turn);

/* What the engine answered when it was waited for: 0 or -errno. */
void turn_note_engine(struct turn *turn, int error);

/* For how long nothing needs to be done, unless something comes in; INT64_MAX: for ever. */
int64_t turn_idle_ns(const struct turn *turn);

/* One step of the node, and everything it wants done but the submission. */
void turn_feed(struct turn *turn, struct event *event);

/* A campaign is over: `notice` says how. */
void turn_end_campaign(struct turn *turn, const struct runtime_notice *notice);

/* Files a notice of a role, or of the node. */
void turn_tell_role(struct turn *turn, uint32_t role, const struct runtime_notice *notice);
void turn_tell_node(struct turn *turn, const struct runtime_notice *notice);

/* ---- owner.c: the owner's side, one thread at a time; see the functions of the same names in runtime.h ---------------- */

void owner_campaign(struct turn *turn, const struct role_command *command);
void owner_resign(struct turn *turn, uint32_t role);
void owner_transfer(struct turn *turn, uint32_t role, const char *successor_name);

/* False if the node thread need not be woken for it. */
bool owner_publish(struct turn *turn, uint32_t role, const void *payload, uint32_t payload_bytes);
void owner_leave(struct turn *turn);
void owner_call(struct turn *turn, const struct call_command *command);
void owner_cancel(struct turn *turn, uint32_t call);
const struct call_result *owner_call_result(const struct turn *turn, uint32_t call);
bool owner_take_notice(struct turn *turn, struct runtime_notice *ret);

/* ---- commands.c -------------------------------------------------------------------------------------------------- */

/* Takes everything that the owner has sent about roles. */
void commands_take(struct turn *turn);

/* Gives every open campaign to a new incarnation. */
void commands_give_again(struct turn *turn);

/* ---- calls.c ----------------------------------------------------------------------------------------------------- */

/* Takes everything that the owner has sent about calls. */
void calls_take(struct turn *turn);

/* NOTICE_CALL_ENDED. */
void calls_take_end(struct turn *turn, uint32_t number);

/* Gives every open call to a new incarnation. */
void calls_give_again(struct turn *turn);

/* The incarnation is over: what it has not ended waits for the next one, or ends here. */
void calls_end_incarnation(struct turn *turn, bool is_final);

/* ---- incarnation.c ----------------------------------------------------------------------------------------------- */

/* Begins a new incarnation with every open campaign. `former` as in struct node_params. 0 or -errno. */
int incarnation_begin(struct turn *turn, struct node_id former);

/* The incarnation has ended: nothing is led any more, and if this was the last one every campaign is released. */
void incarnation_end(struct turn *turn, enum over_reason reason, bool is_internal);

/* While draining: begins the next incarnation as soon as the former one's requests are back or were waited for. */
void incarnation_try_next(struct turn *turn);

/* Ends the waiting for a next incarnation. */
void incarnation_give_up(struct turn *turn);

/* Forgets a leadership and the number's epoch. */
void incarnation_drop_leadership(struct turn *turn, uint32_t role);

#endif
