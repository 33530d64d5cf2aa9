/*
 * Text from disks, host names and paths on its way to a terminal. Whoever can write to a shared disk could otherwise
 * move the cursor, change colours or turn the direction of writing in an operator's terminal.
 */
#ifndef DISKARCH_COMMAND_ESCAPE_H
#define DISKARCH_COMMAND_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Room that escape_text() needs for a text of that many bytes, the final NUL included. */
#define ESCAPED_BYTES(bytes) (4 * (bytes) + 1)

/*
 * Copies text, with \xNN for each byte of a control character, of a character that changes the direction of writing,
 * and of anything that is not UTF-8; a backslash becomes \\. Cuts at a whole character if room is short. Returns ret.
 */
const char *escape_text(const char *text, char *ret, size_t room);

/* The same of any bytes, a NUL among them too: payloads and values of registers. */
const char *escape_bytes(const void *bytes, size_t count, char *ret, size_t room);

/* Whether the lines of text hold nothing that escape_text() would write as \xNN. */
bool escape_is_needless(const char *text);

/* The same as escape_text() into one of a few static buffers, in turn: for up to eight arguments of one printf. One thread only. */
const char *escaped(const char *text);
const char *escaped_bytes(const void *bytes, size_t count);

#endif
