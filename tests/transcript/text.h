/* Text that grows: what a story has told so far, and files. */
#ifndef DISKARCH_TRANSCRIPT_TEXT_H
#define DISKARCH_TRANSCRIPT_TEXT_H

#include <stddef.h>

/* bytes[length] is always NUL once anything was added; zeroed means empty. */
struct text {
    char *bytes;
    size_t length, room;
};

/* Adds formatted text; memory that cannot be had ends the program. */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forgets the content, keeps the memory. */
void text_clear(struct text *text);

void text_done(struct text *text);

#endif
