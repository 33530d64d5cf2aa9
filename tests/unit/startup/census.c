#include "census.h"

#include "disk/request_table.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MS = 1, PAUSES_MAX = 2000 };

static uint32_t count_entries(const char *path)
{
    uint32_t count = 0;
    DIR *directory = opendir(path);
    while (directory != NULL && readdir(directory) != NULL) {
        count++;
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return count;
}

static uint32_t count_rings(void)
{
    char line[512];
    uint32_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        count += strstr(line, "[io_uring]") != NULL;
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return count;
}

static struct census take(void)
{
    struct census census = {.descriptors = count_entries("/proc/self/fd"),
                            .threads = count_entries("/proc/self/task"),
                            .rings = count_rings(),
                            .has_children = waitpid(-1, NULL, WNOHANG | (int)__WALL) >= 0};
    census.blocks = atomic_load(&injection->blocks);
    census.mapped_bytes = atomic_load(&injection->mapped_bytes);
    return census;
}

struct census census_take(const struct census *expected)
{
    struct census census = take();
    for (int i = 0; expected != NULL && i < PAUSES_MAX; i++) {
        if (census.threads == expected->threads && census.descriptors == expected->descriptors) {
            break;
        }
        request_table_reap_parked();
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
        census = take();
    }
    return census;
}

static void compare(const char *what, int64_t before, int64_t after, char *text, size_t text_bytes)
{
    size_t used = strlen(text);
    if (before != after) {
        snprintf(text + used, text_bytes - used, "%s: %lld before, %lld after; ", what, (long long)before,
                 (long long)after);
    }
}

void census_compare(const struct census *before, const struct census *after, char *text, size_t text_bytes)
{
    text[0] = '\0';
    compare("descriptors", before->descriptors, after->descriptors, text, text_bytes);
    compare("threads", before->threads, after->threads, text, text_bytes);
    compare("mappings of rings", before->rings, after->rings, text, text_bytes);
    compare("blocks of memory", before->blocks, after->blocks, text, text_bytes);
    compare("bytes mapped", before->mapped_bytes, after->mapped_bytes, text, text_bytes);
    compare("children", before->has_children, after->has_children, text, text_bytes);
}
