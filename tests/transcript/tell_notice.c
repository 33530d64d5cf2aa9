/* What a node says to its client. */
#include "story.h"

#include <assert.h>

static const char *over_words(enum over_reason reason)
{
    switch (reason) {
    case OVER_LEASE:
        return "its lease has ended";
    case OVER_VERDICT:
        return "it stands in a verdict of death";
    case OVER_REPLACED:
        return "somebody else holds what it led";
    case OVER_SLOT:
        return "another incarnation stands in its slot";
    case OVER_LEFT:
        return "it has left, and its slot is free";
    case OVER_STOPPED:
        return "it stopped with requests in flight: its slot goes into quarantine";
    case OVER_NONE:
        break;
    }
    assert(false);
    return "";
}

static const char *wait_words(enum join_wait wait)
{
    static const char *const words[] = {
        [WAIT_NO_SLOT] = "no slot may be taken yet",
        [WAIT_NAME_HAS_SLOT] = "its name still has a slot that stands still",
        [WAIT_NO_MAJORITY] = "no majority of the disks answers",
        [WAIT_SLOW_DISK] = "a disk is slow",
        [WAIT_TUNED] = "the headers have changed",
    };
    return words[wait];
}

static const char *refusal_words(enum role_refusal refusal)
{
    static const char *const words[] = {
        [REFUSED_HELD] = "it is held",
        [REFUSED_FULL] = "every register has a name",
        [REFUSED_KIND] = "the name is of another kind",
        [REFUSED_NOT_READY] = "no node of that name is ready",
    };
    return words[refusal];
}

static void add_disk(struct story *story, uint32_t index, uint32_t disk)
{
    static const char *const states[] = {
        [DISK_GOOD] = "is good",       [DISK_SLOW] = "is slow",
        [DISK_FAILED] = "has failed",  [DISK_CATCHING_UP] = "is back and counts; what it missed is written there",
        [DISK_OUT] = "is counted out",
    };
    static const char *const causes[] = {
        [DISK_CAUSE_NONE] = "",
        [DISK_CAUSE_ERROR] = ": an error",
        [DISK_CAUSE_SILENT] = ": no answer in time",
        [DISK_CAUSE_HEADER] = ": its header is not intact",
        [DISK_CAUSE_BACKWARDS] = ": it went backwards",
        [DISK_CAUSE_TOLD] = ": another node has counted it out",
    };
    struct disk_report report = node_disk(story_node(story, index), disk);
    bool is_bad = report.state == DISK_FAILED || report.state == DISK_OUT;
    text_add(&story->notices, "disk %u %s%s\n", disk, states[report.state], is_bad ? causes[report.cause] : "");
}

static void add_role(struct story *story, uint32_t index, const struct notice *notice)
{
    const char *role = story->roles[notice->role];
    unsigned long long epoch = (unsigned long long)notice->epoch;
    struct text *text = &story->notices;
    switch (notice->kind) {
    case NOTICE_CANDIDATE:
        text_add(text, "waits for %s: %s holds it, epoch %llu\n", role, notice->holder_name, epoch);
        break;
    case NOTICE_LEADER:
        text_add(text, "LEADS %s, epoch %llu, until %lld unless renewed\n", role, epoch,
                 story_true_ms(story, index, node_lease_end_ns(story_node(story, index))));
        break;
    case NOTICE_LOST:
        text_add(text, "LOST %s, epoch %llu: %s\n", role, epoch, over_words(notice->reason));
        break;
    case NOTICE_RELEASED:
        text_add(text, "has let go of %s\n", role);
        break;
    case NOTICE_REFUSED:
        text_add(text, "does not get %s: %s\n", role, refusal_words(notice->refusal));
        break;
    case NOTICE_TRANSFER:
        text_add(text, "%s is to go to %s: stops its work first\n", role, notice->holder_name);
        break;
    case NOTICE_TRANSFER_REFUSED:
        text_add(text, "does not hand %s over: %s\n", role, refusal_words(notice->refusal));
        break;
    case NOTICE_PUBLISHED:
        text_add(text, "what it publishes with %s is committed\n", role);
        break;
    default:
        break;
    }
}

void story_tell_notice(void *context, uint32_t index, const struct notice *notice)
{
    struct story *story = context;
    struct text *text = &story->notices;
    const struct node *node = story_node(story, index);
    switch (notice->kind) {
    case NOTICE_JOINED:
        text_add(text, "owns slot %u: its first heartbeat counts; its lease ends at %lld unless renewed\n",
                 node->self.slot, story_true_ms(story, index, node_lease_end_ns(node)));
        break;
    case NOTICE_JOIN_WAITS:
        text_add(text, "waits for a slot: %s\n", wait_words(notice->wait));
        break;
    case NOTICE_AT_RISK:
        text_add(text, "AT RISK: less than half of its lease is left, until %lld\n",
                 story_true_ms(story, index, node_lease_end_ns(node)));
        break;
    case NOTICE_SAFE:
        text_add(text, "safe: renewed until %lld\n", story_true_ms(story, index, node_lease_end_ns(node)));
        break;
    case NOTICE_DISK:
        add_disk(story, index, notice->disk);
        break;
    case NOTICE_OVER:
        text_add(text, "is over: %s\n", over_words(notice->reason));
        break;
    default:
        add_role(story, index, notice);
        break;
    }
}
