/*
 * Takes the names of the functions that give memory, for everything in the process: own code, libraries, and what the C
 * library allocates for itself.
 *
 * And those of libblkid that can fail: each fails as a whole. What fails inside libblkid is not ours to mend: it loses
 * descriptors when its allocations fail.
 */
#include "injection.h"

#include <blkid/blkid.h>
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A pointer to an object holds that to a function in POSIX, but ISO C has no cast for it. */
static void find(void *ret_function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(ret_function, &found, sizeof found);
}

/* Libraries find these names only if the program shows them. */
#define SHOWN __attribute__((visibility("default")))

#define NEXT(result, name, ...)                                                                                        \
    static result (*next)(__VA_ARGS__);                                                                                \
    if (next == NULL) {                                                                                                \
        find(&next, name);                                                                                             \
    }

static void count_block(void *block)
{
    if (injection != NULL && block != NULL) {
        atomic_fetch_add(&injection->blocks, 1);
    }
}

static void count_bytes(int64_t bytes)
{
    if (injection != NULL) {
        atomic_fetch_add(&injection->mapped_bytes, bytes);
    }
}

static bool strikes(enum call call)
{
    bool is_hit = injection_strikes(injection, call);
    if (is_hit) {
        errno = injection->error;
    }
    return is_hit;
}

SHOWN void *malloc(size_t bytes)
{
    NEXT(void *, "malloc", size_t)
    if (strikes(CALL_MALLOC)) {
        return NULL;
    }
    void *block = next(bytes);
    count_block(block);
    return block;
}

SHOWN void *calloc(size_t count, size_t bytes)
{
    NEXT(void *, "calloc", size_t, size_t)
    if (strikes(CALL_CALLOC)) {
        return NULL;
    }
    void *block = next(count, bytes);
    count_block(block);
    return block;
}

SHOWN void *realloc(void *old, size_t bytes)
{
    NEXT(void *, "realloc", void *, size_t)
    if (strikes(CALL_REALLOC)) {
        return NULL;
    }
    void *block = next(old, bytes);
    if (old == NULL) {
        count_block(block);
    }
    return block;
}

SHOWN int posix_memalign(void **ret, size_t alignment, size_t bytes)
{
    NEXT(int, "posix_memalign", void **, size_t, size_t)
    if (injection_strikes(injection, CALL_MEMALIGN)) {
        return injection->error;
    }
    int error = next(ret, alignment, bytes);
    if (error == 0) {
        count_block(*ret);
    }
    return error;
}

/* Looking for the next free() frees what dlsym() had kept of an earlier error: that is let go, once. */
SHOWN void free(void *block)
{
    static bool is_finding;
    static void (*next)(void *);
    if (is_finding) {
        return;
    }
    if (next == NULL) {
        is_finding = true;
        find(&next, "free");
        is_finding = false;
    }
    if (injection != NULL && block != NULL) {
        atomic_fetch_sub(&injection->blocks, 1);
    }
    next(block);
}

SHOWN void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    NEXT(void *, "mmap", void *, size_t, int, int, int, off_t)
    if (fd < 0 && strikes(CALL_MAP_MEMORY)) {
        return MAP_FAILED;
    }
    void *memory = next(address, bytes, protection, flags, fd, offset);
    if (memory != MAP_FAILED && (flags & MAP_FIXED) == 0) {
        count_bytes((int64_t)bytes);
    }
    return memory;
}

SHOWN int munmap(void *memory, size_t bytes)
{
    NEXT(int, "munmap", void *, size_t)
    int result = next(memory, bytes);
    if (result == 0) {
        count_bytes(-(int64_t)bytes);
    }
    return result;
}

/* ---- libblkid --------------------------------------------------------------------------------------------------------- */

static void enter(int by)
{
    if (injection != NULL) {
        atomic_fetch_add(&injection->foreign_depth, by);
    }
}

SHOWN blkid_probe blkid_new_probe(void)
{
    NEXT(blkid_probe, "blkid_new_probe", void)
    if (strikes(CALL_BLKID_NEW)) {
        return NULL;
    }
    enter(1);
    blkid_probe probe = next();
    enter(-1);
    return probe;
}

SHOWN int blkid_probe_set_device(blkid_probe probe, int fd, blkid_loff_t offset, blkid_loff_t bytes)
{
    NEXT(int, "blkid_probe_set_device", blkid_probe, int, blkid_loff_t, blkid_loff_t)
    if (strikes(CALL_BLKID_DEVICE)) {
        return -1;
    }
    enter(1);
    int result = next(probe, fd, offset, bytes);
    enter(-1);
    return result;
}

SHOWN blkid_topology blkid_probe_get_topology(blkid_probe probe)
{
    NEXT(blkid_topology, "blkid_probe_get_topology", blkid_probe)
    if (strikes(CALL_BLKID_TOPOLOGY)) {
        return NULL;
    }
    enter(1);
    blkid_topology topology = next(probe);
    enter(-1);
    return topology;
}

SHOWN int blkid_probe_enable_partitions(blkid_probe probe, int enable)
{
    NEXT(int, "blkid_probe_enable_partitions", blkid_probe, int)
    if (strikes(CALL_BLKID_ENABLE)) {
        return -1;
    }
    enter(1);
    int result = next(probe, enable);
    enter(-1);
    return result;
}

SHOWN int blkid_do_probe(blkid_probe probe)
{
    NEXT(int, "blkid_do_probe", blkid_probe)
    if (strikes(CALL_BLKID_PROBE)) {
        return -1;
    }
    enter(1);
    int result = next(probe);
    enter(-1);
    return result;
}
