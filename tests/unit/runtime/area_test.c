#include "runtime/area.h"

#include <criterion/criterion.h>
#include <string.h>

static void check_wiped(size_t bytes)
{
    struct area_list list = {0};
    void *other, *memory;
    cr_assert_eq(area_map(&list, 4096, &other), 0);
    cr_assert_eq(area_map(&list, bytes, &memory), 0);
    memset(other, 1, 4096);
    memset(memory, 1, 4096);
    memset((char *)memory + bytes - 1, 1, 1);
    cr_assert_eq(area_wipe(&list, memory), 0);
    cr_assert_eq(((char *)memory)[0], 0);
    cr_assert_eq(((char *)memory)[bytes - 1], 0);
    cr_assert_eq(((char *)other)[0], 1);
    area_unmap_all(&list);
    cr_assert_eq(list.count, 0);
}

Test(area, is_all_zero_again_after_wiping)
{
    check_wiped(64 << 10);
    check_wiped(AREA_PREFAULT_BYTES + 4096);
}
