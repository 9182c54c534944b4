/*
 * request_demand.c: completed jobs by the hour (§3.8).
 *
 * The key holds what gateways reported, not what attribution found; so a
 * builtin row has no orchestrator's address, because batch events name only a
 * URL. Jobs without pipeline or capability are in no row.
 */
#include "rollup/settle_int.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

/* clang-format off */
#define COMMON_COLUMNS                                                         \
    FIELD(WINDOW, request_demand_row, window_start),                                              \
    FIELD(TEXT, request_demand_row, org),                                                         \
    FIELD(TEXT, request_demand_row, gateway),                                                     \
    FIELD(TEXT, request_demand_row, execution_mode),                                              \
    FIELD(TEXT, request_demand_row, capability_family),                                           \
    FIELD(TEXT, request_demand_row, capability_name),                                             \
    FIELD(INT, request_demand_row, capability_id),                                                \
    FIELD(TEXT, request_demand_row, canonical_pipeline),                                          \
    FIELD(TEXT, request_demand_row, pipeline_id),                                                 \
    FIELD(TEXT, request_demand_row, canonical_model),                                             \
    FIELD(TEXT, request_demand_row, orchestrator_address),                                        \
    FIELD(TEXT, request_demand_row, orchestrator_uri),                                            \
    FIELD(INT, request_demand_row, job_count),                                                    \
    FIELD(INT, request_demand_row, selected_count),                                               \
    FIELD(INT, request_demand_row, no_orch_count),                                                \
    FIELD(INT, request_demand_row, success_count),                                                \
    FIELD(INT, request_demand_row, duration_ms_sum),                                              \
    FIELD(DOUBLE, request_demand_row, price_sum),                                                 \
    FIELD(INT, request_demand_row, llm_request_count),                                            \
    FIELD(INT, request_demand_row, llm_success_count),                                            \
    FIELD(INT, request_demand_row, llm_total_tokens_sum),                                         \
    FIELD(INT, request_demand_row, llm_total_tokens_sample_count),                                \
    FIELD(DOUBLE, request_demand_row, llm_tokens_per_second_sum),                                 \
    FIELD(INT, request_demand_row, llm_tokens_per_second_sample_count),                           \
    FIELD(INT, request_demand_row, llm_ttft_ms_sum),                                              \
    FIELD(INT, request_demand_row, llm_ttft_ms_sample_count)

static const struct field stored_list[] = {
    COMMON_COLUMNS,
    FIELD(INT, request_demand_row, position),
};
static const struct field shown_list[] = {
    COMMON_COLUMNS,
    FIELD(INT, request_demand_row, published),
};
/* clang-format on */

const struct fields request_demand_stored = FIELDS(stored_list, 1);
const struct fields request_demand_fields = FIELDS(shown_list, 0);

/* ---- keys ---------------------------------------------------------------- */

/* One job with the row that it would be alone. */
struct part {
    struct request_demand_row row;
    double price;
    double tokens_per_second;
};

static int compare_texts(struct text a, struct text b)
{
    struct text blank = text_of("");
    return text_compare(a.data ? a : blank, b.data ? b : blank);
}

static int compare_rows(const struct request_demand_row *a,
                        const struct request_demand_row *b)
{
    if (a->window_start != b->window_start)
        return a->window_start < b->window_start ? -1 : 1;
    int order = compare_texts(a->org, b->org);
    if (!order)
        order = compare_texts(a->gateway, b->gateway);
    if (!order)
        order = compare_texts(a->capability_family, b->capability_family);
    if (!order)
        order = compare_texts(a->pipeline_id, b->pipeline_id);
    if (!order)
        order = compare_texts(a->canonical_model, b->canonical_model);
    if (!order)
        order = compare_texts(a->orchestrator_address, b->orchestrator_address);
    return order ? order
                 : compare_texts(a->orchestrator_uri, b->orchestrator_uri);
}

static int compare_parts(const void *left, const void *right)
{
    return compare_rows(&((const struct part *)left)->row,
                        &((const struct part *)right)->row);
}

/* ---- jobs as parts ------------------------------------------------------- */

static void count_outcome(struct request_demand_row *row, struct text outcome)
{
    row->job_count = 1;
    row->selected_count = text_is(outcome, "selected");
    row->no_orch_count = text_is(outcome, "no_orch");
}

/* Only what the llm pipeline ran counts, and only with a model; whether it was
 * a success is the batch job's word. */
static void count_llm(struct part *part, const struct batch_job_row *job)
{
    struct request_demand_row *row = &part->row;
    if (!text_is(job->pipeline, "llm") || !job->llm_model.length)
        return;
    row->llm_request_count = row->llm_total_tokens_sample_count = 1;
    row->llm_tokens_per_second_sample_count = row->llm_ttft_ms_sample_count = 1;
    row->llm_success_count = job->success;
    row->llm_total_tokens_sum = job->total_tokens;
    row->llm_ttft_ms_sum = job->ttft_ms;
    part->tokens_per_second = job->tokens_per_second;
}

