/* Lists of faults that are withheld, as --without takes them: numbers, ranges (3..9, 40..) and kinds, between commas. */
#ifndef DISKARCH_SIMULATION_WITHOUT_H
#define DISKARCH_SIMULATION_WITHOUT_H

#include "faults.h"

#include <stdio.h>

/* Adds what the list says to *ret. False, and *ret may hold a part of it, if it is not understood. */
bool without_parse(const char *list, struct sim_without *ret);

/* Prints a list that without_parse() understands; nothing if nothing is withheld. */
void without_print(FILE *to, const struct sim_without *without);

bool without_has_number(const struct sim_without *without, uint32_t number);
void without_add_number(struct sim_without *without, uint32_t number);
bool without_is_empty(const struct sim_without *without);

#endif
