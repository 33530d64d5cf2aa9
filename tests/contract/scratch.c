#include "scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[SCRATCH_PATH_BYTES / 2];

void scratch_init(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/diskarch-test-XXXXXX", parent != NULL ? parent : "/var/tmp");
    cr_assert(mkdtemp(directory) != NULL, "mkdtemp %s: %s", directory, strerror(errno));
}

void scratch_done(void)
{
    if (directory[0] != '\0') {
        scratch_run("rm -rf '%s'", directory);
    }
}

const char *scratch_path(const char *name)
{
    static char paths[32][SCRATCH_PATH_BYTES];
    static unsigned next;
    char *path = paths[next++ % 32];
    snprintf(path, SCRATCH_PATH_BYTES, "%s/%s", directory, name);
    return path;
}

const char *scratch_file(const char *name, uint64_t bytes)
{
    const char *path = scratch_path(name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert(fd >= 0, "create %s: %s", path, strerror(errno));
    close(fd);
    scratch_fill(path, 0, 0, bytes);
    return path;
}

void scratch_write(const char *path, uint64_t offset, const void *bytes, size_t count)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    cr_assert(fd >= 0, "open %s: %s", path, strerror(errno));
    cr_assert_eq(pwrite(fd, bytes, count, (off_t)offset), (ssize_t)count);
    cr_assert_eq(fsync(fd), 0);
    close(fd);
}

void scratch_read(const char *path, uint64_t offset, void *bytes, size_t count)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0, "open %s: %s", path, strerror(errno));
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    cr_assert_eq(pread(fd, bytes, count, (off_t)offset), (ssize_t)count);
    close(fd);
}

void scratch_fill(const char *path, uint64_t offset, uint8_t byte, size_t count)
{
    uint8_t *bytes = malloc(count + 1);
    cr_assert(bytes != NULL);
    memset(bytes, byte, count);
    scratch_write(path, offset, bytes, count);
    free(bytes);
}

/* FNV-1a. Not the CRC of the blocks: a CRC over bytes that end with their own CRC is the same whatever they say. */
uint64_t scratch_checksum(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return 0;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0, "open %s: %s", path, strerror(errno));
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    off_t size = lseek(fd, 0, SEEK_END);
    uint8_t *bytes = malloc((size_t)size + 1);
    cr_assert(bytes != NULL);
    cr_assert_eq(pread(fd, bytes, (size_t)size, 0), size);
    close(fd);
    uint64_t checksum = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)size;
    for (off_t i = 0; i < size; i++) {
        checksum = (checksum ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    free(bytes);
    return checksum;
}

void scratch_run(const char *format, ...)
{
    char command[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    int status = system(command);
    cr_assert_eq(status, 0, "%s: status %d", command, status);
}

/* Others ask for loop devices at the same time, so the free one may be gone when it is configured. */
void scratch_loop_attach(const char *file, uint32_t sector_bytes, struct scratch_loop *ret)
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    cr_assert(control >= 0, "/dev/loop-control: %s", strerror(errno));
    int backing = open(file, O_RDWR | O_CLOEXEC);
    cr_assert(backing >= 0, "open %s: %s", file, strerror(errno));
    struct loop_config config = {
        .fd = (uint32_t)backing,
        .block_size = sector_bytes,
        .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
    };
    int error = EBUSY;
    for (int attempt = 0; attempt < 100 && error == EBUSY; attempt++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        cr_assert(number >= 0, "no free loop device: %s", strerror(errno));
        snprintf(ret->path, sizeof ret->path, "/dev/loop%d", number);
        ret->fd = open(ret->path, O_RDWR | O_CLOEXEC);
        cr_assert(ret->fd >= 0, "open %s: %s", ret->path, strerror(errno));
        error = ioctl(ret->fd, LOOP_CONFIGURE, &config) == 0 ? 0 : errno;
        if (error != 0) {
            close(ret->fd);
        }
    }
    cr_assert_eq(error, 0, "loop device over %s: %s", file, strerror(error));
    struct loop_info64 info;
    cr_assert_eq(ioctl(ret->fd, LOOP_GET_STATUS64, &info), 0);
    cr_assert(info.lo_flags & LO_FLAGS_DIRECT_IO, "%s has no direct I/O", ret->path);
    /* A device that was turned read-only stays so when its next user comes. */
    scratch_loop_set_read_only(ret, false);
    close(backing);
    close(control);
}

void scratch_loop_set_read_only(const struct scratch_loop *loop, bool is_read_only)
{
    int value = is_read_only;
    cr_assert_eq(ioctl(loop->fd, BLKROSET, &value), 0, "%s: %s", loop->path, strerror(errno));
}

void scratch_loop_detach(struct scratch_loop *loop)
{
    scratch_loop_set_read_only(loop, false);
    close(loop->fd);
    loop->fd = -1;
}

struct format_options scratch_format_options(const char *const *paths, size_t count)
{
    return (struct format_options){
        .paths = paths,
        .path_count = count,
        .set_name = "scratch",
        .slots = SCRATCH_SLOTS,
        .registers = SCRATCH_REGISTERS,
        .timings = {.lease_ns = 200 * NS_PER_MS,
                    .renew_ns = 20 * NS_PER_MS,
                    .io_deadline_ns = 10 * NS_PER_MS,
                    .quarantine_ns = NS_PER_S,
                    .drift_ppm = 5000},
        .slot_reuse = true,
    };
}

struct set_header scratch_format(const char *const *paths, size_t count, uint32_t block_bytes)
{
    struct format_options options = scratch_format_options(paths, count);
    options.block_bytes = block_bytes;
    char message[DISK_MESSAGE_BYTES] = "";
    struct set_header header;
    int error = disk_format(&options, &header, message, sizeof message);
    cr_assert_eq(error, 0, "format: %s", message);
    return header;
}

void scratch_expect_message(const char *message, const char *thing, const char *reason, const char *remedy)
{
    cr_expect(strstr(message, thing) != NULL, "\"%s\" does not name %s", message, thing);
    cr_expect(strstr(message, reason) != NULL, "\"%s\" does not give the reason, %s", message, reason);
    cr_expect(strstr(message, remedy) != NULL, "\"%s\" does not give the remedy, %s", message, remedy);
}
