#include "protocol/node.h"

const struct call_result *__attribute__((weak)) node_call_result(const struct node *node, uint32_t call)
{
    static const struct call_result none = {.outcome = CALL_CANCELLED};
    (void)node;
    (void)call;
    return &none;
}

struct disk_report __attribute__((weak)) node_disk(const struct node *node, uint32_t disk)
{
    (void)node;
    (void)disk;
    return (struct disk_report){0};
}
