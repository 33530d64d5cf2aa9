#include "duration.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
    const char *name;
    int64_t ns;
} units[] = {
    {"ms", INT64_C(1000000)},      {"s", INT64_C(1000000000)},     {"m", INT64_C(60000000000)},
    {"h", INT64_C(3600000000000)}, {"d", INT64_C(86400000000000)},
};

/* Reads decimal digits; where they end, and false if the value exceeds `most`. */
static bool digits_read(const char **text, uint64_t most, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (; isdigit((unsigned char)**text); (*text)++) {
        uint64_t digit = (uint64_t)(**text - '0');
        if (digit > most || value > (most - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

static const struct unit *unit_find(const char *name)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, name) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

const char *duration_parse(const char *text, int64_t *ret_ns)
{
    if (!isdigit((unsigned char)*text)) {
        return "is not a duration; write it as 500ms, 10s, 1m, 2h or 1d";
    }
    uint64_t value;
    if (!digits_read(&text, INT64_MAX, &value)) {
        return "is longer than can be counted; write a shorter duration";
    }
    if (*text == '\0') {
        return "has no unit; write it as 500ms, 10s, 1m, 2h or 1d";
    }
    if (*text == '.') {
        return "has a fraction; write a smaller unit, as 1500ms for 1.5s";
    }
    const struct unit *unit = unit_find(text);
    if (unit == NULL) {
        return "has an unknown unit; write ms, s, m, h or d";
    }
    if (value > (uint64_t)(INT64_MAX / unit->ns)) {
        return "is longer than can be counted; write a shorter duration";
    }
    *ret_ns = (int64_t)value * unit->ns;
    return NULL;
}

/* Up to four decimals of a percent: they are parts per million. */
static const char *percent_fraction_read(const char *text, uint32_t *ppm)
{
    uint32_t scale = 1000;
    for (; isdigit((unsigned char)*text) && scale > 0; text++, scale /= 10) {
        *ppm += (uint32_t)(*text - '0') * scale;
    }
    return text;
}

const char *rate_parse(const char *text, uint32_t *ret_ppm)
{
    static const char *const how = "is not a rate; write it as 0.5% or 5000ppm";
    uint64_t whole;
    if (!isdigit((unsigned char)*text)) {
        return how;
    }
    if (!digits_read(&text, 1000000, &whole)) {
        return "is more than all; write at most 100% or 1000000ppm";
    }
    uint32_t ppm = (uint32_t)whole;
    if (strcmp(text, "ppm") != 0) {
        if (whole > 100) {
            return *text == '%' ? "is more than all; write at most 100% or 1000000ppm" : how;
        }
        ppm *= 10000;
        if (*text == '.') {
            text = percent_fraction_read(text + 1, &ppm);
        }
        if (strcmp(text, "%") != 0) {
            return how;
        }
    }
    if (ppm > 1000000) {
        return "is more than all; write at most 100% or 1000000ppm";
    }
    *ret_ppm = ppm;
    return NULL;
}

const char *count_parse(const char *text, uint32_t least, uint32_t most, uint32_t *ret_count)
{
    static _Thread_local char range[64];
    uint64_t value;
    const char *end = text;
    bool is_number = isdigit((unsigned char)*text) && digits_read(&end, most, &value) && *end == '\0' && value >= least;
    if (!is_number) {
        snprintf(range, sizeof(range), "is not a whole number from %" PRIu32 " to %" PRIu32, least, most);
        return range;
    }
    *ret_count = (uint32_t)value;
    return NULL;
}

int64_t clock_now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

const char *duration_format_short(int64_t ns, char text[DURATION_TEXT_BYTES])
{
    double value = (double)ns;
    if (ns < INT64_C(1000000000)) {
        snprintf(text, DURATION_TEXT_BYTES, "%.3f ms", value / 1e6);
    } else {
        snprintf(text, DURATION_TEXT_BYTES, "%.1f s", value / 1e9);
    }
    return text;
}
