#include "stories.h"

#include "block/limits.h"
#include "disk/engine.h"
#include "disk/format.h"
#include "injection.h"

#include <diskarch/diskarch.h>

#include <stdio.h>
#include <string.h>

static void tell(const char *text)
{
    size_t used = strlen(injection->told);
    snprintf(injection->told + used, sizeof injection->told - used, "%s%s", used > 0 ? "; " : "", text);
}

static void tell_disks(const struct diskarch_disk_status *disks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (disks[i].state != DISKARCH_DISK_GOOD) {
            tell(disks[i].path);
            tell(disks[i].reason);
        }
    }
}

/* What was not had is told, and nothing else is. */
static void expect_told(bool is_due, const char *words)
{
    if (is_due != (strstr(injection->told, words) != NULL)) {
        snprintf(injection->complaint, sizeof injection->complaint, "%s told: %s", is_due ? "not" : "without cause",
                 words);
    }
}

/* What runs if nothing fails. */
static const char *first_engine(const char *engine)
{
    if (engine != NULL && strcmp(engine, "auto") != 0) {
        return engine;
    }
    return uring_is_built() ? "io_uring" : "libaio";
}

static struct diskarch_options options_of(const struct stage *stage, const char *engine)
{
    return (struct diskarch_options){.size = sizeof(struct diskarch_options),
                                     .disks = stage->disks,
                                     .disk_count = STAGE_DISKS,
                                     .node_name = "starter",
                                     .engine = engine};
}

/* ---- A node ----------------------------------------------------------------------------------------------------------- */

static int run_node(const struct stage *stage, const char *engine)
{
    struct diskarch_options options = options_of(stage, engine);
    struct diskarch *node = NULL;
    int error = diskarch_open(&options, &node, injection->told, sizeof injection->told);
    atomic_store(&injection->is_armed, false);
    if (error != 0) {
        return node == NULL ? error : 0;
    }
    struct diskarch_node_info info = {.size = sizeof info};
    struct diskarch_disk_status disks[STAGE_DISKS];
    injection->told[0] = '\0';
    diskarch_node_info(node, &info);
    tell(info.warning);
    tell_disks(disks, diskarch_disks(node, disks, STAGE_DISKS));
    expect_told(!info.is_locked, "memory not locked");
    expect_told(!info.is_realtime, "no real-time priority");
    expect_told(strcmp(info.engine, first_engine(engine)) != 0, "libaio is used: engine io_uring:");
    diskarch_close(node);
    return 0;
}

static int run_node_auto(const struct stage *stage)
{
    return run_node(stage, "auto");
}

static int run_node_io_uring(const struct stage *stage)
{
    return run_node(stage, "io_uring");
}

static int run_node_libaio(const struct stage *stage)
{
    return run_node(stage, "libaio");
}

/* ---- An observer ------------------------------------------------------------------------------------------------------ */

static int run_observer(const struct stage *stage)
{
    struct diskarch_options options = options_of(stage, NULL);
    struct diskarch_observer *observer = NULL;
    int error = diskarch_observer_open(&options, &observer, injection->told, sizeof injection->told);
    atomic_store(&injection->is_armed, false);
    if (error != 0) {
        return observer == NULL ? error : 0;
    }
    struct diskarch_set_info info = {.size = sizeof info};
    struct diskarch_disk_status disks[STAGE_DISKS];
    injection->told[0] = '\0';
    diskarch_observer_set_info(observer, &info);
    tell(info.warning);
    if (diskarch_observer_poll(observer) != 0) {
        tell(diskarch_observer_message(observer));
    }
    tell_disks(disks, diskarch_observer_disks(observer, disks, STAGE_DISKS));
    expect_told(strcmp(info.engine, first_engine(NULL)) != 0, "libaio is used: engine io_uring:");
    diskarch_observer_close(observer);
    return 0;
}

/* ---- Formatting ------------------------------------------------------------------------------------------------------- */

static int run_format(const struct stage *stage)
{
    struct format_options options = {
        .paths = stage->disks,
        .path_count = STAGE_DISKS,
        .set_name = "new",
        .slots = 4,
        .registers = 4,
        .timings = {.lease_ns = 100 * NS_PER_MS,
                    .renew_ns = 10 * NS_PER_MS,
                    .io_deadline_ns = 5 * NS_PER_MS,
                    .quarantine_ns = NS_PER_S,
                    .drift_ppm = 5000},
        .slot_reuse = true,
    };
    struct set_header header;
    int error = disk_format(&options, &header, injection->told, sizeof injection->told);
    atomic_store(&injection->is_armed, false);
    return error;
}

/* ---- The table -------------------------------------------------------------------------------------------------------- */

/* Another engine reads the headers, and moves the blocks: expect_told() holds whether that is told. */
#define ENGINE_TOLERANCES                                                                                              \
    {"calloc", ""}, {"posix_memalign", ""}, {"mmap of a descriptor", ""}, {"io_uring_setup", ""},                      \
        {"io_uring_register", ""}, {"io_uring_enter", ""},                                                             \
    {                                                                                                                  \
        "io_submit", ""                                                                                                \
    }

/* One disk of three is not there. */
#define DISK_TOLERANCES                                                                                                \
    {"stat", "Input/output error; see the kernel log"}, {"statx", "Input/output error; see the kernel log"},           \
        {"ioctl", "Input/output error; see the kernel log"},                                                           \
        {"blkid_probe_set_device", "Input/output error; see the kernel log"},                                          \
    {                                                                                                                  \
        "blkid_probe_get_topology", "Input/output error; see the kernel log"                                           \
    }

static const struct tolerance node_tolerances[] = {
    ENGINE_TOLERANCES,
    DISK_TOLERANCES,
    {"mlock", "memory not locked"},
    {"mlock2", "memory not locked"},
    {"realloc", "memory not locked"},           /* how the thread finds its own stack */
    {"sched_getaffinity", "memory not locked"}, /* the same */
    {"sched_setscheduler", "no real-time priority"},
    {NULL, NULL},
};

static const struct tolerance observer_tolerances[] = {
    ENGINE_TOLERANCES,
    DISK_TOLERANCES,
    {NULL, NULL},
};

static const struct tolerance format_tolerances[] = {
    ENGINE_TOLERANCES,
    {"stat", ""},  /* whether a file has to be created: what cannot be looked at is looked at again when it is opened */
    {"ioctl", ""}, /* of a loop device that is none of ours */
    {NULL, NULL},
};

const struct story stories[] = {
    {"node-auto", false, false, run_node_auto, node_tolerances},
    {"node-io_uring", false, true, run_node_io_uring, node_tolerances},
    {"node-libaio", false, false, run_node_libaio, node_tolerances},
    {"observer", false, false, run_observer, observer_tolerances},
    {"format", true, false, run_format, format_tolerances},
};
const int story_count = sizeof stories / sizeof stories[0];
