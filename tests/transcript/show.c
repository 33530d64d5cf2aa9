/* What stands on the disks of a story: blocks that all say the same share a line. */
#include "story.h"

#include <stdio.h>
#include <string.h>

static struct phrase register_phrase(struct story *story, uint32_t disk, uint32_t row, uint32_t slot)
{
    struct phrase phrase = {""};
    struct block_place place = {story->sim->set_tag, disk, row, slot};
    const uint8_t *bytes = story->sim->disks[disk].rows[row] + (size_t)slot * SIM_BLOCK_BYTES;
    struct register_block block;
    if (!block_decode_register(bytes, SIM_BLOCK_BYTES, &place, &block)) {
        return (struct phrase){"damaged"};
    }
    if (block.author.incarnation != 0) {
        snprintf(phrase.text, sizeof phrase.text, "%s promised %s, accepted %s, commit mark %s: %.400s",
                 story_incarnation(story, block.author.incarnation).text, story_ballot(block.promised).text,
                 story_ballot(block.accepted).text, story_ballot(block.committed).text,
                 story_value(story, row, block.value).text);
    }
    return phrase;
}

static struct phrase heartbeat_phrase(struct story *story, uint32_t disk, uint32_t row, uint32_t slot)
{
    static const char *const states[] = {"", "joined", "ready", "left"};
    struct phrase phrase = {""};
    struct block_place place = {story->sim->set_tag, disk, row, slot};
    const uint8_t *bytes = story->sim->disks[disk].rows[row] + (size_t)slot * SIM_BLOCK_BYTES;
    struct heartbeat_block block;
    if (!block_decode_heartbeat(bytes, SIM_BLOCK_BYTES, &place, &block)) {
        return (struct phrase){"damaged"};
    }
    if (block.author.incarnation == 0) {
        return phrase;
    }
    size_t length = (size_t)snprintf(phrase.text, sizeof phrase.text, "%s, %s, heartbeat %llu",
                                     story_incarnation(story, block.author.incarnation).text, states[block.state],
                                     (unsigned long long)block.counter);
    for (uint32_t i = 0; i < block.verdict_count && length < sizeof phrase.text; i++) {
        length += (size_t)snprintf(phrase.text + length, sizeof phrase.text - length, "; says that %s is dead",
                                   story_incarnation(story, block.verdicts[i].incarnation).text);
    }
    return phrase;
}

static void show(struct story *story, uint32_t row,
                 struct phrase (*phrase_of)(struct story *story, uint32_t disk, uint32_t row, uint32_t slot))
{
    for (uint32_t slot = 0; slot < story->sim->header.layout.slots; slot++) {
        bool is_shown[SIM_DISKS_MAX] = {false};
        for (uint32_t disk = 0; disk < story->sim->disk_count; disk++) {
            struct phrase phrase = phrase_of(story, disk, row, slot);
            char disks[40] = "";
            size_t length = 0;
            if (is_shown[disk] || phrase.text[0] == '\0') {
                continue;
            }
            for (uint32_t other = disk; other < story->sim->disk_count; other++) {
                if (strcmp(phrase_of(story, other, row, slot).text, phrase.text) == 0) {
                    is_shown[other] = true;
                    length += (size_t)snprintf(disks + length, sizeof disks - length, " %u", other);
                }
            }
            text_add(&story->trace, "    slot %u, disk%s%s: %s\n", slot, length > 2 ? "s" : "", disks, phrase.text);
        }
    }
}

void story_show_row(struct story *story, uint32_t row)
{
    show(story, row, register_phrase);
}

void story_show_heartbeats(struct story *story)
{
    show(story, ROW_HEARTBEAT, heartbeat_phrase);
}
