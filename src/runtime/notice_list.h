/*
 * Notices that wait to be taken, in the order in which they came, in bounded memory however long nobody takes them.
 *
 * Each subject (a role, a call, a disk, or the node itself) has one box. What matters is kept: a box remembers the end
 * of what was already told, one begin that was not told yet with its own end, each kind of message to a leader, and the
 * newest of everything else. A begin and its end that nobody took are forgotten together when the next begin comes. So
 * every end that is taken follows exactly one begin that was taken, and the latest state is never lost.
 *
 * A message to a leader is never overwritten by news of another kind: only by a newer one of its own, or by the next
 * leadership, which it does not concern. One that came before its leadership was announced is told after it.
 */
#ifndef DISKARCH_RUNTIME_NOTICE_LIST_H
#define DISKARCH_RUNTIME_NOTICE_LIST_H

#include "protocol/node.h"

#include <stdbool.h>
#include <stddef.h>

/* A notice of the node, with what only the runtime knows. */
struct runtime_notice {
    struct notice what;
    struct node_id node; /* JOINED: its identity */
    bool is_internal;    /* LOST, OVER: the disk engine failed; what.reason says nothing */
    bool is_final;       /* RELEASED, OVER: this node will not join again */
};

enum notice_place {
    PLACE_ENDED_BEFORE, /* the end of what was told before */
    PLACE_BEGUN,        /* NOTICE_LEADER, NOTICE_JOINED */
    PLACE_ENDED,        /* NOTICE_LOST, NOTICE_OVER: the end of PLACE_BEGUN */
    PLACE_REQUEST,      /* to the leader: NOTICE_ASKED that it may decline */
    PLACE_DEMAND,       /* NOTICE_ASKED that it may not */
    PLACE_TRANSFER,     /* NOTICE_TRANSFER, NOTICE_TRANSFER_REFUSED */
    PLACE_PUBLISHED,    /* NOTICE_PUBLISHED */
    PLACE_OTHER,        /* the newest of all other kinds */
    PLACE_COUNT,
};

struct notice_entry {
    struct notice_entry *previous, *next;
    struct notice_box *box;
    bool is_waiting;
    struct runtime_notice notice;
};

/* All zero is an empty box. */
struct notice_box {
    struct notice_entry entries[PLACE_COUNT];
};

/* All zero is an empty list. */
struct notice_list {
    struct notice_entry *first, *last;
};

/* Files a notice in the box of its subject. */
void notice_list_put(struct notice_list *list, struct notice_box *box, const struct runtime_notice *notice);

/* The oldest notice, or NULL; it stays in the list. */
const struct runtime_notice *notice_list_first(const struct notice_list *list, struct notice_box **ret_box);

/* Takes the oldest notice out. */
void notice_list_drop_first(struct notice_list *list);

/* Takes everything of one box out. */
void notice_list_empty_box(struct notice_list *list, struct notice_box *box);

#endif
