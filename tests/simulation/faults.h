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
#include <stdio.h>

enum sim_fault_class {
    CLASS_TOLERATED, /* nobody notices but the log */
    CLASS_DETECTED,  /* somebody stops, nobody is harmed */
};

/* name as in --without, class, the rule of src/protocol/README.md that stands it */
#define SIM_FAULTS(X)                                                                                                  \
    X(PAUSE, "pause", CLASS_DETECTED, "T1, T2, T4")                                                                    \
    X(PAUSE_BEFORE_SUBMISSION, "pause-before-submission", CLASS_TOLERATED, "S1, S2, T2")                               \
    X(KILL, "kill", CLASS_TOLERATED, "T6, T7, B2")                                                                     \
    X(CLOCK_RATE, "clock-rate", CLASS_TOLERATED, "T6")                                                                 \
    X(DISK_ERRORS, "disk-errors", CLASS_TOLERATED, "D5, D8")                                                           \
    X(DISK_HANG, "disk-hang", CLASS_TOLERATED, "D2, D8")                                                               \
    X(LATENCY_SPIKE, "latency-spike", CLASS_TOLERATED, "D2, B5")                                                       \
    X(TORN_WRITE, "torn-write", CLASS_TOLERATED, "D3")                                                                 \
    X(WRITE_LOST, "write-lost", CLASS_TOLERATED, "B2, D3")                                                             \
    X(WRITE_DROPPED, "write-dropped", CLASS_DETECTED, "D7")                                                            \
    X(LATE_WRITE, "late-write", CLASS_TOLERATED, "D6, Q")                                                              \
    X(ROLLBACK, "rollback", CLASS_DETECTED, "D7")                                                                      \
    X(BLANK, "blank", CLASS_DETECTED, "D8")                                                                            \
    X(OVERWRITTEN, "overwritten", CLASS_DETECTED, "D8")                                                                \
    X(BIT_ROT, "bit-rot", CLASS_TOLERATED, "D3, T5")                                                                   \
    X(POWER_CUT, "power-cut", CLASS_TOLERATED, "D4")

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

enum {
    SIM_FAULTS_NUMBERED = 1 << 16, /* faults of one run that can be withheld one by one */
    SIM_FAULTS_LISTED = 4096,      /* injected faults of one run that are remembered, the newest */
};

#define SIM_NOBODY UINT32_MAX

/* One fault of a run. */
struct sim_fault_record {
    uint32_t ordinal; /* from 1, withheld faults counted too */
    enum sim_fault kind;
    int64_t at_ns;
    uint32_t process, disk; /* whom it befell; SIM_NOBODY */
};

/* Which faults are not to happen. All zeros: none of them. */
struct sim_without {
    uint64_t kinds; /* bit k: all faults of kind k */
    bool is_rest;   /* all beyond SIM_FAULTS_NUMBERED, and those whose number is not below first_of_rest */
    uint32_t first_of_rest;
    uint64_t numbers[SIM_FAULTS_NUMBERED / 64];
};

/* The faults of the run that goes on or went last. */
struct sim_fault_log {
    uint32_t count;    /* how many were due */
    uint32_t injected; /* how many of them were not withheld; the newest SIM_FAULTS_LISTED of them stand in records */
    struct sim_fault_record records[SIM_FAULTS_LISTED]; /* injected fault i at i % SIM_FAULTS_LISTED */
};

struct sim;

/*
 * A fault of this kind is due, and befalls this process and this disk (SIM_NOBODY: none). True if it is to happen, false
 * if it is withheld. All draws that belong to it must have been made before.
 */
bool sim_fault(struct sim *sim, enum sim_fault kind, uint32_t process, uint32_t disk);

#endif
