#include "offline/survey.h"

#include "block/block.h"
#include "block/layout.h"
#include "disk/device.h"
#include "protocol/collect.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One survey on its way. */
struct surveying {
    const struct disk_set *set;
    struct layout layout;
    uint64_t set_tag;
    uint8_t *rows;           /* the present row, of each disk */
    bool is_read[DISKS_MAX]; /* whether anything of it could be read there */
    bool *is_block_read;     /* disks x slots of the present row */
    struct collect collect;
    struct survey *result;
    void (*found)(void *context, const struct survey_finding *finding);
    void *context;
};

static uint32_t disk_count(const struct surveying *survey)
{
    return survey->set->header.disk_count;
}

/* ---- Findings --------------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 5, 6))) static void find(struct surveying *survey, enum survey_kind kind,
                                                       enum survey_weight weight, const uint32_t where[3],
                                                       const char *format, ...)
{
    struct survey_finding finding = {
        .kind = kind, .weight = weight, .disk = where[0], .row = where[1], .slot = where[2]};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.text, sizeof finding.text, format, arguments);
    va_end(arguments);
    if (weight > survey->result->verdict) {
        survey->result->verdict = weight;
    }
    survey->found(survey->context, &finding);
}

#define WHERE(disk, row, slot) ((const uint32_t[3]){(disk), (row), (slot)})

/* "register 3 (\"db\")", "the heartbeat row": what a row is called. */
static const char *row_name(const struct surveying *survey, uint32_t row, char name[64])
{
    uint32_t first_register = ROW_LEDGER_FIRST + layout_ledger_rows(&survey->layout);
    if (row == ROW_CLAIM || row == ROW_HEARTBEAT) {
        snprintf(name, 64, "the %s row", row == ROW_CLAIM ? "claim" : "heartbeat");
    } else if (row < first_register) {
        snprintf(name, 64, "ledger row %u", row - ROW_LEDGER_FIRST);
    } else {
        snprintf(name, 64, "register %u", row - first_register);
    }
    return name;
}

/* ---- Headers ---------------------------------------------------------------------------------------------------------- */

static const char *header_fault_words(const struct header_sight *sight, const struct set_header *known)
{
    if (sight->read_error != 0) {
        return "cannot be read";
    }
    switch (sight->fault) {
    case HEADER_NO_MAGIC:
        return "is gone";
    case HEADER_DAMAGED:
    case HEADER_NONSENSE:
        return "is damaged";
    case HEADER_NEWER:
        return "has a newer format";
    case HEADER_OK:
        break;
    }
    return header_sight_is_good(sight, known) ? NULL : "is of another disk or set";
}

static void survey_headers(struct surveying *survey, uint32_t disk)
{
    const struct disk_member *member = &survey->set->members[disk];
    const struct header_pair *pair = &survey->result->disks[disk].headers;
    const char *first = header_fault_words(&pair->first, &member->header);
    const char *copy = header_fault_words(&pair->copy, &member->header);
    const uint32_t *where = WHERE(disk, SURVEY_NOWHERE, SURVEY_NOWHERE);
    if (first != NULL && copy != NULL) {
        find(survey, SURVEY_HEADER, SURVEY_REPAIR, where, "its header %s, and the copy %s; replace the disk", first,
             copy);
    } else if (first != NULL || copy != NULL) {
        find(survey, SURVEY_HEADER, SURVEY_COVERED, where,
             "its %s %s, the %s is good; mend it by diskarch check --repair",
             first != NULL ? "header" : "copy of the header", first != NULL ? first : copy,
             first != NULL ? "copy" : "header");
    } else if (!header_pair_is_whole(pair, &member->header)) {
        find(
            survey, SURVEY_HEADER, SURVEY_COVERED, where,
            "its header and the copy differ; mend it by diskarch check --repair, or diskarch tune if that was cut off");
    }
    if (member->header.tuning == 0 && survey->set->header.tuning == 0 &&
        !set_header_is_same_tuning(&member->header, &survey->set->header)) {
        find(survey, SURVEY_TUNING, SURVEY_REPAIR, where,
             "its timings are not those of other disks, so nobody can open the set with it; was it restored or copied? "
             "diskarch tune makes them the same");
    }
    if (member->header.tuning != 0) {
        find(survey, SURVEY_TUNING, SURVEY_REPAIR, where,
             "diskarch tune is at work on it, or was cut off; let it end, or run it again with all disks");
    }
}

