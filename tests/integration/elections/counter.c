/*
 * The judge of the tests with real processes: a counter that its users read, sleep on, and write back. Two users at a time
 * write the same value twice, and that can be seen afterwards.
 *
 * The counter is a file of records, "VALUE EPOCH NAME", each appended by one write, so that a kill leaves either all of an
 * increment or nothing. Whoever writes with an epoch below one that has written is refused: that is what an epoch is for.
 * Beside it, FILE.journal tells what the users did: "read NAME VALUE EPOCH" opens a window, "wrote" or "refused" closes it.
 *
 * Knows nothing of disks and elections: the epoch comes from DISKARCH_EPOCH, as it does for any command under a lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_JUDGED_BAD = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3, EXIT_SYSTEM = 4 };

enum { NAME_ROOM = 64, RECORD_ROOM = 160, PATH_ROOM = 4096 };

struct record {
    uint64_t value;
    uint64_t epoch;
    char name[NAME_ROOM];
};

struct options {
    const char *name;
    uint64_t epoch;
    uint64_t times; /* 0: for ever */
    uint64_t sleep_least_ms;
    uint64_t sleep_most_ms;
    bool is_stubborn;
};

static void die(const char *what, const char *path)
{
    fprintf(stderr, "counter: %s %s: %s\n", what, path, strerror(errno));
    exit(EXIT_SYSTEM);
}

static int file_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        die("cannot open", path);
    }
    return fd;
}

__attribute__((format(printf, 3, 4))) static void line_append(int fd, const char *path, const char *format, ...)
{
    char line[RECORD_ROOM];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (bytes < 0 || (size_t)bytes >= sizeof(line) || write(fd, line, (size_t)bytes) != bytes) {
        die("cannot append to", path);
    }
}

static bool record_parse(const char *line, struct record *ret)
{
    return sscanf(line, "%" SCNu64 " %" SCNu64 " %63s", &ret->value, &ret->epoch, ret->name) == 3;
}

/* The last record; all zero of an empty file. */
static struct record record_last(int fd, const char *path)
{
    struct record last = {.value = 0};
    const off_t tail_bytes = 2 * (off_t)RECORD_ROOM;
    char tail[2 * RECORD_ROOM + 1];
    off_t end = lseek(fd, 0, SEEK_END);
    off_t begin = end > tail_bytes ? end - tail_bytes : 0;
    ssize_t bytes = pread(fd, tail, sizeof(tail) - 1, begin);
    if (end < 0 || bytes < 0) {
        die("cannot read", path);
    }
    if (bytes == 0) {
        return last;
    }
    tail[bytes - 1] = '\0'; /* where the last newline stands */
    const char *newline = strrchr(tail, '\n');
    if (!record_parse(newline != NULL ? newline + 1 : tail, &last)) {
        errno = EBADMSG;
        die("no record at the end of", path);
    }
    return last;
}

static void sleep_at_random(const struct options *options)
{
    uint64_t random;
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        die("cannot draw", "a random number");
    }
    uint64_t ms = options->sleep_least_ms + random % (options->sleep_most_ms - options->sleep_least_ms + 1);
    struct timespec rest = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&rest, &rest) != 0) {
    }
}

/* One increment: 0 or EXIT_REFUSED. The lock on the file makes each access whole; it spans no window. */
static int counter_increment(int fd, const char *path, int journal, const char *journal_path,
                             const struct options *options)
{
    flock(fd, LOCK_EX);
    uint64_t seen = record_last(fd, path).value;
    flock(fd, LOCK_UN);
    line_append(journal, journal_path, "read %s %" PRIu64 " %" PRIu64 "\n", options->name, seen, options->epoch);
    sleep_at_random(options);

    flock(fd, LOCK_EX);
    bool is_refused = record_last(fd, path).epoch > options->epoch;
    if (!is_refused) {
        line_append(fd, path, "%" PRIu64 " %" PRIu64 " %s\n", seen + 1, options->epoch, options->name);
    }
    flock(fd, LOCK_UN);
    line_append(journal, journal_path, "%s %s %" PRIu64 " %" PRIu64 "\n", is_refused ? "refused" : "wrote",
                options->name, seen + 1, options->epoch);
    return is_refused ? EXIT_REFUSED : 0;
}

