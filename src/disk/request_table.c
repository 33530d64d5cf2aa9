#include "disk/request_table.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STAGE_BITS = 2, BLOCK_BITS = 14, PAGE_BYTES = 4096 };

_Static_assert(STAGE_REPAIR < 1 << STAGE_BITS, "a stage must fit into its bits");
_Static_assert(SLOTS_MAX <= 1 << BLOCK_BITS, "a block's number must fit into its bits");
_Static_assert((uint64_t)DISK_DEPTH_MAX *DISKS_MAX << (STAGE_BITS + BLOCK_BITS) <= UINT32_MAX,
               "a token must fit into a pointer of 32 bits, which is what libaio carries there");

/*
 * Engines whose owner has gone while the kernel still held some of their buffers (rule D2: a hung disk may be written
 * from such a buffer at any later time). They keep everything until the kernel has given all of it back, and are looked
 * after whenever an engine begins or ends.
 */
static struct request_table *parked;
static pthread_mutex_t parked_lock = PTHREAD_MUTEX_INITIALIZER;

int64_t request_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- Tokens ----------------------------------------------------------------------------------------------------------- */

static uint32_t request_index(const struct request_table *table, const struct table_request *request)
{
    return (uint32_t)(request - table->requests);
}

uint64_t request_token(const struct request_table *table, const struct table_request *request, enum request_stage stage,
                       uint32_t block)
{
    return ((uint64_t)request_index(table, request) << BLOCK_BITS | block) << STAGE_BITS | (uint64_t)stage;
}

enum request_stage request_token_stage(uint64_t token)
{
    return (enum request_stage)(token & ((1 << STAGE_BITS) - 1));
}

static uint32_t block_of_token(uint64_t token)
{
    return (uint32_t)(token >> STAGE_BITS) & ((1 << BLOCK_BITS) - 1);
}

struct table_request *request_of_token(const struct request_table *table, uint64_t token)
{
    uint64_t index = token >> (STAGE_BITS + BLOCK_BITS);
    assert(index < table->request_count);
    return &table->requests[index];
}

/* ---- Beginning and end ------------------------------------------------------------------------------------------------ */