static int survey_disks(struct surveying *survey)
{
    for (uint32_t disk = 0; disk < disk_count(survey); disk++) {
        const struct disk_member *member = &survey->set->members[disk];
        struct survey_disk *result = &survey->result->disks[disk];
        result->is_present = member->is_present;
        if (!member->is_present) {
            find(survey, SURVEY_DISK_ABSENT, SURVEY_COVERED, WHERE(disk, SURVEY_NOWHERE, SURVEY_NOWHERE),
                 "it is missing: %.180s; bring it back", member->reason);
            continue;
        }
        struct device device = {.fd = member->fd};
        int error = header_pair_look(&device, &survey->layout, &result->headers);
        if (error != 0) {
            return error;
        }
        survey_headers(survey, disk);
    }
    return 0;
}

/* ---- Blocks of one row ------------------------------------------------------------------------------------------------ */

static uint8_t *row_of(const struct surveying *survey, uint32_t disk)
{
    return survey->rows + (size_t)disk * layout_row_bytes(&survey->layout);
}

static bool *block_read_flag(const struct surveying *survey, uint32_t disk, uint32_t slot)
{
    return &survey->is_block_read[(size_t)disk * survey->layout.slots + slot];
}

/* A row that cannot be read is read block by block (rule D9). What is not read stays zero: damaged, whoever looks at it. */
static void read_row(struct surveying *survey, uint32_t disk, uint32_t row)
{
    const struct layout *layout = &survey->layout;
    const struct disk_member *member = &survey->set->members[disk];
    struct device device = {.fd = member->fd};
    survey->is_read[disk] = member->is_present;
    bool is_whole = member->is_present && device_read(&device, row_of(survey, disk), layout_row_bytes(layout),
                                                      layout_offset(layout, row, 0)) == 0;
    for (uint32_t slot = 0; slot < layout->slots; slot++) {
        uint8_t *bytes = row_of(survey, disk) + (size_t)slot * layout->block_bytes;
        bool is_read = is_whole || (member->is_present && device_read(&device, bytes, layout->block_bytes,
                                                                      layout_offset(layout, row, slot)) == 0);
        if (!is_read) {
            memset(bytes, 0, layout->block_bytes);
        }
        *block_read_flag(survey, disk, slot) = is_read;
    }
}

static const char *block_state_words(enum block_state state)
{
    switch (state) {
    case BLOCK_ZEROS:
        return "holds nothing but zeros";
    case BLOCK_MISPLACED:
        return "is the block of another place";
    case BLOCK_NEWER:
        return "has a newer format";
    case BLOCK_DAMAGED:
        return "is damaged";
    case BLOCK_EMPTY:
    case BLOCK_WRITTEN:
        break;
    }
    return NULL;
}

/* Whether the block is intact; what is not is told. */
static bool judge_block(struct surveying *survey, uint32_t disk, uint32_t row, uint32_t slot)
{
    struct survey_disk *result = &survey->result->disks[disk];
    struct block_place place = {.set_tag = survey->set_tag, .disk = disk, .row = row, .slot = slot};
    const uint8_t *bytes = row_of(survey, disk) + (size_t)slot * survey->layout.block_bytes;
    enum block_state state = block_judge(bytes, survey->layout.block_bytes, &place);
    const char *words = *block_read_flag(survey, disk, slot) ? block_state_words(state) : "cannot be read";
    result->written_blocks += words == NULL && state == BLOCK_WRITTEN;
    result->empty_blocks += words == NULL && state == BLOCK_EMPTY;
    result->damaged_blocks += words != NULL;
    if (words != NULL) {
        char name[64];
        find(survey, SURVEY_BLOCK, SURVEY_COVERED, WHERE(disk, row, slot), "the block of slot %u in %s %s", slot,
             row_name(survey, row, name), words);
    }
    return words == NULL;
}

/* Too few intact copies of a slot's block. What a register's lost copies had accepted last nobody can tell; a claim or a heartbeat holds
 * nothing that was agreed on, but no newcomer takes a slot that it cannot see. */
