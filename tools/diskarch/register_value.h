/* Values of registers on their way from the command line, a file or a pipe, and to stdout. Knows no disk. */
#ifndef DISKARCH_COMMAND_REGISTER_VALUE_H
#define DISKARCH_COMMAND_REGISTER_VALUE_H

#include <diskarch/diskarch.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGISTER_VALUE_BYTES = 128 };

struct register_value {
    uint8_t bytes[REGISTER_VALUE_BYTES];
    size_t count;
};

/* How values are written on the command line and on stdout. */
enum register_notation {
    NOTATION_TEXT, /* given as it is, printed escaped after its version */
    NOTATION_HEX,  /* two hexadecimal digits a byte, printed after its version */
    NOTATION_RAW,  /* given as it is, printed as it is and alone */
    NOTATION_JSON, /* given as it is */
};

/* Each ends the program with usage_fail() if the value cannot be used: too long, not hexadecimal, not readable. */
void register_value_parse(const char *text, enum register_notation notation, struct register_value *ret);
void register_value_read(const char *path, struct register_value *ret); /* NULL: standard input */

/* The exit code of the output. */
int register_value_print(const char *name, enum register_notation notation, const struct diskarch_value *value);

#endif
