/* Complains of disks that fail together: a majority that stands on one device is none. */
#ifndef DISKARCH_COMMAND_FAILURE_DOMAIN_H
#define DISKARCH_COMMAND_FAILURE_DOMAIN_H

#include <stddef.h>

/* One warning for each group. Empty paths are left out. Returns how many groups there are. */
size_t failure_domain_complain(const char *const *paths, size_t count);

#endif
