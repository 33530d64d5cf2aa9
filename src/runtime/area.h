/*
 * Memory of the node thread: mapped before it starts, locked where that is allowed, so that neither an allocator nor a
 * page fault stands between a turn and its deadline. Pages that are never touched cost nothing.
 */
#ifndef DISKARCH_RUNTIME_AREA_H
#define DISKARCH_RUNTIME_AREA_H

#include <stddef.h>
#include <stdint.h>

enum { AREAS_MAX = 8, AREA_PREFAULT_BYTES = 4 << 20 }; /* larger areas get their pages when they are touched */

struct area {
    void *memory;
    size_t bytes;
};

struct area_list {
    struct area areas[AREAS_MAX];
    uint32_t count;
};

/* Maps zeroed memory. 0 or -errno. */
int area_map(struct area_list *list, size_t bytes, void **ret);

/* Locks every area. 0 or -errno of the first refusal. */
int area_lock_all(struct area_list *list);

/* Makes an area all zero again without touching pages that are not in use. 0 or -errno. */
int area_wipe(struct area_list *list, void *memory);

void area_unmap_all(struct area_list *list);

#endif
