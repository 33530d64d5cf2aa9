/*
 * deny CALL[,CALL...] ERROR COMMAND...: runs the command under a seccomp filter that answers these system calls with that
 * error, as a container's policy does, and allows everything else.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct word {
    const char *name;
    long value;
};

static const struct word calls[] = {
    {"io_uring_setup", SYS_io_uring_setup}, {"io_setup", SYS_io_setup}, {"clone", SYS_clone}, {NULL, 0}};
static const struct word errors[] = {{"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EAGAIN", EAGAIN}, {NULL, 0}};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "deny: %s: %s\n", what, why);
    exit(125);
}

static uint32_t value_of(const struct word *words, const char *name)
{
    for (; words->name != NULL; words++) {
        if (strcmp(words->name, name) == 0) {
            return (uint32_t)words->value;
        }
    }
    die(name, "not known here");
    return 0;
}

static void deny(uint32_t call, uint32_t error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        die("seccomp", strerror(errno));
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        die("usage", "deny CALL[,CALL...] ERROR COMMAND...");
    }
    uint32_t error = value_of(errors, argv[2]);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        die("no_new_privs", strerror(errno));
    }
    for (char *name = strtok(argv[1], ","); name != NULL; name = strtok(NULL, ",")) {
        deny(value_of(calls, name), error);
    }
    execvp(argv[3], argv + 3);
    die(argv[3], strerror(errno));
}
