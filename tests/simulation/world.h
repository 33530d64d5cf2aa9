/*
 * A simulated world: true time, disks, clocks, processes that each run the real turn of src/runtime. One 64-bit seed draws the
 * world and then the run; the same seed and the same code give the same trace, whose hash proves it.
 *
 * The disk is the adversary: writes land when they like between submission and acknowledgement, or after the death of
 * their author; each block of a row is read at an instant of its own. Everything beyond that is a fault: faults.h has the
 * table of them. One disk of a world may be one that can not be trusted (enum sim_memory).
 *
 * What is forgotten is bounded so that the protocol can be held to all of its promises (the assumption of durable
 * acknowledgement). Damage is unbounded: it is never taken for anything.
 *   - A disk goes back only when everything on it stands on a majority of the others.
 *   - No acknowledged heartbeat is dropped or lands elsewhere: a lease renewed by a write that no longer exists is refuted
 *     by a challenger before anybody can notice.
 *   - A row is shown stale only to a reader whose own block in it is older than that disk has acknowledged to him: to
 *     everybody else it could not be told from the truth.
 *   - A disk that was replaced by another one does not come back.
 */
#ifndef DISKARCH_SIMULATION_WORLD_H
#define DISKARCH_SIMULATION_WORLD_H

#include "block/block.h"
#include "block/header.h"
#include "faults.h"
#include "history.h"
#include "protocol/node.h"
#include "protocol/random.h"
#include "runtime/turn.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    SIM_DISKS_MAX = DISKS_MAX,
    SIM_PROCESSES_DRAWN = 5, /* at most, unless told otherwise */
    SIM_PROCESSES_MAX = 9,
    SIM_SLOTS_MAX = 12,
    SIM_REGISTERS_MAX = 6,
    SIM_ROLES_MAX = 4,
    SIM_NAMED_REGISTERS = 2, /* beside the roles: not every table has room for all names */
    SIM_CALLS_MAX = 4,       /* of one process at a time */
    SIM_HISTORY_MAX = 1024,
    SIM_READY_MAX = 4096,
    SIM_DEPTH = 4,
    SIM_ENGINE_DEPTH = 2 * (SIM_DEPTH + NODE_RESERVED), /* as the runtime has it */
    SIM_NOTICE_ROOM = 8,                                /* so few that some wait for others to be taken */
    SIM_TURN_BYTES = 1 << 20,                           /* of a turn and its queues, beside its node */
    SIM_MOVE_STEPS = 251,                               /* so often a node is replaced by its copy in other memory */
    SIM_BLOCK_BYTES = 512,
    SIM_ROWS_MAX = 3 + SIM_REGISTERS_MAX,
    SIM_ROW_BYTES_MAX = SIM_SLOTS_MAX * SIM_BLOCK_BYTES,
    SIM_REQUESTS_MAX = 4096,
    SIM_EVENTS_MAX = 16384,
    SIM_BALLOTS_MAX = 65536,
    SIM_BALLOT_PLACES = 2 * SIM_BALLOTS_MAX,
    SIM_LONG_PAUSE_PERCENT = 5, /* of the pauses in a hasty world, those that may outlast a lease */
    SIM_CAPTURES = 3,           /* instants at which blocks of one row are read */
};

enum sim_event_kind {
    SIM_TURN,     /* a process runs a turn, if it is the one it waits for */
    SIM_LAND,     /* a write reaches the medium */
    SIM_CAPTURE,  /* some blocks of a row are read */
    SIM_COMPLETE, /* a request is finished */
    SIM_CLIENT,   /* somebody campaigns, leads, kills, leaves */
    SIM_CALL,     /* somebody calls a name, or takes a call back */
    SIM_STOPPED,  /* the work under a role that is to be let go has stopped */
    SIM_LIVE,     /* liveness mode: the faults end, then a look */
    SIM_WEATHER,  /* a disk's fault begins or ends, a clock changes its rate */
};