static struct part batch_part(struct arena *arena,
                              const struct batch_job_row *job)
{
    struct part part = {
        .row = {.window_start = clock_hour_start(job->completed_at),
                .org = job->org,
                .gateway = job->gateway,
                .execution_mode = text_of("request"),
                .capability_family = text_of("builtin"),
                .capability_name = job->pipeline,
                .capability_id = ABSENT_INT,
                .canonical_pipeline = job->pipeline,
                .pipeline_id = job->pipeline,
                .canonical_model = job->model_id,
                .orchestrator_address = text_of(""),
                .orchestrator_uri = text_lower(arena, job->orch_url),
                .success_count = job->success,
                .duration_ms_sum = job->duration_ms},
        .price = job->price_per_unit,
    };
    count_outcome(&part.row, job->selection_outcome);
    count_llm(&part, job);
    return part;
}

static struct part byoc_part(struct arena *arena,
                             const struct byoc_job_row *job)
{
    struct part part = {
        .row = {.window_start = clock_hour_start(job->completed_at),
                .org = job->org,
                .gateway = job->gateway,
                .execution_mode = text_of("request"),
                .capability_family = text_of("byoc"),
                .capability_name = job->capability,
                .capability_id = CAPABILITY_BYOC,
                .pipeline_id = job->capability,
                .canonical_model = job->model,
                .orchestrator_address = job->orch_address,
                .orchestrator_uri = text_lower(arena, job->orch_url),
                .success_count = job->success,
                .duration_ms_sum = job->duration_ms},
        .price = isnan(job->price_per_unit) ? 0 : job->price_per_unit,
    };
    count_outcome(&part.row, job->selection_outcome);
    return part;
}

static struct part *parts_of(struct arena *arena, const struct jobs *jobs,
                             size_t *count)
{
    struct part *parts =
        arena_array(arena, jobs->batch_count + jobs->byoc_count, sizeof *parts);
    *count = 0;
    for (size_t i = 0; i < jobs->batch_count; i++)
        if (jobs->batch[i].pipeline.length)
            parts[(*count)++] = batch_part(arena, &jobs->batch[i]);
    for (size_t i = 0; i < jobs->byoc_count; i++)
        if (jobs->byoc[i].capability.length)
            parts[(*count)++] = byoc_part(arena, &jobs->byoc[i]);
    if (*count)
        qsort(parts, *count, sizeof *parts, compare_parts);
    return parts;
}

/* ---- rows ---------------------------------------------------------------- */

/* Foreign numbers of any size: the sum goes round as the publisher's does. */
static int64_t add_around(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void add_counts(struct request_demand_row *row,
                       const struct request_demand_row *more)
{
    row->job_count += more->job_count;
    row->selected_count += more->selected_count;
    row->no_orch_count += more->no_orch_count;
    row->success_count += more->success_count;
    row->duration_ms_sum =
        add_around(row->duration_ms_sum, more->duration_ms_sum);
    row->llm_request_count += more->llm_request_count;
    row->llm_success_count += more->llm_success_count;
    row->llm_total_tokens_sum =
        add_around(row->llm_total_tokens_sum, more->llm_total_tokens_sum);
    row->llm_total_tokens_sample_count += more->llm_total_tokens_sample_count;
    row->llm_tokens_per_second_sample_count +=
        more->llm_tokens_per_second_sample_count;
    row->llm_ttft_ms_sum =
        add_around(row->llm_ttft_ms_sum, more->llm_ttft_ms_sum);
    row->llm_ttft_ms_sample_count += more->llm_ttft_ms_sample_count;
}

/* One row of PARTS, which share a key. */
static struct request_demand_row row_of(struct arena *arena,
                                        const struct part *parts, size_t count)
{
    struct request_demand_row row = parts[0].row;
    struct exact_sum price = {.arena = arena};
    struct exact_sum speed = {.arena = arena};
    for (size_t i = 0; i < count; i++) {
        if (i)
            add_counts(&row, &parts[i].row);
        exact_add(&price, parts[i].price);
        exact_add(&speed, parts[i].tokens_per_second);
    }
    row.price_sum = exact_round(&price);
    row.llm_tokens_per_second_sum = exact_round(&speed);
    return row;
}

static int64_t next_position(const struct request_demand_row *rows, size_t at)
{
    bool same = at && rows[at - 1].window_start == rows[at].window_start &&
                text_equal(rows[at - 1].org, rows[at].org);
    return same ? rows[at - 1].position + 1 : 0;
}

struct request_demand_row *request_demand_build(struct arena *arena,
                                                const struct jobs *jobs,
                                                size_t *count)
{
    size_t part_count;
    struct part *parts = parts_of(arena, jobs, &part_count);
    struct request_demand_row *rows =
        arena_array(arena, part_count, sizeof *rows);
    *count = 0;
    for (size_t i = 0; i < part_count;) {
        size_t first = i;
        while (i < part_count && !compare_parts(&parts[first], &parts[i]))
            i++;
        rows[*count] = row_of(arena, parts + first, i - first);
        rows[*count].position = next_position(rows, *count);
        (*count)++;
    }
    return rows;
}
