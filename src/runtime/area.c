#include "runtime/area.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

int area_map(struct area_list *list, size_t bytes, void **ret)
{
    assert(list->count < AREAS_MAX);
    assert(bytes > 0);
    int populate = bytes <= AREA_PREFAULT_BYTES ? MAP_POPULATE : 0;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | populate, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    list->areas[list->count++] = (struct area){.memory = memory, .bytes = bytes};
    *ret = memory;
    return 0;
}

static int area_lock(const struct area *area)
{
    return mlock2(area->memory, area->bytes, MLOCK_ONFAULT) == 0 ? 0 : -errno;
}

int area_lock_all(struct area_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        int error = area_lock(&list->areas[i]);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

/* A large area is mapped anew: MADV_DONTNEED is refused on locked memory, and memset would touch every page. */
static int area_map_again(const struct area *area)
{
    void *memory =
        mmap(area->memory, area->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    /* Where locking was refused at the start it is refused again, and has been reported. */
    (void)area_lock(area);
    return 0;
}

int area_wipe(struct area_list *list, void *memory)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct area *area = &list->areas[i];
        if (area->memory != memory) {
            continue;
        }
        if (area->bytes > AREA_PREFAULT_BYTES) {
            return area_map_again(area);
        }
        memset(area->memory, 0, area->bytes);
        return 0;
    }
    assert(false && "the area is of this list");
    return -EINVAL;
}

void area_unmap_all(struct area_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        munmap(list->areas[i].memory, list->areas[i].bytes);
    }
    list->count = 0;
}
