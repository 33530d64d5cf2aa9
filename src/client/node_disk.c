/* What a node thinks of its disks, put into words: state, reason, remedy. */
#include "client/node.h"

#include <stdio.h>

enum diskarch_disk_state node_disk_state(enum disk_state state)
{
    switch (state) {
    case DISK_GOOD:
        return DISKARCH_DISK_GOOD;
    case DISK_SLOW:
        return DISKARCH_DISK_SLOW;
    case DISK_CATCHING_UP:
        return DISKARCH_DISK_CATCHING_UP;
    case DISK_OUT:
        return DISKARCH_DISK_OUT;
    case DISK_FAILED:
        break;
    }
    return DISKARCH_DISK_FAILED;
}

static const char *text_of_cause(enum disk_cause cause)
{
    switch (cause) {
    case DISK_CAUSE_ERROR:
        return "a request failed; look at the kernel log and at the path to the disk";
    case DISK_CAUSE_SILENT:
        return "it has not answered within the io deadline; look at its path";
    case DISK_CAUSE_HEADER:
        return "its header is gone, or another disk's; something has overwritten or exchanged it: restore or replace it";
    case DISK_CAUSE_BACKWARDS:
        return "it went back in time (a snapshot, a rollback, lost writes) and does not count any more; on an idle set "
               "repair it with diskarch check --repair, or replace it";
    case DISK_CAUSE_TOLD:
        return "another node found that it went back in time, so it does not count any more; on an idle set repair it "
               "with diskarch check --repair, or replace it";
    case DISK_CAUSE_NONE:
        break;
    }
    return "it does not answer; look at its path";
}

void node_disk_explain(const struct diskarch *node, uint32_t disk, char *text, size_t text_bytes)
{
    struct disk_report report = runtime_disk(node->runtime, disk);
    const char *absence = runtime_disk_absence(node->runtime, disk);
    text[0] = '\0';
    switch (report.state) {
    case DISK_GOOD:
        break;
    case DISK_SLOW:
        snprintf(text, text_bytes,
                 "it needs more than half of the io deadline for a write; format with a longer io deadline, or replace "
                 "it");
        break;
    case DISK_CATCHING_UP:
        snprintf(text, text_bytes, "it is back, and gets the current blocks again; wait");
        break;
    case DISK_FAILED:
    case DISK_OUT:
        snprintf(text, text_bytes, "%s", absence[0] != '\0' ? absence : text_of_cause(report.cause));
        break;
    }
}

static void fill(const struct diskarch *node, uint32_t index, struct diskarch_disk_status *ret)
{
    struct disk_report report = runtime_disk(node->runtime, index);
    *ret = (struct diskarch_disk_status){
        .index = index,
        .state = node_disk_state(report.state),
        .latency_ns = report.latency_ns > 0 ? report.latency_ns : -1,
    };
    snprintf(ret->path, sizeof ret->path, "%.*s", (int)sizeof ret->path - 1, runtime_disk_path(node->runtime, index));
    node_disk_explain(node, index, ret->reason, sizeof ret->reason);
}

size_t diskarch_disks(struct diskarch *node, struct diskarch_disk_status *ret, size_t room)
{
    uint32_t count = runtime_header(node->runtime)->disk_count;
    for (uint32_t i = 0; i < count && i < room; i++) {
        fill(node, i, &ret[i]);
    }
    return count;
}
