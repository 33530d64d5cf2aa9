/*
 * What `diskarch lock` and its guard say to each other over one SOCK_SEQPACKET pair: messages of one fixed shape, in
 * both directions. Both ends are of one build, on one host, so that native integers will do.
 *
 * The end of the control descriptor is a message too: the guard takes it for the death of its parent.
 */
#ifndef DISKARCH_TOOLS_GUARD_PROTOCOL_H
#define DISKARCH_TOOLS_GUARD_PROTOCOL_H

#include <stdint.h>

enum guard_message_kind {
    /* To the guard. */
    GUARD_DEADLINE = 1, /* when boot_ns and raw_ns were read, at least remaining_ns of the lease were left */
    GUARD_SIGNAL,       /* send signal `number` to the command, if it still runs */
    GUARD_STOP,         /* stop the whole tree now: SIGTERM, grace, SIGKILL */

    /* From the guard. */
    GUARD_STARTED,   /* the command runs as process `number` */
    GUARD_REFUSED,   /* the command could not be executed: errno `number`; GUARD_GONE follows */
    GUARD_CONTINUED, /* the terminal had stopped the command, which was undone */
    GUARD_STOPPING,  /* the tree is being stopped: enum guard_cause `number` */
    GUARD_EXITED,    /* the command itself has ended with wait status `number`; descendants may still run */
    GUARD_STUCK,     /* SIGKILL was sent a good while ago, and process `number` has not gone; said once */
    GUARD_GONE,      /* nothing of the tree is left; `number` is the command's wait status; the last message */
};

enum guard_cause {
    GUARD_CAUSE_LEASE = 1, /* the lease is about to end */
    GUARD_CAUSE_ORDER,     /* GUARD_STOP */
    GUARD_CAUSE_ORPHAN,    /* the control descriptor has ended */
    GUARD_CAUSE_LEFTOVER,  /* the command has ended and has left descendants behind */
};

struct guard_message {
    uint32_t kind; /* enum guard_message_kind */
    int32_t number;
    int64_t boot_ns; /* CLOCK_BOOTTIME */
    int64_t raw_ns;  /* CLOCK_MONOTONIC_RAW */
    int64_t remaining_ns;
};

#endif
