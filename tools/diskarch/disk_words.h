/* The states of disks (rules D2, D7, D8) in words: of an observer's disks, and of a node's. */
#ifndef DISKARCH_COMMAND_DISK_WORDS_H
#define DISKARCH_COMMAND_DISK_WORDS_H

#include <diskarch/diskarch.h>
#include <stdint.h>

/* The state of a disk: "good", "slow", "FAILED", "catching up", "OUT"; in capitals what costs redundancy now. */
const char *disk_state_words(enum diskarch_disk_state state);

/* The same in JSON: "good", "slow", "failed", "catching_up", "out". */
const char *disk_state_code(enum diskarch_disk_state state);

/* "disk 1 /dev/sdb: FAILED: reason; remedy", escaped. Static storage, one thread. */
const char *disk_words(const struct diskarch_disk_status *disk);

/* What a node thinks of a disk of its own. *ret is untouched if the set has no disk of this index. */
void disk_of_node(struct diskarch *node, uint32_t index, struct diskarch_disk_status *ret);

#endif
