#include "find_set.h"

#include "disk/disk_set.h"
#include "escape.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES_MAX = 256 };

_Noreturn static void no_memory(void)
{
    complain("out of memory; free some and try again");
    exit(EXIT_CODE_SYSTEM);
}

static void look(const char *const *paths, size_t path_count, struct scan *ret)
{
    if (scan_look(paths, path_count, ret) != 0) {
        no_memory();
    }
}

/* The places of DISKARCH_SCAN; takes a copy of it apart. */
static void look_at_environment(struct scan *ret)
{
    const char *list = getenv("DISKARCH_SCAN");
    char *copy = strdup(list == NULL || *list == '\0' ? SCAN_ALL_DEVICES : list);
    if (copy == NULL) {
        no_memory();
    }
    const char *places[PLACES_MAX];
    size_t count = 0;
    for (char *rest = copy, *place; (place = strsep(&rest, ",")) != NULL;) {
        if (*place == '\0' || count == PLACES_MAX) {
            usage_fail("DISKARCH_SCAN: %s; name up to %d devices, files or directories, separated by commas",
                       *place == '\0' ? "a path in the list is empty" : "too many paths", PLACES_MAX);
        }
        places[count] = place;
        count++;
    }
    look(places, count, ret);
    free(copy);
}

void find_look(char *const *paths, size_t path_count, struct scan *ret)
{
    if (path_count > 0) {
        look((const char *const *)paths, path_count, ret);
    } else {
        look_at_environment(ret);
    }
}

void find_set_disks(const char *name_or_uuid, struct command_line *line)
{
    static struct scan scan; /* the paths point into it */
    const struct scan_set *set = NULL;
    char message[DISK_MESSAGE_BYTES] = "";
    find_look(NULL, 0, &scan);
    int error = scan_choose(&scan, name_or_uuid, &set, message, sizeof message);
    if (error != 0) {
        complain("%s", escaped(message));
        exit((int)exit_code_of_error(error));
    }
    line->disk_count = 0;
    for (size_t i = 0; i < set->disk_count; i++) {
        if (set->disks[i].state == SCAN_USABLE) {
            line->disks[line->disk_count] = set->disks[i].path;
            line->disk_count++;
        }
    }
}
