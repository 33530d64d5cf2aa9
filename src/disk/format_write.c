/*
 * Writes a set: old headers off, every row stamped empty, new headers on, headers read again. Until the first block of a
 * disk stands, nobody takes it for a disk of the set; so a format that is cut off leaves nothing that looks whole.
 */
#include "block/block.h"
#include "disk/format_job.h"

#include <diskarch/diskarch.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 20 };

_Static_assert(CHUNK_BYTES % BLOCK_BYTES_MAX == 0, "a chunk holds whole blocks of every size");

static int fail(struct format_job *job, const struct format_target *target, const char *what, int error)
{
    if (error == -ENOSPC || error == -EFBIG || error == -EDQUOT) {
        return FORMAT_REFUSE(job, error, "%s: no room for %llu bytes; free some, or give fewer slots or registers",
                             target->path, (unsigned long long)layout_bytes(&job->header.layout));
    }
    return FORMAT_REFUSE(job, error, "%s: %s: %s; %s", target->path, what, strerror(-error), device_remedy(error));
}

/* ---- Making room, and forgetting what was ----------------------------------------------------------------------------- */

/* A full file system shows here, before anything that stands anywhere is touched. */
static int reserve(struct format_job *job, struct format_target *target)
{
    if (target->device.is_block || target->device.size_bytes > 0) {
        return 0;
    }
    target->is_grown = true;
    int error = posix_fallocate(target->device.fd, 0, (off_t)layout_bytes(&job->header.layout));
    if (error != 0 && error != EOPNOTSUPP && error != EINVAL) {
        return fail(job, target, "reserving room", -error);
    }
    return 0;
}

/* Takes the headers of the new layout off, and those of the set that stood there. */
static int clear_headers(const struct format_job *job, const struct format_target *target, const uint8_t *zeros)
{
    const struct layout *layout = &job->header.layout;
    const struct set_header *old = &target->probe.set.header;
    int error = device_write(&target->device, zeros, layout->block_bytes, 0);
    if (error == 0) {
        error = device_write(&target->device, zeros, layout->block_bytes, layout_header_copy_offset(layout));
    }
    if (error == 0 && target->probe.set.fault == HEADER_OK && layout_bytes(&old->layout) <= target->device.size_bytes) {
        uint64_t sector_bytes = target->device.sector_bytes;
        error = device_write(&target->device, zeros, sector_bytes,
                             layout_header_copy_offset(&old->layout) / sector_bytes * sector_bytes);
    }
    return error == 0 && fsync(target->device.fd) != 0 ? -errno : error;
}

static int forget(struct format_job *job, struct format_target *target, const uint8_t *zeros)
{
    int error = 0;
    if (target->probe.has_foreign_signature) {
        error = probe_wipe_signatures(&target->device);
    }
    if (error == 0) {
        error = clear_headers(job, target, zeros);
    }
    return error == 0 ? 0 : fail(job, target, "removing what stood there", error);
}

/* ---- Rows ------------------------------------------------------------------------------------------------------------- */

static void stamp(const struct format_job *job, uint32_t disk, uint64_t first_block, uint32_t count, uint8_t *chunk)
{
    const struct layout *layout = &job->header.layout;
    struct block_place place = {.set_tag = set_header_tag(&job->header), .disk = disk};
    for (uint32_t i = 0; i < count; i++) {
        place.row = (uint32_t)((first_block + i) / layout->slots);
        place.slot = (uint32_t)((first_block + i) % layout->slots);
        block_encode_empty(chunk + (size_t)i * layout->block_bytes, layout->block_bytes, &place);
    }
}

static void tell_progress(struct format_job *job, uint64_t more_bytes)
{
    job->done_bytes += more_bytes;
    if (job->options->progress != NULL) {
        uint64_t rows_bytes = (uint64_t)layout_rows(&job->header.layout) * layout_row_bytes(&job->header.layout);
        job->options->progress(job->options->progress_context, job->done_bytes, rows_bytes * job->count);
    }
}

static int write_rows(struct format_job *job, uint32_t disk, uint8_t *chunk)
{
    const struct layout *layout = &job->header.layout;
    const struct format_target *target = &job->targets[disk];
    uint64_t blocks = (uint64_t)layout_rows(layout) * layout->slots;
    uint32_t chunk_blocks = CHUNK_BYTES / layout->block_bytes;
    for (uint64_t first = 0; first < blocks; first += chunk_blocks) {
        uint32_t count = blocks - first < chunk_blocks ? (uint32_t)(blocks - first) : chunk_blocks;
        stamp(job, disk, first, count, chunk);
        size_t bytes = (size_t)count * layout->block_bytes;
        int error = device_write(&target->device, chunk, bytes,
                                 layout_offset(layout, ROW_CLAIM, 0) + first * layout->block_bytes);
        if (error != 0) {
            return fail(job, target, "writing its rows", error);
        }
        tell_progress(job, bytes);
    }
    return fsync(target->device.fd) == 0 ? 0 : fail(job, target, "writing its rows", -errno);
}

/* ---- Headers ---------------------------------------------------------------------------------------------------------- */

static void encode_header(const struct format_job *job, uint32_t disk, uint8_t *block)
{
    struct set_header header = job->header;
    header.disk_index = disk;
    set_header_encode(block, header.layout.block_bytes, &header);
}

