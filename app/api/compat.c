/*
 * compat.c: /compat/v1/streaming/...: answers as the publisher gives them
 * (§4.1, §4.2), for clients that shall not notice the difference.
 *
 * So a null is 0 or "", a time that cannot be read is silently the default, a
 * wrong limit is 50, an unknown parameter is nothing, and the cursor leaves
 * the organisation out and can lose a row of the second one at the edge of a
 * page. Who wants none of that asks at /v1/streaming.
 */
#include "api/serving.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

enum {
    REQUEST_ID_BYTES = 16,
    COMPAT_LIMIT_AT = 8,
    COMPAT_KEYS_MAX = 4,
    COMPAT_COLUMNS_MAX = 12
};

/* ---- parameters ---------------------------------------------------------- */

/* "2026-01-08T21:00:00Z", with an offset instead of Z, with a fraction; days
 * and times without zone are not read there. */
static bool is_full_time(struct text text)
{
    const char *at = text.data;
    if (text.length < 20 || at[4] != '-' || at[7] != '-' || at[10] != 'T' ||
        at[13] != ':' || at[16] != ':')
        return false;
    const char *zone = at + text.length - 6;
    return at[text.length - 1] == 'Z' ||
           (strchr("+-", zone[0]) && zone[3] == ':');
}

int64_t compat_time(const struct request *request, const char *name,
                    int64_t otherwise_ms)
{
    struct text value = parameter_text(request, name);
    int64_t ms;
    return value.data && is_full_time(value) &&
                   clock_parse(value.data, value.length, &ms)
               ? ms
               : otherwise_ms;
}

static int64_t limit_or_standard(const struct request *request)
{
    struct text value = parameter_text(request, "limit");
    int64_t number = 0;
    size_t i = value.length && value.data[0] == '+';
    for (; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9' || number > LIMIT_MAX)
            return LIMIT_STANDARD;
        number = number * 10 + (value.data[i] - '0');
    }
    return number >= 1 && number <= LIMIT_MAX ? number : LIMIT_STANDARD;
}

/* A number above 0, with a sign or without; -1 for what is none. */
static int64_t number_above_0(struct text text)
{
    int64_t number = 0;
    size_t i = text.length && text.data[0] == '+';
    for (; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || number > INT32_MAX)
            return -1;
        number = number * 10 + (text.data[i] - '0');
    }
    return number > 0 ? number : -1;
}

static struct text trimmed(struct text text)
{
    while (text.length && text.data[0] == ' ') {
        text.data++;
        text.length--;
    }
    while (text.length && text.data[text.length - 1] == ' ')
        text.length--;
    return text;
}

int64_t compat_window_hours(const struct request *request)
{
    enum { STANDARD = 24, MOST = 168, HOURS_PER_DAY = 24 };
    struct text text = trimmed(parameter_text(request, "window"));
    char unit = text.length ? text.data[text.length - 1] : '\0';
    text.length -= unit == 'h' || unit == 'd';
    int64_t hours = number_above_0(text);
    if (unit == 'd')
        hours *= HOURS_PER_DAY;
    if (hours < 1)
        return STANDARD;
    return hours < MOST ? hours : MOST;
}

int64_t compat_limit(const struct request *request, int64_t standard,
                     int64_t most)
{
    int64_t number = number_above_0(parameter_text(request, "limit"));
    if (number < 1)
        return standard;
    return number < most ? number : most;
}

static enum err refuse_offsets(const struct request *request)
{
    static const char *const gone[] = {"offset", "page", "page_size"};
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        if (parameter_text(request, gone[i]).data)
            return err_set(ERR_INPUT,
                           "parameter \"%s\" is gone; pages are taken with "
                           "limit and cursor",
                           gone[i]);
    return ERR_NONE;
}

/* ---- cursors ------------------------------------------------------------- */

/* All parts are texts there, the time, too. */
static bool number_of(struct text text, int64_t *number)
{
    size_t i = text.length && text.data[0] == '-';
    if (i == text.length || text.length > 18)
        return false;
    *number = 0;
    for (; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *number = *number * 10 + (text.data[i] - '0');
    }
    if (text.data[0] == '-')
        *number = -*number;
    return true;
}

/* As many texts as there are parts. */
static bool texts_read(struct arena *arena, struct text encoded, size_t count,
                       struct cursor *cursor)
{
    struct text json;
    if (!base64url_decode(arena, encoded, &json))
        return false;
    struct yyjson_val *root = json_parse(arena, json.data, json.length);
    if (!json_is_array(root) || json_count(root) != count)
        return false;
    struct json_iterator iterator = json_iterate(root);
    for (size_t i = 0; i < count; i++) {
        struct yyjson_val *value = json_next(&iterator, NULL);
        if (!json_is_string(value))
            return false;
        cursor->parts[i].text = json_to_text(arena, value);
    }
    return true;
}

