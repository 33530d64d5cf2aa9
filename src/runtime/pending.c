#include "protocol/node.h"

struct disk_report __attribute__((weak)) node_disk(const struct node *node, uint32_t disk)
{
    (void)node;
    (void)disk;
    return (struct disk_report){0};
}
