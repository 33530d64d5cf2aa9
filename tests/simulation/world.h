/*
 * A simulated world: true time, disks, clocks, processes that each run the real src/protocol. One 64-bit seed draws the
 * world and then the run; the same seed and the same code give the same trace, whose hash proves it.
 *
 * The disk is the adversary: writes land when they like between submission and acknowledgement, or after the death of
 * their author; each block of a row is read at an instant of its own; disks fail, hang, tear and lose writes; one disk of a
 * world may forget: go back to an earlier image, come back blank, drop writes it has acknowledged, or rot.
 *
 * What is forgotten is bounded so that the protocol can be held to all of its promises: a disk goes back only when
 * everything on it stands on a majority of the others, and no heartbeat is dropped. Otherwise a lease renewed by a write
 * that no longer exists is refuted by a challenger before anybody can notice (the assumption of durable acknowledgement).
 */
#ifndef DISKARCH_SIMULATION_WORLD_H
#define DISKARCH_SIMULATION_WORLD_H

#include "block/header.h"
#include "history.h"
#include "protocol/node.h"
#include "protocol/random.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SIM_DISKS_MAX = 5,
    SIM_PROCESSES_MAX = 5,
    SIM_SLOTS_MAX = 12,
    SIM_REGISTERS_MAX = 6,
    SIM_ROLES_MAX = 2,
    SIM_NAMED_REGISTERS = 2, /* beside the roles: not every table has room for all names */
    SIM_CALLS_MAX = 4,       /* of one process at a time */
    SIM_HISTORY_MAX = 1024,
    SIM_READY_MAX = 4096,
    SIM_DEPTH = 4,
    SIM_BLOCK_BYTES = 512,
    SIM_ROWS_MAX = 3 + SIM_REGISTERS_MAX,
    SIM_ROW_BYTES_MAX = SIM_SLOTS_MAX * SIM_BLOCK_BYTES,
    SIM_REQUESTS_MAX = 4096,
    SIM_EVENTS_MAX = 16384,
    SIM_BALLOTS_MAX = 65536,
    SIM_CAPTURES = 3, /* instants at which blocks of one row are read */
};

enum sim_event_kind {
    SIM_TURN,     /* a process runs: completions, then the clock, then steps */
    SIM_TIMER,    /* the same, because its time has come; only the newest timer of a process counts */
    SIM_LAND,     /* a write reaches the medium */
    SIM_CAPTURE,  /* some blocks of a row are read */
    SIM_COMPLETE, /* a request is finished */
    SIM_CLIENT,   /* somebody campaigns, leads, kills, leaves */
    SIM_CALL,     /* somebody calls a name, or takes a call back */
    SIM_STOPPED,  /* the work under a role that is to be let go has stopped */
    SIM_WEATHER,  /* a disk's fault begins or ends, a clock changes its rate */
};

struct sim_event {
    int64_t at_ns;
    uint64_t order;
    enum sim_event_kind kind;
    uint32_t subject;  /* process, request or disk */
    uint64_t argument; /* generation of the subject: an event of an earlier life means nothing */
};

enum sim_write_fate { FATE_LANDS, FATE_LOST, FATE_TORN };

/* How the one disk that forgets does it. */
enum sim_memory { MEMORY_GOOD, MEMORY_GOES_BACK, MEMORY_BLANK, MEMORY_DROPS, MEMORY_ROTS, MEMORY_KINDS };

struct sim_request {
    bool is_used;
    bool is_orphan; /* its process is dead */
    uint64_t generation;
    uint32_t process;
    uint64_t life; /* of the process */
    struct io_action action;
    int64_t submitted_ns;
    bool is_write_ok, is_read_ok;
    enum sim_write_fate fate;
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
    bool is_failing;  /* every request ends in an error */
    bool is_dropping; /* some acknowledged writes never land */
    int64_t hangs_until_ns;
    enum sim_memory memory;
    bool has_image;
    uint8_t image[SIM_ROWS_MAX][SIM_ROW_BYTES_MAX]; /* what it may go back to */
};

/* A call that a client of a process has begun. */
struct sim_call {
    bool is_used;
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

/* One process: at most one node at a time; it may rejoin as a new incarnation. */
struct sim_process {
    bool is_alive;
    uint64_t life; /* grows with every start, crash and rejoin */
    void *memory;
    struct node *node;
    int64_t paused_until_ns;
    /* T1: two clocks with rates of their own; fast and slow as the runtime builds them. */
    int64_t clock_true_ns;
    int64_t clock_ns[2];
    int64_t rate_ppm[2];
    int64_t turn_clock_ns[2];
    int64_t fast_ns, slow_ns;
    int64_t wall_offset_ns; /* how far its wall clock has jumped */
    uint32_t inbox[SIM_REQUESTS_MAX];
    uint32_t inbox_count;
    uint64_t timer; /* number of the newest timer */
    bool is_role_used[SIM_ROLES_MAX];
    uint64_t last_epoch[SIM_ROLES_MAX]; /* of a NOTICE_LEADER not yet followed by LOST or a resignation */
    bool is_to_resign[SIM_ROLES_MAX];   /* once the work has stopped */
    struct sim_call calls[SIM_CALLS_MAX];
    uint64_t last_value; /* of a register, as a client of it was told last */
    bool is_leaving;
    bool must_know_out[SIM_DISKS_MAX]; /* D7: counted out by a heartbeat that stood when it started */
    int64_t dead_since_ns; /* true time at which its last incarnation was killed or over; 0 while one runs */
};

struct sim_statistics {
    uint64_t steps, elections, crashes, pauses, disk_faults, joins, ballots, overs, transfers, calls, unknown_calls,
        undecided, forgets, outs, calms;
};

struct sim;

/* Runs one seed. NULL if no oracle objected, else a sentence; in both cases *ret_hash is the trace's hash. */
const char *sim_run(struct sim *sim, uint64_t seed, uint64_t *ret_hash);

/* Makes and frees the memory that runs share. */
struct sim *sim_new(void);
void sim_free(struct sim *sim);

void sim_set_trace(struct sim *sim, bool is_tracing);
const struct sim_statistics *sim_statistics(const struct sim *sim);

/* True time at which the last run stopped. */
int64_t sim_now_ns(const struct sim *sim);

#endif
