/*
 * Where a name stands (rule N1): open addressing over the register rows. Used by whoever looks for a name, be it to lead a
 * role or to call a register; knows nothing of what is done there.
 *
 * A probe steps over a row only if its other name is proven; a row once named keeps its name, so what was proven of a row
 * stays in memory and is never read again for that.
 */
#ifndef DISKARCH_PROTOCOL_LOOKUP_H
#define DISKARCH_PROTOCOL_LOOKUP_H

#include "block/limits.h"
#include "block/role_value.h"

#include <stdbool.h>
#include <stdint.h>

struct node;

/* The search for one name, and how far it has got. */
struct lookup {
    char name[NAME_FIELD_BYTES];
    uint64_t hash;
    uint32_t probe; /* rows stepped over so far */
};

enum lookup_finding {
    LOOKUP_UNNAMED, /* the row has no name: if that is proven, nobody has ever used the one looked for */
    LOOKUP_FOUND,
    LOOKUP_OTHER,  /* the row belongs to another name */
    LOOKUP_FOREIGN /* a value that this version cannot read */
};

/* Begins to look for a good name. */
void lookup_begin(struct lookup *lookup, const char *name);

/* The register, and its row, at which the search has arrived. */
uint32_t lookup_register(const struct node *node, const struct lookup *lookup);
uint32_t lookup_row(const struct node *node, const struct lookup *lookup);

/* Steps over the rows whose other name is known already. */
void lookup_skip_known(const struct node *node, struct lookup *lookup);

/* Whether the row at which the search has arrived is known to bear the name. */
bool lookup_has_arrived(const struct node *node, const struct lookup *lookup);

/* What the value of that row means for the search. *ret_value is set unless it is LOOKUP_FOREIGN. */
enum lookup_finding lookup_judge(const struct lookup *lookup, const uint8_t *bytes, struct role_value *ret_value);

/* Keeps the name that is proven for that row in memory. */
void lookup_learn(struct node *node, const struct lookup *lookup, const struct role_value *value);

/* Goes on to the next row; false if the table has no other. */
bool lookup_step_over(const struct node *node, struct lookup *lookup);

#endif
