/* The insides of a runtime, shared by its files: runtime.c is the owner's side, thread.c the node thread, which runs turn.h. */
#ifndef DISKARCH_RUNTIME_STATE_H
#define DISKARCH_RUNTIME_STATE_H

#include "disk/disk_set.h"
#include "runtime/area.h"
#include "runtime/recorder.h"
#include "runtime/runtime.h"
#include "runtime/turn.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

struct runtime {
    /* Constant while the thread runs. */
    struct disk_set set;
    uint32_t engine_depth;
    enum disk_engine_kind engine_kind;
    struct area_list areas;
    struct area_list recorder_areas; /* not locked: most of it is never looked at again */
    struct recorder *recorder;       /* NULL if nodes of this set are too large to be recorded */
    struct runtime_info info;
    pthread_t thread;
    sem_t started;
    int start_error;

    /* Between the threads, beside what is in the turn. */
    struct bell command_bell;
    struct bell notice_bell;
    _Atomic bool must_stop;

    struct turn turn;
};

/* The node thread: `argument` is its struct runtime. */
void *thread_main(void *argument);

#endif
