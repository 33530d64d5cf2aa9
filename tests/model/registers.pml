/*
 * One register on three disks, exhaustively: Disk Paxos (Gafni and Lamport, 2003) as src/protocol/register.c runs it.
 *
 * Read beside the paper: promised is its mbal, accepted its bal. There is no inp: a value is named by the ballot that wrote it,
 * and parent[] tells from which value it was made. The rules in comments (B, D) are those of src/protocol/README.md.
 *
 *     SLOTS     2 or 3 owners of one block each, on every disk
 *     ROUNDS    an owner begins no ballot above this round
 *     RESTART   1: the owner of slot 0 may die at any time after its first promise, and be followed by a second incarnation,
 *               which may go one round higher
 *     EARLY     1: phase 2 promises its writer's next ballot at the same time; 0: as in the paper
 *     MUTANT    a number of tests/README.md: the rule that is broken, 0 for none
 *
 * Nothing here tells time, and a step may always be left out for ever. So an owner that is slow, stopped or dead, a disk that
 * hangs or fails, a damaged block (a read that never happens) and a request without answer need no steps of their own.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef ROUNDS
#define ROUNDS 3
#endif
#ifndef RESTART
#define RESTART 0
#endif
#ifndef EARLY
#define EARLY 1
#endif

#if MUTANT == 7
#define MAJORITY 1
#else
#define MAJORITY 2
#endif

/* A ballot: round first, then slot, then incarnation; 0 is none. No two writers ever use the same one. */
#define INCARNATIONS (1 + RESTART)
#define BALLOTS_A_ROUND (SLOTS * INCARNATIONS)
#define BALLOT(round) ((round) * BALLOTS_A_ROUND + slot * INCARNATIONS + incarnation)
#define ROUND(b) ((b) / BALLOTS_A_ROUND)
#define BALLOTS ((ROUNDS + INCARNATIONS + 1) * BALLOTS_A_ROUND)

#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define OTHER (SLOTS - 1)

mtype = { IDLE, RECOVER, PROMISE, ACCEPT };

/* What there is of one slot on one disk: its block, and what its owner has on the way there or back. */
typedef cell {
    byte promised, accepted;           /* the block */
    bool has_landed;                   /* the write of the current phase is on the disk, and acknowledged; else it is on its way */
    byte seen;                         /* slots whose block was read in this phase, as bits */
    byte late_promised, late_accepted; /* the write of an earlier phase, still on its way; late_promised is 0 if there is none */
};
typedef column { cell at[SLOTS] };
column disk[3];

/* ---- The claim: all values ever committed lie on one chain ------------------------------------------------------------------ */

/*
 * Of any two committed ballots the higher one was made from the lower one, directly or through others. That says more than
 * agreement on one value: an update that is lost, or done upon a value nobody was told of, breaks it too; and were every ballot
 * to repeat its parent's value (mode propose), one chain would be one value.
 */
byte parent[BALLOTS];
bool is_committed[BALLOTS];
hidden byte higher, lower, other_ballot;

inline commit(b) {
    is_committed[b] = true;
    other_ballot = 1;
    do
    :: other_ballot < BALLOTS ->
        if
        :: is_committed[other_ballot] && other_ballot != b ->
            higher = MAX(other_ballot, b);
            lower = (other_ballot > b -> b : other_ballot);
            do
            :: higher > lower -> higher = parent[higher]
            :: else -> break
            od;
            assert(higher == lower)
        :: else
        fi;
        other_ballot++
    :: else -> break
    od
}

/* ---- Disks are alike --------------------------------------------------------------------------------------------------------- */

/*
 * Nothing tells one disk from another, so after every step they are put into an order of their contents: states that differ in
 * the numbers of the disks alone become one. Any order is right; a better one saves more. A trail of a violation therefore
 * shows disks change places.
 */
hidden int key[3];
hidden int swapped_key;
hidden byte swapped;

#define CELL_KEY(c) ((((c.promised * 37 + c.accepted) * 37 + c.late_promised) * 37 + c.late_accepted) * 37 + c.seen * 2 + c.has_landed)
#if SLOTS == 2
#define KEY(d) (CELL_KEY(disk[d].at[0]) * 41 + CELL_KEY(disk[d].at[1]))
#else
#define KEY(d) ((CELL_KEY(disk[d].at[0]) * 41 + CELL_KEY(disk[d].at[1])) * 41 + CELL_KEY(disk[d].at[2]))
#endif

#define SWAP(a, b, s, field) swapped = disk[a].at[s].field; disk[a].at[s].field = disk[b].at[s].field; disk[b].at[s].field = swapped
inline swap_cells(a, b, s) {
    SWAP(a, b, s, promised); SWAP(a, b, s, accepted); SWAP(a, b, s, has_landed); SWAP(a, b, s, seen);
    SWAP(a, b, s, late_promised); SWAP(a, b, s, late_accepted)
}

inline order_two(a, b) {
    if
    :: key[a] > key[b] ->
        swapped_key = key[a]; key[a] = key[b]; key[b] = swapped_key;
        swap_cells(a, b, 0); swap_cells(a, b, 1);
#if SLOTS == 3
        swap_cells(a, b, 2);
#endif
    :: else
    fi
}

