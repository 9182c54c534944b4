/*
 * measured.c: /v1/measured: what we measured of each orchestrator, beside what
 * is published of it for the same hours.
 *
 * A row is an orchestrator, a workflow and a model. Own figures are medians
 * over live runs with the interval that the ranks of the samples give (95 of
 * 100, no shape assumed), so that one broken run moves nothing; a rate has
 * Wilson's interval. Published ones are the sums of the settled hours divided
 * once, never averages of averages. Whoever compares the two finds what each
 * rests on in the same row. This is no verdict: that asks for more guards than
 * two numbers side by side.
 *
 * Busy and excused runs count as such and enter no rate. An orchestrator that
 * is only measured, or only published, has its row all the same.
 */
#include "api/serving.h"
#include "base/clock.h"
#include "base/index.h"
#include "journal/journal.h"
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>

#define MEASURED(kind, member) FIELD(kind, measured_row, member)

enum { SAMPLES_MAX = 1000000, WINDOW_DAYS_MAX = 31 };

static const double level = 0.95;

static const struct field measured_list[] = {
    MEASURED(TEXT, orchestrator_address),
    MEASURED(TEXT, orchestrator_url),
    MEASURED(TEXT, workflow),
    MEASURED(TEXT, model_id),
    MEASURED(INT, runs),
    MEASURED(INT, ok),
    MEASURED(INT, failed),
    MEASURED(INT, busy),
    MEASURED(INT, excused),
    MEASURED(INT, vantage_suspect),
    MEASURED(DOUBLE, success_rate),
    MEASURED(DOUBLE, success_rate_low),
    MEASURED(DOUBLE, success_rate_high),
    MEASURED(INT, output_fps_n),
    MEASURED(DOUBLE, output_fps),
    MEASURED(DOUBLE, output_fps_low),
    MEASURED(DOUBLE, output_fps_high),
    MEASURED(INT, ptff_n),
    MEASURED(DOUBLE, ptff_ms),
    MEASURED(DOUBLE, ptff_low_ms),
    MEASURED(DOUBLE, ptff_high_ms),
    MEASURED(INT, first_segment_n),
    MEASURED(DOUBLE, first_segment_ms),
    MEASURED(DOUBLE, first_segment_low_ms),
    MEASURED(DOUBLE, first_segment_high_ms),
    MEASURED(INT, published_hours),
    MEASURED(INT, published_sessions),
    MEASURED(DOUBLE, published_startup_rate),
    MEASURED(INT, published_fps_n),
    MEASURED(DOUBLE, published_fps),
    MEASURED(INT, published_ptff_n),
    MEASURED(DOUBLE, published_ptff_ms),
    MEASURED(INT, published_e2e_n),
    MEASURED(DOUBLE, published_e2e_ms),
    MEASURED(DOUBLE, published_score),
    MEASURED(INT, planned_executed),
    MEASURED(INT, planned_skipped),
    MEASURED(INT, budget_ms),
    MEASURED(INT, used_ms),
    MEASURED(TIME, last_run),
};

const struct fields measured_fields = FIELDS(measured_list, 0);

struct measuring {
    struct request *request;
    int64_t start;
    int64_t end;
    struct text_index keys;
    struct measured_row *rows; /* at the numbers of the keys */
};

/* Whom a row is about: the address, or the URL where none is known. */
static struct text who(const struct measured_row *row)
{
    return row->orchestrator_address.length ? row->orchestrator_address
                                            : row->orchestrator_url;
}

