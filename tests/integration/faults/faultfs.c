/*
 * faultfs IMAGE DIRECTORY: a file system of two files. `disk` is the image, and does to requests what it is told to;
 * `control` is where it is told, and where it tells how many requests met which fault since it was told so. A word
 * written there is one of:
 *
 *     sound        requests are carried out
 *     fail-writes  writes fail, and are not carried out
 *     fail-reads   reads fail
 *     fail         both
 *     lose         writes are acknowledged and dropped
 *     tear         the first half of each write is carried out, and all of it is acknowledged
 *     tear-fail    the first half of each write is carried out, and it fails
 *     misplace     writes carry the bytes of the write before them, if that was as long
 *     hold         writes wait, neither carried out nor acknowledged, while reads go on
 *     crawl        requests wait for their turn, four a second
 *
 * What waits is carried out before the next word is, in the order of arrival, whether or not its author is alive.
 *
 * One thread serves everything, so that a word stands between the requests before it and those after it. Knows nothing
 * of blocks and diskarch: half a write is half a block because diskarch writes single blocks.
 */
#define FUSE_USE_VERSION 34
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NODE_ROOT = FUSE_ROOT_ID, NODE_DISK, NODE_CONTROL };

enum { CRAWL_MS = 250 };

enum fault { SOUND, FAIL_WRITES, FAIL_READS, FAIL, LOSE, TEAR, TEAR_FAIL, MISPLACE, HOLD, CRAWL, FAULT_COUNT };

static const char *const fault_words[FAULT_COUNT] = {
    [SOUND] = "sound",
    [FAIL_WRITES] = "fail-writes",
    [FAIL_READS] = "fail-reads",
    [FAIL] = "fail",
    [LOSE] = "lose",
    [MISPLACE] = "misplace",
    [TEAR] = "tear",
    [TEAR_FAIL] = "tear-fail",
    [HOLD] = "hold",
    [CRAWL] = "crawl",
};

/* A request to `disk`. */
struct request {
    fuse_req_t fuse;
    bool is_write;
    off_t offset;
    size_t size;
};

struct waiting {
    struct waiting *next;
    struct request request;
    char bytes[]; /* what is to be written */
};

struct faultfs {
    int image;
    off_t image_bytes;
    enum fault fault;
    uint64_t counts[FAULT_COUNT]; /* requests that met each fault since it was told so */
    char *last_bytes;             /* of the last write */
    size_t last_size;
    struct waiting *first;
    struct waiting **last;
    int64_t turn_ms; /* when the first may go on, while it crawls */
};

static struct faultfs *faultfs_of(fuse_req_t request)
{
    return fuse_req_userdata(request);
}

/* ---- Requests that are carried out ------------------------------------------------------------------------------- */

/* 0 or an errno. */
static int image_write(const struct faultfs *faultfs, const char *bytes, size_t size, off_t offset)
{
    ssize_t written = pwrite(faultfs->image, bytes, size, offset);
    if (written < 0) {
        return errno;
    }
    return (size_t)written == size ? 0 : EIO;
}

/* Writes `size` bytes and acknowledges all that was to be written. */
static void carry_out_write(const struct faultfs *faultfs, const struct request *request, const char *bytes,
                            size_t size)
{
    int error = image_write(faultfs, bytes, size, request->offset);
    if (error != 0) {
        fuse_reply_err(request->fuse, error);
    } else {
        fuse_reply_write(request->fuse, request->size);
    }
}

static void carry_out_read(const struct faultfs *faultfs, const struct request *request)
{
    char *bytes = malloc(request->size);
    ssize_t count = bytes == NULL ? -1 : pread(faultfs->image, bytes, request->size, request->offset);
    if (count < 0) {
        fuse_reply_err(request->fuse, errno);
    } else {
        fuse_reply_buf(request->fuse, bytes, (size_t)count);
    }
    free(bytes);
}

static void carry_out(const struct faultfs *faultfs, const struct request *request, const char *bytes)
{
    if (request->is_write) {
        carry_out_write(faultfs, request, bytes, request->size);
    } else {
        carry_out_read(faultfs, request);
    }
}