static uint64_t round_up(uint64_t bytes, uint64_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

static uint64_t alignment_of(const struct layout *layout)
{
    return layout->block_bytes > PAGE_BYTES ? layout->block_bytes : PAGE_BYTES;
}

/* Block, then row, each aligned for direct I/O. */
uint64_t request_table_share_bytes(const struct request_table *table)
{
    uint64_t alignment = alignment_of(&table->layout);
    return round_up(table->layout.block_bytes, alignment) + round_up(layout_row_bytes(&table->layout), alignment);
}

uint64_t request_table_bytes(const struct request_table *table)
{
    return request_table_share_bytes(table) * table->request_count;
}

static int allocate(struct request_table *table)
{
    uint64_t alignment = alignment_of(&table->layout);
    uint64_t share = request_table_share_bytes(table);
    void *arena = NULL;
    if (posix_memalign(&arena, alignment, share * table->request_count) != 0) {
        return -ENOMEM;
    }
    memset(arena, 0, share * table->request_count);
    table->arena = arena;
    table->requests = calloc(table->request_count, sizeof *table->requests);
    table->queued.items = calloc(table->request_count, sizeof *table->queued.items);
    table->done.items = calloc(table->request_count, sizeof *table->done.items);
    if (table->requests == NULL || table->queued.items == NULL || table->done.items == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < table->request_count; i++) {
        table->requests[i].block = table->arena + share * i;
        table->requests[i].row = table->requests[i].block + round_up(table->layout.block_bytes, alignment);
    }
    return 0;
}

int request_table_init(struct request_table *table, const struct request_carrier *carrier, const struct disk_set *set,
                       uint32_t depth)
{
    table->carrier = carrier;
    table->layout = set->header.layout;
    table->disk_count = set->header.disk_count;
    table->depth = depth;
    table->request_count = table->disk_count * depth;
    for (uint32_t i = 0; i < table->disk_count; i++) {
        table->is_present[i] = set->members[i].is_present;
        table->header_offset[i] = set->members[i].header_offset;
    }
    return allocate(table);
}

void request_table_done(struct request_table *table)
{
    free(table->arena);
    free(table->requests);
    free(table->queued.items);
    free(table->done.items);
}

/* ---- Parking ---------------------------------------------------------------------------------------------------------- */

/* Whether the kernel still holds a buffer. */
static bool is_busy(const struct request_table *table)
{
    for (uint32_t i = 0; i < table->request_count; i++) {
        if (table->requests[i].state == REQUEST_IN_FLIGHT) {
            return true;
        }
    }
    return false;
}

void request_table_reap_parked(void)
{
    pthread_mutex_lock(&parked_lock);
    for (struct request_table **link = &parked; *link != NULL;) {
        struct request_table *table = *link;
        table->carrier->drain(table);
        if (is_busy(table)) {
            link = &table->next_parked;
        } else {
            *link = table->next_parked;
            table->carrier->free(table);
        }
    }
    pthread_mutex_unlock(&parked_lock);
}

void request_table_close(struct disk_engine *engine)
{
    struct request_table *table = (struct request_table *)engine;
    table->is_over = true;
    pthread_mutex_lock(&parked_lock);
    table->next_parked = parked;
    parked = table;
    pthread_mutex_unlock(&parked_lock);
    request_table_reap_parked();
}

/* ---- Queueing --------------------------------------------------------------------------------------------------------- */

static void fifo_push(struct request_fifo *fifo, uint32_t room, uint32_t item)
{
    assert(fifo->count < room);
    fifo->items[(fifo->head + fifo->count) % room] = item;
    fifo->count++;
}

static uint32_t fifo_pop(struct request_fifo *fifo, uint32_t room)
{
    assert(fifo->count > 0);
    uint32_t item = fifo->items[fifo->head];
    fifo->head = (fifo->head + 1) % room;
    fifo->count--;
    return item;
}

static struct table_request *find_free(struct request_table *table, uint32_t disk)
{
    struct table_request *first = &table->requests[(size_t)disk * table->depth];
    for (uint32_t i = 0; i < table->depth; i++) {
        if (first[i].state == REQUEST_FREE) {
            return &first[i];
        }
    }
    return NULL;
}

bool request_is_writing(const struct table_request *request)
{
    return request->operation == DISK_WRITE || request->operation == DISK_EXCHANGE;
}

static bool is_row(const struct table_request *request)
{
    return request->operation == DISK_READ || request->operation == DISK_EXCHANGE;
}

static void set_transfer(struct request_table *table, struct table_request *own, const struct disk_request *request)
{
    const struct layout *layout = &table->layout;
    if (request->operation == DISK_HEADER) {
        own->read_offset = table->header_offset[request->disk];
        own->read_bytes = layout->block_bytes;
        return;
    }
    if (request->operation == DISK_RANGE) {
        assert(request->bytes > 0 && request->bytes <= layout_row_bytes(layout));
        own->read_offset = request->offset;
        own->read_bytes = request->bytes;
        return;
    }
    assert(request->row < layout_rows(layout));
    own->read_offset = layout_offset(layout, request->row, 0);
    own->read_bytes = request->operation == DISK_WRITE ? 0 : layout_row_bytes(layout);
    if (request_is_writing(own)) {
        assert(request->slot < layout->slots && request->block != NULL);
        own->write_offset = layout_offset(layout, request->row, request->slot);
        memcpy(own->block, request->block, layout->block_bytes);
    }
}

int request_table_queue(struct disk_engine *engine, const struct disk_request *request)
{
    struct request_table *table = (struct request_table *)engine;
    assert(request->disk < table->disk_count);
    if (!table->is_present[request->disk]) {
        return -ENODEV;
    }
    struct table_request *own = find_free(table, request->disk);
    if (own == NULL) {
        return -EBUSY;
    }
    uint8_t *block = own->block;
    uint8_t *row = own->row;
    *own = (struct table_request){
        .state = REQUEST_QUEUED,
        .operation = request->operation,
        .disk = request->disk,
        .tag = request->tag,
        .block = block,
        .row = row,
    };
    set_transfer(table, own, request);
    fifo_push(&table->queued, table->request_count, request_index(table, own));
    engine->in_flight++;
    return 0;
}

struct table_request *request_table_next(struct request_table *table)
{
    if (table->queued.count == 0) {
        return NULL;
    }
    struct table_request *request = &table->requests[fifo_pop(&table->queued, table->request_count)];
    assert(request->state == REQUEST_QUEUED && request->pending == 0);
    request->state = REQUEST_IN_FLIGHT;
    return request;
}

/* ---- Answers ---------------------------------------------------------------------------------------------------------- */

static void finish(struct request_table *table, struct table_request *request)
{
    assert(request->state == REQUEST_IN_FLIGHT && request->pending == 0);
    request->state = REQUEST_DONE;
    fifo_push(&table->done, table->request_count, request_index(table, request));
}

/* Rule D9: repeats blocks of a row whose read failed, a few at a time. */
static void repair_more(struct request_table *table, struct table_request *request)
{
    uint32_t block_bytes = table->layout.block_bytes;
    while (request->pending < REPAIR_WINDOW && request->repair_next < table->layout.slots) {
        uint32_t block = request->repair_next++;
        uint64_t at = (uint64_t)block * block_bytes;
        table->carrier->read(table, request, request->row + at, block_bytes, request->read_offset + at,
                             request_token(table, request, STAGE_REPAIR, block));
    }
}

/* A block of zeros is damaged by definition, so zeros are what stands for a block that cannot be read. */
static void repair_one(struct request_table *table, struct table_request *request, uint32_t block, int result)
{
    uint32_t block_bytes = table->layout.block_bytes;
    if (result != (int)block_bytes) {
        memset(request->row + (uint64_t)block * block_bytes, 0, block_bytes);
        request->repair_failed++;
    }
    if (!table->is_over) {
        repair_more(table, request);
    }
    if (request->pending == 0) {
        if (request->repair_failed < table->layout.slots) {
            request->read_error = 0;
        }
        finish(table, request);
    }
}

/* Everything has come back: only now may a failed write be told, because its read may have held the buffer until now. */
static void finish_or_repair(struct request_table *table, struct table_request *request)
{
    if (request->write_error != 0 && request->read_bytes > 0) {
        request->read_error = -ECANCELED;
    }
    if (request->write_error == 0 && request->can_repair && is_row(request) && !table->is_over) {
        repair_more(table, request);
    } else {
        finish(table, request);
    }
}

static void take_write(struct request_table *table, struct table_request *request, int result)
{
    if (result != (int)table->layout.block_bytes) {
        request->write_error = result < 0 ? result : -EIO;
    }
}

/* A short read is the end of a file or device that has shrunk: the whole disk is wrong, not some of its blocks. */
static void take_read(struct table_request *request, int result)
{
    if (result < 0) {
        request->read_error = result;
        request->can_repair = result != -ECANCELED;
    } else if ((uint32_t)result < request->read_bytes) {
        request->read_error = -ENODATA;
    }
}

void request_table_take(struct request_table *table, uint64_t token, int result)
{
    struct table_request *request = request_of_token(table, token);
    assert(request->state == REQUEST_IN_FLIGHT && request->pending > 0);
    request->pending--;
    switch (request_token_stage(token)) {
    case STAGE_REPAIR:
        repair_one(table, request, block_of_token(token), result);
        return;
    case STAGE_WRITE:
        take_write(table, request, result);
        break;
    case STAGE_READ:
        take_read(request, result);
        break;
    }
    if (request->pending == 0) {
        finish_or_repair(table, request);
    }
}

bool request_table_reap(struct disk_engine *engine, struct disk_completion *ret)
{
    struct request_table *table = (struct request_table *)engine;
    table->carrier->drain(table);
    if (table->done.count == 0) {
        return false;
    }
    uint32_t index = fifo_pop(&table->done, table->request_count);
    struct table_request *request = &table->requests[index];
    assert(request->state == REQUEST_DONE);
    request->state = REQUEST_REAPED;
    bool is_read = request->read_bytes > 0 && request->read_error == 0;
    *ret = (struct disk_completion){
        .tag = request->tag,
        .disk = request->disk,
        .write_error = request->write_error,
        .read_error = request->read_error,
        .bytes = is_read ? request->row : NULL,
        .request = index,
    };
    return true;
}

void request_table_release(struct disk_engine *engine, uint32_t request)
{
    struct request_table *table = (struct request_table *)engine;
    assert(request < table->request_count && table->requests[request].state == REQUEST_REAPED);
    table->requests[request].state = REQUEST_FREE;
    engine->in_flight--;
}
