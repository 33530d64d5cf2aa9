/* What the owner asks about roles, on the node thread: given to the node that lives, and again to the next one. */
#include "runtime/state.h"

#include <assert.h>
#include <string.h>

static void give(struct runtime *runtime, enum event_kind kind, uint32_t role)
{
    const struct runtime_role *own = &runtime->roles[role];
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
    thread_feed(runtime, &event);
}

/* Without a node that could answer. */
static void release_unheard(struct runtime *runtime, uint32_t role)
{
    struct runtime_notice released = {.what = {.kind = NOTICE_RELEASED, .role = role},
                                      .is_final = runtime->phase == PHASE_ENDED};
    thread_end_campaign(runtime, &released);
}

static void take_campaign(struct runtime *runtime, const struct command *command)
{
    struct runtime_role *role = &runtime->roles[command->role];
    assert(!role->is_open);
    role->is_open = true;
    role->is_resigning = false;
    role->is_try = command->is_try;
    role->priority = command->priority;
    role->payload = command->payload;
    memcpy(role->name, command->name, sizeof role->name);
    if (command->role >= runtime->roles_used) {
        runtime->roles_used = command->role + 1;
    }
    if (runtime->phase == PHASE_RUNNING) {
        give(runtime, EVENT_CAMPAIGN, command->role);
    } else if (runtime->phase == PHASE_ENDED) {
        release_unheard(runtime, command->role);
    }
}

static void take_resign(struct runtime *runtime, const struct command *command)
{
    struct runtime_role *role = &runtime->roles[command->role];
    if (!role->is_open) {
        return; /* it has ended in the meantime, and its owner will read so */
    }
    role->is_resigning = true;
    incarnation_drop_leadership(runtime, command->role);
    if (runtime->phase == PHASE_RUNNING) {
        give(runtime, EVENT_RESIGN, command->role);
    } else {
        release_unheard(runtime, command->role);
    }
}

/* Whoever leads no more has been told so already. */
static bool is_led(const struct runtime *runtime, uint32_t role)
{
    const struct runtime_role *own = &runtime->roles[role];
    return runtime->phase == PHASE_RUNNING && own->is_open && !own->is_resigning &&
           node_role_epoch(runtime->node, role) != 0;
}

static void take_transfer(struct runtime *runtime, const struct command *command)
{
    if (is_led(runtime, command->role)) {
        struct event event = {.kind = EVENT_TRANSFER,
                              .as.command = {.role = command->role, .successor_name = command->name}};
        thread_feed(runtime, &event);
    }
}

/* The role keeps what was published last, for the next incarnation as well. */
static void take_publish(struct runtime *runtime, const struct command *command)
{
    struct payload newest;
    bool is_new = payload_box_take(&runtime->payload_boxes[command->role], &newest);
    if (is_new && runtime->roles[command->role].is_open) {
        runtime->roles[command->role].payload = newest;
        if (is_led(runtime, command->role)) {
            give(runtime, EVENT_PUBLISH, command->role);
        }
    }
}

static void take_leave(struct runtime *runtime)
{
    runtime->is_leaving = true;
    if (runtime->phase == PHASE_RUNNING) {
        struct event event = {.kind = EVENT_LEAVE};
        thread_feed(runtime, &event);
    } else if (runtime->phase == PHASE_DRAINING) {
        incarnation_give_up(runtime);
    }
}

void commands_take(struct runtime *runtime)
{
    struct command command;
    while (queue_take(&runtime->commands, &command)) {
        switch (command.kind) {
        case COMMAND_CAMPAIGN:
            take_campaign(runtime, &command);
            break;
        case COMMAND_RESIGN:
            take_resign(runtime, &command);
            break;
        case COMMAND_TRANSFER:
            take_transfer(runtime, &command);
            break;
        case COMMAND_PUBLISH:
            take_publish(runtime, &command);
            break;
        case COMMAND_LEAVE:
            take_leave(runtime);
            break;
        }
    }
}

void commands_give_again(struct runtime *runtime)
{
    for (uint32_t role = 0; role < runtime->roles_used && runtime->phase == PHASE_RUNNING; role++) {
        if (runtime->roles[role].is_open) {
            give(runtime, EVENT_CAMPAIGN, role);
        }
    }
}
