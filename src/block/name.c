#include "block/name.h"

#include "block/limits.h"
#include "block/mix.h"

#include <assert.h>
#include <string.h>

struct range {
    uint32_t first, last;
};

/* Code points that print nothing, or change how their neighbours print: with them two names could look the same. */
static const struct range not_printable[] = {
    {0x00, 0x1f},       /* C0 controls */
    {0x7f, 0x9f},       /* delete, C1 controls */
    {0xad, 0xad},       /* soft hyphen */
    {0x61c, 0x61c},     /* Arabic letter mark */
    {0x180e, 0x180e},   /* Mongolian vowel separator */
    {0x200b, 0x200f},   /* zero width, left-to-right and right-to-left marks */
    {0x2028, 0x202e},   /* line and paragraph separators, bidirectional embeddings and overrides */
    {0x2060, 0x206f},   /* invisible operators, bidirectional isolates */
    {0xfdd0, 0xfdef},   /* not characters */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xfff9, 0xfffb},   /* interlinear annotation */
    {0xe0000, 0xe0fff}, /* tags, variation selectors */
};

static bool is_printable(uint32_t code_point)
{
    if (code_point >= 0x20 && code_point < 0x7f) {
        return true; /* nearly every name, in every block that is read */
    }
    if ((code_point & 0xfffe) == 0xfffe) { /* the last two of every plane are not characters */
        return false;
    }
    for (size_t i = 0; i < sizeof not_printable / sizeof *not_printable; i++) {
        if (code_point >= not_printable[i].first && code_point <= not_printable[i].last) {
            return false;
        }
    }
    return true;
}

/* Bytes of the sequence that this byte begins; 0 if none can. */
static size_t sequence_bytes(uint8_t first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2) { /* a continuation, or the beginning of an overlong form */
        return 0;
    }
    if (first < 0xe0) {
        return 2;
    }
    if (first < 0xf0) {
        return 3;
    }
    return first < 0xf5 ? 4 : 0;
}

/* One code point of NUL-terminated text. Bytes taken, 0 if this is not UTF-8; never reads beyond the NUL. */
static size_t decode_code_point(const uint8_t *text, uint32_t *ret_code_point)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t first_mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t count = sequence_bytes(text[0]);
    if (count == 0) {
        return 0;
    }
    uint32_t code_point = text[0] & first_mask[count];
    for (size_t i = 1; i < count; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        code_point = code_point << 6 | (text[i] & 0x3f);
    }
    bool is_surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    if (code_point < least[count] || code_point > 0x10ffff || is_surrogate) {
        return 0;
    }
    *ret_code_point = code_point;
    return count;
}

enum name_fault name_check(const char *text)
{
    if (text[0] == '\0') {
        return NAME_EMPTY;
    }
    if (strlen(text) > NAME_BYTES_MAX) {
        return NAME_TOO_LONG;
    }
    bool is_all_printable = true;
    for (const uint8_t *at = (const uint8_t *)text; *at != '\0';) {
        uint32_t code_point;
        size_t count = decode_code_point(at, &code_point);
        if (count == 0) {
            return NAME_NOT_UTF8;
        }
        is_all_printable = is_all_printable && is_printable(code_point);
        at += count;
    }
    return is_all_printable ? NAME_OK : NAME_NOT_PRINTABLE;
}

bool name_field_is_valid(const uint8_t *field)
{
    size_t length = 0;
    while (length < NAME_FIELD_BYTES && field[length] != '\0') {
        length++;
    }
    for (size_t i = length; i < NAME_FIELD_BYTES; i++) {
        if (field[i] != '\0') {
            return false;
        }
    }
    return length < NAME_FIELD_BYTES && name_check((const char *)field) == NAME_OK;
}

void name_field_store(uint8_t *field, const char *text)
{
    assert(text[0] == '\0' || name_check(text) == NAME_OK);
    size_t length = strlen(text);
    memcpy(field, text, length);
    memset(field + length, 0, NAME_FIELD_BYTES - length);
}

uint64_t name_hash(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const uint8_t *at = (const uint8_t *)text; *at != '\0'; at++) {
        hash = (hash ^ *at) * UINT64_C(0x100000001b3);
    }
    return mix64(hash);
}
