/* From argv to values: getopt_long driven by a verb's table, the options that verbs share, and --help. */
#ifndef DISKARCH_COMMAND_COMMAND_LINE_H
#define DISKARCH_COMMAND_COMMAND_LINE_H

#include "disk/engine_kind.h"
#include "verb.h"

#include <diskarch/diskarch.h>
#include <stdint.h>
#include <stdio.h>

enum { COMMAND_LINE_DISKS_MAX = 64 }; /* more than a set may have: too many are refused by whoever knows why */

/* What the shared options said, and what is left after all options. */
struct command_line {
    const char *disks[COMMAND_LINE_DISKS_MAX];
    size_t disk_count;
    const char *set;                   /* the name or UUID by which the disks were found; NULL: they were named */
    const char *node_name;             /* NULL: the host name */
    const char *engine;                /* NULL in a verb without it */
    enum disk_engine_kind engine_kind; /* the same, for verbs that go without the library */
    int64_t timeout_ns;                /* -1: not given */
    bool is_json;
    int argument_count;
    char **arguments;
};

/* Given each option of the verb itself; ends the program with usage_fail() if the value cannot be used. */
typedef void option_taker(void *values, int letter, const char *argument);

/* Parses argv. Answers --help, and refuses what cannot be used, by ending the program. */
void command_line_parse(const struct verb *verb, int argc, char **argv, option_taker *take, void *values,
                        struct command_line *ret);

/* The options of the library that the shared options stand for; points into *line. */
struct diskarch_options command_line_options(const struct command_line *line);

/* usage_fail() unless there is no argument after the options. */
void command_line_check_empty(const struct verb *verb, const struct command_line *line);

/* The only argument, the name of a role; usage_fail() unless it is one, and good. */
const char *command_line_role(const struct command_line *line);

/* usage_fail() unless the text is a good name of `thing` ("role", "node", ...). */
void command_line_check_name(const char *thing, const char *text);

/* Values of options; usage_fail() on nonsense. */
int64_t option_duration(const char *name, const char *text);
uint32_t option_rate(const char *name, const char *text); /* parts per million */
bool option_slot_reuse(const char *text); /* of --slot-reuse: whether slots of the dead are used again */
uint32_t option_count(const char *name, const char *text, uint32_t least, uint32_t most);

#endif
