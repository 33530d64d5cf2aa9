/*
 * A story's file. A line that begins with # is prose; one that begins with a blank is part of the trace of the command above
 * it; an empty line separates; every other line is a command.
 */
#include "story.h"

#include <stdio.h>
#include <string.h>

static bool play_line(struct story *story, const char *path, uint32_t number, const char *line)
{
    char copy[400];
    char *words[STORY_WORDS_MAX];
    uint32_t count = 0;
    char *rest = NULL;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (count == STORY_WORDS_MAX) {
            fprintf(stderr, "%s:%u: too many words\n", path, number);
            return false;
        }
        words[count++] = word;
    }
    text_clear(&story->trace);
    if (!story_command(story, words, count)) {
        fprintf(stderr, "%s%s:%u: %s\n", story->trace.bytes, path, number, story->complaint.bytes);
        return false;
    }
    if (story->is_objected) {
        fprintf(stderr, "%s%s:%u: an oracle objects\n", story->trace.bytes, path, number);
        return false;
    }
    return true;
}

bool story_play(struct story *story, const char *path, const char *script, struct text *ret_text)
{
    uint32_t number = 0;
    text_clear(ret_text);
    while (*script != '\0') {
        char line[400];
        size_t length = strcspn(script, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, script);
        script += length + (script[length] == '\n');
        number++;
        bool is_command = line[0] != '#' && line[0] != ' ' && line[0] != '\0';
        if (length >= sizeof line) {
            fprintf(stderr, "%s:%u: a line may have %zu bytes\n", path, number, sizeof line - 1);
            return false;
        }
        if (is_command && !play_line(story, path, number, line)) {
            return false;
        }
        if (line[0] != ' ') {
            text_add(ret_text, "%s\n", line);
        }
        if (is_command) {
            text_add(ret_text, "%s", story->trace.bytes);
        }
    }
    text_clear(&story->trace);
    story_end(story);
    if (story->is_objected) {
        fprintf(stderr, "%s%s: an oracle objects at the end\n", story->trace.bytes, path);
    }
    return !story->is_objected;
}
