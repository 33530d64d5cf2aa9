/*
 * The part of a role's life in which it is led, handed over and resigned; and what that part shares with the campaign.
 * For role.c and role_lead.c only.
 */
#ifndef DISKARCH_PROTOCOL_ROLE_LEAD_H
#define DISKARCH_PROTOCOL_ROLE_LEAD_H

#include "protocol/state.h"

#include <assert.h>

static inline struct role *role_at(const struct node *node, uint32_t index)
{
    assert(index < node->params.roles_max);
    return &node->roles.roles[index];
}

static inline uint32_t role_index(const struct node *node, const struct role *role)
{
    return (uint32_t)(role - node->roles.roles);
}

static inline struct notice *role_notify(struct node *node, const struct role *role, enum notice_kind kind)
{
    struct notice *notice = node_notify(node, kind);
    notice->role = role_index(node, role);
    return notice;
}

/* It has something to do then. */
static inline void role_schedule(struct node *node, struct role *role, int64_t due_ns)
{
    role->due_fast_ns = due_ns;
    if (due_ns < node->roles.due_fast_ns) {
        node->roles.due_fast_ns = due_ns;
    }
}

/* The client hears that it has ended; its number is free. */
static inline void role_release(struct node *node, struct role *role)
{
    role_notify(node, role, NOTICE_RELEASED);
    beacon_want_no_more(node, lookup_register(node, &role->lookup));
    role->stage = ROLE_IDLE;
}

/* B3: a value that names this node has been proven committed, and the lease holds: it leads. */
void role_lead(struct node *node, struct role *role, const struct role_value *value);

/* It leads no longer, from now on; the register is told next. */
void role_start_resign(struct node *node, struct role *role);

/* The ends of its updates of the value, and of its resignation. */
void role_on_led(struct node *node, const struct op *op, enum op_outcome outcome);
void role_on_resigned(struct node *node, const struct op *op, enum op_outcome outcome);

#endif
