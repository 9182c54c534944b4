/*
 * payments.c: /v1/payments: payments one by one, newest first, with the
 * sessions that they were made for; by lens assay also with what they are worth
 * on average (rollup/payments.c).
 *
 * They are no table: an organisation's day of them is made of its events, a few
 * minutes at a time, from the newest back, since most of them lie in the
 * evidence alone (livepeer/request_runs.h), and a page ends soon. A cursor is
 * when those minutes begin, the organisation, and how many of their payments
 * have been told; they are the same ones as long as the state of the store is.
 */
#include "api/serving.h"
#include "base/clock.h"

#include <stdlib.h>

static const char shape[] = "iti";

enum { SPAN_MS = 10 * 60 * 1000 };

struct org_day {
    int64_t day;
    struct text org;
};

struct payments_asked {
    struct request *request;
    const struct lens *lens;
    struct fields fields;
    int64_t start;
    int64_t end;
    struct text orchestrator;
    struct text session;
    struct text about; /* the recipient or request of all that are wanted */
    struct cursor cursor;
    struct org_day *days;
    size_t day_count;
};

static int compare_days(const void *left, const void *right)
{
    const struct org_day *a = left;
    const struct org_day *b = right;
    if (a->day != b->day)
        return a->day > b->day ? -1 : 1;
    return text_compare(a->org, b->org);
}

static enum err add_days(struct payments_asked *asked, struct text org)
{
    struct arena *arena = asked->request->arena;
    int64_t *days;
    size_t count = 0;
    enum err err = request_days(asked->request->store, arena, GROUP_PAYMENTS,
                                org, asked->start, asked->end, &days, &count);
    for (size_t i = 0; !err && i < count; i++) {
        asked->days = arena_grow(arena, asked->days, asked->day_count,
                                 sizeof *asked->days);
        asked->days[asked->day_count++] = (struct org_day){days[i], org};
    }
    return err;
}

/* Of all organisations that are asked for, the newest first. */
static enum err find_days(struct payments_asked *asked)
{
    struct request *request = asked->request;
    struct text *orgs;
    size_t count = 0;
    enum err err = request_orgs(request->store, request->arena, GROUP_PAYMENTS,
                                parameter_text(request, "org"), &orgs, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = add_days(asked, orgs[i]);
    if (asked->day_count)
        qsort(asked->days, asked->day_count, sizeof *asked->days, compare_days);
    return err;
}

/* As published, payments of a session are those of its request. */
static enum err find_request(struct payments_asked *asked)
{
    struct request *request = asked->request;
    if (!asked->session.data || lens_is_assay(asked->lens))
        return ERR_NONE;
    struct query *query = query_start(request->store, QUERY_SESSION_REQUEST);
    query_bind_text(query, 1, asked->session);
    bool row;
    enum err err = query_step(query, &row);
    if (err || !row)
        return err;
    asked->about = query_copy(request->arena, query, 0);
    return query_run(query);
}

static enum err read_asked(struct request *request,
                           struct payments_asked *asked)
{
    struct text orchestrator = parameter_text(request, "orchestrator");
    *asked = (struct payments_asked){
        .request = request,
        .lens = parameter_lens(request),
        .start = parameter_time(request, "start", INT64_MIN),
        .end = parameter_time(request, "end", INT64_MAX),
        .session = parameter_text(request, "session"),
    };
    asked->fields =
        lens_is_assay(asked->lens) ? payment_assay_fields : payment_fields;
    if (orchestrator.data)
        asked->orchestrator = text_lower(request->arena, orchestrator);
    asked->about = asked->orchestrator;
    enum err err = cursor_read(request, shape, &asked->cursor);
    if (!err)
        err = find_request(asked);
    return err ? err : find_days(asked);
}

/* ---- rows ---------------------------------------------------------------- */

static bool is_wanted(const struct payments_asked *asked,
                      const struct payment_row *row)
{
    return row->event_ts >= asked->start && row->event_ts < asked->end &&
           (!asked->orchestrator.data ||
            text_equal(row->recipient_address, asked->orchestrator)) &&
           (!asked->session.data ||
            text_equal(row->session_key.data ? row->session_key : text_of(""),
                       asked->session));
}

static void add_row(struct page *page, struct fields fields,
                    const struct payment_row *row)
{
    page_tells_until(page, row->event_ts);
    page_add_row(page, fields, row);
}

/* Some minutes of an organisation, while they are told from the end. */
struct telling {
    struct text org;
    int64_t start;
    int64_t told; /* that the pages before told */
    int64_t read; /* so far */
};

static void add_rows(const struct payments_asked *asked, struct page *page,
                     struct telling *telling, struct cursor *last,
                     const struct payment_row *rows, size_t count)
{
    while (count && !page->more) {
        const struct payment_row *row = &rows[--count];
        if (!is_wanted(asked, row) || telling->read++ < telling->told ||
            !page_wants_row(page))
            continue;
        add_row(page, asked->fields, row);
        last->parts[0].number = telling->start;
        last->parts[1].text = telling->org;
        last->parts[2].number = telling->read;
    }
}

static enum err add_span(const struct payments_asked *asked, struct page *page,
                         struct telling *telling, struct cursor *last)
{
    struct arena arena = {0};
    struct request *request = asked->request;
    struct payment_row *rows;
    size_t count = 0;
    int64_t end = telling->start + SPAN_MS;
    enum err err = request_events_fit(
        request->store, &arena, telling->org, GROUP_PAYMENTS, telling->start,
        end, (size_t)request->config->serve_compute_bytes);
    if (err)
        return err;
    turn_take(TURN_DAY);
    err = payments_between(request->store, &arena, asked->lens, telling->org,
                           asked->about, telling->start, end, &rows, &count);
    if (!err)
        add_rows(asked, page, telling, last, rows, count);
    arena_free(&arena);
    turn_give(TURN_DAY);
    return err;
}

/* Where the pages before this one have come to: a span, or none of the day. */
static bool begins_within(const struct payments_asked *asked,
                          const struct org_day *day, struct telling *telling)
{
    const struct cursor_part *parts = asked->cursor.parts;
    *telling = (struct telling){.org = day->org,
                                .start = day->day + MS_PER_DAY - SPAN_MS};
    if (!asked->cursor.given)
        return true;
    struct org_day last = {clock_day_start(parts[0].number), parts[1].text};
    int order = compare_days(day, &last);
    if (!order) {
        telling->start = parts[0].number;
        telling->told = parts[2].number;
    }
    return order >= 0;
}

static enum err add_day(const struct payments_asked *asked, struct page *page,
                        const struct org_day *day, struct cursor *last)
{
    struct telling telling;
    enum err err = ERR_NONE;
    if (!begins_within(asked, day, &telling))
        return ERR_NONE;
    for (; !err && !page->more && telling.start >= day->day;
         telling.start -= SPAN_MS) {
        if (telling.start < asked->end &&
            telling.start + SPAN_MS > asked->start)
            err = add_span(asked, page, &telling, last);
        telling.told = telling.read = 0;
    }
    return err;
}

enum err answer_payments(struct request *request, struct reply *reply)
{
    struct payments_asked asked;
    struct cursor last = {0};
    enum err err = read_asked(request, &asked);
    if (err)
        return err;
    struct page page = page_begin(request, reply, asked.fields, NULL);
    for (size_t i = 0; !err && i < asked.day_count && !page.more; i++)
        err = add_day(&asked, &page, &asked.days[i], &last);
    if (!err)
        page_end(&page, shape, &last);
    return err;
}
