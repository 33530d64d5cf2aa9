/*
 * What a verb of the command is: a row of text from which --help is made, and a function. One file a verb.
 */
#ifndef DISKARCH_COMMAND_VERB_H
#define DISKARCH_COMMAND_VERB_H

#include <stdbool.h>
#include <stddef.h>

struct verb_option {
    int letter; /* of the short option, or a number above 255 where there is none */
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;
};

enum { LETTER_NONE = 256 }; /* options without a letter: LETTER_NONE + 1, + 2, ... */

/* Options that several verbs share. */
enum verb_common {
    COMMON_DISKS = 1, /* the disks of a set: --disks, --set */
    COMMON_NODE = 2,
    COMMON_ENGINE = 4,
    COMMON_JSON = 8,
    COMMON_TARGETS = 16, /* disks that may belong to no set yet: --disks alone */
    COMMON_TIMEOUT = 32,
};

struct verb {
    const char *name;
    const char *arguments;             /* after the options, as usage shows them */
    const char *summary;               /* one line for `diskarch --help` */
    const char *detail;                /* a paragraph for `diskarch VERB --help` */
    unsigned common;                   /* enum verb_common */
    const struct verb_option *options; /* of this verb alone */
    size_t option_count;
    bool takes_command; /* the first argument ends the options: what comes behind it is a command's own */
    int (*run)(const struct verb *verb, int argc, char **argv); /* argv[0] is the verb's name; returns an exit code */
};

/* Every verb, in the order of the help: verb_NAME, defined in verb_NAME.c. */
#define VERBS(X)                                                                                                       \
    X(format)                                                                                                          \
    X(lock)                                                                                                            \
    X(campaign)                                                                                                        \
    X(status)                                                                                                          \
    X(leader)                                                                                                          \
    X(roles)                                                                                                           \
    X(nodes)                                                                                                           \
    X(watch)                                                                                                           \
    X(resign)                                                                                                          \
    X(request)                                                                                                         \
    X(transfer)                                                                                                        \
    X(forget)                                                                                                          \
    X(register)                                                                                                        \
    X(dump)                                                                                                            \
    X(scan)                                                                                                            \
    X(check)                                                                                                           \
    X(tune)

#define VERB_DECLARATION(name) extern const struct verb verb_##name;
VERBS(VERB_DECLARATION)
#undef VERB_DECLARATION

#endif
