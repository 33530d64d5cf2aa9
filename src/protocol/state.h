/*
 * The whole state of a node, shared by the modules of src/protocol and by nobody else. Each part belongs to the module
 * whose header declares it; node.c puts the parts together.
 */
#ifndef DISKARCH_PROTOCOL_STATE_H
#define DISKARCH_PROTOCOL_STATE_H

#include "block/header.h"
#include "block/layout.h"
#include "protocol/beacon.h"
#include "protocol/beat.h"
#include "protocol/call.h"
#include "protocol/claim.h"
#include "protocol/health.h"
#include "protocol/io.h"
#include "protocol/lease.h"
#include "protocol/ledger.h"
#include "protocol/mend.h"
#include "protocol/node.h"
#include "protocol/peer.h"
#include "protocol/random.h"
#include "protocol/register.h"
#include "protocol/role.h"
#include "protocol/stray.h"
#include "protocol/sweep.h"
#include "protocol/watch.h"

enum node_stage {
    NODE_JOINING,     /* claiming a slot: nothing may be held */
    NODE_ACTIVE,      /* the lease is real */
    NODE_LEAVING,     /* T9: resigning, then waiting until nothing is in flight */
    NODE_SIGNING_OFF, /* T9: writing `left` */
    NODE_GIVING_BACK, /* T9: nothing is in flight any more; setting the slot free */
    NODE_OVER,        /* T4: never acts again */
};

struct node {
    struct node_params params;
    uint64_t set_tag;
    uint32_t disk_count;
    struct random random;

    /* The event being handled. */
    uint64_t step;
    int64_t fast_ns;
    int64_t slow_ns;
    int64_t wall_ns;

    enum node_stage stage;
    struct node_id self; /* of this attempt; its slot means something from the claim on */
    uint64_t sequence;   /* of the last block this incarnation wrote */
    bool is_at_risk;
    int64_t leave_fast_ns; /* T9: give up leaving cleanly at this time */
    int64_t exchange_ns;   /* smoothed duration of a phase: the unit of every back-off */

    struct io_table io;
    struct health_table health;
    struct lease lease;
    struct beat beat;
    struct watch watch;
    struct claim claim;
    struct register_table registers;
    struct mend mend;
    struct sweep sweep;
    struct ledger ledger;
    struct role_table roles;
    struct call_table calls;
    struct beacon_own beacon;
    struct peer *peers; /* beside watch.entries */
    struct stray_table strays;

    struct io_action *io_actions;
    uint32_t io_action_count;
    struct notice *notices;
    uint32_t notice_count;
    uint32_t notice_room;
    int64_t wake_fast_ns;
    int64_t wake_slow_ns;
};

/* Ends this incarnation: every leadership is lost, nothing is submitted any more (rule T4). */
void node_go_over(struct node *node, enum over_reason reason);

/* Begins a new notice of this kind; the caller fills in the rest. */
struct notice *node_notify(struct node *node, enum notice_kind kind);

/* Asks for a tick not later than this on the fast or the slow clock. */
static inline void node_wake_fast(struct node *node, int64_t at_ns)
{
    node->wake_fast_ns = at_ns < node->wake_fast_ns ? at_ns : node->wake_fast_ns;
}

static inline void node_wake_slow(struct node *node, int64_t at_ns)
{
    node->wake_slow_ns = at_ns < node->wake_slow_ns ? at_ns : node->wake_slow_ns;
}

/* Where this node's block of a row stands on a disk. */
static inline struct block_place node_own_place(const struct node *node, uint32_t disk, uint32_t row)
{
    return (struct block_place){.set_tag = node->set_tag, .disk = disk, .row = row, .slot = node->self.slot};
}

/* The author of the next block this node writes. */
static inline struct block_author node_next_author(struct node *node)
{
    return (struct block_author){.incarnation = node->self.incarnation, .sequence = ++node->sequence};
}

static inline const struct layout *node_layout(const struct node *node)
{
    return &node->params.header.layout;
}

static inline const struct timings *node_timings(const struct node *node)
{
    return &node->params.header.timings;
}

#endif
