/*
 * How a libaio engine begins and ends, and why a start can fail. Each failure names its likely cause and the remedy.
 */
#include "disk/aio.h"
#include "disk/message.h"

#include <diskarch/diskarch.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REFUSE(set, ...) message_set(DISKARCH_EENGINE, (set)->message, sizeof(set)->message, __VA_ARGS__)

/* Only with nothing in flight: ending a context waits for its requests. */
void aio_free(struct request_table *table)
{
    struct aio *aio = (struct aio *)table;
    if (aio->context != NULL) {
        io_destroy(aio->context);
    }
    caretaker_end(&aio->caretaker);
    if (aio->event_fd >= 0) {
        close(aio->event_fd);
    }
    free(aio->iocbs);
    request_table_done(table);
    free(aio);
}

/* ---- Why a start fails ------------------------------------------------------------------------------------------------ */

static int explain_context(struct disk_set *set, int error, uint32_t requests)
{
    switch (error) {
    case -EAGAIN:
        return REFUSE(set,
                      "engine libaio: %u requests are more than this host has left; raise fs.aio-max-nr (sysctl -w "
                      "fs.aio-max-nr=1048576)",
                      requests);
    case -ENOSYS:
    case -EPERM:
    case -EACCES:
        return REFUSE(
            set, "engine libaio: not permitted, probably by a seccomp policy, or not in this kernel; allow io_setup, "
                 "io_submit, io_getevents and io_destroy in that policy");
    default:
        return REFUSE(set, "engine libaio: setup: %s; free memory or raise the limits of this process",
                      strerror(-error));
    }
}

/* Without the caretaker the process could not be ended while a disk hangs, not even by SIGKILL. */
static int explain_caretaker(struct disk_set *set, const char *what, int error)
{
    switch (error) {
    case -EAGAIN:
        return REFUSE(set,
                      "engine libaio: its helper process cannot start (%s): too many processes; raise RLIMIT_NPROC "
                      "(ulimit -u) or TasksMax= in the unit",
                      what);
    case -ENOSYS:
    case -EPERM:
    case -EACCES:
        return REFUSE(
            set,
            "engine libaio: its helper process cannot start (%s): %s; run Linux 5.9 or later, and allow clone, "
            "close_range and pidfd_open in a seccomp policy",
            what, strerror(-error));
    case -EMFILE:
    case -ENFILE:
        return REFUSE(set,
                      "engine libaio: its helper process cannot start (%s): too many open files; raise ulimit -n or "
                      "LimitNOFILE= in the unit",
                      what);
    default:
        return REFUSE(set, "engine libaio: its helper process cannot start (%s): %s; free memory", what,
                      strerror(-error));
    }
}

/* ---- Beginning -------------------------------------------------------------------------------------------------------- */

static int allocate(struct aio *aio, struct disk_set *set, uint32_t depth)
{
    int error = request_table_init(&aio->table, &aio_carrier, set, depth);
    aio->iocb_room = aio->table.request_count * REPAIR_WINDOW;
    aio->iocbs = calloc(aio->iocb_room, sizeof *aio->iocbs);
    if (error != 0 || aio->iocbs == NULL) {
        return REFUSE(set, "engine libaio: no memory for %llu KiB of buffers; free some, or format with fewer slots",
                      (unsigned long long)(request_table_bytes(&aio->table) / 1024));
    }
    for (uint32_t i = 0; i < aio->table.disk_count; i++) {
        aio->fds[i] = set->members[i].is_present ? set->members[i].fd : -1;
    }
    return 0;
}

static int start(struct aio *aio, struct disk_set *set, uint32_t depth)
{
    int error = allocate(aio, set, depth);
    if (error != 0) {
        return error;
    }
    aio->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (aio->event_fd < 0) {
        return REFUSE(set, "engine libaio: eventfd: %s; raise ulimit -n or LimitNOFILE= in the unit", strerror(errno));
    }
    const char *what;
    error = caretaker_begin(&aio->caretaker, &what);
    if (error != 0) {
        return explain_caretaker(set, what, error);
    }
    error = io_setup((int)aio->iocb_room, &aio->context);
    if (error != 0) {
        aio->context = NULL;
        return explain_context(set, error, aio->iocb_room);
    }
    return 0;
}

int aio_open(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret)
{
    struct aio *aio = calloc(1, sizeof *aio);
    if (aio == NULL) {
        return REFUSE(set, "engine libaio: no memory; free some");
    }
    aio->table.base.operations = &aio_operations;
    aio->wake_fd = options->wake_fd;
    aio->event_fd = -1;
    int error = start(aio, set, options->depth);
    if (error != 0) {
        aio_free(&aio->table);
        return error;
    }
    *ret = &aio->table.base;
    return 0;
}
