/*
 * The insides of a runtime, shared by its files: runtime.c is the owner's side, thread.c the turn of the node thread,
 * commands.c and calls.c what the owner asks of it, incarnation.c what happens between the end of one incarnation and
 * the beginning of the next.
 */
#ifndef DISKARCH_RUNTIME_STATE_H
#define DISKARCH_RUNTIME_STATE_H

#include "disk/disk_set.h"
#include "runtime/area.h"
#include "runtime/clock.h"
#include "runtime/lease_page.h"
#include "runtime/payload_box.h"
#include "runtime/queue.h"
#include "runtime/recorder.h"
#include "runtime/requests.h"
#include "runtime/runtime.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum {
    NOTICE_QUEUE_ROOM = 256, /* what does not fit waits in the backlog */
    COMMANDS_PER_ROLE = 5,   /* see send_command() */
    ORDERS_PER_CALL = 3, /* a cancellation that crossed the end, the next call under that number, its cancellation */
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

enum runtime_phase {
    PHASE_RUNNING,  /* an incarnation lives */
    PHASE_DRAINING, /* it is over; its requests are waited for, then the next one begins */
    PHASE_ENDED,    /* over for good */
};

struct runtime {
    /* Constant while the thread runs. */
    struct disk_set set;
    struct node_params params; /* but seed and former */
    bool is_rejoining;
    bool wants_renewals;
    uint32_t engine_depth;
    enum disk_engine_kind engine_kind;
    struct area_list areas;
    struct area_list recorder_areas; /* not locked: most of it is never looked at again */
    struct runtime_info info;
    pthread_t thread;
    sem_t started;
    int start_error;

    /* Between the threads. */
    struct queue commands;             /* struct command */
    struct queue call_orders;          /* struct call_order */
    struct queue notices;              /* struct runtime_notice */
    struct payload_box *payload_boxes; /* params.roles_max */
    struct bell command_bell;
    struct bell notice_bell;
    struct lease_page *page;
    struct disk_cell disk_cells[DISKS_MAX];
    _Atomic uint64_t renewals;
    _Atomic bool is_over; /* PHASE_ENDED has been reached */
    _Atomic bool must_stop;

    /* The node thread only. */
    enum runtime_phase phase;
    struct turn_clock clock;
    struct requests requests;
    void *node_memory;
    struct recorder *recorder; /* NULL if nodes of this set are too large to be recorded */
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
    bool has_news;            /* the bell is to be rung, though no notice may wait */
    struct notice_box node_box;
    struct notice_box disk_boxes[DISKS_MAX];
    struct notice_list backlog;
};

/* ---- thread.c ---------------------------------------------------------------------------------------------------- */

/* The node thread: `argument` is its struct runtime. */
void *thread_main(void *argument);

/* One step of the node, and everything it wants done but the submission. */
void thread_feed(struct runtime *runtime, struct event *event);

/* A campaign is over: `notice` says how. */
void thread_end_campaign(struct runtime *runtime, const struct runtime_notice *notice);

/* Files a notice of a role, or of the node. */
void thread_tell_role(struct runtime *runtime, uint32_t role, const struct runtime_notice *notice);
void thread_tell_node(struct runtime *runtime, const struct runtime_notice *notice);

/* ---- commands.c -------------------------------------------------------------------------------------------------- */

/* Takes everything that the owner has sent about roles. */
void commands_take(struct runtime *runtime);

/* Gives every open campaign to a new incarnation. */
void commands_give_again(struct runtime *runtime);

/* ---- calls.c ----------------------------------------------------------------------------------------------------- */

/* Takes everything that the owner has sent about calls. */
void calls_take(struct runtime *runtime);

/* NOTICE_CALL_ENDED. */
void calls_take_end(struct runtime *runtime, uint32_t number);

/* Gives every open call to a new incarnation. */
void calls_give_again(struct runtime *runtime);

/* The incarnation is over: what it has not ended waits for the next one, or ends here. */
void calls_end_incarnation(struct runtime *runtime, bool is_final);

/* ---- incarnation.c ----------------------------------------------------------------------------------------------- */

/* Begins a new incarnation with every open campaign. `former` as in struct node_params. 0 or -errno. */
int incarnation_begin(struct runtime *runtime, struct node_id former);

/* The incarnation has ended: nothing is led any more, and if this was the last one every campaign is released. */
void incarnation_end(struct runtime *runtime, enum over_reason reason, bool is_internal);

/* While draining: begins the next incarnation as soon as the former one's requests are back or were waited for. */
void incarnation_try_next(struct runtime *runtime);

/* Ends the waiting for a next incarnation. */
void incarnation_give_up(struct runtime *runtime);

/* Forgets a leadership and the number's epoch. */
void incarnation_drop_leadership(struct runtime *runtime, uint32_t role);

#endif
