#include "offline/tune.h"

#include "disk/device.h"
#include "disk/disk_set.h"
#include "disk/header_pair.h"
#include "disk/idle_watch.h"
#include "disk/message.h"
#include "disk/timings_refuse.h"
#include "offline/compact.h"

#include <diskarch/diskarch.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* One run. */
struct tune {
    const struct tune_options *options;
    struct disk_set set;
    struct device devices[DISKS_MAX]; /* the set's descriptors */
    struct set_header target;         /* what all headers are to say, but for the disk's index */
    uint64_t mark;                    /* this run's */
    bool is_resuming_compaction;
    bool is_past_return; /* something was written that cannot be taken back */
    char *message;
    size_t message_bytes;
};

#define REFUSE(tune, error, ...) message_set((error), (tune)->message, (tune)->message_bytes, __VA_ARGS__)

static uint32_t disk_count(const struct tune *tune)
{
    return tune->set.header.disk_count;
}

static bool is_compacting(const struct tune *tune)
{
    return tune->options->is_compacting || tune->is_resuming_compaction;
}

/* ---- What may be tuned ------------------------------------------------------------------------------------------------ */

static int refuse_absent(struct tune *tune)
{
    const struct disk_set *set = &tune->set;
    for (uint32_t i = 0; i < disk_count(tune); i++) {
        if (!set->members[i].is_present) {
            REFUSE(tune, 0, "set \"%s\": disk %u is missing (%s); tune needs every disk, bring it back and name it",
                   set->header.set_name, i, set->members[i].reason);
            for (uint32_t j = 0; j < set->unplaced_count; j++) {
                message_add(tune->message, tune->message_bytes, "; %s: %s", set->unplaced[j], set->unplaced_reason[j]);
            }
            return DISKARCH_ENOQUORUM;
        }
        if (set->members[i].header.minor > FORMAT_MINOR) {
            return REFUSE(tune, DISKARCH_EVERSION,
                          "%s: its set has format %u.%u, of which this program does not know everything; tune it with "
                          "that version of diskarch",
                          set->members[i].path, set->members[i].header.major, set->members[i].header.minor);
        }
    }
    return 0;
}

static int tune_open(struct tune *tune)
{
    struct disk_set_options options = {.paths = tune->options->paths,
                                       .path_count = tune->options->path_count,
                                       .is_writable = true,
                                       .allow_tuning = true};
    int error = disk_set_open(&options, &tune->set);
    if (error != 0) {
        return REFUSE(tune, error, "%s", tune->set.message);
    }
    error = refuse_absent(tune);
    for (uint32_t i = 0; i < disk_count(tune); i++) {
        tune->devices[i] = (struct device){.fd = tune->set.members[i].fd};
    }
    return error;
}

/* ---- What is to be ---------------------------------------------------------------------------------------------------- */

static void apply_change(const struct tune_change *change, struct set_header *header)
{
    struct timings *timings = &header->timings;
    timings->lease_ns = change->lease_ns < 0 ? timings->lease_ns : change->lease_ns;
    timings->renew_ns = change->renew_ns < 0 ? timings->renew_ns : change->renew_ns;
    timings->io_deadline_ns = change->io_deadline_ns < 0 ? timings->io_deadline_ns : change->io_deadline_ns;
    timings->quarantine_ns = change->quarantine_ns < 0 ? timings->quarantine_ns : change->quarantine_ns;
    timings->drift_ppm = change->drift_ppm < 0 ? timings->drift_ppm : (uint32_t)change->drift_ppm;
    header->slot_reuse = change->slot_reuse < 0 ? header->slot_reuse : change->slot_reuse != 0;
}

/* Where a run was cut off the newest header tells what it had reached. */
static void take_newest(struct tune *tune, bool *ret_is_at_rest)
{
    uint32_t compacting = 0;
    bool is_at_rest = true;
    tune->target = tune->set.members[0].header;
    for (uint32_t i = 0; i < disk_count(tune); i++) {
        const struct set_header *header = &tune->set.members[i].header;
        is_at_rest = is_at_rest && set_header_is_same_tuning(header, &tune->set.members[0].header);
        compacting += header->is_compacting;
        uint64_t floor =
            header->epoch_floor > tune->target.epoch_floor ? header->epoch_floor : tune->target.epoch_floor;
        if (header->revision > tune->target.revision) {
            tune->target = *header;
        }
        tune->target.epoch_floor = floor;
    }
    tune->is_resuming_compaction = compacting == disk_count(tune);
    *ret_is_at_rest = is_at_rest;
}

