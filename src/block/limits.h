/*
 * Every limit of the on-disk format, by name, with the relations between them held at compile time.
 * Knows nothing of devices, threads or the protocol.
 */
#ifndef DISKARCH_BLOCK_LIMITS_H
#define DISKARCH_BLOCK_LIMITS_H

#include <stdint.h>

enum {
    NAME_BYTES_MAX = 63,                   /* set, role and node names: printable UTF-8 */
    NAME_FIELD_BYTES = NAME_BYTES_MAX + 1, /* on disk and in memory: padded with NUL, always terminated */
    DISKS_MAX = 9,
    SLOTS_MIN = 2,
    SLOTS_MAX = 4096,
    REGISTERS_MAX = 1 << 20,
    BLOCK_BYTES_MIN = 512,
    BLOCK_BYTES_MAX = 65536,
    PAYLOAD_BYTES_MAX = 128,
    VALUE_BYTES = 304,         /* the value of a register as the register engine sees it: opaque bytes */
    LEDGER_SLOTS_PER_ROW = 32, /* slots one ledger register speaks for */
    VERDICTS_MAX = 8,          /* verdicts listed in one heartbeat block */
    BEACON_CHANGES = 8,        /* registers listed in one heartbeat block */
    BEACON_BUCKETS = 64,       /* register r is counted in bucket r modulo this */
    WRITERS_KEPT = 8,          /* changes a user register remembers by their tags */
};

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

_Static_assert(LEDGER_SLOTS_PER_ROW * 8 <= VALUE_BYTES, "a ledger row must fit into one register value");

#endif
