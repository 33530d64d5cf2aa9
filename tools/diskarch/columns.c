#include "columns.h"

#include "report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 8, COLUMN_GAP = 2 };

_Noreturn static void no_memory(void)
{
    complain("out of memory; free some and try again");
    exit(EXIT_CODE_SYSTEM);
}

/* Characters, not bytes: the bytes that go on with a UTF-8 character take no place of their own. */
static size_t cell_width(const char *cell, size_t bytes)
{
    size_t width = 0;
    for (size_t i = 0; i < bytes; i++) {
        width += ((unsigned char)cell[i] & 0xc0) != 0x80;
    }
    return width;
}

/* The last cell of a line has no width to keep: nothing stands behind it. */
static void line_measure(const char *line, size_t widths[COLUMNS_MAX])
{
    size_t bytes = strcspn(line, "\t");
    for (size_t column = 0; line[bytes] == '\t'; column++) {
        assert(column < COLUMNS_MAX);
        size_t width = cell_width(line, bytes);
        widths[column] = width > widths[column] ? width : widths[column];
        line += bytes + 1;
        bytes = strcspn(line, "\t");
    }
}

static void line_print(const char *line, const size_t widths[COLUMNS_MAX])
{
    size_t bytes = strcspn(line, "\t");
    for (size_t column = 0; line[bytes] == '\t'; column++) {
        size_t blanks = widths[column] - cell_width(line, bytes) + COLUMN_GAP;
        printf("%.*s%*s", (int)bytes, line, (int)blanks, "");
        line += bytes + 1;
        bytes = strcspn(line, "\t");
    }
    puts(line);
}

void columns_begin(struct columns *columns)
{
    *columns = (struct columns){0};
    columns->cells = open_memstream(&columns->text, &columns->bytes);
    if (columns->cells == NULL) {
        no_memory();
    }
}

void columns_end(struct columns *columns)
{
    if (fclose(columns->cells) != 0) {
        no_memory();
    }
    size_t widths[COLUMNS_MAX] = {0};
    char *end = columns->text + columns->bytes;
    for (char *at = columns->text; at < end; at += strlen(at) + 1) {
        at[strcspn(at, "\n")] = '\0';
        line_measure(at, widths);
    }
    for (const char *at = columns->text; at < end; at += strlen(at) + 1) {
        line_print(at, widths);
    }
    free(columns->text);
}