static int counter_run(const char *path, const struct options *options)
{
    char journal_path[PATH_ROOM];
    snprintf(journal_path, sizeof(journal_path), "%s.journal", path);
    int fd = file_open(path);
    int journal = file_open(journal_path);
    int code = 0;
    for (uint64_t i = 0; code == 0 && (options->times == 0 || i < options->times); i++) {
        code = counter_increment(fd, path, journal, journal_path, options);
    }
    close(journal);
    close(fd);
    return code;
}

/* No increment is lost if every record is one above the record before it. */
static int counter_judge(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        die("cannot open", path);
    }
    struct record last = {.value = 0};
    uint64_t records = 0, lost = 0, epochs = 0, falls = 0;
    char line[RECORD_ROOM];
    while (fgets(line, sizeof(line), file) != NULL) {
        struct record next;
        if (!record_parse(line, &next)) {
            fprintf(stderr, "counter: %s: not a record: %s", path, line);
            exit(EXIT_SYSTEM);
        }
        if (next.value != last.value + 1) {
            printf("lost: %s of epoch %" PRIu64 " wrote %" PRIu64 " after %s of epoch %" PRIu64 " had written %" PRIu64
                   "\n",
                   next.name, next.epoch, next.value, last.name, last.epoch, last.value);
            lost++;
        }
        epochs += next.epoch != last.epoch;
        falls += next.epoch < last.epoch;
        last = next;
        records++;
    }
    fclose(file);
    printf("%" PRIu64 " increments under %" PRIu64 " epochs: %" PRIu64 " lost, %" PRIu64 " times an epoch fell\n",
           records, epochs, lost, falls);
    return records > 0 && lost == 0 && falls == 0 ? 0 : EXIT_JUDGED_BAD;
}

static int usage(void)
{
    fputs(
        "usage: DISKARCH_EPOCH=N counter increment [--name NAME] [--times N] [--sleep LEAST_MS-MOST_MS] [--stubborn] FILE\n"
        "       counter judge FILE\n"
        "--stubborn ignores SIGTERM. Without --times it increments for ever.\n",
        stderr);
    return EXIT_USAGE;
}

static bool options_parse(int argc, char **argv, struct options *ret)
{
    static const struct option known[] = {
        {"name", required_argument, NULL, 'n'},
        {"times", required_argument, NULL, 't'},
        {"sleep", required_argument, NULL, 's'},
        {"stubborn", no_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    const char *epoch = getenv("DISKARCH_EPOCH");
    *ret = (struct options){.name = "nobody", .sleep_most_ms = 20};
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'n':
            ret->name = optarg;
            break;
        case 't':
            ret->times = strtoull(optarg, NULL, 10);
            break;
        case 's':
            if (sscanf(optarg, "%" SCNu64 "-%" SCNu64, &ret->sleep_least_ms, &ret->sleep_most_ms) != 2) {
                return false;
            }
            break;
        case 'i':
            ret->is_stubborn = true;
            break;
        default:
            return false;
        }
    }
    return epoch != NULL && sscanf(epoch, "%" SCNu64, &ret->epoch) == 1 && ret->epoch > 0 && optind == argc - 1 &&
           strlen(ret->name) < NAME_ROOM && ret->sleep_least_ms <= ret->sleep_most_ms;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "judge") == 0) {
        return counter_judge(argv[2]);
    }
    struct options options;
    if (argc < 3 || strcmp(argv[1], "increment") != 0 || !options_parse(argc - 1, argv + 1, &options)) {
        return usage();
    }
    if (options.is_stubborn) {
        signal(SIGTERM, SIG_IGN);
    }
    /* getopt_long has moved the file to the end. */
    return counter_run(argv[argc - 1], &options);
}
