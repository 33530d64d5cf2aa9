/* A process can end while a disk hangs, however it ends; what is left behind goes when the disk answers. */
#include "hanging.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEADLINE_MS = 10000, LOOK_MS = 5 };

/* Everything that is left behind in the kernel becomes our child, and can be waited for. */
static void adopt_all(void)
{
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

static void look_again_later(void)
{
    nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * NS_PER_MS}, NULL);
}

/* In a process of its own: leaves an exchange in flight on the hanging disk, says so, and ends in that way. */
static pid_t start_hung(struct hanging_rig *hanging, void (*end)(void))
{
    int line[2];
    char byte;
    cr_assert_eq(pipe(line), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        struct rig *rig = &hanging->rig;
        rig_open_engine(&rig->set, -1, &rig->engine);
        rig_queue(rig->engine, DISK_EXCHANGE, HANGING_DISK, ROW_HEARTBEAT, 1, rig_block(rig, HANGING_DISK, 1, 5));
        bool is_sent = disk_engine_submit(rig->engine) == 0 && write(line[1], "", 1) == 1;
        if (is_sent) {
            end();
        }
        _exit(111);
    }
    close(line[1]);
    cr_assert_eq(read(line[0], &byte, 1), 1, "the exchange was not sent");
    close(line[0]);
    return pid;
}

/* Whether the process ends while the disk hangs. */
static bool ends_in_time(pid_t pid, int *ret_status)
{
    for (int waited_ms = 0; waited_ms < DEADLINE_MS; waited_ms += LOOK_MS) {
        if (waitpid(pid, ret_status, WNOHANG) == pid) {
            return true;
        }
        look_again_later();
    }
    return false;
}

/* What the end of such a process looked like; judged after the thaw, because nothing can be cleaned up before. */
struct ending {
    bool is_in_time;
    int status;
    pid_t gone_early; /* whatever was left behind and went before the disk answered */
    int left_behind;  /* processes that went afterwards */
};

static struct ending end_while_hanging(void (*end)(void), int signal)
{
    struct ending ending = {.left_behind = 0};
    adopt_all();
    struct hanging_rig *hanging = hanging_new();
    disk_engine_close(hanging->rig.engine);
    hanging->rig.engine = NULL;
    pid_t rescuer = hanging_freeze(hanging);
    pid_t pid = start_hung(hanging, end);
    if (signal != 0) {
        kill(pid, signal);
    }
    ending.is_in_time = ends_in_time(pid, &ending.status);
    ending.gone_early = waitpid(-1, NULL, WNOHANG);
    hanging_thaw(hanging, rescuer);
    while (waitpid(-1, NULL, 0) > 0) {
        ending.left_behind++;
    }
    hanging_free(hanging);
    return ending;
}

static void expect_ending(const struct ending *ending)
{
    bool has_caretaker = rig_engine_kind() == DISK_ENGINE_LIBAIO;
    cr_expect(ending->is_in_time, "the process did not end while the disk hung");
    cr_expect_eq(ending->gone_early, 0, "nothing that was left behind may go while the kernel holds its buffers");
    cr_expect_eq(ending->left_behind, has_caretaker);
}

static void sleep_for_ever(void)
{
    for (;;) {
        pause();
    }
}

static void leave(void)
{
    _exit(0);
}

Test(contract_exit, D2_a_process_can_be_killed_while_a_disk_hangs)
{
    struct ending ending = end_while_hanging(sleep_for_ever, SIGKILL);
    expect_ending(&ending);
    cr_expect(WIFSIGNALED(ending.status) && WTERMSIG(ending.status) == SIGKILL);
}

Test(contract_exit, D2_a_process_can_end_by_itself_while_a_disk_hangs)
{
    struct ending ending = end_while_hanging(leave, 0);
    expect_ending(&ending);
    cr_expect(WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0);
}

Test(contract_exit, D2_a_process_can_crash_while_a_disk_hangs)
{
    struct ending ending = end_while_hanging(sleep_for_ever, SIGABRT);
    expect_ending(&ending);
    cr_expect(WIFSIGNALED(ending.status) && WTERMSIG(ending.status) == SIGABRT);
}
