#include "block/name.h"
#include "block/role_value.h"
#include "protocol/role_change.h"
#include "protocol/role_lead.h"

#include <assert.h>
#include <string.h>

enum { YIELD_EXCHANGES = 8 };

static void role_rest(struct node *node, struct role *role, int64_t wait_ns)
{
    role->stage = ROLE_RESTING;
    role_schedule(node, role, node->fast_ns + wait_ns);
}

static void role_refuse(struct node *node, struct role *role, enum role_refusal refusal, const struct role_value *value)
{
    struct notice *notice = role_notify(node, role, NOTICE_REFUSED);
    notice->refusal = refusal;
    if (value != NULL) {
        notice->epoch = value->epoch;
        memcpy(notice->holder_name, value->node_name, sizeof notice->holder_name);
    }
    role->stage = ROLE_IDLE;
}

/* ---- The ends of operations -------------------------------------------------------------------------------------------- */

void role_on_acquired(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct role *role = role_at(node, op->client);
    role->is_op_running = false;
    struct role_value value;
    bool is_mine = outcome == OP_COMMITTED && lookup_judge(&role->lookup, op->value, &value) == LOOKUP_FOUND &&
                   role_value_is_held(&value) && node_id_is_same(value.holder, node->self);
    if (is_mine && role->is_wanted) {
        role_lead(node, role, &value);
    } else if (is_mine) {
        role_start_resign(node, role); /* T10: nobody here wants it any more */
    } else if (!role->is_wanted) {
        role_release(node, role);
    } else {
        role_rest(node, role, op_back_off_ns(node, role->attempts++));
    }
}

/* B3, N1: what follows rests on a proven value; the next look brings one. */
static bool role_needs_proof(struct node *node, struct role *role, const struct op *op)
{
    if (!op->is_proven) {
        role->is_to_prove = true;
        role_rest(node, role, 0);
    }
    return !op->is_proven;
}

/* T10: tells the application, once, and other nodes, once, that this one waits for that holder. */
static void role_tell_held(struct node *node, struct role *role, const struct role_value *value)
{
    role->told_holder = value->holder;
    role->told_epoch = value->epoch;
    role->is_to_list = true;
    struct notice *notice = role_notify(node, role, NOTICE_CANDIDATE);
    notice->epoch = value->epoch;
    memcpy(notice->holder_name, value->node_name, sizeof notice->holder_name);
}

/* Somebody not known to be gone holds it. */
static void role_on_held(struct node *node, struct role *role, const struct op *op, const struct role_value *value)
{
    if (value->holder.slot < node_layout(node)->slots) {
        watch_name(&node->watch, value->holder, node->slow_ns);
    }
    bool is_news = !node_id_is_same(role->told_holder, value->holder) || role->told_epoch != value->epoch;
    if ((role->is_try || !node_id_is_same(role->told_holder, value->holder)) && role_needs_proof(node, role, op)) {
        return;
    }
    if (role->is_try) {
        role_refuse(node, role, REFUSED_HELD, value);
        return;
    }
    if (op->is_proven && is_news) {
        role_tell_held(node, role, value);
    }
    uint32_t index = lookup_register(node, &role->lookup);
    bool is_told = node_id_is_same(role->told_holder, value->holder);
    if (role->is_to_list || (is_told && !beacon_is_wanting(node, index))) {
        role->is_to_list = !beacon_want(node, index);
    }
    role->attempts = 0;
    role->yields_until_ns = 0;
    role_rest(node, role, node->params.poll_ns);
}

/* N1: a probe steps over a row only if its name is proven; a row once named keeps its name. */
static void role_step_over(struct node *node, struct role *role, const struct op *op, const struct role_value *value)
{
    if (role_needs_proof(node, role, op)) {
        return;
    }
    lookup_learn(node, &role->lookup, value);
    if (!lookup_step_over(node, &role->lookup)) {
        role_refuse(node, role, REFUSED_FULL, NULL);
        return;
    }
    role_rest(node, role, 0);
}

/*
 * N4: an open role is left to the more preferred for as long as they need to find it open too: those who wait for a free
 * one look every poll, those who wait for a death find it up to a renew interval apart.
 */
static bool role_yields(struct node *node, struct role *role, const struct role_value *value)
{
    if (role->yields_until_ns == 0) {
        int64_t found_ns = role_value_is_held(value) ? node_timings(node)->renew_ns : node->params.poll_ns;
        role->yields_until_ns = node->fast_ns + role->priority * (found_ns + YIELD_EXCHANGES * node->exchange_ns);
    }
    if (node->fast_ns < role->yields_until_ns) {
        role_rest(node, role, role->yields_until_ns - node->fast_ns);
        return true;
    }
    return false;
}

