#include "runtime/privileges.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int privileges_take_realtime(void)
{
    struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) == 0 ? 0 : -errno;
}

int privileges_lock_stack(void)
{
    pthread_attr_t attributes;
    void *stack;
    size_t bytes;
    int error = pthread_getattr_np(pthread_self(), &attributes);
    if (error != 0) {
        return -error;
    }
    error = pthread_attr_getstack(&attributes, &stack, &bytes);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        return -error;
    }
    return mlock2(stack, bytes, MLOCK_ONFAULT) == 0 ? 0 : -errno;
}

/* Appends to the text, cutting it where the room ends. */
static void append(char *text, size_t text_bytes, const char *what, int error, const char *remedy)
{
    size_t used = strlen(text);
    snprintf(text + used, text_bytes - used, "%s%s: %s; %s", used > 0 ? ". " : "", what, strerrordesc_np(-error),
             remedy);
}

void privileges_explain(int realtime_error, int lock_error, char *text, size_t text_bytes)
{
    if (realtime_error != 0) {
        append(text, text_bytes, "no real-time priority", realtime_error,
               "grant CAP_SYS_NICE or raise RLIMIT_RTPRIO to 1");
    }
    if (lock_error != 0) {
        append(text, text_bytes, "memory not locked", lock_error, "grant CAP_IPC_LOCK or raise RLIMIT_MEMLOCK");
    }
}
