/*
 * What an engine is made of: one table of operations, one instance for each engine. disk.h tells what each must do.
 * Only the engines, their dispatch, and tests of the contract include this file.
 */
#ifndef DISKARCH_DISK_ENGINE_H
#define DISKARCH_DISK_ENGINE_H

#include "disk/disk.h"

enum {
    DISK_DEPTH_MAX = 64, /* requests in flight per disk */
    DISK_WARNING_BYTES = 384,
};

struct disk_engine_operations {
    enum disk_engine_kind kind;
    const char *name;
    void (*close)(struct disk_engine *engine);
    int (*queue)(struct disk_engine *engine, const struct disk_request *request);
    int (*submit)(struct disk_engine *engine);
    int (*wait)(struct disk_engine *engine, int64_t timeout_ns);
    bool (*reap)(struct disk_engine *engine, struct disk_completion *ret);
    void (*release)(struct disk_engine *engine, uint32_t request);
};

/* The beginning of every engine. */
struct disk_engine {
    const struct disk_engine_operations *operations;
    uint32_t in_flight;   /* see disk_engine_in_flight() */
    uint64_t submissions; /* how often new requests were handed to the kernel: one for all disks */
    char warning[DISK_WARNING_BYTES];
};

/* Each opens one engine: 0 or DISKARCH_EENGINE, told by the set's message. */
int uring_open(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret);
bool uring_is_built(void); /* false: uring_open() only says so */
int aio_open(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret);

#endif
