/*
 * The insides of a runtime, shared by its three files: runtime.c is the owner's side, thread.c the turn of the node
 * thread, incarnation.c what happens between the end of one incarnation and the beginning of the next.
 */
#ifndef DISKARCH_RUNTIME_STATE_H
#define DISKARCH_RUNTIME_STATE_H

#include "disk/disk_set.h"
#include "runtime/area.h"
#include "runtime/clock.h"
#include "runtime/lease_page.h"
#include "runtime/queue.h"
#include "runtime/requests.h"
#include "runtime/runtime.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum {
    NOTICE_QUEUE_ROOM = 256, /* what does not fit waits in the backlog */
    COMMANDS_PER_ROLE = 3,   /* see runtime_campaign() */
};

enum command_kind { COMMAND_CAMPAIGN, COMMAND_RESIGN, COMMAND_LEAVE };

struct command {
    enum command_kind kind;
    uint32_t role;
    bool is_try;
    char name[NAME_FIELD_BYTES];
};

/* A campaign as the node thread keeps it, over all incarnations. */
struct runtime_role {
    bool is_open; /* neither released nor refused */
    bool is_resigning;
    bool is_try;
    bool is_elected;   /* the node says leader, the clock has not been asked yet */
    bool is_announced; /* the owner has been told, and the epoch published */
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
    uint32_t engine_depth;
    enum disk_engine_kind engine_kind;
    struct area_list areas;
    struct runtime_info info;
    pthread_t thread;
    sem_t started;
    int start_error;

    /* Between the threads. */
    struct queue commands; /* struct command */
    struct queue notices;  /* struct runtime_notice */
    struct bell command_bell;
    struct bell notice_bell;
    struct lease_page *page;
    _Atomic bool is_over; /* PHASE_ENDED has been reached */
    _Atomic bool must_stop;

    /* The node thread only. */
    enum runtime_phase phase;
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
    struct notice_box node_box;
    struct notice_list backlog;
};

/* ---- thread.c ---------------------------------------------------------------------------------------------------- */

/* The node thread: `argument` is its struct runtime. */
void *thread_main(void *argument);

/* Files a notice of a role, or of the node. */
void thread_tell_role(struct runtime *runtime, uint32_t role, const struct runtime_notice *notice);
void thread_tell_node(struct runtime *runtime, const struct runtime_notice *notice);

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
