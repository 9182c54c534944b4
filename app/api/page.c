/*
 * page.c: lists in pages.
 *
 * A cursor is the sort key of the last row that was shown, as a JSON array in
 * base64url. The next page begins behind that key, so rows that arrive
 * meanwhile neither repeat nor hide any; and a cursor that somebody makes up
 * can only name another place in the same list.
 */
#include "api/api_int.h"
#include "base/base64.h"
#include <stdlib.h>
#include <string.h>

/* ---- cursors ------------------------------------------------------------- */

struct text cursor_write(struct arena *arena, const char *shape,
                         const struct cursor *cursor)
{
    struct buf json = {0};
    struct buf encoded = {0};
    struct json_writer writer = {.out = &json};
    json_begin(&writer, '[');
    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == 'i')
            json_int(&writer, cursor->parts[i].number);
        else
            json_text(&writer, cursor->parts[i].text);
    }
    json_end(&writer, ']');
    base64url_encode(&encoded, (struct text){json.data, json.length});
    char *copy = arena_text(arena, encoded.data, encoded.length);
    struct text text = {copy, encoded.length};
    buf_free(&json);
    buf_free(&encoded);
    return text;
}

static bool part_read(struct arena *arena, char kind, struct yyjson_val *value,
                      struct cursor_part *part)
{
    if (kind == 'i') {
        part->number = json_to_int(value);
        return json_is_number(value);
    }
    part->text = json_to_text(arena, value);
    return json_is_string(value);
}

static bool parts_read(struct arena *arena, const char *shape,
                       struct text encoded, struct cursor *cursor)
{
    struct text json;
    if (!base64url_decode(arena, encoded, &json))
        return false;
    struct yyjson_val *root = json_parse(arena, json.data, json.length);
    if (!json_is_array(root) || json_count(root) != strlen(shape))
        return false;
    struct json_iterator iterator = json_iterate(root);
    for (size_t i = 0; shape[i]; i++) {
        struct yyjson_val *value = json_next(&iterator, NULL);
        if (!part_read(arena, shape[i], value, &cursor->parts[i]))
            return false;
    }
    return true;
}

enum err cursor_read(struct request *request, const char *shape,
                     struct cursor *cursor)
{
    struct text given = parameter_text(request, "cursor");
    *cursor = (struct cursor){.given = given.data != NULL};
    if (given.data && !parts_read(request->arena, shape, given, cursor))
        return err_set(ERR_INPUT,
                       "parameter \"cursor\" is not one that this list gave; "
                       "take next_cursor of the page before, unchanged");
    return ERR_NONE;
}

/* ---- the envelope -------------------------------------------------------- */

/* When the newest accepted line came. An answer that told its own time would
 * have another entity tag each time. */
static int64_t newest_arrival(struct store *store)
{
    struct query *query = query_start(store, QUERY_API_NEWEST_ARRIVAL);
    int64_t ms = ABSENT_INT;
    bool row;
    enum err err = query_step(query, &row);
    if (!err && row && !query_is_null(query, 0))
        ms = query_int(query, 0);
    while (!err && row)
        err = query_step(query, &row);
    return ms;
}

struct page page_begin(const struct request *request, struct reply *reply)
{
    struct text limit = parameter_text(request, "limit");
    struct page page = {.writer = reply_json(reply),
                        .limit = LIMIT_STANDARD,
                        .data_ms = newest_arrival(request->store)};
    if (limit.data)
        page.limit = strtol(
            arena_text(request->arena, limit.data, limit.length), NULL, 10);
    json_begin(&page.writer, '{');
    json_key(&page.writer, "data");
    json_begin(&page.writer, '[');
    return page;
}

int64_t page_rows(const struct page *page)
{
    return page->limit + 1;
}

bool page_wants_row(struct page *page)
{
    page->more = page->rows == page->limit;
    if (page->more)
        return false;
    page->rows++;
    return true;
}

void page_end(struct page *page, struct text next)
{
    struct json_writer *writer = &page->writer;
    json_end(writer, ']');
    json_key(writer, "pagination");
    json_begin(writer, '{');
    json_key(writer, "next_cursor");
    json_text_or_null(writer, page->more ? next : (struct text){0});
    json_key(writer, "has_more");
    json_bool(writer, page->more);
    json_key(writer, "page_size");
    json_int(writer, page->limit);
    json_end(writer, '}');
    json_key(writer, "meta");
    json_begin(writer, '{');
    json_key(writer, "generated_at");
    json_time(writer, page->data_ms);
    json_end(writer, '}');
    json_end(writer, '}');
}

void reply_link_next(const struct request *request, struct reply *reply,
                     struct text next)
{
    if (!next.data)
        return;
    struct buf query = {0};
    for (const char *at = request->raw_query; *at;) {
        size_t length = strcspn(at, "&");
        bool is_cursor = strncmp(at, "cursor=", 7) == 0;
        if (length && !is_cursor) {
            buf_add(&query, at, length);
            buf_add_byte(&query, '&');
        }
        at += length;
        at += *at == '&';
    }
    reply->link =
        arena_printf(request->arena, "<%.*s?%scursor=%.*s>; rel=\"next\"",
                     (int)request->path.length, request->path.data,
                     buf_string(&query), (int)next.length, next.data);
    buf_free(&query);
}
