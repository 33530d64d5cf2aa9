/*
 * What stands on a device or file before it is formatted: signatures that libblkid knows, sbd and sanlock areas, a
 * diskarch set, or bytes that nobody knows. Only looks; wipes when told to.
 */
#ifndef DISKARCH_DISK_PROBE_H
#define DISKARCH_DISK_PROBE_H

#include "disk/device.h"
#include "disk/header_search.h"

enum { PROBE_FINDINGS_MAX = 8, PROBE_WHAT_BYTES = 64, PROBE_TEXT_BYTES = 192 };

#define PROBE_UNKNOWN_DATA "unknown-data"

struct probe_finding {
    char what[PROBE_WHAT_BYTES]; /* the word for --force: a type such as ext4, a set's name, unknown-data */
    char text[PROBE_TEXT_BYTES]; /* the same for people */
};

struct probe {
    struct header_search set; /* fault HEADER_OK or HEADER_NEWER: a diskarch set is among the findings, as the first */
    bool has_foreign_signature; /* libblkid found something */
    uint32_t finding_count;     /* 0: there is nothing but zeros in the area */
    struct probe_finding findings[PROBE_FINDINGS_MAX];
};

/* Looks at the whole device for signatures, and at its first area_bytes for data. 0, or -errno with a message "reason;
 * remedy". */
int probe_device(const struct device *device, uint64_t area_bytes, struct probe *ret, char *message,
                 size_t message_bytes);

/* Removes the signatures that libblkid knows, wherever they stand: a backup at the far end would be taken for the truth
 * some day. 0 or -errno. */
int probe_wipe_signatures(const struct device *device);

#endif
