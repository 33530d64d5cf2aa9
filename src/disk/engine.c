/* The way from the port to an engine, once one is open. */
#include "disk/engine.h"

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

const char *disk_engine_warning(const struct disk_engine *engine)
{
    return engine->warning;
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
