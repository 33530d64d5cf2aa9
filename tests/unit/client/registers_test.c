/*
 * H12, H13: registers of a set, from several threads and two nodes at once. Every increment of a shared counter by
 * compare-and-set happens at most once; versions grow by one with every change; the first proposal stays.
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, INCREMENTS = 20 };

static struct fixture fixture;
static struct diskarch *alpha, *beta;

static struct diskarch_value value_of(struct diskarch *node, const char *name)
{
    struct diskarch_value value = {.size = sizeof value};
    CHECK(diskarch_register_get(node, name, -1, &value) == 0);
    return value;
}

static bool is_text(const struct diskarch_value *value, const char *text)
{
    return value->bytes_used == strlen(text) && memcmp(value->bytes, text, value->bytes_used) == 0;
}

static void test_set_and_get(void)
{
    uint64_t version = 0;
    struct diskarch_value value = {.size = sizeof value};
    CHECK(diskarch_register_get(alpha, "colour", -1, &value) == DISKARCH_ENONE);
    CHECK(value.version == 0 && value.bytes_used == 0);
    CHECK(diskarch_register_set(alpha, "colour", "red", 3, -1, &version) == 0 && version == 1);
    value = value_of(beta, "colour");
    CHECK(is_text(&value, "red") && value.version == 1);
    CHECK(diskarch_register_set(beta, "colour", "", 0, -1, &version) == 0 && version == 2);
    value = value_of(alpha, "colour");
    CHECK(is_text(&value, "") && value.version == 2);
    CHECK(diskarch_register_set(alpha, "colour", NULL, 0, -1, NULL) == 0);
}

static void test_compare_and_set(void)
{
    struct diskarch_value value = {.size = sizeof value};
    CHECK(diskarch_register_compare_and_set(alpha, "lamp", NULL, 0, "off", 3, -1, &value) == 0);
    CHECK(is_text(&value, "off") && value.version == 1);
    CHECK(diskarch_register_compare_and_set(beta, "lamp", NULL, 0, "on", 2, -1, &value) == DISKARCH_ECHANGED);
    CHECK(is_text(&value, "off") && value.version == 1);
    CHECK(diskarch_register_compare_and_set(beta, "lamp", "dim", 3, "on", 2, -1, NULL) == DISKARCH_ECHANGED);
    CHECK(diskarch_register_compare_and_set(beta, "lamp", "off", 3, "on", 2, -1, &value) == 0);
    CHECK(is_text(&value, "on") && value.version == 2);
    value = value_of(alpha, "lamp");
    CHECK(is_text(&value, "on") && value.version == 2);
}

/* H13 */
static void test_propose(void)
{
    struct diskarch_value first = {.size = sizeof first}, second = {.size = sizeof second};
    CHECK(diskarch_register_propose(alpha, "winner", "alpha", 5, -1, &first) == 0);
    CHECK(diskarch_register_propose(beta, "winner", "beta", 4, -1, &second) == 0);
    CHECK(is_text(&first, "alpha") && is_text(&second, "alpha"));
    first = value_of(beta, "winner");
    CHECK(is_text(&first, "alpha"));
}

/* N1: a name has one kind. */
static void test_kinds(void)
{
    struct diskarch_value value = {.size = sizeof value};
    struct diskarch_role *role;
    CHECK(diskarch_register_set(alpha, "winner", "x", 1, -1, NULL) == DISKARCH_EKIND);
    CHECK(diskarch_register_propose(alpha, "lamp", "x", 1, -1, &value) == DISKARCH_EKIND);
    CHECK(diskarch_forget(alpha, "lamp", -1) == DISKARCH_EKIND);
    CHECK(diskarch_ask(alpha, "lamp", DISKARCH_ASK_RESIGN, NULL, -1) == DISKARCH_EKIND);
    CHECK(diskarch_campaign(alpha, "lamp", NULL, &role) == 0);
    CHECK(diskarch_wait(role, -1) == DISKARCH_EKIND);
    diskarch_role_free(role);
    CHECK(diskarch_campaign(alpha, "db", NULL, &role) == 0);
    CHECK(diskarch_wait(role, -1) == 0);
    CHECK(diskarch_register_get(beta, "db", -1, &value) == DISKARCH_EKIND);
    diskarch_role_free(role);
}

