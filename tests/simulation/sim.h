/* The simulator's inside, shared by its files. */
#ifndef DISKARCH_SIMULATION_SIM_H
#define DISKARCH_SIMULATION_SIM_H

#include "block/role_value.h"
#include "world.h"

#include <stddef.h>
#include <stdio.h>

/* What the value of a register row says. */
struct sim_value {
    uint64_t name_hash; /* 0: it has no name */
    uint64_t epoch;
    struct node_id holder; /* of a role */
};

/* Who wrote what after having seen what: the memory of the chain oracle. */
struct sim_ballot {
    uint32_t row;
    struct ballot ballot, parent;
    struct sim_value value;
    bool is_committed; /* somebody holds it, or a value made from it, for committed */
    bool is_change;    /* it names another holder than the value it was made from */
    bool is_takeover;  /* and that one had not let go: it was found dead, or had left */
};

/* Where a ballot stands in the table; empty unless it belongs to this run. */
struct sim_ballot_place {
    uint32_t run, index;
};

struct sim_chain {
    struct ballot tip;  /* highest ballot of the row that anybody holds for committed */
    uint64_t name_hash; /* of its value */
};

/* Liveness mode: what the looks have found so far. */
struct sim_live {
    bool is_taken_away; /* not the faults end, but a majority of the disks */
    int64_t from_ns; /* all that was on its way to a disk when the faults ended has come back; 0: they have not ended */
    bool is_wanted[SIM_PROCESSES_MAX][SIM_ROLES_MAX];
    /* Since when a process, in which life, has been a candidate with a majority of well disks, or joining with one. */
    int64_t candidate_ns[SIM_PROCESSES_MAX][SIM_ROLES_MAX];
    uint64_t candidate_life[SIM_PROCESSES_MAX][SIM_ROLES_MAX];
    int64_t join_ns[SIM_PROCESSES_MAX];
    uint64_t join_life[SIM_PROCESSES_MAX];
    int64_t led_ns[SIM_ROLES_MAX]; /* when a leader was seen last */
    uint64_t elections;            /* at the first look, and one; 0: no look yet */
};

/* Who watches a world being played step by step; any of them may be NULL. */
struct sim_listener {
    void (*on_step)(void *context, uint32_t process); /* after a node_step() and its oracles */
    void (*on_notice)(void *context, uint32_t process, const struct notice *notice); /* as the node says it */
    void *context;
};

struct sim {
    FILE *trace;    /* NULL: nothing is told */
    bool is_steady; /* nothing is left to chance: every draw outside of the nodes falls in the middle */
    struct sim_listener listener;
    struct sim_live live;
    uint64_t seed;
    uint32_t run; /* number of this run since the memory was made */
    uint64_t hash;
    const char *violation;
    struct random random;
    struct random node_random;
    struct random weather_random; /* of its own, so that what the weather does depends little on what it has done */
    int64_t now_ns;
    int64_t end_ns;
    struct set_header header;
    uint64_t set_tag;
    uint32_t disk_count, process_count, role_count;
    uint32_t fault_percent; /* how rough this world is */
    int64_t pace_ns;        /* its clients wait up to this long between two acts */
    int64_t poll_ns;        /* how often candidates look; 0: as by default */
    bool is_crowded;        /* more processes than slots, which come and go: a world for claims */
    int64_t calm_ns;        /* from then on nothing fails but one disk, which comes back; 0: never */
    uint32_t calm_disk;
    uint64_t calm_witness; /* an incarnation that lived when it came back; 0: none */
    uint32_t out_told;     /* D7: disks counted out by a heartbeat that stands on a majority of the others */
    struct sim_disk disks[SIM_DISKS_MAX];
    struct sim_process processes[SIM_PROCESSES_MAX];
    struct sim_request requests[SIM_REQUESTS_MAX];
    uint32_t request_end; /* none from here on has been used in this run */
    struct sim_event events[SIM_EVENTS_MAX];
    uint32_t event_count;
    uint64_t order;
    size_t node_bytes, process_bytes;
    uint64_t role_epoch[SIM_ROLES_MAX];
    struct sim_ballot ballots[SIM_BALLOTS_MAX];
    uint32_t ballot_count;
    struct sim_ballot_place ballot_places[SIM_BALLOT_PLACES]; /* open addressing, by row and ballot */
    struct sim_chain chains[SIM_ROWS_MAX];
    struct node_id ready[SIM_READY_MAX]; /* T3: incarnations whose first heartbeat has counted */
    uint32_t ready_count;
    struct sim_history histories[SIM_NAMED_REGISTERS];
    uint64_t values; /* written so far: no two writes have the same */
    struct sim_statistics statistics;
    struct sim_options options;
    struct sim_fault_log faults;
};

/* queue.c */
void sim_schedule(struct sim *sim, int64_t at_ns, enum sim_event_kind kind, uint32_t subject, uint64_t argument);
bool sim_next(struct sim *sim, struct sim_event *ret);

/* disk.c */
void sim_disks_format(struct sim *sim);
bool sim_disk_is_itself(const struct sim *sim, uint32_t disk); /* and not another one in its place */
void sim_disk_submit(struct sim *sim, uint32_t process, const struct io_action *action);
void sim_disk_land(struct sim *sim, const struct sim_event *event);
void sim_disk_capture(struct sim *sim, const struct sim_event *event);
void sim_disk_complete(struct sim *sim, const struct sim_event *event);
void sim_disk_orphan(struct sim *sim, uint32_t process);

