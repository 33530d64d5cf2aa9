#include "protocol/state.h"

#include <assert.h>

enum {
    LATENCY_WEIGHT = 4,    /* a new latency counts for a quarter */
    RELAPSE_DOUBLINGS = 2, /* the pause grows from one renew interval to four: well within a lease */
};

/* What can be learnt of a disk. */
enum fact { FACT_SLOW, FACT_FAST, FACT_FAULT, FACT_BACK, FACT_CAUGHT_UP, FACT_BACKWARDS, FACTS };

enum { DISK_STATES = DISK_OUT + 1 };

/* clang-format off */
static const enum disk_state next_state[DISK_STATES][FACTS] = {
    /*                     FACT_SLOW         FACT_FAST         FACT_FAULT   FACT_BACK         FACT_CAUGHT_UP  _BACKWARDS */
    [DISK_GOOD]        = { DISK_SLOW,        DISK_GOOD,        DISK_FAILED, DISK_GOOD,        DISK_GOOD,      DISK_OUT },
    [DISK_SLOW]        = { DISK_SLOW,        DISK_GOOD,        DISK_FAILED, DISK_SLOW,        DISK_SLOW,      DISK_OUT },
    [DISK_FAILED]      = { DISK_FAILED,      DISK_FAILED,      DISK_FAILED, DISK_CATCHING_UP, DISK_FAILED,    DISK_OUT },
    [DISK_CATCHING_UP] = { DISK_CATCHING_UP, DISK_CATCHING_UP, DISK_FAILED, DISK_CATCHING_UP, DISK_GOOD,      DISK_OUT },
    [DISK_OUT]         = { DISK_OUT,         DISK_OUT,         DISK_OUT,    DISK_OUT,         DISK_OUT,       DISK_OUT },
};
/* clang-format on */

static struct health *health_of(struct node *node, uint32_t disk)
{
    assert(disk < node->disk_count);
    return &node->health.disks[disk];
}

/* When the header of a disk that has just failed is read. What is silent is asked at once, and what answers with errors is
 * given a moment; but a disk that reads well and takes no writes comes back only to fail, and is asked less and less. */
static int64_t health_pause_ns(const struct node *node, const struct health *health)
{
    if (health->relapses > 0) {
        uint32_t doublings = health->relapses - 1;
        return node_timings(node)->renew_ns << (doublings < RELAPSE_DOUBLINGS ? doublings : RELAPSE_DOUBLINGS);
    }
    return health->cause == DISK_CAUSE_SILENT ? 0 : node_timings(node)->io_deadline_ns / 4;
}

/* Takes the fact in; what changes with the state, and nothing else, happens here. */
static void health_learn(struct node *node, uint32_t disk, enum fact fact, enum disk_cause cause)
{
    struct health *health = health_of(node, disk);
    enum disk_state before = health->state;
    enum disk_state after = next_state[before][fact];
    if (after == before) {
        return;
    }
    health->state = after;
    health->cause = cause;
    if (after == DISK_FAILED) {
        health->relapses = before == DISK_CATCHING_UP ? health->relapses + 1 : 0;
        health->probe_fast_ns = node->fast_ns + health_pause_ns(node, health);
    }
    if (after == DISK_CATCHING_UP) {
        beat_on_return(node, disk);
        mend_on_return(node, disk);
    }
    if (after == DISK_OUT) {
        watch_forget_disk(&node->watch, disk);
        op_forget_disk(node, disk);
        beat_now(node); /* others learn of it at once */
    }
}

bool health_counts(const struct node *node, uint32_t disk)
{
    assert(disk < node->disk_count);
    return node->health.disks[disk].state != DISK_FAILED && node->health.disks[disk].state != DISK_OUT;
}

bool health_is_out(const struct node *node, uint32_t disk)
{
    assert(disk < node->disk_count);
    return node->health.disks[disk].state == DISK_OUT;
}

uint32_t health_out_mask(const struct node *node)
{
    uint32_t mask = 0;
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        mask |= (uint32_t)health_is_out(node, disk) << disk;
    }
    return mask;
}

/* A disk that is slow, and not silent, is given twice its usual time; otherwise it would be failed again and again while
 * every answer of it comes. At most three deadlines: latencies are kept below one and a half. */
int64_t health_deadline_ns(const struct node *node, uint32_t disk)
{
    int64_t deadline_ns = node_timings(node)->io_deadline_ns;
    int64_t twice_ns = 2 * node->health.disks[disk].latency_ns;
    return twice_ns > deadline_ns ? twice_ns : deadline_ns;
}

void health_fail(struct node *node, uint32_t disk, enum disk_cause cause)
{
    health_learn(node, disk, FACT_FAULT, cause);
}

