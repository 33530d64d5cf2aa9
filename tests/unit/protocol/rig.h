/*
 * Real nodes over tiny disks in memory, with time made by hand. Nothing happens by itself: a test completes, fails or
 * withholds each request, in the order it likes, or lets the rig do what healthy disks would do.
 *
 * Knows src/block and src/protocol, their inside included. Knows no disk engine, no thread and no real clock.
 */
#ifndef DISKARCH_TESTS_PROTOCOL_RIG_H
#define DISKARCH_TESTS_PROTOCOL_RIG_H

#include "block/block.h"
#include "block/role_value.h"
#include "protocol/state.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RIG_DISKS_MAX = 5,
    RIG_NODES_MAX = 4,
    RIG_SLOTS_MAX = 8,
    RIG_REGISTERS_MAX = 256,
    RIG_ROLES_MAX = 256,
    RIG_ROWS_MAX = 3 + RIG_REGISTERS_MAX,
    RIG_BLOCK_BYTES = BLOCK_BYTES_MIN,
    RIG_ROW_BYTES_MAX = RIG_SLOTS_MAX * RIG_BLOCK_BYTES,
    RIG_REQUESTS_MAX = 256,
    RIG_NOTICES_MAX = 1024,
};

/* RIG_HOLDS: requests stay where they are until the test completes them. RIG_FAILS: nothing lands, errors come back.
 * RIG_READS: reads succeed, writes fail. */
enum rig_disk_mode { RIG_RUNS, RIG_HOLDS, RIG_FAILS, RIG_READS };

struct rig_disk {
    enum rig_disk_mode mode;
    uint8_t header[RIG_BLOCK_BYTES];
    uint8_t rows[RIG_ROWS_MAX][RIG_ROW_BYTES_MAX];
};

struct rig_request {
    bool is_used;
    uint64_t order;                 /* of submission, over all nodes */
    uint64_t step;                  /* of its node */
    struct io_action action;        /* action.block is the node's own buffer */
    uint8_t block[RIG_BLOCK_BYTES]; /* what stood there at submission */
};

struct rig_notice {
    struct notice notice;
    int64_t fast_ns;
};

struct rig_node {
    struct node_params params; /* may be changed before rig_start() */
    bool is_running;           /* false before rig_start() and after rig_kill() */
    struct node *node;
    int64_t fast_ns, slow_ns;
    int64_t wake_fast_ns, wake_slow_ns;
    struct rig_request requests[RIG_REQUESTS_MAX];
    struct rig_notice notices[RIG_NOTICES_MAX];
    uint32_t notice_count;
    struct call_result results[NODE_CALLS_MAX];                     /* of each call that has ended, as it was then */
    uint32_t submitted[RIG_DISKS_MAX][RIG_ROWS_MAX][IO_HEADER + 1]; /* requests so far */
};

struct rig {
    struct set_header header; /* may be changed before rig_format() */
    uint64_t set_tag;
    uint64_t order;
    struct rig_disk disks[RIG_DISKS_MAX];
    struct rig_node nodes[RIG_NODES_MAX];
    /* Told of every step; NULL: nobody is. */
    void (*tap)(void *context, uint32_t node, const struct event *event, const struct actions *actions);
    void *tap_context;
};

/* 8 slots, 4 registers, the default timings: L 10 s, renew 1 s, d 0.5 s, quarantine 60 s, rho 0.5 %. Formatted. */
void rig_init(struct rig *rig, uint32_t disk_count);

/* Stamps every disk anew, after a change of rig->header. */
void rig_format(struct rig *rig);

/* Frees the nodes. */
void rig_done(struct rig *rig);

/* Makes the node and lets it take its first step. Calling it again makes a new incarnation of the process. */
void rig_start(struct rig *rig, uint32_t node);

/* kill -9: the node takes no further step; what it had submitted stays where it is. */
void rig_kill(struct rig *rig, uint32_t node);

/* SIGSTOP and SIGCONT: time passes for it, but it takes no step, and what it has submitted stays where it is. */
void rig_freeze(struct rig *rig, uint32_t node);
void rig_thaw(struct rig *rig, uint32_t node);