static int tune_plan(struct tune *tune, struct tune_result *result)
{
    bool is_at_rest = false;
    take_newest(tune, &is_at_rest);
    struct set_header before = tune->target;
    result->has_ended_an_earlier = !is_at_rest;
    apply_change(&tune->options->change, &tune->target);
    if (is_at_rest && !tune->options->is_compacting && !tune->options->is_repairing &&
        set_header_is_same_tuning(&before, &tune->target)) {
        return REFUSE(tune, DISKARCH_EUSAGE,
                      "set \"%s\": there is nothing to change; say what is to be another way than it is",
                      before.set_name);
    }
    int error = timings_refuse(&tune->target.timings, tune->message, tune->message_bytes);
    if (error != 0) {
        return error;
    }
    if (is_compacting(tune) && !tune->target.slot_reuse) {
        return REFUSE(
            tune, DISKARCH_EUSAGE,
            "set \"%s\": it never uses slots of the dead again, as their writes may come at any time; so "
            "neither can it use registers again: add --slot-reuse quarantine if the quarantine can be trusted",
            before.set_name);
    }
    tune->target.revision++;
    tune->target.tuning = 0;
    tune->target.is_compacting = false;
    return 0;
}

/* ---- Headers ---------------------------------------------------------------------------------------------------------- */

/* On every disk, the copy before the first block, each durable before the next. */
static int write_headers(struct tune *tune, const struct set_header headers[DISKS_MAX])
{
    uint32_t block_bytes = tune->set.header.layout.block_bytes;
    const uint64_t offsets[] = {layout_header_copy_offset(&tune->set.header.layout), 0};
    uint8_t *block = device_buffer_new(block_bytes);
    if (block == NULL) {
        return REFUSE(tune, -ENOMEM, "memory: none for a block of %u bytes; free some", block_bytes);
    }
    int error = 0;
    for (uint32_t i = 0; i < disk_count(tune) && error == 0; i++) {
        set_header_encode(block, block_bytes, &headers[i]);
        for (int place = 0; place < 2 && error == 0; place++) {
            error = device_write(&tune->devices[i], block, block_bytes, offsets[place]);
            error = error == 0 && fsync(tune->devices[i].fd) != 0 ? -errno : error;
        }
        if (error != 0) {
            REFUSE(tune, error,
                   "%s: its header cannot be written: %s; see the kernel log for the device's state, then run diskarch "
                   "tune again",
                   tune->set.members[i].path, strerror(-error));
        }
    }
    free(block);
    return error;
}

/* Each disk keeps its own timings: nodes may live by them, and whoever comes after a cut must watch for the longest. */
static int write_marks(struct tune *tune, bool has_row_changes)
{
    struct set_header headers[DISKS_MAX];
    for (uint32_t i = 0; i < disk_count(tune); i++) {
        headers[i] = tune->set.members[i].header;
        headers[i].tuning = tune->mark;
        if (has_row_changes) {
            headers[i].is_compacting = true;
            headers[i].epoch_floor = tune->target.epoch_floor;
        }
    }
    return write_headers(tune, headers);
}

static int write_targets(struct tune *tune)
{
    struct set_header headers[DISKS_MAX];
    for (uint32_t i = 0; i < disk_count(tune); i++) {
        headers[i] = tune->target;
        headers[i].disk_index = i;
    }
    return write_headers(tune, headers);
}

/* Before anything that cannot be taken back. The message is that of the refusal. */
static void take_marks_back(struct tune *tune)
{
    struct set_header headers[DISKS_MAX];
    for (uint32_t i = 0; i < disk_count(tune); i++) {
        headers[i] = tune->set.members[i].header;
    }
    char *message = tune->message;
    tune->message = NULL;
    (void)write_headers(tune, headers);
    tune->message = message;
}

static int check_marks(struct tune *tune)
{
    for (uint32_t i = 0; i < disk_count(tune); i++) {
        struct header_pair pair;
        const struct disk_member *member = &tune->set.members[i];
        int error = header_pair_look(&tune->devices[i], &tune->set.header.layout, &pair);
        if (error != 0 || !header_pair_is_whole(&pair, &member->header) || pair.first.header.tuning != tune->mark) {
            return REFUSE(tune, DISKARCH_EINUSE,
                          "%s: its header changed meanwhile: is another diskarch tune at work? Run one at a time",
                          member->path);
        }
    }
    return 0;
}

