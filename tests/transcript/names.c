#include "story.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void story_name_incarnation(struct story *story, uint32_t process, uint64_t incarnation)
{
    uint32_t number = 1;
    for (uint32_t i = 0; i < story->name_count; i++) {
        if (story->names[i].incarnation == incarnation) {
            return;
        }
        number += story->names[i].process == process;
    }
    assert(story->name_count < STORY_NAMES_MAX);
    story->names[story->name_count++] =
        (struct story_name){.incarnation = incarnation, .process = process, .number = number};
}

struct label story_incarnation(struct story *story, uint64_t incarnation)
{
    struct label label = {"nobody"};
    for (uint32_t i = 0; i < story->name_count; i++) {
        const struct story_name *name = &story->names[i];
        if (name->incarnation == incarnation) {
            snprintf(label.text, sizeof label.text, "%s/%u", sim_process_name(name->process), name->number);
        }
    }
    return label;
}

struct label story_ballot(struct ballot ballot)
{
    struct label label = {"none"};
    if (!ballot_is_none(ballot)) {
        snprintf(label.text, sizeof label.text, "%llu.%u", (unsigned long long)ballot.round, ballot.slot);
    }
    return label;
}

struct label story_row(const struct story *story, uint32_t row)
{
    struct label label;
    if (row == ROW_CLAIM) {
        snprintf(label.text, sizeof label.text, "claim");
    } else if (row == ROW_HEARTBEAT) {
        snprintf(label.text, sizeof label.text, "heartbeat");
    } else if (row < layout_register_row(&story->sim->header.layout, 0)) {
        snprintf(label.text, sizeof label.text, "the ledger");
    } else if (story->row_role[row] != 0) {
        snprintf(label.text, sizeof label.text, "%s", story->roles[story->row_role[row] - 1]);
    } else {
        snprintf(label.text, sizeof label.text, "register %u",
                 row - layout_register_row(&story->sim->header.layout, 0));
    }
    return label;
}

static struct phrase ledger_value(struct story *story, const uint8_t *bytes)
{
    struct phrase phrase = {""};
    size_t length = 0;
    for (uint32_t slot = 0; slot < story->sim->header.layout.slots; slot++) {
        uint64_t incarnation = ledger_value_get(bytes, slot);
        if (incarnation != 0 && length < sizeof phrase.text) {
            length += (size_t)snprintf(phrase.text + length, sizeof phrase.text - length, "%s%s is retired",
                                       length > 0 ? ", " : "", story_incarnation(story, incarnation).text);
        }
    }
    return length > 0 ? phrase : (struct phrase){"nobody is retired"};
}

struct phrase story_value(struct story *story, uint32_t row, const uint8_t *bytes)
{
    struct phrase phrase;
    struct role_value value;
    if (row < layout_register_row(&story->sim->header.layout, 0)) {
        return ledger_value(story, bytes);
    }
    if (!role_value_decode(bytes, &value)) {
        return (struct phrase){"nothing that can be read"};
    }
    unsigned long long epoch = (unsigned long long)value.epoch;
    struct label holder = story_incarnation(story, value.holder.incarnation);
    if (value.kind == VALUE_UNNAMED) {
        return (struct phrase){"no name yet"};
    }
    if (value.hold == ROLE_HELD) {
        snprintf(phrase.text, sizeof phrase.text, "held by %s, epoch %llu", holder.text, epoch);
    } else if (value.hold == ROLE_TRANSFERRING) {
        snprintf(phrase.text, sizeof phrase.text, "held by %s, epoch %llu, to be handed over to %s", holder.text, epoch,
                 story_incarnation(story, value.successor.incarnation).text);
    } else {
        snprintf(phrase.text, sizeof phrase.text, "free, last epoch %llu", epoch);
    }
    if (value.payload_bytes > 0) {
        size_t length = strlen(phrase.text);
        snprintf(phrase.text + length, sizeof phrase.text - length, ", says \"%.*s\"", (int)value.payload_bytes,
                 (const char *)value.payload);
    }
    return phrase;
}

long long story_true_ms(const struct story *story, uint32_t process, int64_t fast_ns)
{
    const struct sim_process *at = &story->sim->processes[process];
    return (story->sim->now_ns + fast_ns - sim_process_fast_now(story->sim, at)) / NS_PER_MS;
}
