/*
 * Runs a process whose system calls are answered from outside: a filter stops each call of call_kinds[], and this side
 * either lets it go on or gives it an error. So it makes no difference who makes the call, be it in assembly: liburing and
 * libaio do.
 */
#ifndef DISKARCH_TESTS_STARTUP_SUPERVISE_H
#define DISKARCH_TESTS_STARTUP_SUPERVISE_H

#include "injection.h"

struct outcome {
    bool is_hung;    /* it did not end by itself */
    int wait_status; /* as waitpid() gives it */
};

/* Forks; the child calls begin(context), which must not return, under the filter. Only calls of that process count, not those
 * of its children. Returns when it has ended. */
struct outcome supervise(struct injection *page, void (*begin)(void *context), void *context);

#endif
