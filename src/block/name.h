/* Names of sets, roles and nodes: 1 to NAME_BYTES_MAX bytes of printable UTF-8. */
#ifndef DISKARCH_BLOCK_NAME_H
#define DISKARCH_BLOCK_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum name_fault {
    NAME_OK,
    NAME_EMPTY,
    NAME_TOO_LONG,
    NAME_NOT_UTF8,
    NAME_NOT_PRINTABLE, /* a control character, C1 controls and bidirectional overrides included */
};

/* What is wrong with the NUL-terminated text as a name. */
enum name_fault name_check(const char *text);

/* Whether a field of NAME_FIELD_BYTES read from a disk holds a good name, terminated and padded with NUL. */
bool name_field_is_valid(const uint8_t *field);

/* Copies a good name into a field of NAME_FIELD_BYTES and pads it with NUL. An empty text gives an all-zero field. */
void name_field_store(uint8_t *field, const char *text);

/* Hash of a name, the start of its probe sequence (rule N1): 64-bit FNV-1a, then a finalizer that spreads the bits. */
uint64_t name_hash(const char *text);

#endif
