#include "client/options.h"

#include "block/limits.h"
#include "disk/message.h"

#include <assert.h>
#include <string.h>

int options_copy(const struct diskarch_options *options, struct diskarch_options *ret, char *message,
                 size_t message_bytes)
{
    struct diskarch_options copy = {0};
    if (options == NULL || options->size < offsetof(struct diskarch_options, node_name)) {
        return message_set(DISKARCH_EUSAGE, message, message_bytes,
                           "options: their size is not set; set it to sizeof(struct diskarch_options)");
    }
    memcpy(&copy, options, options->size < sizeof copy ? options->size : sizeof copy);
    if (copy.disks == NULL || copy.disk_count == 0 || copy.disk_count > DISKS_MAX) {
        return message_set(DISKARCH_EUSAGE, message, message_bytes, "disks: %zu were named; name between 1 and %d",
                           copy.disk_count, DISKS_MAX);
    }
    *ret = copy;
    return 0;
}

int options_engine(const char *name, enum disk_engine_kind *ret, char *message, size_t message_bytes)
{
    if (!disk_engine_kind_parse(name == NULL ? "auto" : name, ret)) {
        return message_set(DISKARCH_EUSAGE, message, message_bytes,
                           "engine \"%s\": there is no such engine; use auto, io_uring or libaio", name);
    }
    return 0;
}

void options_return(void *to, const void *from, size_t bytes)
{
    size_t room;
    memcpy(&room, to, sizeof room);
    assert(room >= sizeof room);
    size_t copied = room < bytes ? room : bytes;
    memcpy((char *)to + sizeof room, (const char *)from + sizeof room, copied - sizeof room);
}
