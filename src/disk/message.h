/* Messages for operators: the thing, the reason, the remedy, in one line of bounded length. */
#ifndef DISKARCH_DISK_MESSAGE_H
#define DISKARCH_DISK_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* Overwrites message (message_bytes long; NULL or 0: nothing happens). What does not fit is cut off. Returns `error`, so
 * that a refusal is one statement. */
int message_set(int error, char *message, size_t message_bytes, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds to the end of message, within message_bytes. */
void message_add(char *message, size_t message_bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));

enum { DURATION_TEXT_BYTES = 32 };

/* "10s", "500ms": the way in which durations are given on the command line. Returns text. */
const char *message_duration(char text[DURATION_TEXT_BYTES], int64_t duration_ns);

#endif
