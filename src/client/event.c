/* Notices put into words for the application: which event, why, and what helps. */
#include "client/node.h"

#include <stdio.h>
#include <string.h>

static enum diskarch_event_kind kind_of(enum notice_kind kind)
{
    switch (kind) {
    case NOTICE_JOINED:
        return DISKARCH_JOINED;
    case NOTICE_JOIN_WAITS:
        return DISKARCH_JOIN_WAITS;
    case NOTICE_CANDIDATE:
        return DISKARCH_CANDIDATE;
    case NOTICE_LEADER:
        return DISKARCH_LEADER;
    case NOTICE_AT_RISK:
        return DISKARCH_AT_RISK;
    case NOTICE_SAFE:
        return DISKARCH_SAFE;
    case NOTICE_LOST:
        return DISKARCH_LOST;
    case NOTICE_RELEASED:
        return DISKARCH_RELEASED;
    case NOTICE_REFUSED:
        return DISKARCH_REFUSED;
    case NOTICE_ASKED:
        return DISKARCH_ASKED;
    case NOTICE_TRANSFER:
        return DISKARCH_TRANSFER;
    case NOTICE_TRANSFER_REFUSED:
        return DISKARCH_TRANSFER_REFUSED;
    case NOTICE_PUBLISHED:
        return DISKARCH_PUBLISHED;
    case NOTICE_DISK:
        return DISKARCH_DISK;
    case NOTICE_CALL_ENDED: /* its caller is told, not the application's loop */
    case NOTICE_OVER:
        break;
    }
    return DISKARCH_LEASE_ENDED;
}

static enum diskarch_reason reason_of(const struct runtime_notice *notice)
{
    if (notice->is_internal) {
        return DISKARCH_REASON_INTERNAL;
    }
    switch (notice->what.reason) {
    case OVER_LEASE:
        return DISKARCH_REASON_LEASE;
    case OVER_VERDICT:
        return DISKARCH_REASON_VERDICT;
    case OVER_REPLACED:
        return DISKARCH_REASON_REPLACED;
    case OVER_SLOT:
        return DISKARCH_REASON_SLOT;
    case OVER_LEFT:
    case OVER_STOPPED:
        return DISKARCH_REASON_CLOSED;
    case OVER_NONE:
        break;
    }
    return DISKARCH_REASON_NONE;
}

static const char *text_of_reason(enum diskarch_reason reason)
{
    switch (reason) {
    case DISKARCH_REASON_LEASE:
        return "the lease ended before a majority of the disks had acknowledged a heartbeat; look for disks or paths "
               "that hang, for a suspended machine or a starved processor";
    case DISKARCH_REASON_VERDICT:
        return "another node found this one dead, because its heartbeat had stood still for longer than the lease; "
               "look for a suspended machine or a stopped process";
    case DISKARCH_REASON_REPLACED:
        return "another node holds the role now; look for a suspended machine or a stopped process";
    case DISKARCH_REASON_SLOT:
        return "another node writes to the slot of this one; look for disks that delay writes beyond the quarantine, "
               "or for copies of the disks";
    case DISKARCH_REASON_CLOSED:
        return "the node has left the set";
    case DISKARCH_REASON_INTERNAL:
        return "the disk engine failed; look at the kernel log, and open the node again";
    case DISKARCH_REASON_NONE:
        break;
    }
    return "";
}

static int error_of_wait(enum join_wait wait)
{
    switch (wait) {
    case WAIT_NO_SLOT:
    case WAIT_NAME_HAS_SLOT:
        return DISKARCH_ENOSLOT;
    case WAIT_NO_MAJORITY:
        return DISKARCH_ENOQUORUM;
    case WAIT_TUNED:
        return DISKARCH_EUNSETTLED;
    case WAIT_SLOW_DISK:
        break;
    }
    return 0;
}

