/* What a flight recorder has saved, step by step, for people. */
#ifndef DISKARCH_COMMAND_DUMP_RECORDING_H
#define DISKARCH_COMMAND_DUMP_RECORDING_H

/* Prints it. An exit code. */
int dump_recording(const char *path);

#endif
