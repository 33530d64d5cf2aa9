/* The lease by itself (rules T2 to T4): three disks, hand-made instants, L = 1000. */
#include "protocol/lease.h"

#include <criterion/criterion.h>

enum { DISKS = 3, LEASE_NS = 1000 };

static struct lease lease;

static void setup(void)
{
    lease_begin(&lease, LEASE_NS, DISKS);
}

TestSuite(lease, .init = setup);

/* The next heartbeat, submitted at that instant. */
static void submit(int64_t fast_ns)
{
    lease_advance(&lease);
    lease_submit(&lease, fast_ns);
}

/* A first heartbeat that has counted: the lease is real and ends at submitted_ns + L. */
static void begin(int64_t submitted_ns)
{
    submit(submitted_ns);
    lease_acknowledge(&lease, 0, lease.counter, submitted_ns + 1);
    cr_assert(lease_acknowledge(&lease, 1, lease.counter, submitted_ns + 2));
}

Test(lease, T2_instant_is_taken_once_and_never_moved_by_retries)
{
    submit(100);
    lease_submit(&lease, 150); /* the second disk */
    lease_submit(&lease, 700); /* a retry on the first one */
    cr_expect_eq(lease.end_ns, 100 + LEASE_NS);
    cr_expect_not(lease_acknowledge(&lease, 0, 1, 800));
    cr_expect(lease_acknowledge(&lease, 1, 1, 801));
    cr_expect_eq(lease.end_ns, 100 + LEASE_NS);
}

Test(lease, T2_a_lease_runs_from_the_submission_and_not_from_the_acknowledgement)
{
    begin(100);
    submit(500);
    lease_acknowledge(&lease, 0, 2, 900);
    cr_expect(lease_acknowledge(&lease, 2, 2, 950));
    cr_expect_eq(lease.end_ns, 500 + LEASE_NS);
}

Test(lease, T2_a_minority_renews_nothing)
{
    begin(100);
    submit(500);
    cr_expect_not(lease_acknowledge(&lease, 2, 2, 501));
    cr_expect_not(lease_acknowledge(&lease, 2, 2, 502)); /* the same disk twice is still one */
    cr_expect_eq(lease.end_ns, 100 + LEASE_NS);
}

Test(lease, T2_of_two_renewals_on_different_disks_the_older_one_counts)
{
    begin(100);
    submit(300);
    submit(500);
    lease_acknowledge(&lease, 0, 2, 600);
    cr_expect(lease_acknowledge(&lease, 1, 3, 610)); /* a majority has acknowledged 2 or more */
    cr_expect_eq(lease.end_ns, 300 + LEASE_NS);
    cr_expect(lease_acknowledge(&lease, 2, 3, 620));
    cr_expect_eq(lease.end_ns, 500 + LEASE_NS);
}

Test(lease, T2_a_renewal_completed_after_the_lease_in_force_does_not_count)
{
    begin(100);
    submit(900);
    lease_acknowledge(&lease, 0, 2, 950);
    cr_expect_not(lease_acknowledge(&lease, 1, 2, 100 + LEASE_NS)); /* the very instant of its end is too late */
    cr_expect_eq(lease.end_ns, 100 + LEASE_NS);
}

Test(lease, T2_an_old_renewal_never_shortens_the_lease)
{
    begin(100);
    submit(300);
    submit(500);
    lease_acknowledge(&lease, 0, 3, 600);
    cr_expect(lease_acknowledge(&lease, 1, 3, 601));
    cr_expect_not(lease_acknowledge(&lease, 2, 2, 602));
    cr_expect_eq(lease.end_ns, 500 + LEASE_NS);
}

Test(lease, T2_a_counter_whose_instant_is_forgotten_extends_nothing)
{
    begin(100);
    for (int i = 0; i < LEASE_INSTANTS; i++) {
        submit(200 + i);
    }
    cr_assert_eq(lease.counter, 1U + LEASE_INSTANTS);
    submit(300); /* takes the place of counter 2 */
    lease_acknowledge(&lease, 0, 2, 400);
    cr_expect_not(lease_acknowledge(&lease, 1, 2, 401));
    cr_expect_eq(lease.end_ns, 100 + LEASE_NS);
}

Test(lease, T3_the_first_submission_begins_a_provisional_lease)
{
    cr_expect_not(lease_has_ended(&lease, 0)); /* what has not begun has not ended */
    submit(100);
    cr_expect_not(lease.is_real);
    cr_expect_not(lease_has_ended(&lease, 100 + LEASE_NS - 1));
    cr_expect(lease_has_ended(&lease, 100 + LEASE_NS));
}

Test(lease, T3_the_first_heartbeat_counts_only_inside_its_provisional_lease)
{
    submit(100);
    lease_acknowledge(&lease, 0, 1, 200);
    cr_expect_not(lease_acknowledge(&lease, 1, 1, 100 + LEASE_NS));
    cr_expect_not(lease.is_real);
}

Test(lease, T3_counting_makes_the_lease_real_with_the_same_end)
{
    begin(100);
    cr_expect(lease.is_real);
    cr_expect_eq(lease.end_ns, 100 + LEASE_NS);
}

Test(lease, T4_a_lease_that_has_ended_stays_so)
{
    begin(100);
    submit(900);
    lease_acknowledge(&lease, 0, 2, 1100);
    lease_acknowledge(&lease, 1, 2, 1101);
    lease_acknowledge(&lease, 2, 2, 1102);
    cr_expect(lease_has_ended(&lease, 1100));
    cr_expect(lease_has_ended(&lease, 1000000));
}

Test(lease, D5_a_majority_is_of_the_formatted_disks)
{
    lease_begin(&lease, LEASE_NS, 5);
    submit(100);
    lease_acknowledge(&lease, 0, 1, 101);
    cr_expect_not(lease_acknowledge(&lease, 4, 1, 102));
    cr_expect(lease_acknowledge(&lease, 2, 1, 103));
}
