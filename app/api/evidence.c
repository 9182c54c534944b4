/*
 * evidence.c: /v1/evidence/lines/{line}: the exact bytes of one line, and the
 * block and chain that vouch for them.
 *
 * A line may have 8 MB, lie in a block of 11, and take six times its length as
 * JSON, and anybody may ask for it on every worker. So lines are read in turn,
 * and of a long one only the beginning is shown, as of one that was too long to
 * be kept; `assay evidence show` prints it whole.
 */
#include "api/serving.h"
#include "base/base64.h"
#include "base/utf8.h"

enum {
    LINE_DIGITS_MAX = 18,
    LINE_INDEX_BITS = 16,
    SHOWN_WHOLE_BYTES = 256 << 10
};

static bool line_number(struct text text, int64_t *line)
{
    *line = 0;
    if (text.length < 1 || text.length > LINE_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *line = *line * 10 + (text.data[i] - '0');
    }
    return true;
}

static enum err add_block(struct request *request, struct json_writer *writer,
                          int64_t line)
{
    static const char *const states[] = {"open", "sealed", "expired"};
    struct query *query = query_start(request->store, QUERY_API_EVIDENCE_BLOCK);
    query_bind_int(query, 1, line >> LINE_INDEX_BITS);
    bool found;
    enum err err = query_step(query, &found);
    json_key(writer, "block");
    if (err || !found) {
        json_null(writer);
        return err;
    }
    json_begin(writer, '{');
    json_key(writer, "number");
    json_int(writer, line >> LINE_INDEX_BITS);
    json_key(writer, "index");
    json_int(writer, line & ((1 << LINE_INDEX_BITS) - 1));
    json_key(writer, "state");
    json_string(writer, states[query_int(query, 0) % 3]);
    json_key(writer, "lines");
    json_int(writer, query_int(query, 1));
    json_key(writer, "sha256");
    json_text(writer, query_text(query, 2));
    json_key(writer, "chain");
    json_text(writer, query_text(query, 3));
    json_end(writer, '}');
    return query_step(query, &found);
}

/* Text where the bytes are text, else base64: JSON cannot hold other bytes. */
static void add_bytes(struct json_writer *writer, struct text bytes)
{
    bool is_text = text_is_utf8(bytes);
    json_key(writer, "text");
    json_text_or_null(writer, is_text ? bytes : (struct text){0});
    if (is_text)
        return;
    struct buf encoded = {0};
    base64_encode(&encoded, bytes);
    json_key(writer, "base64");
    json_text(writer, (struct text){encoded.data, encoded.length});
    buf_free(&encoded);
}

void line_sha256(const struct evidence_line *line,
                 char hex[2 * SHA256_BYTES + 1])
{
    uint8_t hash[SHA256_BYTES];
    if (line->kind == EVIDENCE_OVERSIZE) {
        hash_hex(line->sha256, SHA256_BYTES, hex);
        return;
    }
    hash_sha256(line->bytes.data, line->bytes.length, hash);
    hash_hex(hash, SHA256_BYTES, hex);
}

/* What is told of a line. */
struct told_line {
    struct evidence_line asked;
    struct evidence_line kept; /* the one it repeats, or the same */
    struct text shown;         /* the bytes of KEPT, or their beginning */
    char sha256[2 * SHA256_BYTES + 1];
};

static struct text kept_text(struct arena *arena, struct text text)
{
    text.data = arena_text(arena, text.data, text.length);
    return text;
}

/* What is told outlives SCRATCH, where the lines are. */
static void keep_told(struct arena *arena, struct told_line *told)
{
    struct evidence_line *asked = &told->asked;
    struct text shown = told->kept.bytes;
    if (shown.length > SHOWN_WHOLE_BYTES)
        shown = text_whole_characters(shown, EVIDENCE_KEPT_BYTES);
    told->shown = kept_text(arena, shown);
    asked->source = kept_text(arena, asked->source);
    asked->org = kept_text(arena, asked->org);
}

static enum err read_told(struct store *store, struct arena *arena,
                          int64_t number, struct told_line *told)
{
    struct arena scratch = {0};
    enum err err = evidence_read(store, &scratch, number, &told->asked);
    told->kept = told->asked;
    if (!err && told->asked.kind == EVIDENCE_REPEAT)
        err = evidence_read(store, &scratch, told->asked.repeats, &told->kept);
    if (!err) {
        line_sha256(&told->kept, told->sha256);
        keep_told(arena, told);
    }
    arena_free(&scratch);
    return err;
}

static enum err read_in_turn(struct store *store, struct arena *arena,
                             int64_t number, struct told_line *told)
{
    turn_take(TURN_BLOCK);
    enum err err = read_told(store, arena, number, told);
    turn_give(TURN_BLOCK);
    return err;
}

static void add_hash(struct json_writer *writer, const struct told_line *told)
{
    json_key(writer, "sha256");
    json_string(writer, told->sha256);
}

static void add_line(struct json_writer *writer,
                     const struct evidence_line *line)
{
    json_key(writer, "line");
    json_int(writer, line->line);
    json_key(writer, "source");
    json_text(writer, line->source);
    json_key(writer, "org");
    json_text(writer, line->org);
    json_key(writer, "class");
    json_string(writer, evidence_class_name(line->class));
    json_key(writer, "kind");
    json_string(writer, evidence_kind_name(line->kind));
    json_key(writer, "arrival");
    json_time(writer, line->arrival_ms);
    json_key(writer, "event_time");
    json_time(writer, line->event_ms);
}

static void add_content(struct json_writer *writer,
                        const struct told_line *told)
{
    json_key(writer, "repeats");
    if (told->asked.kind == EVIDENCE_REPEAT)
        json_int(writer, told->asked.repeats);
    else
        json_null(writer);
    json_key(writer, "length");
    json_int(writer, (int64_t)told->kept.length);
    add_hash(writer, told);
    json_key(writer, "shown_bytes");
    json_int(writer, (int64_t)told->shown.length);
    add_bytes(writer, told->shown);
}

enum err answer_line(struct request *request, struct reply *reply)
{
    int64_t number;
    struct told_line told;
    if (!line_number(request->argument, &number))
        return err_set(ERR_INPUT,
                       "a line of evidence is named by its number, "
                       "not by \"%.*s\"",
                       (int)request->argument.length, request->argument.data);
    enum err err = read_in_turn(request->store, request->arena, number, &told);
    if (err)
        return err;
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    add_line(&writer, &told.asked);
    add_content(&writer, &told);
    err = add_block(request, &writer, number);
    json_end(&writer, '}');
    return err;
}
