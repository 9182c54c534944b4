/*
 * ingest.c: POST /v1/ingest/events.
 *
 * The body is read whole, as it is sent, and looked through: that it can be
 * decompressed to its end, and to how much. Then the writer's thread takes its
 * records one by one, decompressed again for that, and the answer follows the
 * commit: what it says is on the disk. Nothing of a body that is cut short goes
 * anywhere.
 *
 * So a body costs no more memory than its sender has sent, whatever it holds.
 * That is shared out by the writer; who finds none is told to come again.
 */
#include "api/api_int.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

_Static_assert((int)CONFIG_INGEST_BODY_BYTES_MAX <=
                   (int)WRITER_RESERVED_BYTES_MAX,
               "a body that is allowed must find room");

enum { KEY_BYTES_MAX = 200, FIRST_BYTES = 64 << 10, SHORT_BYTES = 1 << 20 };

/* ---- what a body is ------------------------------------------------------ */

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
    if (strcasecmp(said, report->compression) == 0 || !report->bytes)
        return ERR_NONE;
    return err_set(ERR_INPUT, "Content-Encoding says %s, the body's bytes %s",
                   encoding, report->compression);
}

static enum err count_record(void *context, struct text record)
{
    uint64_t *records = context;
    (void)record;
    if (++*records <= BODY_RECORDS_MAX)
        return ERR_NONE;
    return err_set(ERR_INPUT,
                   "there are more than %d records; send them in several "
                   "requests",
                   BODY_RECORDS_MAX);
}

static enum err count_oversize(void *context, struct text kept, uint64_t length,
                               const uint8_t sha256[SHA256_BYTES])
{
    (void)length;
    (void)sha256;
    return count_record(context, kept);
}

enum err body_check(struct text body, const char *encoding, uint64_t most_bytes,
                    struct reader_report *report)
{
    uint64_t records = 0;
    const struct record_sink sink = {&records, count_record, count_oversize};
    struct byte_source source = source_of_text(&body);
    enum err err = read_records_within(&source, &sink, most_bytes, report);
    report->too_long |= records > BODY_RECORDS_MAX;
    if (!err && report->truncated)
        err = err_set(ERR_INPUT, "the %s data ends early or is damaged",
                      report->compression);
    return err ? err : check_encoding(encoding, report);
}

/* Looking through a body may take 8 MB for decompressing and as much for its
 * longest line, so it is done for one at a time, unless it is short. */
static enum err check_in_turn(struct text body, const char *encoding,
                              uint64_t most_bytes, struct reader_report *report)
{
    static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    if (body.length <= SHORT_BYTES && !bytes_are_compressed(body))
        return body_check(body, encoding, most_bytes, report);
    pthread_mutex_lock(&turn);
    enum err err = body_check(body, encoding, most_bytes, report);
    pthread_mutex_unlock(&turn);
    return err;
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

/* A body in the making, in memory that the writer shares out. */
struct gathering {
    struct writer *writer;
    struct buf bytes; /* its capacity is what is reserved */
};

static enum err make_room(struct gathering *into, size_t capacity)
{
    size_t more = capacity - into->bytes.capacity;
    if (!writer_reserve(into->writer, more))
        return err_set(ERR_LOCKED, "too much is being taken in at present; "
                                   "come again in a second");
    into->bytes.data = memory_resize(into->bytes.data, capacity);
    into->bytes.capacity = capacity;
    return ERR_NONE;
}

static enum err gather(struct gathering *into, const char *bytes, size_t length,
                       uint64_t most_bytes)
{
    size_t wanted = into->bytes.length + length;
    if (wanted > into->bytes.capacity) {
        size_t twice = 2 * into->bytes.capacity;
        size_t capacity = twice < most_bytes ? twice : (size_t)most_bytes;
        enum err err = make_room(into, capacity < wanted ? wanted : capacity);
        if (err)
            return err;
    }
    buf_add(&into->bytes, bytes, length);
    return ERR_NONE;
}

/* Room for what is promised is had before any of it is asked for; none for what
 * is too long, which the first reading refuses. */
static enum err begin_gathering(struct gathering *into,
                                const struct request_body *body)
{
    uint64_t promised = body_promised_bytes(body);
    if (promised > body->most_bytes)
        return ERR_NONE;
    return make_room(into, promised ? (size_t)promised : FIRST_BYTES);
}

static enum err read_body(struct request *request, struct gathering *into,
                          struct record_batch *batch)
{
    struct request_body *body = request->body;
    struct hash_stream *hash = hash_stream_new();
    const char *bytes;
    size_t length = 1;
    enum err err = begin_gathering(into, body);
    while (!err && length) {
        err = body->source.feed(body->source.context, &bytes, &length);
        if (!err && length) {
            hash_stream_add(hash, bytes, length);
            err = gather(into, bytes, length, body->most_bytes);
        }
    }
    hash_stream_finish(hash, batch->key.body);
    batch->body = (struct text){into->bytes.data, into->bytes.length};
    return err;
}

static enum err check_body(const struct request *request,
                           struct record_batch *batch, bool *too_long)
{
    struct reader_report report;
    uint64_t most = (uint64_t)request->config->ingest_decoded_bytes;
    enum err err =
        check_in_turn(batch->body, request->content_encoding, most, &report);
    batch->decoded_bytes = report.bytes;
    *too_long |= report.too_long;
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
    struct gathering into = {.writer = request->writer};
    struct record_batch batch = {
        .origin = {.source = text_of("http"), .org = text_of("")}};
    if (request->token)
        batch.origin.org = request->token->org;
    batch.origin.org_wins = true;
    if (request->idempotency_key)
        set_key(request, &batch);
    request->body->most_bytes = (uint64_t)request->config->ingest_body_bytes;
    enum err err = read_body(request, &into, &batch);
    bool too_long = request->body->too_long;
    if (!err)
        err = check_body(request, &batch, &too_long);
    if (!err)
        err = take_batch(request, reply, &batch);
    else if (too_long)
        err = refuse(reply, 413);
    writer_release(request->writer, into.bytes.capacity);
    buf_free(&into.bytes);
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