/* The process begins another incarnation: what the one before has in flight still lands, but no later than Q allows. */
void sim_disk_bound(struct sim *sim, uint32_t process);

/* weather.c */
void sim_weather_draw(struct sim *sim);
void sim_weather(struct sim *sim, const struct sim_event *event);
void sim_draw_rates(struct sim *sim, int64_t ret_ppm[2]); /* of a process's two clocks */
void sim_faults_end(struct sim *sim);                     /* of disks and hosts: what has begun is over, for good */

/* oracle_live.c */
void sim_live_draw(struct sim *sim);
void sim_live(struct sim *sim);
void sim_live_ended(struct sim *sim, uint32_t process, const struct notice *notice); /* a campaign has */

/* world.c: an empty world, memory for its processes once it has a header, and one event of it; sim_run() has all of them. */
void sim_reset(struct sim *sim, uint64_t seed);
void sim_map_processes(struct sim *sim);
void sim_dispatch(struct sim *sim, const struct sim_event *event);

/* world.c: lets everything happen that is to happen before that true time, and the end of the run. */
void sim_pass(struct sim *sim, int64_t until_ns);

/* process.c */
void sim_process_start(struct sim *sim, uint32_t process);
void sim_process_turn(struct sim *sim, const struct sim_event *event);
void sim_process_kill(struct sim *sim, uint32_t process);

/* It is gone, at its own wish or not; what it has in flight may still land. */
void sim_process_end(struct sim *sim, uint32_t process);
void sim_process_clock(struct sim *sim, uint32_t process,
                       const int64_t rate_ppm[2]);                /* against true time, from now on */
int64_t sim_process_lease_end(const struct sim_process *process); /* on its fast clock, real or provisional; 0: none */
int64_t sim_process_fast_now(const struct sim *sim, const struct sim_process *process);
int64_t sim_process_slow_now(const struct sim *sim, const struct sim_process *process);

/* Lets it run a turn at that time, if it would not do so earlier. */
void sim_process_wake(struct sim *sim, uint32_t process, int64_t at_ns);

/* A place in its turn where a process may be stopped, as this one is if the turn drew it: the world goes on meanwhile. */
void sim_process_stumble(struct sim *sim, uint32_t process);

/* Whether nothing of it runs now. */
bool sim_process_is_stopped(const struct sim *sim, const struct sim_process *process);

/* For how long its owner would read now that it leads the role (N7); 0: it does not. */
int64_t sim_process_remaining_ns(const struct sim *sim, const struct sim_process *process, uint32_t role);

/* When its incarnation ended: now, or when its lease did, which a process that slept notices late. */
int64_t sim_process_death_ns(const struct sim *sim, const struct sim_process *process);

/* clients.c */
void sim_client(struct sim *sim, const struct sim_event *event);
void sim_client_stopped(struct sim *sim, const struct sim_event *event);
void sim_client_later(struct sim *sim, uint32_t process, int64_t scale_ns);
void sim_client_notice(struct sim *sim, uint32_t process, const struct runtime_notice *notice);
const char *sim_role_name(uint32_t role);
const char *sim_process_name(uint32_t process);
void sim_node_name(uint32_t process, char ret_name[NAME_FIELD_BYTES]);

/* calls.c */
void sim_call_client(struct sim *sim, const struct sim_event *event);
void sim_call_ended(struct sim *sim, uint32_t process, uint32_t call);

/* oracle.c, calls.c: each sets sim->violation when it objects. */
void oracle_after_step(struct sim *sim, uint32_t process);
void oracle_after_turn(struct sim *sim, uint32_t process);
void oracle_submission(struct sim *sim, uint32_t process, const struct io_action *action);
void oracle_landing(struct sim *sim, const struct sim_request *request);
void oracle_elected(struct sim *sim, uint32_t process, uint32_t role, uint64_t epoch);
void oracle_at_end(struct sim *sim);
void oracle_histories(struct sim *sim);

/* oracle_chain.c */
void oracle_chain(struct sim *sim, uint32_t process);
void oracle_joined(struct sim *sim, struct node_id id);

/* oracle_disk.c */
void oracle_out(struct sim *sim, const struct node *node);
void oracle_knows_out(struct sim *sim, uint32_t index);
void oracle_redundancy(struct sim *sim);
void oracle_blank(struct sim *sim);

static inline void oracle_object(struct sim *sim, const char *violation)
{
    if (sim->violation == NULL) {
        sim->violation = violation;
    }
}

/* Whether clients of this world act at a pace of their own, not the lease's. */
static inline bool sim_is_hasty(const struct sim *sim)
{
    return sim->pace_ns < sim->header.timings.lease_ns;
}

static inline bool sim_is_calm(const struct sim *sim)
{
    return sim->calm_ns != 0 && sim->now_ns >= sim->calm_ns;
}

/* Draws. */
static inline uint64_t sim_below(struct sim *sim, uint64_t below)
{
    return sim->is_steady ? below / 2 : random_below(&sim->random, below);
}

static inline bool sim_chance(struct sim *sim, uint32_t percent)
{
    return sim_below(sim, 100) < percent;
}

void sim_trace(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_hash(struct sim *sim, uint64_t value);

#endif