/* Starts it and lets time pass until it has joined. */
struct node *rig_join(struct rig *rig, uint32_t node);

/* ---- Events ---- */

void rig_tick(struct rig *rig, uint32_t node);
void rig_campaign(struct rig *rig, uint32_t node, uint32_t role, const char *name);
void rig_try(struct rig *rig, uint32_t node, uint32_t role, const char *name);
void rig_resign(struct rig *rig, uint32_t node, uint32_t role);
void rig_leave(struct rig *rig, uint32_t node);
void rig_transfer(struct rig *rig, uint32_t node, uint32_t role, const char *successor_name);
void rig_publish(struct rig *rig, uint32_t node, uint32_t role, const char *payload);
void rig_call(struct rig *rig, uint32_t node, struct call_command command);
void rig_cancel(struct rig *rig, uint32_t node, uint32_t call);

/* A campaign with everything that it may have. */
void rig_campaign_as(struct rig *rig, uint32_t node, struct role_command command);

/* ---- Requests ---- */

/* The oldest pending request of the node to that row of the disk, of that operation; NULL if there is none. */
struct rig_request *rig_find(struct rig *rig, uint32_t node, uint32_t disk, uint32_t row, enum io_operation operation);

/* Pending requests of the node to that row of the disk, of any operation. */
uint32_t rig_pending(const struct rig *rig, uint32_t node, uint32_t disk, uint32_t row);

/* Its write reaches the medium, and nobody is told. */
void rig_land(struct rig *rig, const struct rig_request *request);

/* Its write lands, its row is read, its node is told. */
void rig_complete(struct rig *rig, uint32_t node, struct rig_request *request);

/* Nothing lands; its node is told of errors. */
void rig_fail(struct rig *rig, uint32_t node, struct rig_request *request);

/* Completes what is pending on disks that run and fails what is pending on disks that fail, until nothing is left. */
void rig_settle(struct rig *rig);

/* ---- Time ---- */

/* Lets time pass on both clocks of all nodes, with every tick a node has asked for, settling as it goes. */
void rig_run(struct rig *rig, int64_t ns);

/* Moves one node's clocks and nothing else: no tick, no completion. */
void rig_pass(struct rig *rig, uint32_t node, int64_t fast_ns, int64_t slow_ns);

/* ---- What was told ---- */

/* Notices of that kind so far. */
uint32_t rig_notice_count(const struct rig *rig, uint32_t node, enum notice_kind kind);

/* The last notice of that kind; fails the test if there is none. */
const struct rig_notice *rig_notice(const struct rig *rig, uint32_t node, enum notice_kind kind);

/* Runs, for at most limit_ns, until one more notice of that kind has come. True if it has. */
bool rig_await(struct rig *rig, uint32_t node, enum notice_kind kind, int64_t limit_ns);

/* ---- The medium ---- */

struct block_place rig_place(const struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot);
uint8_t *rig_block(struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot);
void rig_damage(struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot);

/* What stands there; fails the test if it is damaged. */
struct claim_block rig_claim(struct rig *rig, uint32_t disk, uint32_t slot);
struct heartbeat_block rig_heartbeat(struct rig *rig, uint32_t disk, uint32_t slot);
struct register_block rig_register(struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot);

/* Writes as somebody else, on one disk. */
void rig_put_claim(struct rig *rig, uint32_t disk, uint32_t slot, uint64_t incarnation, bool is_given_back);
void rig_put_heartbeat(struct rig *rig, uint32_t disk, uint32_t slot, const struct heartbeat_block *block);
void rig_put_register(struct rig *rig, uint32_t disk, uint32_t row, uint32_t slot, const struct register_block *block);

/* A heartbeat block of a stranger, `ready`, with nothing special about it. */
struct heartbeat_block rig_stranger(uint64_t incarnation, uint64_t counter);

/* The row in which a probe for this name begins (N1). */
uint32_t rig_row_of(const struct rig *rig, const char *name);

/* The role's value with the highest accepted ballot in its row, over all disks. */
struct role_value rig_role(struct rig *rig, uint32_t row);

#endif
