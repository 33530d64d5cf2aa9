/* CRC-32C (Castagnoli), as in RFC 3720 section 12.1 and appendix B.4. */
#ifndef DISKARCH_BLOCK_CRC32C_H
#define DISKARCH_BLOCK_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of bytes[0..count). By the processor's instruction where there is one, else by tables; both give the
 * same result. Any thread; never fails.
 */
uint32_t crc32c(const void *bytes, size_t count);

/* The same by tables, whatever the processor: for tests that hold the two against each other. */
uint32_t crc32c_by_table(const void *bytes, size_t count);

/* Whether crc32c() uses the processor's instruction here. */
int crc32c_is_hardware(void);

#endif
