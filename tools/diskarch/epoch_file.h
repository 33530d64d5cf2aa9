/* The epochs of `diskarch lock`, in a file that others can read. */
#ifndef DISKARCH_COMMAND_EPOCH_FILE_H
#define DISKARCH_COMMAND_EPOCH_FILE_H

/*
 * Writes text and a newline to the file, so that whoever reads it finds the old content or the new one, never a part.
 * The file stays when the command has ended: its epochs can never be led again, so an old file harms nobody, and a
 * checker finds there the highest epoch this host has had. 0 or -errno.
 */
int epoch_file_write(const char *path, const char *text);

#endif
