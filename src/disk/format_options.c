/* What may be asked of format, judged without touching a disk. */
#include "block/name.h"
#include "disk/format_job.h"
#include "disk/timings_refuse.h"

#include <diskarch/diskarch.h>

#include <string.h>

static int check_paths(struct format_job *job)
{
    const struct format_options *options = job->options;
    if (options->path_count < 1 || options->path_count > DISKS_MAX) {
        return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "disks: %zu are named; name 1 to %d, an odd number is best",
                             options->path_count, DISKS_MAX);
    }
    for (size_t i = 0; i < options->path_count; i++) {
        if (options->paths[i][0] == '\0' || strlen(options->paths[i]) >= DISK_PATH_BYTES) {
            return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "disk %zu: its path is empty or too long; use 1 to %d bytes",
                                 i + 1, DISK_PATH_BYTES - 1);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(options->paths[i], options->paths[j]) == 0) {
                return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "%s: named twice; name each disk once", options->paths[i]);
            }
        }
    }
    return 0;
}

static int check_name(struct format_job *job)
{
    const char *name = job->options->set_name;
    switch (name_check(name)) {
    case NAME_OK:
        return 0;
    case NAME_EMPTY:
        return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "set name: it is empty; give 1 to %d bytes", NAME_BYTES_MAX);
    case NAME_TOO_LONG:
        return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "set name: it is %zu bytes long; give at most %d", strlen(name),
                             NAME_BYTES_MAX);
    case NAME_NOT_UTF8:
        return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "set name: it is not UTF-8; use plain letters and digits");
    case NAME_NOT_PRINTABLE:
        break;
    }
    return FORMAT_REFUSE(job, DISKARCH_EUSAGE,
                         "set name: it holds a character that cannot be printed; use plain letters and digits");
}

static int check_sizes(struct format_job *job)
{
    const struct format_options *options = job->options;
    if (options->slots < SLOTS_MIN || options->slots > SLOTS_MAX) {
        return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "slots: %u; give %d to %d", options->slots, SLOTS_MIN, SLOTS_MAX);
    }
    if (options->registers < 1 || options->registers > REGISTERS_MAX) {
        return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "registers: %u; give 1 to %d", options->registers, REGISTERS_MAX);
    }
    uint32_t block_bytes = options->block_bytes;
    bool is_power_of_two = (block_bytes & (block_bytes - 1)) == 0;
    if (block_bytes != 0 && (block_bytes < BLOCK_BYTES_MIN || block_bytes > BLOCK_BYTES_MAX || !is_power_of_two)) {
        return FORMAT_REFUSE(job, DISKARCH_EUSAGE, "block size: %u; give a power of two from %d to %d", block_bytes,
                             BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
    }
    return 0;
}

static int check_timings(struct format_job *job)
{
    return timings_refuse(&job->options->timings, job->message, job->message_bytes);
}

int format_check_options(struct format_job *job)
{
    static int (*const checks[])(struct format_job *) = {check_paths, check_name, check_sizes, check_timings};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        int error = checks[i](job);
        if (error != 0) {
            return error;
        }
    }
    job->count = (uint32_t)job->options->path_count;
    for (uint32_t i = 0; i < job->count; i++) {
        job->targets[i].path = job->options->paths[i];
    }
    return 0;
}
