/*
 * The insides of an observer, shared by observer.c (the handle and nodes), observer_disk.c (disks), observer_row.c (what
 * is proven in a row), observer_role.c (roles) and observer_changes.c (only those that have changed). One mutex holds
 * everything together; no thread runs behind it.
 */
#ifndef DISKARCH_CLIENT_OBSERVER_H
#define DISKARCH_CLIENT_OBSERVER_H

#include "block/role_value.h"
#include "client/beacons.h"
#include "client/reader.h"
#include "client/sightings.h"
#include "protocol/collect.h"

#include <diskarch/diskarch.h>

#include <pthread.h>

/* The two reads of a row that prove its value (rule B1). */
struct row_reads {
    struct collect first;
    struct collect second;
};

/* What could be learnt of a row. */
struct row_finding {
    bool is_settled;
    bool is_known; /* a value is there: proven now, or the last one that was */
    struct role_value value;
};

/* A role that diskarch_observer_changes() has met: its state, and what of it the caller has been told. */
struct watched_role {
    struct row_finding finding;
    enum diskarch_liveness liveness; /* of the holder, as told */
    bool is_holder_dead;             /* as told */
    bool is_to_tell;
};

/* Made by the first call of diskarch_observer_changes(). */
struct watched {
    bool has_begun;
    struct beacons beacons;
    struct watched_role **roles; /* by register; NULL: no role has been seen there */
    uint32_t next;               /* where the telling goes on */
};

struct diskarch_observer {
    pthread_mutex_t mutex;
    struct disk_set set;
    struct reader reader;
    struct sightings sightings;
    uint64_t set_tag;
    uint32_t ledger_next;    /* the ledger row to be read next: large sets are read in turns */
    struct row_reads *reads; /* reader.depth */
    uint8_t *rows;           /* one row of every disk, as read last by the settling of a single row */
    bool has_row[DISKS_MAX];
    char out_by[DISKS_MAX][NAME_FIELD_BYTES]; /* D7: a node that has counted this disk out, as last read; else empty */
    struct watched watched;
    char message[1024];
};

/* ---- observer.c -------------------------------------------------------------------------------------------------- */

/* What a header says, in the public form; `engine`, `warning` and `size` are left zero. */
struct diskarch_set_info set_info_of(const struct set_header *header);

/*
 * What every call begins with: looks at the headers and the heartbeat row, and at up to ledger_rows rows of the ledger.
 * What stands on a disk that is no longer this one, or that has been counted out, proves nothing. 0 or
 * DISKARCH_ENOQUORUM. The mutex is held.
 */
int observer_look(struct diskarch_observer *observer, uint32_t ledger_rows);

bool observer_has_quorum(const struct diskarch_observer *observer);

/* DISKARCH_ENOQUORUM, with a message that names every disk that is missing. */
int observer_no_quorum(struct diskarch_observer *observer);

/* ---- observer_row.c ---------------------------------------------------------------------------------------------- */

/* Learns what is proven in up to reader.depth registers; the others are neither settled nor known. 0 or
 * DISKARCH_ENOQUORUM. */
int observer_read_rows(struct diskarch_observer *observer, const uint32_t *registers, uint32_t count,
                       struct row_finding *ret_findings);

/* Reads one row until it is settled, or so often; then the last value that was proven has to do. */
void observer_settle_row(struct diskarch_observer *observer, uint32_t index, uint32_t attempts,
                         struct row_finding *ret);

/* ---- observer_role.c --------------------------------------------------------------------------------------------- */

/* A role of which something is known, in the public form. */
void observer_fill_role(const struct diskarch_observer *observer, const struct row_finding *finding,
                        struct diskarch_role_status *ret);

/* ---- observer_changes.c ------------------------------------------------------------------------------------------ */

void observer_changes_done(struct diskarch_observer *observer);

#endif
