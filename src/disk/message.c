#include "disk/message.h"

#include "block/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int message_set(int error, char *message, size_t message_bytes, const char *format, ...)
{
    if (message != NULL && message_bytes > 0) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(message, message_bytes, format, arguments);
        va_end(arguments);
    }
    return error;
}

void message_add(char *message, size_t message_bytes, const char *format, ...)
{
    if (message == NULL || message_bytes == 0) {
        return;
    }
    size_t used = strnlen(message, message_bytes - 1);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + used, message_bytes - used, format, arguments);
    va_end(arguments);
}

const char *message_duration(char text[DURATION_TEXT_BYTES], int64_t duration_ns)
{
    if (duration_ns % NS_PER_S == 0) {
        snprintf(text, DURATION_TEXT_BYTES, "%llds", (long long)(duration_ns / NS_PER_S));
    } else {
        snprintf(text, DURATION_TEXT_BYTES, "%gms", (double)duration_ns / (double)NS_PER_MS);
    }
    return text;
}
