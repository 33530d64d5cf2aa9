/* A replayed step in words, for people: what came, what the node wanted done, what it had to say. */
#ifndef DISKARCH_RUNTIME_REPLAY_TEXT_H
#define DISKARCH_RUNTIME_REPLAY_TEXT_H

#include "runtime/replay.h"

#include <stdio.h>

/* Begins a segment: which node, of which set. Names are printed through `print_name`, which makes them fit to print. */
typedef void replay_print_name(FILE *to, const char *name);

void replay_print_segment(FILE *to, const struct replay *replay, replay_print_name *print_name);
void replay_print_step(FILE *to, const struct replay_step *step, replay_print_name *print_name);

#endif
