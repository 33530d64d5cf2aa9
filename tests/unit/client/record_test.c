/* Saving the flight recorder: a new file or none, and only by the process that the node belongs to. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_there(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static int64_t bytes_of(const char *path)
{
    struct stat status;
    CHECK(stat(path, &status) == 0);
    return (int64_t)status.st_size;
}

static void expect_recording(const char *path)
{
    char magic[8] = "";
    FILE *file = fopen(path, "re");
    CHECK(file != NULL && fread(magic, sizeof magic, 1, file) == 1);
    fclose(file);
    CHECK(memcmp(magic, "DKRECORD", sizeof magic) == 0);
}

int main(void)
{
    struct fixture fixture;
    char path[FIXTURE_PATH_BYTES], other[FIXTURE_PATH_BYTES], nowhere[FIXTURE_PATH_BYTES];
    fixture_make(&fixture);
    snprintf(path, sizeof path, "%s/recording", fixture.directory);
    snprintf(other, sizeof other, "%s/other", fixture.directory);
    snprintf(nowhere, sizeof nowhere, "%s/nowhere/recording", fixture.directory);
    struct diskarch *node = fixture_open(&fixture, "alpha", false);
    event_await(node, DISKARCH_JOINED);

    CHECK(diskarch_record(node, NULL) == DISKARCH_EUSAGE);
    CHECK(diskarch_record(node, nowhere) == -ENOENT);
    CHECK(diskarch_record(node, path) == 0);
    expect_recording(path);
    int64_t bytes = bytes_of(path);
    CHECK(diskarch_record(node, path) == -EEXIST);
    CHECK(bytes_of(path) == bytes);
    CHECK(symlink("recording", other) == 0);
    CHECK(diskarch_record(node, other) == -EEXIST && is_there(other) && bytes_of(path) == bytes);
    CHECK(unlink(other) == 0);

    pid_t child = fork();
    if (child == 0) {
        _exit(diskarch_record(node, other) == DISKARCH_ECLOSED && diskarch_record(node, NULL) == DISKARCH_EUSAGE ? 0
                                                                                                                 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(!is_there(other));

    diskarch_close(node);
    CHECK(unlink(path) == 0);
    fixture_remove(&fixture);
    return 0;
}