/* ---- Requests that wait ------------------------------------------------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_in_line(struct faultfs *faultfs, const struct request *request, const char *bytes)
{
    size_t size = request->is_write ? request->size : 0;
    struct waiting *waiting = malloc(sizeof *waiting + size);
    if (waiting == NULL) {
        fuse_reply_err(request->fuse, ENOMEM);
        return;
    }
    *waiting = (struct waiting){.request = *request};
    if (size > 0) {
        memcpy(waiting->bytes, bytes, size);
    }
    if (faultfs->first == NULL) {
        faultfs->turn_ms = now_ms() + CRAWL_MS;
    }
    *faultfs->last = waiting;
    faultfs->last = &waiting->next;
}

static void carry_out_first(struct faultfs *faultfs)
{
    struct waiting *waiting = faultfs->first;
    faultfs->first = waiting->next;
    if (faultfs->first == NULL) {
        faultfs->last = &faultfs->first;
    }
    carry_out(faultfs, &waiting->request, waiting->bytes);
    free(waiting);
}

/* Until the next turn, for poll(); -1: nobody waits for one. */
static int turn_in_ms(const struct faultfs *faultfs)
{
    if (faultfs->fault != CRAWL || faultfs->first == NULL) {
        return -1;
    }
    int64_t left_ms = faultfs->turn_ms - now_ms();
    return left_ms > 0 ? (int)left_ms : 0;
}

static void take_turn(struct faultfs *faultfs)
{
    if (turn_in_ms(faultfs) == 0) {
        faultfs->turn_ms += CRAWL_MS;
        carry_out_first(faultfs);
    }
}

/* ---- Faults ------------------------------------------------------------------------------------------------------ */

static bool fault_is_met(enum fault fault, bool is_write)
{
    switch (fault) {
    case FAIL_WRITES:
    case LOSE:
    case TEAR:
    case TEAR_FAIL:
    case MISPLACE:
    case HOLD:
        return is_write;
    case FAIL_READS:
        return !is_write;
    case FAIL:
    case CRAWL:
        return true;
    default:
        return false;
    }
}

static void remember(struct faultfs *faultfs, const char *bytes, size_t size)
{
    char *copy = realloc(faultfs->last_bytes, size);
    faultfs->last_size = copy == NULL ? 0 : size;
    if (copy != NULL) {
        faultfs->last_bytes = copy;
        memcpy(copy, bytes, size);
    }
}

static void misplace(struct faultfs *faultfs, const struct request *request, const char *bytes)
{
    bool is_alike = faultfs->last_size == request->size;
    carry_out_write(faultfs, request, is_alike ? faultfs->last_bytes : bytes, request->size);
}

static void disk_request(struct faultfs *faultfs, const struct request *request, const char *bytes)
{
    enum fault fault = fault_is_met(faultfs->fault, request->is_write) ? faultfs->fault : SOUND;
    faultfs->counts[fault]++;
    switch (fault) {
    case LOSE:
        fuse_reply_write(request->fuse, request->size);
        break;
    case TEAR:
        carry_out_write(faultfs, request, bytes, request->size / 2);
        break;
    case TEAR_FAIL:
        image_write(faultfs, bytes, request->size / 2, request->offset);
        fuse_reply_err(request->fuse, EIO);
        break;
    case MISPLACE:
        misplace(faultfs, request, bytes);
        break;
    case HOLD:
    case CRAWL:
        wait_in_line(faultfs, request, bytes);
        break;
    case SOUND:
        carry_out(faultfs, request, bytes);
        break;
    default:
        fuse_reply_err(request->fuse, EIO);
        break;
    }
    if (request->is_write) {
        remember(faultfs, bytes, request->size);
    }
}

/* ---- Control ----------------------------------------------------------------------------------------------------- */

static bool word_is(const char *bytes, size_t size, const char *word)
{
    size_t length = strlen(word);
    return size >= length && memcmp(bytes, word, length) == 0 &&
           (size == length || (size == length + 1 && bytes[length] == '\n'));
}

static void control_write(struct faultfs *faultfs, fuse_req_t fuse, const char *bytes, size_t size)
{
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        if (word_is(bytes, size, fault_words[fault])) {
            while (faultfs->first != NULL) {
                carry_out_first(faultfs);
            }
            faultfs->fault = (enum fault)fault;
            faultfs->counts[fault] = 0;
            fuse_reply_write(fuse, size);
            return;
        }
    }
    fuse_reply_err(fuse, EINVAL);
}

static void control_read(const struct faultfs *faultfs, fuse_req_t fuse, size_t size, off_t offset)
{
    char text[512];
    size_t length = 0;
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s %" PRIu64 "\n", fault_words[fault],
                                   faultfs->counts[fault]);
    }
    size_t begin = (size_t)offset < length ? (size_t)offset : length;
    size_t rest = length - begin;
    fuse_reply_buf(fuse, text + begin, rest < size ? rest : size);
}

/* ---- The file system --------------------------------------------------------------------------------------------- */

