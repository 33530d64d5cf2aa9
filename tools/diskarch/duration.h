/* Durations, counts and rates as people write them: always with a unit, so that nobody has to remember a default
 * one. */
#ifndef DISKARCH_COMMAND_DURATION_H
#define DISKARCH_COMMAND_DURATION_H

#include "disk/message.h" /* message_duration(): the way back */

#include <stdint.h>
#include <time.h>

/* "500ms", "10s", "1m", "2h", "1d": whole numbers only. NULL and *ret_ns, or what is wrong and how to write it. */
const char *duration_parse(const char *text, int64_t *ret_ns);

/* "0.5%" or "5000ppm", at most 100 %. NULL and *ret_ppm, or what is wrong and how to write it. */
const char *rate_parse(const char *text, uint32_t *ret_ppm);

/* A whole decimal number from least to most. NULL and *ret_count, or what is wrong. */
const char *count_parse(const char *text, uint32_t least, uint32_t most, uint32_t *ret_count);

/* What a clock says now. */
int64_t clock_now_ns(clockid_t clock);

/* For the eye: "0.183 ms", "2.4 s". Returns text. */
const char *duration_format_short(int64_t ns, char text[DURATION_TEXT_BYTES]);

#endif
