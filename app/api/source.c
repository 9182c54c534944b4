/*
 * source.c: the rows that answers are summed from, one by one: out of their
 * tables where the question is of the published lens and the settled pass, and
 * computed where it is of anything else.
 *
 * Sums are made here in C and not in SQL, so that both ways share one formula,
 * and that sums of doubles are exact.
 */
#include "api/serving.h"
#include "base/clock.h"

enum { COHORT_DAYS = 7 }; /* that a row is scored by (§3.4) */

/* Days of which rows are wanted. */
static void bound_days(struct computation *computation, int64_t from_ms,
                       int64_t until_ms, int64_t days_before)
{
    computation->from_day = INT64_MIN;
    computation->until_day = INT64_MAX;
    if (from_ms != INT64_MIN)
        computation->from_day =
            clock_day_start(from_ms) - days_before * MS_PER_DAY;
    if (until_ms != INT64_MAX)
        computation->until_day = clock_day_start(until_ms - 1) + MS_PER_DAY;
}

/* ---- hours of streams ---------------------------------------------------- */

struct table {
    const struct fields *fields;
    enum query_id query;
};

/* The tables of hourly rows, by the published lens and by ours, and where they
 * stand among computed ones. */
struct source {
    struct table published;
    struct table assay;
    size_t row_bytes;
    size_t rows;
    size_t count;
};

static enum err each_stored(struct request *request,
                            const struct source *source,
                            const struct table *table, int64_t from_ms,
                            int64_t until_ms, row_visit *visit, void *context)
{
    void *row = arena_alloc(request->arena, source->row_bytes);
    struct query *query = query_start(request->store, table->query);
    query_bind_int(query, 1, from_ms);
    query_bind_int(query, 2, until_ms);
    bool more;
    enum err err;
    while (!(err = query_step(query, &more)) && more) {
        fields_borrow(query, *table->fields, row);
        err = visit(context, row);
        if (err)
            return err;
    }
    return err;
}

static enum err each_computed(struct request *request,
                              const struct source *source,
                              const struct computation *computation,
                              int64_t from_ms, int64_t until_ms,
                              row_visit *visit, void *context)
{
    const struct computed *computed;
    const struct field *window =
        field_named(*source->published.fields, "window_start");
    enum err err = computed_rows(request, computation, &computed);
    if (err)
        return err;
    const char *all = (const char *)computed;
    const char *row = *(const char *const *)(const void *)(all + source->rows);
    size_t count = *(const size_t *)(const void *)(all + source->count);
    for (size_t i = 0; !err && i < count; i++, row += source->row_bytes) {
        int64_t ms = field_int(window, row);
        if (ms >= from_ms && ms < until_ms)
            err = visit(context, row);
    }
    computed_release(request, computed);
    return err;
}

static enum err each(struct request *request, const struct source *source,
                     struct computation *computation, int64_t from_ms,
                     int64_t until_ms, row_visit *visit, void *context)
{
    if (is_kept_by_assay(request, computation))
        return each_stored(request, source, &source->assay, from_ms, until_ms,
                           visit, context);
    if (!is_computed(computation))
        return each_stored(request, source, &source->published, from_ms,
                           until_ms, visit, context);
    bound_days(computation, from_ms, until_ms, COHORT_DAYS);
    return each_computed(request, source, computation, from_ms, until_ms, visit,
                         context);
}

enum err each_sla_row(struct request *request, struct computation *computation,
                      int64_t from_ms, int64_t until_ms, row_visit *visit,
                      void *context)
{
    static const struct source source = {
        {&sla_fields, QUERY_SLA_BETWEEN},
        {&sla_assay_fields, QUERY_ASSAY_SLA_BETWEEN},
        sizeof(struct sla_row),
        offsetof(struct computed, sla),
        offsetof(struct computed, sla_count)};
    return each(request, &source, computation, from_ms, until_ms, visit,
                context);
}

enum err each_demand_row(struct request *request,
                         struct computation *computation, int64_t from_ms,
                         int64_t until_ms, row_visit *visit, void *context)
{
    static const struct source source = {
        {&demand_fields, QUERY_DEMAND_BETWEEN},
        {&demand_fields, QUERY_ASSAY_DEMAND_BETWEEN},
        sizeof(struct demand_row),
        offsetof(struct computed, demand),
        offsetof(struct computed, demand_count)};
    return each(request, &source, computation, from_ms, until_ms, visit,
                context);
}

/* ---- hours of requests --------------------------------------------------- */

struct visiting {
    row_visit *visit;
    void *context;
};

static enum err pass_on(void *context, const struct request_demand_row *row)
{
    const struct visiting *visiting = context;
    return visiting->visit(visiting->context, row);
}

static enum err each_computed_demand(struct request *request,
                                     const struct computation *computation,
                                     int64_t from_ms, int64_t until_ms,
                                     row_visit *visit, void *context)
{
    struct arena arena = {0};
    struct request_demand_row *rows;
    size_t count = 0;
    enum err err = computing_begin(request);
    if (err)
        return err;
    err = request_demand_computed(request->store, &arena, computation, &rows,
                                  &count);
    for (size_t i = 0; !err && i < count; i++)
        if (rows[i].window_start >= from_ms && rows[i].window_start < until_ms)
            err = visit(context, &rows[i]);
    arena_free(&arena);
    return computing_end(request, err);
}

