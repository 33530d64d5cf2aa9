/*
 * The header of a disk: first block, and again as last block. It names the set, this disk, all other disks, the layout
 * and every timing. A node refuses a newer major version and ignores minor fields that it does not know.
 */
#ifndef DISKARCH_BLOCK_HEADER_H
#define DISKARCH_BLOCK_HEADER_H

#include "layout.h"
#include "limits.h"

#include <stdbool.h>
#include <stdint.h>

enum { FORMAT_MAJOR = 1, FORMAT_MINOR = 0 };

struct uuid {
    uint8_t bytes[16];
};

struct timings {
    int64_t lease_ns;       /* L */
    int64_t renew_ns;       /* between two heartbeats, at most L/3 */
    int64_t io_deadline_ns; /* also the claim delay d, at most L/4 */
    int64_t quarantine_ns;  /* Q: no write lands later than this after its author's death */
    uint32_t drift_ppm;     /* rho: each clock against true time, parts per million */
};

struct set_header {
    uint16_t major, minor;
    char set_name[NAME_FIELD_BYTES];
    struct uuid set_uuid;
    uint64_t generation;
    uint32_t disk_index;
    uint32_t disk_count; /* 1..DISKS_MAX: majorities are of this number, visible or not */
    struct uuid disk_uuids[DISKS_MAX];
    struct layout layout;
    struct timings timings;
    bool slot_reuse; /* false: --slot-reuse never, which removes the assumption Q */
    uint64_t epoch_floor;
    int64_t created_wall_ns; /* display only */
    uint64_t revision;       /* grows with each change of timings, slot_reuse or epoch_floor of a formatted set */
    uint64_t tuning;         /* not 0: such a change has begun and not ended. Nobody joins a set with such a disk */
    bool is_compacting;      /* while tuning: the register rows may be half rewritten */
};

enum header_fault {
    HEADER_OK,
    HEADER_NO_MAGIC, /* not a diskarch disk */
    HEADER_DAMAGED,  /* magic but wrong checksum */
    HEADER_NEWER,    /* major version above FORMAT_MAJOR; *ret holds major and minor only */
    HEADER_NONSENSE, /* good checksum, impossible content */
};

/* Bytes of the encoded header that count; a block is at least that long. The checksum is over exactly these bytes, so
 * that a header can be read before its block size is known. */
enum { HEADER_BYTES = 512 };

/* Encode into block_bytes bytes (zeros behind HEADER_BYTES). */
void set_header_encode(uint8_t *bytes, uint32_t block_bytes, const struct set_header *header);

/* Decode the first HEADER_BYTES bytes. On any fault but HEADER_NEWER *ret is untouched. */
enum header_fault set_header_decode(const uint8_t *bytes, struct set_header *ret);

/* One number for set and generation: stands in every block. Never 0. */
uint64_t set_header_tag(const struct set_header *header);

/* Same set, generation, disk and layout, whatever its timings are. */
bool set_header_is_same_disk(const struct set_header *a, const struct set_header *b);

/* Same revision and timings, and neither is being changed: what nodes of one set must have in common. */
bool set_header_is_same_tuning(const struct set_header *a, const struct set_header *b);

/* Both of these: what a node checks before it takes a slot, and when a disk comes back. */
bool set_header_is_unchanged(const struct set_header *a, const struct set_header *b);

/* W: how long an incarnation's counter must stand still on a challenger's clock: L(1+rho)/(1-rho), rounded up. */
int64_t timings_watch_ns(const struct timings *timings);

enum timings_fault {
    TIMINGS_OK,
    TIMINGS_LEASE_SHORT, /* L below 100 ms */
    TIMINGS_LEASE_LONG,  /* L above one day */
    TIMINGS_RENEW,       /* renew above L/3 or below 1 ms */
    TIMINGS_IO_DEADLINE, /* d above L/4 or below 1 ms */
    TIMINGS_QUARANTINE,  /* negative or above a week */
    TIMINGS_DRIFT,       /* rho at or above 20 % */
};

enum timings_fault timings_check(const struct timings *timings);

#endif
