/*
 * Reading what a flight recorder has saved, by doing it again: each event goes to a node that stands where the recorded one
 * stood, and its actions are held against the recorded ones. Only a program of the same build can do so.
 */
#ifndef DISKARCH_RUNTIME_REPLAY_H
#define DISKARCH_RUNTIME_REPLAY_H

#include "protocol/node.h"

#include <stdbool.h>
#include <stdint.h>

struct replay;

enum replay_progress {
    REPLAY_STEP,    /* one step was done */
    REPLAY_SEGMENT, /* a segment begins: a node as it was at some time, or a new incarnation */
    REPLAY_END,
    REPLAY_BROKEN, /* the file does not go on as it should: replay_message() says why */
};

struct replay_step {
    uint64_t number; /* from 1 on, in its segment */
    struct event event;
    struct actions actions;
    bool is_same;                    /* the actions are the recorded ones */
    const struct io_action *request; /* EVENT_IO: what was asked for */
};

/* Opens a recording. 0 or -errno (-EINVAL for a file that is none); then `message` says why. */
int replay_open(const char *path, struct replay **ret, char *message, size_t message_bytes);
void replay_close(struct replay *replay);

/* Goes on by one. What *ret points to is valid until the next call. */
enum replay_progress replay_next(struct replay *replay, struct replay_step *ret);

/* Of the segment that is being replayed; NULL before the first. */
const struct node *replay_node(const struct replay *replay);
const struct node_params *replay_params(const struct replay *replay);

const char *replay_message(const struct replay *replay);

#endif
