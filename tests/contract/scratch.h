/*
 * Scratch disks for tests: files in a directory of their own, loop devices over them, and sets formatted on either.
 * Everything goes away with scratch_done(); a loop device goes away with the process that attached it, however that ends.
 */
#ifndef DISKARCH_TESTS_CONTRACT_SCRATCH_H
#define DISKARCH_TESTS_CONTRACT_SCRATCH_H

#include "disk/disk_set.h"
#include "disk/format.h"

#include <stdbool.h>
#include <stdint.h>

enum { SCRATCH_PATH_BYTES = 256, SCRATCH_SLOTS = 8, SCRATCH_REGISTERS = 4 };

/* Makes the directory, in TMPDIR or /var/tmp: there is direct I/O, as there may not be in /tmp. */
void scratch_init(void);
void scratch_done(void);

/* The path of a name in the directory: static storage, one for each of 32 calls. */
const char *scratch_path(const char *name);

/* A file of that many bytes, all zeros, really written. Returns its path. */
const char *scratch_file(const char *name, uint64_t bytes);

void scratch_write(const char *path, uint64_t offset, const void *bytes, size_t count);
void scratch_read(const char *path, uint64_t offset, void *bytes, size_t count);
void scratch_fill(const char *path, uint64_t offset, uint8_t byte, size_t count);

/* A checksum over size and content, to see that nothing was written; 0 for a file that does not exist. */
uint64_t scratch_checksum(const char *path);

/* Runs a command with sh; asserts that it succeeds. */
__attribute__((format(printf, 1, 2))) void scratch_run(const char *format, ...);

/* A loop device over the file, with direct I/O. */
struct scratch_loop {
    char path[32];
    int fd;
};
void scratch_loop_attach(const char *file, uint32_t sector_bytes, struct scratch_loop *ret);
void scratch_loop_set_read_only(const struct scratch_loop *loop, bool is_read_only);
void scratch_loop_detach(struct scratch_loop *loop);

/* Options that name these disks and are otherwise fine: a small set "scratch" with a lease of 200 ms. */
struct format_options scratch_format_options(const char *const *paths, size_t count);

/* Formats; asserts that it succeeds. */
struct set_header scratch_format(const char *const *paths, size_t count, uint32_t block_bytes);

/* Asserts that the message names the thing, the reason and the remedy. */
void scratch_expect_message(const char *message, const char *thing, const char *reason, const char *remedy);

#endif
