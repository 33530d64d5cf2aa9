/*
 * Whatever looks at a set at rest, over hostile disks: opening it, finding it by a scan, surveying it, mending its headers.
 * Nothing that only looks changes a byte, a refusal changes none either, and every message is a line that ends.
 *
 * The disks are files in memory, which have no direct I/O: open() goes without it here.
 *
 * Input: options, the size of the files; then changes: disks, block, kind of change, its arguments.
 */
#include "block/layout.h"
#include "block/role_value.h"
#include "disk/header_pair.h"
#include "disk/scan.h"
#include "fuzz.h"
#include "offline/survey.h"

#include <diskarch/diskarch.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    DISKS = 3,
    SLOTS = 2,
    REGISTERS = 1,
    ROWS = ROW_LEDGER_FIRST + 1 + REGISTERS,
    BLOCKS = 2 + ROWS * SLOTS, /* both headers among them */
    IMAGE_BYTES = BLOCKS * BLOCK_BYTES_MIN,
    FILE_BYTES = 32 * 1024, /* the most: room for another layout than the one that was formatted */
    PATH_BYTES = 64,
    FINDINGS_MAX = 100000,
};

/* In place of open(), by the linker. */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return __real_open(path, flags & ~O_DIRECT, mode);
}

struct image {
    int fd;
    char path[PATH_BYTES];
    size_t bytes;
    uint8_t content[FILE_BYTES];
};

static struct image images[DISKS];

/* ---- Sound disks ------------------------------------------------------------------------------------------------------ */

static uint8_t *block_of(struct image *image, uint32_t block)
{
    return image->content + (size_t)block * BLOCK_BYTES_MIN;
}

static bool is_header(uint32_t block)
{
    return block == 0 || block == BLOCKS - 1;
}

static struct block_place place_of(const struct set_header *header, uint32_t disk, uint32_t block)
{
    return (struct block_place){
        .set_tag = set_header_tag(header), .disk = disk, .row = (block - 1) / SLOTS, .slot = (block - 1) % SLOTS};
}

/* A set on which somebody has lived: a claim, a heartbeat, a role. */
static void write_block(const struct set_header *header, uint32_t disk, uint32_t block)
{
    struct block_place place = place_of(header, disk, block);
    struct node_id id = {.slot = place.slot, .incarnation = 9};
    struct block_author author = {.incarnation = id.incarnation, .sequence = 3};
    struct ballot ballot = {.round = 4, .slot = id.slot, .incarnation = id.incarnation};
    struct claim_block claim = {.author = author, .node_name = "alpha"};
    struct heartbeat_block heartbeat = {.author = author, .state = HEARTBEAT_READY, .counter = 2, .node_name = "alpha"};
    struct register_block reg = {.author = author, .promised = ballot, .accepted = ballot, .committed = ballot};
    struct role_value role = {
        .kind = VALUE_ROLE, .hold = ROLE_HELD, .name = "db", .holder = id, .node_name = "alpha", .epoch = 1};
    uint8_t *bytes = block_of(&images[disk], block);
    switch (place.slot == 0 ? block_kind_of_row(place.row) : 0) {
    case BLOCK_CLAIM:
        block_encode_claim(bytes, BLOCK_BYTES_MIN, &place, &claim);
        break;
    case BLOCK_HEARTBEAT:
        block_encode_heartbeat(bytes, BLOCK_BYTES_MIN, &place, &heartbeat);
        break;
    case BLOCK_REGISTER:
        if (place.row > ROW_LEDGER_FIRST) {
            role_value_encode(reg.value, &role);
        }
        block_encode_register(bytes, BLOCK_BYTES_MIN, &place, &reg);
        break;
    default:
        block_encode_empty(bytes, BLOCK_BYTES_MIN, &place);
        break;
    }
}

static void write_disk(struct set_header header, uint32_t disk)
{
    header.disk_index = disk;
    memset(images[disk].content, 0, FILE_BYTES);
    for (uint32_t block = 0; block < BLOCKS; block++) {
        if (is_header(block)) {
            set_header_encode(block_of(&images[disk], block), BLOCK_BYTES_MIN, &header);
        } else {
            write_block(&header, disk, block);
        }
    }
}

