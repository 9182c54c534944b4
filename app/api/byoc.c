/*
 * byoc.c: /v1/requests/byoc/workers and byoc/auth: what was reported of workers
 * and of authorisations, by capability; and the same under /compat as the
 * publisher answers (§4.3).
 *
 * A worker is a URL: the publisher takes every event about one for a sign that
 * it is there, an end of its registration included (§1.4), and so it is done
 * here. Its price is the mean over events, of which ours says how many.
 */
#include "api/list.h"
#include "base/index.h"

struct worker_row {
    struct text capability;
    int64_t worker_count;
    double avg_price_per_unit;
    int64_t event_count;
    int64_t last_seen;
    struct text_list models;
};

struct auth_row {
    struct text capability;
    int64_t total_events;
    double success_rate;
    int64_t failure_count;
    int64_t last_seen;
};

static const struct field worker_list[] = {
    FIELD(TEXT, worker_row, capability), FIELD(INT, worker_row, worker_count),
    FIELD(DOUBLE, worker_row, avg_price_per_unit),
    FIELD(INT, worker_row, event_count), FIELD(TIME, worker_row, last_seen)};
static const struct field auth_list[] = {
    FIELD(TEXT, auth_row, capability), FIELD(INT, auth_row, total_events),
    FIELD(DOUBLE, auth_row, success_rate), FIELD(INT, auth_row, failure_count),
    FIELD(TIME, auth_row, last_seen)};

const struct fields byoc_worker_fields = FIELDS(worker_list, 0);
const struct fields byoc_auth_fields = FIELDS(auth_list, 0);

static const struct row_list list_of_workers = {
    .fields = &byoc_worker_fields,
    .row_bytes = sizeof(struct worker_row),
    .keys = {"-worker_count", "capability"},
    .told_until = "last_seen",
    .texts_name = "models",
    .texts_at = offsetof(struct worker_row, models),
    .compat = {"capability", "worker_count", "models", "avg_price_per_unit"}};

static const struct row_list list_of_auth = {
    .fields = &byoc_auth_fields,
    .row_bytes = sizeof(struct auth_row),
    .keys = {"-total_events", "capability"},
    .told_until = "last_seen",
    .compat = {"capability", "total_events", "success_rate", "failure_count"}};

/* ---- what is asked for --------------------------------------------------- */

struct byoc_question {
    int64_t start_ms;
    int64_t end_ms;
    const struct knowledge *known;
    struct text org;
    struct text capability; /* without data: all */
};

static struct byoc_question question_of(const struct request *request,
                                        const struct knowledge *known)
{
    int64_t as_of = parameter_time(request, "as_of", INT64_MAX - 1);
    int64_t end = parameter_time(request, "end", INT64_MAX);
    return (struct byoc_question){
        .start_ms = parameter_time(request, "start", INT64_MIN),
        .end_ms = as_of + 1 < end ? as_of + 1 : end,
        .known = known,
        .org = parameter_text(request, "org"),
        .capability = parameter_text(request, "capability"),
    };
}

static struct byoc_question question_as_published(const struct request *request)
{
    int64_t now = present_ms(request);
    return (struct byoc_question){
        .start_ms = compat_time(request, "start", now - MS_PER_DAY),
        .end_ms = compat_time(request, "end", now),
        .known = &knowledge_all,
    };
}

static bool is_wanted(const struct byoc_question *question,
                      const struct request_event *event)
{
    return event->capability.length &&
           (!question->capability.data ||
            text_equal(event->capability, question->capability));
}

/* ---- workers ------------------------------------------------------------- */

struct worker_sum {
    struct worker_row row;
    struct exact_sum price;
    struct text_index urls;
};

struct workers {
    struct arena *arena;
    const struct byoc_question *question;
    struct text_index capabilities;
    struct worker_sum *sums; /* by number */
};

static struct worker_sum *sum_of(struct workers *workers,
                                 struct text capability)
{
    bool added;
    size_t number = text_index_add(&workers->capabilities, capability, &added);
    if (added) {
        workers->sums = arena_grow(workers->arena, workers->sums, number,
                                   sizeof *workers->sums);
        workers->sums[number] = (struct worker_sum){
            .row = {.capability = {arena_text(workers->arena, capability.data,
                                              capability.length),
                                   capability.length},
                    .last_seen = INT64_MIN},
            .price = {.arena = workers->arena}};
    }
    return &workers->sums[number];
}

static void add_model(struct arena *arena, struct text_list *models,
                      struct text model)
{
    for (size_t i = 0; i < models->count; i++)
        if (text_equal(models->texts[i], model))
            return;
    model.data = arena_text(arena, model.data, model.length);
    text_list_add(arena, models, model);
}

static void add_worker(void *context, const struct request_event *event)
{
    struct workers *workers = context;
    if (!is_wanted(workers->question, event))
        return;
    struct worker_sum *sum = sum_of(workers, event->capability);
    text_index_add(&sum->urls, event->worker_url, NULL);
    exact_add(&sum->price, event->price_per_unit);
    sum->row.event_count++;
    if (event->ts > sum->row.last_seen)
        sum->row.last_seen = event->ts;
    if (event->model.length)
        add_model(workers->arena, &sum->row.models, event->model);
}

