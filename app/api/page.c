/*
 * page.c: lists in pages, see api_int.h and cursor.h.
 */
#include "api/serving.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* ---- cursors ------------------------------------------------------------- */

/* These may differ from page to page. */
static bool belongs_to_page(struct text name)
{
    return text_is(name, "cursor") || text_is(name, "limit") ||
           text_is(name, "format") || text_is(name, "pin");
}

/* What is asked, whatever the order of the parameters. */
static uint64_t question_of(const struct request *request)
{
    uint64_t question = hash_fast(request->path.data, request->path.length);
    for (size_t i = 0; i < request->query.count; i++) {
        const struct query_parameter *one = &request->query.list[i];
        if (belongs_to_page(one->name))
            continue;
        struct buf pair = {0};
        buf_add_text(&pair, one->name);
        buf_add_text(&pair, one->value);
        question += hash_fast(pair.data, pair.length);
        buf_free(&pair);
    }
    return question;
}

enum err cursor_gone(void)
{
    return err_set(ERR_GONE,
                   "the state of the store that the pages before came from is "
                   "no longer kept; ask again without cursor");
}

enum err cursor_open(struct request *request, struct text text)
{
    if (!place_read(request->arena, text, &request->place))
        return err_set(ERR_INPUT,
                       "parameter \"cursor\" is not one that a list gave; take "
                       "next_cursor of the page before, unchanged");
    if (request->place.question != question_of(request))
        return err_set(
            ERR_INPUT,
            "parameter \"cursor\" was given for another list, or for "
            "other filters; all but limit, format, pin and cursor "
            "must stay as they were");
    request->goes_on = moments_find(request->moments, text, &request->moment);
    return request->goes_on ? ERR_NONE : cursor_gone();
}

enum err cursor_read(struct request *request, const char *shape,
                     struct cursor *cursor)
{
    *cursor = (struct cursor){.given = request->goes_on};
    if (cursor->given && !cursor_decode(request->place.row_key, shape, cursor))
        return err_set(ERR_INPUT, "parameter \"cursor\" is not of this list");
    return ERR_NONE;
}

static void note_rows(struct page *page)
{
    struct reply *reply = page->reply;
    reply->rows_end = reply->body->length;
    reply->rows = hash_fast(reply->body->data + page->rows_at,
                            reply->rows_end - page->rows_at);
}

/* All rows so far: those of the pages before, then those of this one. */
static uint64_t rows_of(const struct page *page)
{
    const struct request *request = page->request;
    uint64_t before = request->goes_on ? request->place.rows : 0;
    return page->reply->rows + 31 * before;
}

static struct text cursor_write(const struct page *page, const char *shape,
                                const struct cursor *last)
{
    const struct request *request = page->request;
    struct place place = {
        .question = question_of(request),
        .rows = rows_of(page),
        .row_key = cursor_encode(request->arena, shape, last),
    };
    return place_write(request->arena, &place);
}

/* ---- the list ------------------------------------------------------------ */

static void begin_csv(struct reply *reply, struct fields fields,
                      const char *more)
{
    reply->content_type = "text/csv; charset=utf-8; header=present";
    csv_names(reply->body, fields);
    buf_add_string(reply->body, more ? more : "");
    buf_add_string(reply->body, "\r\n");
}

static void begin_json(struct page *page)
{
    json_begin(&page->writer, '{');
    json_key(&page->writer, "data");
    json_begin(&page->writer, '[');
}

static struct page page_of(const struct request *request, struct reply *reply,
                           int64_t limit)
{
    struct text given = parameter_text(request, "limit");
    reply->is_list = true;
    if (given.data)
        limit = strtol(arena_text(request->arena, given.data, given.length),
                       NULL, 10);
    return (struct page){.request = request,
                         .reply = reply,
                         .limit = limit,
                         .told_until_ms = ABSENT_INT};
}

