/*
 * run_line.c: runs and their samples as lines of the journal, and back.
 *
 * A series is written as its first value and then the differences, which are
 * short. Bytes that were received stand in base64, as they need not be text.
 */
#include "journal/journal_int.h"

#include "base/base64.h"
#include "base/utf8.h"

/* ---- writing samples ----------------------------------------------------- */

static void write_series(struct json_writer *writer,
                         const struct sample_series *series)
{
    uint64_t before = 0;
    json_key(writer, series->name);
    json_begin(writer, '[');
    for (size_t i = 0; i < series->count; i++) {
        uint64_t value = (uint64_t)series->values[i];
        json_int(writer, (int64_t)(value - before));
        before = value;
    }
    json_end(writer, ']');
}

static void write_base64(struct json_writer *writer, struct text bytes)
{
    struct buf coded = {0};
    base64_encode(&coded, bytes);
    json_key(writer, "base64");
    json_text(writer, (struct text){coded.data, coded.length});
    buf_free(&coded);
}

static void write_hash(struct json_writer *writer, struct text bytes)
{
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    hash_sha256(bytes.data, bytes.length, hash);
    hash_hex(hash, sizeof hash, hex);
    json_key(writer, "length");
    json_int(writer, (int64_t)bytes.length);
    json_key(writer, "sha256");
    json_string(writer, hex);
}

static void write_received(struct json_writer *writer,
                           const struct received_bytes *received, size_t *left)
{
    bool fits = received->bytes.length <= *left;
    json_begin(writer, '{');
    json_key(writer, "name");
    json_string(writer, received->name);
    json_key(writer, "at_us");
    json_int(writer, received->at_us);
    if (fits)
        write_base64(writer, received->bytes);
    else
        write_hash(writer, received->bytes);
    *left -= fits ? received->bytes.length : 0;
    json_end(writer, '}');
}

static void write_samples(struct buf *out, const struct run_samples *samples)
{
    struct json_writer writer = {.out = out};
    size_t left = RUN_RECEIVED_BYTES_MAX;
    json_key(&writer, "series");
    json_begin(&writer, '{');
    for (size_t i = 0; i < samples->series_count; i++)
        write_series(&writer, &samples->series[i]);
    json_end(&writer, '}');
    json_key(&writer, "received");
    json_begin(&writer, '[');
    for (size_t i = 0; i < samples->received_count; i++)
        write_received(&writer, &samples->received[i], &left);
    json_end(&writer, ']');
}

/* ---- writing runs -------------------------------------------------------- */

/* Texts that an orchestrator chose: any length, any bytes. */
static void tidy_texts(struct arena *arena, struct run *run)
{
    for (size_t i = 0; i < run_fields.exported; i++) {
        const struct field *field = &run_fields.list[i];
        struct text *text = (void *)((char *)run + field->offset);
        if (!field_holds_text(field) || !text->data)
            continue;
        if (text->length > RUN_TEXT_MAX_BYTES)
            text->length = RUN_TEXT_MAX_BYTES;
        if (text_is_utf8(*text))
            continue;
        struct buf repaired = {0};
        buf_add_repaired(&repaired, *text);
        *text = kept(arena, &repaired);
    }
}

static struct text vantage_of(const struct run *run)
{
    return run->vantage.data ? run->vantage : text_of("");
}

static struct text samples_line(struct arena *arena, const struct run *run,
                                const struct run_samples *samples)
{
    struct buf members = {0};
    struct buf line = {0};
    write_samples(&members, samples);
    struct journal_entry entry = {.type = text_of(JOURNAL_TYPE_SAMPLES),
                                  .id = run->run_id,
                                  .timestamp_ms = run->started_at,
                                  .vantage = vantage_of(run),
                                  .members = {members.data, members.length}};
    journal_line(&line, &entry, NULL);
    buf_free(&members);
    return kept(arena, &line);
}

static void set_samples_hash(struct arena *arena, struct run *run,
                             struct text line)
{
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    hash_sha256(line.data, line.length, hash);
    hash_hex(hash, sizeof hash, hex);
    run->samples_sha256 = text_of(arena_text(arena, hex, 2 * SHA256_BYTES));
}

