#include "runtime/recording.h"

#include "block/endian.h"
#include "block/layout.h"
#include "block/mix.h"

#include <assert.h>
#include <string.h>

enum {
    WORD_BYTES = 8,
    RUN_HEAD_BYTES = 8,                                   /* words that are the same, words that follow */
    EVENT_BYTES_MAX = 128 + RECORDING_TEXT_BYTES + 8 * 4, /* everything but a row */
    ROW_MEMORY_BYTES = 1 << 20,                           /* spent on remembering rows, about */
};

#define HEADER_ROW UINT32_MAX /* the header, among rows */
#define NO_BYTES UINT32_MAX   /* the length of what is not there at all */

/* ---- Bytes ------------------------------------------------------------------------------------------------------- */

struct writer {
    uint8_t *at;
};

static void put32(struct writer *writer, uint32_t value)
{
    le_store32(writer->at, value);
    writer->at += 4;
}

static void put64(struct writer *writer, uint64_t value)
{
    le_store64(writer->at, value);
    writer->at += 8;
}

static void put_bytes(struct writer *writer, const void *bytes, uint32_t count)
{
    put32(writer, bytes == NULL ? NO_BYTES : count);
    if (bytes != NULL && count > 0) {
        memcpy(writer->at, bytes, count);
        writer->at += count;
    }
}

static void put_text(struct writer *writer, const char *text)
{
    put_bytes(writer, text, text == NULL ? 0 : (uint32_t)strlen(text) + 1);
}

struct reader {
    const uint8_t *at;
    size_t left;
    bool is_bad;
};

static const uint8_t *take(struct reader *reader, size_t count)
{
    static const uint8_t nothing[WORD_BYTES];
    if (count > reader->left || reader->is_bad) {
        reader->is_bad = true;
        return count <= sizeof nothing ? nothing : NULL;
    }
    const uint8_t *at = reader->at;
    reader->at += count;
    reader->left -= count;
    return at;
}

static uint32_t get32(struct reader *reader)
{
    return le_load32(take(reader, 4));
}

static uint64_t get64(struct reader *reader)
{
    return le_load64(take(reader, 8));
}

/* Copies what put_bytes() has written behind the texts that were read already. */
static const uint8_t *get_bytes(struct reader *reader, struct recording_text *text, uint32_t *ret_count)
{
    uint32_t count = get32(reader);
    if (reader->is_bad || count == NO_BYTES) {
        *ret_count = 0;
        return NULL;
    }
    uint8_t *to = text->bytes + text->used;
    if (count > sizeof text->bytes - text->used || count > reader->left) {
        reader->is_bad = true;
        *ret_count = 0;
        return NULL;
    }
    memcpy(to, take(reader, count), count);
    text->used += count;
    *ret_count = count;
    return to;
}

static const char *get_text(struct reader *reader, struct recording_text *text)
{
    uint32_t count = 0;
    const uint8_t *bytes = get_bytes(reader, text, &count);
    if (bytes != NULL && (count == 0 || bytes[count - 1] != '\0')) {
        reader->is_bad = true;
        return NULL;
    }
    return (const char *)bytes;
}

/* ---- Rows -------------------------------------------------------------------------------------------------------- */

static uint32_t row_count_of(const struct layout *layout)
{
    uint32_t count = ROW_MEMORY_BYTES / layout_row_bytes(layout);
    count = count < DISKS_MAX ? DISKS_MAX : count;
    return count < RECORDING_ROWS_MAX ? count : RECORDING_ROWS_MAX;
}

size_t recording_bytes(const struct layout *layout)
{
    return (size_t)row_count_of(layout) * layout_row_bytes(layout);
}

void recording_init(struct recording *recording, const struct layout *layout, void *row_memory)
{
    memset(recording, 0, sizeof *recording);
    recording->row_bytes = layout_row_bytes(layout);
    recording->block_bytes = layout->block_bytes;
    recording->row_count = row_count_of(layout);
    for (uint32_t i = 0; i < recording->row_count; i++) {
        recording->rows[i].bytes = (uint8_t *)row_memory + (size_t)i * recording->row_bytes;
    }
}

