/* The choice of the engine, and the way from the port to it. Knows no engine from inside. */
#include "disk/engine.h"

#include "disk/message.h"

#include <diskarch/diskarch.h>

#include <assert.h>

int disk_engine_open(struct disk_set *set, const struct disk_engine_options *options, struct disk_engine **ret)
{
    assert(options->depth >= 1 && options->depth <= DISK_DEPTH_MAX);
    assert(set->present_count > 0);
    switch (options->kind) {
    case DISK_ENGINE_AUTO:
    case DISK_ENGINE_IO_URING:
        return uring_open(set, options, ret);
    case DISK_ENGINE_LIBAIO:
        break;
    }
    return message_set(DISKARCH_EENGINE, set->message, sizeof set->message,
                       "engine libaio: not built into this version; use --engine io_uring");
}

void disk_engine_close(struct disk_engine *engine)
{
    if (engine != NULL) {
        engine->operations->close(engine);
    }
}

const char *disk_engine_name(const struct disk_engine *engine)
{
    return engine->operations->name;
}

enum disk_engine_kind disk_engine_kind(const struct disk_engine *engine)
{
    return engine->operations->kind;
}

int disk_engine_queue(struct disk_engine *engine, const struct disk_request *request)
{
    return engine->operations->queue(engine, request);
}

int disk_engine_submit(struct disk_engine *engine)
{
    return engine->operations->submit(engine);
}

int disk_engine_wait(struct disk_engine *engine, int64_t timeout_ns)
{
    return engine->operations->wait(engine, timeout_ns);
}

bool disk_engine_reap(struct disk_engine *engine, struct disk_completion *ret)
{
    return engine->operations->reap(engine, ret);
}

void disk_engine_release(struct disk_engine *engine, uint32_t request)
{
    engine->operations->release(engine, request);
}

uint32_t disk_engine_in_flight(const struct disk_engine *engine)
{
    return engine->in_flight;
}
