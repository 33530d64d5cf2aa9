/*
 * The faults that the simulator injects: one table of their kinds, and one function through which each of them passes. It
 * numbers the faults of a run and lets some of them be withheld, by number or by kind, so that a run that violates an
 * oracle can be repeated with fewer and fewer of them.
 *
 * What is drawn never depends on whether a fault is withheld: withholding one changes the rest of the run only by what that
 * fault did.
 */
#ifndef DISKARCH_SIMULATION_FAULTS_H
#define DISKARCH_SIMULATION_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum sim_fault_class {
    CLASS_TOLERATED, /* nobody notices but the log */
    CLASS_DETECTED,  /* somebody stops, nobody is harmed */
    CLASS_OUTSIDE,   /* no lease can help; injected only when asked for, to show that the oracles see what follows */
};

/* name as in --without, class, the rule of src/protocol/README.md that stands it, or the assumption that is broken */
#define SIM_FAULTS(X)                                                                                                  \
    X(PAUSE, "pause", CLASS_DETECTED, "T1, T2, T4")                                                                    \
    X(PAUSE_IN_TURN, "pause-in-turn", CLASS_TOLERATED, "S1, S2, T2")                                                   \
    X(SUSPEND, "suspend", CLASS_DETECTED, "T1, T4")                                                                    \
    X(KILL, "kill", CLASS_TOLERATED, "T6, T7, B2")                                                                     \
    X(RESTART_AT_ONCE, "restart-at-once", CLASS_TOLERATED, "T3, D6, S5")                                               \
    X(POWER_CUT, "power-cut", CLASS_TOLERATED, "D4")                                                                   \
    X(CLOCK_RATE, "clock-rate", CLASS_TOLERATED, "T6")                                                                 \
    X(CLOCK_SLEW, "clock-slew", CLASS_TOLERATED, "T1")                                                                 \
    X(WALL_JUMP, "wall-jump", CLASS_TOLERATED, "T1, N3")                                                               \
    X(DISK_ERRORS, "disk-errors", CLASS_TOLERATED, "D5, D8")                                                           \
    X(DISK_HANG, "disk-hang", CLASS_TOLERATED, "D2, D8")                                                               \
    X(ALL_DISKS_HANG, "all-disks-hang", CLASS_DETECTED, "T4, D2")                                                      \
    X(LATENCY_SPIKE, "latency-spike", CLASS_TOLERATED, "D2, B5")                                                       \
    X(PATH_LOST, "path-lost", CLASS_TOLERATED, "D5, D8")                                                               \
    X(SPLIT, "split", CLASS_DETECTED, "D5")                                                                            \
    X(TORN_WRITE, "torn-write", CLASS_TOLERATED, "D3, T5")                                                             \
    X(WRITE_LOST, "write-lost", CLASS_TOLERATED, "B2, D3")                                                             \
    X(WRITE_DROPPED, "write-dropped", CLASS_DETECTED, "D3, D7")                                                        \
    X(WRITE_ASTRAY, "write-astray", CLASS_DETECTED, "D3, D7")                                                          \
    X(LATE_WRITE, "late-write", CLASS_TOLERATED, "D6, S4")                                                             \
    X(STALE_READ, "stale-read", CLASS_DETECTED, "D7")                                                                  \
    X(BIT_ROT, "bit-rot", CLASS_TOLERATED, "D3, T5")                                                                   \
    X(LATENT_ERROR, "latent-error", CLASS_TOLERATED, "D9, T5")                                                         \
    X(ROLLBACK, "rollback", CLASS_DETECTED, "D7")                                                                      \
    X(BLANK, "blank", CLASS_DETECTED, "D8")                                                                            \
    X(OVERWRITTEN, "overwritten", CLASS_DETECTED, "D8")                                                                \
    X(CLONED, "cloned-disk", CLASS_DETECTED, "D8")                                                                     \
    X(FOREIGN, "foreign-disk", CLASS_DETECTED, "D8")                                                                   \
    X(SWAPPED, "swapped-disks", CLASS_DETECTED, "D8")                                                                  \
    X(FREEZE, "freeze", CLASS_OUTSIDE, "running clocks")                                                               \
    X(WRITE_TOO_LATE, "write-too-late", CLASS_OUTSIDE, "Q")

enum sim_fault {
#define SIM_FAULT_ENUM(kind, name, class, rule) FAULT_##kind,
    SIM_FAULTS(SIM_FAULT_ENUM)
#undef SIM_FAULT_ENUM
        FAULT_KINDS
};

struct sim_fault_kind {
    const char *name;
    enum sim_fault_class class;
    const char *rule;
};

extern const struct sim_fault_kind sim_fault_kinds[FAULT_KINDS];

enum { SIM_FAULTS_NUMBERED = 1 << 16 }; /* faults of one run that are remembered and can be withheld one by one */

#define SIM_NOBODY UINT32_MAX

/* One fault of a run. */
struct sim_fault_record {
    uint32_t ordinal; /* from 1, withheld faults counted too */
    enum sim_fault kind;
    int64_t at_ns;
    uint32_t process, disk; /* whom it befell; SIM_NOBODY */
};

/* Which faults are not to happen. All zeros: every fault happens. */
struct sim_without {
    uint64_t kinds;                             /* bit k: no fault of kind k */
    uint32_t first_of_rest;                     /* none with this number or a higher one; 0: no such number */
    uint64_t numbers[SIM_FAULTS_NUMBERED / 64]; /* bit i: not number i */
};

/* The faults of the run that goes on or went last. */
struct sim_fault_log {
    uint32_t count;    /* how many were due */
    uint32_t injected; /* how many of them were not withheld; of those the first SIM_FAULTS_NUMBERED stand in records */
    struct sim_fault_record records[SIM_FAULTS_NUMBERED];
};

struct sim;

/*
 * A fault of this kind is due, and befalls this process and this disk (SIM_NOBODY: none). True if it is to happen, false
 * if it is withheld. All draws that belong to it must have been made before.
 */
bool sim_fault(struct sim *sim, enum sim_fault kind, uint32_t process, uint32_t disk);

#endif
