#include "runtime/lease_page.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

size_t lease_page_bytes(uint32_t roles_max)
{
    return sizeof(struct lease_page) + (size_t)roles_max * sizeof(_Atomic uint64_t);
}

int lease_page_map(uint32_t roles_max, struct lease_page **ret)
{
    size_t bytes = lease_page_bytes(roles_max);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    if (madvise(memory, bytes, MADV_WIPEONFORK) != 0) {
        int error = -errno;
        munmap(memory, bytes);
        return error;
    }
    struct lease_page *page = memory;
    atomic_store_explicit(&page->is_alive, 1, memory_order_relaxed);
    *ret = page;
    return 0;
}

void lease_page_unmap(struct lease_page *page, uint32_t roles_max)
{
    if (page != NULL) {
        munmap(page, lease_page_bytes(roles_max));
    }
}

int lease_page_lock(struct lease_page *page, uint32_t roles_max)
{
    return mlock(page, lease_page_bytes(roles_max)) == 0 ? 0 : -errno;
}

/*
 * Releases and acquires on every word instead of fences, which the thread sanitizer does not know. A reader that saw
 * one word of a copy that was being rewritten has, by that word's release, also seen `turns` move on, and reads again.
 */
void lease_page_publish(struct lease_page *page, const struct lease_view *view)
{
    uint32_t turns = atomic_load_explicit(&page->turns, memory_order_relaxed);
    struct lease_copy *copy = &page->copies[(turns + 1) % 2];
    atomic_store_explicit(&copy->fast_ns, view->fast_ns, memory_order_release);
    atomic_store_explicit(&copy->boot_ns, view->at.boot_ns, memory_order_release);
    atomic_store_explicit(&copy->raw_ns, view->at.raw_ns, memory_order_release);
    atomic_store_explicit(&copy->end_ns, view->end_ns, memory_order_release);
    atomic_store_explicit(&page->turns, turns + 1, memory_order_release);
}

void lease_page_set_epoch(struct lease_page *page, uint32_t role, uint64_t epoch)
{
    atomic_store_explicit(&page->epochs[role], epoch, memory_order_release);
}

bool lease_page_is_wiped(const struct lease_page *page)
{
    return atomic_load_explicit(&page->is_alive, memory_order_relaxed) == 0;
}

struct lease_view lease_page_view(const struct lease_page *page)
{
    for (;;) {
        uint32_t turns = atomic_load_explicit(&page->turns, memory_order_acquire);
        const struct lease_copy *copy = &page->copies[turns % 2];
        struct lease_view view = {
            .fast_ns = atomic_load_explicit(&copy->fast_ns, memory_order_acquire),
            .at.boot_ns = atomic_load_explicit(&copy->boot_ns, memory_order_acquire),
            .at.raw_ns = atomic_load_explicit(&copy->raw_ns, memory_order_acquire),
            .end_ns = atomic_load_explicit(&copy->end_ns, memory_order_acquire),
        };
        if (atomic_load_explicit(&page->turns, memory_order_relaxed) == turns) {
            return view;
        }
    }
}

uint64_t lease_page_epoch(const struct lease_page *page, uint32_t role)
{
    return atomic_load_explicit(&page->epochs[role], memory_order_acquire);
}

int64_t lease_view_remaining_ns(const struct lease_view *view, struct clock_reading now)
{
    int64_t fast_now_ns = view->fast_ns + clock_larger_difference_ns(view->at, now);
    return fast_now_ns < view->end_ns ? view->end_ns - fast_now_ns : 0;
}

/*
 * The lease is looked at before the epoch. The other way round, an epoch of a lost incarnation could meet the lease of
 * the next one; this way round, a view of the new lease comes with the zeroes that were written before it.
 */
int64_t lease_page_remaining_ns(const struct lease_page *page, uint32_t role, uint64_t *ret_epoch)
{
    struct lease_view view = lease_page_view(page);
    int64_t remaining_ns = lease_view_remaining_ns(&view, clock_read());
    uint64_t epoch = lease_page_epoch(page, role);
    if (remaining_ns == 0 || epoch == 0) {
        return 0;
    }
    if (ret_epoch != NULL) {
        *ret_epoch = epoch;
    }
    return remaining_ns;
}