void recording_restart(struct recording *recording)
{
    for (uint32_t i = 0; i < recording->row_count; i++) {
        recording->rows[i].is_used = false;
    }
    recording->uses = 0;
}

/* The row as it was read last; else the place of the one used longest ago, all zero. */
static struct recording_row *row_of(struct recording *recording, uint32_t disk, uint32_t row)
{
    struct recording_row *oldest = &recording->rows[0];
    struct recording_row *found = NULL;
    for (uint32_t i = 0; i < recording->row_count && found == NULL; i++) {
        struct recording_row *at = &recording->rows[i];
        if (at->is_used && at->disk == disk && at->row == row) {
            found = at;
        } else if (oldest->is_used && (!at->is_used || at->used < oldest->used)) {
            oldest = at;
        }
    }
    if (found == NULL) {
        found = oldest;
        memset(found->bytes, 0, recording->row_bytes);
        found->is_used = true;
        found->disk = disk;
        found->row = row;
    }
    found->used = ++recording->uses;
    return found;
}

/* How many words from `at` on are the same in both, or differ. */
static uint32_t run_of(const uint8_t *a, const uint8_t *b, uint32_t at, uint32_t words, bool is_same)
{
    uint32_t end = at;
    while (end < words &&
           (memcmp(a + (size_t)end * WORD_BYTES, b + (size_t)end * WORD_BYTES, WORD_BYTES) == 0) == is_same) {
        end++;
    }
    return end - at;
}

static void write_row(struct writer *writer, struct recording_row *row, const uint8_t *bytes, uint32_t count)
{
    uint32_t words = count / WORD_BYTES;
    uint32_t at = 0;
    while (at < words) {
        uint32_t same = run_of(row->bytes, bytes, at, words, true);
        uint32_t other = run_of(row->bytes, bytes, at + same, words, false);
        put32(writer, same);
        put32(writer, other);
        at += same;
        memcpy(writer->at, bytes + (size_t)at * WORD_BYTES, (size_t)other * WORD_BYTES);
        writer->at += (size_t)other * WORD_BYTES;
        at += other;
    }
    memcpy(row->bytes, bytes, count);
}

static void read_row(struct reader *reader, struct recording_row *row, uint32_t count)
{
    uint32_t words = count / WORD_BYTES;
    uint32_t at = 0;
    while (at < words && !reader->is_bad) {
        uint32_t same = get32(reader);
        uint32_t other = get32(reader);
        if (same > words - at || other > words - at - same || same + other == 0) {
            reader->is_bad = true;
            return;
        }
        at += same;
        const uint8_t *from = take(reader, (size_t)other * WORD_BYTES);
        if (!reader->is_bad) {
            memcpy(row->bytes + (size_t)at * WORD_BYTES, from, (size_t)other * WORD_BYTES);
        }
        at += other;
    }
}

size_t recording_step_bytes(const struct layout *layout)
{
    /* A row in which every second word differs. */
    return EVENT_BYTES_MAX + (size_t)layout_row_bytes(layout) + layout_row_bytes(layout) / 2 + RUN_HEAD_BYTES;
}

/* ---- Completions ------------------------------------------------------------------------------------------------- */

enum { FLAG_WRITE_OK = 1, FLAG_READ_OK = 2, FLAG_BYTES = 4 };

static uint32_t bytes_of(const struct recording *recording, const struct io_action *request)
{
    return request->operation == IO_HEADER ? recording->block_bytes : recording->row_bytes;
}

static struct recording_row *row_of_request(struct recording *recording, const struct io_action *request)
{
    return row_of(recording, request->disk, request->operation == IO_HEADER ? HEADER_ROW : request->row);
}

static void write_io(struct recording *recording, struct writer *writer, const struct io_result *io)
{
    assert(io->tag < RECORDING_TAGS_MAX);
    const struct io_action *request = &recording->requests[io->tag];
    bool has_bytes = io->is_read_ok && io->bytes != NULL;
    put32(writer, io->tag);
    put32(writer, (io->is_write_ok ? (uint32_t)FLAG_WRITE_OK : 0) | (io->is_read_ok ? (uint32_t)FLAG_READ_OK : 0) |
                      (has_bytes ? (uint32_t)FLAG_BYTES : 0));
    if (has_bytes) {
        write_row(writer, row_of_request(recording, request), io->bytes, bytes_of(recording, request));
    }
}

