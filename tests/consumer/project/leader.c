/* Joins a disk set, wins the role "job", tells its epoch, and leaves. */
#include <diskarch/diskarch.h>

#include <inttypes.h>
#include <stdio.h>

static int lead(struct diskarch *node)
{
    struct diskarch_role *role;
    uint64_t epoch;
    int error = diskarch_campaign(node, "job", NULL, &role);
    if (error == 0) {
        error = diskarch_wait(role, -1);
    }
    if (error != 0) {
        return error;
    }
    /* The work: only while time remains, and with the epoch on everything that is written. */
    if (diskarch_remaining_ns(role, &epoch) > 0) {
        printf("epoch %" PRIu64 "\n", epoch);
    }
    return diskarch_resign(role);
}

int main(int argc, char **argv)
{
    struct diskarch_options options = {.size = sizeof options};
    struct diskarch *node;
    char message[512];
    options.disks = (const char *const *)&argv[1];
    options.disk_count = (size_t)(argc - 1);
    if (diskarch_open(&options, &node, message, sizeof message) != 0) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    int error = lead(node);
    if (error != 0) {
        fprintf(stderr, "job: %s\n", diskarch_error_string(error));
    }
    diskarch_close(node);
    return error != 0;
}
