/* What timings a set may have, and what follows from them. */
#include "block/header.h"

#include <assert.h>

enum {
    PPM = 1000000,
    DRIFT_PPM_LIMIT = PPM / 5,
    LEASES_PER_RENEW_LIMIT = 3,
    LEASES_PER_IO_DEADLINE_LIMIT = 4,
};

#define LEASE_NS_MIN (100 * NS_PER_MS)
#define DAY_NS (INT64_C(24) * 3600 * NS_PER_S)
#define LEASE_NS_MAX DAY_NS
#define STEP_NS_MIN NS_PER_MS
#define QUARANTINE_NS_MAX (7 * DAY_NS)

enum timings_fault timings_check(const struct timings *timings)
{
    if (timings->lease_ns < LEASE_NS_MIN) {
        return TIMINGS_LEASE_SHORT;
    }
    if (timings->lease_ns > LEASE_NS_MAX) {
        return TIMINGS_LEASE_LONG;
    }
    if (timings->renew_ns < STEP_NS_MIN || timings->renew_ns > timings->lease_ns / LEASES_PER_RENEW_LIMIT) {
        return TIMINGS_RENEW;
    }
    if (timings->io_deadline_ns < STEP_NS_MIN ||
        timings->io_deadline_ns > timings->lease_ns / LEASES_PER_IO_DEADLINE_LIMIT) {
        return TIMINGS_IO_DEADLINE;
    }
    if (timings->quarantine_ns < 0 || timings->quarantine_ns > QUARANTINE_NS_MAX) {
        return TIMINGS_QUARANTINE;
    }
    return timings->drift_ppm < DRIFT_PPM_LIMIT ? TIMINGS_OK : TIMINGS_DRIFT;
}

int64_t timings_watch_ns(const struct timings *timings)
{
    assert(timings->lease_ns >= 0 && timings->lease_ns <= LEASE_NS_MAX);
    assert(timings->drift_ppm < DRIFT_PPM_LIMIT);
    /* L * up / down in one product could overflow; by quotient and rest it cannot, and rounds up once, at the end. */
    int64_t up = PPM + (int64_t)timings->drift_ppm;
    int64_t down = PPM - (int64_t)timings->drift_ppm;
    int64_t quotient = timings->lease_ns / down;
    int64_t rest = timings->lease_ns % down;
    return quotient * up + (rest * up + down - 1) / down;
}
