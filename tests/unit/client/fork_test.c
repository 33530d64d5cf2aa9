/* Whoever is forked off a leader leads nothing, and can do no harm with the handles it inherited. */
#include "fixture.h"

#include <sys/wait.h>
#include <unistd.h>

static int child_of_leader(struct diskarch *node, struct diskarch_role *role)
{
    struct diskarch_event event = {.size = sizeof event};
    struct diskarch_role *other = NULL;
    CHECK(diskarch_remaining_ns(role, NULL) == 0);
    CHECK(diskarch_dispatch(node, &event) == 0);
    CHECK(diskarch_campaign(node, "other", NULL, &other) == DISKARCH_ECLOSED);
    CHECK(diskarch_resign(role) == DISKARCH_ECLOSED);
    CHECK(diskarch_wait(role, -1) == DISKARCH_ECLOSED);
    CHECK(diskarch_transfer(role, "beta") == DISKARCH_ECLOSED);
    CHECK(diskarch_publish(role, "x", 1) == DISKARCH_ECLOSED);
    CHECK(diskarch_register_set(node, "note", "x", 1, -1, NULL) == DISKARCH_ECLOSED);
    CHECK(diskarch_ask(node, "db", DISKARCH_ASK_RESIGN, NULL, -1) == DISKARCH_ECLOSED);
    diskarch_role_free(role);
    diskarch_close(node);
    return 0;
}

int main(void)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct diskarch *node = fixture_open(&fixture, "alpha", false);
    struct diskarch_role *role;
    uint64_t epoch = 0;
    CHECK(diskarch_campaign(node, "db", NULL, &role) == 0);
    CHECK(diskarch_wait(role, -1) == 0);
    pid_t child = fork();
    if (child == 0) {
        _exit(child_of_leader(node, role));
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(diskarch_remaining_ns(role, &epoch) > 0 && epoch == 1);
    diskarch_close(node);
    fixture_remove(&fixture);
    return 0;
}
