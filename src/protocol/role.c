#include "block/name.h"
#include "block/role_value.h"
#include "protocol/state.h"

#include <assert.h>
#include <string.h>

static struct role *role_at(const struct node *node, uint32_t index)
{
    assert(index < node->params.roles_max);
    return &node->roles.roles[index];
}

static uint32_t role_index(const struct node *node, const struct role *role)
{
    return (uint32_t)(role - node->roles.roles);
}

/* N1: open addressing over the registers. */
static uint32_t role_row(const struct node *node, const struct role *role)
{
    uint32_t registers = node_layout(node)->registers;
    uint32_t start = (uint32_t)(name_hash(role->name) % registers);
    return layout_register_row(node_layout(node), (start + role->probe) % registers);
}

static void role_schedule(struct node *node, struct role *role, int64_t due_ns)
{
    role->due_fast_ns = due_ns;
    if (due_ns < node->roles.due_fast_ns) {
        node->roles.due_fast_ns = due_ns;
    }
}

static void role_rest(struct node *node, struct role *role, int64_t wait_ns)
{
    role->stage = ROLE_RESTING;
    role_schedule(node, role, node->fast_ns + wait_ns);
}

static struct notice *role_notify(struct node *node, const struct role *role, enum notice_kind kind)
{
    struct notice *notice = node_notify(node, kind);
    notice->role = role_index(node, role);
    return notice;
}

