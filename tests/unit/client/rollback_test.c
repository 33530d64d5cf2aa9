/*
 * D7: one of three files is put back to what it was some heartbeats ago, as an array does that returns to a snapshot. The
 * node counts it out and goes on leading; an observer and a newcomer are told by it, and name the disk as well.
 */
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VICTIM = 2, ALIGNMENT = 4096, ROLLBACKS_MAX = 20 };

struct image {
    char *bytes;
    size_t size;
};

static struct image image_take(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_DIRECT);
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    struct image image = {.size = (size_t)status.st_size};
    image.bytes = aligned_alloc(ALIGNMENT, (image.size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    CHECK(image.bytes != NULL && read(fd, image.bytes, image.size) == (ssize_t)image.size);
    CHECK(close(fd) == 0);
    return image;
}

/* Past the page cache, as the node writes: the two do not mix. */
static void image_put_back(const struct image *image, const char *path)
{
    int fd = open(path, O_WRONLY | O_DIRECT);
    CHECK(fd >= 0 && write(fd, image->bytes, image->size) == (ssize_t)image->size);
    CHECK(close(fd) == 0);
}

static enum diskarch_disk_state state_of(struct diskarch *node, char *ret_reason)
{
    struct diskarch_disk_status disks[FIXTURE_DISKS];
    CHECK(diskarch_disks(node, disks, FIXTURE_DISKS) == FIXTURE_DISKS);
    memcpy(ret_reason, disks[VICTIM].reason, sizeof disks[VICTIM].reason);
    return disks[VICTIM].state;
}

static void await_out(struct diskarch *node)
{
    char reason[256];
    while (state_of(node, reason) != DISKARCH_DISK_OUT) {
        CHECK(event_await(node, DISKARCH_DISK).role == NULL);
    }
    CHECK(strstr(reason, "back in time") != NULL && strstr(reason, "--repair") != NULL);
}

/*
 * What lands between a heartbeat's read of the row and its write is overwritten unseen, and the next one finds nothing
 * wrong: then the array goes back once more.
 */
static void roll_back_until_out(const struct fixture *fixture, struct diskarch *node, const struct image *image)
{
    char reason[256];
    for (int i = 0; state_of(node, reason) != DISKARCH_DISK_OUT; i++) {
        CHECK(i < ROLLBACKS_MAX);
        image_put_back(image, fixture->paths[VICTIM]);
        sleep_ms(FIXTURE_LEASE_MS / 3);
    }
    await_out(node);
}

static void check_observed(const struct fixture *fixture)
{
    struct diskarch_observer *observer = fixture_observe(fixture);
    struct diskarch_disk_status disks[FIXTURE_DISKS];
    struct diskarch_role_status role;
    do {
        CHECK(diskarch_observer_poll(observer) == 0);
        CHECK(diskarch_observer_disks(observer, disks, FIXTURE_DISKS) == FIXTURE_DISKS);
    } while (disks[VICTIM].state != DISKARCH_DISK_OUT);
    CHECK(strstr(disks[VICTIM].reason, "node alpha") != NULL);
    CHECK(diskarch_observer_role(observer, "db", &role) == 0);
    CHECK(role.is_held && role.epoch == 1 && strcmp(role.holder_name, "alpha") == 0);
    diskarch_observer_close(observer);
}

int main(void)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct diskarch *alpha = fixture_open(&fixture, "alpha", false);
    struct diskarch_role *role;
    CHECK(diskarch_campaign(alpha, "db", NULL, &role) == 0);
    CHECK(diskarch_wait(role, -1) == 0);
    struct image image = image_take(fixture.paths[VICTIM]);
    sleep_ms(FIXTURE_LEASE_MS);
    roll_back_until_out(&fixture, alpha, &image);
    check_observed(&fixture);
    CHECK(diskarch_remaining_ns(role, NULL) > 0);

    struct diskarch *beta = fixture_open(&fixture, "beta", false);
    event_await(beta, DISKARCH_JOINED);
    await_out(beta);
    CHECK(diskarch_register_set(beta, "note", "two disks do", 12, -1, NULL) == 0);
    diskarch_close(beta);
    diskarch_close(alpha);
    free(image.bytes);
    fixture_remove(&fixture);
    return 0;
}
