#include "report.h"

#include "duration.h"
#include "escape.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *verb_name = "";

void report_set_verb(const char *name)
{
    verb_name = name;
}

__attribute__((format(printf, 1, 0))) static void complain_list(const char *format, va_list arguments)
{
    fprintf(stderr, "diskarch%s%s: ", *verb_name == '\0' ? "" : " ", verb_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain_list(format, arguments);
    va_end(arguments);
}

void usage_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain_list(format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try `diskarch%s%s --help`.\n", *verb_name == '\0' ? "" : " ", verb_name);
    exit(EXIT_CODE_USAGE);
}

enum exit_code exit_code_of_error(int error)
{
    switch (error) {
    case 0:
        return EXIT_CODE_OK;
    case DISKARCH_EUSAGE:
        return EXIT_CODE_USAGE;
    case DISKARCH_ENOSET:
    case DISKARCH_EFOREIGN:
    case DISKARCH_EVERSION:
    case DISKARCH_ENOQUORUM:
    case DISKARCH_EUNSETTLED:
    case DISKARCH_ECLOSED:
        return EXIT_CODE_SET;
    case DISKARCH_ENOSLOT:
    case DISKARCH_EFULL:
    case DISKARCH_EKIND:
        return EXIT_CODE_FULL;
    case DISKARCH_EINUSE:
        return EXIT_CODE_IN_USE;
    case DISKARCH_EENGINE:
    case DISKARCH_EDIRECT:
        return EXIT_CODE_ENGINE;
    case DISKARCH_EHELD:
    case DISKARCH_EFREE:
    case DISKARCH_ENONE:
    case DISKARCH_ENOTREADY:
        return EXIT_CODE_NO;
    case DISKARCH_ECHANGED:
        return EXIT_CODE_CHANGED;
    case DISKARCH_ETIMEOUT:
        return EXIT_CODE_TIMEOUT;
    case DISKARCH_EUNKNOWN:
        return EXIT_CODE_UNKNOWN;
    case DISKARCH_ELOST:
        return EXIT_CODE_LOST;
    default:
        return EXIT_CODE_SYSTEM;
    }
}

const char *liveness_words(enum diskarch_liveness liveness, int64_t silent_ns, bool is_dead)
{
    static char text[64];
    char duration[DURATION_TEXT_BYTES];
    if (is_dead) {
        return "dead";
    }
    switch (liveness) {
    case DISKARCH_ALIVE:
        return "alive";
    case DISKARCH_LEFT:
        return "left";
    case DISKARCH_SILENT:
        snprintf(text, sizeof(text), "silent for %s", duration_format_short(silent_ns, duration));
        return text;
    case DISKARCH_NOT_OBSERVED:
        break;
    }
    return "not yet observed";
}

const char *liveness_code(enum diskarch_liveness liveness)
{
    switch (liveness) {
    case DISKARCH_ALIVE:
        return "alive";
    case DISKARCH_LEFT:
        return "left";
    case DISKARCH_SILENT:
        return "silent";
    case DISKARCH_NOT_OBSERVED:
        break;
    }
    return "not_observed";
}

const char *wall_time_words(int64_t wall_ns)
{
    static char text[64];
    time_t seconds = (time_t)(wall_ns / INT64_C(1000000000));
    struct tm parts;
    if (wall_ns == 0 || localtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) == 0) {
        return "-";
    }
    return text;
}

json_t *json_text(const char *text)
{
    json_t *string = json_string(text);
    return string != NULL ? string : json_string(escaped(text));
}

json_t *json_bytes(const void *bytes, size_t count)
{
    json_t *string = json_stringn(bytes, count);
    return string != NULL ? string : json_null();
}

json_t *json_hex(uint64_t value)
{
    char text[17];
    snprintf(text, sizeof(text), "%016" PRIx64, value);
    return json_string(text);
}

json_t *json_ms(int64_t ns)
{
    return ns % 1000000 == 0 ? json_integer(ns / 1000000) : json_real((double)ns / 1e6);
}

/* JSON lets stand in a string what a terminal may obey: the controls beyond ASCII. A document with one is written in ASCII. */
static char *json_text_of(const json_t *document, size_t flags)
{
    char *text = json_dumps(document, flags | JSON_REAL_PRECISION(12));
    if (text != NULL && !escape_is_needless(text)) {
        free(text);
        text = json_dumps(document, flags | JSON_REAL_PRECISION(12) | JSON_ENSURE_ASCII);
    }
    return text;
}

static int json_write(json_t *document, size_t flags)
{
    assert(document != NULL);
    char *text = json_text_of(document, flags);
    json_decref(document);
    if (text == NULL) {
        complain("out of memory; free some and try again");
        return EXIT_CODE_SYSTEM;
    }
    puts(text);
    free(text);
    return output_finish();
}

int json_print(json_t *document)
{
    return json_write(document, JSON_INDENT(2));
}

int json_print_line(json_t *document)
{
    return json_write(document, JSON_COMPACT);
}

int output_finish(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("standard output cannot be written: %s; is its disk full or its reader gone?", strerror(errno));
        return EXIT_CODE_SYSTEM;
    }
    return EXIT_CODE_OK;
}