/* COUNT is that of the keys after the time. */
static enum err compat_cursor(struct request *request, size_t count,
                              struct cursor *cursor)
{
    struct text text = parameter_text(request, "cursor");
    *cursor = (struct cursor){.given = text.length > 0};
    if (cursor->given &&
        !(texts_read(request->arena, text, 1 + count, cursor) &&
          number_of(cursor->parts[0].text, &cursor->parts[0].number)))
        return err_set(ERR_INPUT, "invalid cursor");
    return ERR_NONE;
}

/* ---- rows with zeros for nulls ------------------------------------------- */

/* One of the three tables as the publisher shows it. */
struct compat_series {
    const struct fields *fields;
    size_t row_bytes;
    enum query_id query;
    size_t key_count;
    const char *keys[COMPAT_KEYS_MAX]; /* of the cursor, after the time */
    const char *columns[COMPAT_COLUMNS_MAX + 1];
};

void compat_number(struct json_writer *writer, double value)
{
    if (isnan(value))
        json_int(writer, 0);
    else if (value == trunc(value) && fabs(value) < 1e15)
        json_int(writer, (int64_t)value);
    else
        json_double(writer, value);
}

/* 0001-01-01: a time that was never set, in Go. */
static const int64_t GO_ZERO_MS = -62135596800000;

/* A fraction without its trailing zeros, as their encoder writes it. */
static void add_time(struct json_writer *writer, int64_t ms)
{
    char bytes[CLOCK_TEXT_BYTES];
    size_t length = strlen(clock_text_ms(ms, bytes)) - 1; /* before the Z */
    while (bytes[length - 1] == '0')
        length--;
    if (bytes[length - 1] == '.')
        length--;
    memcpy(bytes + length, "Z", 2);
    json_string(writer, bytes);
}

void compat_value(struct json_writer *writer, const struct field *field,
                  const void *row)
{
    bool absent = field_is_absent(field, row);
    json_key(writer, field->name);
    switch (field->kind) {
    case FIELD_TEXT:
        json_text(writer, field_key(field, row));
        break;
    case FIELD_DOUBLE:
        compat_number(writer, absent ? 0 : field_double(field, row));
        break;
    case FIELD_WINDOW:
        json_window(writer, field_int(field, row));
        break;
    case FIELD_TIME:
        add_time(writer, absent ? GO_ZERO_MS : field_int(field, row));
        break;
    default:
        json_int(writer, absent ? 0 : field_int(field, row));
        break;
    }
}

static void add_row(struct json_writer *writer,
                    const struct compat_series *series, const void *row)
{
    json_begin(writer, '{');
    for (size_t i = 0; series->columns[i]; i++)
        compat_value(writer, field_named(*series->fields, series->columns[i]),
                     row);
    json_end(writer, '}');
}

/* ---- pages --------------------------------------------------------------- */

enum err compat_open(struct compat_page *page, struct request *request,
                     size_t key_count)
{
    *page = (struct compat_page){.request = request,
                                 .limit = limit_or_standard(request)};
    enum err err = refuse_offsets(request);
    return err ? err : compat_cursor(request, key_count, &page->after);
}

void compat_begin(struct compat_page *page, struct reply *reply)
{
    page->writer = reply_json(reply);
    json_begin(&page->writer, '{');
    json_key(&page->writer, "data");
    json_begin(&page->writer, '[');
}

void compat_end(struct compat_page *page, struct text next)
{
    uint8_t id[REQUEST_ID_BYTES];
    struct json_writer *writer = &page->writer;
    char *hex = arena_alloc(page->request->arena, 2 * REQUEST_ID_BYTES + 1);
    random_bytes(id, sizeof id);
    hash_hex(id, sizeof id, hex);
    json_end(writer, ']');
    json_key(writer, "pagination");
    json_begin(writer, '{');
    json_key(writer, "next_cursor");
    json_text(writer, next);
    json_key(writer, "has_more");
    json_bool(writer, next.length > 0);
    json_key(writer, "page_size");
    json_int(writer, page->rows);
    json_end(writer, '}');
    json_key(writer, "meta");
    json_begin(writer, '{');
    json_key(writer, "generated_at");
    json_time(writer, present_ms(page->request));
    json_key(writer, "request_id");
    json_string(writer, hex);
    json_end(writer, '}');
    json_end(writer, '}');
}