static void read_io(struct recording *recording, struct reader *reader, struct io_result *ret)
{
    uint32_t tag = get32(reader);
    uint32_t flags = get32(reader);
    if (reader->is_bad || tag >= RECORDING_TAGS_MAX) {
        reader->is_bad = true;
        return;
    }
    *ret = (struct io_result){
        .tag = tag, .is_write_ok = (flags & FLAG_WRITE_OK) != 0, .is_read_ok = (flags & FLAG_READ_OK) != 0};
    if ((flags & FLAG_BYTES) != 0) {
        const struct io_action *request = &recording->requests[tag];
        struct recording_row *row = row_of_request(recording, request);
        read_row(reader, row, bytes_of(recording, request));
        ret->bytes = row->bytes;
    }
}

/* ---- Commands ---------------------------------------------------------------------------------------------------- */

static void write_role_command(struct writer *writer, const struct role_command *command)
{
    put32(writer, command->role);
    put32(writer, command->is_try);
    put32(writer, command->priority);
    put_text(writer, command->name);
    put_text(writer, command->successor_name);
    put_bytes(writer, command->payload, command->payload_bytes);
}

static void read_role_command(struct reader *reader, struct recording_text *text, struct role_command *ret)
{
    ret->role = get32(reader);
    ret->is_try = get32(reader) != 0;
    ret->priority = get32(reader);
    ret->name = get_text(reader, text);
    ret->successor_name = get_text(reader, text);
    ret->payload = get_bytes(reader, text, &ret->payload_bytes);
}

static void write_call_command(struct writer *writer, const struct call_command *command)
{
    put32(writer, command->call);
    put32(writer, (uint32_t)command->verb);
    put32(writer, command->has_expected);
    put32(writer, (uint32_t)command->ask);
    put_text(writer, command->name);
    put_text(writer, command->successor_name);
    put_bytes(writer, command->bytes, command->byte_count);
    put_bytes(writer, command->expected_bytes, command->expected_count);
}

static void read_call_command(struct reader *reader, struct recording_text *text, struct call_command *ret)
{
    ret->call = get32(reader);
    ret->verb = (enum call_verb)get32(reader);
    ret->has_expected = get32(reader) != 0;
    ret->ask = (enum ask_verb)get32(reader);
    ret->name = get_text(reader, text);
    ret->successor_name = get_text(reader, text);
    ret->bytes = get_bytes(reader, text, &ret->byte_count);
    ret->expected_bytes = get_bytes(reader, text, &ret->expected_count);
}

/* ---- Events ------------------------------------------------------------------------------------------------------ */

enum event_form { FORM_NOTHING, FORM_IO, FORM_ROLE, FORM_CALL };

static enum event_form form_of(enum event_kind kind)
{
    switch (kind) {
    case EVENT_IO:
        return FORM_IO;
    case EVENT_CAMPAIGN:
    case EVENT_RESIGN:
    case EVENT_TRANSFER:
    case EVENT_PUBLISH:
        return FORM_ROLE;
    case EVENT_CALL:
    case EVENT_CANCEL:
        return FORM_CALL;
    case EVENT_TICK:
    case EVENT_LEAVE:
        break;
    }
    return FORM_NOTHING;
}

size_t recording_write_event(struct recording *recording, const struct event *event, uint8_t *to)
{
    struct writer writer = {.at = to};
    put32(&writer, (uint32_t)event->kind);
    put64(&writer, (uint64_t)event->fast_ns);
    put64(&writer, (uint64_t)event->slow_ns);
    put64(&writer, (uint64_t)event->wall_ns);
    switch (form_of(event->kind)) {
    case FORM_IO:
        write_io(recording, &writer, &event->as.io);
        break;
    case FORM_ROLE:
        write_role_command(&writer, &event->as.command);
        break;
    case FORM_CALL:
        write_call_command(&writer, &event->as.call);
        break;
    case FORM_NOTHING:
        break;
    }
    return (size_t)(writer.at - to);
}