static void make_files(void)
{
    for (uint32_t disk = 0; disk < DISKS; disk++) {
        struct image *image = &images[disk];
        if (image->path[0] == '\0') {
            image->fd = memfd_create("fuzz", MFD_CLOEXEC);
            FUZZ_CHECK(image->fd >= 0);
            snprintf(image->path, sizeof image->path, "/proc/self/fd/%d", image->fd);
        }
    }
}

/* ---- Hostile disks ---------------------------------------------------------------------------------------------------- */

enum change { CHANGE_BYTES, CHANGE_SEALED_BYTES, CHANGE_ZEROS, CHANGE_COPY, CHANGES };

static void change_block(const struct set_header *header, uint32_t disk, uint32_t block, enum change change,
                         struct fuzz_input *input)
{
    uint8_t *bytes = block_of(&images[disk], block);
    uint16_t at = fuzz_take16(input) % BLOCK_BYTES_MIN;
    size_t count = 1 + fuzz_take8(input) % 32U;
    struct block_place place = place_of(header, disk, block);
    switch (change) {
    case CHANGE_BYTES:
    case CHANGE_SEALED_BYTES:
        count = count < (size_t)BLOCK_BYTES_MIN - at ? count : (size_t)BLOCK_BYTES_MIN - at;
        fuzz_take_bytes(input, bytes + at, count);
        if (change == CHANGE_SEALED_BYTES && is_header(block)) {
            fuzz_seal_header(bytes);
        } else if (change == CHANGE_SEALED_BYTES) {
            fuzz_seal_block(bytes, BLOCK_BYTES_MIN, &place);
        }
        break;
    case CHANGE_ZEROS:
        memset(bytes, 0, BLOCK_BYTES_MIN);
        break;
    case CHANGE_COPY:
    case CHANGES:
        memmove(bytes, block_of(&images[at % DISKS], (uint32_t)count % BLOCKS), BLOCK_BYTES_MIN);
        break;
    }
}

static void change_disks(const struct set_header *header, struct fuzz_input *input)
{
    uint8_t disks = fuzz_take8(input);
    uint32_t block = fuzz_take8(input) % (uint32_t)BLOCKS;
    enum change change = (enum change)(fuzz_take8(input) % CHANGES);
    struct fuzz_input rest = *input;
    for (uint32_t disk = 0; disk < DISKS; disk++) {
        if ((disks >> disk & 1) != 0) {
            *input = rest;
            change_block(header, disk, block, change, input);
        }
    }
}

static void write_files(struct fuzz_input *input)
{
    uint8_t sizes = fuzz_take8(input);
    struct set_header header = fuzz_set_header(DISKS, SLOTS, REGISTERS);
    for (uint32_t disk = 0; disk < DISKS; disk++) {
        write_disk(header, disk);
    }
    while (input->left > 0) {
        change_disks(&header, input);
    }
    for (uint32_t disk = 0; disk < DISKS; disk++) {
        static const size_t bytes[] = {IMAGE_BYTES, FILE_BYTES, IMAGE_BYTES - BLOCK_BYTES_MIN, 1000};
        struct image *image = &images[disk];
        image->bytes = bytes[sizes >> 2 * disk & 3];
        FUZZ_CHECK(ftruncate(image->fd, 0) == 0 && ftruncate(image->fd, (off_t)image->bytes) == 0);
        FUZZ_CHECK(pwrite(image->fd, image->content, image->bytes, 0) == (ssize_t)image->bytes);
    }
}

/* ---- What is demanded ------------------------------------------------------------------------------------------------- */

static void check_unchanged(const struct image *image)
{
    static uint8_t now[FILE_BYTES + 1];
    FUZZ_CHECK(pread(image->fd, now, sizeof now, 0) == (ssize_t)image->bytes);
    FUZZ_CHECK(memcmp(now, image->content, image->bytes) == 0);
}

static void check_line(const char *text, size_t room)
{
    FUZZ_CHECK(memchr(text, '\0', room) != NULL);
    FUZZ_CHECK(strpbrk(text, "\n\r\t\033") == NULL);
}

static void check_set(const struct disk_set *set, int error)
{
    check_line(set->message, sizeof set->message);
    FUZZ_CHECK((error == 0) == (set->message[0] == '\0') || error == 0);
    FUZZ_CHECK(set->unplaced_count <= DISKS_MAX);
    uint32_t present = 0;
    for (uint32_t i = 0; i < DISKS_MAX; i++) {
        const struct disk_member *member = &set->members[i];
        check_line(member->path, sizeof member->path);
        check_line(member->reason, sizeof member->reason);
        check_line(set->unplaced_reason[i], sizeof set->unplaced_reason[i]);
        FUZZ_CHECK(member->is_present == (member->fd >= 0));
        present += member->is_present;
    }
    FUZZ_CHECK(present == set->present_count && (error == 0) == (present > 0));
}

