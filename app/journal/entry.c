/*
 * entry.c: lines of the journal, and the chain that they are, see journal.h.
 */
#include "journal/journal.h"

#include "base/hex.h"

#include <string.h>

/* ---- writing ------------------------------------------------------------- */

static void begin_envelope(struct json_writer *writer,
                           const struct journal_entry *entry)
{
    struct buf time = {0};
    buf_printf(&time, "%lld", (long long)entry->timestamp_ms);
    json_begin(writer, '{');
    json_key(writer, "id");
    json_text(writer, entry->id);
    json_key(writer, "type");
    json_text(writer, entry->type);
    json_key(writer, "timestamp");
    json_string(writer, buf_string(&time));
    json_key(writer, "gateway");
    json_text(writer, entry->vantage);
    json_key(writer, "data");
    json_begin(writer, '{');
    buf_free(&time);
}

void journal_line(struct buf *out, const struct journal_entry *entry,
                  struct journal_head *head)
{
    char previous[2 * SHA256_BYTES + 1];
    size_t start = out->length;
    struct json_writer writer = {.out = out};
    begin_envelope(&writer, entry);
    if (head) {
        hash_hex(head->hash, SHA256_BYTES, previous);
        json_key(&writer, "seq");
        json_int(&writer, head->seq + 1);
        json_key(&writer, "previous");
        json_string(&writer, previous);
    }
    if (entry->members.length)
        json_raw(&writer, entry->members);
    json_end(&writer, '}');
    json_end(&writer, '}');
    if (!head)
        return;
    head->seq++;
    hash_sha256(out->data + start, out->length - start, head->hash);
}

/* ---- reading ------------------------------------------------------------- */

enum { TIME_DIGITS_MAX = 13 };

static bool read_time(struct text digits, int64_t *ms)
{
    *ms = 0;
    if (!digits.length || digits.length > TIME_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        *ms = *ms * 10 + (digits.data[i] - '0');
    }
    return true;
}

static struct text member(struct arena *arena, struct yyjson_val *object,
                          const char *key)
{
    struct yyjson_val *value = json_get(object, key);
    return json_is_string(value) ? json_to_text(arena, value)
                                 : (struct text){"", 0};
}

/* Both members of the chain, or neither. */
static bool read_chain(struct arena *arena, struct journal_line *line)
{
    struct yyjson_val *seq = json_get(line->data, "seq");
    struct text previous = member(arena, line->data, "previous");
    line->seq = 0;
    memset(line->previous, 0, SHA256_BYTES);
    if (!seq && !previous.length)
        return true;
    line->seq = json_is_int64(seq) ? json_to_int(seq) : 0;
    return line->seq > 0 && hex_decode(previous, line->previous, SHA256_BYTES);
}

enum err journal_read(struct arena *arena, struct text line,
                      struct journal_line *read)
{
    struct yyjson_val *root = json_parse(arena, line.data, line.length);
    if (!json_is_object(root))
        return err_set(ERR_INPUT, "it is no JSON object");
    read->type = member(arena, root, "type");
    read->id = member(arena, root, "id");
    read->vantage = member(arena, root, "gateway");
    read->data = json_get(root, "data");
    if (!read_time(member(arena, root, "timestamp"), &read->timestamp_ms))
        return err_set(ERR_INPUT, "its timestamp is no time in milliseconds");
    if (!json_is_object(read->data) || !read->id.length)
        return err_set(ERR_INPUT, "it lacks an id or data");
    if (!read_chain(arena, read))
        return err_set(ERR_INPUT, "its seq or previous is damaged");
    return ERR_NONE;
}

enum err journal_follow(struct journal_head *head, struct text bytes,
                        const struct journal_line *line)
{
    enum err err = ERR_NONE;
    if (line->seq != head->seq + 1)
        err = err_set(ERR_FINDING, "entry %lld comes after entry %lld",
                      (long long)line->seq, (long long)head->seq);
    else if (memcmp(line->previous, head->hash, SHA256_BYTES) != 0)
        err = err_set(ERR_FINDING,
                      "entry %lld does not name the hash of the one before it",
                      (long long)line->seq);
    head->seq = line->seq;
    hash_sha256(bytes.data, bytes.length, head->hash);
    return err;
}
