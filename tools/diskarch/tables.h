/* The tables that several reading verbs print: disks, nodes, roles. What comes from disks is escaped here. */
#ifndef DISKARCH_COMMAND_TABLES_H
#define DISKARCH_COMMAND_TABLES_H

#include <diskarch/diskarch.h>
#include <stddef.h>

/* A line a disk; below one that is not good, the reason and the remedy. */
void table_print_disks(const struct diskarch_disk_status *disks, size_t count);

void table_print_nodes(const struct diskarch_node_status *nodes, size_t count);
void table_print_roles(const struct diskarch_role_status *roles, size_t count);

#endif