/* On all disks at one offset. */
static int write_headers(struct format_job *job, uint64_t offset, uint8_t *block)
{
    for (uint32_t i = 0; i < job->count; i++) {
        const struct format_target *target = &job->targets[i];
        encode_header(job, i, block);
        int error = device_write(&target->device, block, job->header.layout.block_bytes, offset);
        if (error == 0 && fsync(target->device.fd) != 0) {
            error = -errno;
        }
        if (error != 0) {
            return fail(job, target, "writing its header", error);
        }
    }
    return 0;
}

/* What stands there is not what was written: by far the likeliest reason is that another path leads to the same device. */
static int refuse_other_header(struct format_job *job, uint32_t disk, const uint8_t *block)
{
    struct set_header found = {0};
    if (set_header_decode(block, &found) == HEADER_OK &&
        memcmp(&found.set_uuid, &job->header.set_uuid, sizeof found.set_uuid) == 0 && found.disk_index != disk) {
        return FORMAT_REFUSE(
            job, DISKARCH_EUSAGE,
            "%s and %s: two paths to one device: the header written to one was read from the other; name "
            "each device once",
            job->targets[disk].path, job->targets[found.disk_index].path);
    }
    return FORMAT_REFUSE(job, -EIO,
                         "%s: its header reads back other than it was written; another program writes there, or the "
                         "device is broken",
                         job->targets[disk].path);
}

static int verify_at(struct format_job *job, uint32_t disk, const struct device *device, uint64_t offset,
                     uint8_t *blocks)
{
    uint32_t block_bytes = job->header.layout.block_bytes;
    uint8_t *read = blocks;
    uint8_t *expected = blocks + block_bytes;
    int error = device_read(device, read, block_bytes, offset);
    if (error != 0) {
        return fail(job, &job->targets[disk], "reading its header again", error);
    }
    encode_header(job, disk, expected);
    return memcmp(read, expected, block_bytes) == 0 ? 0 : refuse_other_header(job, disk, read);
}

/* Through a fresh descriptor: the path must lead to what was written. */
static int verify(struct format_job *job, uint32_t disk, uint8_t *blocks)
{
    const struct format_target *target = &job->targets[disk];
    struct device device = {.fd = -1};
    char reason[DISK_MESSAGE_BYTES];
    int error = device_open(target->path, O_RDONLY, &device, reason, sizeof reason);
    if (error != 0) {
        return FORMAT_REFUSE(job, error, "%s: %s", target->path, reason);
    }
    error = verify_at(job, disk, &device, 0, blocks);
    if (error == 0) {
        error = verify_at(job, disk, &device, layout_header_copy_offset(&job->header.layout), blocks);
    }
    device_close(&device);
    return error;
}

/* ---- In order --------------------------------------------------------------------------------------------------------- */

/* A created file survives a power cut only with its directory entry. */
static int sync_directory(struct format_job *job, const struct format_target *target)
{
    char path[DISK_PATH_BYTES];
    message_set(0, path, sizeof path, "%s", target->path);
    int fd = target->is_created ? open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return target->is_created ? fail(job, target, "opening its directory", -errno) : 0;
    }
    int error = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return error == 0 ? 0 : fail(job, target, "writing its directory", error);
}

static int write_all(struct format_job *job, uint8_t *chunk)
{
    const struct layout *layout = &job->header.layout;
    int error = 0;
    for (uint32_t i = 0; i < job->count && error == 0; i++) {
        error = reserve(job, &job->targets[i]);
    }
    memset(chunk, 0, layout->block_bytes);
    for (uint32_t i = 0; i < job->count && error == 0; i++) {
        error = forget(job, &job->targets[i], chunk);
    }
    for (uint32_t i = 0; i < job->count && error == 0; i++) {
        error = write_rows(job, i, chunk);
    }
    for (uint32_t i = 0; i < job->count && error == 0; i++) {
        error = sync_directory(job, &job->targets[i]);
    }
    if (error != 0) {
        return error;
    }
    job->has_headers = true;
    error = write_headers(job, layout_header_copy_offset(layout), chunk);
    error = error != 0 ? error : write_headers(job, 0, chunk);
    for (uint32_t i = 0; i < job->count && error == 0; i++) {
        error = verify(job, i, chunk);
    }
    return error;
}

int format_write(struct format_job *job)
{
    assert(layout_is_valid(&job->header.layout));
    uint8_t *chunk = device_buffer_new(CHUNK_BYTES);
    if (chunk == NULL) {
        return FORMAT_REFUSE(job, -ENOMEM, "memory: none for a buffer of %d bytes; free some", CHUNK_BYTES);
    }
    int error = write_all(job, chunk);
    free(chunk);
    return error;
}

/* ---- Undoing ---------------------------------------------------------------------------------------------------------- */

/* Each step is tried, whatever became of the one before: there is nobody left to tell. */
static void undo_target(const struct format_job *job, const struct format_target *target)
{
    if (target->device.fd >= 0 && job->has_headers) {
        uint8_t *zeros = device_buffer_new(job->header.layout.block_bytes);
        if (zeros != NULL) {
            memset(zeros, 0, job->header.layout.block_bytes);
            (void)clear_headers(job, target, zeros);
            free(zeros);
        }
    }
    if (target->is_grown && ftruncate(target->device.fd, 0) != 0) {
        return;
    }
    if (target->is_created) {
        unlink(target->path);
    }
}

void format_undo(struct format_job *job)
{
    for (uint32_t i = 0; i < job->count; i++) {
        undo_target(job, &job->targets[i]);
    }
}