struct text compat_cursor_text(struct arena *arena, int64_t ms,
                               const struct text *keys, size_t count)
{
    struct buf json = {0};
    struct buf encoded = {0};
    struct json_writer writer = {.out = &json};
    json_begin(&writer, '[');
    json_string(&writer, arena_printf(arena, "%lld", (long long)ms));
    for (size_t i = 0; i < count; i++)
        json_text(&writer, keys[i]);
    json_end(&writer, ']');
    base64url_encode(&encoded, (struct text){json.data, json.length});
    struct text text = {arena_text(arena, encoded.data, encoded.length),
                        encoded.length};
    buf_free(&json);
    buf_free(&encoded);
    return text;
}

static struct query *ask(struct request *request,
                         const struct compat_series *series,
                         const struct cursor *cursor, int64_t limit)
{
    int64_t now = present_ms(request);
    struct query *query = query_start(request->store, series->query);
    query_bind_int(query, 1, compat_time(request, "start", now - MS_PER_DAY));
    query_bind_int(query, 2, compat_time(request, "end", now));
    query_bind_null(query, 3);
    /* As there, a cursor at 1970 is none. */
    if (cursor->given && cursor->parts[0].number != 0) {
        query_bind_int(query, 3, cursor->parts[0].number);
        for (size_t i = 1; i <= series->key_count; i++)
            query_bind_text(query, 3 + (int)i, cursor->parts[i].text);
    }
    query_bind_int(query, COMPAT_LIMIT_AT, limit + 1);
    return query;
}

static struct text next_cursor(struct arena *arena,
                               const struct compat_series *series,
                               const void *row)
{
    struct text keys[COMPAT_KEYS_MAX];
    for (size_t i = 0; i < series->key_count; i++)
        keys[i] = field_key(field_named(*series->fields, series->keys[i]), row);
    return compat_cursor_text(
        arena, field_int(field_named(*series->fields, "window_start"), row),
        keys, series->key_count);
}

static enum err answer(const struct compat_series *series,
                       struct request *request, struct reply *reply)
{
    struct compat_page page;
    enum err err = compat_open(&page, request, series->key_count);
    if (err)
        return err;
    struct query *query = ask(request, series, &page.after, page.limit);
    void *row = arena_alloc(request->arena, series->row_bytes);
    struct text next = text_of("");
    bool more;
    compat_begin(&page, reply);
    while (!(err = query_step(query, &more)) && more &&
           page.rows < page.limit) {
        fields_read(request->arena, query, 0, *series->fields, row);
        add_row(&page.writer, series, row);
        page.rows++;
    }
    if (err)
        return err;
    if (more)
        next = next_cursor(request->arena, series, row);
    compat_end(&page, next);
    return ERR_NONE;
}

/* ---- the three tables ---------------------------------------------------- */

enum err compat_sla(struct request *request, struct reply *reply)
{
    static const struct compat_series series = {
        .fields = &sla_fields,
        .row_bytes = sizeof(struct sla_row),
        .query = QUERY_COMPAT_SLA,
        .key_count = 4,
        .keys = {"orchestrator_address", "pipeline_id", "model_id", "gpu_id"},
        .columns = {"window_start", "org", "orchestrator_address",
                    "pipeline_id", "model_id", "gpu_id", "requested_sessions",
                    "startup_success_sessions", "effective_success_rate",
                    "no_swap_rate", "avg_output_fps", "sla_score"},
    };
    return answer(&series, request, reply);
}

enum err compat_demand(struct request *request, struct reply *reply)
{
    static const struct compat_series series = {
        .fields = &demand_fields,
        .row_bytes = sizeof(struct demand_row),
        .query = QUERY_COMPAT_DEMAND,
        .key_count = 3,
        .keys = {"gateway", "pipeline_id", "model_id"},
        .columns = {"window_start", "org", "gateway", "pipeline_id", "model_id",
                    "requested_sessions", "startup_success_sessions",
                    "effective_success_rate", "total_minutes",
                    "no_orch_sessions"},
    };
    return answer(&series, request, reply);
}

enum err compat_gpu_metrics(struct request *request, struct reply *reply)
{
    static const struct compat_series series = {
        .fields = &gpu_fields,
        .row_bytes = sizeof(struct gpu_row),
        .query = QUERY_COMPAT_GPU_METRICS,
        .key_count = 4,
        .keys = {"orchestrator_address", "pipeline_id", "model_id", "gpu_id"},
        .columns = {"window_start", "org", "orchestrator_address",
                    "pipeline_id", "model_id", "gpu_id", "gpu_model_name",
                    "known_sessions_count", "startup_success_sessions",
                    "avg_output_fps", "avg_e2e_latency_ms", "swap_rate"},
    };
    return answer(&series, request, reply);
}
