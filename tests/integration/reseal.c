/*
 * reseal FILE OFFSET BYTES: makes the checksum at the end of so many bytes of a file right again, after a test has changed some of
 * them. So tests can make headers and blocks that no program of today writes.
 */
#include "block/crc32c.h"
#include "block/endian.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BYTES_MAX = 65536, CHECKSUM_BYTES = 4 };

int main(int argc, char **argv)
{
    static uint8_t bytes[BYTES_MAX];
    off_t offset = argc == 4 ? strtoll(argv[2], NULL, 10) : 0;
    size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (count <= CHECKSUM_BYTES || count > BYTES_MAX) {
        fprintf(stderr, "usage: reseal FILE OFFSET BYTES\n");
        return 2;
    }
    int fd = open(argv[1], O_RDWR | O_CLOEXEC);
    if (fd < 0 || pread(fd, bytes, count, offset) != (ssize_t)count) {
        perror(argv[1]);
        return 1;
    }
    le_store32(bytes + count - CHECKSUM_BYTES, crc32c(bytes, count - CHECKSUM_BYTES));
    if (pwrite(fd, bytes, count, offset) != (ssize_t)count || fsync(fd) != 0) {
        perror(argv[1]);
        return 1;
    }
    close(fd);
    return 0;
}
