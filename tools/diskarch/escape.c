#include "escape.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BUFFERS = 8, BUFFER_BYTES = 4 * 4096 + 1 };

static bool character_is_safe(uint32_t character)
{
    bool is_control = character < 0x20 || (character >= 0x7f && character < 0xa0);
    bool is_direction = character == 0x061c || character == 0x200e || character == 0x200f ||
                        (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
    bool is_line_break = character == 0x2028 || character == 0x2029;
    return !is_control && !is_direction && !is_line_break;
}

/* Bytes of the UTF-8 character that the bytes begin with, 0 if there is none. */
static size_t character_read(const uint8_t *bytes, size_t count, uint32_t *ret_character)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least; /* a smaller character has a shorter form, which is the only valid one */
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]) && form < count; form++) {
        if ((bytes[0] & forms[form].mask) != forms[form].lead) {
            continue;
        }
        uint32_t character = (uint32_t)(bytes[0] & (uint8_t)~forms[form].mask);
        for (size_t i = 1; i <= form; i++) {
            if ((bytes[i] & 0xc0) != 0x80) {
                return 0;
            }
            character = character << 6 | (bytes[i] & 0x3f);
        }
        bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
        if (character < forms[form].least || character > 0x10ffff || is_surrogate) {
            return 0;
        }
        *ret_character = character;
        return form + 1;
    }
    return 0;
}

/* One character, or one byte that is none, escaped where it must be. False, and nothing written, if room is short. */
static bool character_put(const uint8_t *bytes, size_t taken, bool is_safe, char *ret, size_t room, size_t *used)
{
    bool is_doubled = is_safe && bytes[0] == '\\';
    size_t needed = is_safe ? taken + is_doubled : 4 * taken;
    if (*used + needed + 1 > room) {
        return false;
    }
    if (is_doubled) {
        ret[(*used)++] = '\\';
    }
    for (size_t i = 0; i < taken; i++) {
        if (is_safe) {
            ret[(*used)++] = (char)bytes[i];
        } else {
            *used += (size_t)snprintf(ret + *used, room - *used, "\\x%02x", bytes[i]);
        }
    }
    return true;
}

const char *escape_bytes(const void *bytes, size_t count, char *ret, size_t room)
{
    assert(room > 0);
    const uint8_t *at = bytes;
    const uint8_t *end = at + count;
    size_t used = 0;
    while (at < end) {
        uint32_t character = 0;
        size_t length = character_read(at, (size_t)(end - at), &character);
        bool is_safe = length > 0 && character_is_safe(character);
        size_t taken = length > 0 ? length : 1;
        if (!character_put(at, taken, is_safe, ret, room, &used)) {
            break;
        }
        at += taken;
    }
    ret[used] = '\0';
    return ret;
}

const char *escape_text(const char *text, char *ret, size_t room)
{
    return escape_bytes(text, strlen(text), ret, room);
}

bool escape_is_needless(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    const uint8_t *end = at + strlen(text);
    while (at < end) {
        uint32_t character = 0;
        size_t length = character_read(at, (size_t)(end - at), &character);
        if (length == 0 || (*at != '\n' && !character_is_safe(character))) {
            return false;
        }
        at += length;
    }
    return true;
}

const char *escaped_bytes(const void *bytes, size_t count)
{
    static char buffers[BUFFERS][BUFFER_BYTES];
    static size_t next;
    next = (next + 1) % BUFFERS;
    return escape_bytes(bytes, count, buffers[next], sizeof(buffers[next]));
}

const char *escaped(const char *text)
{
    return escaped_bytes(text, strlen(text));
}
