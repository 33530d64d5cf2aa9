/*
 * A rig of three disks, the last of which can be made to hang: it is a loop device over a file of a file system that can be
 * frozen. Reads go on there until the first write hangs; what is behind that one waits with it. (On the file itself,
 * libaio's submission would hang instead of the request.)
 */
#ifndef DISKARCH_TESTS_CONTRACT_HANGING_H
#define DISKARCH_TESTS_CONTRACT_HANGING_H

#include "rig.h"

#include <sys/types.h>

enum { HANGING_DISK = RIG_DISKS - 1 };

struct hanging_rig {
    struct rig rig; /* set and engine are closed and opened at will */
    struct scratch_loop loop;
    const char *mount_point;
    int mount_fd;
    struct scratch_loop disk;
    const char *paths[RIG_DISKS];
};

/* Formats the three disks and opens the set and an engine. */
struct hanging_rig *hanging_new(void);
void hanging_free(struct hanging_rig *hanging);

void hanging_open(struct hanging_rig *hanging);
void hanging_close(struct hanging_rig *hanging);

/* Begins to hang; the answer is for hanging_thaw(). Should the test end in between, it ends by itself after a while: a
 * frozen file system cannot even be left. */
pid_t hanging_freeze(struct hanging_rig *hanging);
void hanging_thaw(struct hanging_rig *hanging, pid_t rescuer);

#endif
