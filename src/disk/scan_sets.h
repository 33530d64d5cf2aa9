/* Makes sets of the disks that a scan has found. Inside scan only. */
#ifndef DISKARCH_DISK_SCAN_SETS_H
#define DISKARCH_DISK_SCAN_SETS_H

#include "disk/scan.h"

/* Sorts the disks, fills in the sets, and says of each disk what only the others show. 0 or -ENOMEM. */
int scan_make_sets(struct scan *scan);

#endif
