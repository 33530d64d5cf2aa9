/*
 * The JSON of the reading verbs: one object for a set, a disk, a node, a role, wherever it appears. diskarch(1) documents
 * every field, and what it documents stays: fields may be added, none is renamed or taken away.
 */
#ifndef DISKARCH_COMMAND_DOCUMENTS_H
#define DISKARCH_COMMAND_DOCUMENTS_H

#include "block/header.h"

#include <diskarch/diskarch.h>
#include <jansson.h>
#include <stddef.h>

json_t *document_set(const struct diskarch_set_info *set);
/* The same of a header that was read or written without the library. */
json_t *document_header(const struct set_header *header);

json_t *document_disk(const struct diskarch_disk_status *disk);
json_t *document_node(const struct diskarch_node_status *node);
json_t *document_role(const struct diskarch_role_status *role);

/* Two hexadecimal digits for each byte of a payload or of a register's value. */
json_t *document_hex(const uint8_t *bytes, size_t count);

/* Wall-clock time in whole milliseconds, null for 0: nanoseconds are more than many readers of JSON can hold. */
json_t *document_wall_ms(int64_t wall_ns);

#endif
