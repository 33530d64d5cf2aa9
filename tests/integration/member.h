/*
 * What the test programs that are nodes have in common: joining a set, and ending with a message. Knows the library,
 * and nothing of what a program does as a node.
 */
#ifndef DISKARCH_TEST_MEMBER_H
#define DISKARCH_TEST_MEMBER_H

#include <diskarch/diskarch.h>

_Noreturn void member_die(const char *what, const char *why);

/* Opens the set on `disks`, separated by commas, by the engine that DISKARCH_ENGINE names, and waits until the node has
 * joined. Cuts `disks` into pieces. */
struct diskarch *member_join(char *disks, const char *node_name);

/* Begins to campaign. */
struct diskarch_role *member_campaign(struct diskarch *node, const char *role_name);

/* Until the role is led. */
void member_lead(struct diskarch_role *role);

/* Takes events until one of this kind, and about this role, has come. */
void member_await(struct diskarch *node, enum diskarch_event_kind kind, const struct diskarch_role *role);

#endif
