/*
 * Roles by name (rules N1 to N5, B3, B4): campaigning, leading, handing over, resigning.
 */
#ifndef DISKARCH_PROTOCOL_ROLE_H
#define DISKARCH_PROTOCOL_ROLE_H

#include "block/ballot.h"
#include "block/block.h"
#include "block/limits.h"
#include "protocol/lookup.h"
#include "protocol/node.h"
#include "protocol/register.h"

enum role_stage {
    ROLE_IDLE,      /* not used by the client */
    ROLE_RESTING,   /* waits for its next look */
    ROLE_LOOKING,   /* an operation reads its row, or settles it */
    ROLE_ACQUIRING, /* an update(f) to hold it is running */
    ROLE_LEADING,   /* perhaps with an update(f) of what the value says beside the holder */
    ROLE_RESIGNING, /* an update(f) to free it, or to hand it over, is due or running */
};

struct role {
    enum role_stage stage;
    bool is_wanted; /* false: the client has gone; an unknown outcome is still settled (B2) */
    bool is_try;
    bool is_to_prove; /* the next look must end with a proven value */
    bool is_op_running;
    bool is_to_list;         /* T10: the register is to be listed as wanted */
    bool is_write_due;       /* leading: the value does not say all that it should */
    bool is_publish_owed;    /* NOTICE_PUBLISHED when it does */
    bool is_transfer_owed;   /* NOTICE_TRANSFER when it does */
    bool is_transfer_asked;  /* by another node: its failure is not this client's concern */
    struct lookup lookup;    /* N1 */
    uint32_t priority;       /* N4 */
    int64_t yields_until_ns; /* N4: found open, it leaves the others time until then; 0: not found open yet */
    uint64_t epoch;          /* while leading */
    uint32_t attempts;
    int64_t due_fast_ns;
    struct node_id told_holder; /* of the last NOTICE_CANDIDATE */
    uint64_t told_epoch;
    struct node_id successor; /* while leading: whom it is to be handed over to */
    uint32_t payload_bytes;
    uint8_t payload[PAYLOAD_BYTES_MAX];
};

struct role_table {
    struct role *roles;  /* params.roles_max */
    uint32_t end;        /* those in use are below */
    int64_t due_fast_ns; /* nothing falls due before */
};

void role_campaign(struct node *node, const struct role_command *command);
void role_resign(struct node *node, uint32_t index);

/* N2: begins to hand it over, if it is led and a ready node of that name is known. */
void role_transfer(struct node *node, const struct role_command *command);

/* N3: another payload. */
void role_publish(struct node *node, const struct role_command *command);

/* Resigns all of them (T9). */
void role_resign_all(struct node *node);

/* Whether none is in use any more. */
bool role_are_all_idle(const struct node *node);

/* Does what is due for every role. */
void role_run_all(struct node *node);

/* Somebody was found gone: every resting candidate looks now. */
void role_wake_all(struct node *node);

/* T10: candidates whose register has changed look now. */
void role_hear_changes(struct node *node, const struct beacon *before, const struct beacon *now);

/* N2: a node of that name asks this node, the holder, for something. False if that cannot be acted on yet. */
bool role_hear_ask(struct node *node, const struct ask *ask, const char *asker_name);

/* Whether a client here wants the role of that register, as far as its row is known; or the role of that name, padded as
 * in a value. */
bool role_is_campaigning_at(const struct node *node, uint32_t register_index);
bool role_is_campaigning_for(const struct node *node, const char name[NAME_FIELD_BYTES]);

/* The node is over: whoever led has lost. */
void role_lose_all(struct node *node, enum over_reason reason);

/* T8: whether the value names another holder of a role that this node believes it leads. */
bool role_is_contradicted(const struct node *node, uint32_t index, const uint8_t *bytes);

/* The f and the ends of its operations; op_task.c lists them. */
void role_on_acquired(struct node *node, const struct op *op, enum op_outcome outcome);
void role_on_looked(struct node *node, const struct op *op, enum op_outcome outcome);

#endif
