/* Text in aligned columns: what is written with tabs between the cells, printed with as many blanks as it takes. */
#ifndef DISKARCH_COMMAND_COLUMNS_H
#define DISKARCH_COMMAND_COLUMNS_H

#include <stddef.h>
#include <stdio.h>

/* A table being written, one line a row. */
struct columns {
    FILE *cells;
    char *text;
    size_t bytes;
};

/* Begins a table. Write rows to cells, with a tab between two cells: text from elsewhere is escaped and has none. A line
 * without a tab stands by itself, and no column grows for it. */
void columns_begin(struct columns *columns);

/* Prints the table to stdout and frees it. */
void columns_end(struct columns *columns);

#endif
