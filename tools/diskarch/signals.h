/* Signals as something to poll: blocked everywhere, read from a descriptor, so that no code runs in a handler. */
#ifndef DISKARCH_COMMAND_SIGNALS_H
#define DISKARCH_COMMAND_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Blocks the signals, but for those that are ignored, and returns a descriptor that reads them, or ends the program. To be called before any thread is
 * started. SIGPIPE is blocked too: a reader that has gone is an error of writing.
 */
int signals_open(const int *signals, size_t count);

/* The next signal, 0 if there is none. *ret_is_terminal: the terminal sent it, to the whole foreground group. */
int signals_take(int fd, bool *ret_is_terminal);

#endif
