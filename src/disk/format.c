/* Formatting, step by step. Each step refuses with a message and leaves the undoing to this one place. */
#include "disk/format.h"

#include "disk/format_job.h"
#include "disk/uuid.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static int draw_identity(struct format_job *job)
{
    struct set_header *header = &job->header;
    int error = uuid_draw(&header->set_uuid);
    for (uint32_t i = 0; i < job->count && error == 0; i++) {
        error = uuid_draw(&header->disk_uuids[i]);
    }
    return error == 0 ? 0 : FORMAT_REFUSE(job, error, "UUIDs: no random bytes: %s; try again later", strerror(-error));
}

static int fill_header(struct format_job *job)
{
    const struct format_options *options = job->options;
    struct set_header *header = &job->header;
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    header->major = FORMAT_MAJOR;
    header->minor = FORMAT_MINOR;
    header->generation = 1;
    header->disk_count = job->count;
    header->timings = options->timings;
    header->slot_reuse = options->slot_reuse;
    header->created_wall_ns = (int64_t)wall.tv_sec * NS_PER_S + wall.tv_nsec;
    strncpy(header->set_name, options->set_name, NAME_BYTES_MAX);
    return draw_identity(job);
}

int disk_format(const struct format_options *options, struct set_header *ret_header, char *message,
                size_t message_bytes)
{
    struct format_job job = {.options = options, .message = message, .message_bytes = message_bytes};
    for (uint32_t i = 0; i < DISKS_MAX; i++) {
        job.targets[i] = (struct format_target){.device.fd = -1, .probe.set.fault = HEADER_NO_MAGIC};
    }
    static int (*const steps[])(struct format_job *) = {format_check_options, fill_header, format_open_targets,
                                                        format_look, format_write};
    int error = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && error == 0; i++) {
        error = steps[i](&job);
    }
    if (error != 0) {
        format_undo(&job);
    } else {
        *ret_header = job.header;
    }
    for (uint32_t i = 0; i < job.count; i++) {
        device_close(&job.targets[i].device);
    }
    return error;
}
