/* Why a set cannot have certain timings, in words for whoever has asked for them. */
#ifndef DISKARCH_DISK_TIMINGS_REFUSE_H
#define DISKARCH_DISK_TIMINGS_REFUSE_H

#include "block/header.h"

#include <stddef.h>

/* 0; or DISKARCH_EUSAGE, and the message names the timing, the limit and the remedy. */
int timings_refuse(const struct timings *timings, char *message, size_t message_bytes);

#endif