static void judge_slot(struct surveying *survey, uint32_t row, uint32_t slot, uint32_t intact)
{
    char name[64];
    uint32_t needed = majority_of(disk_count(survey));
    if (intact >= needed || survey->set->present_count < needed) {
        return;
    }
    bool is_register = row >= ROW_LEDGER_FIRST;
    find(survey, SURVEY_SLOT, is_register ? SURVEY_LOST : SURVEY_REPAIR, WHERE(SURVEY_NOWHERE, row, slot),
         "the block of slot %u in %s is intact on %u of %u disks, %u are needed; %s", slot, row_name(survey, row, name),
         intact, disk_count(survey), needed,
         is_register ? "what was changed last there may be lost" : "nobody can take that slot any more");
}

static void judge_blocks(struct surveying *survey, uint32_t row)
{
    for (uint32_t slot = 0; slot < survey->layout.slots; slot++) {
        uint32_t intact = 0;
        for (uint32_t disk = 0; disk < disk_count(survey); disk++) {
            intact += survey->is_read[disk] && judge_block(survey, disk, row, slot);
        }
        judge_slot(survey, row, slot, intact);
    }
}

static void survey_row(struct surveying *survey, uint32_t row)
{
    for (uint32_t disk = 0; disk < disk_count(survey); disk++) {
        read_row(survey, disk, row);
    }
    judge_blocks(survey, row);
}

/* ---- Which disks agree ------------------------------------------------------------------------------------------------ */

static uint32_t count_newest(const struct surveying *survey)
{
    uint32_t count = 0;
    for (uint32_t disk = 0; disk < disk_count(survey); disk++) {
        count += survey->collect.disks[disk].is_read &&
                 ballot_is_same(survey->collect.disks[disk].accepted, survey->collect.accepted);
    }
    return count;
}

/* The row was read once, and by nobody who writes: what moved meanwhile is unsettled at worst. */
static void judge_value(struct surveying *survey, uint32_t row)
{
    char name[64];
    struct survey *result = survey->result;
    struct role_value value = {.kind = VALUE_UNNAMED};
    bool is_ledger = row < ROW_LEDGER_FIRST + layout_ledger_rows(&survey->layout);
    if (!is_ledger && !role_value_decode(survey->collect.value, &value)) {
        find(survey, SURVEY_VALUE, SURVEY_LOST, WHERE(SURVEY_NOWHERE, row, SURVEY_NOWHERE),
             "the value of %s is none that this program knows", row_name(survey, row, name));
        return;
    }
    bool is_named = value.kind != VALUE_UNNAMED;
    bool is_proven = collect_is_proven(&survey->collect, (struct ballot){0}) ||
                     collect_is_proven_twice(&survey->collect, &survey->collect);
    result->named_registers += is_named;
    result->proven_registers += is_named && is_proven;
    result->unsettled_registers += !is_proven;
    result->newest_on_disks[count_newest(survey)] += is_named;
    if (!is_proven && collect_is_majority(&survey->collect)) {
        find(survey, SURVEY_UNSETTLED, SURVEY_HEALTHY, WHERE(SURVEY_NOWHERE, row, SURVEY_NOWHERE),
             "the last change of %s%s%s%s is not settled; the next node that uses it settles it",
             row_name(survey, row, name), is_named ? " (\"" : "", value.name, is_named ? "\")" : "");
    }
}

static void survey_registers(struct surveying *survey)
{
    for (uint32_t row = ROW_LEDGER_FIRST; row < layout_rows(&survey->layout); row++) {
        survey_row(survey, row);
        collect_begin(&survey->collect, &survey->layout, survey->set_tag, disk_count(survey), row);
        for (uint32_t disk = 0; disk < disk_count(survey); disk++) {
            if (survey->is_read[disk]) {
                collect_add(&survey->collect, disk, row_of(survey, disk));
            }
        }
        judge_value(survey, row);
    }
}

/* ---- Disks that show less than others --------------------------------------------------------------------------------- */