static void role_release(struct node *node, struct role *role)
{
    role_notify(node, role, NOTICE_RELEASED);
    role->stage = ROLE_IDLE;
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

/* ---- The values of phase 2 -------------------------------------------------------------------------------------------- */

static bool role_value_names(const struct role_value *value, const struct role *role)
{
    return memcmp(value->name, role->name, sizeof value->name) == 0;
}

static bool role_value_is_held(const struct role_value *value)
{
    return value->hold == ROLE_HELD || value->hold == ROLE_TRANSFERRING;
}

/* Whether a candidate may hold it next: free, or held by one that is gone (B4, T7). */
static bool role_value_is_open(const struct node *node, const struct role_value *value)
{
    if (!role_value_is_held(value)) {
        return true;
    }
    return value->holder.slot < node_layout(node)->slots && watch_is_gone(&node->watch, value->holder);
}

/* f of an acquisition. Declines on a value that is mine already: my own earlier success (B2) is simply rewritten. */
static bool role_change_acquire(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    const struct role *role = role_at(node, op->role);
    struct role_value value;
    if (!role->is_wanted || !role_value_decode(seen, &value)) {
        return false;
    }
    if (value.kind == VALUE_UNNAMED) {
        value.kind = VALUE_ROLE;
        memcpy(value.name, role->name, sizeof value.name);
    }
    if (value.kind != VALUE_ROLE || !role_value_names(&value, role) || !role_value_is_open(node, &value)) {
        return false;
    }
    uint64_t floor = node->params.header.epoch_floor;
    value.epoch = (value.epoch > floor ? value.epoch : floor) + 1;
    value.hold = ROLE_HELD;
    value.holder = node->self;
    value.successor = (struct node_id){0};
    value.changed_wall_ns = node->wall_ns;
    value.payload_bytes = 0;
    memset(value.payload, 0, sizeof value.payload);
    memcpy(value.node_name, node->params.name, sizeof value.node_name);
    role_value_encode(ret_value, &value);
    return true;
}

/* f of a resignation. */
static bool role_change_resign(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    const struct role *role = role_at(node, op->role);
    struct role_value value;
    if (!role_value_decode(seen, &value) || !role_value_names(&value, role) || !role_value_is_held(&value) ||
        !node_id_is_same(value.holder, node->self)) {
        return false;
    }
    value.hold = ROLE_FREE;
    value.holder = value.successor = (struct node_id){0};
    value.changed_wall_ns = node->wall_ns;
    value.payload_bytes = 0;
    memset(value.payload, 0, sizeof value.payload);
    role_value_encode(ret_value, &value);
    return true;
}

/* ---- The ends of operations -------------------------------------------------------------------------------------------- */

static void role_on_resigned(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct role *role = role_at(node, op->role);
    role->is_op_running = false;
    if (outcome == OP_COMMITTED) {
        role_release(node, role);
    } else {
        role_schedule(node, role, node->fast_ns + op_back_off_ns(node, role->attempts++));
    }
}

static void role_start_resign(struct node *node, struct role *role)
{
    role->stage = ROLE_RESIGNING;
    role->epoch = 0;
    role->attempts = 0;
    role_schedule(node, role, node->fast_ns);
}

static void role_lead(struct node *node, struct role *role, uint64_t epoch)
{
    /* B3: the step has checked the lease by the clock read after this commit was reaped. */
    assert(node->lease.is_real && !lease_has_ended(&node->lease, node->fast_ns));
    role->stage = ROLE_LEADING;
    role->epoch = epoch;
    role->told_holder = (struct node_id){0};
    role_notify(node, role, NOTICE_LEADER)->epoch = epoch;
}

static void role_on_acquired(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct role *role = role_at(node, op->role);
    role->is_op_running = false;
    struct role_value value;
    bool is_mine = outcome == OP_COMMITTED && role_value_decode(op->value, &value) && role_value_names(&value, role) &&
                   role_value_is_held(&value) && node_id_is_same(value.holder, node->self);
    if (is_mine && role->is_wanted) {
        role_lead(node, role, value.epoch);
    } else if (is_mine) {
        role_start_resign(node, role); /* T10: nobody here wants it any more */
    } else if (!role->is_wanted) {
        role_release(node, role);
    } else {
        role_rest(node, role, op_back_off_ns(node, role->attempts++));
    }
}

/* Somebody not known to be gone holds it. */
static void role_on_held(struct node *node, struct role *role, const struct op *op, const struct role_value *value)
{
    if (value->holder.slot < node_layout(node)->slots) {
        watch_name(&node->watch, value->holder, node->slow_ns);
    }
    if (role->is_try && !op->is_proven) {
        role->is_to_prove = true; /* B3: a refusal rests on a proven value */
        role_rest(node, role, 0);
        return;
    }
    if (role->is_try) {
        role_refuse(node, role, REFUSED_HELD, value);
        return;
    }
    if (op->is_proven && (!node_id_is_same(role->told_holder, value->holder) || role->told_epoch != value->epoch)) {
        role->told_holder = value->holder;
        role->told_epoch = value->epoch;
        struct notice *notice = role_notify(node, role, NOTICE_CANDIDATE);
        notice->epoch = value->epoch;
        memcpy(notice->holder_name, value->node_name, sizeof notice->holder_name);
    } else if (!op->is_proven && !node_id_is_same(role->told_holder, value->holder)) {
        role->is_to_prove = true;
    }
    role->attempts = 0;
    role_rest(node, role, role->is_to_prove ? 0 : node->params.poll_ns);
}

/* N1: a probe steps over a row only if its name is proven; a row once named keeps its name. */
static void role_step_over(struct node *node, struct role *role, const struct op *op, const struct role_value *value)
{
    if (!op->is_proven) {
        role->is_to_prove = true;
        role_rest(node, role, 0);
        return;
    }
    register_row(node, op->row)->name_hash = name_hash(value->name);
    if (++role->probe >= node_layout(node)->registers) {
        role_refuse(node, role, REFUSED_FULL, NULL);
        return;
    }
    role_rest(node, role, 0);
}

static void role_acquire(struct node *node, struct role *role)
{
    role->stage = ROLE_ACQUIRING;
    role_schedule(node, role, node->fast_ns);
}

static void role_on_looked(struct node *node, const struct op *op, enum op_outcome outcome)
{
    struct role *role = role_at(node, op->role);
    role->is_op_running = false;
    role->is_to_prove = false;
    if (!role->is_wanted) {
        role_release(node, role);
        return;
    }
    if (outcome == OP_ABORTED) {
        role->is_to_prove = true;
        role_rest(node, role, op_back_off_ns(node, role->attempts++));
        return;
    }
    struct role_value value;
    if (!role_value_decode(op->value, &value)) {
        role_refuse(node, role, REFUSED_KIND, NULL);
    } else if (value.kind == VALUE_UNNAMED) {
        role_acquire(node, role);
    } else if (!role_value_names(&value, role)) {
        role_step_over(node, role, op, &value);
    } else if (value.kind != VALUE_ROLE) {
        role_refuse(node, role, REFUSED_KIND, NULL);
    } else if (role_value_is_open(node, &value) || node_id_is_same(value.holder, node->self)) {
        role_acquire(node, role);
    } else {
        role_on_held(node, role, op, &value);
    }
}

/* ---- What is due ---------------------------------------------------------------------------------------------------------- */

/* N1: rows whose other name is proven are stepped over without reading them again. */
static void role_skip_known_rows(struct node *node, struct role *role)
{
    uint64_t hash = name_hash(role->name);
    while (role->probe + 1 < node_layout(node)->registers) {
        uint64_t known = register_row(node, role_row(node, role))->name_hash;
        if (known == 0 || known == hash) {
            return;
        }
        role->probe++;
    }
}

static bool role_start_op(struct node *node, struct role *role)
{
    uint32_t index = role_index(node, role);
    struct op *op = NULL;
    if (role->stage == ROLE_RESTING) {
        role_skip_known_rows(node, role);
        op = op_start(node, role_row(node, role), role->is_to_prove ? OP_PROVE : OP_LOOK, index, NULL, role_on_looked);
    } else if (role->stage == ROLE_ACQUIRING) {
        op = op_start(node, role_row(node, role), OP_UPDATE, index, role_change_acquire, role_on_acquired);
    } else {
        op = op_start(node, role_row(node, role), OP_UPDATE, index, role_change_resign, role_on_resigned);
    }
    return op != NULL;
}

static void role_run(struct node *node, struct role *role)
{
    bool is_due = role->stage == ROLE_RESTING || role->stage == ROLE_ACQUIRING || role->stage == ROLE_RESIGNING;
    if (!is_due || role->is_op_running) {
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
    assert(name_check(command->name) == NAME_OK);
    memset(role, 0, sizeof *role);
    name_field_store((uint8_t *)role->name, command->name);
    role->is_wanted = true;
    role->is_try = command->is_try;
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
    return role->epoch != 0 && role_value_decode(bytes, &value) && role_value_names(&value, role) &&
           !node_id_is_same(value.holder, node->self);
}
