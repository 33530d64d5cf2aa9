/* The events of `diskarch campaign`, a line each, in words or in JSON. */
#ifndef DISKARCH_COMMAND_CAMPAIGN_PRINT_H
#define DISKARCH_COMMAND_CAMPAIGN_PRINT_H

#include <diskarch/diskarch.h>

/* Prints one event of the node, or of its campaign for the role of that name. The exit code of the output. */
int campaign_print(struct diskarch *node, const char *role_name, const struct diskarch_event *event);
int campaign_print_json(struct diskarch *node, const char *role_name, const struct diskarch_event *event);

#endif
