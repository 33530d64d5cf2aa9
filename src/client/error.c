/* Sentences of error codes, made of the one list in the public header. */
#include <diskarch/diskarch.h>

#include <string.h>

const char *diskarch_error_string(int error)
{
    switch (error) {
#define ERROR_CASE(code, value, sentence)                                                                              \
    case code:                                                                                                         \
        return sentence;
        DISKARCH_ERRORS(ERROR_CASE)
#undef ERROR_CASE
    default:
        break;
    }
    if (error >= 0) {
        return "success";
    }
    const char *text = error > DISKARCH_EUSAGE ? strerrordesc_np(-error) : NULL;
    return text != NULL ? text : "unknown error";
}

const char *diskarch_version(void)
{
    return DISKARCH_VERSION;
}