static void role_on_open(struct node *node, struct role *role, const struct op *op, const struct role_value *value)
{
    bool is_mine = role_value_is_held(value) && node_id_is_same(value->holder, node->self);
    if (!is_mine && !role_value_can_grow(node, value)) {
        if (!role_needs_proof(node, role, op)) {
            role_refuse(node, role, REFUSED_FULL, NULL);
        }
        return;
    }
    if (!is_mine && role_yields(node, role, value)) {
        return;
    }
    role->stage = ROLE_ACQUIRING;
    role_schedule(node, role, node->fast_ns);
}

static void role_on_value(struct node *node, struct role *role, const struct op *op)
{
    struct role_value value;
    enum lookup_finding finding = lookup_judge(&role->lookup, op->value, &value);
    bool is_found = finding == LOOKUP_FOUND;
    if (finding == LOOKUP_OTHER) {
        role_step_over(node, role, op, &value);
    } else if (finding == LOOKUP_FOREIGN || (is_found && value.kind != VALUE_ROLE)) {
        if (!role_needs_proof(node, role, op)) {
            role_refuse(node, role, REFUSED_KIND, NULL);
        }
    } else if (!is_found || role_value_is_open(node, &value) || node_id_is_same(value.holder, node->self)) {
        role_on_open(node, role, op, &value);
    } else {
        role_on_held(node, role, op, &value);
    }
}

void role_on_looked(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct role *role = role_at(node, op->client);
    role->is_op_running = false;
    role->is_to_prove = false;
    if (!role->is_wanted) {
        role_release(node, role);
    } else if (outcome == OP_ABORTED) {
        role->is_to_prove = true;
        role_rest(node, role, op_back_off_ns(node, role->attempts++));
    } else {
        role_on_value(node, role, op);
    }
}

/* ---- What is due ---------------------------------------------------------------------------------------------------------- */

static struct op *role_start_look(struct node *node, struct role *role)
{
    lookup_skip_known(node, &role->lookup);
    enum op_goal goal = role->is_to_prove ? OP_PROVE : OP_LOOK;
    return op_start(node, lookup_row(node, &role->lookup), goal, role_index(node, role), NULL, role_on_looked);
}

static bool role_start_op(struct node *node, struct role *role)
{
    uint32_t index = role_index(node, role);
    uint32_t row = lookup_row(node, &role->lookup);
    switch (role->stage) {
    case ROLE_RESTING:
        return role_start_look(node, role) != NULL;
    case ROLE_ACQUIRING:
        return op_start(node, row, OP_UPDATE, index, role_change_acquire, role_on_acquired) != NULL;
    case ROLE_LEADING:
        return op_start(node, row, OP_UPDATE, index, role_change_led, role_on_led) != NULL;
    case ROLE_RESIGNING:
        return op_start(node, row, OP_UPDATE, index, role_change_resign, role_on_resigned) != NULL;
    case ROLE_IDLE:
    case ROLE_LOOKING:
        break;
    }
    assert(false);
    return false;
}

static bool role_has_to_act(const struct role *role)
{
    bool is_quiet =
        role->stage == ROLE_IDLE || role->stage == ROLE_LOOKING || (role->stage == ROLE_LEADING && !role->is_write_due);
    return !is_quiet && !role->is_op_running;
}

static void role_run(struct node *node, struct role *role)
{
    if (!role_has_to_act(role)) {
        return;
    }
    if (!role->is_wanted && role->stage != ROLE_RESIGNING) {
        role_release(node, role);
        return;
    }
    if (node->fast_ns < role->due_fast_ns) {
        role_schedule(node, role, role->due_fast_ns);
        return;
    }
    if (!role_start_op(node, role)) {
        role_schedule(node, role, node->fast_ns + node->exchange_ns); /* no operation is free */
        return;
    }
    role->is_op_running = true;
    if (role->stage == ROLE_RESTING) {
        role->stage = ROLE_LOOKING;
    }
}

void role_run_all(struct node *node)
{
    bool may_run = node->stage == NODE_ACTIVE || node->stage == NODE_LEAVING;
    if (!may_run || node->fast_ns < node->roles.due_fast_ns) {
        node_wake_fast(node, may_run ? node->roles.due_fast_ns : INT64_MAX);
        return;
    }
    node->roles.due_fast_ns = INT64_MAX;
    for (uint32_t i = 0; i < node->roles.end; i++) {
        role_run(node, &node->roles.roles[i]);
    }
    while (node->roles.end > 0 && node->roles.roles[node->roles.end - 1].stage == ROLE_IDLE) {
        node->roles.end--;
    }
    node_wake_fast(node, node->roles.due_fast_ns);
}

