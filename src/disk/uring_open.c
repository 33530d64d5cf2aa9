/*
 * How an io_uring engine begins and ends: what is registered with the kernel, and why a start can fail. Each failure names
 * its likely cause and the remedy, because a silent fall-back would hide a slow node.
 */
#include "disk/message.h"
#include "disk/uring.h"

#include <diskarch/diskarch.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>

void uring_free(struct request_table *table)
{
    struct uring *uring = (struct uring *)table;
    if (uring->ring.ring_fd >= 0) {
        /* A ring ends in the background; given back here, the memory limit and the disks are free for the next engine. */
        io_uring_unregister_buffers(&uring->ring);
        io_uring_unregister_files(&uring->ring);
        io_uring_queue_exit(&uring->ring);
    }
    request_table_done(table);
    free(uring);
}

/* ---- Why a start fails ---------------------------------------------------------------------------------------------- */

/* The sysctl of Linux 6.6 and later; 0 where there is none. */
static int io_uring_disabled_level(void)
{
    int level = 0;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &level) != 1) {
            level = 0;
        }
        fclose(file);
    }
    return level;
}

static int explain_permission(struct disk_set *set)
{
    int level = io_uring_disabled_level();
    if (level > 0) {
        return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                           "engine io_uring: disabled by the administrator (kernel.io_uring_disabled is %d); run "
                           "sysctl -w kernel.io_uring_disabled=0%s",
                           level, level == 1 ? ", or run as a member of the group in kernel.io_uring_group" : "");
    }
    return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                       "engine io_uring: not permitted, probably by a seccomp or SELinux policy; allow io_uring_setup, "
                       "io_uring_enter and io_uring_register in that policy (container engines: the seccomp profile)");
}

static int explain_memory(struct disk_set *set, uint64_t needed_bytes)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                       "engine io_uring: %llu KiB of buffers cannot be locked in memory (RLIMIT_MEMLOCK is %llu KiB); "
                       "raise it with ulimit -l or LimitMEMLOCK= in the unit, or grant CAP_IPC_LOCK",
                       (unsigned long long)(needed_bytes / 1024), (unsigned long long)(limit.rlim_cur / 1024));
}

static int explain(struct disk_set *set, const char *what, int error, uint64_t needed_bytes)
{
    switch (error) {
    case -ENOSYS:
        return message_set(
            DISKARCH_EENGINE, set->message, sizeof set->message,
            "engine io_uring: this kernel has none, or a seccomp filter hides it; run Linux 5.11 or later "
            "and allow io_uring_setup (container engines: the seccomp profile)");
    case -EPERM:
    case -EACCES:
        return explain_permission(set);
    case -ENOMEM:
        return explain_memory(set, needed_bytes);
    case -EMFILE:
    case -ENFILE:
        return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                           "engine io_uring: %s: too many open files; raise ulimit -n or LimitNOFILE= in the unit",
                           what);
    default:
        return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                           "engine io_uring: %s: %s; run Linux 5.11 or later", what, strerror(-error));
    }
}

/* ---- Beginning ------------------------------------------------------------------------------------------------------ */

static int register_files(struct uring *uring, const struct disk_set *set)
{
    int fds[DISKS_MAX];
    for (uint32_t i = 0; i < set->header.disk_count; i++) {
        fds[i] = set->members[i].is_present ? set->members[i].fd : -1;
    }
    return io_uring_register_files(&uring->ring, fds, set->header.disk_count);
}

static int register_buffers(struct uring *uring)
{
    const struct request_table *table = &uring->table;
    struct iovec shares[DISKS_MAX * DISK_DEPTH_MAX];
    assert(table->request_count <= sizeof shares / sizeof shares[0]);
    for (uint32_t i = 0; i < table->request_count; i++) {
        shares[i] = (struct iovec){.iov_base = table->requests[i].block, .iov_len = request_table_share_bytes(table)};
    }
    return io_uring_register_buffers(&uring->ring, shares, table->request_count);
}

static int start(struct uring *uring, struct disk_set *set, uint32_t depth)
{
    int error = request_table_init(&uring->table, &uring_carrier, set, depth);
    uint64_t needed_bytes = request_table_bytes(&uring->table);
    if (error != 0) {
        return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                           "engine io_uring: no memory for %llu KiB of buffers; free some, or format with fewer slots",
                           (unsigned long long)(needed_bytes / 1024));
    }
    /* One place more than the requests need, for the poll of wake_fd. Completions get twice as many: they never overflow. */
    error = io_uring_queue_init(uring->table.request_count * REPAIR_WINDOW + 1, &uring->ring, 0);
    if (error != 0) {
        uring->ring.ring_fd = -1;
        return explain(set, "setup", error, needed_bytes);
    }
    if ((uring->ring.features & IORING_FEAT_EXT_ARG) == 0) {
        return explain(set, "wait with a timeout", -EOPNOTSUPP, needed_bytes);
    }
    error = register_files(uring, set);
    if (error != 0) {
        return explain(set, "registering the disks", error, needed_bytes);
    }
    error = register_buffers(uring);
    return error == 0 ? 0 : explain(set, "registering the buffers", error, needed_bytes);
}

int uring_open(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret)
{
    struct uring *uring = calloc(1, sizeof *uring);
    if (uring == NULL) {
        return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                           "engine io_uring: no memory; free some");
    }
    uring->table.base.operations = &uring_operations;
    uring->ring.ring_fd = -1;
    uring->wake_fd = options->wake_fd;
    int error = start(uring, set, options->depth);
    if (error != 0) {
        uring_free(&uring->table);
        return error;
    }
    *ret = &uring->table.base;
    return 0;
}

bool uring_is_built(void)
{
    return true;
}
