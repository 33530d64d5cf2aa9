/* Rule N7: what remains of the lease, judged by both clocks. */
#include "block/limits.h"
#include "runtime/lease_page.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROLES = 4 };

static struct lease_view view_ms(int64_t fast_ms, int64_t boot_ms, int64_t raw_ms, int64_t end_ms)
{
    return (struct lease_view){.fast_ns = fast_ms * NS_PER_MS,
                               .at = {.boot_ns = boot_ms * NS_PER_MS, .raw_ns = raw_ms * NS_PER_MS},
                               .end_ns = end_ms * NS_PER_MS};
}

static int64_t remaining_ms(const struct lease_view *view, int64_t boot_ms, int64_t raw_ms)
{
    struct clock_reading now = {.boot_ns = boot_ms * NS_PER_MS, .raw_ns = raw_ms * NS_PER_MS};
    return lease_view_remaining_ns(view, now) / NS_PER_MS;
}

Test(N7_lease_page, the_clock_that_gained_more_decides)
{
    struct lease_view view = view_ms(1000, 50, 70, 2000);
    cr_assert_eq(remaining_ms(&view, 50, 70), 1000);
    cr_assert_eq(remaining_ms(&view, 350, 270), 700);
    cr_assert_eq(remaining_ms(&view, 250, 470), 600);
    cr_assert_eq(remaining_ms(&view, 1050, 70), 0); /* exactly at its end, and suspended meanwhile */
    cr_assert_eq(remaining_ms(&view, 50, 90000), 0);
}

Test(N7_lease_page, without_lease_or_epoch_nothing_remains)
{
    struct lease_page *page;
    uint64_t epoch = 99;
    cr_assert_eq(lease_page_map(ROLES, &page), 0);
    cr_assert_eq(lease_page_remaining_ns(page, 1, &epoch), 0);
    lease_page_set_epoch(page, 1, 7);
    cr_assert_eq(lease_page_remaining_ns(page, 1, &epoch), 0, "an epoch without a lease");

    struct lease_view view = {.fast_ns = NS_PER_S, .at = clock_read(), .end_ns = 1000 * NS_PER_S};
    lease_page_publish(page, &view);
    cr_assert_eq(lease_page_remaining_ns(page, 2, &epoch), 0, "a lease without an epoch");
    cr_assert_eq(epoch, 99, "an output is untouched when there is no answer");
    cr_assert_gt(lease_page_remaining_ns(page, 1, &epoch), 900 * NS_PER_S);
    cr_assert_eq(epoch, 7);

    lease_page_set_epoch(page, 1, 0);
    cr_assert_eq(lease_page_remaining_ns(page, 1, NULL), 0);
    lease_page_unmap(page, ROLES);
}

Test(N7_lease_page, a_forked_child_leads_nothing)
{
    struct lease_page *page;
    cr_assert_eq(lease_page_map(ROLES, &page), 0);
    struct lease_view view = {.fast_ns = NS_PER_S, .at = clock_read(), .end_ns = 1000 * NS_PER_S};
    lease_page_set_epoch(page, 0, 7);
    lease_page_publish(page, &view);
    pid_t child = fork();
    if (child == 0) {
        _exit(lease_page_is_wiped(page) && lease_page_remaining_ns(page, 0, NULL) == 0 ? 0 : 1);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert_not(lease_page_is_wiped(page));
    cr_assert_gt(lease_page_remaining_ns(page, 0, NULL), 0);
    lease_page_unmap(page, ROLES);
}
