/* What an observer can say of the disks of its set: from its own reads, and from what nodes say in their heartbeats. */
#include "client/observer.h"
#include "disk/message.h"

static bool is_slow(const struct diskarch_observer *observer, const struct reader_disk *disk)
{
    return disk->latency_ns > observer->set.header.timings.io_deadline_ns / 2;
}

static enum diskarch_disk_state state_of(const struct diskarch_observer *observer, const struct reader_disk *disk)
{
    if (disk->is_out) {
        return DISKARCH_DISK_OUT;
    }
    if (!disk->is_good) {
        return DISKARCH_DISK_FAILED;
    }
    return is_slow(observer, disk) ? DISKARCH_DISK_SLOW : DISKARCH_DISK_GOOD;
}

static void fill_disk(const struct diskarch_observer *observer, uint32_t index, struct diskarch_disk_status *ret)
{
    const struct reader_disk *disk = &observer->reader.disks[index];
    *ret = (struct diskarch_disk_status){
        .index = index, .state = state_of(observer, disk), .latency_ns = disk->latency_ns};
    if (!observer->set.members[index].is_present) {
        struct disk_absence absence = disk_set_absence(&observer->set, index);
        message_set(0, ret->path, sizeof ret->path, "%s", absence.path);
        message_set(0, ret->reason, sizeof ret->reason, "%s", absence.reason);
        return;
    }
    message_set(0, ret->path, sizeof ret->path, "%s", observer->set.members[index].path);
    if (ret->state == DISKARCH_DISK_SLOW) {
        message_set(0, ret->reason, sizeof ret->reason,
                    "a read took %lld us, more than half of the io deadline; look at its path, or format with a longer "
                    "deadline",
                    (long long)(disk->latency_ns / 1000));
    } else {
        message_set(0, ret->reason, sizeof ret->reason, "%s", disk->reason);
    }
}

size_t diskarch_observer_disks(struct diskarch_observer *observer, struct diskarch_disk_status *ret, size_t room)
{
    pthread_mutex_lock(&observer->mutex);
    const struct disk_set *set = &observer->set;
    size_t count = 0;
    for (uint32_t i = 0; i < set->header.disk_count; i++, count++) {
        struct diskarch_disk_status status;
        fill_disk(observer, i, &status);
        if (count < room) {
            ret[count] = status;
        }
    }
    pthread_mutex_unlock(&observer->mutex);
    return count;
}
