/*
 * A story: a simulated world in which nothing is left to chance, what its commands make of it, and what is told of that.
 * The nodes run the real protocol; every oracle of the simulator is on.
 */
#ifndef DISKARCH_TRANSCRIPT_STORY_H
#define DISKARCH_TRANSCRIPT_STORY_H

#include "protocol/state.h"
#include "simulation/sim.h"
#include "text.h"

enum {
    STORY_HELD_MAX = 1024,
    STORY_WORDS_MAX = 16,
    STORY_NAMES_MAX = 256,
    STORY_OBJECTIONS_MAX = 16,
    STORY_WATCHED_MAX = SIM_SLOTS_MAX * WATCH_PER_SLOT,
    STORY_EVERYBODY = SIM_PROCESSES_MAX, /* instead of a process: each of them */
};

/* What becomes of the requests of one process to one disk. */
enum path_state { PATH_OPEN, PATH_HELD, PATH_CUT };

enum path_rows { PATH_ALL_ROWS, PATH_HEARTBEATS, PATH_REGISTERS };

struct story_path {
    enum path_state state;
    enum path_rows rows;
    bool is_writes_only;
};

/* An event of a request that is held. */
struct story_held {
    struct sim_event event;
    uint32_t process, disk;
};

/* What was told last of a process: only what has changed since is worth a line. */
struct story_told {
    uint64_t life;
    enum claim_stage claim;
    enum node_stage stage;
    uint64_t counted;
    struct {
        enum op_phase phase;
        uint64_t generation;
        struct ballot ballot;
    } ops[SIM_DEPTH];
    struct {
        uint64_t incarnation;
        enum watch_state state;
        bool is_verdict_known;
    } watched[STORY_WATCHED_MAX];
};

struct story_name {
    uint64_t incarnation;
    uint32_t process, number;
};

struct story {
    struct sim *sim;
    bool has_world;
    int64_t thaw_ns[SIM_PROCESSES_MAX]; /* while all its clocks stand still; else 0 */
    struct story_path paths[SIM_PROCESSES_MAX][SIM_DISKS_MAX];
    struct story_held held[STORY_HELD_MAX];
    uint32_t held_count;
    struct story_told told[SIM_PROCESSES_MAX];
    struct story_name names[STORY_NAMES_MAX]; /* every incarnation, numbered by process */
    uint32_t name_count;
    char roles[SIM_ROLES_MAX][NAME_FIELD_BYTES];
    uint32_t role_count;
    uint32_t row_role[SIM_ROWS_MAX];                /* 1 + the role that stands in the row; 0: not known yet */
    bool is_telling_heartbeats, is_telling_joining; /* what most stories leave out */
    struct text outside; /* the assumption that is broken from here on: objections are told, and it goes on */
    const char *objections[STORY_OBJECTIONS_MAX]; /* told already: an oracle objects again at every step */
    uint32_t objection_count;
    bool is_objected;  /* an oracle has objected in a story that breaks no assumption */
    const char *until; /* text of a line that ends a run; NULL: none */
    bool is_until_met;
    struct text trace;     /* of the command that is being carried out */
    struct text notices;   /* of the step under way: they come before its other changes and are told after them */
    struct text complaint; /* why a command could not be carried out */
};

/* ---- script.c: a file, command by command ----------------------------------------------------------------------------- */

/* Carries the commands of a file out; *ret_text becomes the file with the traces as they are now. False after a complaint
 * on standard error. */
bool story_play(struct story *story, const char *path, const char *script, struct text *ret_text);

/* ---- commands.c ------------------------------------------------------------------------------------------------------- */

/* False, with story->complaint set, if the command cannot be carried out. */
bool story_command(struct story *story, char *words[], uint32_t word_count);
bool story_complain(struct story *story, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- stage.c: the world, its time, its disks -------------------------------------------------------------------------- */

struct story *story_new(void);
void story_free(struct story *story);

/* What a world is made of; times in nanoseconds. */
struct story_world {
    uint32_t disks, slots, registers;
    struct timings timings;
    int64_t latency_ns;
    uint64_t seed;
};

void story_begin(struct story *story, const struct story_world *world);

/* Lets time pass; true if the text waited for was told, or if none was. */
bool story_run(struct story *story, int64_t for_ns, const char *until);

/* Starts the process: for the first time, after its death, or once it has left. */
void story_start(struct story *story, uint32_t index);

/* Stops all clocks of a process, and the process, until then. */
void story_freeze(struct story *story, uint32_t index, int64_t for_ns);

/* Opens, holds or cuts paths; what was held goes on when its path opens. */
void story_set_path(struct story *story, uint32_t process, uint32_t disk, struct story_path path);

/* Tells what an oracle objects to; the step that it judged goes on. */
void story_judge(struct story *story);

/* The oracles that judge a whole history. */
void story_end(struct story *story);

/* Whether the process runs: it has started, and has neither died nor left. One whose incarnation is over begins another. */
static inline bool story_runs(const struct story *story, uint32_t process)
{
    const struct sim_process *at = &story->sim->processes[process];
    return at->is_alive && at->turn->phase != PHASE_ENDED;
}

static inline struct node *story_node(const struct story *story, uint32_t process)
{
    return story->sim->processes[process].node;
}

/* ---- tell.c: what has changed in a node -------------------------------------------------------------------------------- */

/* One line: now, who, what. */
void story_tell(struct story *story, const char *who, const char *format, ...) __attribute__((format(printf, 3, 4)));
void story_tell_step(void *context, uint32_t index);

/* ---- tell_notice.c: what a node's client hears ------------------------------------------------------------------------- */

void story_tell_notice(void *context, uint32_t index, const struct notice *notice);

/* ---- names.c: numbers as names ----------------------------------------------------------------------------------------- */

struct label {
    char text[NAME_FIELD_BYTES];
};

struct phrase {
    char text[768];
};

struct label story_incarnation(struct story *story, uint64_t incarnation);
void story_name_incarnation(struct story *story, uint32_t process, uint64_t incarnation);
struct label story_ballot(struct ballot ballot);
struct label story_row(const struct story *story, uint32_t row);
struct phrase story_value(struct story *story, uint32_t row, const uint8_t *bytes);

/* True time of an instant of a process' fast clock, in ms. */
long long story_true_ms(const struct story *story, uint32_t process, int64_t fast_ns);

/* ---- show.c: what stands on the disks ---------------------------------------------------------------------------------- */

void story_show_row(struct story *story, uint32_t row);
void story_show_heartbeats(struct story *story);

#endif
