/* The choice of the engine. Knows no engine from inside. */
#include "disk/engine.h"

#include "disk/message.h"
#include "disk/request_table.h"

#include <diskarch/diskarch.h>

#include <assert.h>
#include <string.h>

/* What was refused becomes the warning of the engine that came in its place. */
static int open_either(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret)
{
    if (uring_open(set, options, ret) == 0) {
        return 0;
    }
    char refusal[DISK_WARNING_BYTES];
    message_set(0, refusal, sizeof refusal, "%s", set->message);
    struct disk_engine *engine;
    int error = aio_open(set, options, &engine);
    if (error != 0) {
        message_add(set->message, sizeof set->message, "; and before that: %s", refusal);
        return error;
    }
    message_set(0, engine->warning, sizeof engine->warning, "libaio is used: %s", refusal);
    set->message[0] = '\0';
    *ret = engine;
    return 0;
}

int disk_engine_open(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret)
{
    assert(options->depth >= 1 && options->depth <= DISK_DEPTH_MAX);
    assert(set->present_count > 0);
    request_table_reap_parked();
    switch (options->kind) {
    case DISK_ENGINE_AUTO:
        return uring_is_built() ? open_either(set, options, ret) : aio_open(set, options, ret);
    case DISK_ENGINE_IO_URING:
        return uring_open(set, options, ret);
    case DISK_ENGINE_LIBAIO:
        return aio_open(set, options, ret);
    case DISK_ENGINE_SIMULATED:
        break;
    }
    return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                       "engine: there is no such engine; use io_uring or libaio");
}

bool disk_engine_kind_parse(const char *name, enum disk_engine_kind *ret)
{
    static const struct {
        const char *name;
        enum disk_engine_kind kind;
    } kinds[] = {
        {"auto", DISK_ENGINE_AUTO},
        {"io_uring", DISK_ENGINE_IO_URING},
        {"libaio", DISK_ENGINE_LIBAIO},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            *ret = kinds[i].kind;
            return true;
        }
    }
    return false;
}
