/*
 * diskarch: leaders elected among hosts that share disks and need share nothing else.
 *
 * Two handles. A `diskarch` is a node: it joins a disk set, renews one lease, and campaigns for any number of roles. A
 * `diskarch_observer` needs no slot and writes nothing: it tells who leads.
 *
 * Sizes are bytes, times nanoseconds (suffix _ns) or milliseconds (suffix _ms). Functions return 0 or a positive count,
 * a negated errno, or a code of enum diskarch_error. A failed call leaves its objects as they were. The library never
 * prints, exits, or installs signal handlers; it runs one thread of its own per node and never calls back from it. The
 * engine "libaio" starts a helper process that shares this one's memory, not its descriptors: it sleeps, wait() does not
 * see it, and it lets this process end while a disk hangs.
 * Every function that takes a handle may be called from any thread, except the _close functions, which must be the last.
 */
#ifndef DISKARCH_DISKARCH_H
#define DISKARCH_DISKARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* These are all that the shared library shows. */
#pragma GCC visibility push(default)

/* code, value, sentence */
#define DISKARCH_ERRORS(X)                                                                                             \
    X(DISKARCH_EUSAGE, -4096, "a value that was given cannot be used")                                                 \
    X(DISKARCH_ENOSET, -4097, "not a diskarch disk")                                                                   \
    X(DISKARCH_EFOREIGN, -4098, "a disk does not belong to this set")                                                  \
    X(DISKARCH_EVERSION, -4099, "the set has a newer format")                                                          \
    X(DISKARCH_ENOQUORUM, -4100, "fewer than a majority of the disks can be used")                                     \
    X(DISKARCH_EINUSE, -4101, "the target holds something that must not be overwritten")                               \
    X(DISKARCH_ENOSLOT, -4102, "no slot is free")                                                                      \
    X(DISKARCH_EHELD, -4103, "the role is held by another")                                                            \
    X(DISKARCH_ETIMEOUT, -4104, "the time given has passed")                                                           \
    X(DISKARCH_ELOST, -4105, "leadership was lost")                                                                    \
    X(DISKARCH_EFULL, -4106, "every register has a name")                                                              \
    X(DISKARCH_EKIND, -4107, "the name belongs to another kind of value")                                              \
    X(DISKARCH_EENGINE, -4108, "the disk engine cannot start")                                                         \
    X(DISKARCH_EDIRECT, -4109, "no direct I/O on this file system")                                                    \
    X(DISKARCH_EUNSETTLED, -4110, "the last change is not settled yet")                                                \
    X(DISKARCH_ENONE, -4111, "there is no such role")                                                                  \
    X(DISKARCH_ECLOSED, -4112, "the node has left")                                                                    \
    X(DISKARCH_ECHANGED, -4113, "the value is not the expected one")                                                   \
    X(DISKARCH_ENOTREADY, -4114, "no other node of this name is ready")                                                \
    X(DISKARCH_EFREE, -4115, "nobody alive holds the role")                                                            \
    X(DISKARCH_EUNKNOWN, -4116, "whether it has happened is not known")

#define DISKARCH_ERROR_ENUM(code, value, sentence) code = (value),
enum diskarch_error { DISKARCH_ERRORS(DISKARCH_ERROR_ENUM) };
#undef DISKARCH_ERROR_ENUM

/* The sentence of an error code or of a negated errno. Static storage; never NULL. Any thread. */
const char *diskarch_error_string(int error);

/* "1.0.0" */
const char *diskarch_version(void);

/* ---- Nodes --------------------------------------------------------------------------------------------------------- */

struct diskarch;
struct diskarch_role;

/* Set size to sizeof; zero everything that is not wanted otherwise. */
struct diskarch_options {
    size_t size;
    const char *const *disks; /* paths of the disks, any order; at least a majority of the set */
    size_t disk_count;
    const char *node_name; /* NULL: the host name */
    const char *engine;    /* "io_uring" or "libaio"; NULL or "auto": the first of them that can be had */
    int64_t poll_ns;       /* how often a waiting candidate looks; 0: a quarter of the renew interval */
    bool is_rejoining;     /* after its lease ended, join again as a new incarnation and go on campaigning */
    bool wants_renewals;   /* DISKARCH_RENEWED is told */
};

