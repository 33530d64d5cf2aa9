#include "block/role_value.h"
#include "protocol/state.h"

#include <assert.h>
#include <string.h>

void ledger_wake(struct node *node, int64_t at_slow_ns)
{
    if (at_slow_ns < node->ledger.due_slow_ns) {
        node->ledger.due_slow_ns = at_slow_ns;
    }
}

/* f of a retirement: declines if it is there, or if the slot has a younger owner by now. */
bool ledger_change_retire(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value)
{
    (void)op;
    struct node_id id = node->ledger.retiring;
    uint32_t entry = id.slot % LEDGER_SLOTS_PER_ROW;
    if (ledger_value_get(seen, entry) == id.incarnation || !watch_is_standing(&node->watch, id)) {
        return false;
    }
    memcpy(ret_value, seen, VALUE_BYTES);
    ledger_value_set(ret_value, entry, id.incarnation);
    return true;
}

/* T8: a node that the ledger calls retired is over. */
static bool ledger_retires_self(const struct node *node, const struct op *op)
{
    uint32_t first = (op->row - ROW_LEDGER_FIRST) * LEDGER_SLOTS_PER_ROW;
    uint32_t slot = node->self.slot;
    return slot >= first && slot < first + LEDGER_SLOTS_PER_ROW &&
           ledger_value_get(op->value, slot - first) == node->self.incarnation;
}

void ledger_on_retired(struct node *node, const struct op *op, enum op_outcome outcome)
{
    node->ledger.is_op_running = false;
    if (outcome != OP_COMMITTED) {
        ledger_wake(node, node->slow_ns + op_back_off_ns(node, 3));
        return;
    }
    ledger_wake(node, node->slow_ns);
    if (ledger_retires_self(node, op)) {
        node_go_over(node, OVER_VERDICT);
        return;
    }
    struct watch_entry *entry = watch_find(&node->watch, node->ledger.retiring);
    uint32_t at = node->ledger.retiring.slot % LEDGER_SLOTS_PER_ROW;
    if (entry != NULL && ledger_value_get(op->value, at) == entry->incarnation) {
        entry->is_retired = true;
    }
}

/* T7: my own verdicts go out with a heartbeat at once, and candidates look again. */
static void ledger_publish_found(struct node *node)
{
    struct watch *watch = &node->watch;
    if (watch->found == 0) {
        return;
    }
    watch->found = 0;
    for (uint32_t i = 0; i < watch->slots * WATCH_PER_SLOT; i++) {
        const struct watch_entry *entry = &watch->entries[i];
        struct node_id id = {i / WATCH_PER_SLOT, entry->incarnation};
        if (entry->state == WATCH_DEAD && entry->standing_disks != 0) {
            beat_list_verdict(node, id);
        }
    }
    beat_now(node);
    role_wake_all(node);
    ledger_wake(node, node->slow_ns);
}

static int64_t ledger_entry_due_ns(struct node *node, struct watch_entry *entry)
{
    if (entry->retire_delay_ns == 0) {
        /* The wait is random so that not every node writes the same truth at the same time. */
        entry->retire_delay_ns = 1 + (int64_t)random_below(&node->random, (uint64_t)node_timings(node)->renew_ns * 4);
    }
    return entry->verdict_slow_ns + node_timings(node)->quarantine_ns + entry->retire_delay_ns;
}

void ledger_run(struct node *node)
{
    struct ledger *ledger = &node->ledger;
    if (node->stage != NODE_ACTIVE) {
        return;
    }
    ledger_publish_found(node);
    if (!node->params.header.slot_reuse || ledger->is_op_running) {
        return;
    }
    node_wake_slow(node, ledger->due_slow_ns);
    if (node->slow_ns < ledger->due_slow_ns) {
        return;
    }
    ledger->due_slow_ns = INT64_MAX;
    for (uint32_t i = 0; i < node->watch.slots * WATCH_PER_SLOT; i++) {
        struct watch_entry *entry = &node->watch.entries[i];
        if (entry->state == WATCH_UNUSED || !entry->is_verdict_known || entry->is_retired ||
            entry->state == WATCH_LEFT || entry->standing_disks == 0) {
            continue;
        }
        int64_t due_ns = ledger_entry_due_ns(node, entry);
        if (node->slow_ns < due_ns || ledger->is_op_running) {
            ledger_wake(node, due_ns > node->slow_ns ? due_ns : node->slow_ns);
            continue;
        }
        ledger->retiring = (struct node_id){i / WATCH_PER_SLOT, entry->incarnation};
        uint32_t row = ROW_LEDGER_FIRST + ledger->retiring.slot / LEDGER_SLOTS_PER_ROW;
        ledger->is_op_running =
            op_start(node, row, OP_UPDATE, OP_NO_ROLE, ledger_change_retire, ledger_on_retired) != NULL;
        if (!ledger->is_op_running) {
            ledger_wake(node, node->slow_ns + node_timings(node)->renew_ns);
        }
    }
    if (!ledger->is_op_running) {
        node_wake_slow(node, ledger->due_slow_ns);
    }
}
