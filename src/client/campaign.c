/* Roles from the application's side: who stands for which name, and how a campaign begins, waits and ends. */
#include "block/name.h"
#include "client/node.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Campaigns by name and number -------------------------------------------------------------------------------- */

static struct campaign **bucket_of(struct diskarch *node, const char *name)
{
    return &node->buckets[name_hash(name) % node->numbers_max];
}

static struct campaign *campaign_find(struct diskarch *node, const char *name)
{
    struct campaign *campaign = *bucket_of(node, name);
    while (campaign != NULL && strcmp(campaign->name, name) != 0) {
        campaign = campaign->next_in_bucket;
    }
    return campaign;
}

static int campaign_new(struct diskarch *node, const char *name, struct campaign **ret)
{
    if (node->free_count == 0) {
        return DISKARCH_EFULL;
    }
    struct campaign *campaign = calloc(1, sizeof *campaign);
    if (campaign == NULL) {
        return -ENOMEM;
    }
    name_field_store((uint8_t *)campaign->name, name);
    campaign->number = node->free_numbers[--node->free_count];
    node->by_number[campaign->number] = campaign;
    campaign->next_in_bucket = *bucket_of(node, name);
    *bucket_of(node, name) = campaign;
    *ret = campaign;
    return 0;
}

static void campaign_free(struct diskarch *node, struct campaign *campaign)
{
    struct campaign **link = bucket_of(node, campaign->name);
    while (*link != campaign) {
        link = &(*link)->next_in_bucket;
    }
    *link = campaign->next_in_bucket;
    node->by_number[campaign->number] = NULL;
    node->free_numbers[node->free_count++] = campaign->number;
    free(campaign);
}

/* The node learns of the first candidate; those behind it wait here. */
static void campaign_submit(struct diskarch *node, struct campaign *campaign)
{
    struct diskarch_role *first = campaign->first;
    campaign->is_held = false;
    atomic_store_explicit(&first->number_plus_one, campaign->number + 1, memory_order_release);
    struct role_command command = {
        .role = campaign->number,
        .is_try = first->is_try,
        .name = campaign->name,
        .priority = first->priority,
        .payload = first->payload.bytes,
        .payload_bytes = first->payload.byte_count,
    };
    runtime_campaign(node->runtime, &command);
}

static void campaign_append(struct campaign *campaign, struct diskarch_role *role)
{
    struct diskarch_role **link = &campaign->first;
    while (*link != NULL) {
        link = &(*link)->behind;
    }
    *link = role;
    role->campaign = campaign;
}

static void campaign_remove(struct campaign *campaign, struct diskarch_role *role)
{
    struct diskarch_role **link = &campaign->first;
    while (*link != role) {
        link = &(*link)->behind;
    }
    *link = role->behind;
    role->behind = NULL;
    role->campaign = NULL;
}

/* ---- Candidates -------------------------------------------------------------------------------------------------- */

void campaign_free_candidate(struct diskarch_role *role)
{
    struct diskarch *node = role->node;
    *(role->previous != NULL ? &role->previous->next : &node->roles) = role->next;
    if (role->next != NULL) {
        role->next->previous = role->previous;
    }
    free(role);
}

static int candidate_new(struct diskarch *node, const char *name, const struct diskarch_role_options *options,
                         struct diskarch_role **ret)
{
    struct diskarch_role *role = calloc(1, sizeof *role);
    if (role == NULL) {
        return -ENOMEM;
    }
    role->node = node;
    role->is_try = options->is_try;
    role->priority = options->priority;
    role->payload.byte_count = (uint32_t)options->payload_bytes;
    if (options->payload_bytes > 0) {
        memcpy(role->payload.bytes, options->payload, options->payload_bytes);
    }
    name_field_store((uint8_t *)role->name, name);
    role->next = node->roles;
    if (role->next != NULL) {
        role->next->previous = role;
    }
    node->roles = role;
    *ret = role;
    return 0;
}

static void candidate_tell(struct diskarch_role *role, const struct runtime_notice *notice)
{
    if (!role->is_freed) {
        notice_list_put(&role->node->events, &role->box, notice);
    }
}

static void candidate_end(struct diskarch_role *role, int error)
{
    role->stage = CANDIDATE_ENDED;
    role->error = error;
    atomic_store_explicit(&role->is_stopped, true, memory_order_release);
}

/* Takes a candidate that has ended out of its campaign. */
static void candidate_depart(struct diskarch_role *role)
{
    assert(role->stage == CANDIDATE_ENDED);
    campaign_remove(role->campaign, role);
    if (role->is_freed) {
        campaign_free_candidate(role);
    }
}

static void candidate_refuse(struct diskarch_role *role, const char *holder_name, uint64_t epoch)
{
    struct runtime_notice refused = {.what = {.kind = NOTICE_REFUSED, .refusal = REFUSED_HELD, .epoch = epoch}};
    memcpy(refused.what.holder_name, holder_name, sizeof refused.what.holder_name);
    candidate_tell(role, &refused);
    candidate_end(role, DISKARCH_EHELD);
}

