/*
 * An observer's reads over scripted disks: one that hangs costs one deadline and then sits out until it has answered;
 * what it answers late is not taken for an answer to a later question.
 */
#include "client/reader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { DISKS = 3, REQUESTS_MAX = 64, BLOCK = 512 };

static struct disk_set set;
static struct reader reader;
static struct disk_request requests[REQUESTS_MAX];
static bool is_answered[REQUESTS_MAX];
static int request_count;
static bool is_hanging[DISKS];
static int read_error[DISKS];
static int stranger = -1; /* this disk shows the header of another set */
static uint8_t bytes[BLOCK];
static int taken[DISKS];

/* ---- The disks --------------------------------------------------------------------------------------------------- */

int disk_engine_open(struct disk_set *over, const struct disk_engine_options *options, struct disk_engine **ret)
{
    (void)over;
    (void)options;
    *ret = NULL;
    return 0;
}

void disk_engine_close(struct disk_engine *engine)
{
    (void)engine;
}

int disk_engine_queue(struct disk_engine *engine, const struct disk_request *request)
{
    (void)engine;
    cr_assert_lt(request_count, REQUESTS_MAX);
    requests[request_count++] = *request;
    return 0;
}

int disk_engine_submit(struct disk_engine *engine)
{
    (void)engine;
    return 0;
}

int disk_engine_wait(struct disk_engine *engine, int64_t timeout_ns)
{
    (void)engine;
    (void)timeout_ns;
    return 0;
}

static const uint8_t *header_of(uint32_t disk)
{
    struct set_header header = set.header;
    header.disk_index = disk;
    header.set_uuid.bytes[0] ^= (uint8_t)(stranger == (int)disk);
    set_header_encode(bytes, BLOCK, &header);
    return bytes;
}

bool disk_engine_reap(struct disk_engine *engine, struct disk_completion *ret)
{
    (void)engine;
    for (int i = 0; i < request_count; i++) {
        const struct disk_request *request = &requests[i];
        if (is_answered[i] || is_hanging[request->disk]) {
            continue;
        }
        is_answered[i] = true;
        *ret = (struct disk_completion){
            .tag = request->tag, .disk = request->disk, .read_error = read_error[request->disk]};
        if (ret->read_error == 0) {
            ret->bytes = request->operation == DISK_HEADER ? header_of(request->disk) : bytes;
        }
        return true;
    }
    return false;
}

void disk_engine_release(struct disk_engine *engine, uint32_t request)
{
    (void)engine;
    (void)request;
}

/* ---- The stories ------------------------------------------------------------------------------------------------- */

static void set_up(void)
{
    set.header = (struct set_header){
        .major = FORMAT_MAJOR,
        .set_name = "fake",
        .generation = 1,
        .disk_count = DISKS,
        .layout = {.block_bytes = BLOCK, .slots = 4, .registers = 4},
        .timings = {.lease_ns = 100 * NS_PER_MS,
                    .renew_ns = 10 * NS_PER_MS,
                    .io_deadline_ns = 5 * NS_PER_MS,
                    .quarantine_ns = NS_PER_S,
                    .drift_ppm = 5000},
    };
    for (uint8_t i = 0; i < DISKS; i++) {
        set.header.disk_uuids[i].bytes[0] = i + 1;
        set.members[i].is_present = true;
    }
    cr_assert_eq(reader_open(&reader, &set, DISK_ENGINE_AUTO), 0);
}

TestSuite(reader, .init = set_up);

static void take(void *context, uint32_t disk, uint32_t want, const uint8_t *row)
{
    (void)row;
    cr_assert_eq(want, 0);
    taken[disk] += *(int *)context;
}

static const struct reader_want heartbeats = {.operation = DISK_READ, .row = 1};

static void look(int weight)
{
    reader_look(&reader, &heartbeats, 1, take, &weight);
}

static int requests_of(uint32_t disk)
{
    int count = 0;
    for (int i = 0; i < request_count; i++) {
        count += requests[i].disk == disk;
    }
    return count;
}