static bool decode_heartbeat(const struct surveying *survey, uint32_t disk, uint32_t slot, struct heartbeat_block *ret)
{
    struct block_place place = {.set_tag = survey->set_tag, .disk = disk, .row = ROW_HEARTBEAT, .slot = slot};
    return survey->is_read[disk] &&
           block_decode_heartbeat(row_of(survey, disk) + (size_t)slot * survey->layout.block_bytes,
                                  survey->layout.block_bytes, &place, ret);
}

/* The heartbeat of the slot with the highest counter of the incarnation that most recently stood there, as far as disks tell. */
static bool newest_heartbeat(const struct surveying *survey, uint32_t slot, struct heartbeat_block *ret)
{
    bool is_any = false;
    for (uint32_t disk = 0; disk < disk_count(survey); disk++) {
        struct heartbeat_block block;
        if (decode_heartbeat(survey, disk, slot, &block) && block.author.incarnation != 0 &&
            (!is_any || (block.author.incarnation == ret->author.incarnation && block.counter > ret->counter))) {
            *ret = block;
            is_any = true;
        }
    }
    return is_any;
}

/*
 * `before` is the newest heartbeat of each slot one reading ago. Where it has not moved since, nobody writes, and a disk that is more
 * than the one write behind that can be under way has missed some: it was away, or went back to an older state.
 */
static void judge_behind(struct surveying *survey, const struct heartbeat_block *before)
{
    for (uint32_t slot = 0; slot < survey->layout.slots; slot++) {
        struct heartbeat_block newest = {.counter = 0};
        if (!newest_heartbeat(survey, slot, &newest) || newest.counter != before[slot].counter ||
            newest.author.incarnation != before[slot].author.incarnation) {
            continue;
        }
        for (uint32_t disk = 0; disk < disk_count(survey); disk++) {
            struct heartbeat_block block;
            if (decode_heartbeat(survey, disk, slot, &block) && block.author.incarnation == newest.author.incarnation &&
                block.counter + 1 < newest.counter) {
                find(
                    survey, SURVEY_BEHIND, SURVEY_COVERED, WHERE(disk, ROW_HEARTBEAT, slot),
                    "it shows heartbeat %llu of node \"%.63s\", others show %llu: it was away, or was taken back to an older "
                    "state, as by a snapshot; do not use it if it was",
                    (unsigned long long)block.counter, newest.node_name, (unsigned long long)newest.counter);
            }
        }
    }
}

static int survey_heartbeats(struct surveying *survey)
{
    assert(survey->layout.slots >= SLOTS_MIN);
    struct heartbeat_block *before = calloc(survey->layout.slots, sizeof *before);
    if (before == NULL) {
        return -ENOMEM;
    }
    survey_row(survey, ROW_HEARTBEAT);
    for (uint32_t slot = 0; slot < survey->layout.slots; slot++) {
        newest_heartbeat(survey, slot, &before[slot]);
    }
    for (uint32_t disk = 0; disk < disk_count(survey); disk++) {
        read_row(survey, disk, ROW_HEARTBEAT);
    }
    judge_behind(survey, before);
    free(before);
    return 0;
}

/* ---- All of it -------------------------------------------------------------------------------------------------------- */

static int survey_all(struct surveying *survey)
{
    size_t disks = disk_count(survey);
    survey->rows = device_buffer_new(disks * layout_row_bytes(&survey->layout));
    survey->is_block_read = calloc(disks * survey->layout.slots, sizeof *survey->is_block_read);
    if (survey->rows == NULL || survey->is_block_read == NULL) {
        return -ENOMEM;
    }
    int error = survey_disks(survey);
    if (error == 0) {
        survey_row(survey, ROW_CLAIM);
        error = survey_heartbeats(survey);
    }
    if (error == 0) {
        survey_registers(survey);
    }
    return error;
}

int survey_run(const struct disk_set *set, void (*found)(void *context, const struct survey_finding *finding),
               void *context, struct survey *ret)
{
    struct surveying *survey = calloc(1, sizeof *survey);
    if (survey == NULL) {
        return -ENOMEM;
    }
    memset(ret, 0, sizeof *ret);
    survey->set = set;
    survey->layout = set->header.layout;
    survey->set_tag = set_header_tag(&set->header);
    survey->result = ret;
    survey->found = found;
    survey->context = context;
    int error = survey_all(survey);
    free(survey->rows);
    free(survey->is_block_read);
    free(survey);
    return error;
}
