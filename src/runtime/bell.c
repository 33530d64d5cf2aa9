#include "runtime/bell.h"

#include "block/limits.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "the kernel looks at the count as a plain 32-bit word");

int bell_open(struct bell *bell)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    bell->fd = fd;
    atomic_init(&bell->rings, 0);
    return 0;
}

void bell_close(struct bell *bell)
{
    if (bell->fd >= 0) {
        close(bell->fd);
    }
    bell->fd = -1;
}

void bell_ring(struct bell *bell)
{
    atomic_fetch_add_explicit(&bell->rings, 1, memory_order_release);
    syscall(SYS_futex, &bell->rings, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    bell_keep_readable(bell);
}

void bell_keep_readable(struct bell *bell)
{
    /* A full counter (EAGAIN) is readable already: nothing is lost. */
    int status = eventfd_write(bell->fd, 1);
    assert(status == 0 || errno == EAGAIN);
    (void)status;
}

void bell_clear(struct bell *bell)
{
    eventfd_t count;
    int status = eventfd_read(bell->fd, &count);
    assert(status == 0 || errno == EAGAIN);
    (void)status;
}

uint32_t bell_rings(const struct bell *bell)
{
    return atomic_load_explicit(&bell->rings, memory_order_acquire);
}

void bell_wait(struct bell *bell, uint32_t seen, int64_t timeout_ns)
{
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S), .tv_nsec = (long)(timeout_ns % NS_PER_S)};
    syscall(SYS_futex, &bell->rings, FUTEX_WAIT_PRIVATE, seen, timeout_ns < 0 ? NULL : &timeout, NULL, 0);
}
