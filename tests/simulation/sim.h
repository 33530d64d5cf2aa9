/* The simulator's inside, shared by its files. */
#ifndef DISKARCH_SIMULATION_SIM_H
#define DISKARCH_SIMULATION_SIM_H

#include "world.h"

#include <stddef.h>

/* Who wrote what after having seen what: the memory of the chain oracle. */
struct sim_ballot {
    uint32_t row;
    struct ballot ballot, parent;
};

struct sim_chain {
    struct ballot tip; /* highest ballot of the row that anybody holds for committed */
};

/* Who watches a world being played step by step; any of them may be NULL. */
struct sim_listener {
    void (*on_step)(void *context, uint32_t process); /* after a node_step() and its oracles */
    void (*on_notice)(void *context, uint32_t process, const struct notice *notice);
    void *context;
};

struct sim {
    bool is_tracing;
    bool is_steady; /* nothing is left to chance: every draw outside of the nodes falls in the middle */
    struct sim_listener listener;
    uint64_t seed;
    uint64_t hash;
    const char *violation;
    struct random random;
    struct random node_random;
    int64_t now_ns;
    int64_t end_ns;
    struct set_header header;
    uint64_t set_tag;
    uint32_t disk_count, process_count, role_count;
    uint32_t fault_percent; /* how rough this world is */
    int64_t calm_ns;        /* from then on nothing fails but one disk, which comes back; 0: never */
    uint32_t calm_disk;
    uint64_t calm_witness; /* an incarnation that lived when it came back; 0: none */
    uint32_t out_told;     /* D7: disks counted out by a heartbeat that stands on a majority of the others */
    struct sim_disk disks[SIM_DISKS_MAX];
    struct sim_process processes[SIM_PROCESSES_MAX];
    struct sim_request requests[SIM_REQUESTS_MAX];
    struct sim_event events[SIM_EVENTS_MAX];
    uint32_t event_count;
    uint64_t order;
    size_t node_bytes;
    uint64_t role_epoch[SIM_ROLES_MAX];
    struct sim_ballot ballots[SIM_BALLOTS_MAX];
    uint32_t ballot_count;
    struct sim_chain chains[SIM_ROWS_MAX];
    struct node_id ready[SIM_READY_MAX]; /* T3: incarnations whose first heartbeat has counted */
    uint32_t ready_count;
    struct sim_history histories[SIM_NAMED_REGISTERS];
    uint64_t values; /* written so far: no two writes have the same */
    struct sim_statistics statistics;
};

/* world.c: an empty world, and one event of it; sim_run() makes both of a seed. */
void sim_reset(struct sim *sim, uint64_t seed);
void sim_dispatch(struct sim *sim, const struct sim_event *event);

/* queue.c */
void sim_schedule(struct sim *sim, int64_t at_ns, enum sim_event_kind kind, uint32_t subject, uint64_t argument);
bool sim_next(struct sim *sim, struct sim_event *ret);

/* disk.c */
void sim_disks_format(struct sim *sim);
void sim_disk_submit(struct sim *sim, uint32_t process, const struct io_action *action, int64_t after_ns);
void sim_disk_land(struct sim *sim, const struct sim_event *event);
void sim_disk_capture(struct sim *sim, const struct sim_event *event);
void sim_disk_complete(struct sim *sim, const struct sim_event *event);
void sim_disk_orphan(struct sim *sim, uint32_t process);

/* weather.c */
void sim_weather_draw(struct sim *sim);
void sim_weather(struct sim *sim, const struct sim_event *event);

/* process.c */
void sim_process_start(struct sim *sim, uint32_t process, struct node_id former);
void sim_process_turn(struct sim *sim, const struct sim_event *event);
void sim_process_command(struct sim *sim, uint32_t process, struct event *event);
void sim_process_kill(struct sim *sim, uint32_t process);
void sim_process_clock(struct sim *sim, uint32_t process);
int64_t sim_process_lease_end(const struct sim_process *process); /* on its fast clock, real or provisional; 0: none */
int64_t sim_process_fast_now(const struct sim *sim, const struct sim_process *process);
void sim_process_wake(struct sim *sim, uint32_t process, int64_t at_ns);

/* When its incarnation ended: now, or when its lease did, which a process that slept notices late. */
int64_t sim_process_death_ns(const struct sim *sim, const struct sim_process *process);

/* clients.c */
void sim_client(struct sim *sim, const struct sim_event *event);
void sim_client_stopped(struct sim *sim, const struct sim_event *event);
void sim_client_later(struct sim *sim, uint32_t process, int64_t scale_ns);
void sim_client_notice(struct sim *sim, uint32_t process, const struct notice *notice);
const char *sim_role_name(uint32_t role);
const char *sim_process_name(uint32_t process);
void sim_node_name(uint32_t process, char ret_name[NAME_FIELD_BYTES]);

/* calls.c */
void sim_call_client(struct sim *sim, const struct sim_event *event);
void sim_call_ended(struct sim *sim, uint32_t process, uint32_t call);

/* oracle.c, calls.c: each sets sim->violation when it objects. */
void oracle_after_step(struct sim *sim, uint32_t process);
void oracle_submission(struct sim *sim, uint32_t process, const struct io_action *action);
void oracle_landing(struct sim *sim, const struct sim_request *request);
void oracle_elected(struct sim *sim, uint32_t role, uint64_t epoch);
void oracle_joined(struct sim *sim, struct node_id id);
void oracle_at_end(struct sim *sim);
void oracle_histories(struct sim *sim);

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
