/*
 * What is written into a role: the f of every update(f) on one (rules B2, B4, T3, T7, N2, N3). Each is a function of the
 * value seen and of what the local role wants, and recognises its own earlier success: it may be asked again and again
 * until one of its answers is known to be committed. Knows no stage, no time and no notice.
 */
#ifndef DISKARCH_PROTOCOL_ROLE_CHANGE_H
#define DISKARCH_PROTOCOL_ROLE_CHANGE_H

#include "block/role_value.h"
#include "protocol/register.h"

#include <stdbool.h>

struct role;

/* Whether somebody holds it, be he alive or dead, handing it over or not. */
bool role_value_is_held(const struct role_value *value);

/* Whether a candidate may hold it next: free, forgotten, or held by one that is gone (B4, T7). */
bool role_value_is_open(const struct node *node, const struct role_value *value);

/* Whether a greater epoch can follow: none comes to the end of all numbers by itself, but one may be forged. */
bool role_value_can_grow(const struct node *node, const struct role_value *value);

/* Whether it says all that this node, which leads it, wants it to say. */
bool role_value_is_as_wanted(const struct role *role, const struct role_value *value);

/* N2: out of this node's hands: to the successor that a transfer names, as long as that one is ready (T3); else free. */
void role_value_let_go(const struct node *node, struct role_value *value);

/* To hold it. Declines on a value that is mine already: my own earlier success (B2), or what was handed over to me. */
bool role_change_acquire(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value);

/* As its leader: another payload, or the name of a successor. */
bool role_change_led(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value);

/* To resign it or to hand it over. */
bool role_change_resign(struct node *node, const struct op *op, const uint8_t *seen, uint8_t *ret_value);

#endif
