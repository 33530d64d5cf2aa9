#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void text_reserve(struct text *text, size_t more)
{
    if (text->length + more < text->room) {
        return;
    }
    size_t room = 2 * (text->length + more) + 1024;
    char *bytes = realloc(text->bytes, room);
    if (bytes == NULL) {
        fprintf(stderr, "diskarch-story: not enough memory\n");
        exit(2);
    }
    text->bytes = bytes;
    text->room = room;
}

void text_add(struct text *text, const char *format, ...)
{
    va_list list;
    va_list again;
    va_start(list, format);
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    text_reserve(text, (size_t)length + 1);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
    text->length += (size_t)length;
    va_end(again);
    va_end(list);
}

void text_clear(struct text *text)
{
    text_reserve(text, 1);
    text->length = 0;
    text->bytes[0] = '\0';
}

void text_done(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}
