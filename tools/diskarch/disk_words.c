#include "disk_words.h"

#include "block/limits.h"
#include "escape.h"

#include <inttypes.h>
#include <stdio.h>

const char *disk_state_words(enum diskarch_disk_state state)
{
    switch (state) {
    case DISKARCH_DISK_GOOD:
        return "good";
    case DISKARCH_DISK_SLOW:
        return "slow";
    case DISKARCH_DISK_CATCHING_UP:
        return "catching up";
    case DISKARCH_DISK_OUT:
        return "OUT";
    case DISKARCH_DISK_FAILED:
        break;
    }
    return "FAILED";
}

const char *disk_state_code(enum diskarch_disk_state state)
{
    switch (state) {
    case DISKARCH_DISK_GOOD:
        return "good";
    case DISKARCH_DISK_SLOW:
        return "slow";
    case DISKARCH_DISK_CATCHING_UP:
        return "catching_up";
    case DISKARCH_DISK_OUT:
        return "out";
    case DISKARCH_DISK_FAILED:
        break;
    }
    return "failed";
}

const char *disk_words(const struct diskarch_disk_status *disk)
{
    static char text[ESCAPED_BYTES(sizeof(disk->path) + sizeof(disk->reason)) + 64];
    bool is_good = disk->state == DISKARCH_DISK_GOOD;
    snprintf(text, sizeof(text), "disk %" PRIu32 " %s: %s%s%s", disk->index, escaped(disk->path),
             disk_state_words(disk->state), is_good ? "" : ": ", is_good ? "" : escaped(disk->reason));
    return text;
}

void disk_of_node(struct diskarch *node, uint32_t index, struct diskarch_disk_status *ret)
{
    struct diskarch_disk_status disks[DISKS_MAX];
    size_t count = diskarch_disks(node, disks, DISKS_MAX);
    for (size_t i = 0; i < count && i < DISKS_MAX; i++) {
        if (disks[i].index == index) {
            *ret = disks[i];
        }
    }
}
