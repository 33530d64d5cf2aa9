/* What two threads share, under load: a plain program, so that the thread sanitizer watches it too. */
#include "block/limits.h"
#include "runtime/bell.h"
#include "runtime/lease_page.h"
#include "runtime/payload_box.h"
#include "runtime/queue.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 200000, ROOM = 64, TURNS = 200000, READERS = 2 };

#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(bool is_true, const char *condition, int line)
{
    if (!is_true) {
        fprintf(stderr, "threads_test.c:%d: this does not hold: %s\n", line, condition);
        exit(1);
    }
}

/* ---- A queue with a bell: nothing is lost, nothing is doubled, nobody sleeps through a ring ---------------------- */

struct item {
    uint64_t number;
    uint64_t complement;
};

static struct queue queue;
static struct bell bell;

static void *put_items(void *unused)
{
    (void)unused;
    for (uint64_t i = 0; i < ITEMS; i++) {
        struct item item = {.number = i, .complement = ~i};
        while (!queue_put(&queue, &item)) {
            bell_ring(&bell);
        }
        bell_ring(&bell);
    }
    return NULL;
}

static void take_items(bool is_polling)
{
    for (uint64_t expected = 0; expected < ITEMS;) {
        struct item item;
        uint32_t seen = bell_rings(&bell);
        if (is_polling) {
            bell_clear(&bell);
        }
        if (queue_take(&queue, &item)) {
            CHECK(item.number == expected && item.complement == ~expected);
            expected++;
            if (is_polling) {
                bell_keep_readable(&bell); /* there may be more */
            }
        } else if (is_polling) {
            CHECK(poll(&(struct pollfd){.fd = bell.fd, .events = POLLIN}, 1, -1) == 1);
        } else {
            bell_wait(&bell, seen, -1);
        }
    }
}

static void test_queue(bool is_polling)
{
    static struct item memory[ROOM];
    pthread_t putter;
    queue_init(&queue, memory, ROOM, sizeof memory[0]);
    CHECK(bell_open(&bell) == 0);
    CHECK(pthread_create(&putter, NULL, put_items, NULL) == 0);
    take_items(is_polling);
    CHECK(pthread_join(putter, NULL) == 0);
    bell_close(&bell);
}

static void test_bell_timeout(void)
{
    CHECK(bell_open(&bell) == 0);
    bell_wait(&bell, bell_rings(&bell), NS_PER_MS);
    bell_wait(&bell, bell_rings(&bell) + 1, -1); /* another count: does not sleep at all */
    bell_close(&bell);
}

/* ---- The lease page: a reader never sees two turns mixed, nor a lease together with an epoch of the one before --- */

static struct lease_page *page;

/* Turn k has lease k, and its epoch is k as well, published in the order that an incarnation's end demands. */
static void *publish_turns(void *unused)
{
    (void)unused;
    for (int64_t k = 1; k <= TURNS; k++) {
        struct lease_view view = {.fast_ns = k, .at = {.boot_ns = 2 * k, .raw_ns = 3 * k}, .end_ns = 4 * k};
        lease_page_set_epoch(page, 0, 0);
        lease_page_publish(page, &view);
        lease_page_set_epoch(page, 0, (uint64_t)k);
    }
    return NULL;
}

static void *read_turns(void *unused)
{
    (void)unused;
    int64_t last_ns = 0;
    while (last_ns < TURNS) {
        struct lease_view view = lease_page_view(page);
        uint64_t epoch = atomic_load_explicit(&page->epochs[0], memory_order_acquire);
        CHECK(view.at.boot_ns == 2 * view.fast_ns && view.at.raw_ns == 3 * view.fast_ns &&
              view.end_ns == 4 * view.fast_ns);
        CHECK(view.fast_ns >= last_ns);
        CHECK(epoch == 0 || epoch >= (uint64_t)view.fast_ns);
        last_ns = view.fast_ns;
    }
    return NULL;
}

static void test_lease_page(void)
{
    pthread_t readers[READERS], writer;
    CHECK(lease_page_map(1, &page) == 0);
    for (int i = 0; i < READERS; i++) {
        CHECK(pthread_create(&readers[i], NULL, read_turns, NULL) == 0);
    }
    CHECK(pthread_create(&writer, NULL, publish_turns, NULL) == 0);
    CHECK(pthread_join(writer, NULL) == 0);
    for (int i = 0; i < READERS; i++) {
        CHECK(pthread_join(readers[i], NULL) == 0);
    }
    lease_page_unmap(page, 1);
}

/* ---- A payload box: every payload that is taken is whole, they come in order, and the last one arrives ------------ */

static struct payload_box payload_box;

static void *publish_without_pause(void *unused)
{
    (void)unused;
    for (uint32_t i = 1; i <= ITEMS; i++) {
        uint32_t words[2] = {i, ~i};
        payload_box_put(&payload_box, words, sizeof words);
    }
    return NULL;
}

static void test_payload_box(void)
{
    pthread_t thread;
    uint32_t last = 0;
    CHECK(pthread_create(&thread, NULL, publish_without_pause, NULL) == 0);
    while (last < ITEMS) {
        struct payload payload;
        uint32_t words[2];
        if (payload_box_take(&payload_box, &payload)) {
            CHECK(payload.byte_count == sizeof words);
            memcpy(words, payload.bytes, sizeof words);
            CHECK(words[1] == ~words[0] && words[0] > last);
            last = words[0];
        }
    }
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    test_queue(true);
    test_queue(false);
    test_bell_timeout();
    test_lease_page();
    test_payload_box();
    return 0;
}