enum err each_request_demand_row(struct request *request,
                                 struct computation *computation,
                                 int64_t from_ms, int64_t until_ms,
                                 row_visit *visit, void *context)
{
    struct visiting visiting = {visit, context};
    if (!is_computed(computation))
        return request_demand_each(request->store, from_ms, until_ms, pass_on,
                                   &visiting);
    bound_days(computation, from_ms, until_ms, 0);
    return each_computed_demand(request, computation, from_ms, until_ms, visit,
                                context);
}

/* ---- jobs ---------------------------------------------------------------- */

struct job_reading {
    struct request *request;
    const struct computation *computation;
    struct text *orgs;
    size_t org_count;
    jobs_visit *visit;
    void *context;
};

static enum err read_pass(const struct job_reading *reading, int64_t day)
{
    struct arena arena = {0};
    enum err err = ERR_NONE;
    turn_take(TURN_DAY);
    for (size_t i = 0; !err && i < reading->org_count; i++) {
        struct jobs jobs;
        err = jobs_computed(reading->request->store, &arena,
                            reading->computation, reading->orgs[i], day, &jobs);
        if (!err)
            err = reading->visit(reading->context, &arena, &jobs);
    }
    if (!err)
        err = reading->visit(reading->context, &arena, NULL);
    arena_free(&arena);
    turn_give(TURN_DAY);
    return err;
}

static enum err read_passes(const struct job_reading *reading, struct text org,
                            int64_t from_ms, int64_t until_ms,
                            const bool *enough)
{
    int64_t *days;
    size_t count;
    if (reading->computation->pass == PASS_WHOLE)
        return read_pass(reading, INT64_MIN);
    enum err err =
        request_days(reading->request->store, reading->request->arena,
                     GROUP_JOBS, org, from_ms, until_ms, &days, &count);
    for (size_t i = 0; !err && !*enough && i < count; i++)
        err = read_pass(reading, days[i]);
    return err;
}

enum err each_jobs(struct request *request, struct computation *computation,
                   struct text org, int64_t from_ms, int64_t until_ms,
                   jobs_visit *visit, void *context, const bool *enough)
{
    struct job_reading reading = {.request = request,
                                  .computation = computation,
                                  .visit = visit,
                                  .context = context};
    bool alone = is_computed(computation);
    enum err err = request_orgs(request->store, request->arena, GROUP_JOBS, org,
                                &reading.orgs, &reading.org_count);
    if (!err && alone)
        err = computing_begin(request);
    if (err)
        return err;
    err = read_passes(&reading, org, from_ms, until_ms, enough);
    return alone ? computing_end(request, err) : err;
}

/* ---- events of requests -------------------------------------------------- */

struct event_reading {
    struct request *request;
    const struct knowledge *known;
    enum request_group group;
    int64_t from_ms;
    int64_t until_ms;
    event_visit *visit;
    void *context;
};

static enum err events_fit(const struct event_reading *reading, struct text org,
                           int64_t from_ms, int64_t until_ms)
{
    const struct arena arena = {0};
    return request_events_fit(
        reading->request->store, &arena, org, reading->group, from_ms, until_ms,
        (size_t)reading->request->config->serve_compute_bytes);
}

static enum err read_events(const struct event_reading *reading,
                            struct text org, int64_t from_ms, int64_t until_ms)
{
    struct arena arena = {0};
    struct request_event *events;
    size_t count;
    turn_take(TURN_DAY);
    enum err err = request_events_between(reading->request->store, &arena, org,
                                          reading->group, from_ms, until_ms,
                                          &events, &count);
    if (!err)
        known_requests(reading->known, events, &count);
    for (size_t i = 0; !err && i < count; i++)
        reading->visit(reading->context, &events[i]);
    arena_free(&arena);
    turn_give(TURN_DAY);
    return err;
}

/* As a whole where it fits, else by the hour; the order is the same. */
static enum err read_event_day(const struct event_reading *reading,
                               struct text org, int64_t day)
{
    int64_t end_ms = day + MS_PER_DAY;
    int64_t from_ms = day > reading->from_ms ? day : reading->from_ms;
    int64_t until_ms = end_ms < reading->until_ms ? end_ms : reading->until_ms;
    enum err err = events_fit(reading, org, from_ms, until_ms);
    if (!err)
        return read_events(reading, org, from_ms, until_ms);
    if (err != ERR_LARGE)
        return err;
    err = ERR_NONE;
    while (!err && from_ms < until_ms) {
        int64_t next_ms = clock_hour_start(from_ms) + MS_PER_HOUR;
        if (next_ms > until_ms)
            next_ms = until_ms;
        err = events_fit(reading, org, from_ms, next_ms);
        if (!err)
            err = read_events(reading, org, from_ms, next_ms);
        from_ms = next_ms;
    }
    return err;
}

static enum err read_events_of(const struct event_reading *reading,
                               struct text org)
{
    int64_t *days;
    size_t count;
    enum err err = request_days(
        reading->request->store, reading->request->arena, reading->group, org,
        reading->from_ms, reading->until_ms, &days, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = read_event_day(reading, org, days[i]);
    return err;
}

enum err each_request_event(struct request *request,
                            const struct knowledge *known, struct text org,
                            enum request_group group, int64_t from_ms,
                            int64_t until_ms, event_visit *visit, void *context)
{
    const struct event_reading reading = {request,  known, group,  from_ms,
                                          until_ms, visit, context};
    struct text *orgs;
    size_t count;
    enum err err =
        request_orgs(request->store, request->arena, group, org, &orgs, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = read_events_of(&reading, orgs[i]);
    return err;
}
