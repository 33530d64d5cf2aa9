/* The users' registers: small named values, read and changed as if by one machine (linearizable). */
#include "block/name.h"
#include "client/node.h"
#include "client/options.h"

#include <string.h>

static bool is_value_bad(const void *bytes, size_t byte_count)
{
    return byte_count > PAYLOAD_BYTES_MAX || (bytes == NULL && byte_count > 0);
}

/* `ret` may be NULL; its size is the caller's. */
static void return_value(struct diskarch_value *ret, const struct call_result *result)
{
    if (ret == NULL) {
        return;
    }
    struct diskarch_value value = {.version = result->version, .bytes_used = result->byte_count};
    _Static_assert(sizeof value.bytes == sizeof result->bytes, "a value is copied whole");
    memcpy(value.bytes, result->bytes, sizeof value.bytes);
    options_return(ret, &value, sizeof value);
}

/* What all of them have in common. */
static int run(struct diskarch *node, const struct call_command *command, int64_t timeout_ns, struct call_result *ret)
{
    bool is_name_bad = command->name == NULL || name_check(command->name) != NAME_OK;
    return is_name_bad ? DISKARCH_EUSAGE : call_run(node, command, timeout_ns, ret);
}

int diskarch_register_get(struct diskarch *node, const char *name, int64_t timeout_ns, struct diskarch_value *ret)
{
    struct call_command command = {.verb = CALL_GET, .name = name};
    struct call_result result;
    int error = run(node, &command, timeout_ns, &result);
    if (error == 0) {
        return_value(ret, &result);
    }
    return error;
}

int diskarch_register_set(struct diskarch *node, const char *name, const void *bytes, size_t byte_count,
                          int64_t timeout_ns, uint64_t *ret_version)
{
    if (is_value_bad(bytes, byte_count)) {
        return DISKARCH_EUSAGE;
    }
    struct call_command command = {.verb = CALL_SET, .name = name, .bytes = bytes, .byte_count = (uint32_t)byte_count};
    struct call_result result;
    int error = run(node, &command, timeout_ns, &result);
    if (error == 0 && ret_version != NULL) {
        *ret_version = result.version;
    }
    return error;
}

int diskarch_register_compare_and_set(struct diskarch *node, const char *name, const void *expected,
                                      size_t expected_count, const void *bytes, size_t byte_count, int64_t timeout_ns,
                                      struct diskarch_value *ret)
{
    if (is_value_bad(bytes, byte_count) || is_value_bad(expected, expected_count)) {
        return DISKARCH_EUSAGE;
    }
    struct call_command command = {
        .verb = CALL_COMPARE_SET,
        .name = name,
        .bytes = bytes,
        .byte_count = (uint32_t)byte_count,
        .has_expected = expected != NULL,
        .expected_bytes = expected,
        .expected_count = (uint32_t)expected_count,
    };
    struct call_result result;
    int error = run(node, &command, timeout_ns, &result);
    if (error == 0 || error == DISKARCH_ECHANGED) {
        return_value(ret, &result);
    }
    return error;
}

int diskarch_register_propose(struct diskarch *node, const char *name, const void *bytes, size_t byte_count,
                              int64_t timeout_ns, struct diskarch_value *ret)
{
    if (is_value_bad(bytes, byte_count)) {
        return DISKARCH_EUSAGE;
    }
    struct call_command command = {
        .verb = CALL_PROPOSE, .name = name, .bytes = bytes, .byte_count = (uint32_t)byte_count};
    struct call_result result;
    int error = run(node, &command, timeout_ns, &result);
    if (error == 0) {
        return_value(ret, &result);
    }
    return error;
}