static void candidate_release(struct diskarch_role *role)
{
    struct runtime_notice released = {.what = {.kind = NOTICE_RELEASED}};
    candidate_tell(role, &released);
    candidate_end(role, role->is_resigning ? -ECANCELED : DISKARCH_ECLOSED);
}

/* Behind a candidate that holds the role, or waits for another node: one look ends here, everybody else is told. */
static void tell_one_behind(const struct campaign *campaign, struct diskarch_role *role)
{
    if (role->is_try) {
        candidate_refuse(role, campaign->holder_name, campaign->epoch);
        candidate_depart(role);
        return;
    }
    struct runtime_notice held = {.what = {.kind = NOTICE_CANDIDATE, .epoch = campaign->epoch}};
    memcpy(held.what.holder_name, campaign->holder_name, sizeof held.what.holder_name);
    candidate_tell(role, &held);
}

/* Somebody, the first candidate or another node, holds the role. */
static void note_holder(struct campaign *campaign, const char *holder_name, uint64_t epoch)
{
    campaign->is_held = true;
    campaign->epoch = epoch;
    memcpy(campaign->holder_name, holder_name, sizeof campaign->holder_name);
    struct diskarch_role *behind = campaign->first->behind;
    while (behind != NULL) {
        struct diskarch_role *role = behind;
        behind = role->behind;
        tell_one_behind(campaign, role);
    }
}

/* ---- What the node says ------------------------------------------------------------------------------------------ */

static void take_candidate(struct campaign *campaign, const struct runtime_notice *notice)
{
    if (!campaign->first->is_resigning) {
        candidate_tell(campaign->first, notice);
    }
    note_holder(campaign, notice->what.holder_name, notice->what.epoch);
}

static void take_leader(struct diskarch *node, struct campaign *campaign, const struct runtime_notice *notice)
{
    struct diskarch_role *first = campaign->first;
    first->stage = CANDIDATE_LEADING;
    first->epoch = notice->what.epoch;
    first->is_transferring = false;
    if (!first->is_resigning) {
        candidate_tell(first, notice);
    }
    note_holder(campaign, node->node_name, notice->what.epoch);
}

/* Nobody but a leader is told: what comes too late, or after its end was begun, does not concern it any more. */
static void take_message(struct campaign *campaign, const struct runtime_notice *notice)
{
    struct diskarch_role *first = campaign->first;
    bool is_led = first->stage == CANDIDATE_LEADING && first->epoch == notice->what.epoch;
    if (!is_led || first->is_resigning) {
        return;
    }
    if (notice->what.kind == NOTICE_TRANSFER || notice->what.kind == NOTICE_TRANSFER_REFUSED) {
        first->is_transferring = notice->what.kind == NOTICE_TRANSFER;
    }
    candidate_tell(first, notice);
}

/* A leadership that ends while it is being resigned ends as a resignation. */
static void take_lost(struct diskarch *node, struct campaign *campaign, const struct runtime_notice *notice)
{
    struct diskarch_role *first = campaign->first;
    first->stage = CANDIDATE_WAITING;
    first->epoch = 0;
    campaign->is_held = false;
    if (first->is_resigning) {
        return;
    }
    candidate_tell(first, notice);
    if (!node->is_rejoining) {
        candidate_end(first, DISKARCH_ELOST);
    }
}

static int error_of_refusal(enum role_refusal refusal)
{
    switch (refusal) {
    case REFUSED_HELD:
        return DISKARCH_EHELD;
    case REFUSED_FULL:
        return DISKARCH_EFULL;
    case REFUSED_NOT_READY:
        return DISKARCH_ENOTREADY;
    case REFUSED_KIND:
        break;
    }
    return DISKARCH_EKIND;
}

/* The node will not join again: those behind have nobody left to wait for. */
static void release_those_behind(struct campaign *campaign)
{
    struct diskarch_role *behind = campaign->first->behind;
    while (behind != NULL) {
        struct diskarch_role *role = behind;
        behind = role->behind;
        candidate_release(role);
        candidate_depart(role);
    }
}

/* The number's campaign is over; the next candidate, if there is one, stands for a new one. */
static void take_end(struct diskarch *node, struct campaign *campaign, const struct runtime_notice *notice)
{
    struct diskarch_role *first = campaign->first;
    if (first->stage != CANDIDATE_ENDED) {
        if (notice->what.kind == NOTICE_REFUSED && !first->is_resigning) {
            candidate_tell(first, notice);
            candidate_end(first, error_of_refusal(notice->what.refusal));
        } else {
            candidate_release(first);
        }
    }
    if (notice->is_final) {
        release_those_behind(campaign);
    }
    struct diskarch_role *next = first->behind;
    assert(next != first);
    candidate_depart(first);
    assert(campaign->first == next);
    if (next != NULL) {
        campaign_submit(node, campaign);
    } else {
        campaign_free(node, campaign);
    }
}

