/*
 * Who stays behind when this process ends while a disk hangs.
 *
 * The kernel lets the last user of an address space go only when every libaio request in it has ended, and no signal
 * helps meanwhile: a process with requests on a hung disk could not be ended. So a second process shares this one's
 * memory, and nothing else, and waits for its end. The first one is then not the last user and ends at once; what stays in
 * the kernel until the disk answers, holding no descriptor of anybody, is the caretaker.
 *
 * It does not help where both are killed at the same instant (a whole control group, say): then either may be the last.
 */
#ifndef DISKARCH_DISK_CARETAKER_H
#define DISKARCH_DISK_CARETAKER_H

#include <sys/types.h>

/* What ps shows of it. */
#define CARETAKER_NAME "diskarch-aio"

struct caretaker {
    pid_t owner; /* the process that is looked after; a forked child inherits this struct but is not it */
    pid_t pid;   /* 0: there is none */
    int process_fd;
    int line[2]; /* a pipe, on which the caretaker is told to go: by a byte, or by its end where the owner calls exec */
    void *stack;
};

/* Begins to take care. 0 or -errno; then *ret_what is the step that failed, and *caretaker as if ended. */
int caretaker_begin(struct caretaker *caretaker, const char **ret_what);

/* Ends it. No libaio request may be in flight any more. Fine on one that has not begun. */
void caretaker_end(struct caretaker *caretaker);

#endif
