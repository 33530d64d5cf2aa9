/* What diskarch rests on, and what breaks without it. The texts are made from src/protocol/README.md when it is built. */
#ifndef DISKARCH_COMMAND_ASSUMPTIONS_H
#define DISKARCH_COMMAND_ASSUMPTIONS_H

/* On one screen. */
void assumptions_print(void);

#endif
