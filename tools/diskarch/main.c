/* diskarch: the command. A table of verbs; each verb is a file of its own. */
#include "escape.h"
#include "report.h"
#include "verb.h"

#include <diskarch/diskarch.h>
#include <stdio.h>
#include <string.h>

static const struct verb *const verbs[] = {
    &verb_format, &verb_lock, &verb_campaign, &verb_status, &verb_leader,
    &verb_watch,  &verb_dump, &verb_scan,     &verb_check,  &verb_tune,
};

enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

static int print_help(void)
{
    printf("Usage: diskarch VERB [OPTION...] [ARGUMENT...]\n\n"
           "Elects leaders among hosts that share disks and need share nothing else.\n\nVerbs:\n");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        printf("  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
    }
    printf("\nOptions:\n  --help     print this help and end; `diskarch VERB --help` tells of one verb\n"
           "  --version  print the version and end\n\nExit codes:\n");
#define EXIT_CODE_ROW(name, code, sentence) printf("  %-10d %s\n", code, sentence);
    EXIT_CODES(EXIT_CODE_ROW)
#undef EXIT_CODE_ROW
    printf("`diskarch lock` passes on the exit code of its command.\n");
    return output_finish();
}

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i]->name, name) == 0) {
            return verbs[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage_fail("no verb is given; say what to do");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        return print_help();
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("diskarch %s\n", diskarch_version());
        return output_finish();
    }
    const struct verb *verb = verb_find(argv[1]);
    if (verb == NULL) {
        usage_fail("verb \"%s\" is not known; choose one of the verbs of `diskarch --help`", escaped(argv[1]));
    }
    report_set_verb(verb->name);
    return verb->run(verb, argc - 1, argv + 1);
}