static struct measured_row *row_of(struct measuring *measuring,
                                   const struct measured_row *wanted)
{
    struct buf key = {0};
    bool added;
    buf_add_text(&key, who(wanted));
    buf_add_byte(&key, 0);
    buf_add_text(&key, wanted->workflow);
    buf_add_byte(&key, 0);
    buf_add_text(&key, wanted->model_id);
    size_t number = text_index_add(&measuring->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (!added)
        return &measuring->rows[number];
    struct arena *arena = measuring->request->arena;
    measuring->rows =
        arena_grow(arena, measuring->rows, number, sizeof *measuring->rows);
    struct measured_row *row = &measuring->rows[number];
    fields_clear(measured_fields, row);
    row->orchestrator_address = wanted->orchestrator_address;
    row->orchestrator_url = wanted->orchestrator_url;
    row->workflow = wanted->workflow;
    row->model_id = wanted->model_id;
    fields_copy(arena, measured_fields, row);
    row->runs = row->ok = row->failed = row->busy = row->excused =
        row->vantage_suspect = 0;
    return row;
}

/* The columns that all three questions begin with. */
static struct measured_row key_columns(struct query *query)
{
    return (struct measured_row){.orchestrator_address = query_text(query, 0),
                                 .orchestrator_url = query_text(query, 1),
                                 .workflow = query_text(query, 2),
                                 .model_id = query_text(query, 3)};
}

static struct query *ask(struct measuring *measuring, enum query_id id)
{
    struct request *request = measuring->request;
    struct query *query = query_start(request->store, id);
    query_bind_int(query, 1, measuring->start);
    query_bind_int(query, 2, measuring->end);
    bind_optional(query, 3, parameter_text(request, "orchestrator"));
    bind_optional(query, 4, parameter_text(request, "workflow"));
    bind_optional(query, 5, parameter_text(request, "model"));
    return query;
}

/* ---- own runs ------------------------------------------------------------ */

/* The figures of one row's runs, as they come. */
struct samples {
    double *values;
    size_t count;
};

enum { FIGURES = 3 };

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median_of(const struct samples *sorted)
{
    size_t middle = sorted->count / 2;
    return sorted->count % 2
               ? sorted->values[middle]
               : (sorted->values[middle - 1] + sorted->values[middle]) / 2;
}

/* Absent ends where there are too few samples for one. */
static void conclude(struct samples *samples, int64_t *n, double *median,
                     double *low, double *high)
{
    *n = (int64_t)samples->count;
    if (!samples->count)
        return;
    qsort(samples->values, samples->count, sizeof *samples->values,
          compare_doubles);
    struct rank_interval ranks = quantile_ranks(samples->count, 0.5, 1 - level);
    *median = median_of(samples);
    if (ranks.low)
        *low = samples->values[ranks.low - 1];
    if (ranks.high)
        *high = samples->values[ranks.high - 1];
    samples->count = 0;
}

static void conclude_runs(struct measured_row *row,
                          struct samples figures[FIGURES])
{
    if (!row)
        return;
    conclude(&figures[0], &row->output_fps_n, &row->output_fps,
             &row->output_fps_low, &row->output_fps_high);
    conclude(&figures[1], &row->ptff_n, &row->ptff_ms, &row->ptff_low_ms,
             &row->ptff_high_ms);
    conclude(&figures[2], &row->first_segment_n, &row->first_segment_ms,
             &row->first_segment_low_ms, &row->first_segment_high_ms);
    double judged = (double)(row->ok + row->failed);
    if (judged < 1)
        return;
    struct interval rate = rate_wilson((double)row->ok, judged, level);
    row->success_rate = (double)row->ok / judged;
    row->success_rate_low = rate.low;
    row->success_rate_high = rate.high;
}

static void count_outcome(struct measured_row *row, struct text outcome)
{
    int64_t *const counts[OUTCOME_COUNT] = {[OUTCOME_OK] = &row->ok,
                                            [OUTCOME_FAILED] = &row->failed,
                                            [OUTCOME_BUSY] = &row->busy,
                                            [OUTCOME_EXCUSED] = &row->excused,
                                            [OUTCOME_VANTAGE_SUSPECT] =
                                                &row->vantage_suspect};
    enum outcome which;
    row->runs++;
    if (outcome_named(outcome, &which))
        ++*counts[which];
}

/* Of runs that say something about the orchestrator. */
static void keep_figures(struct arena *arena, struct query *query,
                         struct samples figures[FIGURES])
{
    for (int i = 0; i < FIGURES; i++) {
        struct samples *samples = &figures[i];
        if (query_is_null(query, 5 + i))
            continue;
        samples->values = arena_grow(arena, samples->values, samples->count,
                                     sizeof *samples->values);
        samples->values[samples->count++] = query_double(query, 5 + i);
    }
}

static bool says_something(struct text outcome)
{
    return text_is(outcome, outcome_name(OUTCOME_OK)) ||
           text_is(outcome, outcome_name(OUTCOME_FAILED));
}

/* Rows come in the order of their keys, so that one at a time gathers. */
static enum err add_runs(struct measuring *measuring)
{
    struct arena *arena = measuring->request->arena;
    struct query *query = ask(measuring, QUERY_API_MEASURED_RUNS);
    struct samples figures[FIGURES] = {0};
    ptrdiff_t at = -1;
    int64_t count = 0;
    bool more;
    enum err err;
    while (!(err = query_step(query, &more)) && more) {
        struct measured_row key = key_columns(query);
        struct measured_row *row = row_of(measuring, &key);
        struct text outcome = query_text(query, 4);
        if (at >= 0 && row != &measuring->rows[at])
            conclude_runs(&measuring->rows[at], figures);
        at = row - measuring->rows;
        count_outcome(row, outcome);
        row->last_run = query_int(query, 5 + FIGURES);
        if (says_something(outcome))
            keep_figures(arena, query, figures);
        if (++count > SAMPLES_MAX)
            return err_set(ERR_LARGE,
                           "more than %d runs lie in that time; ask for less "
                           "with start and end",
                           SAMPLES_MAX);
    }
    conclude_runs(at < 0 ? NULL : &measuring->rows[at], figures);
    return err;
}

/* ---- the budget ---------------------------------------------------------- */

static enum err add_budget(struct measuring *measuring)
{
    struct query *query = ask(measuring, QUERY_API_MEASURED_BUDGET);
    bool more;
    enum err err;
    while (!(err = query_step(query, &more)) && more) {
        struct measured_row key = key_columns(query);
        struct measured_row *row = row_of(measuring, &key);
        row->planned_executed = query_int(query, 4);
        row->planned_skipped = query_int(query, 5);
        row->used_ms = query_int(query, 6);
        if (!query_is_null(query, 7))
            row->budget_ms = query_int(query, 7);
    }
    return err;
}

/* ---- what is published --------------------------------------------------- */

/* The settled hours of one orchestrator and model. */
struct published {
    struct text orchestrator_address;
    struct text model_id;
    int64_t newest; /* of the hours so far, which come from the newest back */
    int64_t hours;
    int64_t sessions;
    int64_t started;
    int64_t fps_samples;
    int64_t ptff_samples;
    int64_t e2e_samples;
    struct exact_sum fps;
    struct exact_sum ptff_ms;
    struct exact_sum e2e_ms;
    struct exact_sum score; /* times sessions */
};

struct published_list {
    struct text_index keys;
    struct published *list; /* at the numbers of the keys */
    struct arena *arena;
};

static struct published *published_of(struct published_list *all,
                                      const struct sla_row *row)
{
    struct buf key = {0};
    bool added;
    buf_add_text(&key, row->orchestrator_address);
    buf_add_text(&key, row->model_id);
    size_t number =
        text_index_add(&all->keys, (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (!added)
        return &all->list[number];
    struct arena *arena = all->arena;
    struct text address = row->orchestrator_address;
    struct text model = row->model_id;
    all->list = arena_grow(arena, all->list, number, sizeof *all->list);
    all->list[number] = (struct published){
        .orchestrator_address = {arena_text(arena, address.data,
                                            address.length),
                                 address.length},
        .model_id = {arena_text(arena, model.data, model.length), model.length},
        .newest = ABSENT_INT,
        .fps.arena = arena,
        .ptff_ms.arena = arena,
        .e2e_ms.arena = arena,
        .score.arena = arena};
    return &all->list[number];
}

static void add_hour(struct published_list *all, const struct sla_row *row)
{
    struct published *sums = published_of(all, row);
    sums->hours += row->window_start != sums->newest;
    sums->newest = row->window_start;
    sums->sessions += row->requested_sessions;
    sums->started += row->startup_success_sessions;
    sums->fps_samples += row->status_samples;
    sums->ptff_samples += row->prompt_to_first_frame_sample_count;
    sums->e2e_samples += row->e2e_latency_sample_count;
    exact_add(&sums->fps, row->output_fps_sum);
    exact_add(&sums->ptff_ms, row->prompt_to_first_frame_sum_ms);
    exact_add(&sums->e2e_ms, row->e2e_latency_sum_ms);
    if (!isnan(row->sla_score))
        exact_add(&sums->score,
                  row->sla_score * (double)row->requested_sessions);
}

static double ratio(double sum, int64_t count)
{
    return count ? sum / (double)count : NAN;
}

static void set_published(struct measured_row *row,
                          const struct published *sums)
{
    row->published_hours = sums->hours;
    row->published_sessions = sums->sessions;
    row->published_startup_rate = ratio((double)sums->started, sums->sessions);
    row->published_fps = ratio(exact_round(&sums->fps), sums->fps_samples);
    row->published_fps_n = sums->fps_samples;
    row->published_ptff_ms =
        ratio(exact_round(&sums->ptff_ms), sums->ptff_samples);
    row->published_ptff_n = sums->ptff_samples;
    row->published_e2e_ms =
        ratio(exact_round(&sums->e2e_ms), sums->e2e_samples);
    row->published_e2e_n = sums->e2e_samples;
    row->published_score = ratio(exact_round(&sums->score), sums->sessions);
}

/* Published hours name no workflow: they stand beside every one of the
 * orchestrator's on that model, or in a row without any. */
static void place_published(struct measuring *measuring,
                            const struct published *sums)
{
    bool found = false;
    for (size_t i = 0; i < measuring->keys.count; i++) {
        struct measured_row *row = &measuring->rows[i];
        if (!text_equal(row->model_id, sums->model_id) ||
            !text_equal(row->orchestrator_address, sums->orchestrator_address))
            continue;
        set_published(row, sums);
        found = true;
    }
    const struct measured_row key = {.orchestrator_address =
                                         sums->orchestrator_address,
                                     .orchestrator_url = text_of(""),
                                     .workflow = text_of(""),
                                     .model_id = sums->model_id};
    if (!found)
        set_published(row_of(measuring, &key), sums);
}

static enum err add_published(struct measuring *measuring)
{
    struct query *query = ask(measuring, QUERY_API_MEASURED_PUBLISHED);
    struct published_list all = {.arena = measuring->request->arena};
    bool more;
    enum err err;
    while (!(err = query_step(query, &more)) && more) {
        struct sla_row row;
        fields_borrow(query, sla_fields, &row);
        add_hour(&all, &row);
    }
    for (size_t i = 0; !err && i < all.keys.count; i++)
        place_published(measuring, &all.list[i]);
    text_index_free(&all.keys);
    return err;
}

/* ---- the answer ---------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const struct measured_row *left = a;
    const struct measured_row *right = b;
    int order = text_compare(who(left), who(right));
    if (!order)
        order = text_compare(left->workflow, right->workflow);
    return order ? order : text_compare(left->model_id, right->model_id);
}

/* All of the window is read for every answer, so that it has a limit. Behind
 * NEWEST there is nothing to read. */
static enum err check_window(const struct measuring *measuring, int64_t newest)
{
    int64_t end = measuring->end <= newest ? measuring->end : newest + 1;
    if (measuring->start >= end ||
        end - WINDOW_DAYS_MAX * (int64_t)MS_PER_DAY <= measuring->start)
        return ERR_NONE;
    return err_set(ERR_INPUT,
                   "from start to end are more than %d days; ask for fewer at "
                   "a time",
                   WINDOW_DAYS_MAX);
}

/* A day back from the newest run or hour, unless it was said. */
static enum err find_window(struct measuring *measuring)
{
    const struct request *request = measuring->request;
    struct query *query =
        query_start(request->store, QUERY_API_MEASURED_NEWEST);
    bool row;
    enum err err = query_step(query, &row);
    if (err)
        return err;
    int64_t newest = query_int(query, 0);
    measuring->start = parameter_time(request, "start", newest - MS_PER_DAY);
    measuring->end = parameter_time(request, "end", INT64_MAX);
    err = query_run(query);
    return err ? err : check_window(measuring, newest);
}

static enum err measure(struct measuring *measuring)
{
    enum err err = find_window(measuring);
    if (!err)
        err = add_runs(measuring);
    if (!err)
        err = add_budget(measuring);
    if (!err)
        err = add_published(measuring);
    if (!err && measuring->keys.count)
        qsort(measuring->rows, measuring->keys.count, sizeof *measuring->rows,
              compare_rows);
    return err;
}

static bool is_behind(const struct cursor *cursor,
                      const struct measured_row *row)
{
    struct measured_row before = {.orchestrator_url = cursor->parts[0].text,
                                  .workflow = cursor->parts[1].text,
                                  .model_id = cursor->parts[2].text};
    return !cursor->given || compare_rows(row, &before) > 0;
}

enum err answer_measured(struct request *request, struct reply *reply)
{
    static const char shape[] = "ttt";
    struct measuring measuring = {.request = request};
    struct cursor cursor;
    struct cursor last = {0};
    enum err err = cursor_read(request, shape, &cursor);
    if (!err)
        err = measure(&measuring);
    size_t count = measuring.keys.count;
    text_index_free(&measuring.keys);
    if (err)
        return err;
    struct page page = page_begin(request, reply, measured_fields, NULL);
    for (size_t i = 0; i < count; i++) {
        struct measured_row *row = &measuring.rows[i];
        if (!is_behind(&cursor, row))
            continue;
        if (!page_wants_row(&page))
            break;
        page_tells_until(&page, row->last_run);
        page_add_row(&page, measured_fields, row);
        last.parts[0].text = who(row);
        last.parts[1].text = row->workflow;
        last.parts[2].text = row->model_id;
    }
    page_end(&page, shape, &last);
    return ERR_NONE;
}
