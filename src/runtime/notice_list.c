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

/* Chooses the place and forgets what the new notice makes pointless. */
static enum notice_place box_make_room(struct notice_list *list, struct notice_box *box, enum notice_kind kind)
{
    struct notice_entry *entries = box->entries;
    entry_unlink(list, &entries[PLACE_OTHER]);
    switch (kind) {
    case NOTICE_LEADER:
    case NOTICE_JOINED:
        entry_unlink(list, &entries[PLACE_BEGUN]);
        entry_unlink(list, &entries[PLACE_ENDED]);
        return PLACE_BEGUN;
    case NOTICE_LOST:
    case NOTICE_OVER: {
        enum notice_place place = entries[PLACE_BEGUN].is_waiting ? PLACE_ENDED : PLACE_ENDED_BEFORE;
        entry_unlink(list, &entries[place]);
        return place;
    }
    default:
        return PLACE_OTHER;
    }
}

void notice_list_put(struct notice_list *list, struct notice_box *box, const struct runtime_notice *notice)
{
    enum notice_place place = box_make_room(list, box, notice->what.kind);
    struct notice_entry *entry = &box->entries[place];
    entry->box = box;
    entry->notice = *notice;
    entry_append(list, entry);
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