void health_answered_late(struct node *node, uint32_t disk)
{
    if (health_of(node, disk)->cause == DISK_CAUSE_SILENT) {
        health_learn(node, disk, FACT_BACK, DISK_CAUSE_SILENT);
    }
}

void health_count_out(struct node *node, uint32_t disk, enum disk_cause cause)
{
    health_learn(node, disk, FACT_BACKWARDS, cause);
}

/* Obeyed whatever it says, a majority included: to go on with a disk that has forgotten may make two leaders; to stop
 * only stops, and says why. */
void health_hear_out_mask(struct node *node, uint32_t mask)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        if ((mask >> disk & 1U) != 0) {
            health_count_out(node, disk, DISK_CAUSE_TOLD);
        }
    }
}

void health_measure(struct node *node, uint32_t disk, int64_t took_ns)
{
    struct health *health = health_of(node, disk);
    int64_t deadline_ns = node_timings(node)->io_deadline_ns;
    int64_t most_ns = deadline_ns * 3 / 2; /* so that one answer, however late, makes no slow disk */
    took_ns = took_ns < most_ns ? took_ns : most_ns;
    bool is_first = health->latency_ns == 0;
    health->latency_ns = is_first ? took_ns : health->latency_ns + (took_ns - health->latency_ns) / LATENCY_WEIGHT;
    if (health->latency_ns > deadline_ns / 2) {
        health_learn(node, disk, FACT_SLOW, DISK_CAUSE_NONE);
    } else if (health->latency_ns < deadline_ns / 4) {
        health_learn(node, disk, FACT_FAST, DISK_CAUSE_NONE);
    }
}

void health_caught_up(struct node *node, uint32_t disk)
{
    health_learn(node, disk, FACT_CAUGHT_UP, DISK_CAUSE_NONE);
}

bool health_is_header_unchanged(const struct node *node, uint32_t disk, const uint8_t *bytes)
{
    struct set_header header;
    struct set_header expected = node->params.header;
    expected.disk_index = disk;
    return set_header_decode(bytes, &header) == HEADER_OK && set_header_is_unchanged(&header, &expected);
}

void health_on_header(struct node *node, const struct io *io, const struct io_result *result)
{
    struct health *health = health_of(node, io->disk);
    health->is_probing = false;
    if (!result->is_read_ok) {
        return;
    }
    if (health_is_header_unchanged(node, io->disk, result->bytes)) {
        health_learn(node, io->disk, FACT_BACK, health->cause);
        return;
    }
    health_fail(node, io->disk, DISK_CAUSE_HEADER);
    if (health->state == DISK_FAILED) {
        health->cause = DISK_CAUSE_HEADER; /* whatever it had failed of before */
    }
}

static void health_ask_header(struct node *node, uint32_t disk)
{
    struct health *health = health_of(node, disk);
    io_begin(node, disk, IO_FOR_HEALTH, IO_HEADER, 0);
    health->is_probing = true;
    health->probe_fast_ns = node->fast_ns + node_timings(node)->renew_ns;
}

void health_doubt(struct node *node, uint32_t disk)
{
    const struct health *health = health_of(node, disk);
    if (!health->is_probing && node->fast_ns >= health->probe_fast_ns &&
        io_can_submit(node, disk, IO_FOR_HEALTH, IO_HEADER, 0)) {
        health_ask_header(node, disk);
    }
}

void health_probe(struct node *node)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        struct health *health = health_of(node, disk);
        if (health->state != DISK_FAILED || health->is_probing) {
            continue;
        }
        if (node->fast_ns >= health->probe_fast_ns && io_can_submit(node, disk, IO_FOR_HEALTH, IO_HEADER, 0)) {
            health_ask_header(node, disk);
        } else {
            int64_t at_ns = health->probe_fast_ns;
            node_wake_fast(node, at_ns > node->fast_ns ? at_ns : node->fast_ns + node_timings(node)->renew_ns);
        }
    }
}

void health_tell(struct node *node)
{
    for (uint32_t disk = 0; disk < node->disk_count; disk++) {
        struct health *health = health_of(node, disk);
        if (health->state != health->told_state || health->cause != health->told_cause) {
            health->told_state = health->state;
            health->told_cause = health->cause;
            node_notify(node, NOTICE_DISK)->disk = disk;
        }
    }
}

struct disk_report node_disk(const struct node *node, uint32_t disk)
{
    assert(disk < node->disk_count);
    const struct health *health = &node->health.disks[disk];
    return (struct disk_report){.state = health->state, .cause = health->cause, .latency_ns = health->latency_ns};
}
