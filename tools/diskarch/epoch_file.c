#include "epoch_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, MODE = 0644 };

static int file_fill(int fd, const char *text)
{
    if (dprintf(fd, "%s\n", text) < 0 || fchmod(fd, MODE) != 0 || fsync(fd) != 0) {
        return -errno;
    }
    return 0;
}

int epoch_file_write(const char *path, const char *text)
{
    char temporary[PATH_BYTES];
    int length = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof(temporary)) {
        return -ENAMETOOLONG;
    }
    int fd = mkostemp(temporary, 0);
    if (fd < 0) {
        return -errno;
    }
    int status = file_fill(fd, text);
    close(fd);
    if (status == 0 && rename(temporary, path) != 0) {
        status = -errno;
    }
    if (status != 0) {
        unlink(temporary);
    }
    return status;
}
