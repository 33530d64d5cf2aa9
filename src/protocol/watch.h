/*
 * What this node knows of other incarnations: who moves, who stands still, who left, who is dead (rule T6), and when a
 * dead one may be retired (rule S4). Judges by the slow clock only. Nobody is ever compared by another host's clock.
 *
 * A slot may show several incarnations at once: a disk that was away shows a former owner. Each is watched by itself,
 * because "the slot looks different" teaches nothing about the one before.
 */
#ifndef DISKARCH_PROTOCOL_WATCH_H
#define DISKARCH_PROTOCOL_WATCH_H

#include "block/ballot.h"
#include "block/block.h"

#include <stdbool.h>
#include <stdint.h>

enum { WATCH_PER_SLOT = 4 };

enum watch_state {
    WATCH_UNUSED,
    WATCH_MOVING,     /* seen or named; its counter may still grow */
    WATCH_CONFIRMING, /* T6 (a) is fulfilled; (b) wants a majority read submitted since */
    WATCH_DEAD,       /* for ever */
    WATCH_LEFT,       /* for ever */
};

/* The newest block of an incarnation that one disk has shown. */
struct watch_shown {
    uint64_t counter; /* 0: none */
    uint64_t step;    /* in which the first read that showed it had finished */
};

struct watch_entry {
    enum watch_state state;
    uint64_t incarnation;
    uint64_t counter;      /* highest seen on any disk; 0 when only a register named it */
    int64_t since_slow_ns; /* end of the read that first showed the counter */
    uint64_t promise_ns;   /* watchdog promise last seen: added to W */
    uint64_t confirm_step; /* reads submitted in this step or later count for (b) */
    uint16_t confirmed_disks;
    uint16_t standing_disks; /* disks whose last read showed it in the heartbeat row */
    bool has_moved;          /* its counter grew while this node was looking */
    bool is_found_dead;      /* by this node itself: only this permits a takeover */
    bool is_verdict_known;   /* found dead here or seen in a verdict */
    int64_t verdict_slow_ns; /* since when */
    bool is_retired;         /* stands in the ledger */
    int64_t retire_delay_ns; /* random part of the wait before writing the ledger */
    struct watch_shown shown[DISKS_MAX];
};

/* One finished read of the heartbeat row. */
struct watch_read {
    uint32_t disk;
    uint64_t submitted_step;
    uint64_t finished_step;
    int64_t slow_ns; /* when it had finished */
};

struct watch {
    struct watch_entry *entries; /* slots x WATCH_PER_SLOT */
    uint32_t slots;
    uint32_t disk_count;
    int64_t watch_ns;     /* W */
    int64_t scan_slow_ns; /* nothing falls due before */
    uint32_t found;       /* entries that became dead since the caller last looked */
};

/* `entries` holds slots x WATCH_PER_SLOT zeroed entries and must outlive the watch. */
void watch_begin(struct watch *watch, struct watch_entry *entries, uint32_t slots, uint32_t disk_count,
                 int64_t watch_ns);

/* A read of the heartbeat row showed this intact block. */
void watch_see(struct watch *watch, uint32_t slot, const struct heartbeat_block *block, const struct watch_read *read);

/*
 * D7: whether the block is older than one that this disk showed in a read that had finished before this one was submitted.
 * Only counters of one incarnation are compared, and an empty block with any: an owner has one write in flight per disk
 * (D1), so on one disk its counter never falls. Which of two incarnations is the older one, a slot does not tell.
 */
bool watch_is_backwards(const struct watch *watch, uint32_t slot, const struct heartbeat_block *block,
                        const struct watch_read *read);

/* D7: the disk is counted out. What it last showed stands nowhere, and confirms nothing. */
void watch_forget_disk(struct watch *watch, uint32_t disk);

/* A register names this incarnation as holder: it is watched from now on. */
void watch_name(struct watch *watch, struct node_id id, int64_t slow_ns);

/* A verdict on this incarnation was read somewhere: a hint that starts the quarantine of S4, never a permission. */
void watch_hear_verdict(struct watch *watch, struct node_id id, int64_t slow_ns);

/* This process' own former incarnation, over and with no request in flight, is dead beyond doubt. */
void watch_declare_dead(struct watch *watch, struct node_id id, int64_t slow_ns);

/* Moves those whose wait has ended on to confirming. True if a fresh read of the heartbeat row is wanted now. */
bool watch_tick(struct watch *watch, uint64_t step, int64_t slow_ns);

/* Whether a candidate may take over from it: found dead by this node, or left. */
bool watch_is_gone(const struct watch *watch, struct node_id id);

/* NULL if it is not known. */
struct watch_entry *watch_find(const struct watch *watch, struct node_id id);

/* Whether some disk's last read still showed it in the heartbeat row. */
bool watch_is_standing(const struct watch *watch, struct node_id id);

#endif
