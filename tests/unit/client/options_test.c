/* What can be wrong with options is said with the thing and the remedy, before anything is opened. */
#include <diskarch/diskarch.h>

#include <criterion/criterion.h>
#include <string.h>

static const char *const no_disk[] = {"./no-such-disk"};

static void expect_open(const struct diskarch_options *options, int expected, const char *word)
{
    struct diskarch *node = NULL;
    struct diskarch_observer *observer = NULL;
    char message[512] = "";
    cr_assert_eq(diskarch_open(options, &node, message, sizeof message), expected, "%s", message);
    cr_assert_not_null(strstr(message, word), "\"%s\" lacks \"%s\"", message, word);
    cr_assert_null(node);
    cr_assert_eq(diskarch_open(options, &node, NULL, 0), expected);
    if (options == NULL || options->node_name == NULL) {
        message[0] = '\0';
        cr_assert_eq(diskarch_observer_open(options, &observer, message, sizeof message), expected, "%s", message);
        cr_assert_not_null(strstr(message, word));
        cr_assert_null(observer);
    }
}

Test(options, need_a_size)
{
    struct diskarch_options options = {.disks = no_disk, .disk_count = 1};
    expect_open(NULL, DISKARCH_EUSAGE, "sizeof");
    expect_open(&options, DISKARCH_EUSAGE, "sizeof");
}

Test(options, need_disks)
{
    struct diskarch_options options = {.size = sizeof options};
    expect_open(&options, DISKARCH_EUSAGE, "disks");
    options.disks = no_disk;
    options.disk_count = 10;
    expect_open(&options, DISKARCH_EUSAGE, "10");
}

Test(options, name_an_engine_that_exists)
{
    struct diskarch_options options = {
        .size = sizeof options, .disks = no_disk, .disk_count = 1, .engine = "carrier-pigeon"};
    expect_open(&options, DISKARCH_EUSAGE, "carrier-pigeon");
}

Test(options, need_a_printable_node_name)
{
    struct diskarch_options options = {.size = sizeof options, .disks = no_disk, .disk_count = 1, .node_name = "a\tb"};
    expect_open(&options, DISKARCH_EUSAGE, "printed");
    options.node_name = "";
    expect_open(&options, DISKARCH_EUSAGE, "empty");
    char longer[80];
    memset(longer, 'x', sizeof longer);
    longer[64] = '\0';
    options.node_name = longer;
    expect_open(&options, DISKARCH_EUSAGE, "63");
}

Test(options, a_disk_that_is_not_there_is_named)
{
    struct diskarch_options options = {.size = sizeof options, .disks = no_disk, .disk_count = 1};
    struct diskarch *node = NULL;
    char message[512] = "";
    cr_assert_lt(diskarch_open(&options, &node, message, sizeof message), 0);
    cr_assert_not_null(strstr(message, "no-such-disk"), "%s", message);
}

Test(options, of_an_older_caller_are_shorter)
{
    struct diskarch_options options = {.size = offsetof(struct diskarch_options, engine),
                                       .disks = no_disk,
                                       .disk_count = 1,
                                       .engine = "beyond the caller's size, never looked at"};
    struct diskarch *node = NULL;
    char message[512] = "";
    cr_assert_lt(diskarch_open(&options, &node, message, sizeof message), 0);
    cr_assert_not_null(strstr(message, "no-such-disk"), "%s", message);
}
