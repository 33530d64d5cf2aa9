#include "runtime/requests.h"

#include <assert.h>
#include <stddef.h>

void requests_begin_generation(struct requests *requests)
{
    requests->generation++;
    requests->in_flight = 0;
    requests->refused_count = 0;
}

static enum disk_operation disk_operation_of(enum io_operation operation)
{
    switch (operation) {
    case IO_READ:
        return DISK_READ;
    case IO_WRITE:
        return DISK_WRITE;
    case IO_EXCHANGE:
        return DISK_EXCHANGE;
    case IO_HEADER:
        break;
    }
    return DISK_HEADER;
}

void requests_queue(struct requests *requests, const struct io_action *io)
{
    struct disk_request request = {
        .operation = disk_operation_of(io->operation),
        .disk = io->disk,
        .row = io->row,
        .slot = io->slot,
        .block = io->block,
        .tag = (uint64_t)requests->generation << 32 | io->tag,
    };
    if (disk_engine_queue(requests->engine, &request) == 0) {
        requests->in_flight++;
        return;
    }
    assert(requests->refused_count < REQUESTS_REFUSED_MAX);
    requests->refused_tags[requests->refused_count++] = io->tag;
}

bool requests_reap(struct requests *requests, struct io_result *ret, uint32_t *ret_request)
{
    struct disk_completion completion;
    while (disk_engine_reap(requests->engine, &completion)) {
        if (completion.tag >> 32 != requests->generation) {
            disk_engine_release(requests->engine, completion.request);
            continue;
        }
        assert(requests->in_flight > 0);
        requests->in_flight--;
        *ret = (struct io_result){
            .tag = (uint32_t)completion.tag,
            .is_write_ok = completion.write_error == 0,
            .is_read_ok = completion.read_error == 0,
            .bytes = completion.bytes,
        };
        *ret_request = completion.request;
        return true;
    }
    return false;
}

bool requests_take_refused(struct requests *requests, struct io_result *ret)
{
    if (requests->refused_count == 0) {
        return false;
    }
    *ret = (struct io_result){.tag = requests->refused_tags[--requests->refused_count]};
    return true;
}
