/*
 * Every exit code of the command, once: `diskarch --help` prints this table, the manual page repeats it, and a test
 * holds them against each other.
 */
#ifndef DISKARCH_COMMAND_EXIT_CODE_H
#define DISKARCH_COMMAND_EXIT_CODE_H

/* name, code, sentence */
#define EXIT_CODES(X)                                                                                                  \
    X(EXIT_CODE_OK, 0, "it was done, or the answer is yes")                                                            \
    X(EXIT_CODE_NO, 1, "the answer is no: not acquired (lock -n, -w; -E changes it), no leader, no such name or node") \
    X(EXIT_CODE_USAGE, 2, "the command line cannot be used")                                                           \
    X(EXIT_CODE_SET, 3, "no usable disk set: not formatted, foreign, newer, or too few disks answer")                  \
    X(EXIT_CODE_FULL, 4, "no slot or no register is free, or the name belongs to another kind of value")               \
    X(EXIT_CODE_IN_USE, 5, "format: the target holds something that must not be overwritten; tune: nodes live there")  \
    X(EXIT_CODE_ENGINE, 6, "the disk engine cannot start, or the file system has no direct I/O")                       \
    X(EXIT_CODE_LOST, 7, "leadership was lost or about to end, and the command was stopped")                           \
    X(EXIT_CODE_GUARD, 8, "the guard could not be started or was killed, and the command was stopped")                 \
    X(EXIT_CODE_SYSTEM, 9, "the operating system refused something")                                                   \
    X(EXIT_CODE_COVERED, 10, "check: something is damaged or missing, and a majority of the disks covers it")          \
    X(EXIT_CODE_REPAIR, 11, "check: something is damaged and does not work before it is mended")                       \
    X(EXIT_CODE_DATA_LOST, 12, "check: damage on too many disks, data may be lost")                                    \
    X(EXIT_CODE_GAVE_WAY, 13, "the role was let go because another node asked for it; the command was stopped")        \
    X(EXIT_CODE_CHANGED, 14, "register cas: the value is not the expected one")                                        \
    X(EXIT_CODE_TIMEOUT, 15, "the time given by -w has passed, and nothing has changed")                               \
    X(EXIT_CODE_UNKNOWN, 16, "whether it has happened is not known; look what stands there now")                       \
    X(EXIT_CODE_CANNOT_EXECUTE, 126, "lock: the command was found but cannot be executed")                             \
    X(EXIT_CODE_NOT_FOUND, 127, "lock: the command was not found")                                                     \
    X(EXIT_CODE_SIGNAL, 128, "plus N: signal N ended the command, or ended the waiting for the role")

#define EXIT_CODE_ENUM(name, code, sentence) name = (code),
enum exit_code { EXIT_CODES(EXIT_CODE_ENUM) };
#undef EXIT_CODE_ENUM

#endif