/*
 * Opens the set and starts the node. Joining goes on in the background (about three claim delays): its end is announced
 * by DISKARCH_JOINED. Blocks for the opening of the disks only. On error *ret is untouched and `message` (message_bytes
 * long, may be NULL) names the thing, the reason and the remedy. The caller owns *ret and ends it with diskarch_close().
 */
int diskarch_open(const struct diskarch_options *options, struct diskarch **ret, char *message, size_t message_bytes);

/*
 * Resigns every role, leaves the set cleanly (rule T9) and frees everything, roles included. Blocks until the leaving is
 * on the disks, at most one lease and four io deadlines; where disks hang, the node just stops and its slot goes into
 * quarantine. NULL is fine.
 */
void diskarch_close(struct diskarch *node);

/* A descriptor that polls readable while diskarch_dispatch() may have something. Owned by the node. */
int diskarch_fd(const struct diskarch *node);

enum diskarch_event_kind {
    DISKARCH_JOINED = 1,  /* the node has a slot and a lease; after a lost lease again, as a new incarnation */
    DISKARCH_JOIN_WAITS,  /* no slot is free now; the node goes on trying; text says why */
    DISKARCH_CANDIDATE,   /* role: somebody else holds it; node_name, epoch as last read */
    DISKARCH_LEADER,      /* role: elected; epoch */
    DISKARCH_AT_RISK,     /* role: less than half of the lease is left; nothing is lost yet; epoch */
    DISKARCH_SAFE,        /* role: renewed again after DISKARCH_AT_RISK; epoch */
    DISKARCH_LOST,        /* role: leadership has ended, not by diskarch_resign(); epoch, reason, text */
    DISKARCH_RELEASED,    /* role: resigned, or the campaign ended without leadership */
    DISKARCH_REFUSED,     /* role: the campaign cannot go on; error, text */
    DISKARCH_LEASE_ENDED, /* the node is over; reason, text; with is_rejoining another DISKARCH_JOINED follows */
    DISKARCH_ASKED, /* role: node_name asks the leader to let go; ask; epoch. Only DISKARCH_ASK_REQUEST may be declined */
    DISKARCH_TRANSFER, /* role: a transfer to node_name has begun: stop the work, then diskarch_resign() hands over; epoch */
    DISKARCH_TRANSFER_REFUSED, /* role: diskarch_transfer() changed nothing; error, text */
    DISKARCH_PUBLISHED,        /* role: the payload given last stands on the disks; epoch */
    DISKARCH_RENEWED,          /* the node: a renewal counted; only with wants_renewals; several may be told as one */
    DISKARCH_DISK,             /* the node: the state of a disk has changed; disk, text; diskarch_disks() tells all */
};

/* What one node asks of the leader of a role (diskarch_ask()). */
enum diskarch_ask {
    DISKARCH_ASK_REQUEST = 1,  /* let go if you can: the leader's application decides */
    DISKARCH_ASK_RESIGN = 2,   /* stop the work and resign */
    DISKARCH_ASK_TRANSFER = 3, /* stop the work and hand over to a named node */
};

/* Why a leadership or an incarnation ended. */
enum diskarch_reason {
    DISKARCH_REASON_NONE = 0,
    DISKARCH_REASON_LEASE,    /* a majority of the disks did not acknowledge a renewal in time */
    DISKARCH_REASON_VERDICT,  /* another node found this incarnation dead */
    DISKARCH_REASON_REPLACED, /* another holder stands in the role, or another incarnation in the slot */
    DISKARCH_REASON_SLOT,     /* the claim of a slot did not hold */
    DISKARCH_REASON_CLOSED,   /* diskarch_close() */
    DISKARCH_REASON_INTERNAL, /* the disk engine failed */
};

struct diskarch_event {
    size_t size; /* set by the caller to sizeof before each call */
    enum diskarch_event_kind kind;
    struct diskarch_role *role; /* NULL for events of the node */
    uint64_t epoch;
    enum diskarch_reason reason;
    int error;
    char node_name[64];
    char text[256];
    enum diskarch_ask ask;
    uint32_t disk; /* index in the set */
};

/* The oldest event not yet taken: 1 and *ret, or 0 if there is none. Never blocks. Each DISKARCH_LOST follows exactly one
 * DISKARCH_LEADER of the same role and epoch. */
int diskarch_dispatch(struct diskarch *node, struct diskarch_event *ret);

