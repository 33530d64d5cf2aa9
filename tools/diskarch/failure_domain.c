#include "failure_domain.h"

#include "disk/topology.h"
#include "escape.h"
#include "report.h"

static void complain_of(void *context, const char *sentence)
{
    (void)context;
    complain("warning: %s", escaped(sentence));
}

size_t failure_domain_complain(const char *const *paths, size_t count)
{
    return topology_warn(paths, count, complain_of, NULL);
}