Test(reader, takes_what_every_disk_gives)
{
    look(1);
    for (uint32_t disk = 0; disk < DISKS; disk++) {
        cr_assert(reader.disks[disk].is_good, "%s", reader.disks[disk].reason);
        cr_assert_eq(taken[disk], 1);
        cr_assert_eq(requests_of(disk), 2, "a header and a row");
        cr_assert_geq(reader.disks[disk].latency_ns, 0);
    }
    cr_assert_eq(reader_good_count(&reader), DISKS);
}

Test(reader, lets_a_hung_disk_sit_out_until_it_has_answered)
{
    is_hanging[1] = true;
    look(1);
    cr_assert_not(reader.disks[1].is_good);
    cr_assert_not_null(strstr(reader.disks[1].reason, "not answered"));
    cr_assert_eq(reader.disks[1].latency_ns, -1);
    cr_assert_eq(reader_good_count(&reader), 2);
    look(10);
    cr_assert_eq(requests_of(1), 2, "nothing more is asked of it");
    cr_assert_not(reader.disks[1].is_good);
    cr_assert_eq(taken[0], 11);

    is_hanging[1] = false;
    look(100);
    cr_assert_eq(taken[1], 100, "its late answer to the first look is not taken for one to the third");
    cr_assert_eq(requests_of(1), 4);
    cr_assert(reader.disks[1].is_good);
}

Test(reader, names_what_a_failed_disk_failed_with)
{
    read_error[2] = -ENODATA;
    look(1);
    cr_assert_not(reader.disks[2].is_good);
    cr_assert_not_null(strstr(reader.disks[2].reason, "truncated"));
    read_error[2] = -EIO;
    look(1);
    cr_assert_not_null(strstr(reader.disks[2].reason, "Input/output error"));
    read_error[2] = 0;
    look(1);
    cr_assert(reader.disks[2].is_good);
    cr_assert_eq(reader.disks[2].reason[0], '\0');
}

/* D7: what stands on a disk whose header is gone proves nothing. */
Test(reader, D7_a_disk_with_another_header_is_not_good)
{
    stranger = 2;
    look(1);
    cr_assert_not(reader.disks[2].is_good);
    cr_assert_not_null(strstr(reader.disks[2].reason, "header"));
    int weight = 1;
    reader_pass(&reader, &heartbeats, 1, take, &weight);
    cr_assert_eq(requests_of(2), 2);
    stranger = -1;
    look(1);
    cr_assert(reader.disks[2].is_good);
}

Test(reader, says_why_a_disk_is_absent_and_asks_it_nothing)
{
    set.members[0].is_present = false;
    strcpy(set.members[0].reason, "no such device");
    look(1);
    cr_assert_not(reader.disks[0].is_good);
    cr_assert_str_eq(reader.disks[0].reason, "no such device");
    cr_assert_eq(requests_of(0), 0);
}

Test(reader, asks_only_good_disks_after_the_look)
{
    read_error[0] = -EIO;
    look(1);
    int before = requests_of(0);
    int weight = 1;
    reader_pass(&reader, &heartbeats, 1, take, &weight);
    cr_assert_eq(requests_of(0), before);
    cr_assert_eq(requests_of(1), 3);
}

Test(reader, D7_a_disk_that_is_counted_out_is_asked_nothing_until_the_next_look)
{
    look(1);
    reader_count_out(&reader, 1, "alpha");
    cr_assert(reader.disks[1].is_out);
    cr_assert_not_null(strstr(reader.disks[1].reason, "alpha"));
    cr_assert_eq(reader_good_count(&reader), 2);
    int weight = 1;
    reader_pass(&reader, &heartbeats, 1, take, &weight);
    cr_assert_eq(requests_of(1), 2);
    look(1);
    cr_assert_not(reader.disks[1].is_out);
    cr_assert_eq(reader_good_count(&reader), DISKS);
    cr_assert_eq(reader.rows_read, 3, "each row once, whatever the number of disks, and no header");
}
