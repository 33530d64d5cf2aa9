/*
 * The insides of an observer, shared by observer.c (the handle, disks and nodes) and observer_role.c (roles). One mutex
 * holds everything together; no thread runs behind it.
 */
#ifndef DISKARCH_CLIENT_OBSERVER_H
#define DISKARCH_CLIENT_OBSERVER_H

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
    char message[1024];
};

/* What a header says, in the public form; `engine`, `warning` and `size` are left zero. */
struct diskarch_set_info set_info_of(const struct set_header *header);

/* DISKARCH_ENOQUORUM, with a message that names every disk that is missing. */
int observer_no_quorum(struct diskarch_observer *observer);

#endif
