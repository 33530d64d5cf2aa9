/*
 * What the command shows of bytes from disks: blocks in words and in JSON, texts escaped and aligned. Nothing that a terminal
 * would obey comes out, all of it is UTF-8, and what is said to be JSON is.
 *
 * Input: kind of row, then the bytes of a block behind its head; the same bytes again as a text and as a payload.
 */
#include "columns.h"
#include "documents.h"
#include "dump_block.h"
#include "escape.h"
#include "fuzz.h"
#include "report.h"

#include <string.h>

enum { AT_SPARE = 28, TEXT_BYTES_MAX = 4096 };

/* ---- What came out ---------------------------------------------------------------------------------------------------- */

/* Everything that the code under test prints, until captured_end(). */
struct captured {
    FILE *before;
    char *text;
    size_t bytes;
};

static void captured_begin(struct captured *captured)
{
    captured->before = stdout;
    stdout = open_memstream(&captured->text, &captured->bytes);
    FUZZ_CHECK(stdout != NULL);
}

static void captured_end(struct captured *captured)
{
    FUZZ_CHECK(fclose(stdout) == 0);
    stdout = captured->before;
}

/* By jansson, not by our own rules. */
static bool is_utf8(const char *text, size_t bytes)
{
    json_t *string = json_stringn(text, bytes);
    bool is_valid = string != NULL;
    json_decref(string);
    return is_valid;
}

/* C1 controls, and what changes the direction of writing. */
static bool has_two_byte_control(const char *text, size_t bytes)
{
    for (size_t i = 0; i + 1 < bytes; i++) {
        uint8_t first = (uint8_t)text[i];
        uint8_t second = (uint8_t)text[i + 1];
        bool is_c1 = first == 0xc2 && second >= 0x80 && second < 0xa0;
        bool is_override = i + 2 < bytes && first == 0xe2 && second == 0x80 && (uint8_t)text[i + 2] >= 0xaa &&
                           (uint8_t)text[i + 2] <= 0xae;
        if (is_c1 || is_override) {
            return true;
        }
    }
    return false;
}

enum shown { SHOWN_IN_LINE, SHOWN_IN_LINES, SHOWN_AS_JSON };

static void check_shown(const char *text, size_t bytes, enum shown shown)
{
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)text[i];
        FUZZ_CHECK(byte >= 0x20 || (byte == '\n' && shown != SHOWN_IN_LINE));
        FUZZ_CHECK(byte != 0x7f || shown == SHOWN_AS_JSON); /* JSON knows no way to say it, and no terminal obeys it */
    }
    FUZZ_CHECK(!has_two_byte_control(text, bytes));
    FUZZ_CHECK(is_utf8(text, bytes));
}

static void check_json(const char *text, size_t bytes)
{
    json_error_t error;
    json_t *document = json_loadb(text, bytes, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    FUZZ_CHECK(document != NULL);
    json_decref(document);
    check_shown(text, bytes, SHOWN_AS_JSON);
}

/* ---- What goes in ----------------------------------------------------------------------------------------------------- */

static void show_block(const uint8_t *content, size_t count, uint32_t row)
{
    static const struct layout layout = {.block_bytes = BLOCK_BYTES_MIN, .slots = 8, .registers = 4};
    uint8_t bytes[BLOCK_BYTES_MIN];
    struct fuzz_input input = {content, count};
    struct dump_place place = {.layout = &layout, .block = {.set_tag = 7, .disk = 1, .row = row, .slot = 3}};
    block_encode_empty(bytes, sizeof bytes, &place.block);
    fuzz_take_bytes(&input, bytes + AT_SPARE, sizeof bytes - AT_SPARE);
    fuzz_seal_block(bytes, sizeof bytes, &place.block);
    place.bytes = bytes;
    struct captured captured;
    captured_begin(&captured);
    dump_block_print(&place);
    captured_end(&captured);
    check_shown(captured.text, captured.bytes, SHOWN_IN_LINES);
    free(captured.text);
    captured_begin(&captured);
    json_t *document = dump_block_json(&place);
    bool is_shown = document != NULL && json_print(document) == EXIT_CODE_OK;
    captured_end(&captured);
    if (is_shown) {
        check_json(captured.text, captured.bytes);
    }
    free(captured.text);
}

/* What is escaped can be told from every other text: it can be taken back. */
static void check_escape(const uint8_t *bytes, size_t count)
{
    static char whole[ESCAPED_BYTES(TEXT_BYTES_MAX)];
    static char cut[ESCAPED_BYTES(TEXT_BYTES_MAX)];
    static uint8_t back[TEXT_BYTES_MAX];
    size_t used = 0;
    escape_bytes(bytes, count, whole, sizeof whole);
    check_shown(whole, strlen(whole), SHOWN_IN_LINE);
    for (const char *at = whole; *at != '\0'; used++) {
        unsigned byte = (uint8_t)*at;
        if (*at == '\\' && at[1] == 'x') {
            FUZZ_CHECK(sscanf(at, "\\x%2x", &byte) == 1);
            at += 4;
        } else {
            at += *at == '\\' ? 2 : 1;
        }
        FUZZ_CHECK(used < count);
        back[used] = (uint8_t)byte;
    }
    FUZZ_CHECK(used == count && memcmp(back, bytes, count) == 0);
    size_t room = count > 0 ? 1 + bytes[0] % 64U : 1;
    escape_bytes(bytes, count, cut, room);
    FUZZ_CHECK(strlen(cut) < room && memcmp(cut, whole, strlen(cut)) == 0);
    check_shown(cut, strlen(cut), SHOWN_IN_LINE);
}

/* A table of two columns: as many lines as were written, and nothing but blanks added. */
static void check_columns(const uint8_t *bytes, size_t count)
{
    struct captured captured;
    struct columns columns;
    captured_begin(&captured);
    columns_begin(&columns);
    fprintf(columns.cells, "%s\tstate\t\n", escaped_bytes(bytes, count));
    fprintf(columns.cells, "%s\n", escaped_bytes(bytes, count / 2));
    fprintf(columns.cells, "name\t%s\tlast\n", escaped_bytes(bytes, count / 3));
    columns_end(&columns);
    captured_end(&captured);
    check_shown(captured.text, captured.bytes, SHOWN_IN_LINES);
    size_t lines = 0;
    for (size_t i = 0; i < captured.bytes; i++) {
        lines += captured.text[i] == '\n';
    }
    FUZZ_CHECK(lines == 3);
    free(captured.text);
}

static void check_documents(const uint8_t *bytes, size_t count)
{
    char text[TEXT_BYTES_MAX + 1];
    struct captured captured;
    memcpy(text, bytes, count);
    text[count] = '\0';
    size_t payload = count < PAYLOAD_BYTES_MAX ? count : PAYLOAD_BYTES_MAX;
    captured_begin(&captured);
    json_print(json_pack("{s:o, s:o, s:o, s:o}", "text", json_text(text), "bytes", json_bytes(bytes, payload), "hex",
                         document_hex(bytes, payload), "ms", document_wall_ms((int64_t)count)));
    captured_end(&captured);
    check_json(captured.text, captured.bytes);
    free(captured.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count == 0 || count > TEXT_BYTES_MAX) {
        return 0;
    }
    show_block(bytes + 1, count - 1, bytes[0] % 5U);
    check_escape(bytes + 1, count - 1);
    check_columns(bytes + 1, count - 1);
    check_documents(bytes + 1, count - 1);
    return 0;
}
