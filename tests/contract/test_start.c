/*
 * Which engine is chosen, and what is told: one that cannot start says the likely cause and the remedy, whoever asked for it
 * by name gets no other, and whoever left the choice gets the other one and that text as a warning.
 */
#include "scratch.h"

#include "disk/disk.h"

#include <criterion/criterion.h>
#include <diskarch/diskarch.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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

/* The engine starts, reads, and warns of nothing but `reason` and `remedy`; NULL: it does not warn. */
static void expect_start(enum disk_engine_kind kind, const char *name, const char *reason, const char *remedy)
{
    struct disk_engine_options options = {.kind = kind, .depth = 64, .wake_fd = -1};
    struct disk_request request = {.operation = DISK_HEADER, .disk = 1};
    struct disk_completion done;
    struct disk_engine *engine;
    cr_assert_eq(disk_engine_open(set, &options, &engine), 0, "%s", set->message);
    cr_assert_str_eq(disk_engine_name(engine), name);
    cr_assert_str_eq(set->message, "");
    if (reason == NULL) {
        cr_expect_str_eq(disk_engine_warning(engine), "");
    } else {
        scratch_expect_message(disk_engine_warning(engine), "libaio is used: engine io_uring", reason, remedy);
    }
    cr_assert_eq(disk_engine_queue(engine, &request), 0);
    cr_assert_eq(disk_engine_submit(engine), 0);
    while (!disk_engine_reap(engine, &done)) {
        cr_assert_eq(disk_engine_wait(engine, -1), 0);
    }
    cr_assert_eq(done.read_error, 0);
    disk_engine_release(engine, done.request);
    disk_engine_close(engine);
}

/* From here on, this process gets `error` for that system call with that first argument, as under a container's filter. */
static void filter_argument(long number, uint32_t argument, uint32_t argument_mask, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, argument_mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0, "%s", strerror(errno));
}

static void filter(long number, int error)
{
    filter_argument(number, 0, 0, error);
}

static void come_and_go(enum disk_engine_kind kind, const char *name)
{
    for (int i = 0; i < 50; i++) {
        expect_start(kind, name, NULL, NULL);
    }
    disk_engine_close(NULL);
}

/* ---- io_uring --------------------------------------------------------------------------------------------------------- */

#ifdef DISKARCH_IO_URING

Test(contract_start, io_uring_comes_and_goes, .init = setup, .fini = teardown)
{
    come_and_go(DISK_ENGINE_IO_URING, "io_uring");
}

Test(contract_start, io_uring_is_the_first_choice, .init = setup, .fini = teardown)
{
    expect_start(DISK_ENGINE_AUTO, "io_uring", NULL, NULL);
}

Test(contract_start, a_missing_io_uring_is_explained, .init = setup, .fini = teardown)
{
    filter(SYS_io_uring_setup, ENOSYS);
    expect_no_start(DISK_ENGINE_IO_URING, "this kernel has none", "allow io_uring_setup");
    expect_start(DISK_ENGINE_AUTO, "libaio", "this kernel has none", "allow io_uring_setup");
}

Test(contract_start, a_forbidden_io_uring_is_explained, .init = setup, .fini = teardown)
{
    filter(SYS_io_uring_setup, EPERM);
    expect_no_start(DISK_ENGINE_IO_URING, "seccomp or SELinux", "allow io_uring_setup");
    expect_start(DISK_ENGINE_AUTO, "libaio", "seccomp or SELinux", "allow io_uring_setup");
}

Test(contract_start, too_little_locked_memory_is_explained, .init = setup, .fini = teardown)
{
    struct rlimit limit = {.rlim_cur = 65536, .rlim_max = 65536};
    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    uid_t root = geteuid();
    cr_assert_eq(seteuid(65534), 0, "%s", strerror(errno));
    expect_no_start(DISK_ENGINE_IO_URING, "RLIMIT_MEMLOCK is 64 KiB", "LimitMEMLOCK=");
    expect_start(DISK_ENGINE_AUTO, "libaio", "RLIMIT_MEMLOCK is 64 KiB", "LimitMEMLOCK=");
    cr_assert_eq(seteuid(root), 0);
}

Test(contract_start, without_either_engine_both_are_explained, .init = setup, .fini = teardown)
{
    filter(SYS_io_uring_setup, EPERM);
    filter(SYS_io_setup, EPERM);
    expect_no_start(DISK_ENGINE_AUTO, "engine libaio: not permitted", "allow io_setup");
    expect_no_start(DISK_ENGINE_AUTO, "engine io_uring: not permitted", "allow io_uring_setup");
}

#else

Test(contract_start, an_engine_not_built_in_is_refused, .init = setup, .fini = teardown)
{
    expect_no_start(DISK_ENGINE_IO_URING, "this build has none", "--engine libaio");
}

Test(contract_start, a_choice_of_one_is_none_to_warn_of, .init = setup, .fini = teardown)
{
    expect_start(DISK_ENGINE_AUTO, "libaio", NULL, NULL);
}

#endif

/* ---- libaio ----------------------------------------------------------------------------------------------------------- */

Test(contract_start, libaio_comes_and_goes, .init = setup, .fini = teardown)
{
    come_and_go(DISK_ENGINE_LIBAIO, "libaio");
}

Test(contract_start, a_forbidden_libaio_is_explained, .init = setup, .fini = teardown)
{
    filter(SYS_io_setup, EPERM);
    expect_no_start(DISK_ENGINE_LIBAIO, "seccomp", "allow io_setup");
}

Test(contract_start, libaio_without_requests_left_is_explained, .init = setup, .fini = teardown)
{
    filter(SYS_io_setup, EAGAIN);
    expect_no_start(DISK_ENGINE_LIBAIO, "more than this host has left", "fs.aio-max-nr");
}

Test(contract_start, libaio_without_a_process_of_its_own_is_explained, .init = setup, .fini = teardown)
{
    filter_argument(SYS_clone, CLONE_VM, UINT32_MAX, EAGAIN);
    expect_no_start(DISK_ENGINE_LIBAIO, "too many processes", "TasksMax=");
}

Test(contract_start, libaio_on_a_kernel_too_old_is_explained, .init = setup, .fini = teardown)
{
    filter(SYS_close_range, ENOSYS);
    expect_no_start(DISK_ENGINE_LIBAIO, "close_range", "Linux 5.9");
}

/* What the kernel has no memory for is kept, and counts neither as failed nor as in the kernel's hands: such an engine can be
 * ended, its helper process with it. */
Test(contract_start, libaio_keeps_what_the_kernel_does_not_take, .init = setup, .fini = teardown)
{
    struct disk_engine_options options = {.kind = DISK_ENGINE_LIBAIO, .depth = 4, .wake_fd = -1};
    struct disk_request request = {.operation = DISK_HEADER, .disk = 1};
    struct disk_completion done;
    struct disk_engine *engine;
    cr_assert_eq(disk_engine_open(set, &options, &engine), 0, "%s", set->message);
    filter(SYS_io_submit, EAGAIN);
    cr_assert_eq(disk_engine_queue(engine, &request), 0);
    cr_expect_eq(disk_engine_submit(engine), -EAGAIN);
    cr_expect_eq(disk_engine_wait(engine, NS_PER_S), -EAGAIN);
    cr_expect_not(disk_engine_reap(engine, &done));
    cr_expect_eq(disk_engine_in_flight(engine), 1);
    disk_engine_close(engine);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG | (int)__WCLONE), -1);
    cr_expect_eq(errno, ECHILD);
}
