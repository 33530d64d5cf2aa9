/*
 * Calls that fail on command. One call, the n-th of its kind, fails with a chosen error, or that one and all later ones of
 * its kind do. What is injected and what was counted stands on a page that the process under test shares with the one
 * that tests it.
 *
 * Two kinds of calls: functions of the C library that are told apart only there (allocate.c takes their names), and system
 * calls, whoever makes them (supervise.c answers them from outside).
 */
#ifndef DISKARCH_TESTS_STARTUP_INJECTION_H
#define DISKARCH_TESTS_STARTUP_INJECTION_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

enum { ERRORS_MAX = 4 };

/* Name, number (-1: a function), and what it typically fails with, the likeliest first. mmap() stands here twice: anonymous
 * memory as a function, because the C library maps by the same system call; mappings of files and rings as that. */
#define CALLS(X)                                                                                                       \
    X(MALLOC, "malloc", -1, ENOMEM)                                                                                    \
    X(CALLOC, "calloc", -1, ENOMEM)                                                                                    \
    X(REALLOC, "realloc", -1, ENOMEM)                                                                                  \
    X(MEMALIGN, "posix_memalign", -1, ENOMEM)                                                                          \
    X(MAP_MEMORY, "mmap of memory", -1, ENOMEM, EAGAIN)                                                                \
    X(MAP_FILE, "mmap of a descriptor", SYS_mmap, ENOMEM, EAGAIN)                                                      \
    X(BLKID_NEW, "blkid_new_probe", -1, ENOMEM)                                                                        \
    X(BLKID_DEVICE, "blkid_probe_set_device", -1, EIO)                                                                 \
    X(BLKID_TOPOLOGY, "blkid_probe_get_topology", -1, EIO)                                                             \
    X(BLKID_ENABLE, "blkid_probe_enable_partitions", -1, EIO)                                                          \
    X(BLKID_PROBE, "blkid_do_probe", -1, EIO)                                                                          \
    X(MLOCK, "mlock", SYS_mlock, ENOMEM, EPERM)                                                                        \
    X(MLOCK2, "mlock2", SYS_mlock2, ENOMEM, EPERM)                                                                     \
    X(MADVISE, "madvise", SYS_madvise, EINVAL, ENOMEM)                                                                 \
    X(OPENAT, "openat", SYS_openat, EMFILE, ENFILE, ENOMEM, EIO)                                                       \
    X(STAT, "stat", SYS_newfstatat, EIO, ENOMEM, EACCES)                                                               \
    X(STATX, "statx", SYS_statx, EIO, ENOSYS)                                                                          \
    X(IOCTL, "ioctl", SYS_ioctl, EIO, ENOTTY)                                                                          \
    X(PREAD, "pread", SYS_pread64, EIO)                                                                                \
    X(PWRITE, "pwrite", SYS_pwrite64, EIO, ENOSPC)                                                                     \
    X(GETDENTS, "getdents64", SYS_getdents64, EIO)                                                                     \
    X(FALLOCATE, "fallocate", SYS_fallocate, ENOSPC, EIO)                                                              \
    X(FSYNC, "fsync", SYS_fsync, EIO)                                                                                  \
    X(GETRANDOM, "getrandom", SYS_getrandom, ENOSYS, EAGAIN)                                                           \
    X(PIPE, "pipe2", SYS_pipe2, EMFILE, ENFILE)                                                                        \
    X(EVENTFD, "eventfd2", SYS_eventfd2, EMFILE, ENFILE, ENOMEM)                                                       \
    X(CLONE, "clone", SYS_clone, EAGAIN, ENOMEM)                                                                       \
    X(CLONE3, "clone3", SYS_clone3, EAGAIN, ENOMEM)                                                                    \
    X(CLOSE_RANGE, "close_range", SYS_close_range, ENOSYS)                                                             \
    X(PIDFD_OPEN, "pidfd_open", SYS_pidfd_open, EMFILE, ENOSYS)                                                        \
    X(SETSCHEDULER, "sched_setscheduler", SYS_sched_setscheduler, EPERM)                                               \
    X(GETAFFINITY, "sched_getaffinity", SYS_sched_getaffinity, EPERM)                                                  \
    X(URING_SETUP, "io_uring_setup", SYS_io_uring_setup, EPERM, ENOSYS, ENOMEM, EMFILE)                                \
    X(URING_REGISTER, "io_uring_register", SYS_io_uring_register, ENOMEM, EMFILE, EPERM)                               \
    X(URING_ENTER, "io_uring_enter", SYS_io_uring_enter, EAGAIN)                                                       \
    X(IO_SETUP, "io_setup", SYS_io_setup, EAGAIN, ENOMEM, EPERM)                                                       \
    X(IO_SUBMIT, "io_submit", SYS_io_submit, EAGAIN)

#define CALL_ENUM(id, name, ...) CALL_##id,
enum call { CALLS(CALL_ENUM) CALL_COUNT };
#undef CALL_ENUM

struct call_kind {
    const char *name;
    long number; /* of the system call; -1: a function */
    int errors[ERRORS_MAX];
};
extern const struct call_kind call_kinds[CALL_COUNT];

struct injection {
    _Atomic bool is_armed; /* calls are counted, and may fail */
    enum call call;
    _Atomic int foreign_depth; /* above 0: inside a library whose calls are not ours */
    uint32_t nth;              /* from 1 on; 0: none fails */
    int error;
    bool is_lasting;              /* all later ones of this kind fail too */
    _Atomic uint32_t injected;    /* calls that were made to fail */
    _Atomic int64_t blocks;       /* allocated and not freed while armed or after */
    _Atomic int64_t mapped_bytes; /* of memory, mapped and not unmapped */
    _Atomic uint32_t counts[CALL_COUNT];
    int result;          /* what the process under test was told: 0 or an error */
    char told[2048];     /* the message of a failure, or the warnings of a success */
    char complaint[512]; /* what is wrong with it; empty: nothing */
};

/* The page of this process; NULL: nothing is counted, nothing fails. */
extern struct injection *injection;

/* Maps a page that forked children share. */
struct injection *injection_map(void);

/* Counts a call; whether it has to fail, with injection->error. */
bool injection_strikes(struct injection *page, enum call call);

#endif
