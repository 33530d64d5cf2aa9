/* What calls on registers, and forget, write: the f of their update(f). For call.c only. */
#ifndef DISKARCH_PROTOCOL_CALL_CHANGE_H
#define DISKARCH_PROTOCOL_CALL_CHANGE_H

#include "block/role_value.h"
#include "protocol/call.h"
#include "protocol/register.h"

/* The call an operation serves. */
struct call *call_of(struct node *node, const struct op *op);

/* Whether the value of the name looked for decides the call without a change, and how. */
bool call_is_decided(const struct node *node, const struct call *call, const struct role_value *value,
                     enum call_outcome *ret_outcome);

/* f of every call that changes something. Leaves in the call what it made of the value. */
bool call_change(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value);

#endif
