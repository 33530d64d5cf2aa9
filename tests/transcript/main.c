/* diskarch-story: plays stories of the protocol and holds what happens against the traces that their files expect. */
#include "story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: diskarch-story [--rewrite] FILE...\n"
    "\n"
    "Plays each story in a simulated world of its own, with every oracle on, and compares its trace with the one in the file.\n"
    "\n"
    "  --rewrite   puts the traces as they are now into the files: look at what has changed before you commit it\n"
    "\n"
    "Exit code: 0 all traces are as expected, or were rewritten; 1 a trace differs, or a story could not be played; 2 usage.\n";

static bool read_file(const char *path, struct text *ret_text)
{
    char buffer[4096];
    FILE *file = fopen(path, "r");
    size_t length = 0;
    if (file == NULL) {
        fprintf(stderr, "diskarch-story: open %s: %s\n", path, strerror(errno));
        return false;
    }
    text_clear(ret_text);
    while ((length = fread(buffer, 1, sizeof buffer, file)) > 0) {
        text_add(ret_text, "%.*s", (int)length, buffer);
    }
    bool is_good = ferror(file) == 0;
    fclose(file);
    return is_good;
}

static bool write_file(const char *path, const struct text *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        fprintf(stderr, "diskarch-story: open %s: %s\n", path, strerror(errno));
        return false;
    }
    bool is_good = fwrite(text->bytes, 1, text->length, file) == text->length;
    return fclose(file) == 0 && is_good;
}

/* diff(1) says it best; the path is one of ours and goes through the environment, not through the shell's words. */
static void print_difference(const char *path, const struct text *now)
{
    fflush(stdout);
    if (setenv("STORY_FILE", path, 1) != 0) {
        return;
    }
    FILE *diff = popen("diff -u --label \"$STORY_FILE\" --label 'what happens now' \"$STORY_FILE\" -", "w");
    if (diff != NULL) {
        fwrite(now->bytes, 1, now->length, diff);
        pclose(diff);
    }
    printf("%s: the trace differs. If that is right: diskarch-story --rewrite %s\n", path, path);
}

static bool play_file(const char *path, bool is_rewriting)
{
    struct text script = {0};
    struct text now = {0};
    struct story *story = story_new();
    bool is_good = story != NULL && read_file(path, &script) && story_play(story, path, script.bytes, &now);
    if (is_good && strcmp(script.bytes, now.bytes) != 0) {
        if (is_rewriting) {
            is_good = write_file(path, &now);
        } else {
            print_difference(path, &now);
            is_good = false;
        }
    }
    text_done(&script);
    text_done(&now);
    story_free(story);
    return is_good;
}

int main(int argc, char **argv)
{
    bool is_rewriting = argc > 1 && strcmp(argv[1], "--rewrite") == 0;
    int first = is_rewriting ? 2 : 1;
    bool is_good = true;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (first >= argc || argv[first][0] == '-') {
        fputs(usage, stderr);
        return 2;
    }
    for (int i = first; i < argc; i++) {
        is_good &= play_file(argv[i], is_rewriting);
    }
    return is_good ? 0 : 1;
}
