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

/* Bytes of the UTF-8 character that text begins with, 0 if there is none. */
static size_t character_read(const char *text, uint32_t *ret_character)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least; /* a smaller character has a shorter form, which is the only valid one */
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const uint8_t *bytes = (const uint8_t *)text;
    for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
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

const char *escape_text(const char *text, char *ret, size_t room)
{
    assert(room > 0);
    size_t used = 0;
    while (*text != '\0') {
        uint32_t character = 0;
        size_t bytes = character_read(text, &character);
        bool is_safe = bytes > 0 && character_is_safe(character);
        size_t taken = bytes > 0 ? bytes : 1;
        size_t needed = is_safe ? taken + (character == '\\') : 4 * taken;
        if (used + needed + 1 > room) {
            break;
        }
        for (size_t i = 0; i < taken; i++) {
            if (!is_safe) {
                used += (size_t)snprintf(ret + used, room - used, "\\x%02x", (unsigned)(uint8_t)text[i]);
            } else {
                if (character == '\\') {
                    ret[used++] = '\\';
                }
                ret[used++] = text[i];
            }
        }
        text += taken;
    }
    ret[used] = '\0';
    return ret;
}

const char *escaped(const char *text)
{
    static char buffers[BUFFERS][BUFFER_BYTES];
    static size_t next;
    next = (next + 1) % BUFFERS;
    return escape_text(text, buffers[next], sizeof(buffers[next]));
}
