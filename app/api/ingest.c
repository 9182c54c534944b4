/*
 * ingest.c: POST /v1/ingest/events.
 *
 * The body is decompressed and split as it comes, by the reader that import
 * uses, and its records are handed to the writer's thread as one batch. The
 * answer follows the commit: what it says is on the disk. Until the body is
 * whole nothing of it goes anywhere, so that a request that is cut short
 * leaves nothing behind.
 *
 * Memory for bodies is shared out by the writer; who finds none is told to
 * come again.
 */
#include "api/api_int.h"

#include <string.h>
#include <strings.h>

enum { KEY_BYTES_MAX = 200, RESERVE_STEP_BYTES = 256 << 10 };

/* ---- from bytes to a batch ----------------------------------------------- */

struct collecting {
    struct batch_reading *reading;
    struct record_batch *batch;
    struct batch_record *last;
};

/* Memory is reserved in steps, ahead of what is used. */
static enum err reserve(struct batch_reading *reading)
{
    size_t used = reading->arena->used_bytes;
    if (used > WRITER_RESERVED_BYTES_MAX) {
        reading->too_long = true;
        return err_set(ERR_INPUT, "the records take more memory than there is "
                                  "for all; send them in several requests");
    }
    while (reading->writer && reading->reserved < used) {
        if (!writer_reserve(reading->writer, RESERVE_STEP_BYTES))
            return err_set(ERR_LOCKED,
                           "too much is being taken in at present; come again "
                           "in a second");
        reading->reserved += RESERVE_STEP_BYTES;
    }
    return ERR_NONE;
}

static struct batch_record *add(struct collecting *to, struct text bytes)
{
    struct arena *arena = to->reading->arena;
    struct batch_record *record = arena_alloc(arena, sizeof *record);
    record->bytes = (struct text){
        memcpy(arena_raw(arena, bytes.length), bytes.data, bytes.length),
        bytes.length};
    record->length = bytes.length;
    to->batch->bytes += bytes.length;
    if (to->last)
        to->last->next = record;
    else
        to->batch->first = record;
    to->last = record;
    return record;
}

static enum err take(void *context, struct text record)
{
    struct collecting *to = context;
    add(to, record);
    return reserve(to->reading);
}

static enum err take_oversize(void *context, struct text kept, uint64_t length,
                              const uint8_t sha256[SHA256_BYTES])
{
    struct collecting *to = context;
    struct batch_record *record = add(to, kept);
    record->length = length;
    record->sha256 = memcpy(arena_raw(to->reading->arena, SHA256_BYTES), sha256,
                            SHA256_BYTES);
    return reserve(to->reading);
}

/* Compression is known by its first bytes; a header that says otherwise means
 * that somebody on the way changed one of the two. */
static enum err check_encoding(const char *encoding,
                               const struct reader_report *report)
{
    const char *said = encoding ? encoding : report->compression;
    if (strcasecmp(said, "identity") == 0)
        said = "none";
    else if (strcasecmp(said, "x-gzip") == 0)
        said = "gzip";
    if (strcasecmp(said, report->compression) == 0 || !report->records)
        return ERR_NONE;
    return err_set(ERR_INPUT, "Content-Encoding says %s, the body's bytes %s",
                   encoding, report->compression);
}

enum err batch_read(struct batch_reading *reading,
                    const struct byte_source *source,
                    struct record_batch *batch)
{
    struct reader_report report;
    struct collecting to = {.reading = reading, .batch = batch};
    const struct record_sink sink = {&to, take, take_oversize};
    batch->first = NULL;
    batch->bytes = 0;
    enum err err =
        read_records_within(source, &sink, reading->most_bytes, &report);
    reading->too_long |= report.too_long;
    if (!err && report.truncated)
        err = err_set(ERR_INPUT, "the %s data ends early or is damaged",
                      report.compression);
    return err ? err : check_encoding(reading->encoding, &report);
}

/* ---- the request --------------------------------------------------------- */

static bool is_one_of(const char *word, size_t length, const char *const *list)
{
    for (; *list; list++)
        if (strlen(*list) == length && strncasecmp(word, *list, length) == 0)
            return true;
    return false;
}

static enum err check_headers(const struct request *request)
{
    static const char *const types[] = {"application/json",
                                        "application/x-ndjson",
                                        "application/ndjson",
                                        "application/jsonl",
                                        "application/x-jsonlines",
                                        "application/octet-stream",
                                        "application/gzip",
                                        "application/zstd",
                                        NULL};
    static const char *const encodings[] = {"identity", "gzip", "x-gzip",
                                            "zstd", NULL};
    const char *type = request->content_type;
    const char *encoding = request->content_encoding;
    if (type && !is_one_of(type, strcspn(type, "; \t"), types))
        return err_set(ERR_INPUT,
                       "Content-Type is %.80s; what is taken is "
                       "application/json or application/x-ndjson",
                       type);
    if (encoding && !is_one_of(encoding, strlen(encoding), encodings))
        return err_set(ERR_INPUT,
                       "Content-Encoding is %.80s; what is taken is gzip, "
                       "zstd, or none",
                       encoding);
    return ERR_NONE;
}

