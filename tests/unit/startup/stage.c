#include "stage.h"

#include "block/limits.h"
#include "disk/format.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { IMAGE_BYTES = 256 << 10, SKIPPED = 77, LOOP = STAGE_DISKS - 1 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- Images ----------------------------------------------------------------------------------------------------------- */

static void image_write(const char *path, const uint8_t *bytes, size_t count)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || pwrite(fd, bytes, count, 0) != (ssize_t)count || fsync(fd) != 0 || ftruncate(fd, (off_t)count) != 0) {
        die(path);
    }
    close(fd);
}

/* NULL if there is no such file. The caller frees. */
static uint8_t *image_read(const char *path, size_t *ret_count)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        return NULL;
    }
    uint8_t *bytes = malloc((size_t)status.st_size + 1);
    if (bytes == NULL || pread(fd, bytes, (size_t)status.st_size, 0) != status.st_size) {
        die(path);
    }
    close(fd);
    *ret_count = (size_t)status.st_size;
    return bytes;
}

static void keep(struct stage *stage)
{
    for (int i = 0; i < STAGE_DISKS; i++) {
        free(stage->kept[i]);
        stage->kept[i] = image_read(stage->images[i], &stage->kept_bytes[i]);
    }
}

const char *stage_difference(const struct stage *stage)
{
    for (int i = 0; i < STAGE_DISKS; i++) {
        size_t count = 0;
        uint8_t *bytes = image_read(stage->images[i], &count);
        bool is_kept = (bytes == NULL) == (stage->kept[i] == NULL);
        if (is_kept && bytes != NULL) {
            is_kept = count == stage->kept_bytes[i] && memcmp(bytes, stage->kept[i], count) == 0;
        }
        free(bytes);
        if (!is_kept) {
            return stage->images[i];
        }
    }
    return NULL;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0;
}

bool stage_has_remains(const struct stage *stage)
{
    bool has_remains = false;
    for (int i = 0; i < STAGE_DISKS; i++) {
        size_t count = 0;
        uint8_t *bytes = image_read(stage->images[i], &count);
        if (stage->kept[i] == NULL) {
            has_remains = has_remains || bytes != NULL;
        } else {
            has_remains = has_remains || bytes == NULL || !is_zero(bytes, BLOCK_BYTES_MIN) ||
                          !is_zero(bytes + count - BLOCK_BYTES_MIN, BLOCK_BYTES_MIN);
        }
        free(bytes);
    }
    return has_remains;
}

static void await_device(const struct stage *stage)
{
    int fd = open(stage->paths[LOOP], O_RDONLY | O_EXCL | O_CLOEXEC);
    while (fd < 0 && errno == EBUSY) {
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
        fd = open(stage->paths[LOOP], O_RDONLY | O_EXCL | O_CLOEXEC);
    }
    if (fd < 0) {
        die(stage->paths[LOOP]);
    }
    close(fd);
}

void stage_restore(const struct stage *stage)
{
    await_device(stage);
    if (stage_difference(stage) == NULL) {
        return;
    }
    for (int i = 0; i < STAGE_DISKS; i++) {
        if (stage->kept[i] == NULL) {
            unlink(stage->images[i]);
        } else {
            image_write(stage->images[i], stage->kept[i], stage->kept_bytes[i]);
        }
    }
}

/* ---- The loop device -------------------------------------------------------------------------------------------------- */

/* Others ask for loop devices at the same time, so the free one may be gone when it is configured. */
static void loop_attach(struct stage *stage)
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int backing = open(stage->images[LOOP], O_RDWR | O_CLOEXEC);
    struct loop_config config = {.fd = (uint32_t)backing, .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO};
    for (int attempt = 0; control >= 0 && attempt < 100 && stage->loop_fd < 0; attempt++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        snprintf(stage->paths[LOOP], sizeof stage->paths[LOOP], "/dev/loop%d", number);
        int fd = number < 0 ? -1 : open(stage->paths[LOOP], O_RDWR | O_CLOEXEC);
        if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
            stage->loop_fd = fd;
        } else if (fd >= 0) {
            close(fd);
        }
    }
    close(control);
    close(backing);
    if (stage->loop_fd < 0) {
        printf("no loop device can be had here: %s\n", strerror(errno));
        stage_remove(stage);
        exit(SKIPPED);
    }
}

/* ---- The set ---------------------------------------------------------------------------------------------------------- */

static void format(const struct stage *stage)
{
    struct format_options options = {
        .paths = stage->disks,
        .path_count = STAGE_DISKS,
        .set_name = "stage",
        .slots = 4,
        .registers = 4,
        .timings = {.lease_ns = 3 * NS_PER_S,
                    .renew_ns = 300 * NS_PER_MS,
                    .io_deadline_ns = 300 * NS_PER_MS,
                    .quarantine_ns = NS_PER_S,
                    .drift_ppm = 5000},
        .slot_reuse = true,
    };
    struct set_header header;
    char message[1024] = "";
    if (disk_format(&options, &header, message, sizeof message) != 0) {
        fprintf(stderr, "format: %s\n", message);
        exit(1);
    }
}

void stage_make_blank(struct stage *stage)
{
    *stage = (struct stage){.directory = "startup-XXXXXX", .loop_fd = -1};
    if (mkdtemp(stage->directory) == NULL) {
        die("mkdtemp");
    }
    for (int i = 0; i < STAGE_DISKS; i++) {
        snprintf(stage->images[i], sizeof stage->images[i], "%s/disk%d", stage->directory, i);
        snprintf(stage->paths[i], sizeof stage->paths[i], "%s", stage->images[i]);
        stage->disks[i] = stage->paths[i];
    }
    uint8_t *zeros = calloc(1, IMAGE_BYTES);
    image_write(stage->images[LOOP], zeros, IMAGE_BYTES);
    free(zeros);
    loop_attach(stage);
    keep(stage);
}

void stage_make(struct stage *stage)
{
    stage_make_blank(stage);
    format(stage);
    keep(stage);
}

void stage_remove(struct stage *stage)
{
    if (stage->loop_fd >= 0) {
        close(stage->loop_fd);
    }
    for (int i = 0; i < STAGE_DISKS; i++) {
        unlink(stage->images[i]);
        free(stage->kept[i]);
    }
    rmdir(stage->directory);
}