inline order_disks() {
    key[0] = KEY(0); key[1] = KEY(1); key[2] = KEY(2);
    order_two(0, 1); order_two(1, 2); order_two(0, 1)
}

/* ---- An owner ---------------------------------------------------------------------------------------------------------------- */

#define MINE(d) disk[d].at[slot]

#if MUTANT == 16 /* phase 1 writes accepted = none */
#define CARRIED (accepted == ballot -> accepted : 0)
#else
#define CARRIED accepted
#endif

/* A write that has not landed stays on its way. Newer state waits for it (D1): at most one is on its way to a disk. */
inline leave_late(d) {
    if
    :: !MINE(d).has_landed && MINE(d).late_promised == 0 -> MINE(d).late_promised = promised; MINE(d).late_accepted = CARRIED
    :: else
    fi
}
inline leave_all_late() { leave_late(0); leave_late(1); leave_late(2) }
inline lose_late(d) { MINE(d).late_promised = 0; MINE(d).late_accepted = 0 }

inline set_landed(value) { MINE(0).has_landed = value; MINE(1).has_landed = value; MINE(2).has_landed = value }

inline begin_phase(next) {
    phase = next;
    best = 0;
    MINE(0).seen = 0; MINE(1).seen = 0; MINE(2).seen = 0
}

/* Phase 1: a ballot above every promise seen and above my own; accepted stays as it is. */
inline begin_promise() {
    leave_all_late();
    round_seen++;
    ballot = BALLOT(round_seen);
    promised = ballot;
    set_landed(false);
    begin_phase(PROMISE)
}

/* Phase 2. */
inline begin_accept(from) {
    leave_all_late();
    parent[ballot] = from;
    accepted = ballot;
#if EARLY
    promised = BALLOT(ROUND(ballot) + 1);
    round_seen = MAX(round_seen, ROUND(promised));
#endif
    is_next_promised = false;
    set_landed(false);
    begin_phase(ACCEPT)
}

#define ROUND_LAST (ROUNDS + incarnation)
#define ROUND_NEVER 255
#define CAN_BEGIN (is_next_promised -> ROUND(promised) <= ROUND_LAST : round_seen < ROUND_LAST)

/* Between ballots. Who can begin no other one needs to remember nothing: fewer states. */
inline go_idle() {
    begin_phase(IDLE);
    if
    :: CAN_BEGIN
    :: else -> round_seen = ROUND_NEVER; is_next_promised = false
    fi
}

/* The value of the highest accepted ballot of all seen, my own in memory included, whatever incarnation wrote it. */
inline end_promise() {
#if MUTANT == 14 /* own block left out */
    begin_accept(best)
#elif MUTANT == 15 /* value seen in phase 1 ignored */
    begin_accept(accepted)
#else
    if
    :: best > accepted -> begin_accept(best)
    :: else -> begin_accept(accepted)
    fi
#endif
}

/* Phase 2 has completed: committed, and a next ballot promised with it is usable without a phase 1. */
inline end_accept() {
    commit(ballot);
    is_next_promised = EARLY;
    go_idle()
}

inline end_phase() {
    if
    :: phase == RECOVER && CAN_BEGIN -> begin_promise()
    :: phase == RECOVER && !CAN_BEGIN -> go_idle()
    :: phase == PROMISE -> end_promise()
    :: phase == ACCEPT -> end_accept()
    fi
}

#define SLOT_AFTER(n) ((slot + (n)) % SLOTS)
#define HAS_SEEN(d, t) ((MINE(d).seen >> (t)) & 1)
#define HAS_MAJORITY(t) (HAS_SEEN(0, t) + HAS_SEEN(1, t) + HAS_SEEN(2, t) >= MAJORITY)

/* A phase aborts when another slot has promised more than b. */
#if MUTANT == 25 /* with the next ballot promised early, only above that one */
#define IS_OUTBID(b) ((b) > promised)
#elif MUTANT == 10 /* a higher promise does not abort */
#define IS_OUTBID(b) false
#elif MUTANT == 9 /* commit without reading the row in phase 2 */
#define IS_OUTBID(b) (phase == PROMISE && (b) > ballot)
#else
#define IS_OUTBID(b) (phase != RECOVER && (b) > ballot)
#endif

#if MUTANT == 6 /* row read before own write is acknowledged */
#define IS_READABLE(d) (phase != IDLE)
#else /* D3; a restart reads without having written */
#define IS_READABLE(d) (phase == PROMISE && MINE(d).has_landed || phase == ACCEPT && MINE(d).has_landed || phase == RECOVER)
#endif

/*
 * Block t of the row on disk d comes back. The phase ends as soon as for every slot a majority of disks has shown its block; a
 * row is read block by block, in any order, while others write. Outcomes of an aborted phase are unknown (B2): nobody learns
 * them but by a full ballot, which is what an idle owner begins.
 */