struct sim_event {
    int64_t at_ns;
    uint64_t order;
    enum sim_event_kind kind;
    uint32_t subject;  /* process, request or disk */
    uint64_t argument; /* generation of the subject: an event of an earlier life means nothing */
};

enum sim_write_fate { FATE_LANDS, FATE_LOST, FATE_TORN, FATE_ASTRAY };

/* What is wrong with the one disk of a world that can not be trusted. */
enum sim_memory {
    MEMORY_GOOD,
    MEMORY_GOES_BACK, /* to an earlier image, once or more often */
    MEMORY_BLANK,     /* another one takes its place: a blank, */
    MEMORY_FOREIGN,   /* a copy of another disk of the set, or a disk of another set, */
    MEMORY_SWAPPED,   /* or another disk of the set, which it changes places with */
    MEMORY_DROPS,     /* acknowledges writes that never land, */
    MEMORY_ASTRAY,    /* or that land elsewhere */
    MEMORY_STALE,     /* shows what was there before */
    MEMORY_ROTS,      /* a bit falls over */
    MEMORY_LATENT,    /* a block cannot be read until it is written again */
    MEMORY_KINDS,
};

struct sim_request {
    bool is_used;
    bool is_orphan; /* its process is dead */
    uint64_t generation;
    uint32_t process;
    uint64_t life; /* of the process */
    struct io_action action;
    int64_t submitted_ns;
    int64_t bound_ns; /* Q: true time after which it does not land, as its incarnation is over; 0: not known yet */
    bool is_write_ok, is_read_ok;
    enum sim_write_fate fate;
    struct block_place astray; /* where it lands instead */
    bool is_stale_wanted;      /* the row is to be shown as it is before this write */
    bool is_stale;             /* row holds what is shown already */
    uint32_t captures;
    bool is_captured_slot[SIM_SLOTS_MAX];
    uint8_t block[SIM_BLOCK_BYTES];
    uint8_t row[SIM_ROW_BYTES_MAX];
};

struct sim_disk {
    uint8_t rows[SIM_ROWS_MAX][SIM_ROW_BYTES_MAX];
    uint8_t header[SIM_BLOCK_BYTES];
    int64_t latency_ns;
    uint32_t spike_percent; /* requests that take up to spike_ns more */
    int64_t spike_ns;
    struct random random;
    bool is_steady;      /* every draw falls in the middle */
    bool is_failing;     /* every request ends in an error */
    bool is_treacherous; /* the time has come for what memory says */
    int64_t hangs_until_ns;
    enum sim_memory memory;
    bool has_image;
    bool is_replaced;                                         /* by another disk, for good */
    uint8_t image[SIM_ROWS_MAX][SIM_ROW_BYTES_MAX];           /* what it may go back to */
    uint8_t heartbeats[SIM_PROCESSES_MAX][SIM_ROW_BYTES_MAX]; /* its row before the newest heartbeat of each process */
};

/* A call that a client of a process has begun. */
struct sim_call {
    bool is_used;
    bool is_cancelled;
    bool is_on_role;
    uint32_t named; /* a register, else: which, and where its history has it */
    size_t at;
    uint8_t bytes[8], expected[8];
    char successor_name[NAME_FIELD_BYTES];
};

/* All that was ever asked of a register, and what was answered. */
struct sim_history {
    struct history_op ops[SIM_HISTORY_MAX];
    size_t count;
};

/* A read of one of its operations, as the oracle of reads follows it. */
struct sim_read {
    bool is_running;
    uint64_t generation;
    struct ballot floor; /* committed before the read began */
};

