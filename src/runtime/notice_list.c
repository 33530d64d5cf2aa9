#include "runtime/notice_list.h"

#include <assert.h>

static void entry_unlink(struct notice_list *list, struct notice_entry *entry)
{
    if (!entry->is_waiting) {
        return;
    }
    *(entry->previous != NULL ? &entry->previous->next : &list->first) = entry->next;
    *(entry->next != NULL ? &entry->next->previous : &list->last) = entry->previous;
    entry->is_waiting = false;
}

static void entry_append(struct notice_list *list, struct notice_entry *entry)
{
    assert(!entry->is_waiting);
    entry->previous = list->last;
    entry->next = NULL;
    *(list->last != NULL ? &list->last->next : &list->first) = entry;
    list->last = entry;
    entry->is_waiting = true;
}

/* The next leadership: messages to it are told after its begin, those to an earlier one not at all. */
static void box_sort_messages(struct notice_list *list, struct notice_box *box, uint64_t epoch)
{
    for (int place = PLACE_REQUEST; place <= PLACE_PUBLISHED; place++) {
        struct notice_entry *entry = &box->entries[place];
        bool is_waiting = entry->is_waiting;
        entry_unlink(list, entry);
        if (is_waiting && entry->notice.what.epoch == epoch) {
            entry_append(list, entry);
        }
    }
}

static enum notice_place place_of_end(const struct notice_box *box)
{
    return box->entries[PLACE_BEGUN].is_waiting ? PLACE_ENDED : PLACE_ENDED_BEFORE;
}

static enum notice_place place_of(const struct notice_box *box, const struct notice *what)
{
    switch (what->kind) {
    case NOTICE_LEADER:
    case NOTICE_JOINED:
        return PLACE_BEGUN;
    case NOTICE_LOST:
    case NOTICE_OVER:
        return place_of_end(box);
    case NOTICE_ASKED:
        return what->ask == ASK_REQUEST ? PLACE_REQUEST : PLACE_DEMAND;
    case NOTICE_TRANSFER:
    case NOTICE_TRANSFER_REFUSED:
        return PLACE_TRANSFER;
    case NOTICE_PUBLISHED:
        return PLACE_PUBLISHED;
    default:
        return PLACE_OTHER;
    }
}

/* Forgets what a notice for this place makes pointless. */
static void box_make_room(struct notice_list *list, struct notice_box *box, enum notice_place place)
{
    entry_unlink(list, &box->entries[place]);
    if (place < PLACE_REQUEST) {
        entry_unlink(list, &box->entries[PLACE_OTHER]);
    }
    if (place == PLACE_BEGUN) {
        entry_unlink(list, &box->entries[PLACE_ENDED]);
    }
}

void notice_list_put(struct notice_list *list, struct notice_box *box, const struct runtime_notice *notice)
{
    enum notice_place place = place_of(box, &notice->what);
    struct notice_entry *entry = &box->entries[place];
    box_make_room(list, box, place);
    entry->box = box;
    entry->notice = *notice;
    entry_append(list, entry);
    if (place == PLACE_BEGUN) {
        box_sort_messages(list, box, notice->what.epoch);
    }
}

const struct runtime_notice *notice_list_first(const struct notice_list *list, struct notice_box **ret_box)
{
    if (list->first == NULL) {
        return NULL;
    }
    *ret_box = list->first->box;
    return &list->first->notice;
}

void notice_list_drop_first(struct notice_list *list)
{
    assert(list->first != NULL);
    entry_unlink(list, list->first);
}

void notice_list_empty_box(struct notice_list *list, struct notice_box *box)
{
    for (int place = 0; place < PLACE_COUNT; place++) {
        entry_unlink(list, &box->entries[place]);
    }
}