struct journal_entry run_entry(struct arena *arena, struct run *run,
                               const struct run_samples *samples)
{
    tidy_texts(arena, run);
    run_round(run);
    struct journal_entry entry = {.type = text_of(JOURNAL_TYPE_RUN),
                                  .id = run->run_id,
                                  .timestamp_ms = run->started_at,
                                  .vantage = vantage_of(run),
                                  .attachment = {"", 0}};
    run->samples_sha256 = (struct text){NULL, 0};
    if (samples) {
        entry.attachment = samples_line(arena, run, samples);
        set_samples_hash(arena, run, entry.attachment);
    }
    struct buf members = {0};
    struct json_writer writer = {.out = &members};
    fields_write_integers(&writer, run_fields, run);
    entry.members = kept(arena, &members);
    return entry;
}

/* ---- reading ------------------------------------------------------------- */

static bool is_concluded(const struct run *run)
{
    enum outcome outcome;
    enum reason reason = REASON_NONE;
    if (!run->outcome.data || !outcome_named(run->outcome, &outcome))
        return false;
    if (run->reason.data && !reason_named(run->reason, &reason))
        return false;
    return reason_entry(reason)->outcome == outcome;
}

enum err run_read(struct arena *arena, const struct journal_line *line,
                  struct run *run)
{
    if (!text_is(line->type, JOURNAL_TYPE_RUN))
        return err_set(ERR_INPUT, "it is no run");
    enum err err = fields_read_integers(arena, line->data, run_fields, run);
    if (err)
        return err;
    if (!run->run_id.data || !text_equal(run->run_id, line->id) ||
        run->started_at != line->timestamp_ms)
        return err_set(ERR_INPUT, "run_id or start are not the line's own");
    if (!is_concluded(run))
        return err_set(ERR_INPUT, "its outcome and reason do not fit");
    return ERR_NONE;
}

static enum err read_series(struct arena *arena, struct yyjson_val *list,
                            struct sample_series *series)
{
    struct json_iterator iterator = json_iterate(list);
    struct yyjson_val *value;
    int64_t *values = arena_array(arena, json_count(list), sizeof *values);
    uint64_t sum = 0;
    series->values = values;
    while ((value = json_next(&iterator, NULL))) {
        if (!json_is_int64(value))
            return err_set(ERR_INPUT, "series %s holds what is no integer",
                           series->name);
        sum += (uint64_t)json_to_int(value);
        values[series->count++] = (int64_t)sum;
    }
    return json_is_array(list)
               ? ERR_NONE
               : err_set(ERR_INPUT, "series %s is no list", series->name);
}

static enum err read_all_series(struct arena *arena, struct yyjson_val *object,
                                struct run_samples *samples)
{
    struct json_iterator iterator = json_iterate(object);
    struct text name;
    struct yyjson_val *list;
    enum err err = ERR_NONE;
    struct sample_series *all =
        arena_array(arena, json_count(object), sizeof *all);
    samples->series = all;
    while (!err && (list = json_next(&iterator, &name))) {
        struct sample_series *series = &all[samples->series_count++];
        series->name = arena_text(arena, name.data, name.length);
        err = read_series(arena, list, series);
    }
    return err;
}

/* Bytes that did not fit come back empty. */
static enum err read_received(struct arena *arena, struct yyjson_val *value,
                              struct received_bytes *received)
{
    struct text name = json_to_text(arena, json_get(value, "name"));
    struct yyjson_val *coded = json_get(value, "base64");
    received->name = arena_text(arena, name.data, name.length);
    received->at_us = json_to_int(json_get(value, "at_us"));
    received->bytes = (struct text){"", 0};
    if (coded &&
        !base64_decode(arena, json_to_text(arena, coded), &received->bytes))
        return err_set(ERR_INPUT, "%s is no base64", received->name);
    return ERR_NONE;
}

static enum err read_all_received(struct arena *arena, struct yyjson_val *list,
                                  struct run_samples *samples)
{
    struct json_iterator iterator = json_iterate(list);
    struct yyjson_val *value;
    enum err err = ERR_NONE;
    struct received_bytes *all =
        arena_array(arena, json_count(list), sizeof *all);
    samples->received = all;
    while (!err && (value = json_next(&iterator, NULL)))
        err = read_received(arena, value, &all[samples->received_count++]);
    return err;
}

enum err run_samples_read(struct arena *arena, const struct journal_line *line,
                          struct run_samples *samples)
{
    struct yyjson_val *series = json_get(line->data, "series");
    struct yyjson_val *received = json_get(line->data, "received");
    *samples = (struct run_samples){0};
    if (!text_is(line->type, JOURNAL_TYPE_SAMPLES) || !json_is_object(series) ||
        !json_is_array(received))
        return err_set(ERR_INPUT, "it holds no samples");
    enum err err = read_all_series(arena, series, samples);
    return err ? err : read_all_received(arena, received, samples);
}
