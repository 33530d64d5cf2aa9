/* How the command talks: errors to stderr with the thing, the reason and the remedy; exit codes from errors. */
#ifndef DISKARCH_COMMAND_REPORT_H
#define DISKARCH_COMMAND_REPORT_H

#include "exit_code.h"

#include <diskarch/diskarch.h>
#include <jansson.h>

/* The verb that speaks: "diskarch VERB: ..." from now on. */
void report_set_verb(const char *name);

/* One line on stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* complain(), then "Try ...", then exit with EXIT_CODE_USAGE: only for command lines, before anything was opened. */
_Noreturn void usage_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the shell gets for an error of the library. */
enum exit_code exit_code_of_error(int error);

/* The words of rule N8: "alive", "silent for 2.4 s", "not yet observed", "left"; also "dead". Static storage, one
 * thread. */
const char *liveness_words(enum diskarch_liveness liveness, int64_t silent_ns, bool is_dead);

/* The same in JSON: "alive", "silent", "not_observed", "left". */
const char *liveness_code(enum diskarch_liveness liveness);

/* "2026-03-01 12:00:00" local time, "-" for 0. Static storage, one thread. For display only. */
const char *wall_time_words(int64_t wall_ns);

/* A JSON string of any bytes: what is not UTF-8 is escaped as on a terminal. */
json_t *json_text(const char *text);

/* A JSON string of exactly these bytes, null if they are not UTF-8. */
json_t *json_bytes(const void *bytes, size_t count);

/* A JSON string of 16 hexadecimal digits: incarnations and the like, which a JSON number cannot hold exactly. */
json_t *json_hex(uint64_t value);

/* Milliseconds, with a fraction if there is one. */
json_t *json_ms(int64_t ns);

/* Prints a document, indented, and releases it. EXIT_CODE_OK, or EXIT_CODE_SYSTEM if stdout cannot be written. */
int json_print(json_t *document);

/* The same on one line, flushed: for documents that follow each other. */
int json_print_line(json_t *document);

/* EXIT_CODE_OK, or EXIT_CODE_SYSTEM with a complaint if stdout could not be written. */
int output_finish(void);

#endif
