/*
 * The insides of a node's handle, shared by node.c (the handle), campaign.c (roles and who stands for them), leader.c
 * (what a leader does beside leading), call.c and register.c (calls on names), node_disk.c (disks) and event.c (notices
 * put into words). Everything is under one mutex, which the node thread never takes, except the few fields that
 * diskarch_remaining_ns() reads.
 */
#ifndef DISKARCH_CLIENT_NODE_H
#define DISKARCH_CLIENT_NODE_H

#include "block/limits.h"
#include "runtime/payload_box.h"
#include "runtime/runtime.h"

#include <diskarch/diskarch.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum candidate_stage {
    CANDIDATE_WAITING,
    CANDIDATE_LEADING,
    CANDIDATE_ENDED, /* error says how */
};

/* One local candidate: what the application holds. */
struct diskarch_role {
    struct diskarch *node;
    char name[NAME_FIELD_BYTES];
    bool is_try;
    uint32_t priority;
    struct payload payload; /* to begin with */
    bool is_resigning;
    bool is_transferring; /* a transfer was begun and not refused */
    bool is_freed;        /* given back by the application; freed as soon as the node has released it */
    enum candidate_stage stage;
    int error;
    uint64_t epoch; /* while leading */
    struct notice_box box;
    struct campaign *campaign;             /* NULL when ended */
    struct diskarch_role *behind;          /* the next candidate of the same campaign */
    struct diskarch_role *previous, *next; /* all handles of the node */
    _Atomic uint32_t number_plus_one;      /* of the campaign, once this candidate stands for it; 0 before */
    _Atomic bool is_stopped;               /* resigned by the application: leads nothing from now on */
};

/*
 * All local candidates for one name (H5). The node knows of one campaign per name; the first candidate stands for it,
 * and when it has ended, the next one's campaign is submitted under the same number, so that the epoch grows.
 */
struct campaign {
    char name[NAME_FIELD_BYTES];
    uint32_t number;
    struct diskarch_role *first;
    bool is_held; /* as last read, or by the first candidate: holder_name and epoch say by whom */
    char holder_name[NAME_FIELD_BYTES];
    uint64_t epoch;
    struct campaign *next_in_bucket;
};

/* A call that somebody waits for, or that nobody waits for any more but whose outcome is still open (B2). */
struct call_slot {
    bool is_taken;
    bool is_ended;
    bool is_abandoned;
};

struct diskarch {
    struct runtime *runtime;
    char set_name[NAME_FIELD_BYTES];
    char node_name[NAME_FIELD_BYTES];
    bool is_rejoining;
    bool wants_renewals;
    pthread_mutex_t mutex;
    bool is_over;
    struct node_id identity; /* none while not joined */
    struct diskarch_role *roles;
    struct campaign **by_number; /* numbers_max */
    struct campaign **buckets;   /* numbers_max, by name */
    uint32_t *free_numbers;      /* a stack */
    uint32_t free_count;
    uint32_t numbers_max;
    struct notice_list events;
    struct notice_box node_box;
    struct notice_box disk_boxes[DISKS_MAX];
    uint64_t renewals_told;
    struct call_slot calls[NODE_CALLS_MAX];
};

/* ---- node.c ------------------------------------------------------------------------------------------------------ */

/* Takes in what the node thread has said. The mutex is held. */
void node_take_notices(struct diskarch *node);

/* ---- campaign.c -------------------------------------------------------------------------------------------------- */

/* A notice about a role. The mutex is held. */
void campaign_take_notice(struct diskarch *node, const struct runtime_notice *notice);

/* NOTICE_AT_RISK or NOTICE_SAFE for every role that is led. The mutex is held. */
void campaign_tell_leaders(struct diskarch *node, const struct runtime_notice *notice);

/* Frees a handle and its place among the handles of the node. */
void campaign_free_candidate(struct diskarch_role *role);

/* ---- call.c ------------------------------------------------------------------------------------------------------ */

/* NOTICE_CALL_ENDED. The mutex is held. */
void call_take_notice(struct diskarch *node, const struct runtime_notice *notice);

/*
 * Runs a call (its number is chosen here) and blocks until it has ended, or for timeout_ns and what it then takes to end
 * it early. 0 or an error of diskarch.h; *ret is set with 0 and with DISKARCH_ECHANGED.
 */
int call_run(struct diskarch *node, const struct call_command *command, int64_t timeout_ns, struct call_result *ret);

/* ---- node_disk.c ------------------------------------------------------------------------------------------------- */

/* The public name of a state, and why a disk is in it, with the remedy; empty for a good disk. */
enum diskarch_disk_state node_disk_state(enum disk_state state);
void node_disk_explain(const struct diskarch *node, uint32_t disk, char *text, size_t text_bytes);

/* ---- event.c ----------------------------------------------------------------------------------------------------- */

/* Puts a notice into words; role is NULL for the node's own. */
void event_describe(const struct diskarch *node, struct diskarch_role *role, const struct runtime_notice *notice,
                    struct diskarch_event *ret);

#endif