static void test_bad_values(void)
{
    char bytes[129] = "";
    struct diskarch_value value = {.size = sizeof value};
    CHECK(diskarch_register_set(alpha, "colour", bytes, sizeof bytes, -1, NULL) == DISKARCH_EUSAGE);
    CHECK(diskarch_register_set(alpha, "colour", NULL, 1, -1, NULL) == DISKARCH_EUSAGE);
    CHECK(diskarch_register_set(alpha, "", "x", 1, -1, NULL) == DISKARCH_EUSAGE);
    CHECK(diskarch_register_get(alpha, "line\nbreak", -1, &value) == DISKARCH_EUSAGE);
    CHECK(diskarch_register_get(alpha, NULL, -1, &value) == DISKARCH_EUSAGE);
    CHECK(diskarch_register_propose(alpha, "colour", bytes, sizeof bytes, -1, &value) == DISKARCH_EUSAGE);
    CHECK(diskarch_register_compare_and_set(alpha, "colour", bytes, sizeof bytes, "x", 1, -1, &value) ==
          DISKARCH_EUSAGE);
    CHECK(diskarch_register_set(alpha, "full size", bytes, 128, -1, NULL) == 0);
}

/* ---- A counter --------------------------------------------------------------------------------------------------- */

static _Atomic int unknown_count;

/* One attempt with the value that stands there; true if it has certainly happened. */
static bool try_increment(struct diskarch *node, int thread, struct diskarch_value *value)
{
    char text[32];
    long number = strtol((const char *)value->bytes, NULL, 10);
    int bytes = snprintf(text, sizeof text, "%ld by %d", number + 1, thread);
    int error = diskarch_register_compare_and_set(node, "counter", value->bytes, value->bytes_used, text, (size_t)bytes,
                                                  -1, value);
    if (error == DISKARCH_EUNKNOWN) {
        /* Rivals have changed the register so often since that nobody can tell. */
        unknown_count++;
        *value = value_of(node, "counter");
    } else if (error != 0 && error != DISKARCH_ECHANGED) {
        fprintf(stderr, "increment: %s\n", diskarch_error_string(error));
        CHECK(false);
    }
    return error == 0;
}

static void *increment_often(void *argument)
{
    int thread = *(const int *)argument;
    struct diskarch *node = thread % 2 == 0 ? alpha : beta;
    for (int i = 0; i < INCREMENTS; i++) {
        struct diskarch_value value = value_of(node, "counter");
        while (!try_increment(node, thread, &value)) {
        }
    }
    return NULL;
}

/* No increment is lost, and none happens twice: the number counts the changes. */
static void test_counter(void)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    CHECK(diskarch_register_set(alpha, "counter", "0", 1, -1, NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, increment_often, &numbers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    struct diskarch_value value = value_of(alpha, "counter");
    long number = strtol((const char *)value.bytes, NULL, 10);
    fprintf(stderr, "counter: %ld, unknown: %d\n", number, unknown_count);
    CHECK(value.version == 1 + (uint64_t)number);
    CHECK(number >= THREADS * INCREMENTS && number <= THREADS * INCREMENTS + unknown_count);
}

/* More callers at once than the node has numbers for calls: the others wait their turn. */
static void *set_own(void *argument)
{
    char text[16];
    int bytes = snprintf(text, sizeof text, "%d", *(const int *)argument);
    CHECK(diskarch_register_set(alpha, "crowd", text, (size_t)bytes, -1, NULL) == 0);
    return NULL;
}

static void test_crowd(void)
{
    enum { CROWD = 100 };
    pthread_t threads[CROWD];
    int numbers[CROWD];
    for (int i = 0; i < CROWD; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, set_own, &numbers[i]) == 0);
    }
    for (int i = 0; i < CROWD; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(value_of(beta, "crowd").version == CROWD);
}

int main(void)
{
    fixture_make(&fixture);
    alpha = fixture_open(&fixture, "alpha", false);
    beta = fixture_open(&fixture, "beta", false);
    test_set_and_get();
    test_compare_and_set();
    test_propose();
    test_kinds();
    test_bad_values();
    test_counter();
    test_crowd();
    diskarch_close(beta);
    diskarch_close(alpha);
    fixture_remove(&fixture);
    return 0;
}