void role_campaign(struct node *node, const struct role_command *command)
{
    struct role *role = role_at(node, command->role);
    assert(role->stage == ROLE_IDLE);
    assert(command->priority <= PRIORITY_MAX && command->payload_bytes <= PAYLOAD_BYTES_MAX);
    memset(role, 0, sizeof *role);
    lookup_begin(&role->lookup, command->name);
    role->is_wanted = true;
    role->is_try = command->is_try;
    role->priority = command->priority;
    role->payload_bytes = command->payload_bytes;
    if (command->payload_bytes > 0) {
        memcpy(role->payload, command->payload, command->payload_bytes);
    }
    if (command->role >= node->roles.end) {
        node->roles.end = command->role + 1;
    }
    if (node->stage != NODE_JOINING && node->stage != NODE_ACTIVE) {
        role_release(node, role);
        return;
    }
    role_rest(node, role, 0);
}

void role_resign(struct node *node, uint32_t index)
{
    struct role *role = role_at(node, index);
    role->is_wanted = false;
    if (role->stage == ROLE_LEADING) {
        role_start_resign(node, role);
    } else if ((role->stage == ROLE_RESTING || role->stage == ROLE_ACQUIRING) && !role->is_op_running) {
        role_release(node, role);
    }
}

void role_resign_all(struct node *node)
{
    for (uint32_t i = 0; i < node->roles.end; i++) {
        if (node->roles.roles[i].stage != ROLE_IDLE) {
            role_resign(node, i);
        }
    }
}

bool role_are_all_idle(const struct node *node)
{
    for (uint32_t i = 0; i < node->roles.end; i++) {
        if (node->roles.roles[i].stage != ROLE_IDLE) {
            return false;
        }
    }
    return true;
}

void role_wake_all(struct node *node)
{
    for (uint32_t i = 0; i < node->roles.end; i++) {
        struct role *role = &node->roles.roles[i];
        if (role->stage == ROLE_RESTING) {
            role_schedule(node, role, node->fast_ns);
        }
    }
}

/* A change while it backs off from a rival is the rival's: B4's wait stands. */
void role_hear_changes(struct node *node, const struct beacon *before, const struct beacon *now)
{
    for (uint32_t i = 0; i < node->roles.end; i++) {
        struct role *role = &node->roles.roles[i];
        if (role->stage == ROLE_RESTING && role->attempts == 0 &&
            beacon_has_changed(before, now, lookup_register(node, &role->lookup))) {
            role_schedule(node, role, node->fast_ns);
        }
    }
}

/* Whether it will find out by itself that this node holds the role, and resign it if need be. */
static bool role_is_campaign(const struct role *role)
{
    bool is_to_end = role->stage == ROLE_RESTING || role->stage == ROLE_LOOKING;
    return role->stage != ROLE_IDLE && (role->is_wanted || !is_to_end);
}

bool role_is_campaigning_at(const struct node *node, uint32_t register_index)
{
    for (uint32_t i = 0; i < node->roles.end; i++) {
        const struct role *role = &node->roles.roles[i];
        if (role_is_campaign(role) && lookup_register(node, &role->lookup) == register_index) {
            return true;
        }
    }
    return false;
}

bool role_is_campaigning_for(const struct node *node, const char name[NAME_FIELD_BYTES])
{
    for (uint32_t i = 0; i < node->roles.end; i++) {
        const struct role *role = &node->roles.roles[i];
        if (role_is_campaign(role) && memcmp(role->lookup.name, name, NAME_FIELD_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

void role_lose_all(struct node *node, enum over_reason reason)
{
    for (uint32_t i = 0; i < node->roles.end; i++) {
        struct role *role = &node->roles.roles[i];
        if (role->stage == ROLE_LEADING) {
            struct notice *notice = role_notify(node, role, NOTICE_LOST);
            notice->epoch = role->epoch;
            notice->reason = reason;
        }
        role->stage = ROLE_IDLE;
        role->epoch = 0;
    }
}

bool role_is_contradicted(const struct node *node, uint32_t index, const uint8_t *bytes)
{
    const struct role *role = role_at(node, index);
    struct role_value value;
    return role->epoch != 0 && lookup_judge(&role->lookup, bytes, &value) == LOOKUP_FOUND &&
           !node_id_is_same(value.holder, node->self);
}
