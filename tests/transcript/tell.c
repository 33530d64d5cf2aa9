/* What a step has changed in a node, told as one line for each thing that matters. */
#include "story.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void story_tell(struct story *story, const char *who, const char *format, ...)
{
    char what[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    size_t begin = story->trace.length;
    text_add(&story->trace, "    %8lld  %-7s  %s\n", (long long)(story->sim->now_ns / NS_PER_MS), who, what);
    if (story->until != NULL) {
        char line[1100];
        snprintf(line, sizeof line, "%s %s", who, what);
        story->is_until_met |= strstr(line, story->until) != NULL;
    }
    assert(story->trace.length > begin);
}

/* ---- Joining and leaving ---------------------------------------------------------------------------------------------- */

static const char *slot_before(const struct node *node)
{
    bool is_used = false;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        const struct claim_sight *sight = &node->claim.sights[node->self.slot * node->disk_count + disk];
        is_used |= sight->heartbeat != 0 || sight->claim != 0;
    }
    return is_used ? "whose last owner is known to be gone" : "which nobody has ever used";
}

static void tell_claim(struct story *story, uint32_t index, enum claim_stage before, enum claim_stage stage)
{
    const struct node *node = story_node(story, index);
    const char *who = sim_process_name(index);
    uint32_t slot = node->self.slot;
    uint32_t counting = 0;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        counting += node->claim.disks[disk].is_counting;
    }
    switch (stage) {
    case CLAIM_WRITE:
        story_tell(story, who, "claims slot %u as %s, %s", slot, story_incarnation(story, node->self.incarnation).text,
                   slot_before(node));
        break;
    case CLAIM_SETTLE:
        story_tell(story, who, "%u of %u disks took the claim in time; waits until 3d after its first look", counting,
                   node->disk_count);
        break;
    case CLAIM_CONFIRM:
        story_tell(story, who, "reads claims and heartbeats again");
        break;
    case CLAIM_FIRST:
        story_tell(story, who, "the claim stands and no stranger is in slot %u: first heartbeat", slot);
        break;
    case CLAIM_REST:
        if (before != CLAIM_LOOK) {
            story_tell(story, who, "abandons the claim");
        }
        break;
    case CLAIM_GIVE_BACK:
        story_tell(story, who, "gives slot %u back in the claim row", slot);
        break;
    case CLAIM_START:
    case CLAIM_LEDGER:
    case CLAIM_LOOK:
    case CLAIM_DONE:
        break;
    }
}

static void tell_stage(struct story *story, uint32_t index, enum node_stage stage)
{
    const char *who = sim_process_name(index);
    if (stage == NODE_LEAVING) {
        story_tell(story, who, "leaves: resigns what it leads, then waits until nothing is in flight");
    } else if (stage == NODE_SIGNING_OFF) {
        story_tell(story, who, "writes `left` into its heartbeat");
    }
}

/* ---- Ballots ---------------------------------------------------------------------------------------------------------- */

/* The highest promise of another slot that stands in the row on any disk. */
static struct register_block rival_of(const struct story *story, const struct node *node, uint32_t row)
{
    struct register_block rival = {0};
    const struct sim *sim = story->sim;
    for (uint32_t at = 0; at < sim->disk_count * sim->header.layout.slots; at++) {
        struct block_place place = {sim->set_tag, at % sim->disk_count, row, at / sim->disk_count};
        struct register_block block;
        const uint8_t *bytes = sim->disks[place.disk].rows[row] + (size_t)place.slot * SIM_BLOCK_BYTES;
        if (place.slot != node->self.slot && block_decode_register(bytes, SIM_BLOCK_BYTES, &place, &block) &&
            ballot_is_above(block.promised, rival.promised)) {
            rival = block;
        }
    }
    return rival;
}

/* How the ballot that this operation had when it was told last has ended. */
static void tell_ballot_end(struct story *story, uint32_t index, const struct op *op, enum op_phase phase,
                            struct ballot ballot)
{
    const struct node *node = story_node(story, index);
    const char *who = sim_process_name(index);
    struct label row = story_row(story, op->row);
    struct label name = story_ballot(ballot);
    if (phase == OP_ACCEPT && ballot_is_same(register_row(node, op->row)->proven, ballot)) {
        story_tell(story, who, "%s: ballot %s is committed", row.text, name.text);
        return;
    }
    struct register_block rival = rival_of(story, node, op->row);
    if (!ballot_is_above(rival.promised, ballot)) {
        if (phase == OP_PROMISE && node->stage != NODE_OVER) {
            story_tell(story, who, "%s: ballot %s ends after phase 1, there is nothing to change", row.text, name.text);
        }
        return;
    }
    struct label by = story_incarnation(story, rival.author.incarnation);
    story_tell(story, who, "%s: %s of ballot %s meets the promise %s of %s%s", row.text,
               phase == OP_PROMISE ? "phase 1" : "phase 2", name.text, story_ballot(rival.promised).text, by.text,
               phase == OP_PROMISE ? " and gives way" : ": its outcome is unknown");
}

static void tell_phase(struct story *story, uint32_t index, const struct op *op, enum op_phase before)
{
    const char *who = sim_process_name(index);
    struct label row = story_row(story, op->row);
    struct label ballot = story_ballot(op->ballot);
    if (op->phase == OP_PROMISE) {
        story_tell(story, who, "%s: phase 1 of ballot %s", row.text, ballot.text);
    } else if (op->phase == OP_ACCEPT) {
        story_tell(story, who, "%s: phase 2 of ballot %s%s: %s", row.text, ballot.text,
                   before == OP_PROMISE ? "" : ", promised before", story_value(story, op->row, op->value).text);
    } else if (op->phase == OP_READ_AGAIN) {
        story_tell(story, who, "%s: what was read is not proven, reads again", row.text);
    }
}

