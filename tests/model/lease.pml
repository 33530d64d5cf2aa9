/*
 * Lease and takeover, exhaustively: a holder that renews its lease by heartbeats on three disks, and a challenger that waits
 * for it to die (src/protocol/lease.c, beat.c, watch.c, role.c). The role is one atomic register; registers.pml tells why it may
 * be taken for one. The rules in comments (T, B) are those of src/protocol/README.md.
 *
 *     HEARTBEATS  how many the holder sends at most
 *     MUTANT      a number of tests/README.md: the rule that is broken, 0 for none
 *
 * Time passes in ticks of true time. At each tick each of the two clocks gains 2 or 3 units, as it likes: both are right within
 * rho = 1/5, and their rates differ while they run. Any number of steps, also none, happen between two ticks: so every process
 * may pause at every step for any time, and writes, acknowledgements and reads take as long as they like.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef HEARTBEATS
#define HEARTBEATS 3
#endif

#define LEASE 6 /* L, in units of the holder's clock */
#if MUTANT == 20
#define WATCH LEASE
#else
#define WATCH 9 /* W = L (1 + rho) / (1 - rho) */
#endif
#define MAJORITY 2

#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))

typedef disk_state {
    byte counter;      /* the heartbeat that stands there */
    byte written;      /* the one on its way there, 0 if none: one at a time (D1) */
    byte acknowledged; /* what the holder knows to stand there */
    bool is_confirmed; /* read by the challenger since its wait ended, and nothing newer was there */
};
disk_state disk[3];

mtype = { FREE, HOLDER, CHALLENGER };
mtype role_holder = FREE;
byte role_epoch;

/* The holder. Instants are kept as what its clock has gained since. */
byte lease_left;           /* until its lease ends; 0: it has ended */
byte age[HEARTBEATS + 1];  /* since the instant of each heartbeat, at most LEASE */
byte turn_age;             /* since the clock was read in this turn, at most LEASE */
bool holder_leads;
byte holder_epoch;

/* The challenger. */
byte stood;                /* how long the highest counter has stood still, at most WATCH */
bool challenger_leads;

/* ---- The claim: never two leaders -------------------------------------------------------------------------------------------- */

/* Who leads believes it until its lease ends by its own clock. The challenger is given a lease without end: that permits more. */
#define HOLDER_BELIEVES (holder_leads && lease_left > 0)
inline check_leaders() { assert(!(HOLDER_BELIEVES && challenger_leads)) }

/* ---- Time -------------------------------------------------------------------------------------------------------------------- */

#define NEVER 255 /* the age of a heartbeat that was not sent, or has counted */
hidden byte heartbeat;

inline gain_holder(units) {
    lease_left = (lease_left > units -> lease_left - units : 0);
    turn_age = MIN(turn_age + units, LEASE);
    heartbeat = 1;
    do
    :: heartbeat <= HEARTBEATS ->
        age[heartbeat] = (age[heartbeat] == NEVER -> NEVER : MIN(age[heartbeat] + units, LEASE));
        heartbeat++
    :: else -> break
    od
}
inline gain_challenger(units) { stood = MIN(stood + units, WATCH) }

active proctype clocks() {
end:
    do
    :: d_step { gain_holder(2); gain_challenger(2) }
    :: d_step { gain_holder(2); gain_challenger(3) }
    :: d_step { gain_holder(3); gain_challenger(2) }
    :: d_step { gain_holder(3); gain_challenger(3) }
    od
}

/* ---- Disks ------------------------------------------------------------------------------------------------------------------- */

#define LAND(d) :: d_step { disk[d].written != 0 -> disk[d].counter = disk[d].written; disk[d].written = 0 }
active proctype disks() {
end:
    do
    LAND(0) LAND(1) LAND(2)
    od
}

/* ---- The holder -------------------------------------------------------------------------------------------------------------- */

#define HAS(d, k) (disk[d].acknowledged >= (k))
#define IS_COUNTED(k) (HAS(0, k) + HAS(1, k) + HAS(2, k) >= MAJORITY)

/* The role is acquired by one atomic update that takes effect at any time after it was asked for; its answer comes later still. */
mtype = { IDLE, ASKED, DONE, ANSWERED };
mtype campaign = IDLE;

/* T2: a renewal counts when a majority has it, and only while the lease in force runs; the lease then ends at its instant + L. */
inline count_renewals() {
    heartbeat = HEARTBEATS;
    do
    :: heartbeat > counted && IS_COUNTED(heartbeat) ->
#if MUTANT == 18 /* counted from acknowledgement */
        lease_left = LEASE - turn_age;
#else
        lease_left = LEASE - age[heartbeat];
#endif
        counted = heartbeat
    :: heartbeat > counted && !IS_COUNTED(heartbeat) -> heartbeat--
    :: heartbeat <= counted -> break
    od;
    heartbeat = 1;
    do
    :: heartbeat <= counted -> age[heartbeat] = NEVER; heartbeat++
    :: else -> break
    od
}

/* T2: one instant for all disks, the clock reading of this turn; T3: that of the first heartbeat begins the first lease. */
inline send_heartbeat() {
    sent++;
    age[sent] = turn_age;
#if MUTANT != 34 /* first lease open-ended */
    if
    :: sent == 1 -> lease_left = LEASE - turn_age
    :: else
    fi
#endif
}
inline submit(d) {
    if
    :: disk[d].written == 0 && disk[d].counter < sent -> disk[d].written = sent
    :: else
    fi
}
inline submit_all() { submit(0); submit(1); submit(2) }

/* T4: an incarnation whose lease has ended is over: it leads nothing and submits nothing any more. */
inline go_over() {
    holder_leads = false;
#if MUTANT == 22 /* it goes on */
    count_renewals();
    campaign = (campaign == ANSWERED -> IDLE : campaign)
#else
    is_over = true
#endif
}

#define LEASE_HAS_BEGUN (sent > 0 && (MUTANT != 34 || counted > 0))

/* Whether the lease had ended when the clock was read. */
#define HAS_ENDED (LEASE_HAS_BEGUN && !was_running)

inline step() {
    if
    :: HAS_ENDED && MUTANT != 19 -> go_over()
    :: HAS_ENDED && MUTANT == 19 -> /* a renewal counts although it was completed after the lease had ended */
        count_renewals();
        if
        :: lease_left == 0 -> go_over()
        :: else
        fi
    :: else -> count_renewals()
    fi
}

/* T3: nothing is held before the first heartbeat has counted. B3: the lease is checked after a commit was learnt. */
inline step_campaign() {
    if
    :: is_over || counted == 0 || !was_running
    :: else ->
        if
        :: campaign == IDLE -> campaign = ASKED
        :: campaign == ANSWERED && role_holder == HOLDER && !holder_leads -> holder_leads = true; holder_epoch = role_epoch
        :: else
        fi
    fi
}

/* T1: a turn reaps completions, then reads the clock, then steps, then submits. */
active proctype holder() {
    byte sent, counted;
    bool is_stepping; /* the clock was read in this turn, with this result: */
    bool was_running; /* the lease had not ended */
    bool is_over;
end:
    do
    :: skip -> break
    od
}
