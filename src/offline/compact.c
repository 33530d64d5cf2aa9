#include "offline/compact.h"

#include "block/name.h"
#include "disk/message.h"

#include <diskarch/diskarch.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t register_count(const struct compaction *compaction)
{
    return compaction->table.layout.registers;
}

/* ---- Looking ---------------------------------------------------------------------------------------------------------- */

static int refuse_unproven(struct compaction *compaction, uint32_t index, const struct role_value *value)
{
    struct row_table *table = &compaction->table;
    return message_set(
        DISKARCH_EUNSETTLED, table->message, table->message_bytes,
        "set \"%s\": the last change of register %u (\"%s\") is not settled; let a node settle it, as by "
        "diskarch lock \"%s\" -- true, then tune again",
        table->set->header.set_name, index, value->name, value->name);
}

static void take_entry(struct compaction *compaction, uint32_t index, const struct role_value *value)
{
    struct compaction_entry *entry = &compaction->entries[index];
    memset(entry, 0, sizeof *entry);
    if (value->kind == VALUE_UNNAMED) {
        return;
    }
    memcpy(entry->name, value->name, sizeof entry->name);
    entry->is_forgotten = value->hold == ROLE_FORGOTTEN;
    if (value->epoch > compaction->highest_epoch) {
        compaction->highest_epoch = value->epoch;
    }
}

int compaction_begin(const struct device *devices, const struct disk_set *set, bool is_resuming, struct compaction *ret,
                     char *message, size_t message_bytes)
{
    *ret = (struct compaction){.freed_rows = 0};
    int error = row_table_init(devices, set, &ret->table);
    ret->entries = error == 0 ? calloc(ret->table.layout.registers, sizeof *ret->entries) : NULL;
    if (ret->entries == NULL) {
        return message_set(-ENOMEM, message, message_bytes, "memory: none for a table of the registers; free some");
    }
    ret->table.message = message;
    ret->table.message_bytes = message_bytes;
    for (uint32_t i = 0; i < register_count(ret); i++) {
        struct row_sight sight;
        error = row_look(&ret->table, i, &sight);
        if (error == 0 && !sight.is_proven && !is_resuming) {
            error = refuse_unproven(ret, i, &sight.value);
        }
        if (error != 0) {
            return error;
        }
        take_entry(ret, i, &sight.value);
    }
    return 0;
}

uint64_t compaction_highest_epoch(const struct compaction *compaction)
{
    return compaction->highest_epoch;
}

void compaction_end(struct compaction *compaction)
{
    row_table_done(&compaction->table);
    free(compaction->entries);
    compaction->entries = NULL;
}

/* ---- Rewriting -------------------------------------------------------------------------------------------------------- */

static bool is_named(const struct compaction *compaction, uint32_t index)
{
    return compaction->entries[index].name[0] != '\0';
}

static int empty_entry(struct compaction *compaction, uint32_t index)
{
    int error = row_empty(&compaction->table, index);
    if (error == 0) {
        memset(&compaction->entries[index], 0, sizeof compaction->entries[index]);
    }
    return error;
}

static int free_forgotten(struct compaction *compaction)
{
    int error = 0;
    for (uint32_t i = 0; i < register_count(compaction) && error == 0; i++) {
        if (compaction->entries[i].is_forgotten) {
            error = empty_entry(compaction, i);
            compaction->freed_rows += error == 0;
        }
    }
    return error;
}

/* The first row of the probe for the name in `index` that has no name, or this very name: where its probe ends. */
static uint32_t end_of_probe(const struct compaction *compaction, uint32_t index)
{
    const char *name = compaction->entries[index].name;
    uint32_t at = (uint32_t)(name_hash(name) % register_count(compaction));
    while (at != index && is_named(compaction, at) && strcmp(compaction->entries[at].name, name) != 0) {
        at = (at + 1) % register_count(compaction);
    }
    return at;
}

static bool is_same_value(const struct row_sight *a, const struct row_sight *b)
{
    return ballot_is_same(a->accepted.accepted, b->accepted.accepted) &&
           memcmp(a->accepted.value, b->accepted.value, sizeof a->accepted.value) == 0;
}

static int refuse_twins(struct compaction *compaction, uint32_t a, uint32_t b)
{
    struct row_table *table = &compaction->table;
    return message_set(
        DISKARCH_EUNSETTLED, table->message, table->message_bytes,
        "set \"%s\": the name \"%s\" stands in registers %u and %u with different values; save the disks "
        "and report this, do not use the set",
        table->set->header.set_name, compaction->entries[a].name, a, b);
}

/* Copies first, empties afterwards: a cut between leaves the name in both rows, with one value. */
static int move(struct compaction *compaction, uint32_t from, uint32_t to)
{
    struct row_sight source;
    struct row_sight target;
    int error = row_look(&compaction->table, from, &source);
    error = error != 0 ? error : row_look(&compaction->table, to, &target);
    if (error != 0) {
        return error;
    }
    if (is_named(compaction, to) && !is_same_value(&source, &target)) {
        return refuse_twins(compaction, from, to);
    }
    if (!is_named(compaction, to) && !target.is_empty) {
        error = row_empty(&compaction->table, to);
    }
    error = error != 0 ? error : row_place(&compaction->table, to, &source);
    if (error != 0) {
        return error;
    }
    compaction->entries[to] = compaction->entries[from];
    return empty_entry(compaction, from);
}

/* Each move brings a name nearer to the start of its probe, and may open a way for others behind it: this ends. */
int compaction_run(struct compaction *compaction, char *message, size_t message_bytes)
{
    compaction->table.message = message;
    compaction->table.message_bytes = message_bytes;
    int error = free_forgotten(compaction);
    bool has_moved = true;
    while (has_moved && error == 0) {
        has_moved = false;
        for (uint32_t i = 0; i < register_count(compaction) && error == 0; i++) {
            uint32_t to = is_named(compaction, i) ? end_of_probe(compaction, i) : i;
            if (to != i) {
                error = move(compaction, i, to);
                has_moved = true;
            }
        }
    }
    return error;
}
