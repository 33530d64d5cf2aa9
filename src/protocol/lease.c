#include "protocol/lease.h"

#include "protocol/collect.h"

#include <assert.h>
#include <string.h>

void lease_begin(struct lease *lease, int64_t lease_ns, uint32_t disk_count)
{
    assert(lease_ns > 0);
    assert(disk_count >= 1 && disk_count <= DISKS_MAX);
    memset(lease, 0, sizeof *lease);
    lease->lease_ns = lease_ns;
    lease->disk_count = disk_count;
}

void lease_advance(struct lease *lease)
{
    lease->counter++;
}

void lease_submit(struct lease *lease, int64_t fast_ns)
{
    assert(lease->counter > 0);
    uint64_t at = lease->counter % LEASE_INSTANTS;
    if (lease->instants[at].counter == lease->counter) {
        return;
    }
    lease->instants[at].counter = lease->counter;
    lease->instants[at].submitted_ns = fast_ns;
    if (lease->end_ns == 0) {
        lease->end_ns = fast_ns + lease->lease_ns;
    }
}

/* The highest counter that a majority of the formatted disks has acknowledged. */
static uint64_t lease_majority_counter(const struct lease *lease)
{
    uint64_t best = 0;
    for (uint32_t i = 0; i < lease->disk_count; i++) {
        uint64_t candidate = lease->acknowledged[i];
        uint32_t at_least = 0;
        for (uint32_t k = 0; k < lease->disk_count; k++) {
            at_least += lease->acknowledged[k] >= candidate;
        }
        if (at_least >= majority_of(lease->disk_count) && candidate > best) {
            best = candidate;
        }
    }
    return best;
}

bool lease_acknowledge(struct lease *lease, uint32_t disk, uint64_t counter, int64_t fast_ns)
{
    assert(disk < lease->disk_count);
    assert(counter <= lease->counter);
    if (counter > lease->acknowledged[disk]) {
        lease->acknowledged[disk] = counter;
    }
    uint64_t reached = lease_majority_counter(lease);
    if (reached <= lease->counted || lease_has_ended(lease, fast_ns)) {
        return false;
    }
    lease->counted = reached;
    uint64_t at = reached % LEASE_INSTANTS;
    if (lease->instants[at].counter != reached) {
        return false;
    }
    lease->end_ns = lease->instants[at].submitted_ns + lease->lease_ns;
    lease->is_real = true;
    return true;
}

bool lease_has_ended(const struct lease *lease, int64_t fast_ns)
{
    return lease->end_ns != 0 && fast_ns >= lease->end_ns;
}
