/* Where to look for sets, and which disks a set of that name has on this host. */
#ifndef DISKARCH_COMMAND_FIND_SET_H
#define DISKARCH_COMMAND_FIND_SET_H

#include "command_line.h"
#include "disk/scan.h"

/* Looks at the paths, or where there are none at those of DISKARCH_SCAN, else at all block devices. Ends the program without
 * memory. */
void find_look(char *const *paths, size_t path_count, struct scan *ret);

/* Fills in the disks of *line with those of the set. Ends the program, with a complaint, if it cannot be told which they are. The
 * paths live as long as the program. */
void find_set_disks(const char *name_or_uuid, struct command_line *line);

#endif
