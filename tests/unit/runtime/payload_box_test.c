/* The newest payload wins, whole, however the two sides take turns. */
#include "runtime/payload_box.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(struct payload_box *box, const char *text)
{
    struct payload payload;
    cr_assert(payload_box_take(box, &payload));
    cr_assert_eq(payload.byte_count, strlen(text));
    cr_assert_eq(memcmp(payload.bytes, text, payload.byte_count), 0);
    cr_assert_not(payload_box_take(box, &payload));
}

static bool put(struct payload_box *box, const char *text)
{
    return payload_box_put(box, text, (uint32_t)strlen(text));
}

Test(payload_box, is_empty_when_all_zero)
{
    struct payload_box box = {0};
    struct payload payload;
    cr_assert_not(payload_box_take(&box, &payload));
    cr_assert_not(payload_box_take(&box, &payload));
}

Test(payload_box, only_the_first_of_several_has_to_be_announced)
{
    struct payload_box box = {0};
    for (int round = 0; round < 10; round++) {
        cr_assert(put(&box, "one"));
        cr_assert_not(put(&box, "two"));
        cr_assert_not(put(&box, ""));
        cr_assert_not(put(&box, "three"));
        expect(&box, "three");
        cr_assert(put(&box, "four"));
        expect(&box, "four");
    }
}