struct page page_begin(const struct request *request, struct reply *reply,
                       struct fields fields, const char *more)
{
    struct json_writer writer = reply_json(reply);
    struct page page = page_of(request, reply, LIMIT_STANDARD);
    reply->varies_by_accept = true;
    page.writer = writer;
    page.csv = wants_csv(request);
    if (page.csv)
        begin_csv(reply, fields, more);
    else
        begin_json(&page);
    page.rows_at = reply->body->length;
    return page;
}

struct page page_within(const struct request *request, struct reply *reply,
                        struct json_writer *writer, int64_t limit)
{
    struct page page = page_of(request, reply, limit);
    page.writer = *writer;
    page.rows_at = reply->body->length;
    return page;
}

void page_as_of(struct page *page, const struct knowledge *known)
{
    if (parameter_text(page->request, "as_of").data)
        page->known = known;
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

void page_add_row(struct page *page, struct fields fields, const void *row)
{
    if (page->csv) {
        csv_row(page->reply->body, fields, row);
        buf_add_string(page->reply->body, "\r\n");
        return;
    }
    json_begin(&page->writer, '{');
    json_fields(&page->writer, fields, fields.exported, row);
    json_end(&page->writer, '}');
}

void page_tells_until(struct page *page, int64_t ms)
{
    if (ms > page->told_until_ms)
        page->told_until_ms = ms;
}

/* NEXT has no data where nothing follows. */
static void add_pagination(struct page *page, struct text next)
{
    struct json_writer *writer = &page->writer;
    json_key(writer, "pagination");
    json_begin(writer, '{');
    json_key(writer, "next_cursor");
    json_text_or_null(writer, next);
    json_key(writer, "has_more");
    json_bool(writer, page->more);
    json_key(writer, "page_size");
    json_int(writer, page->limit);
    json_end(writer, '}');
}

/* By what the rows are as of a time. */
static void add_known(struct page *page)
{
    static const char *const words[] = {[KNOWN_ALL] = "all",
                                        [KNOWN_BY_TIME] = "event_time",
                                        [KNOWN_BY_ARRIVAL] = "arrival"};
    json_key(&page->writer, "as_of");
    json_time(&page->writer, page->known->until_ms);
    json_key(&page->writer, "known_by");
    json_string(&page->writer, words[page->known->basis]);
}

/* The envelope behind the rows. */
static void end_envelope(struct page *page, struct text next)
{
    struct json_writer *writer = &page->writer;
    json_end(writer, ']');
    add_pagination(page, next);
    json_key(writer, "meta");
    json_begin(writer, '{');
    json_key(writer, "generated_at");
    json_time(writer, page->told_until_ms);
    if (page->request->facts->is_simulated)
        json_member_bool(writer, "simulated", true);
    if (page->known)
        add_known(page);
    json_end(writer, '}');
    json_end(writer, '}');
}

/* RFC 8288: the next page of a form that has no envelope. */
static void link_next(const struct request *request, struct reply *reply,
                      struct text next)
{
    struct buf query = {0};
    for (const char *at = request->raw_query; *at;) {
        size_t length = strcspn(at, "&");
        bool is_other =
            strncmp(at, "cursor=", 7) == 0 || strncmp(at, "pin=", 4) == 0;
        if (length && !is_other) {
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

static struct text end_rows(struct page *page, const char *shape,
                            const struct cursor *last)
{
    struct text next = {0};
    note_rows(page);
    if (page->more)
        next = cursor_write(page, shape, last);
    page->reply->cursor = next.data;
    return next;
}

void page_end(struct page *page, const char *shape, const struct cursor *last)
{
    struct text next = end_rows(page, shape, last);
    if (!page->csv)
        end_envelope(page, next);
    else if (page->more)
        link_next(page->request, page->reply, next);
}

void page_end_within(struct page *page, const char *shape,
                     const struct cursor *last)
{
    add_pagination(page, end_rows(page, shape, last));
}
