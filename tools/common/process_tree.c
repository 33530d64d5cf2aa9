#include "process_tree.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STAT_BYTES = 1024, ROOM_FIRST = 1024 };

/*
 * Fields 3 (state), 4 (parent) and 22 (start time) of /proc/PID/stat. Field 2 is the program's name in parentheses,
 * which may hold spaces and parentheses itself: the fields go on after the last one.
 */
static bool stat_parse(const char *text, struct process *process)
{
    const char *after_name = strrchr(text, ')');
    if (after_name == NULL) {
        return false;
    }
    int parent = 0;
    char state = 0;
    unsigned long long start_ticks = 0;
    int found =
        sscanf(after_name + 1, " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               &state, &parent, &start_ticks);
    if (found != 3) {
        return false;
    }
    process->state = state;
    process->parent = parent;
    process->start_ticks = start_ticks;
    return true;
}

/* False if the process is no more. */
static bool process_read(pid_t pid, struct process *ret)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    char text[STAT_BYTES];
    ssize_t bytes = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (bytes <= 0) {
        return false;
    }
    text[bytes] = '\0';
    ret->pid = pid;
    return stat_parse(text, ret);
}

static int tree_append(struct process_tree *tree, const struct process *process)
{
    if (tree->count == tree->room) {
        size_t room = tree->room == 0 ? ROOM_FIRST : tree->room * 2;
        struct process *grown = reallocarray(tree->processes, room, sizeof(*grown));
        if (grown == NULL) {
            return -ENOMEM;
        }
        tree->processes = grown;
        tree->room = room;
    }
    tree->processes[tree->count] = *process;
    tree->count++;
    return 0;
}

static int tree_list_all(struct process_tree *tree)
{
    DIR *proc = opendir("/proc");
    if (proc == NULL) {
        return -errno;
    }
    int status = 0;
    const struct dirent *entry;
    while (status == 0 && (entry = readdir(proc)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        struct process process;
        if (pid > 0 && process_read(pid, &process)) {
            status = tree_append(tree, &process);
        }
    }
    closedir(proc);
    return status;
}

static bool tree_has(const struct process_tree *tree, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++) {
        if (tree->processes[i].pid == pid) {
            return true;
        }
    }
    return false;
}

static void tree_swap(struct process_tree *tree, size_t a, size_t b)
{
    struct process kept = tree->processes[a];
    tree->processes[a] = tree->processes[b];
    tree->processes[b] = kept;
}

/*
 * Moves the descendants of `root` to the front and forgets the rest. Each pass adds the next generations. Zombies stay:
 * a process whose first thread has ended looks like one while its other threads run on.
 */
static void tree_keep_descendants(struct process_tree *tree, pid_t root)
{
    size_t kept = 0;
    size_t kept_before;
    do {
        kept_before = kept;
        for (size_t i = kept; i < tree->count; i++) {
            pid_t parent = tree->processes[i].parent;
            if (parent == root || tree_has(tree, kept, parent)) {
                tree_swap(tree, i, kept);
                kept++;
            }
        }
    } while (kept != kept_before);
    tree->count = kept;
}

void process_tree_done(struct process_tree *tree)
{
    if (tree != NULL) {
        free(tree->processes);
        *tree = (struct process_tree){0};
    }
}

int process_tree_scan(struct process_tree *tree)
{
    tree->count = 0;
    int status = tree_list_all(tree);
    tree_keep_descendants(tree, getpid());
    return status;
}

/*
 * Between the scan and now the pid may have gone to a stranger. A descriptor of the process settles it: if the start
 * time is still the same once the descriptor is open, the descriptor is of the process that was scanned.
 */
static void process_signal(const struct process *process, int signal)
{
    int fd = pidfd_open(process->pid, 0);
    if (fd < 0) {
        if (errno != ESRCH) {
            kill(process->pid, signal); /* no descriptors here: being sure to hit matters more than a pid used again */
        }
        return;
    }
    struct process now;
    if (process_read(process->pid, &now) && now.start_ticks == process->start_ticks) {
        pidfd_send_signal(fd, signal, NULL, 0);
    }
    close(fd);
}

void process_tree_signal(const struct process_tree *tree, int signal)
{
    for (size_t i = 0; i < tree->count; i++) {
        assert(tree->processes[i].pid > 1);
        process_signal(&tree->processes[i], signal);
    }
}

void process_tree_terminate(struct process_tree *tree)
{
    process_tree_scan(tree);
    process_tree_signal(tree, SIGTERM);
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->processes[i].state == 'T') {
            process_signal(&tree->processes[i], SIGCONT);
        }
    }
}

void process_tree_kill(struct process_tree *tree)
{
    process_tree_scan(tree);
    process_tree_signal(tree, SIGKILL);
}

bool process_tree_reap(pid_t *watched, int *ret_status)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0) {
            return false;
        }
        if (pid < 0) {
            return errno == ECHILD;
        }
        if (pid == *watched) {
            *watched = 0;
            *ret_status = status;
        }
    }
}
