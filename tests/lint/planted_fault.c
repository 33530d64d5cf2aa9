/* Does the one wrong thing it is asked for, so that a sanitizer that sees nothing is seen itself. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int shared;

static void *increment(void *unused)
{
    shared++;
    return unused;
}

static int race(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, increment, NULL) != 0) {
        return 2;
    }
    shared++;
    return pthread_join(other, NULL);
}

static int leak(void)
{
    char *volatile lost = malloc(100);
    lost = NULL;
    return lost != NULL;
}

/* Volatile pointers keep the compiler from knowing the size, so that it is the heap's guards that see the write. */
static int overflow_heap(size_t at)
{
    char *volatile bytes = malloc(10);
    if (bytes != NULL) {
        bytes[at] = 1;
        free(bytes);
    }
    return 0;
}

static int overflow_integer(volatile int number)
{
    number += 1;
    return number == 0;
}

int main(int argc, char **argv)
{
    const char *fault = argc == 2 ? argv[1] : "";
    if (strcmp(fault, "none") == 0) {
        return 0;
    }
    if (strcmp(fault, "race") == 0) {
        return race();
    }
    if (strcmp(fault, "leak") == 0) {
        return leak();
    }
    if (strcmp(fault, "heap") == 0) {
        return overflow_heap(10);
    }
    if (strcmp(fault, "integer") == 0) {
        return overflow_integer(INT_MAX);
    }
    fputs("usage: planted_fault none|race|leak|heap|integer\n", stderr);
    return 2;
}
