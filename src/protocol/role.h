/*
 * Roles by name (rules N1, N3, N5, B3, B4): finding the row of a name, campaigning, leading, resigning.
 */
#ifndef DISKARCH_PROTOCOL_ROLE_H
#define DISKARCH_PROTOCOL_ROLE_H

#include "block/ballot.h"
#include "block/limits.h"
#include "protocol/node.h"

enum role_stage {
    ROLE_IDLE,      /* not used by the client */
    ROLE_RESTING,   /* waits for its next look */
    ROLE_LOOKING,   /* an operation reads its row, or settles it */
    ROLE_ACQUIRING, /* an update(f) to hold it is running */
    ROLE_LEADING,
    ROLE_RESIGNING, /* an update(f) to free it is due or running */
};

struct role {
    enum role_stage stage;
    bool is_wanted; /* false: the client has gone; an unknown outcome is still settled (B2) */
    bool is_try;
    bool is_to_prove; /* the next look must end with a proven value */
    bool is_op_running;
    char name[NAME_FIELD_BYTES];
    uint32_t probe; /* rows stepped over so far (N1) */
    uint64_t epoch; /* while leading */
    uint32_t attempts;
    int64_t due_fast_ns;
    struct node_id told_holder; /* of the last NOTICE_CANDIDATE */
    uint64_t told_epoch;
};

struct role_table {
    struct role *roles;  /* params.roles_max */
    uint32_t end;        /* those in use are below */
    int64_t due_fast_ns; /* nothing falls due before */
};

void role_campaign(struct node *node, const struct role_command *command);
void role_resign(struct node *node, uint32_t index);

/* Resigns all of them (T9). */
void role_resign_all(struct node *node);

/* Whether none is in use any more. */
bool role_are_all_idle(const struct node *node);

/* Does what is due for every role. */
void role_run_all(struct node *node);

/* Somebody was found gone, or an operation has become free: every resting candidate looks now. */
void role_wake_all(struct node *node);

/* The node is over: whoever led has lost. */
void role_lose_all(struct node *node, enum over_reason reason);

/* T8: whether the value names another holder of a role that this node believes it leads. */
bool role_is_contradicted(const struct node *node, uint32_t index, const uint8_t *bytes);

#endif
