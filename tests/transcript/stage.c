/* The world of a story: steady disks and clocks, paths that are held or cut on command, and time that passes. */
#include "story.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNTIL_LEASES = 100 }; /* what has not happened by then never will */

struct story *story_new(void)
{
    struct story *story = calloc(1, sizeof *story);
    struct sim *sim = sim_new();
    if (story == NULL || sim == NULL) {
        free(story);
        sim_free(sim);
        return NULL;
    }
    story->sim = sim;
    return story;
}

void story_free(struct story *story)
{
    if (story == NULL) {
        return;
    }
    sim_free(story->sim);
    text_done(&story->trace);
    text_done(&story->notices);
    text_done(&story->complaint);
    text_done(&story->outside);
    free(story);
}

static void world_header(struct sim *sim, const struct story_world *world)
{
    struct set_header *header = &sim->header;
    memset(header, 0, sizeof *header);
    header->major = FORMAT_MAJOR;
    memcpy(header->set_name, "story", 5);
    sim->disk_count = header->disk_count = world->disks;
    header->set_uuid.bytes[0] = 1;
    header->generation = 1;
    for (uint32_t disk = 0; disk < world->disks; disk++) {
        header->disk_uuids[disk].bytes[0] = (uint8_t)(disk + 1);
    }
    header->layout =
        (struct layout){.block_bytes = SIM_BLOCK_BYTES, .slots = world->slots, .registers = world->registers};
    header->timings = world->timings;
    header->slot_reuse = true;
    sim->set_tag = set_header_tag(header);
}

void story_begin(struct story *story, const struct story_world *world)
{
    struct sim *sim = story->sim;
    sim_reset(sim, world->seed);
    sim->is_steady = true;
    sim->pace_ns = 2 * world->timings.lease_ns;
    sim->listener = (struct sim_listener){story_tell_step, story_tell_notice, story};
    world_header(sim, world);
    sim->process_count = SIM_PROCESSES_MAX;
    sim->role_count = SIM_ROLES_MAX;
    for (uint32_t disk = 0; disk < world->disks; disk++) {
        sim->disks[disk] = (struct sim_disk){.latency_ns = world->latency_ns, .spike_ns = 1, .is_steady = true};
    }
    sim_disks_format(sim);
    sim_map_processes(sim);
    story->has_world = true;
}

void story_start(struct story *story, uint32_t index)
{
    struct sim *sim = story->sim;
    if (sim->processes[index].is_alive) {
        sim_process_end(sim, index);
    }
    story_tell(story, sim_process_name(index), "starts");
    sim_process_start(sim, index);
}

/* ---- Clocks ----------------------------------------------------------------------------------------------------------- */

static void clocks_set(struct story *story, uint32_t index, int64_t rate_ppm)
{
    int64_t both_ppm[2] = {rate_ppm, rate_ppm};
    sim_process_clock(story->sim, index, both_ppm);
}

void story_freeze(struct story *story, uint32_t index, int64_t for_ns)
{
    story->thaw_ns[index] = story->sim->now_ns + for_ns;
    story->sim->processes[index].paused_until_ns = story->thaw_ns[index];
    clocks_set(story, index, -1000000);
}

/* Clocks go again in time for whatever happens at this instant. */
static void clocks_thaw(struct story *story, int64_t at_ns)
{
    for (uint32_t i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (story->thaw_ns[i] != 0 && story->thaw_ns[i] <= at_ns) {
            story->sim->now_ns = story->thaw_ns[i];
            story->thaw_ns[i] = 0;
            clocks_set(story, i, 0);
            story_tell(story, sim_process_name(i), "its clocks go again, as if no time had passed");
        }
    }
}

/* ---- Paths ------------------------------------------------------------------------------------------------------------ */

static bool request_writes(const struct sim_request *request)
{
    return request->action.operation == IO_WRITE || request->action.operation == IO_EXCHANGE;
}

static bool path_concerns(const struct story_path *path, const struct sim_request *request)
{
    bool is_heartbeat = request->action.row == ROW_HEARTBEAT && request->action.operation != IO_HEADER;
    bool is_register = request->action.row >= ROW_LEDGER_FIRST && request->action.operation != IO_HEADER;
    bool is_row = path->rows == PATH_ALL_ROWS || (path->rows == PATH_HEARTBEATS ? is_heartbeat : is_register);
    return path->state != PATH_OPEN && is_row && (request_writes(request) || !path->is_writes_only);
}

static struct phrase request_phrase(const struct story *story, const struct sim_request *request)
{
    static const char *const words[] = {"read of", "write of", "exchange of", "header read"};
    struct phrase phrase;
    bool is_header = request->action.operation == IO_HEADER;
    snprintf(phrase.text, sizeof phrase.text, "%s%s%s", words[request->action.operation], is_header ? "" : " ",
             is_header ? "" : story_row(story, request->action.row).text);
    return phrase;
}

static struct label disk_label(uint32_t disk)
{
    struct label label;
    snprintf(label.text, sizeof label.text, "disk %u", disk);
    return label;
}

static bool request_is_held(const struct story *story, uint32_t request, uint64_t generation)
{
    for (uint32_t i = 0; i < story->held_count; i++) {
        if (story->held[i].event.subject == request && story->held[i].event.argument == generation) {
            return true;
        }
    }
    return false;
}