/* Keys of different callers never meet. */
static void set_key(const struct request *request, struct record_batch *batch)
{
    struct text parts[] = {text_of(request->token ? request->token->id : ""),
                           {"", 1},
                           text_of(request->idempotency_key)};
    hash_sha256_parts(parts, 3, batch->key.key);
    batch->key.given = true;
}

/* The body's bytes on their way to the reader, hashed. */
struct hashing {
    const struct byte_source *source;
    struct hash_stream *hash;
};

static enum err feed_hashed(void *context, const char **bytes, size_t *length)
{
    struct hashing *hashing = context;
    enum err err =
        hashing->source->feed(hashing->source->context, bytes, length);
    if (!err && *length)
        hash_stream_add(hashing->hash, *bytes, *length);
    return err;
}

static enum err read_body(struct request *request,
                          struct batch_reading *reading,
                          struct record_batch *batch)
{
    struct hashing hashing = {&request->body->source, hash_stream_new()};
    const struct byte_source source = {&hashing, feed_hashed};
    request->body->most_bytes = (uint64_t)request->config->ingest_body_bytes;
    enum err err = batch_read(reading, &source, batch);
    hash_stream_finish(hashing.hash, batch->key.body);
    return err;
}

/* ---- the answer ---------------------------------------------------------- */

static void add_count(struct json_writer *writer, const char *key,
                      uint64_t value)
{
    json_key(writer, key);
    json_int(writer, (int64_t)value);
}

static void add_sums(struct json_writer *writer,
                     const struct record_batch *batch)
{
    uint64_t received = 0;
    uint64_t duplicates = 0;
    uint64_t of_class[EVIDENCE_REJECTED + 1] = {0};
    for (size_t i = 0; i < batch->tally_count; i++) {
        const struct batch_tally *tally = &batch->tallies[i];
        received += tally->received;
        duplicates += tally->duplicates;
        of_class[tally->class] += tally->received;
    }
    add_count(writer, "received", received);
    for (int class = 0; class <= EVIDENCE_REJECTED; class ++)
        add_count(writer, evidence_class_name((enum evidence_class) class),
                  of_class[class]);
    add_count(writer, "duplicates", duplicates);
}

static void write_answer(struct reply *reply, const struct record_batch *batch)
{
    struct json_writer writer = reply_json(reply);
    reply->cache_control = "no-store";
    json_begin(&writer, '{');
    add_sums(&writer, batch);
    json_key(&writer, "by_reason");
    json_begin(&writer, '[');
    for (size_t i = 0; i < batch->tally_count; i++) {
        const struct batch_tally *tally = &batch->tallies[i];
        json_begin(&writer, '{');
        json_key(&writer, "class");
        json_string(&writer, evidence_class_name(tally->class));
        json_key(&writer, "reason");
        json_string(&writer, tally->reason);
        add_count(&writer, "received", tally->received);
        add_count(&writer, "duplicates", tally->duplicates);
        add_count(&writer, "conflicts", tally->conflicts);
        json_end(&writer, '}');
    }
    json_end(&writer, ']');
    json_key(&writer, "repeated");
    json_bool(&writer, batch->repeated);
    json_end(&writer, '}');
}

/* ---- the handler --------------------------------------------------------- */

static enum err refuse(struct reply *reply, int status)
{
    reply_problem(reply, status, err_message(), (struct text){0});
    return ERR_NONE;
}

static enum err take_batch(struct request *request, struct reply *reply,
                           struct record_batch *batch)
{
    enum err err = writer_take(request->writer, batch);
    if (err == ERR_INPUT)
        return refuse(reply, 422);
    if (!err)
        write_answer(reply, batch);
    return err;
}

static enum err take_body(struct request *request, struct reply *reply)
{
    struct arena arena = {0};
    struct record_batch batch = {
        .origin = {.source = text_of("http"), .org = text_of("")}};
    struct batch_reading reading = {
        .arena = &arena,
        .writer = request->writer,
        .most_bytes = (uint64_t)request->config->ingest_decoded_bytes,
        .encoding = request->content_encoding,
    };
    if (request->token)
        batch.origin.org = request->token->org;
    batch.origin.org_wins = true;
    if (request->idempotency_key)
        set_key(request, &batch);
    enum err err = read_body(request, &reading, &batch);
    if (!err)
        err = take_batch(request, reply, &batch);
    else if (reading.too_long || request->body->too_long)
        err = refuse(reply, 413);
    writer_release(request->writer, reading.reserved);
    arena_free(&arena);
    return err;
}

enum err answer_ingest(struct request *request, struct reply *reply)
{
    const char *key = request->idempotency_key;
    if (check_headers(request))
        return refuse(reply, 415);
    if (!request->body)
        return err_set(ERR_INPUT, "the request has no body: send events as "
                                  "NDJSON, as a JSON array, or one by one");
    if (key && (!*key || strlen(key) > KEY_BYTES_MAX))
        return err_set(ERR_INPUT, "an Idempotency-Key has 1 to %d characters",
                       KEY_BYTES_MAX);
    return take_body(request, reply);
}