static void describe_wait(const struct diskarch *node, const struct notice *what, struct diskarch_event *event)
{
    switch (what->wait) {
    case WAIT_NO_SLOT:
        snprintf(event->text, sizeof event->text, "no slot is free: %s; a set formatted with more slots has room",
                 runtime_header(node->runtime)->slot_reuse
                     ? "slots of dead nodes and of abandoned claims come back after the quarantine"
                     : "this set never uses the slots of dead nodes again (--slot-reuse never)");
        break;
    case WAIT_NAME_HAS_SLOT:
        snprintf(event->text, sizeof event->text,
                 "the free slots are kept for other names while a slot of %s is in "
                 "quarantine; wait, or format a set with more slots",
                 node->node_name);
        break;
    case WAIT_NO_MAJORITY:
        snprintf(event->text, sizeof event->text,
                 "fewer than a majority of the disks answer in time; bring disks back, "
                 "or format with a longer io deadline");
        break;
    case WAIT_SLOW_DISK:
        snprintf(event->text, sizeof event->text,
                 "disk %u (%.80s) needs more than half of the io deadline for a "
                 "write; format with a longer io deadline, or replace it",
                 what->disk, runtime_disk_path(node->runtime, what->disk));
        break;
    case WAIT_TUNED:
        snprintf(event->text, sizeof event->text,
                 "the timings of the set were changed, or its disks replaced, after this program opened it; start this "
                 "program again (where diskarch tune was cut off, run that again first)");
        break;
    }
    event->error = error_of_wait(what->wait);
}

static void describe_refusal(const struct notice *what, struct diskarch_event *event)
{
    switch (what->refusal) {
    case REFUSED_HELD:
        event->error = DISKARCH_EHELD;
        snprintf(event->text, sizeof event->text, "held by %s under epoch %llu; wait for it, or ask it to resign",
                 what->holder_name, (unsigned long long)what->epoch);
        break;
    case REFUSED_FULL:
        event->error = DISKARCH_EFULL;
        snprintf(event->text, sizeof event->text,
                 "every register has a name; use one of them, or format a set with more "
                 "registers");
        break;
    case REFUSED_NOT_READY:
        event->error = DISKARCH_ENOTREADY;
        snprintf(event->text, sizeof event->text,
                 "no other node of this name is ready to lead; start one that campaigns for the role, or name another");
        break;
    case REFUSED_KIND:
        event->error = DISKARCH_EKIND;
        snprintf(event->text, sizeof event->text, "the name does not belong to a role; choose another name");
        break;
    }
}

static enum diskarch_ask ask_of(enum ask_verb verb)
{
    switch (verb) {
    case ASK_RESIGN:
        return DISKARCH_ASK_RESIGN;
    case ASK_TRANSFER:
        return DISKARCH_ASK_TRANSFER;
    case ASK_REQUEST:
    case ASK_NONE:
        break;
    }
    return DISKARCH_ASK_REQUEST;
}

void event_describe(const struct diskarch *node, struct diskarch_role *role, const struct runtime_notice *notice,
                    struct diskarch_event *ret)
{
    const struct notice *what = &notice->what;
    struct diskarch_event event = {.kind = kind_of(what->kind), .role = role, .epoch = what->epoch};
    memcpy(event.node_name, what->holder_name, sizeof event.node_name);
    switch (event.kind) {
    case DISKARCH_LOST:
    case DISKARCH_LEASE_ENDED:
        event.reason = reason_of(notice);
        snprintf(event.text, sizeof event.text, "%s", text_of_reason(event.reason));
        break;
    case DISKARCH_JOIN_WAITS:
        describe_wait(node, what, &event);
        break;
    case DISKARCH_REFUSED:
    case DISKARCH_TRANSFER_REFUSED:
        describe_refusal(what, &event);
        break;
    case DISKARCH_ASKED:
        event.ask = ask_of(what->ask);
        break;
    case DISKARCH_DISK:
        event.disk = what->disk;
        node_disk_explain(node, what->disk, event.text, sizeof event.text);
        break;
    case DISKARCH_LEADER:
        memcpy(event.node_name, node->node_name, sizeof event.node_name);
        break;
    default:
        break;
    }
    *ret = event;
}
