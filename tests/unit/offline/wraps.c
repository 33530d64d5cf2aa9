#include "wraps.h"

#include "disk/idle_watch.h"

#include <errno.h>
#include <stddef.h>

int64_t wrap_writes_left = -1;
uint32_t wrap_writes_done;
bool wrap_is_watching;
void (*wrap_on_watch)(uint32_t number);
uint32_t wrap_watches;
int64_t wrap_watch_more_ns;

int __real_device_write(const struct device *device, const void *bytes, size_t count, uint64_t offset);
int __wrap_device_write(const struct device *device, const void *bytes, size_t count, uint64_t offset);
int __wrap_fsync(int fd);
int __real_idle_watch(const struct idle_disk *disks, size_t count, int64_t more_ns, char *message,
                      size_t message_bytes);
int __wrap_idle_watch(const struct idle_disk *disks, size_t count, int64_t more_ns, char *message,
                      size_t message_bytes);

int __wrap_device_write(const struct device *device, const void *bytes, size_t count, uint64_t offset)
{
    if (wrap_writes_left == 0) {
        return -EIO;
    }
    wrap_writes_left -= wrap_writes_left > 0;
    wrap_writes_done++;
    return __real_device_write(device, bytes, count, offset);
}

/* What these tests cut off stays in the memory of one machine: it need not reach a disk, which takes most of the time. */
int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}

void wrap_reset(void)
{
    wrap_writes_left = -1;
    wrap_writes_done = 0;
    wrap_is_watching = false;
    wrap_on_watch = NULL;
    wrap_watches = 0;
}

int __wrap_idle_watch(const struct idle_disk *disks, size_t count, int64_t more_ns, char *message, size_t message_bytes)
{
    wrap_watches++;
    wrap_watch_more_ns = more_ns;
    if (wrap_on_watch != NULL) {
        wrap_on_watch(wrap_watches);
    }
    return wrap_is_watching ? __real_idle_watch(disks, count, more_ns, message, message_bytes) : 0;
}
