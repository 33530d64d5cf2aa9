/*
 * Calls a fuzz target with every file that is named, and every file of the directories that are named: how an ordinary test
 * run, with any compiler, goes through what fuzzing has found. At least one file must be there.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 };

_Noreturn static void fail(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

static void replay_file(const char *path, size_t size)
{
    uint8_t *bytes = malloc(size > 0 ? size : 1); /* exactly so large that a read beyond the end is seen */
    FILE *file = fopen(path, "rb");
    if (bytes == NULL || file == NULL || fread(bytes, 1, size, file) != size) {
        fail(path);
    }
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that ended the program */
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
}

static uint32_t replay_directory(const char *path);

static uint32_t replay(const char *path)
{
    struct stat stat_of;
    if (stat(path, &stat_of) != 0) {
        fail(path);
    }
    if (S_ISDIR(stat_of.st_mode)) {
        return replay_directory(path);
    }
    replay_file(path, (size_t)stat_of.st_size);
    return 1;
}

/* Files only: a corpus is flat. */
static uint32_t replay_directory(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        fail(path);
    }
    uint32_t replayed = 0;
    for (int i = 0; i < count; i++) {
        char file[PATH_BYTES];
        struct stat stat_of;
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (stat(file, &stat_of) == 0 && S_ISREG(stat_of.st_mode)) {
            replay_file(file, (size_t)stat_of.st_size);
            replayed++;
        }
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv)
{
    uint32_t replayed = 0;
    for (int i = 1; i < argc; i++) {
        replayed += replay(argv[i]);
    }
    printf("%u inputs replayed\n", replayed);
    if (replayed == 0) {
        fprintf(stderr, "no input: name files, or directories that have some\n");
    }
    return replayed > 0 ? 0 : 1;
}
