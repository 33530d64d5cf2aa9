/* An engine that cannot start says the likely cause and the remedy, and never falls back in silence. */
#include "rig.h"

#include <criterion/criterion.h>
#include <diskarch/diskarch.h>
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct disk_set *set;

static void setup(void)
{
    scratch_init();
    const char *paths[] = {scratch_path("a"), scratch_path("b"), scratch_path("c")};
    scratch_format(paths, 3, 0);
    set = calloc(1, sizeof *set);
    struct disk_set_options options = {.paths = paths, .path_count = 3, .is_writable = true};
    cr_assert_eq(disk_set_open(&options, set), 0, "%s", set->message);
}

static void teardown(void)
{
    disk_set_close(set);
    free(set);
    scratch_done();
}

static void expect_no_start(enum disk_engine_kind kind, const char *reason, const char *remedy)
{
    struct disk_engine_options options = {.kind = kind, .depth = 64, .wake_fd = -1};
    struct disk_engine *untouched = (struct disk_engine *)set;
    struct disk_engine *engine = untouched;
    cr_assert_eq(disk_engine_open(set, &options, &engine), DISKARCH_EENGINE);
    cr_assert_eq(engine, untouched);
    scratch_expect_message(set->message, "engine", reason, remedy);
}

/* From here on, this process gets `error` for io_uring_setup, as under a container's filter. */
static void filter_io_uring(int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0, "%s", strerror(errno));
}

Test(contract_start, an_engine_not_built_in_is_refused, .init = setup, .fini = teardown)
{
    expect_no_start(DISK_ENGINE_LIBAIO, "not built", "--engine io_uring");
}

Test(contract_start, a_missing_io_uring_is_explained, .init = setup, .fini = teardown)
{
    filter_io_uring(ENOSYS);
    expect_no_start(DISK_ENGINE_IO_URING, "this kernel has none", "allow io_uring_setup");
}

Test(contract_start, automatic_choice_does_not_fall_back_in_silence, .init = setup, .fini = teardown)
{
    filter_io_uring(ENOSYS);
    expect_no_start(DISK_ENGINE_AUTO, "this kernel has none", "allow io_uring_setup");
}

Test(contract_start, a_forbidden_io_uring_is_explained, .init = setup, .fini = teardown)
{
    filter_io_uring(EPERM);
    expect_no_start(DISK_ENGINE_IO_URING, "seccomp or SELinux", "allow io_uring_setup");
}

Test(contract_start, too_little_locked_memory_is_explained, .init = setup, .fini = teardown)
{
    struct rlimit limit = {.rlim_cur = 65536, .rlim_max = 65536};
    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    uid_t root = geteuid();
    cr_assert_eq(seteuid(65534), 0, "%s", strerror(errno));
    expect_no_start(DISK_ENGINE_IO_URING, "RLIMIT_MEMLOCK is 64 KiB", "LimitMEMLOCK=");
    cr_assert_eq(seteuid(root), 0);
}

Test(contract_start, engines_come_and_go, .init = setup, .fini = teardown)
{
    for (int i = 0; i < 50; i++) {
        struct disk_engine *engine;
        rig_open_engine(set, -1, &engine);
        disk_engine_close(engine);
    }
    disk_engine_close(NULL);
}