void campaign_take_notice(struct diskarch *node, const struct runtime_notice *notice)
{
    assert(notice->what.role < node->numbers_max);
    struct campaign *campaign = node->by_number[notice->what.role];
    assert(campaign != NULL && campaign->first != NULL);
    switch (notice->what.kind) {
    case NOTICE_CANDIDATE:
        take_candidate(campaign, notice);
        break;
    case NOTICE_LEADER:
        take_leader(node, campaign, notice);
        break;
    case NOTICE_LOST:
        take_lost(node, campaign, notice);
        break;
    case NOTICE_ASKED:
    case NOTICE_TRANSFER:
    case NOTICE_TRANSFER_REFUSED:
    case NOTICE_PUBLISHED:
        take_message(campaign, notice);
        break;
    default:
        take_end(node, campaign, notice);
        break;
    }
}

void campaign_tell_leaders(struct diskarch *node, const struct runtime_notice *notice)
{
    for (struct diskarch_role *role = node->roles; role != NULL; role = role->next) {
        if (role->stage == CANDIDATE_LEADING && !role->is_resigning) {
            struct runtime_notice own = *notice;
            own.what.epoch = role->epoch;
            candidate_tell(role, &own);
        }
    }
}

/* ---- What the application wants ---------------------------------------------------------------------------------- */

/* Stands behind a campaign that runs already. If somebody is known to hold the role, the answer is here. */
static void join_campaign(struct campaign *campaign, struct diskarch_role *role)
{
    campaign_append(campaign, role);
    if (campaign->is_held) {
        tell_one_behind(campaign, role);
        bell_ring(runtime_bell(role->node->runtime));
    }
}

static int campaign_begin(struct diskarch *node, const char *name, const struct diskarch_role_options *options,
                          struct diskarch_role **ret)
{
    node_take_notices(node);
    if (node->is_over) {
        return DISKARCH_ECLOSED;
    }
    struct diskarch_role *role = NULL;
    int error = candidate_new(node, name, options, &role);
    if (error != 0) {
        return error;
    }
    struct campaign *campaign = campaign_find(node, name);
    if (campaign != NULL) {
        join_campaign(campaign, role);
        *ret = role;
        return 0;
    }
    error = campaign_new(node, name, &campaign);
    if (error != 0) {
        campaign_free_candidate(role);
        return error;
    }
    campaign_append(campaign, role);
    campaign_submit(node, campaign);
    *ret = role;
    return 0;
}

int diskarch_campaign(struct diskarch *node, const char *name, const struct diskarch_role_options *options,
                      struct diskarch_role **ret)
{
    struct diskarch_role_options own = {0};
    if (options != NULL) {
        own.size = sizeof own;
        memcpy(&own, options, options->size < sizeof own ? options->size : sizeof own);
    }
    bool is_payload_bad = own.payload_bytes > PAYLOAD_BYTES_MAX || (own.payload == NULL && own.payload_bytes > 0);
    if (name == NULL || name_check(name) != NAME_OK || own.priority > PRIORITY_MAX || is_payload_bad) {
        return DISKARCH_EUSAGE;
    }
    if (runtime_is_forked(node->runtime)) {
        return DISKARCH_ECLOSED;
    }
    pthread_mutex_lock(&node->mutex);
    int error = campaign_begin(node, name, &own, ret);
    pthread_mutex_unlock(&node->mutex);
    return error;
}

/* Ends a candidate's campaign. Only the one that stands for it has to resign; the others just step back. */
static void candidate_resign(struct diskarch_role *role)
{
    if (role->stage == CANDIDATE_ENDED || role->is_resigning) {
        return;
    }
    role->is_resigning = true;
    atomic_store_explicit(&role->is_stopped, true, memory_order_release);
    if (role->campaign->first == role) {
        runtime_resign(role->node->runtime, role->campaign->number);
        return;
    }
    candidate_release(role);
    campaign_remove(role->campaign, role);
    bell_ring(runtime_bell(role->node->runtime));
}

int diskarch_resign(struct diskarch_role *role)
{
    struct diskarch *node = role->node;
    if (runtime_is_forked(node->runtime)) {
        return DISKARCH_ECLOSED;
    }
    pthread_mutex_lock(&node->mutex);
    candidate_resign(role);
    pthread_mutex_unlock(&node->mutex);
    return 0;
}

void diskarch_role_free(struct diskarch_role *role)
{
    if (role == NULL || runtime_is_forked(role->node->runtime)) {
        return;
    }
    struct diskarch *node = role->node;
    pthread_mutex_lock(&node->mutex);
    candidate_resign(role);
    notice_list_empty_box(&node->events, &role->box);
    role->is_freed = true;
    if (role->campaign == NULL) {
        campaign_free_candidate(role);
    }
    pthread_mutex_unlock(&node->mutex);
}
