/* In place of the io_uring engine, in a build without liburing. */
#include "disk/engine.h"
#include "disk/message.h"

#include <diskarch/diskarch.h>

int uring_open(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret)
{
    (void)options;
    (void)ret;
    return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                       "engine io_uring: this build has none; use --engine libaio, or build with DISKARCH_IO_URING=ON");
}

bool uring_is_built(void)
{
    return false;
}
