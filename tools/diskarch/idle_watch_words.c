#include "idle_watch_words.h"

#include "duration.h"
#include "report.h"

void tell_idle_watch(void *context, int64_t ns)
{
    char text[DURATION_TEXT_BYTES];
    (void)context;
    complain("watching for %s whether a node lives on the set", duration_format_short(ns, text));
}