/* One process: it runs one node at a time, and may rejoin as a new incarnation. */
struct sim_process {
    bool is_alive;
    uint64_t life; /* grows with every start and crash */
    void *memory;  /* sim->process_bytes, all that it has but its engine */
    size_t memory_used;
    struct turn *turn;
    struct disk_engine *engine;
    struct node *node;  /* the one that the turn steps */
    void *spare_memory; /* where it moves to next */
    uint64_t moved_step;
    bool is_in_turn;         /* a turn of it has begun and not ended: it is stopped in it, or runs now */
    uint32_t stumble_places; /* how many places from here it is stopped; 0: not in this turn */
    int64_t turn_at_ns;      /* true time of the turn it waits for; 0: for none */
    int64_t paused_until_ns;
    bool is_clock_stopped; /* at least one: until the process goes on */
    int64_t wall_ahead_ns; /* of true time */
    int64_t path_lost_until_ns[SIM_DISKS_MAX];
    bool is_path_silent[SIM_DISKS_MAX]; /* what is asked meanwhile is answered afterwards; else it fails at once */
    /* T1: two clocks with rates of their own. */
    int64_t clock_true_ns;
    int64_t clock_ns[2];
    int64_t rate_ppm[2];
    uint32_t inbox[SIM_REQUESTS_MAX];
    uint32_t inbox_count;
    uint64_t node_epoch[SIM_ROLES_MAX]; /* by the node's own notices */
    bool is_to_forget;                  /* the step at hand resigns a role: it is not lost after that */
    uint32_t role_to_forget;
    bool has_left_notices; /* its owner has not taken them when it could */
    bool is_role_used[SIM_ROLES_MAX];
    uint64_t
        last_epoch[SIM_ROLES_MAX];    /* of a NOTICE_LEADER its owner took, not yet followed by LOST or a resignation */
    bool is_to_resign[SIM_ROLES_MAX]; /* once the work has stopped */
    bool is_resigning[SIM_ROLES_MAX];
    bool is_transferring[SIM_ROLES_MAX];
    struct sim_call calls[SIM_CALLS_MAX];
    struct sim_read reads[SIM_DEPTH];
    struct ballot judged[SIM_ROWS_MAX]; /* what it held for committed when the chain oracle looked last */
    uint64_t last_value;                /* of a register, as a client of it was told last */
    bool is_leaving;
    bool must_know_out[SIM_DISKS_MAX]; /* D7: counted out by a heartbeat that stood when it started */
    int64_t dead_since_ns; /* true time at which its last incarnation was killed or over; 0 while one runs */
};

struct sim_statistics {
    uint64_t changes;   /* committed values that name another holder than the value they were made from */
    uint64_t takeovers; /* of them, those that the former holder had not written himself: he was dead */
    uint64_t looks;     /* liveness mode: instants at which it was checked */
    uint64_t slowest_leader_percent, slowest_join_percent; /* of the bound, that anybody has had to wait */
    uint64_t steps, elections, joins, ballots, overs, transfers, calls, unknown_calls, undecided, outs, calms;
    uint64_t faults[FAULT_KINDS];
};

/* What is asked for beside the seed. All zeros: what the seed draws, with every fault. */
struct sim_options {
    uint32_t nodes, disks, roles; /* in place of what the seed draws; 0: that */
    bool is_outside;              /* faults of CLASS_OUTSIDE too */
    bool is_liveness;             /* the faults end, and then a leader must come (src/protocol/README.md) */
    struct sim_without without;
};

struct sim;

/* Runs one seed. NULL if no oracle objected, else a sentence; in both cases *ret_hash is the trace's hash. */
const char *sim_run(struct sim *sim, uint64_t seed, uint64_t *ret_hash);

/* Makes and frees the memory that runs share. */
struct sim *sim_new(void);
void sim_free(struct sim *sim);

/* For the runs to come. */
void sim_set_options(struct sim *sim, const struct sim_options *options);

/* Where the runs to come are told, step by step; NULL: nowhere. The stream stays the caller's. */
void sim_set_trace(struct sim *sim, FILE *to);
const struct sim_fault_log *sim_fault_log(const struct sim *sim);
const struct sim_statistics *sim_statistics(const struct sim *sim);

/* True time at which the last run stopped. */
int64_t sim_now_ns(const struct sim *sim);

#endif