static void request_hold(struct story *story, const struct sim_event *event, const struct sim_request *request)
{
    if (!request_is_held(story, event->subject, event->argument) && request_writes(request)) {
        const char *what = request->is_orphan        ? ", whose author is dead"
                           : event->kind == SIM_LAND ? ""
                                                     : ": it has landed, the answer waits";
        story_tell(story, disk_label(request->action.disk).text, "holds %s's %s%s", sim_process_name(request->process),
                   request_phrase(story, request).text, what);
    }
    assert(story->held_count < STORY_HELD_MAX);
    story->held[story->held_count++] =
        (struct story_held){.event = *event, .process = request->process, .disk = request->action.disk};
}

static void request_cut(struct sim_request *request)
{
    request->fate = FATE_LOST;
    request->is_write_ok = !request_writes(request);
    request->is_read_ok = request->action.operation == IO_WRITE;
}

/* Whether the event goes on to the disk. */
static bool path_lets_pass(struct story *story, const struct sim_event *event)
{
    struct sim_request *request = &story->sim->requests[event->subject];
    if (!request->is_used || request->generation != event->argument) {
        return true;
    }
    const struct story_path *path = &story->paths[request->process][request->action.disk];
    if (request_is_held(story, event->subject, event->argument) ||
        (path_concerns(path, request) && path->state == PATH_HELD)) {
        request_hold(story, event, request);
        return false;
    }
    if (path_concerns(path, request)) {
        request_cut(request);
    }
    bool is_late = request->is_orphan && event->kind == SIM_LAND && request->fate == FATE_LANDS;
    if (is_late) {
        story_tell(story, disk_label(request->action.disk).text, "%s's %s lands after its death",
                   sim_process_name(request->process), request_phrase(story, request).text);
    }
    return event->kind != SIM_CAPTURE || request->is_read_ok;
}

/* When the first of a request's events that are held was due. */
static int64_t held_first_ns(const struct story *story, const struct sim_event *event)
{
    int64_t first_ns = event->at_ns;
    for (uint32_t i = 0; i < story->held_count; i++) {
        const struct sim_event *other = &story->held[i].event;
        if (other->subject == event->subject && other->argument == event->argument && other->at_ns < first_ns) {
            first_ns = other->at_ns;
        }
    }
    return first_ns;
}

static bool held_is_on(const struct story_held *held, uint32_t process, uint32_t disk)
{
    return held->process == process && held->disk == disk;
}

/* The events of one request keep their distances. */
static void held_release(struct story *story, uint32_t process, uint32_t disk)
{
    for (uint32_t i = 0; i < story->held_count; i++) {
        const struct sim_event *event = &story->held[i].event;
        if (held_is_on(&story->held[i], process, disk)) {
            int64_t after_ns = event->at_ns - held_first_ns(story, event) + story->sim->disks[disk].latency_ns;
            sim_schedule(story->sim, story->sim->now_ns + after_ns, event->kind, event->subject, event->argument);
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < story->held_count; i++) {
        if (!held_is_on(&story->held[i], process, disk)) {
            story->held[kept++] = story->held[i];
        }
    }
    story->held_count = kept;
}

void story_set_path(struct story *story, uint32_t process, uint32_t disk, struct story_path path)
{
    uint32_t first = process == STORY_EVERYBODY ? 0 : process;
    uint32_t last = process == STORY_EVERYBODY ? SIM_PROCESSES_MAX - 1 : process;
    for (uint32_t i = first; i <= last; i++) {
        story->paths[i][disk] = path;
        if (path.state != PATH_HELD) {
            held_release(story, i, disk);
        }
    }
}

/* ---- Time ------------------------------------------------------------------------------------------------------------- */

void story_judge(struct story *story)
{
    const char *objection = story->sim->violation;
    story->sim->violation = NULL;
    for (uint32_t i = 0; i < story->objection_count && objection != NULL; i++) {
        if (story->objections[i] == objection) {
            return;
        }
    }
    if (objection == NULL) {
        return;
    }
    assert(story->objection_count < STORY_OBJECTIONS_MAX);
    story->objections[story->objection_count++] = objection;
    story_tell(story, "oracle", "%s", objection);
    if (story->outside.length == 0) {
        story->is_objected = true;
    } else {
        story_tell(story, "oracle", "which no rule prevents: %s", story->outside.bytes);
    }
}

static void story_event(struct story *story, const struct sim_event *event)
{
    bool is_request = event->kind == SIM_LAND || event->kind == SIM_CAPTURE || event->kind == SIM_COMPLETE;
    clocks_thaw(story, event->at_ns);
    story->sim->now_ns = event->at_ns;
    if (event->kind == SIM_CLIENT || event->kind == SIM_CALL || event->kind == SIM_WEATHER) {
        return; /* only the story decides what clients do and when disks fail */
    }
    if (!is_request || path_lets_pass(story, event)) {
        sim_dispatch(story->sim, event);
    }
    story_judge(story);
}

bool story_run(struct story *story, int64_t for_ns, const char *until)
{
    struct sim *sim = story->sim;
    int64_t end_ns = sim->now_ns + (until == NULL ? for_ns : UNTIL_LEASES * sim->header.timings.lease_ns);
    struct sim_event event;
    story->until = until;
    story->is_until_met = false;
    story_judge(story);
    while (!story->is_objected && !story->is_until_met && sim_next(sim, &event)) {
        if (event.at_ns > end_ns) {
            sim_schedule(sim, event.at_ns, event.kind, event.subject, event.argument);
            break;
        }
        story_event(story, &event);
    }
    if (until == NULL && !story->is_objected) {
        clocks_thaw(story, end_ns);
        sim->now_ns = end_ns;
    }
    story->until = NULL;
    return until == NULL || story->is_until_met;
}

void story_end(struct story *story)
{
    if (story->has_world) {
        oracle_at_end(story->sim);
        oracle_histories(story->sim);
        story_judge(story);
    }
}