size_t recording_read_event(struct recording *recording, const uint8_t *from, size_t count, struct event *ret,
                            struct recording_text *ret_text)
{
    struct reader reader = {.at = from, .left = count};
    uint32_t kind = get32(&reader);
    if (kind > EVENT_LEAVE) {
        return 0;
    }
    ret_text->used = 0;
    *ret = (struct event){.kind = (enum event_kind)kind};
    ret->fast_ns = (int64_t)get64(&reader);
    ret->slow_ns = (int64_t)get64(&reader);
    ret->wall_ns = (int64_t)get64(&reader);
    switch (form_of(ret->kind)) {
    case FORM_IO:
        read_io(recording, &reader, &ret->as.io);
        break;
    case FORM_ROLE:
        read_role_command(&reader, ret_text, &ret->as.command);
        break;
    case FORM_CALL:
        read_call_command(&reader, ret_text, &ret->as.call);
        break;
    case FORM_NOTHING:
        break;
    }
    return reader.is_bad ? 0 : (size_t)(reader.at - from);
}

/* ---- Actions ----------------------------------------------------------------------------------------------------- */

static uint64_t fold(uint64_t digest, uint64_t value)
{
    return mix64(digest ^ value) + UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t fold_bytes(uint64_t digest, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    for (; count >= WORD_BYTES; count -= WORD_BYTES, at += WORD_BYTES) {
        digest = fold(digest, le_load64(at));
    }
    for (; count > 0; count--, at++) {
        digest = fold(digest, *at);
    }
    return digest;
}

static uint64_t fold_io(uint64_t digest, const struct io_action *io, uint32_t block_bytes)
{
    const uint32_t fields[] = {(uint32_t)io->operation, io->disk, io->row, io->slot, io->tag};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        digest = fold(digest, fields[i]);
    }
    return io->block == NULL ? digest : fold_bytes(digest, io->block, block_bytes);
}

static uint64_t fold_notice(uint64_t digest, const struct notice *notice)
{
    const uint64_t fields[] = {(uint64_t)notice->kind,   notice->role,           notice->epoch,
                               (uint64_t)notice->reason, (uint64_t)notice->wait, (uint64_t)notice->refusal,
                               (uint64_t)notice->ask,    notice->call,           notice->disk};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        digest = fold(digest, fields[i]);
    }
    return fold_bytes(digest, notice->holder_name, sizeof notice->holder_name);
}

static uint64_t digest_of(const struct actions *actions, uint32_t block_bytes)
{
    uint64_t digest = 0;
    for (uint32_t i = 0; i < actions->io_count; i++) {
        digest = fold_io(digest, &actions->ios[i], block_bytes);
    }
    for (uint32_t i = 0; i < actions->notice_count; i++) {
        digest = fold_notice(digest, &actions->notices[i]);
    }
    return fold(fold(digest, (uint64_t)actions->wake_fast_ns), (uint64_t)actions->wake_slow_ns);
}

/* Which request a tag stands for is known from the actions on both sides, and not written down. */
void recording_note_requests(struct recording *recording, const struct actions *actions)
{
    for (uint32_t i = 0; i < actions->io_count; i++) {
        const struct io_action *io = &actions->ios[i];
        assert(io->tag < RECORDING_TAGS_MAX);
        recording->requests[io->tag] = *io;
        recording->requests[io->tag].block = NULL;
    }
}

size_t recording_write_actions(struct recording *recording, const struct actions *actions, uint8_t *to)
{
    struct writer writer = {.at = to};
    put64(&writer, digest_of(actions, recording->block_bytes));
    recording_note_requests(recording, actions);
    return (size_t)(writer.at - to);
}

size_t recording_read_actions(struct recording *recording, const uint8_t *from, size_t count,
                              const struct actions *actions, bool *ret_is_same)
{
    struct reader reader = {.at = from, .left = count};
    uint64_t digest = get64(&reader);
    if (reader.is_bad) {
        return 0;
    }
    *ret_is_same = digest == digest_of(actions, recording->block_bytes);
    recording_note_requests(recording, actions);
    return (size_t)(reader.at - from);
}