struct diskarch_role_options {
    size_t size;
    bool is_try; /* one look: DISKARCH_REFUSED with DISKARCH_EHELD if a node not known to be dead holds the role */
    uint32_t priority;   /* 0: preferred; each step, up to 100, lets more preferred candidates go first. No fail-back */
    const void *payload; /* what the leader publishes (an address, say): up to 128 bytes, copied */
    size_t payload_bytes;
};

/*
 * Begins to campaign for a role; events tell the rest. The campaign lasts until diskarch_resign(), or until
 * DISKARCH_LOST, DISKARCH_REFUSED; after DISKARCH_LOST with is_rejoining it goes on. Several campaigns for one role on one
 * node are candidates against each other: one wins. `options` may be NULL. *ret belongs to the node and is valid until
 * diskarch_role_free() or diskarch_close(). DISKARCH_EUSAGE for a bad name.
 */
int diskarch_campaign(struct diskarch *node, const char *name, const struct diskarch_role_options *options,
                      struct diskarch_role **ret);

/*
 * Blocks until the role is led (0), the campaign has ended (its error), or timeout_ns has passed (DISKARCH_ETIMEOUT; -1
 * waits for ever). The campaign goes on after a timeout. Takes no event away.
 */
int diskarch_wait(struct diskarch_role *role, int64_t timeout_ns);

/*
 * Ends the campaign; resigns if leading. Returns at once; DISKARCH_RELEASED follows when it stands on the disks (or, if
 * an outcome was unknown, is settled). diskarch_remaining_ns() is 0 from this call on: stop the work before calling.
 */
int diskarch_resign(struct diskarch_role *role);

/*
 * Begins to hand a led role over to the node of that name, which must be ready and should be campaigning for the role.
 * Returns at once. DISKARCH_TRANSFER follows when it stands on the disks: stop the work, then call diskarch_resign(), which
 * makes that node the leader under the next epoch; or DISKARCH_TRANSFER_REFUSED, and nothing has changed. This node leads
 * until diskarch_resign(). DISKARCH_ENONE if the role is not led, -EALREADY while an earlier transfer of it is under way,
 * DISKARCH_EUSAGE for a bad name.
 */
int diskarch_transfer(struct diskarch_role *role, const char *node_name);

/*
 * Replaces what the leader publishes, up to 128 bytes, copied. Returns at once; DISKARCH_PUBLISHED follows when it stands
 * on the disks; of several calls in a row the last one stays. DISKARCH_ENONE if the role is not led.
 */
int diskarch_publish(struct diskarch_role *role, const void *payload, size_t payload_bytes);

/* Ends the campaign as diskarch_resign() does and gives the handle back; no event mentions it any more. NULL is fine. */
void diskarch_role_free(struct diskarch_role *role);

/*
 * How long this process is still leader of the role: 0 if it is not. Two clock reads, no system call, no lock, no disk.
 * *ret_epoch (may be NULL) is the fencing token that goes with a positive answer.
 */
int64_t diskarch_remaining_ns(const struct diskarch_role *role, uint64_t *ret_epoch);

/* The name the campaign was begun with. */
const char *diskarch_role_name(const struct diskarch_role *role);

/* What the node is running on; strings live as long as the node. Slot and incarnation are 0 while not joined. */
struct diskarch_node_info {
    size_t size; /* set by the caller */
    const char *set_name;
    const char *node_name;
    const char *engine; /* "io_uring" or "libaio": the one that runs */
    bool is_realtime;   /* the node thread has real-time priority */
    bool is_locked;     /* its memory is locked */
    bool is_joined;
    uint32_t slot;
    uint64_t incarnation;
    int64_t lease_ns;
    int64_t renew_ns;
    int64_t watch_ns; /* W: the longest a dead leader can be waited for */
    char
        warning[640]; /* what was refused at start (io_uring, priority, locked memory), with the remedy; may be empty */
    bool is_other_engine; /* "auto" was refused io_uring: the warning begins with why */
};
void diskarch_node_info(struct diskarch *node, struct diskarch_node_info *ret);

enum diskarch_disk_state {
    DISKARCH_DISK_GOOD = 0,
    DISKARCH_DISK_SLOW,        /* answers, but needs more than half of the io deadline */
    DISKARCH_DISK_FAILED,      /* absent, silent, gives errors, or is not this disk any more */
    DISKARCH_DISK_CATCHING_UP, /* is back, and gets the current blocks again */
    DISKARCH_DISK_OUT,         /* counted out: it went back in time (a snapshot, a rollback, lost writes) */
};

