/* The last words of a guard arrive, whatever it left unread. */
#include "guard_link.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

struct line {
    struct guard_link link;
    int guard_fd;
};

static struct line line_open(void)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    return (struct line){.link = {.control_fd = fds[0]}, .guard_fd = fds[1]};
}

static void guard_says(const struct line *line, enum guard_message_kind kind)
{
    struct guard_message message = {.kind = kind, .number = 7};
    cr_assert_eq(send(line->guard_fd, &message, sizeof(message), 0), (ssize_t)sizeof(message));
}

Test(guard_link, words_come_in_order_and_then_the_end)
{
    struct line line = line_open();
    struct guard_message message;
    cr_expect_eq(guard_link_receive(&line.link, &message), 0);
    guard_says(&line, GUARD_EXITED);
    guard_says(&line, GUARD_GONE);
    close(line.guard_fd);
    cr_expect_eq(guard_link_receive(&line.link, &message), 1);
    cr_expect_eq(message.kind, GUARD_EXITED);
    cr_expect_eq(guard_link_receive(&line.link, &message), 1);
    cr_expect_eq(message.kind, GUARD_GONE);
    cr_expect_eq(message.number, 7);
    cr_expect_eq(guard_link_receive(&line.link, &message), -1);
    cr_expect_eq(line.link.control_fd, -1);
}

Test(guard_link, a_deadline_that_the_guard_never_read_does_not_hide_its_last_words)
{
    struct line line = line_open();
    struct guard_message message;
    guard_link_deadline(&line.link, clock_read(), 1);
    guard_says(&line, GUARD_GONE);
    close(line.guard_fd);
    cr_assert_eq(guard_link_receive(&line.link, &message), 1);
    cr_expect_eq(message.kind, GUARD_GONE);
    cr_expect_eq(guard_link_receive(&line.link, &message), -1);
}

Test(guard_link, talking_to_a_guard_that_has_ended_harms_nobody)
{
    struct line line = line_open();
    struct guard_message message;
    close(line.guard_fd);
    guard_link_stop(&line.link);
    guard_link_signal(&line.link, 15);
    cr_expect_eq(guard_link_receive(&line.link, &message), -1);
    guard_link_stop(&line.link);
}
