#include "assumptions.h"

#include <stdio.h>
#include <string.h>

enum { LINE_COLUMNS = 100 };

static const struct {
    const char *assumption;
    const char *without_it;
} assumptions[] = {
#include "assumptions.inc"
};

/* Breaks between words. */
static void paragraph_print(const char *first_indent, const char *indent, const char *text)
{
    size_t column = strlen(first_indent);
    const char *separator = "";
    fputs(first_indent, stdout);
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column + strlen(separator) + word > LINE_COLUMNS) {
            printf("\n%s", indent);
            column = strlen(indent);
            separator = "";
        }
        printf("%s%.*s", separator, (int)word, text);
        column += strlen(separator) + word;
        separator = " ";
        text += word + strspn(text + word, " ");
    }
    putchar('\n');
}

void assumptions_print(void)
{
    printf("What diskarch rests on, and what breaks without it:\n");
    for (size_t i = 0; i < sizeof(assumptions) / sizeof(assumptions[0]); i++) {
        paragraph_print("- ", "  ", assumptions[i].assumption);
        paragraph_print("    else: ", "    ", assumptions[i].without_it);
    }
}
