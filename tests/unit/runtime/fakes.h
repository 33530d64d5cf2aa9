/*
 * A node and a disk engine that do what a test says, linked instead of the real ones: src/runtime alone is under test.
 *
 * The names of campaigns are the script: see fakes.c. Everything the runtime does to the fakes is written down, under
 * one mutex.
 */
#ifndef DISKARCH_TESTS_RUNTIME_FAKES_H
#define DISKARCH_TESTS_RUNTIME_FAKES_H

#include "disk/disk.h"
#include "protocol/node.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { FAKE_LOG_MAX = 4096, FAKE_ROLES = 64, FAKE_REQUESTS_MAX = 16 };

struct fake_event {
    int incarnation; /* how many nodes there had been */
    enum event_kind kind;
    uint32_t role;
    uint32_t tag;
    bool is_write_ok, is_read_ok;
    char first_byte; /* of what was read */
    uint32_t call;   /* of a call or its cancellation */
    char text[128];  /* of a transfer the successor, of a campaign or publication the payload, of a call the name */
    uint32_t priority;
};

struct fake {
    pthread_mutex_t mutex;

    /* The node. */
    int incarnations;
    struct node_params params; /* of the last incarnation */
    struct fake_event log[FAKE_LOG_MAX];
    int log_count;
    int64_t lease_end_ns;
    uint64_t epochs[FAKE_ROLES];
    struct call_result results[NODE_CALLS_MAX];
    struct disk_report disk; /* what the node thinks of its only disk */

    /* The disk engine. */
    int wake_fd;
    int queue_error;  /* what queueing answers */
    int submit_error; /* what submitting and waiting answer */
    struct disk_request requests[FAKE_REQUESTS_MAX];
    int request_count;
    struct disk_completion completions[FAKE_REQUESTS_MAX];
    int completion_count;
    int released_count;
    bool is_reaping_slow; /* every turn takes a while before it clears its bell */
    int slow_count;       /* such turns that have begun */
    int closed_count;     /* engines: an engine is closed by the node thread, as the last thing it does */
};

extern struct fake fake;

/* All as new; no runtime is open. */
void fake_reset(void);

/* Finishes a request that was queued; its row begins with this byte. */
void fake_complete(int request, char first_byte);

/* Blocks until the condition holds under the mutex. */
#define FAKE_AWAIT(condition)                                                                                          \
    do {                                                                                                               \
        pthread_mutex_lock(&fake.mutex);                                                                               \
        bool fake_holds = (condition);                                                                                 \
        pthread_mutex_unlock(&fake.mutex);                                                                             \
        if (fake_holds) {                                                                                              \
            break;                                                                                                     \
        }                                                                                                              \
        fake_pause();                                                                                                  \
    } while (true)
void fake_pause(void);

/* The last event of a kind that any incarnation was given; it must be there. The mutex is held. */
const struct fake_event *fake_last(enum event_kind kind);

/* How many events of a kind an incarnation was given. The mutex is held. */
int fake_count(int incarnation, enum event_kind kind);

#endif
