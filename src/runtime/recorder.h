/*
 * The flight recorder: the last steps of a node, always on, in memory that is mapped at the start.
 *
 * A step is a pure function, so a copy of the node and the events that came after it are all that is needed to see every
 * decision again: `diskarch-sim --replay`. Two segments take turns, each with a copy of the node at its beginning; together
 * they hold at least the last RECORDER_STEPS steps, unless rows change so much that their bytes are used up before. The node thread
 * writes and never waits; anybody may save.
 */
#ifndef DISKARCH_RUNTIME_RECORDER_H
#define DISKARCH_RUNTIME_RECORDER_H

#include "protocol/node.h"
#include "runtime/area.h"
#include "runtime/recording.h"

enum {
    RECORDER_STEPS = 10000,
    RECORDER_SEGMENTS = 2,
    RECORDER_SEGMENT_BYTES = 4 << 20,   /* of events */
    RECORDER_NODE_BYTES_MAX = 16 << 20, /* a larger node is not recorded: its copies would cost too much */
};

struct recorder;

/* Maps a recorder for nodes of these params; *ret is NULL if such a node is too large to be recorded. 0 or -errno. */
int recorder_map(struct area_list *areas, const struct node_params *params, struct recorder **ret);

/* ---- The node thread; a NULL recorder is fine ---- */

/* A new incarnation begins: its node, made with these params, before its first step. */
void recorder_begin(struct recorder *recorder, const struct node_params *params, const struct node *node);

/* The event of the next step, and then what that step wanted done. */
void recorder_event(struct recorder *recorder, const struct event *event);
void recorder_actions(struct recorder *recorder, const struct actions *actions);

/* ---- Any thread ---- */

/* Writes everything there is, the older segment first. Blocks on the descriptor only, never the node thread: what happens
 * meanwhile and does not fit is not recorded. 0 or -errno; -EBUSY while another thread saves, -EOPNOTSUPP without a recorder. */
int recorder_save(struct recorder *recorder, int fd);

/* ---- Reading a file ---- */

/*
 * The head of a file and of each segment in it, in the byte order and layout of the build that wrote it: only the same
 * build can replay it, and the sizes tell. The checksums tell what was damaged since. They are no protection: a node is
 * taken from the file as it stood in memory, so whoever forges one has the reading program in his hands.
 */
struct recorder_file_head {
    char magic[8]; /* RECORDER_MAGIC */
    char version[32];
    uint32_t segment_count;
    uint32_t head_bytes; /* sizeof(struct recorder_segment_head) */
};

#define RECORDER_MAGIC "DKRECORD"

struct recorder_segment_head {
    struct node_params params;
    uint64_t node_bytes;                           /* of the node's copy, which follows */
    uint64_t event_bytes;                          /* of the steps, which follow that */
    struct io_action requests[RECORDING_TAGS_MAX]; /* in flight when the segment began, by tag */
    uint32_t node_checksum;                        /* CRC-32C of the node's copy */
    uint32_t event_checksum;                       /* of the steps */
    uint32_t head_checksum;                        /* of this head up to here */
};

#endif
