#include "disk/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int uuid_draw(struct uuid *ret)
{
    struct uuid uuid;
    ssize_t drawn = getrandom(uuid.bytes, sizeof uuid.bytes, 0);
    if (drawn != (ssize_t)sizeof uuid.bytes) {
        return drawn < 0 ? -errno : -EIO;
    }
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    *ret = uuid;
    return 0;
}

const char *uuid_format(char text[UUID_TEXT_BYTES], const struct uuid *uuid)
{
    char *at = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *at++ = '-';
        }
        snprintf(at, 3, "%02x", uuid->bytes[i]);
        at += 2;
    }
    return text;
}

bool uuid_is_same(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
