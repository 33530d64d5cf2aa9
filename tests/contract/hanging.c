#include "hanging.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file system of our own, in a mount name space of our own, that can be frozen: writes to it hang. */
static const char *mount_freezable(struct scratch_loop *loop)
{
    const char *image = scratch_file("image", 32 << 20);
    const char *mount_point = scratch_path("mount");
    scratch_loop_attach(image, 512, loop);
    cr_assert_eq(unshare(CLONE_NEWNS), 0, "%s", strerror(errno));
    cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0, "%s", strerror(errno));
    scratch_run("mkfs.ext4 -q %s && mkdir %s", loop->path, mount_point);
    cr_assert_eq(mount(loop->path, mount_point, "ext4", 0, NULL), 0, "%s", strerror(errno));
    return mount_point;
}

pid_t hanging_freeze(struct hanging_rig *hanging)
{
    int mount_fd = hanging->mount_fd;
    pid_t rescuer = fork();
    cr_assert_geq(rescuer, 0);
    if (rescuer == 0) {
        sleep(20);
        ioctl(mount_fd, FITHAW, 0);
        _exit(0);
    }
    cr_assert_eq(ioctl(mount_fd, FIFREEZE, 0), 0, "%s", strerror(errno));
    return rescuer;
}

void hanging_thaw(struct hanging_rig *hanging, pid_t rescuer)
{
    cr_assert_eq(ioctl(hanging->mount_fd, FITHAW, 0), 0, "%s", strerror(errno));
    kill(rescuer, SIGKILL);
    waitpid(rescuer, NULL, 0);
}

void hanging_open(struct hanging_rig *hanging)
{
    struct rig *rig = &hanging->rig;
    struct disk_set_options options = {
        .paths = hanging->paths, .path_count = RIG_DISKS, .is_writable = true, .engine = rig_engine_kind()};
    cr_assert_eq(disk_set_open(&options, &rig->set), 0, "%s", rig->set.message);
    rig_open_engine(&rig->set, -1, &rig->engine);
}

struct hanging_rig *hanging_new(void)
{
    struct hanging_rig *hanging = calloc(1, sizeof *hanging);
    scratch_init();
    hanging->mount_point = mount_freezable(&hanging->loop);
    hanging->mount_fd = open(hanging->mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    scratch_loop_attach(scratch_file("mount/disk", 1 << 20), 512, &hanging->disk);
    hanging->paths[0] = scratch_path("a");
    hanging->paths[1] = scratch_path("b");
    hanging->paths[2] = hanging->disk.path;
    hanging->rig.header = scratch_format(hanging->paths, RIG_DISKS, 0);
    hanging_open(hanging);
    return hanging;
}

void hanging_close(struct hanging_rig *hanging)
{
    disk_engine_close(hanging->rig.engine);
    disk_set_close(&hanging->rig.set);
}

void hanging_free(struct hanging_rig *hanging)
{
    hanging_close(hanging);
    scratch_loop_detach(&hanging->disk);
    close(hanging->mount_fd);
    cr_assert_eq(umount2(hanging->mount_point, MNT_DETACH), 0);
    scratch_loop_detach(&hanging->loop);
    free(hanging);
    scratch_done();
}