/* ---- Watching --------------------------------------------------------------------------------------------------------- */

/* By the longest W of all headers, on every disk: where a run was cut off, nodes may live by any of them. */
static int watch(struct tune *tune, int64_t more_ns)
{
    struct idle_disk disks[DISKS_MAX];
    int64_t longest_ns = 0;
    for (uint32_t i = 0; i < disk_count(tune); i++) {
        const struct disk_member *member = &tune->set.members[i];
        int64_t watch_ns = timings_watch_ns(&member->header.timings);
        longest_ns = watch_ns > longest_ns ? watch_ns : longest_ns;
        disks[i] = (struct idle_disk){.path = member->path, .device = &tune->devices[i], .header = &member->header};
    }
    if (tune->options->waiting != NULL) {
        tune->options->waiting(tune->options->waiting_context, longest_ns + more_ns);
    }
    return idle_watch(disks, disk_count(tune), more_ns, tune->message, tune->message_bytes);
}

static int64_t longest_quarantine_ns(const struct tune *tune)
{
    int64_t longest_ns = tune->target.timings.quarantine_ns;
    for (uint32_t i = 0; i < disk_count(tune); i++) {
        int64_t own_ns = tune->set.members[i].header.timings.quarantine_ns;
        longest_ns = own_ns > longest_ns ? own_ns : longest_ns;
    }
    return longest_ns;
}

/* ---- In order --------------------------------------------------------------------------------------------------------- */

static int tune_compact(struct tune *tune, struct tune_result *result)
{
    struct compaction compaction;
    int error = compaction_begin(tune->devices, &tune->set, tune->is_resuming_compaction, &compaction, tune->message,
                                 tune->message_bytes);
    if (error == 0) {
        uint64_t floor = compaction_highest_epoch(&compaction);
        tune->target.epoch_floor = floor > tune->target.epoch_floor ? floor : tune->target.epoch_floor;
        error = write_marks(tune, true);
    }
    if (error == 0) {
        tune->is_past_return = true;
        error = compaction_run(&compaction, tune->message, tune->message_bytes);
        result->freed_registers = compaction.freed_rows;
    }
    compaction_end(&compaction);
    return error;
}

static int tune_marked(struct tune *tune, struct tune_result *result)
{
    bool is_rewriting = is_compacting(tune) || tune->options->is_repairing;
    int error = watch(tune, is_rewriting ? longest_quarantine_ns(tune) : 0);
    error = error != 0 ? error : check_marks(tune);
    if (error == 0 && tune->options->is_repairing) {
        error = repair_run(tune->devices, &tune->set, &result->repair, tune->message, tune->message_bytes);
    }
    if (error == 0 && is_compacting(tune)) {
        error = tune_compact(tune, result);
    }
    if (error != 0) {
        return error;
    }
    tune->is_past_return = true;
    return write_targets(tune);
}

static int draw_mark(struct tune *tune)
{
    while (tune->mark == 0) {
        if (getrandom(&tune->mark, sizeof tune->mark, 0) != (ssize_t)sizeof tune->mark) {
            return REFUSE(tune, -errno, "mark: no random bytes: %s; try again later", strerror(errno));
        }
    }
    return 0;
}

static int tune_run(struct tune *tune, struct tune_result *result)
{
    int error = tune_plan(tune, result);
    error = error != 0 ? error : draw_mark(tune);
    error = error != 0 ? error : watch(tune, 0);
    if (error != 0) {
        return error;
    }
    error = write_marks(tune, false);
    error = error != 0 ? error : tune_marked(tune, result);
    if (error != 0 && !tune->is_past_return) {
        take_marks_back(tune);
    }
    return error;
}

int tune_set(const struct tune_options *options, struct tune_result *ret, char *message, size_t message_bytes)
{
    struct tune *tune = calloc(1, sizeof *tune);
    if (tune == NULL) {
        return message_set(-ENOMEM, message, message_bytes, "memory: none to tune with; free some");
    }
    tune->options = options;
    tune->message = message;
    tune->message_bytes = message_bytes;
    struct tune_result result = {.freed_registers = 0};
    int error = tune_open(tune);
    error = error != 0 ? error : tune_run(tune, &result);
    if (error == 0) {
        result.header = tune->target;
        *ret = result;
    }
    disk_set_close(&tune->set);
    free(tune);
    return error;
}
