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

mtype = { IDLE, ASKED, WON, LOST, LEARNT };
mtype campaign = IDLE; /* the holder's acquisition of the role */

/* The holder. Instants are kept as what its clock has gained since. */
byte lease_left;           /* until its lease ends; 0: it has ended */
byte age[HEARTBEATS + 1];  /* since the instant of each heartbeat, at most LEASE */
bool is_stepping;          /* the clock was read in this turn: */
byte turn_age;             /* that long ago, at most LEASE */
bool holder_leads;
byte holder_epoch;

/* The challenger. */
bool is_watching;          /* it waits for the counter to stand still for W */
byte stood;                /* how long it has, at most WATCH */
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
    turn_age = (is_stepping -> MIN(turn_age + units, LEASE) : 0);
    heartbeat = 1;
    do
    :: heartbeat <= HEARTBEATS ->
        age[heartbeat] = (age[heartbeat] == NEVER -> NEVER : MIN(age[heartbeat] + units, LEASE));
        heartbeat++
    :: else -> break
    od
}
inline gain_challenger(units) { stood = (is_watching -> MIN(stood + units, WATCH) : 0) }

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

/* Nothing tells one disk from another: after every step on them they are put into an order of their contents (see registers.pml). */
hidden byte swapped;
#define KEY(d) (((disk[d].counter * 8 + disk[d].written) * 8 + disk[d].acknowledged) * 2 + disk[d].is_confirmed)
#define SWAP(a, b, field) swapped = disk[a].field; disk[a].field = disk[b].field; disk[b].field = swapped
inline order_two(a, b) {
    if
    :: KEY(a) > KEY(b) -> SWAP(a, b, counter); SWAP(a, b, written); SWAP(a, b, acknowledged); SWAP(a, b, is_confirmed)
    :: else
    fi
}
inline order_disks() { order_two(0, 1); order_two(1, 2); order_two(0, 1) }

#define LAND(d) :: d_step { disk[d].written != 0 -> disk[d].counter = disk[d].written; disk[d].written = 0; order_disks() }
active proctype disks() {
end:
    do
    LAND(0) LAND(1) LAND(2)
    od
}

/* ---- The holder -------------------------------------------------------------------------------------------------------------- */

#define HAS(d, k) (disk[d].acknowledged >= (k))
#define IS_COUNTED(k) (HAS(0, k) + HAS(1, k) + HAS(2, k) >= MAJORITY)

inline forget_ages(last) {
    heartbeat = 1;
    do
    :: heartbeat <= last -> age[heartbeat] = NEVER; heartbeat++
    :: else -> break
    od;
    heartbeat = 0
}

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
    forget_ages(counted)
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
    campaign = (campaign == LEARNT -> IDLE : campaign)
#else
    is_over = true;
    forget_ages(HEARTBEATS)
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
    :: !is_over && counted > 0 && was_running && campaign == IDLE -> campaign = ASKED
    :: !is_over && counted > 0 && was_running && campaign == LEARNT -> holder_leads = true
    :: else
    fi
}

inline end_turn() {
    submit(0); submit(1); submit(2);
    is_stepping = false;
    was_running = false;
    turn_age = 0;
    order_disks();
    check_leaders()
}

#if MUTANT == 37 /* the clock is read before completions are reaped */
#define CAN_REAP is_stepping
#else
#define CAN_REAP (!is_stepping && !is_over)
#endif
#define REAP(d) :: d_step { CAN_REAP && disk[d].acknowledged < disk[d].counter -> disk[d].acknowledged = disk[d].counter; order_disks() }

/* T1: a turn reaps completions, then reads the clock, then steps, then submits. */
active proctype holder() {
    byte sent, counted;
    bool was_running; /* the lease had not ended when the clock was read in this turn */
    bool is_over;
    d_step { forget_ages(HEARTBEATS) };
end:
    do
    REAP(0) REAP(1) REAP(2)
    :: d_step { CAN_REAP && campaign == WON -> campaign = LEARNT }
    :: d_step { !is_stepping && !is_over -> was_running = (lease_left > 0); turn_age = 0; is_stepping = true }
    :: d_step { is_stepping -> step(); step_campaign(); end_turn() }
    :: d_step { is_stepping && sent < HEARTBEATS ->
        step();
        if
        :: !is_over -> send_heartbeat()
        :: else
        fi;
        step_campaign(); end_turn() }
    od
}

/* ---- The role ---------------------------------------------------------------------------------------------------------------- */

/* The holder's update takes effect at any time after it was asked for, even when it is over; its answer comes later still. */
active proctype role() {
end:
    do
    :: d_step { campaign == ASKED && role_holder == FREE ->
        role_holder = HOLDER; role_epoch++; holder_epoch = role_epoch; campaign = WON }
    :: d_step { campaign == ASKED && role_holder == HOLDER -> campaign = WON }
    :: d_step { campaign == ASKED && role_holder == CHALLENGER -> campaign = LOST }
    od
}

/* ---- The challenger ---------------------------------------------------------------------------------------------------------- */

#define IS_CONFIRMED (disk[0].is_confirmed + disk[1].is_confirmed + disk[2].is_confirmed >= MAJORITY)
inline forget_confirmed() { disk[0].is_confirmed = false; disk[1].is_confirmed = false; disk[2].is_confirmed = false }

inline see_newer(d) {
    seen = disk[d].counter;
    stood = 0;
    is_watching = true;
    is_confirming = false;
    forget_confirmed()
}

/* T6: (a) the counter has stood still for W since the read that first showed it; (b) then a majority still shows nothing newer. */
inline read_heartbeat(d) {
    if
    :: disk[d].counter > seen -> see_newer(d)
    :: disk[d].counter <= seen && is_confirming ->
        disk[d].is_confirmed = true;
        if
        :: IS_CONFIRMED -> is_found_dead = true; is_confirming = false; forget_confirmed()
        :: else
        fi
    :: else
    fi
}
inline end_wait() {
    is_watching = false;
    stood = 0;
#if MUTANT == 21 /* skips the final read */
    is_found_dead = true
#else
    is_confirming = true
#endif
}

/* T7: who found the holder dead takes the role, under the next epoch. A free role may be taken by anybody. */
inline take_role() {
    role_holder = CHALLENGER;
    role_epoch++;
    challenger_leads = true;
    check_leaders();
    assert(role_epoch > holder_epoch)
}

#define READ(d) :: d_step { !is_found_dead && (disk[d].counter > seen || is_confirming && !disk[d].is_confirmed) -> \
    read_heartbeat(d); order_disks() }

active proctype challenger() {
    byte seen; /* the highest counter on any disk */
    bool is_confirming, is_found_dead;
end:
    do
    READ(0) READ(1) READ(2)
    /* T6: a register that names an incarnation is enough to watch it. */
    :: d_step { role_holder == HOLDER && seen == 0 && !is_watching && !is_confirming && !is_found_dead -> is_watching = true }
    :: d_step { is_watching && stood == WATCH -> end_wait() }
    :: d_step { role_holder == FREE -> take_role() }
    :: d_step { role_holder == HOLDER && is_found_dead -> take_role() }
    od
}
