/* Values of registers (rule N3): a named role, a user's register, and the rows of the slot ledger (rule S4). */
#ifndef DISKARCH_BLOCK_ROLE_VALUE_H
#define DISKARCH_BLOCK_ROLE_VALUE_H

#include "ballot.h"
#include "limits.h"

#include <stdbool.h>
#include <stdint.h>

enum value_kind { VALUE_UNNAMED = 0, VALUE_ROLE = 1, VALUE_REGISTER = 2, VALUE_AGREE_ONCE = 3 };

enum role_hold { ROLE_FREE = 0, ROLE_HELD = 1, ROLE_TRANSFERRING = 2, ROLE_FORGOTTEN = 3 };

struct role_value {
    enum value_kind kind; /* VALUE_UNNAMED: this row has no name yet, everything else is zero */
    enum role_hold hold;
    char name[NAME_FIELD_BYTES];
    struct node_id holder;            /* none unless held or transferring */
    char node_name[NAME_FIELD_BYTES]; /* of the holder, else of the last one; empty in a user's register */
    uint64_t writers[WRITERS_KEPT];   /* user's register: a tag for each of the last changes, newest first; else zero */
    uint64_t epoch;           /* grows by one at every change of holder, or of the register: the fencing token */
    int64_t changed_wall_ns;  /* display only */
    struct node_id successor; /* while transferring */
    uint32_t payload_bytes;   /* what the leader publishes, or the register's value */
    uint8_t payload[PAYLOAD_BYTES_MAX];
};

/* To and from the opaque bytes of a register. An unnamed value encodes to all zeros, and all zeros decode to it. */
void role_value_encode(uint8_t value[VALUE_BYTES], const struct role_value *content);

/* False, and *ret untouched, if the bytes break a rule of the format (bad name, unknown kind, lengths). */
bool role_value_decode(const uint8_t value[VALUE_BYTES], struct role_value *ret);

/* A ledger row's value: for each of LEDGER_SLOTS_PER_ROW slots the incarnation retired last, 0 for none. */
uint64_t ledger_value_get(const uint8_t value[VALUE_BYTES], uint32_t slot);
void ledger_value_set(uint8_t value[VALUE_BYTES], uint32_t slot, uint64_t incarnation);

#endif
