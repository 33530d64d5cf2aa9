/*
 * The way of a node's requests to the disk engine and back.
 *
 * A request outlives the incarnation that made it, if a disk hangs (rule D2). So each engine tag carries a generation;
 * what comes back from an earlier one is given back to the engine and never shown to the new node. A request that the
 * engine cannot take is remembered and answered as failed.
 */
#ifndef DISKARCH_RUNTIME_REQUESTS_H
#define DISKARCH_RUNTIME_REQUESTS_H

#include "disk/disk.h"
#include "protocol/node.h"

#include <stdbool.h>
#include <stdint.h>

enum { REQUESTS_REFUSED_MAX = 1024 };

struct requests {
    struct disk_engine *engine;
    uint32_t generation;
    uint32_t in_flight; /* of this generation, taken by the engine and not reaped yet */
    uint32_t refused_tags[REQUESTS_REFUSED_MAX];
    uint32_t refused_count;
};

/* A new incarnation: nothing of an older one will be shown any more. */
void requests_begin_generation(struct requests *requests);

/* Hands one request to the engine, to be sent with the next submission. */
void requests_queue(struct requests *requests, const struct io_action *io);

/*
 * The next finished request of this generation, if there is one. *ret_request is for disk_engine_release(), which ends
 * the life of ret->bytes.
 */
bool requests_reap(struct requests *requests, struct io_result *ret, uint32_t *ret_request);

/* The next request that the engine could not take, as failed. */
bool requests_take_refused(struct requests *requests, struct io_result *ret);

#endif
