/*
 * A running node: one thread of its own that steps the pure node over the disk engine, and two bounded queues between
 * it and whoever owns it. This is where protocol and disk meet; neither knows the other.
 *
 * Knows nothing of handles, events or people: its owner (the client library) speaks of roles by number. The owner's
 * side is for one thread at a time, except where "any thread" is said, and for the bell.
 */
#ifndef DISKARCH_RUNTIME_RUNTIME_H
#define DISKARCH_RUNTIME_RUNTIME_H

#include "block/header.h"
#include "disk/disk.h"
#include "runtime/bell.h"
#include "runtime/notice_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runtime;

struct runtime_options {
    const char *const *disks;
    size_t disk_count;
    const char *node_name; /* a good name */
    enum disk_engine_kind engine;
    int64_t poll_ns;     /* 0: the node's default */
    bool is_rejoining;   /* after its end begin a new incarnation, with the same campaigns and calls */
    bool wants_renewals; /* the bell is rung for every renewal too */
};

/* What the node thread got at its start. */
struct runtime_info {
    const char *engine;
    bool is_realtime;
    bool is_locked;
    bool is_other_engine; /* than DISK_ENGINE_AUTO prefers */
    char warning[640];    /* what was refused, with the remedy */
};

/* Opens the disks, starts the thread; the node begins to join. 0 or an error of diskarch.h with its message. */
int runtime_open(const struct runtime_options *options, struct runtime **ret, char *message, size_t message_bytes);

/*
 * Leaves the set as cleanly as the disks allow, ends the thread and frees everything. If the thread hangs in the kernel
 * beyond every deadline, it is left there together with its memory. In a forked child it does nothing. NULL is fine.
 */
void runtime_close(struct runtime *runtime);

const struct set_header *runtime_header(const struct runtime *runtime);
const struct runtime_info *runtime_info(const struct runtime *runtime);

/* The path under which a disk of the set was opened; empty if it is absent. */
const char *runtime_disk_path(const struct runtime *runtime, uint32_t disk);

/* Why a disk was absent when the set was opened; empty if it was not. */
const char *runtime_disk_absence(const struct runtime *runtime, uint32_t disk);

/* What the node thinks of a disk. Any thread. */
struct disk_report runtime_disk(const struct runtime *runtime, uint32_t disk);

/* How many renewals have counted, over all incarnations. Any thread. */
uint64_t runtime_renewals(const struct runtime *runtime);

/* Role numbers are below this. */
uint32_t runtime_roles_max(const struct runtime *runtime);

/*
 * Begins to campaign for a role under a number that is free. The number is taken until NOTICE_RELEASED or
 * NOTICE_REFUSED for it, one of which always comes, whatever happens to the node. Never blocks.
 */
void runtime_campaign(struct runtime *runtime, const struct role_command *command);

/* Ends a campaign, once. Never blocks. */
void runtime_resign(struct runtime *runtime, uint32_t role);

/*
 * Begins to hand a role that NOTICE_LEADER was taken for over; once, until NOTICE_TRANSFER, NOTICE_TRANSFER_REFUSED or
 * the end of that leadership. Never blocks.
 */
void runtime_transfer(struct runtime *runtime, uint32_t role, const char *successor_name);

/* Another payload for a role that NOTICE_LEADER was taken for; of several in a row the last one stays. Never blocks. */
void runtime_publish(struct runtime *runtime, uint32_t role, const void *payload, uint32_t payload_bytes);

/*
 * Begins a call on a name under a number that is free. The number is taken until NOTICE_CALL_ENDED for it, which always
 * comes; then runtime_call_result() tells how, until the number is used again. Never blocks.
 */
void runtime_call(struct runtime *runtime, const struct call_command *command);

/* Ends a call early, once; its outcome says what became of it. Never blocks. */
void runtime_cancel(struct runtime *runtime, uint32_t call);
const struct call_result *runtime_call_result(const struct runtime *runtime, uint32_t call);

/* The oldest notice; false if there is none. Never blocks. */
bool runtime_take_notice(struct runtime *runtime, struct runtime_notice *ret);

/* Rung after notices have become ready. Its descriptor belongs to the owner to clear, and to make readable again. */
struct bell *runtime_bell(struct runtime *runtime);

/* How long the role is still led; see lease_page_remaining_ns(). Any thread. */
int64_t runtime_remaining_ns(const struct runtime *runtime, uint32_t role, uint64_t *ret_epoch);

/* Whether this process was forked off the one that opened the runtime: then nothing here works, and nothing is led. Any
 * thread. */
bool runtime_is_forked(const struct runtime *runtime);

/* Writes what the flight recorder holds (recorder.h). Any thread. 0 or -errno; -EBUSY while another thread does so,
 * -EOPNOTSUPP for a set whose nodes are too large to be recorded. */
int runtime_record(struct runtime *runtime, int fd);

#endif
