/*
 * What operations are for, by number: in memory an operation has pointers to its f and its end, which mean nothing in
 * another process. Whoever starts operations with other functions adds them here, or a recording cannot be replayed.
 */
#include "protocol/call_change.h"
#include "protocol/role_change.h"
#include "protocol/role_lead.h"
#include "protocol/state.h"

#include <assert.h>

static const struct {
    op_change *change;
    op_done *done;
} tasks[] = {
    {NULL, op_end_unheard},
    {NULL, role_on_looked},
    {role_change_acquire, role_on_acquired},
    {role_change_led, role_on_led},
    {role_change_resign, role_on_resigned},
    {NULL, call_on_looked},
    {call_change, call_on_written},
    {NULL, stray_on_looked},
    {stray_change_resign, stray_on_resigned},
    {ledger_change_retire, ledger_on_retired},
    {NULL, sweep_on_ballot},
    {sweep_change_keep, sweep_on_ballot},
    {NULL, NULL}, /* never begun */
};

enum { TASK_COUNT = sizeof tasks / sizeof *tasks };

void op_task_pack(struct op *op)
{
    uint32_t task = 0;
    while (task < TASK_COUNT && (tasks[task].change != op->change || tasks[task].done != op->done)) {
        task++;
    }
    assert(task < TASK_COUNT);
    op->task = task;
    op->change = NULL;
    op->done = NULL;
}

void op_task_unpack(struct op *op)
{
    uint32_t task = op->task < TASK_COUNT ? op->task : 0; /* a file may say anything */
    op->change = tasks[task].change;
    op->done = tasks[task].done;
}
