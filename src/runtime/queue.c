#include "runtime/queue.h"

#include <assert.h>
#include <string.h>

void queue_init(struct queue *queue, void *memory, size_t room, size_t element_bytes)
{
    assert(room > 0 && element_bytes > 0);
    atomic_init(&queue->put_count, 0);
    atomic_init(&queue->taken_count, 0);
    queue->elements = memory;
    queue->element_bytes = element_bytes;
    queue->room = room;
}

static uint8_t *queue_at(const struct queue *queue, uint64_t count)
{
    return queue->elements + (size_t)(count % queue->room) * queue->element_bytes;
}

/*
 * The acquire of the other side's count pairs with its release: a place is written only after its old content has been
 * copied out, and read only after its new content has been copied in.
 */
bool queue_put(struct queue *queue, const void *element)
{
    uint64_t put = atomic_load_explicit(&queue->put_count, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&queue->taken_count, memory_order_acquire);
    assert(put - taken <= queue->room);
    if (put - taken == queue->room) {
        return false;
    }
    memcpy(queue_at(queue, put), element, queue->element_bytes);
    atomic_store_explicit(&queue->put_count, put + 1, memory_order_release);
    return true;
}

bool queue_take(struct queue *queue, void *ret_element)
{
    uint64_t taken = atomic_load_explicit(&queue->taken_count, memory_order_relaxed);
    uint64_t put = atomic_load_explicit(&queue->put_count, memory_order_acquire);
    if (put == taken) {
        return false;
    }
    memcpy(ret_element, queue_at(queue, taken), queue->element_bytes);
    atomic_store_explicit(&queue->taken_count, taken + 1, memory_order_release);
    return true;
}
