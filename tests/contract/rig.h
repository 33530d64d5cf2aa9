/*
 * A rig: three disks of one kind, a set formatted on them, and an engine over it. Every contract test runs on each kind:
 * plain files and loop devices, blocks of 512 and of 4096 bytes.
 */
#ifndef DISKARCH_TESTS_CONTRACT_RIG_H
#define DISKARCH_TESTS_CONTRACT_RIG_H

#include "scratch.h"

#include "disk/disk.h"

enum { RIG_DISKS = 3, RIG_DEPTH = 4 };

struct rig_kind {
    const char *name;
    bool is_loop;
    uint32_t block_bytes;
};

struct rig {
    const struct rig_kind *kind;
    const char *files[RIG_DISKS]; /* by index: the file, or the file below the loop device */
    struct scratch_loop loops[RIG_DISKS];
    struct set_header header;
    struct disk_set set;
    struct disk_engine *engine;
    int wake_fd;
};

/* The engine under test: DISKARCH_ENGINE, which CMake sets. */
enum disk_engine_kind rig_engine_kind(void);

/* Runs the check on a fresh rig of every kind. */
void rig_each(void (*check)(struct rig *rig));

/* Runs the check on loop devices only. */
void rig_each_loop(void (*check)(struct rig *rig));

/* Another engine over the same disks, as another host would have it. */
void rig_open_engine(struct disk_set *set, int wake_fd, struct disk_engine **ret);
void rig_open_set(const struct rig *rig, bool is_writable, struct disk_set *ret);

/* An intact heartbeat block of the slot, with that counter; to be read back by rig_counter(). */
const uint8_t *rig_block(const struct rig *rig, uint32_t disk, uint32_t slot, uint64_t counter);

/* The counter in the slot's heartbeat block of a row; -1 if it is damaged; 0 in an empty block. */
int64_t rig_counter(const struct rig *rig, uint32_t disk, const uint8_t *row, uint32_t slot);

/* Queues, asserting that it is taken. `tag` is the disk. */
void rig_queue(struct disk_engine *engine, enum disk_operation operation, uint32_t disk, uint32_t row, uint32_t slot,
               const uint8_t *block);

/* Waits for one completion, without limit: ctest ends what hangs. */
void rig_wait_one(struct disk_engine *engine, struct disk_completion *ret);

/* Queue, submit, wait. */
void rig_do(struct disk_engine *engine, enum disk_operation operation, uint32_t disk, uint32_t row, uint32_t slot,
            const uint8_t *block, struct disk_completion *ret);

#endif