static struct stat attributes_of(const struct faultfs *faultfs, fuse_ino_t inode)
{
    return (struct stat){
        .st_ino = inode,
        .st_nlink = 1,
        .st_mode = inode == NODE_ROOT ? S_IFDIR | 0755 : S_IFREG | 0644,
        .st_size = inode == NODE_DISK ? faultfs->image_bytes : 0,
    };
}

static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param entry = {.ino = strcmp(name, "disk") == 0 ? NODE_DISK : NODE_CONTROL};
    if (parent != NODE_ROOT || (entry.ino == NODE_CONTROL && strcmp(name, "control") != 0)) {
        fuse_reply_err(request, ENOENT);
        return;
    }
    entry.attr = attributes_of(faultfs_of(request), entry.ino);
    fuse_reply_entry(request, &entry);
}

static void on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file)
{
    (void)file;
    struct stat attributes = attributes_of(faultfs_of(request), inode);
    fuse_reply_attr(request, &attributes, 0);
}

/* Opening `control` for writing truncates it; there is nothing to cut off. */
static void on_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *wanted, int which,
                       struct fuse_file_info *file)
{
    (void)wanted;
    (void)which;
    if (inode != NODE_CONTROL) {
        fuse_reply_err(request, EPERM);
        return;
    }
    on_getattr(request, inode, file);
}

/* Nothing is cached: what is read is what stands on the image, and the size of `control` says nothing. */
static void on_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file)
{
    (void)inode;
    file->direct_io = 1;
    fuse_reply_open(request, file);
}

static void on_read(fuse_req_t fuse, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *file)
{
    (void)file;
    if (inode == NODE_CONTROL) {
        control_read(faultfs_of(fuse), fuse, size, offset);
    } else {
        disk_request(faultfs_of(fuse), &(struct request){.fuse = fuse, .offset = offset, .size = size}, NULL);
    }
}

static void on_write(fuse_req_t fuse, fuse_ino_t inode, const char *bytes, size_t size, off_t offset,
                     struct fuse_file_info *file)
{
    (void)file;
    struct request request = {.fuse = fuse, .is_write = true, .offset = offset, .size = size};
    if (inode == NODE_CONTROL) {
        control_write(faultfs_of(fuse), fuse, bytes, size);
    } else {
        disk_request(faultfs_of(fuse), &request, bytes);
    }
}

/* An acknowledged write has reached the image, which all readers share. */
static void on_fsync(fuse_req_t request, fuse_ino_t inode, int is_data_only, struct fuse_file_info *file)
{
    (void)inode;
    (void)is_data_only;
    (void)file;
    fuse_reply_err(request, 0);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = on_lookup,
    .getattr = on_getattr,
    .setattr = on_setattr,
    .open = on_open,
    .read = on_read,
    .write = on_write,
    .fsync = on_fsync,
};

/* ---- Start ------------------------------------------------------------------------------------------------------- */

static bool image_open(const char *path, struct faultfs *faultfs)
{
    struct stat status;
    faultfs->image = open(path, O_RDWR | O_CLOEXEC);
    if (faultfs->image < 0 || fstat(faultfs->image, &status) != 0) {
        fprintf(stderr, "faultfs: %s: %s\n", path, strerror(errno));
        return false;
    }
    faultfs->image_bytes = status.st_size;
    return true;
}

/* Until it is unmounted. */
static int serve_mounted(struct faultfs *faultfs, struct fuse_session *session)
{
    struct fuse_buf buffer = {.mem = NULL};
    struct pollfd source = {.fd = fuse_session_fd(session), .events = POLLIN};
    int received = 1;
    while (received > 0 && !fuse_session_exited(session)) {
        if (poll(&source, 1, turn_in_ms(faultfs)) > 0) {
            received = fuse_session_receive_buf(session, &buffer);
            if (received > 0) {
                fuse_session_process_buf(session, &buffer);
            }
        }
        take_turn(faultfs);
    }
    free(buffer.mem);
    return received == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int serve(struct faultfs *faultfs, char *program, const char *directory)
{
    char *arguments[] = {program, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, arguments);
    struct fuse_session *session = fuse_session_new(&args, &operations, sizeof operations, faultfs);
    if (session == NULL) {
        return EXIT_FAILURE;
    }
    int code = EXIT_FAILURE;
    if (fuse_session_mount(session, directory) == 0) {
        code = serve_mounted(faultfs, session);
        fuse_session_unmount(session);
    }
    fuse_session_destroy(session);
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: faultfs IMAGE DIRECTORY\n", stderr);
        return EXIT_FAILURE;
    }
    struct faultfs faultfs = {.fault = SOUND};
    faultfs.last = &faultfs.first;
    return image_open(argv[1], &faultfs) ? serve(&faultfs, argv[0], argv[2]) : EXIT_FAILURE;
}
