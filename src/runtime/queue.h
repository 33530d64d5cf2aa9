/*
 * A bounded queue between two threads: one puts, the other takes, neither waits or locks. Elements are copied.
 *
 * The memory comes from the caller, so that it can be locked before the node thread starts.
 */
#ifndef DISKARCH_RUNTIME_QUEUE_H
#define DISKARCH_RUNTIME_QUEUE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUEUE_LINE_BYTES = 64 }; /* each thread writes its own cache line only */

struct queue {
    alignas(QUEUE_LINE_BYTES) _Atomic uint64_t put_count;
    alignas(QUEUE_LINE_BYTES) _Atomic uint64_t taken_count;
    alignas(QUEUE_LINE_BYTES) uint8_t *elements;
    size_t element_bytes;
    size_t room;
};

/* `memory` holds room x element_bytes and stays with the queue. */
void queue_init(struct queue *queue, void *memory, size_t room, size_t element_bytes);

/* The putting thread only. False if the queue is full. */
bool queue_put(struct queue *queue, const void *element);

/* The taking thread only. False, and *ret_element untouched, if the queue is empty. */
bool queue_take(struct queue *queue, void *ret_element);

#endif
