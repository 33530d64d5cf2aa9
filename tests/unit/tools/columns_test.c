/* Tables for terminals. */
#include "columns.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>

static void table_print(const char *text)
{
    struct columns columns;
    columns_begin(&columns);
    fputs(text, columns.cells);
    columns_end(&columns);
    fflush(stdout);
}

Test(columns, cells_are_aligned_and_no_line_ends_in_blanks, .init = cr_redirect_stdout)
{
    table_print("NAME\tN\tEND\nalpha\t1\tx\nb\t1000\tlonger\n");
    cr_assert_stdout_eq_str("NAME   N     END\n"
                            "alpha  1     x\n"
                            "b      1000  longer\n");
}

Test(columns, characters_count_not_bytes, .init = cr_redirect_stdout)
{
    table_print("Zürich\t1\nBern\t2\n");
    cr_assert_stdout_eq_str("Zürich  1\n"
                            "Bern    2\n");
}

Test(columns, a_line_without_tabs_stands_by_itself, .init = cr_redirect_stdout)
{
    table_print("a\tb\n      a remark that is longer than any cell\ncc\td\n");
    cr_assert_stdout_eq_str("a   b\n"
                            "      a remark that is longer than any cell\n"
                            "cc  d\n");
}

Test(columns, empty_cells_keep_their_place, .init = cr_redirect_stdout)
{
    table_print("a\t\tb\n\tcc\td\n");
    cr_assert_stdout_eq_str("a      b\n"
                            "   cc  d\n");
}

Test(columns, an_empty_table_prints_nothing, .init = cr_redirect_stdout)
{
    table_print("");
    cr_assert_stdout_eq_str("");
}
