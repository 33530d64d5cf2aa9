#include "disk/timings_refuse.h"

#include "disk/message.h"

#include <diskarch/diskarch.h>

int timings_refuse(const struct timings *timings, char *message, size_t message_bytes)
{
    char given[DURATION_TEXT_BYTES];
    char limit[DURATION_TEXT_BYTES];
    switch (timings_check(timings)) {
    case TIMINGS_OK:
        return 0;
    case TIMINGS_LEASE_SHORT:
        return message_set(DISKARCH_EUSAGE, message, message_bytes, "lease: %s is too short; give at least 100ms",
                           message_duration(given, timings->lease_ns));
    case TIMINGS_LEASE_LONG:
        return message_set(DISKARCH_EUSAGE, message, message_bytes, "lease: %s is too long; give at most a day",
                           message_duration(given, timings->lease_ns));
    case TIMINGS_RENEW:
        return message_set(DISKARCH_EUSAGE, message, message_bytes,
                           "renew: %s is not between 1ms and a third of the lease; give at most %s, or a longer lease",
                           message_duration(given, timings->renew_ns),
                           message_duration(limit, timings->lease_ns / 3 / NS_PER_MS * NS_PER_MS));
    case TIMINGS_IO_DEADLINE:
        return message_set(
            DISKARCH_EUSAGE, message, message_bytes,
            "io deadline: %s is not between 1ms and a quarter of the lease; give at most %s, or a longer "
            "lease",
            message_duration(given, timings->io_deadline_ns),
            message_duration(limit, timings->lease_ns / 4 / NS_PER_MS * NS_PER_MS));
    case TIMINGS_QUARANTINE:
        return message_set(DISKARCH_EUSAGE, message, message_bytes, "quarantine: %s is out of range; give 0s to a week",
                           message_duration(given, timings->quarantine_ns));
    case TIMINGS_DRIFT:
        break;
    }
    return message_set(DISKARCH_EUSAGE, message, message_bytes, "clock drift: %u ppm is too much; give less than 20%%",
                       timings->drift_ppm);
}