/* Most workers first; frees what WORKERS holds beside its arena. */
static struct worker_row *take_workers(struct workers *workers, size_t *count)
{
    *count = workers->capabilities.count;
    struct worker_row *rows = arena_array(workers->arena, *count, sizeof *rows);
    for (size_t i = 0; i < *count; i++) {
        struct worker_sum *sum = &workers->sums[i];
        rows[i] = sum->row;
        rows[i].worker_count = (int64_t)sum->urls.count;
        rows[i].avg_price_per_unit =
            exact_round(&sum->price) / (double)sum->row.event_count;
        text_list_settle(&rows[i].models);
        text_index_free(&sum->urls);
    }
    text_index_free(&workers->capabilities);
    list_sort(&list_of_workers, rows, *count);
    return rows;
}

static enum err find_workers(struct request *request,
                             const struct byoc_question *question,
                             struct worker_row **rows, size_t *count)
{
    struct workers workers = {.arena = request->arena, .question = question};
    enum err err = each_request_event(request, question->known, question->org,
                                      GROUP_WORKERS, question->start_ms,
                                      question->end_ms, add_worker, &workers);
    *rows = take_workers(&workers, count);
    return err;
}

enum err answer_byoc_workers(struct request *request, struct reply *reply)
{
    struct listing listing;
    struct computation computation;
    struct worker_row *rows;
    size_t count;
    enum err err = list_open(&listing, &list_of_workers, request);
    if (!err)
        err = read_computation(request, &computation);
    if (err)
        return err;
    struct byoc_question question = question_of(request, &computation.known);
    err = find_workers(request, &question, &rows, &count);
    if (!err)
        list_answer(&listing, reply, &computation.known, rows, count);
    return err;
}

enum err compat_byoc_workers(struct request *request, struct reply *reply)
{
    struct byoc_question question = question_as_published(request);
    struct worker_row *rows;
    size_t count;
    enum err err = find_workers(request, &question, &rows, &count);
    if (!err)
        compat_array(reply, &list_of_workers, rows, count);
    return err;
}

/* ---- authorisations ------------------------------------------------------ */

struct auths {
    struct arena *arena;
    const struct byoc_question *question;
    struct text_index capabilities;
    struct auth_row *rows; /* by number */
};

static void add_auth(void *context, const struct request_event *event)
{
    struct auths *auths = context;
    if (event->kind != REQUEST_AUTHORISED || !is_wanted(auths->question, event))
        return;
    bool added;
    size_t number =
        text_index_add(&auths->capabilities, event->capability, &added);
    if (added) {
        auths->rows =
            arena_grow(auths->arena, auths->rows, number, sizeof *auths->rows);
        auths->rows[number] = (struct auth_row){.last_seen = INT64_MIN};
    }
    struct auth_row *row = &auths->rows[number];
    row->total_events++;
    row->failure_count += !(event->flags & REQUEST_SUCCESS);
    if (event->ts > row->last_seen)
        row->last_seen = event->ts;
}

/* Most events first. */
static enum err find_auths(struct request *request,
                           const struct byoc_question *question,
                           struct auth_row **rows, size_t *count)
{
    struct auths auths = {.arena = request->arena, .question = question};
    enum err err = each_request_event(request, question->known, question->org,
                                      GROUP_JOBS, question->start_ms,
                                      question->end_ms, add_auth, &auths);
    *rows = auths.rows;
    *count = auths.capabilities.count;
    for (size_t i = 0; i < *count; i++) {
        struct text name = auths.capabilities.texts[i];
        struct auth_row *row = &auths.rows[i];
        row->capability = (struct text){
            arena_text(request->arena, name.data, name.length), name.length};
        row->success_rate = (double)(row->total_events - row->failure_count) /
                            (double)row->total_events;
    }
    text_index_free(&auths.capabilities);
    list_sort(&list_of_auth, *rows, *count);
    return err;
}

enum err answer_byoc_auth(struct request *request, struct reply *reply)
{
    struct listing listing;
    struct computation computation;
    struct auth_row *rows;
    size_t count;
    enum err err = list_open(&listing, &list_of_auth, request);
    if (!err)
        err = read_computation(request, &computation);
    if (err)
        return err;
    struct byoc_question question = question_of(request, &computation.known);
    err = find_auths(request, &question, &rows, &count);
    if (!err)
        list_answer(&listing, reply, &computation.known, rows, count);
    return err;
}

static int64_t next_hour(int64_t ms)
{
    int64_t hour = clock_hour_start(ms);
    return hour == ms ? ms : hour + MS_PER_HOUR;
}

/* Theirs are sums of hours: an hour counts where its start is asked for. */
enum err compat_byoc_auth(struct request *request, struct reply *reply)
{
    struct byoc_question question = question_as_published(request);
    struct auth_row *rows;
    size_t count;
    question.start_ms = next_hour(question.start_ms);
    question.end_ms = next_hour(question.end_ms);
    enum err err = find_auths(request, &question, &rows, &count);
    if (!err)
        compat_array(reply, &list_of_auth, rows, count);
    return err;
}