inline read_block() {
    round_seen = MAX(round_seen, ROUND(disk[d].at[t].promised));
    if
    :: IS_OUTBID(disk[d].at[t].promised) -> is_next_promised = false; go_idle()
    :: else ->
        MINE(d).seen = MINE(d).seen | (1 << t);
        if
        :: phase == PROMISE -> best = MAX(best, disk[d].at[t].accepted)
        :: else
        fi;
        if
        :: HAS_MAJORITY(SLOT_AFTER(1)) && HAS_MAJORITY(SLOT_AFTER(OTHER)) -> end_phase()
        :: else
        fi
    fi
}
#define READ(on, of_slot) :: IS_READABLE(on) && !HAS_SEEN(on, of_slot) -> d = on; t = of_slot

#if MUTANT == 5 || MUTANT == 24 /* a timed-out write, or one of a dead incarnation, may land later over a newer block */
#define IS_FREE(d) true
#else /* D1 */
#define IS_FREE(d) (MINE(d).late_promised == 0)
#endif

inline land() {
    MINE(d).promised = promised;
    MINE(d).accepted = CARRIED;
    MINE(d).has_landed = true
}
inline land_late() {
    MINE(d).promised = MINE(d).late_promised;
    MINE(d).accepted = MINE(d).late_accepted;
    lose_late(d)
}
#define LAND(on) :: !MINE(on).has_landed && IS_FREE(on) -> d = on
#define LAND_LATE(on) :: MINE(on).late_promised != 0 -> d = on

/* First use of a row by an incarnation: of its slot's blocks the one with the highest accepted, and no promise forgotten. */
inline recover_block(d) {
    round_seen = MAX(round_seen, ROUND(MINE(d).promised));
#if MUTANT == 1 /* by the highest promise; of equal ones, by the first read */
    if
    :: MINE(d).promised > best -> best = MINE(d).promised; accepted = MINE(d).accepted
    :: else
    fi
#elif MUTANT != 3 /* 3: without reading own blocks */
    accepted = MAX(accepted, MINE(d).accepted)
#endif
}

/*
 * The owner of slot 0 dies, and a second incarnation takes the slot. What was on its way then has landed before, or never will
 * (D6, Q). Nobody else writes the slot's blocks, so it is all one when they are read; on which disks is not.
 */
inline restart() {
    incarnation = 1;
#if MUTANT == 24 /* the slot of a dead incarnation reused at once */
    leave_all_late();
#else
    lose_late(0); lose_late(1); lose_late(2);
#endif
    ballot = 0; promised = 0; accepted = 0; round_seen = 0;
    is_next_promised = false;
    set_landed(true);
    begin_phase(RECOVER)
}
#define IS_MORTAL (slot == 0 && incarnation == 0 && promised != 0)

/* A restart reads its own block on two disks, d and t, or on all if blocks of others are damaged. Mutant 2: on one only. */
inline restart_on_two() {
    restart();
    recover_block(d);
#if MUTANT != 2
    recover_block(t);
#endif
    best = 0
}
inline restart_on_all() { restart(); recover_block(0); recover_block(1); recover_block(2); best = 0 }

/* Every step ends so. */
inline end_step() { d = 0; t = 0; order_disks() }

proctype owner(byte slot) {
    mtype phase = IDLE;
    bool incarnation;
    byte ballot, promised, accepted; /* in memory: what the current phase writes */
    byte round_seen;                 /* the highest round of any promise seen */
    byte best;                       /* the highest accepted seen in this phase 1 */
    byte d, t;                       /* the disk, and the slot or the other disk, that a step is about */
    bool is_next_promised;           /* an earlier phase 2 completed, and promised the next ballot */
    d_step { set_landed(true) };
end:
    do
    :: d_step { phase == IDLE && CAN_BEGIN && !is_next_promised -> begin_promise(); end_step() }
    :: d_step { phase == IDLE && CAN_BEGIN && is_next_promised -> ballot = promised; begin_accept(accepted); end_step() }
    :: atomic { if LAND(0) LAND(1) LAND(2) fi; d_step { land(); end_step() } }
    :: atomic { if LAND_LATE(0) LAND_LATE(1) LAND_LATE(2) fi; d_step { land_late(); end_step() } }
    :: atomic {
        if
        READ(0, SLOT_AFTER(1)) READ(1, SLOT_AFTER(1)) READ(2, SLOT_AFTER(1))
#if SLOTS == 3
        READ(0, SLOT_AFTER(2)) READ(1, SLOT_AFTER(2)) READ(2, SLOT_AFTER(2))
#endif
        fi;
        d_step { read_block(); end_step() } }
#if RESTART
    :: atomic {
        IS_MORTAL ->
        if :: d = 0; t = 1 :: d = 0; t = 2 :: d = 1; t = 0 :: d = 1; t = 2 :: d = 2; t = 0 :: d = 2; t = 1 fi;
        d_step { restart_on_two(); end_step() } }
    :: d_step { IS_MORTAL && MUTANT != 2 -> restart_on_all(); end_step() }
#endif
    od
}

init {
    atomic {
        run owner(0);
        run owner(1);
#if SLOTS == 3
        run owner(2)
#endif
    }
}
