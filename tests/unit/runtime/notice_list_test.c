/* Nobody takes for long, and still every end follows its begin and the latest state is there. */
#include "runtime/notice_list.h"

#include <criterion/criterion.h>

static void put(struct notice_list *list, struct notice_box *box, enum notice_kind kind, uint64_t epoch)
{
    struct runtime_notice notice = {.what = {.kind = kind, .epoch = epoch}};
    notice_list_put(list, box, &notice);
}

static void expect(struct notice_list *list, const struct notice_box *box, enum notice_kind kind, uint64_t epoch)
{
    struct notice_box *found;
    const struct runtime_notice *notice = notice_list_first(list, &found);
    cr_assert_not_null(notice);
    cr_assert_eq(notice->what.kind, kind, "kind %d instead of %d", (int)notice->what.kind, (int)kind);
    cr_assert_eq(notice->what.epoch, epoch);
    cr_assert_eq(found, box);
    notice_list_drop_first(list);
}

static void expect_nothing(struct notice_list *list)
{
    struct notice_box *found;
    cr_assert_null(notice_list_first(list, &found));
}

Test(notice_list, keeps_the_order_of_several_subjects)
{
    struct notice_list list = {0};
    struct notice_box a = {0}, b = {0};
    put(&list, &a, NOTICE_CANDIDATE, 1);
    put(&list, &b, NOTICE_LEADER, 2);
    put(&list, &a, NOTICE_LEADER, 3);
    put(&list, &b, NOTICE_LOST, 2);
    expect(&list, &b, NOTICE_LEADER, 2); /* a's candidacy is no longer true */
    expect(&list, &a, NOTICE_LEADER, 3);
    expect(&list, &b, NOTICE_LOST, 2);
    expect_nothing(&list);
}

Test(N5_notice_list, a_begin_and_its_end_that_nobody_took_go_together)
{
    struct notice_list list = {0};
    struct notice_box box = {0};
    for (uint64_t epoch = 1; epoch <= 100; epoch++) {
        put(&list, &box, NOTICE_LEADER, epoch);
        put(&list, &box, NOTICE_LOST, epoch);
    }
    put(&list, &box, NOTICE_LEADER, 101);
    expect(&list, &box, NOTICE_LEADER, 101);
    expect_nothing(&list);
}

Test(N5_notice_list, the_end_of_what_was_told_is_kept)
{
    struct notice_list list = {0};
    struct notice_box box = {0};
    put(&list, &box, NOTICE_LEADER, 1);
    expect(&list, &box, NOTICE_LEADER, 1);
    put(&list, &box, NOTICE_LOST, 1);
    put(&list, &box, NOTICE_LEADER, 2);
    put(&list, &box, NOTICE_LOST, 2);
    put(&list, &box, NOTICE_LEADER, 3);
    put(&list, &box, NOTICE_LOST, 3);
    put(&list, &box, NOTICE_CANDIDATE, 4);
    expect(&list, &box, NOTICE_LOST, 1);
    expect(&list, &box, NOTICE_LEADER, 3);
    expect(&list, &box, NOTICE_LOST, 3);
    expect(&list, &box, NOTICE_CANDIDATE, 4);
    expect_nothing(&list);
}

Test(notice_list, of_all_other_kinds_the_newest_is_kept)
{
    struct notice_list list = {0};
    struct notice_box box = {0};
    put(&list, &box, NOTICE_JOINED, 0);
    put(&list, &box, NOTICE_AT_RISK, 0);
    put(&list, &box, NOTICE_SAFE, 0);
    put(&list, &box, NOTICE_AT_RISK, 0);
    expect(&list, &box, NOTICE_JOINED, 0);
    expect(&list, &box, NOTICE_AT_RISK, 0);
    expect_nothing(&list);
    put(&list, &box, NOTICE_AT_RISK, 0);
    put(&list, &box, NOTICE_OVER, 0);
    expect(&list, &box, NOTICE_OVER, 0);
    expect_nothing(&list);
}

static void put_ask(struct notice_list *list, struct notice_box *box, enum ask_verb ask, uint64_t epoch)
{
    struct runtime_notice notice = {.what = {.kind = NOTICE_ASKED, .ask = ask, .epoch = epoch}};
    notice_list_put(list, box, &notice);
}

Test(notice_list, messages_to_a_leader_are_overwritten_only_by_their_own_kind)
{
    struct notice_list list = {0};
    struct notice_box box = {0};
    put(&list, &box, NOTICE_LEADER, 1);
    put_ask(&list, &box, ASK_RESIGN, 1);
    put(&list, &box, NOTICE_TRANSFER, 1);
    put(&list, &box, NOTICE_AT_RISK, 1);
    put_ask(&list, &box, ASK_REQUEST, 1);
    put(&list, &box, NOTICE_PUBLISHED, 1);
    put(&list, &box, NOTICE_SAFE, 1);
    put(&list, &box, NOTICE_LOST, 1);
    expect(&list, &box, NOTICE_LEADER, 1);
    expect(&list, &box, NOTICE_ASKED, 1);
    expect(&list, &box, NOTICE_TRANSFER, 1);
    expect(&list, &box, NOTICE_ASKED, 1);
    expect(&list, &box, NOTICE_PUBLISHED, 1);
    expect(&list, &box, NOTICE_LOST, 1);
    expect_nothing(&list);
}

Test(notice_list, a_message_belongs_to_one_leadership)
{
    struct notice_list list = {0};
    struct notice_box box = {0};
    put(&list, &box, NOTICE_LEADER, 1);
    put(&list, &box, NOTICE_PUBLISHED, 1);
    put(&list, &box, NOTICE_LOST, 1);
    put_ask(&list, &box, ASK_RESIGN, 2);
    put(&list, &box, NOTICE_LEADER, 2);
    expect(&list, &box, NOTICE_LEADER, 2);
    expect(&list, &box, NOTICE_ASKED, 2);
    expect_nothing(&list);
}

Test(notice_list, an_emptied_box_leaves_the_others)
{
    struct notice_list list = {0};
    struct notice_box boxes[3] = {0};
    for (uint64_t epoch = 1; epoch <= 2; epoch++) {
        for (int i = 0; i < 3; i++) {
            put(&list, &boxes[i], epoch == 1 ? NOTICE_LEADER : NOTICE_LOST, 1);
        }
    }
    notice_list_empty_box(&list, &boxes[1]);
    expect(&list, &boxes[0], NOTICE_LEADER, 1);
    expect(&list, &boxes[2], NOTICE_LEADER, 1);
    notice_list_empty_box(&list, &boxes[2]);
    expect(&list, &boxes[0], NOTICE_LOST, 1);
    expect_nothing(&list);
    put(&list, &boxes[1], NOTICE_LEADER, 5);
    expect(&list, &boxes[1], NOTICE_LEADER, 5);
}