static void tell_ops(struct story *story, uint32_t index)
{
    const struct node *node = story_node(story, index);
    for (uint32_t i = 0; i < SIM_DEPTH; i++) {
        const struct op *op = &node->registers.ops[i];
        struct ballot ballot = story->told[index].ops[i].ballot;
        enum op_phase before = story->told[index].ops[i].phase;
        if (op->generation == story->told[index].ops[i].generation) {
            continue;
        }
        if (op->phase != OP_UNUSED && op->client < node->params.roles_max) {
            story->row_role[op->row] = op->client + 1;
        }
        bool is_same_ballot = ballot_is_same(op->ballot, ballot);
        bool was_ballot = before == OP_PROMISE || before == OP_ACCEPT;
        bool is_going_on = is_same_ballot && (op->phase == OP_PROMISE || op->phase == OP_ACCEPT);
        if (was_ballot && !is_going_on) {
            tell_ballot_end(story, index, op, before, ballot);
        }
        if (op->phase != before || !is_same_ballot) {
            tell_phase(story, index, op, before);
        }
        story->told[index].ops[i].phase = op->phase;
        story->told[index].ops[i].generation = op->generation;
        story->told[index].ops[i].ballot = op->ballot;
    }
}

/* ---- The lease, and others -------------------------------------------------------------------------------------------- */

static void tell_lease(struct story *story, uint32_t index)
{
    const struct node *node = story_node(story, index);
    if (story->is_telling_heartbeats && node->lease.counted > story->told[index].counted) {
        story_tell(story, sim_process_name(index), "heartbeat %llu counts: its lease ends at %lld",
                   (unsigned long long)node->lease.counted, story_true_ms(story, index, node->lease.end_ns));
    }
    story->told[index].counted = node->lease.counted;
}

/* What nobody has to wait for is the death of one's own former incarnation; only who has a slot can tell others. */
static void tell_death(struct story *story, uint32_t index, uint64_t incarnation)
{
    const struct node *node = story_node(story, index);
    const char *how = node->params.former.incarnation == incarnation ? ": its own former incarnation"
                      : node->stage == NODE_ACTIVE                   ? ": publishes the verdict"
                                                                     : "";
    story_tell(story, sim_process_name(index), "%s is dead%s", story_incarnation(story, incarnation).text, how);
}

static void tell_watched(struct story *story, uint32_t index)
{
    const struct node *node = story_node(story, index);
    const char *who = sim_process_name(index);
    for (uint32_t i = 0; i < node->watch.slots * WATCH_PER_SLOT; i++) {
        const struct watch_entry *entry = &node->watch.entries[i];
        bool is_new = story->told[index].watched[i].incarnation != entry->incarnation;
        enum watch_state before = is_new ? WATCH_UNUSED : story->told[index].watched[i].state;
        bool was_verdict_known = !is_new && story->told[index].watched[i].is_verdict_known;
        struct label other = story_incarnation(story, entry->incarnation);
        long long still_ms = (node->slow_ns - entry->since_slow_ns) / NS_PER_MS;
        if (entry->state == WATCH_CONFIRMING && before != WATCH_CONFIRMING) {
            story_tell(story, who, "%s has stood still for W (%lld ms): reads the heartbeats of a majority once more",
                       other.text, still_ms);
        } else if (entry->state == WATCH_MOVING && before == WATCH_CONFIRMING) {
            story_tell(story, who, "%s has moved after all", other.text);
        } else if (entry->state == WATCH_DEAD && before != WATCH_DEAD) {
            tell_death(story, index, entry->incarnation);
        } else if (entry->state == WATCH_LEFT && before != WATCH_LEFT) {
            story_tell(story, who, "sees that %s has left", other.text);
        } else if (entry->is_verdict_known && !was_verdict_known && entry->state != WATCH_DEAD) {
            story_tell(story, who, "reads of the verdict on %s", other.text);
        }
        story->told[index].watched[i].incarnation = entry->incarnation;
        story->told[index].watched[i].state = entry->state;
        story->told[index].watched[i].is_verdict_known = entry->is_verdict_known;
    }
}

void story_tell_step(void *context, uint32_t index)
{
    struct story *story = context;
    const struct node *node = story_node(story, index);
    struct story_told *told = &story->told[index];
    bool is_next = told->stage == NODE_OVER && node->stage != NODE_OVER;
    if (told->life != story->sim->processes[index].life || is_next) {
        memset(told, 0, sizeof *told);
        told->life = story->sim->processes[index].life;
    }
    bool has_claimed = node->claim.stage != CLAIM_START && node->claim.stage != CLAIM_LEDGER &&
                       node->claim.stage != CLAIM_LOOK && node->claim.stage != CLAIM_REST;
    if (has_claimed) {
        story_name_incarnation(story, index, node->self.incarnation);
    }
    tell_watched(story, index);
    if (node->claim.stage != told->claim) {
        if (story->is_telling_joining) {
            tell_claim(story, index, told->claim, node->claim.stage);
        }
        told->claim = node->claim.stage;
    }
    tell_lease(story, index);
    tell_ops(story, index);
    if (node->stage != told->stage) {
        tell_stage(story, index, node->stage);
        told->stage = node->stage;
    }
    if (story->notices.length > 0) {
        char *rest = story->notices.bytes;
        for (char *end = NULL; (end = strchr(rest, '\n')) != NULL; rest = end + 1) {
            *end = '\0';
            story_tell(story, sim_process_name(index), "%s", rest);
        }
        text_clear(&story->notices);
    }
    story_judge(story);
}
