/*
 * Strays (rules T10, B2): roles that name this node as holder though no client of its own campaigns for them, because
 * another node handed one over to it, or an old success of its own became known late. Such a role is resigned. They are
 * found when somebody else says that he waits for one.
 */
#ifndef DISKARCH_PROTOCOL_STRAY_H
#define DISKARCH_PROTOCOL_STRAY_H

#include "protocol/register.h"
#include <stdbool.h>
#include <stdint.h>

struct node;

enum { STRAYS_MAX = 32 };

struct stray_table {
    uint32_t registers[STRAYS_MAX]; /* to be looked at, oldest first */
    uint32_t count;
    bool is_op_running; /* on the first of them */
    bool is_to_resign;  /* the first of them was proven to be a stray */
    int64_t due_fast_ns;
};

/* Somebody waits for this register: it is looked at once, unless a client here campaigns for it. False if that has to wait
 * because too many are to be looked at. */
bool stray_suspect(struct node *node, uint32_t register_index);

/* Looks at what is suspected, and resigns what is a stray. */
void stray_run(struct node *node);

/* The f and the ends of its operations; op_task.c lists them. */
bool stray_change_resign(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value);
void stray_on_resigned(struct node *node, const struct op *op, enum op_outcome outcome);
void stray_on_looked(struct node *node, const struct op *op, enum op_outcome outcome);

#endif