struct diskarch_disk_status {
    char path[256];
    uint32_t index;
    enum diskarch_disk_state state;
    char reason[256];   /* why it is not good, with the remedy; empty if it is */
    int64_t latency_ns; /* of the last row read, or of heartbeats lately; -1 unknown */
};

/* What this node thinks of the set's disks; up to `room` entries; the count there is. */
size_t diskarch_disks(struct diskarch *node, struct diskarch_disk_status *ret, size_t room);

/*
 * Saves the flight recorder: the last 10,000 steps of the node or more, from which `diskarch-sim --replay` and `diskarch
 * dump --recorder` show again why it did what it did. Also after the node has ended. Creates the file, which must not exist. It holds what
 * the node has read and written. -EOPNOTSUPP for a set whose nodes are too large to be recorded (hundreds of thousands of registers),
 * -EBUSY while another thread does so, or another negated errno of the file.
 */
int diskarch_record(struct diskarch *node, const char *path);

/* ---- Calls on names -------------------------------------------------------------------------------------------------- */

/*
 * Roles and registers share one name space; what a name is, is fixed when it is first used (DISKARCH_EKIND for the wrong
 * kind). All of these need a node that has joined, and wait for that; they block for at most timeout_ns (-1: for ever) and
 * then one io deadline, in which the call is ended: DISKARCH_ETIMEOUT if nothing has changed, DISKARCH_EUNKNOWN if that is
 * not known. When the node's lease ends, a call that has changed nothing yet goes on with the next incarnation, or ends
 * with DISKARCH_ECLOSED without is_rejoining. DISKARCH_EUSAGE for a bad name or value. Any number of threads.
 */

/* The value of a register: up to 128 bytes. */
struct diskarch_value {
    size_t size;      /* set by the caller */
    uint64_t version; /* how often it has been changed */
    size_t bytes_used;
    uint8_t bytes[128];
};

/* The value as of some instant during the call: linearizable. DISKARCH_ENONE if the name was never used. */
int diskarch_register_get(struct diskarch *node, const char *name, int64_t timeout_ns, struct diskarch_value *ret);

/* Replaces the value, or creates the register. *ret_version may be NULL. */
int diskarch_register_set(struct diskarch *node, const char *name, const void *bytes, size_t byte_count,
                          int64_t timeout_ns, uint64_t *ret_version);

/*
 * Replaces the value if it is the expected one; with expected NULL only creates the register. DISKARCH_ECHANGED if it is
 * another, which then stands in *ret (may be NULL).
 */
int diskarch_register_compare_and_set(struct diskarch *node, const char *name, const void *expected,
                                      size_t expected_count, const void *bytes, size_t byte_count, int64_t timeout_ns,
                                      struct diskarch_value *ret);

/* Agree once: the first proposal stays for ever, and *ret tells which it was. */
int diskarch_register_propose(struct diskarch *node, const char *name, const void *bytes, size_t byte_count,
                              int64_t timeout_ns, struct diskarch_value *ret);

/*
 * Asks the leader of a role, on whatever node, for something, and blocks until it has happened: the role has changed
 * hands, or is free, or is held by the successor. successor: a node's name for DISKARCH_ASK_TRANSFER, else NULL.
 * DISKARCH_EFREE, DISKARCH_ENOTREADY, DISKARCH_ENONE; DISKARCH_ETIMEOUT takes the question back.
 */
int diskarch_ask(struct diskarch *node, const char *role, enum diskarch_ask ask, const char *successor,
                 int64_t timeout_ns);

/*
 * Forgets a free role: lists do not show it any more. Its name keeps its register and its epoch, so that whoever creates
 * it again goes on from there; only `diskarch tune --compact` makes room. DISKARCH_EHELD while somebody holds it.
 */
int diskarch_forget(struct diskarch *node, const char *role, int64_t timeout_ns);

/* ---- Observers ------------------------------------------------------------------------------------------------------ */

struct diskarch_observer;

/* Opens the disks read-only. Arguments and errors as diskarch_open(); node_name, poll_ns and is_rejoining are not used. */
int diskarch_observer_open(const struct diskarch_options *options, struct diskarch_observer **ret, char *message,
                           size_t message_bytes);
