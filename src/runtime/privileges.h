/*
 * What the operating system lets the node thread have: a real-time priority, so that a busy machine does not cost a
 * lease, and locked memory, so that a page fault does not. Neither is a condition of safety; a refusal is told with its
 * remedy.
 */
#ifndef DISKARCH_RUNTIME_PRIVILEGES_H
#define DISKARCH_RUNTIME_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/* Gives the calling thread the lowest real-time priority; its children do not inherit it. 0 or -errno. */
int privileges_take_realtime(void);

/* Locks the stack of the calling thread. 0 or -errno. */
int privileges_lock_stack(void);

/* Adds to the text what was refused and what helps; nothing if nothing was. Errors as returned by the calls, 0 for none. */
void privileges_explain(int realtime_error, int lock_error, char *text, size_t text_bytes);

#endif
