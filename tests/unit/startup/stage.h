/* The disks that every start-up is tried on: two files and a loop device, so that what is asked of devices is asked too. */
#ifndef DISKARCH_TESTS_STARTUP_STAGE_H
#define DISKARCH_TESTS_STARTUP_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAGE_DISKS = 3, STAGE_PATH_BYTES = 128 };

struct stage {
    char directory[STAGE_PATH_BYTES / 2];
    char images[STAGE_DISKS][STAGE_PATH_BYTES]; /* the files below the disks */
    char paths[STAGE_DISKS][STAGE_PATH_BYTES];
    const char *disks[STAGE_DISKS];
    int loop_fd;
    uint8_t *kept[STAGE_DISKS]; /* what the images are to hold */
    size_t kept_bytes[STAGE_DISKS];
};

/* A formatted set in a new directory below the working directory. Ends the program with 77 where there is no loop device. */
void stage_make(struct stage *stage);
void stage_remove(struct stage *stage);

/* The files are not there, the device holds zeros: what format finds. */
void stage_make_blank(struct stage *stage);

/* NULL if every image holds what it is to hold, else what it is that differs. */
const char *stage_difference(const struct stage *stage);

/* Puts back what differs, and waits until nobody holds the device any more: a ring whose process has died goes after it. */
void stage_restore(const struct stage *stage);

/* Whether one of the disks begins or ends with something that a format has not finished. */
bool stage_has_remains(const struct stage *stage);

#endif
