#include "register_value.h"

#include "documents.h"
#include "escape.h"
#include "report.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(((struct diskarch_value *)0)->bytes) == REGISTER_VALUE_BYTES, "a value of the library fits");

_Noreturn static void too_long(const char *source)
{
    usage_fail("%s: the value is too long; give at most %d bytes", source, REGISTER_VALUE_BYTES);
}

static uint8_t digit_value(char digit)
{
    return (uint8_t)(isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10);
}

static void hex_parse(const char *text, struct register_value *ret)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");
    if (text[digits] != '\0' || digits % 2 != 0) {
        usage_fail("\"%s\" is not hexadecimal; write two digits for each byte", escaped(text));
    }
    if (digits / 2 > REGISTER_VALUE_BYTES) {
        too_long("argument");
    }
    for (size_t i = 0; i < digits / 2; i++) {
        ret->bytes[i] = (uint8_t)(digit_value(text[2 * i]) << 4 | digit_value(text[2 * i + 1]));
    }
    ret->count = digits / 2;
}

void register_value_parse(const char *text, enum register_notation notation, struct register_value *ret)
{
    if (notation == NOTATION_HEX) {
        hex_parse(text, ret);
        return;
    }
    size_t length = strlen(text);
    if (length > REGISTER_VALUE_BYTES) {
        too_long("argument");
    }
    memcpy(ret->bytes, text, length);
    ret->count = length;
}

void register_value_read(const char *path, struct register_value *ret)
{
    const char *source = path == NULL ? "standard input" : escaped(path);
    int fd = path == NULL ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    uint8_t bytes[REGISTER_VALUE_BYTES + 1]; /* one more than there may be: what is too long shows */
    size_t count = 0;
    ssize_t taken = 0;
    do {
        taken = fd < 0 ? -1 : read(fd, bytes + count, sizeof(bytes) - count);
        count += taken > 0 ? (size_t)taken : 0;
    } while ((taken > 0 && count < sizeof(bytes)) || (taken < 0 && errno == EINTR));
    if (taken < 0) {
        usage_fail("%s: the value cannot be read: %s; name a file that can be", source, strerror(errno));
    }
    if (path != NULL) {
        close(fd);
    }
    if (count > REGISTER_VALUE_BYTES) {
        too_long(source);
    }
    memcpy(ret->bytes, bytes, count);
    ret->count = count;
}

static int print_json(const char *name, const struct diskarch_value *value)
{
    return json_print(json_pack("{s:o, s:I, s:o, s:o}", "name", json_text(name), "version", (json_int_t)value->version,
                                "value", json_bytes(value->bytes, value->bytes_used), "value_hex",
                                document_hex(value->bytes, value->bytes_used)));
}

int register_value_print(const char *name, enum register_notation notation, const struct diskarch_value *value)
{
    switch (notation) {
    case NOTATION_JSON:
        return print_json(name, value);
    case NOTATION_RAW:
        fwrite(value->bytes, 1, value->bytes_used, stdout);
        break;
    case NOTATION_HEX:
        printf("%" PRIu64 " ", value->version);
        for (size_t i = 0; i < value->bytes_used; i++) {
            printf("%02x", value->bytes[i]);
        }
        putchar('\n');
        break;
    case NOTATION_TEXT:
        printf("%" PRIu64 " %s\n", value->version, escaped_bytes(value->bytes, value->bytes_used));
        break;
    }
    return output_finish();
}
