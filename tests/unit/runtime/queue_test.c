#include "runtime/queue.h"

#include <criterion/criterion.h>

Test(queue, gives_back_in_order_what_was_put)
{
    uint32_t memory[3], taken;
    struct queue queue;
    queue_init(&queue, memory, 3, sizeof memory[0]);
    for (uint32_t round = 0; round < 1000; round++) {
        uint32_t second = round + 1000000;
        cr_assert(queue_put(&queue, &round));
        cr_assert(queue_put(&queue, &second));
        cr_assert(queue_take(&queue, &taken));
        cr_assert_eq(taken, round);
        cr_assert(queue_take(&queue, &taken));
        cr_assert_eq(taken, second);
    }
}

Test(queue, refuses_when_full_and_leaves_the_result_alone_when_empty)
{
    uint32_t memory[2], value = 7, taken = 99;
    struct queue queue;
    queue_init(&queue, memory, 2, sizeof memory[0]);
    cr_assert_not(queue_take(&queue, &taken));
    cr_assert_eq(taken, 99);
    cr_assert(queue_put(&queue, &value));
    cr_assert(queue_put(&queue, &value));
    cr_assert_not(queue_put(&queue, &value));
    cr_assert(queue_take(&queue, &taken));
    cr_assert(queue_put(&queue, &value));
    cr_assert_not(queue_put(&queue, &value));
}
