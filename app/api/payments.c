/*
 * payments.c: /v1/payments: payments one by one, newest first, with the
 * sessions that they were made for; by lens assay also with what they are worth
 * on average (rollup/payments.c).
 *
 * They are no table: an organisation's day of them is made of its events, one
 * day at a time, from the newest back. A cursor is the day, the organisation,
 * and how many of its payments have been told; they are the same ones as long
 * as the state of the store is.
 */
#include "api/serving.h"
#include "base/clock.h"

#include <stdlib.h>

static const char shape[] = "iti";

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
    enum err err = cursor_read(request, shape, &asked->cursor);
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

/* How many of the day's payments, from its newest on, the pages before told. */
static int64_t told_of(const struct payments_asked *asked,
                       const struct org_day *day)
{
    const struct cursor_part *parts = asked->cursor.parts;
    struct org_day last = {parts[0].number, parts[1].text};
    if (!asked->cursor.given)
        return 0;
    int order = compare_days(day, &last);
    return order < 0 ? INT64_MAX : order > 0 ? 0 : parts[2].number;
}

/* A day of an organisation while it is told, from its newest payment on. */
struct day_telling {
    const struct org_day *day;
    int64_t told; /* that the pages before told */
    int64_t read; /* so far */
    struct cursor *last;
};

static void add_rows(const struct payments_asked *asked, struct page *page,
                     struct day_telling *telling,
                     const struct payment_row *rows, size_t count)
{
    struct cursor *last = telling->last;
    while (count && !page->more) {
        const struct payment_row *row = &rows[--count];
        if (telling->read++ < telling->told || !is_wanted(asked, row) ||
            !page_wants_row(page))
            continue;
        add_row(page, asked->fields, row);
        last->parts[0].number = telling->day->day;
        last->parts[1].text = telling->day->org;
        last->parts[2].number = telling->read;
    }
}

/* Links by session id look at the day before as well. */
static enum err payments_fit(const struct payments_asked *asked,
                             struct text org, int64_t from_ms, int64_t until_ms)
{
    const struct arena arena = {0};
    const struct request *request = asked->request;
    return request_events_fit(
        request->store, &arena, org, GROUP_PAYMENTS,
        lens_is_assay(asked->lens) ? from_ms - MS_PER_DAY : from_ms, until_ms,
        (size_t)request->config->serve_compute_bytes);
}

static enum err add_span(const struct payments_asked *asked, struct page *page,
                         struct day_telling *telling, int64_t from_ms,
                         int64_t until_ms)
{
    struct arena arena = {0};
    struct payment_row *rows;
    struct text org = telling->day->org;
    size_t count = 0;
    enum err err = payments_fit(asked, org, from_ms, until_ms);
    if (err)
        return err;
    turn_take(TURN_DAY);
    err = payments_between(asked->request->store, &arena, asked->lens, org,
                           from_ms, until_ms, &rows, &count);
    if (!err)
        add_rows(asked, page, telling, rows, count);
    arena_free(&arena);
    turn_give(TURN_DAY);
    return err;
}

/* As a whole where it fits or must be, since its links are those of a day, else
 * by the hour. */
static enum err add_day(const struct payments_asked *asked, struct page *page,
                        const struct org_day *day, int64_t told,
                        struct cursor *last)
{
    struct day_telling telling = {.day = day, .told = told, .last = last};
    int64_t until_ms = day->day + MS_PER_DAY;
    int64_t step_ms = MS_PER_DAY;
    if (!lens_is_assay(asked->lens) &&
        payments_fit(asked, day->org, day->day, until_ms) == ERR_LARGE)
        step_ms = MS_PER_HOUR;
    enum err err = ERR_NONE;
    for (; !err && !page->more && until_ms > day->day; until_ms -= step_ms)
        err = add_span(asked, page, &telling, until_ms - step_ms, until_ms);
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
    for (size_t i = 0; !err && i < asked.day_count && !page.more; i++) {
        int64_t told = told_of(&asked, &asked.days[i]);
        if (told != INT64_MAX)
            err = add_day(&asked, &page, &asked.days[i], told, &last);
    }
    if (!err)
        page_end(&page, shape, &last);
    return err;
}
