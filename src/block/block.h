/*
 * The blocks of claim, heartbeat, ledger and register rows: bytes on disk to structs and back.
 *
 * Every block says where it belongs (set, disk, row, slot), who wrote it and in which order, and carries a CRC-32C over
 * all of its bytes. A block that is not exactly where it belongs, or whose checksum fails, is damaged: never "empty".
 * An empty block is an intact block, stamped by format, that nobody has written yet: its incarnation is 0.
 *
 * Pure: no I/O, no clock, no allocation. Any thread.
 */
#ifndef DISKARCH_BLOCK_BLOCK_H
#define DISKARCH_BLOCK_BLOCK_H

#include "ballot.h"
#include "limits.h"

#include <stdbool.h>
#include <stdint.h>

enum block_kind { BLOCK_CLAIM = 1, BLOCK_HEARTBEAT = 2, BLOCK_REGISTER = 3 };

/* Where a block belongs. */
struct block_place {
    uint64_t set_tag; /* set_header_tag(): set UUID and generation in one number */
    uint32_t disk;    /* index of the disk in the set */
    uint32_t row;     /* see layout.h */
    uint32_t slot;
};

/* Who wrote it: both 0 in an empty block. */
struct block_author {
    uint64_t incarnation;
    uint64_t sequence; /* grows with every write of that incarnation */
};

/* Claim row: "I, this incarnation, take this slot". */
struct claim_block {
    struct block_author author;
    char node_name[NAME_FIELD_BYTES];
    bool is_given_back; /* rule T9: its author has left, and nothing it ever wrote is still on its way */
};

enum heartbeat_state {
    HEARTBEAT_NONE = 0,   /* empty block */
    HEARTBEAT_JOINED = 1, /* the first heartbeats, before one has counted */
    HEARTBEAT_READY = 2,  /* rule T3: may be named holder by another */
    HEARTBEAT_LEFT = 3,   /* rule T9: will never write again */
};

/*
 * Rule T10: what this node changed lately. A hint: whoever looks away too long finds the counters moved, and reads the
 * registers of that bucket.
 */
struct beacon {
    uint32_t changes[BEACON_CHANGES]; /* newest first: register number + 1, perhaps with BEACON_WANTED; 0: no more */
    uint16_t buckets[BEACON_BUCKETS]; /* phase 2s begun, and completed, on the registers of each, wrapping around */
};

/* In beacon.changes: not changed, but found held by a live node and wanted by this one. */
#define BEACON_WANTED (UINT32_C(1) << 31)

/* Rule N2: what a node asks of the holder of a role. */
enum ask_verb {
    ASK_NONE = 0,
    ASK_REQUEST = 1,  /* let go if you can: the holder's application decides */
    ASK_RESIGN = 2,   /* stop and resign */
    ASK_TRANSFER = 3, /* stop and hand over to the successor */
};

struct ask {
    enum ask_verb verb;
    uint32_t register_index;  /* of the role */
    struct node_id holder;    /* none unless something is asked */
    struct node_id successor; /* ASK_TRANSFER, else none */
};

struct heartbeat_block {
    struct block_author author;
    enum heartbeat_state state;
    uint64_t counter; /* grows by one each renew interval */
    char node_name[NAME_FIELD_BYTES];
    int64_t started_wall_ns;      /* display only */
    uint32_t engine;              /* enum heartbeat_engine, display only */
    uint64_t watchdog_promise_ns; /* challengers add it to W */
    uint32_t verdict_count;
    struct node_id verdicts[VERDICTS_MAX]; /* incarnations found dead, newest first */
    struct beacon beacon;
    struct ask ask;
    uint32_t counted_out; /* rule D7: bit i is set when this node has counted disk i out */
};

enum heartbeat_engine { ENGINE_UNKNOWN = 0, ENGINE_IO_URING = 1, ENGINE_LIBAIO = 2, ENGINE_SIMULATED = 3 };

/* Register and ledger rows. In the words of the Disk Paxos paper: mbal, bal, inp. */
struct register_block {
    struct block_author author;
    struct ballot promised;     /* mbal */
    struct ballot accepted;     /* bal: none if this slot never accepted */
    struct ballot committed;    /* a ballot, of whatever slot, that this writer knows to be committed */
    uint8_t value[VALUE_BYTES]; /* inp: all zero while accepted is none */
};

/*
 * Encode into block_bytes bytes: the content, zeros, the checksum over everything. `place` and block_bytes must be
 * valid; content with author.incarnation 0 gives the empty block.
 */
void block_encode_claim(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                        const struct claim_block *content);
void block_encode_heartbeat(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                            const struct heartbeat_block *content);
void block_encode_register(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                           const struct register_block *content);

/* Decode; false, and *ret untouched, if the block is damaged or does not belong there. Any bytes are safe to decode. */
bool block_decode_claim(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                        struct claim_block *ret);
bool block_decode_heartbeat(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                            struct heartbeat_block *ret);
bool block_decode_register(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place,
                           struct register_block *ret);

/* What is wrong with the bytes of a block, for those who mend: decoding only tells intact from the rest. */
enum block_state {
    BLOCK_EMPTY,     /* intact, and nobody has written it yet */
    BLOCK_WRITTEN,   /* intact */
    BLOCK_ZEROS,     /* nothing but zeros: never formatted, or wiped */
    BLOCK_MISPLACED, /* whole, but of another set, disk, row or slot */
    BLOCK_NEWER,     /* whole, of a newer major version */
    BLOCK_DAMAGED,
};

enum block_state block_judge(const uint8_t *bytes, uint32_t block_bytes, const struct block_place *place);

/* The kind of block that stands in a row. */
enum block_kind block_kind_of_row(uint32_t row);

/* Writes the empty block of its kind: what format stamps everywhere. */
void block_encode_empty(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place);

#endif
