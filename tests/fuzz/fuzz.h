/*
 * What every fuzz target shares: one input as a stream of bytes, checks that end the program, and blocks whose checksum is
 * made good so that damage reaches the decoders.
 *
 * A target is one function. In the preset `fuzz` libFuzzer calls it; in every other build main.c calls it with the inputs
 * that are kept in corpus/.
 */
#ifndef DISKARCH_TESTS_FUZZ_H
#define DISKARCH_TESTS_FUZZ_H

#include "block/block.h"
#include "block/header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Always 0. What is wrong ends the program by a signal. Keeps nothing from one input to the next. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Like assert(), for what a target demands of the code under test. */
#define FUZZ_CHECK(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* An input that is being taken apart. Where it ends, everything is zero. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

uint8_t fuzz_take8(struct fuzz_input *input);
uint16_t fuzz_take16(struct fuzz_input *input);
uint64_t fuzz_take64(struct fuzz_input *input);

/* Overwrites at most `count` bytes with what is left of the input. */
void fuzz_take_bytes(struct fuzz_input *input, uint8_t *to, size_t count);

/* Makes the bytes of a block whole again at this place, whatever stands between its head and its checksum. */
void fuzz_seal_block(uint8_t *bytes, uint32_t block_bytes, const struct block_place *place);

/* The same of a header: magic, this major version, checksum. */
void fuzz_seal_header(uint8_t *bytes);

/* Whether a field of NAME_FIELD_BYTES holds a good name or nothing at all. */
bool fuzz_name_is_sound(const char *field);

/* A set of as many disks, with the usual timings: 512-byte blocks, names and UUIDs that are always the same. */
struct set_header fuzz_set_header(uint32_t disks, uint32_t slots, uint32_t registers);

#endif
