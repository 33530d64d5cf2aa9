/* What the owner asks about roles, on the node thread: given to the node that lives, and again to the next one. */
#include "runtime/turn.h"

#include <assert.h>
#include <string.h>

static void give(struct turn *turn, enum event_kind kind, uint32_t role)
{
    const struct runtime_role *own = &turn->roles[role];
    struct event event = {
        .kind = kind,
        .as.command =
            {
                .role = role,
                .is_try = own->is_try,
                .name = own->name,
                .priority = own->priority,
                .payload = own->payload.bytes,
                .payload_bytes = own->payload.byte_count,
            },
    };
    turn_feed(turn, &event);
}

/* Without a node that could answer. */
static void release_unheard(struct turn *turn, uint32_t role)
{
    struct runtime_notice released = {.what = {.kind = NOTICE_RELEASED, .role = role},
                                      .is_final = turn->phase == PHASE_ENDED};
    turn_end_campaign(turn, &released);
}

static void take_campaign(struct turn *turn, const struct command *command)
{
    struct runtime_role *role = &turn->roles[command->role];
    assert(!role->is_open);
    role->is_open = true;
    role->is_resigning = false;
    role->is_try = command->is_try;
    role->priority = command->priority;
    role->payload = command->payload;
    memcpy(role->name, command->name, sizeof role->name);
    if (command->role >= turn->roles_used) {
        turn->roles_used = command->role + 1;
    }
    if (turn->phase == PHASE_RUNNING) {
        give(turn, EVENT_CAMPAIGN, command->role);
    } else if (turn->phase == PHASE_ENDED) {
        release_unheard(turn, command->role);
    }
}

static void take_resign(struct turn *turn, const struct command *command)
{
    struct runtime_role *role = &turn->roles[command->role];
    if (!role->is_open) {
        return; /* it has ended in the meantime, and its owner will read so */
    }
    role->is_resigning = true;
    incarnation_drop_leadership(turn, command->role);
    if (turn->phase == PHASE_RUNNING) {
        give(turn, EVENT_RESIGN, command->role);
    } else {
        release_unheard(turn, command->role);
    }
}

/* Whoever leads no more has been told so already. */
static bool is_led(const struct turn *turn, uint32_t role)
{
    const struct runtime_role *own = &turn->roles[role];
    return turn->phase == PHASE_RUNNING && own->is_open && !own->is_resigning && node_role_epoch(turn->node, role) != 0;
}

static void take_transfer(struct turn *turn, const struct command *command)
{
    if (is_led(turn, command->role)) {
        struct event event = {.kind = EVENT_TRANSFER,
                              .as.command = {.role = command->role, .successor_name = command->name}};
        turn_feed(turn, &event);
    }
}

/* The role keeps what was published last, for the next incarnation as well. */
static void take_publish(struct turn *turn, const struct command *command)
{
    struct payload newest;
    bool is_new = payload_box_take(&turn->payload_boxes[command->role], &newest);
    if (is_new && turn->roles[command->role].is_open) {
        turn->roles[command->role].payload = newest;
        if (is_led(turn, command->role)) {
            give(turn, EVENT_PUBLISH, command->role);
        }
    }
}

/* Leaving resigns every role: as with a single resignation, none may be read as led from here on. */
static void take_leave(struct turn *turn)
{
    turn->is_leaving = true;
    if (turn->phase == PHASE_RUNNING) {
        for (uint32_t role = 0; role < turn->roles_used; role++) {
            incarnation_drop_leadership(turn, role);
        }
        struct event event = {.kind = EVENT_LEAVE};
        turn_feed(turn, &event);
    } else if (turn->phase == PHASE_DRAINING) {
        incarnation_give_up(turn);
    }
}

void commands_take(struct turn *turn)
{
    struct command command;
    while (queue_take(&turn->commands, &command)) {
        switch (command.kind) {
        case COMMAND_CAMPAIGN:
            take_campaign(turn, &command);
            break;
        case COMMAND_RESIGN:
            take_resign(turn, &command);
            break;
        case COMMAND_TRANSFER:
            take_transfer(turn, &command);
            break;
        case COMMAND_PUBLISH:
            take_publish(turn, &command);
            break;
        case COMMAND_LEAVE:
            take_leave(turn);
            break;
        }
    }
}

void commands_give_again(struct turn *turn)
{
    for (uint32_t role = 0; role < turn->roles_used && turn->phase == PHASE_RUNNING; role++) {
        if (turn->roles[role].is_open) {
            give(turn, EVENT_CAMPAIGN, role);
        }
    }
}
