/* What `tune` and `check --repair` say before they watch a set. */
#ifndef DISKARCH_COMMAND_IDLE_WATCH_WORDS_H
#define DISKARCH_COMMAND_IDLE_WATCH_WORDS_H

#include <stdint.h>

/* For struct tune_options. */
void tell_idle_watch(void *context, int64_t ns);

#endif