static void take_finding(void *context, const struct survey_finding *finding)
{
    uint32_t *count = context;
    check_line(finding->text, sizeof finding->text);
    FUZZ_CHECK(finding->text[0] != '\0' && finding->weight <= SURVEY_LOST);
    FUZZ_CHECK(++*count < FINDINGS_MAX);
}

static void survey(const struct disk_set *set)
{
    static struct survey result;
    uint32_t findings = 0;
    FUZZ_CHECK(survey_run(set, take_finding, &findings, &result) == 0);
    FUZZ_CHECK(findings > 0 || result.verdict == SURVEY_HEALTHY);
    FUZZ_CHECK(result.proven_registers <= result.named_registers);
    for (uint32_t i = 0; i < set->header.disk_count; i++) {
        const struct survey_disk *disk = &result.disks[i];
        uint64_t blocks = (uint64_t)layout_rows(&set->header.layout) * set->header.layout.slots;
        FUZZ_CHECK(!disk->is_present || disk->written_blocks + disk->empty_blocks + disk->damaged_blocks == blocks);
    }
}

/* Mending ends with both headers whole, or changes nothing. */
static void mend(const struct disk_set *set)
{
    for (uint32_t i = 0; i < set->header.disk_count; i++) {
        const struct disk_member *member = &set->members[i];
        struct device device = {.fd = member->fd};
        char message[DISK_MESSAGE_BYTES] = "";
        struct header_pair pair;
        if (!member->is_present) {
            continue;
        }
        int error = header_mend(&device, &member->header, message, sizeof message);
        check_line(message, sizeof message);
        FUZZ_CHECK((error == 0) == (message[0] == '\0'));
        FUZZ_CHECK(header_pair_look(&device, &member->header.layout, &pair) == 0);
        FUZZ_CHECK((error == 0) == header_pair_is_whole(&pair, &member->header));
        for (uint32_t disk = 0; error != 0 && disk < DISKS; disk++) {
            if (strcmp(images[disk].path, member->path) == 0) {
                check_unchanged(&images[disk]);
            }
        }
    }
}

static void look_for_set(const char *const *paths, size_t count)
{
    struct scan scan;
    const struct scan_set *set = NULL;
    char message[DISK_MESSAGE_BYTES] = "";
    FUZZ_CHECK(scan_look(paths, count, &scan) == 0);
    for (size_t i = 0; i < scan.disk_count; i++) {
        check_line(scan.disks[i].reason, sizeof scan.disks[i].reason);
    }
    int error = scan_choose(&scan, "fuzz", &set, message, sizeof message);
    check_line(message, sizeof message);
    FUZZ_CHECK((error == 0) == (set != NULL) && (error == 0) == (message[0] == '\0'));
    FUZZ_CHECK(set == NULL || set->usable_count <= set->disk_count);
    scan_done(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct disk_set set;
    struct fuzz_input input = {bytes, count};
    uint8_t choice = fuzz_take8(&input);
    const char *paths[DISKS];
    size_t path_count = 1 + choice % DISKS;
    make_files();
    write_files(&input);
    for (size_t i = 0; i < DISKS; i++) {
        paths[i] = images[(choice & 32) != 0 ? DISKS - 1 - i : i].path;
    }
    struct disk_set_options options = {.paths = paths,
                                       .path_count = path_count,
                                       .is_writable = (choice & 64) != 0,
                                       .allow_tuning = (choice & 8) != 0,
                                       .allow_minority = (choice & 16) != 0,
                                       .engine = DISK_ENGINE_AUTO};
    int error = disk_set_open(&options, &set);
    check_set(&set, error);
    if (error == 0) {
        survey(&set);
    }
    if ((choice & 128) != 0) {
        look_for_set(paths, path_count);
    }
    for (uint32_t disk = 0; disk < DISKS; disk++) {
        check_unchanged(&images[disk]);
    }
    if (error == 0 && options.is_writable) {
        mend(&set);
    }
    disk_set_close(&set);
    return 0;
}