void diskarch_observer_close(struct diskarch_observer *observer);

/* Rule N8: what can be said of a node without comparing another host's clock. */
enum diskarch_liveness {
    DISKARCH_NOT_OBSERVED = 0, /* not watched long enough to say */
    DISKARCH_ALIVE,            /* its heartbeat moved while watching */
    DISKARCH_SILENT,           /* its heartbeat stood still for silent_ns, so far */
    DISKARCH_LEFT,             /* it left cleanly */
};

struct diskarch_node_status {
    char name[64];
    uint32_t slot;
    uint64_t incarnation;
    uint64_t counter;
    bool is_ready;
    bool is_dead; /* a verdict or the slot ledger says so */
    enum diskarch_liveness liveness;
    int64_t silent_ns;
    int64_t started_wall_ns; /* display only */
    char engine[16];
};

struct diskarch_role_status {
    char name[64];
    bool is_forgotten;
    bool is_settled; /* false: a later change is under way; the fields tell the last proven value */
    bool is_held;
    bool is_transferring; /* the holder hands over to successor_name */
    char successor_name[64];
    uint32_t holder_slot;
    uint64_t holder_incarnation;
    char holder_name[64];
    uint64_t epoch;
    int64_t since_wall_ns; /* display only */
    uint32_t payload_bytes;
    uint8_t payload[128];
    enum diskarch_liveness liveness; /* of the holder */
    int64_t silent_ns;
    bool is_holder_dead;
};

/* What the header says. */
struct diskarch_set_info {
    size_t size; /* set by the caller */
    char name[64];
    char uuid[37];
    uint64_t generation;
    uint32_t disk_count;
    uint32_t slots;
    uint32_t registers;
    uint32_t block_bytes;
    int64_t lease_ns, renew_ns, io_deadline_ns, quarantine_ns, watch_ns;
    uint32_t drift_ppm;
    bool slot_reuse;
    uint16_t format_major, format_minor;
    const char *engine;  /* that reads for this observer; NULL in a set that is only told of */
    const char *warning; /* why "auto" did not get io_uring, with the remedy; may be empty; NULL as above */
};
void diskarch_observer_set_info(const struct diskarch_observer *observer, struct diskarch_set_info *ret);

/*
 * Reads the heartbeats of all nodes once and updates what is known of their liveness: call it repeatedly, or let
 * diskarch_observer_watch() do so for the two renew intervals that N8 asks for. Blocks at most two io deadlines.
 */
int diskarch_observer_poll(struct diskarch_observer *observer);

/* Polls until every node that stands in the heartbeat row has moved, or two renew intervals have passed. */
int diskarch_observer_watch(struct diskarch_observer *observer);

/* Copies of what the last poll saw; up to `room` entries; the count there is. */
size_t diskarch_observer_disks(struct diskarch_observer *observer, struct diskarch_disk_status *ret, size_t room);
size_t diskarch_observer_nodes(struct diskarch_observer *observer, struct diskarch_node_status *ret, size_t room);

/* Reads one role (rule B1). 0, DISKARCH_ENONE, DISKARCH_ENOQUORUM, DISKARCH_EUNSETTLED if nothing is proven yet. */
int diskarch_observer_role(struct diskarch_observer *observer, const char *name, struct diskarch_role_status *ret);

/* Reads all named roles in the order of their rows: up to `room` entries; *ret_count is the count there is. */
int diskarch_observer_roles(struct diskarch_observer *observer, struct diskarch_role_status *ret, size_t room,
                            size_t *ret_count);

/*
 * Roles that have changed since the call before (the first call: all of them), and those whose holder's liveness has.
 * Reads the heartbeat row, and only those registers that the nodes' beacons list (rule T10): watching 10,000 quiet roles
 * costs one row. Also polls, as diskarch_observer_poll(). A forgotten role is told once, with is_forgotten. Up to `room`
 * entries; what does not fit is told by the next call. A change that is not settled yet is told by a later call.
 * *ret_count is the count returned. DISKARCH_ENOQUORUM; what could not be read is read by the next call.
 */
int diskarch_observer_changes(struct diskarch_observer *observer, struct diskarch_role_status *ret, size_t room,
                              size_t *ret_count);

/* What went wrong in the observer's last failed call: thing, reason, remedy. */
const char *diskarch_observer_message(const struct diskarch_observer *observer);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
