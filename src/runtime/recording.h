/*
 * The steps of a node as bytes, and back: what the flight recorder keeps and what a replay reads.
 *
 * Of each step the event is kept whole and the actions as a digest, for a node that gets the same event again must come to
 * the same actions. Rows are most of the bytes and hardly change between two reads, so a row is kept as the words that
 * differ from what the same row of the same disk showed before. Knows nothing of files and threads.
 */
#ifndef DISKARCH_RUNTIME_RECORDING_H
#define DISKARCH_RUNTIME_RECORDING_H

#include "protocol/node.h"

enum {
    RECORDING_TAGS_MAX = 1024,  /* requests in flight, over all disks */
    RECORDING_ROWS_MAX = 64,    /* rows remembered */
    RECORDING_TEXT_BYTES = 512, /* strings and payloads of one event */
};

/* A row as it was read last. */
struct recording_row {
    bool is_used;
    uint32_t disk;
    uint32_t row;
    uint64_t used;  /* when, by a count of uses: the one used longest ago makes room */
    uint8_t *bytes; /* row_bytes */
};

/* What writer and reader must know alike. */
struct recording {
    uint32_t row_bytes;
    uint32_t block_bytes;
    struct io_action requests[RECORDING_TAGS_MAX]; /* by tag, without blocks: what each completion answers */
    struct recording_row rows[RECORDING_ROWS_MAX];
    uint32_t row_count;
    uint64_t uses;
};

/* Bytes of rows that recording_init() needs. */
size_t recording_bytes(const struct layout *layout);

void recording_init(struct recording *recording, const struct layout *layout, void *row_memory);

/* Forgets every row: what is written from now on can be read without what was written before. */
void recording_restart(struct recording *recording);

/* The most bytes one step can take. */
size_t recording_step_bytes(const struct layout *layout);

/* Writes an event, before its step; `to` has room for recording_step_bytes(). The bytes used. */
size_t recording_write_event(struct recording *recording, const struct event *event, uint8_t *to);

/* Writes what the step wanted done, right behind its event. The bytes used. */
size_t recording_write_actions(struct recording *recording, const struct actions *actions, uint8_t *to);

/* The same without writing: for a step that is not kept. */
void recording_note_requests(struct recording *recording, const struct actions *actions);

/* Where the strings and payloads of an event that was read live. */
struct recording_text {
    uint8_t bytes[RECORDING_TEXT_BYTES];
    size_t used;
};

/*
 * Reads an event; its pointers are into `recording` and `ret_text`, valid until the next one is read. The bytes used, 0 if
 * these bytes are no event. Any bytes are safe to read.
 */
size_t recording_read_event(struct recording *recording, const uint8_t *from, size_t count, struct event *ret,
                            struct recording_text *ret_text);

/* Reads what the step had wanted done and says whether `actions` are that. The bytes used, 0 if there are too few. */
size_t recording_read_actions(struct recording *recording, const uint8_t *from, size_t count,
                              const struct actions *actions, bool *ret_is_same);

#endif
