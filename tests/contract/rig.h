/*
 * A rig: three disks of one kind, a set on them, and an engine over it. Every contract test runs on each kind that the
 * program has: rig_device.c has plain files and loop devices, with blocks of 512 and of 4096 bytes, for the engines of the
 * kernel; rig_simulated.c has the disks of the simulator. A test asks for no more than this header gives, unless it is about
 * real devices only.
 */
#ifndef DISKARCH_TESTS_CONTRACT_RIG_H
#define DISKARCH_TESTS_CONTRACT_RIG_H

#include "scratch.h"

#include "disk/disk.h"

enum { RIG_DISKS = 3, RIG_DEPTH = 4, RIG_NO_DISK = RIG_DISKS };

struct rig_kind {
    const char *name;
    uint32_t block_bytes;
    bool can_fail; /* rig_set_failing() works */
    bool is_loop;
};

struct sim;

struct rig {
    const struct rig_kind *kind;
    struct set_header header;
    struct disk_engine *engine;
    int wake_fd;
    /* Real devices. */
    const char *files[RIG_DISKS]; /* by index: the file, or the file below the loop device */
    struct scratch_loop loops[RIG_DISKS];
    struct disk_set set;
    /* Simulated disks. */
    struct sim *sim;
    uint32_t host_count;
};

/* Runs the check on a fresh rig of every kind; of those whose disks can be made to fail; of loop devices. */
void rig_each(void (*check)(struct rig *rig));
void rig_each_failing(void (*check)(struct rig *rig));
void rig_each_loop(void (*check)(struct rig *rig));

/* ---- What each kind of disk does in its own way ------------------------------------------------------------------------ */

/* Ends with a kind without name. */
extern const struct rig_kind rig_kinds[];

void rig_make(struct rig *rig);
void rig_unmake(struct rig *rig);

/* Another host's view of the same disks, one of which may be absent to it. */
struct rig_host {
    struct disk_set *set; /* real devices only */
    struct disk_engine *engine;
};
void rig_open_host(struct rig *rig, uint32_t absent_disk, struct rig_host *ret);
void rig_close_host(struct rig_host *host);

/* From now on, every write to the disk fails; or not any more. */
void rig_set_failing(struct rig *rig, uint32_t disk, bool is_failing);

/* Of everything that stands on the disk. */
uint64_t rig_checksum(const struct rig *rig, uint32_t disk);

/* The clock that disk_engine_wait() waits by. */
int64_t rig_now_ns(const struct rig *rig);

/* ---- The engine under test -------------------------------------------------------------------------------------------- */

/* DISKARCH_ENGINE, which CMake sets. */
enum disk_engine_kind rig_engine_kind(void);

/* Asserts that this is the engine under test. */
void rig_check_engine(const struct disk_engine *engine);

/* Real devices only. */
void rig_open_set(const struct rig *rig, bool is_writable, struct disk_set *ret);
void rig_open_engine(struct disk_set *set, int wake_fd, struct disk_engine **ret);

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
