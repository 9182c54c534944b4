/*
 * dashboard_orchestrators.c: /v1/dashboard/orchestrators: who announced himself
 * in the day before `as_of`, what he offers, and how his sessions went in the
 * window (§4.4); and the same under /compat as the publisher answers.
 *
 * Rates are weighted by requested sessions; the score is that of the newest
 * hour that has one.
 */
#include "api/dashboard.h"
#include "base/index.h"

#include <math.h>
#include <stdlib.h>

struct orchestrator {
    struct text address;
    struct text uri;
    int64_t known_sessions;
    int64_t success_sessions;
    double success_ratio; /* in percent, of effective success */
    double effective_success_rate;
    double no_swap_ratio;
    double sla_score;
    int64_t sla_window_start;
    int64_t gpu_count;
    /* beside the fields */
    int64_t last_seen;
    const struct offer_row *offers; /* sorted by pipeline and model */
    size_t offer_count;
};

static const struct field orchestrator_list[] = {
    NAMED_FIELD(TEXT, orchestrator, address, "address"),
    NAMED_FIELD(TEXT, orchestrator, uri, "serviceUri"),
    NAMED_FIELD(INT, orchestrator, known_sessions, "knownSessions"),
    NAMED_FIELD(INT, orchestrator, success_sessions, "successSessions"),
    NAMED_FIELD(DOUBLE, orchestrator, success_ratio, "successRatio"),
    NAMED_FIELD(DOUBLE, orchestrator, effective_success_rate,
                "effectiveSuccessRate"),
    NAMED_FIELD(DOUBLE, orchestrator, no_swap_ratio, "noSwapRatio"),
    NAMED_FIELD(DOUBLE, orchestrator, sla_score, "slaScore"),
    NAMED_FIELD(WINDOW, orchestrator, sla_window_start, "slaWindowStart"),
    NAMED_FIELD(INT, orchestrator, gpu_count, "gpuCount"),
    NAMED_FIELD(TIME, orchestrator, last_seen, "lastSeen")};

const struct fields dashboard_orchestrator_fields =
    FIELDS(orchestrator_list, 1);

/* ---- what is offered ----------------------------------------------------- */

static bool same_pipeline(const struct offer_row *a, const struct offer_row *b)
{
    return text_equal(a->pipeline_id, b->pipeline_id);
}

static void add_models(struct json_writer *writer,
                       const struct offer_row *offers, size_t count)
{
    struct text last = text_of("");
    json_key(writer, "modelIds");
    json_begin(writer, '[');
    for (size_t i = 0; i < count; i++) {
        struct text model = offers[i].model_id;
        if (model.length && !text_equal(model, last))
            json_text(writer, last = model);
    }
    json_end(writer, ']');
}

/* Members "pipelines" and "pipelineModels". */
static void add_offers(struct json_writer *writer, const void *row)
{
    const struct orchestrator *one = row;
    const struct offer_row *offers = one->offers;
    json_key(writer, "pipelines");
    json_begin(writer, '[');
    for (size_t i = 0; i < one->offer_count; i++)
        if (!i || !same_pipeline(&offers[i], &offers[i - 1]))
            json_text(writer, offers[i].pipeline_id);
    json_end(writer, ']');
    json_key(writer, "pipelineModels");
    json_begin(writer, '[');
    for (size_t i = 0; i < one->offer_count;) {
        size_t first = i;
        while (i < one->offer_count &&
               same_pipeline(&offers[i], &offers[first]))
            i++;
        json_begin(writer, '{');
        add_text(writer, "pipelineId", offers[first].pipeline_id);
        add_models(writer, offers + first, i - first);
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

static const struct row_list list_of_orchestrators = {
    .fields = &dashboard_orchestrator_fields,
    .row_bytes = sizeof(struct orchestrator),
    .keys = {"-knownSessions", "address"},
    .told_until = "lastSeen",
    .more = add_offers,
    .compat = {"address", "~serviceUri", "knownSessions", "successSessions",
               "successRatio", "!effectiveSuccessRate", "!noSwapRatio",
               "!slaScore", "~slaWindowStart", "*", "gpuCount"}};

/* ---- sessions ------------------------------------------------------------ */

/* Of the rows of one orchestrator. */
struct scores {
    int64_t known;
    int64_t started;
    int64_t requested;
    int64_t effective;
    struct exact_sum no_swap; /* weighted, of rows that have a rate */
    int64_t hour;             /* the newest with a score */
    struct exact_sum score;   /* weighted, of that hour */
    int64_t score_weight;
};

struct scoring {
    const struct dashboard *dashboard;
    struct text_index addresses; /* of the orchestrators that are listed */
    struct scores *list;         /* by number */
};

static void add_score(struct scores *scores, const struct sla_row *row)
{
    if (isnan(row->sla_score) || !row->requested_sessions)
        return;
    if (row->window_start > scores->hour) {
        scores->hour = row->window_start;
        scores->score = (struct exact_sum){.arena = scores->score.arena};
        scores->score_weight = 0;
    }
    if (row->window_start == scores->hour) {
        exact_add(&scores->score,
                  row->sla_score * (double)row->requested_sessions);
        scores->score_weight += row->requested_sessions;
    }
}

static enum err add_hour(void *context, const void *pointer)
{
    const struct sla_row *row = pointer;
    struct scoring *scoring = context;
    struct text org = scoring->dashboard->org;
    ptrdiff_t number =
        text_index_find(&scoring->addresses, row->orchestrator_address);
    if (number < 0 || (org.data && !text_equal(org, row->org)))
        return ERR_NONE;
    struct scores *scores = &scoring->list[number];
    scores->known += row->known_sessions_count;
    scores->started += row->startup_success_sessions;
    scores->requested += row->requested_sessions;
    scores->effective +=
        row->requested_sessions - row->effective_failed_sessions;
    if (!isnan(row->no_swap_rate))
        exact_add(&scores->no_swap,
                  row->no_swap_rate * (double)row->requested_sessions);
    add_score(scores, row);
    return ERR_NONE;
}

static void set_scores(struct orchestrator *row, const struct scores *scores)
{
    double rate = ratio_of((double)scores->effective, scores->requested);
    row->known_sessions = scores->known;
    row->success_sessions = scores->started;
    row->success_ratio = rate * 100;
    row->effective_success_rate = rate;
    row->no_swap_ratio =
        ratio_of(exact_round(&scores->no_swap), scores->requested);
    row->sla_score =
        ratio_of(exact_round(&scores->score), scores->score_weight);
    row->sla_window_start = scores->hour;
}

/* ---- the rows ------------------------------------------------------------ */

static void take_offers(struct orchestrator *row, const struct network *network,
                        size_t *at)
{
    while (*at < network->offer_count &&
           text_compare(network->offers[*at].orch_address, row->address) < 0)
        (*at)++;
    row->offers = &network->offers[*at];
    while (*at < network->offer_count &&
           text_equal(network->offers[*at].orch_address, row->address)) {
        row->offer_count++;
        (*at)++;
    }
    row->gpu_count = (int64_t)count_gpus(row->offers, row->offer_count);
}

/* One row an address; sightings and offers are sorted by it. */
static struct orchestrator *
rows_of(struct arena *arena, const struct network *network, size_t *count)
{
    struct orchestrator *rows =
        arena_array(arena, network->sighting_count, sizeof *rows);
    size_t at = 0;
    *count = 0;
    for (size_t i = 0; i < network->sighting_count; i++) {
        const struct sighting_row *seen = &network->sightings[i];
        struct orchestrator *last = *count ? &rows[*count - 1] : NULL;
        if (!last || !text_equal(last->address, seen->orch_address)) {
            last = &rows[(*count)++];
            *last = (struct orchestrator){.address = seen->orch_address,
                                          .last_seen = INT64_MIN};
            take_offers(last, network, &at);
        }
        if (seen->last_seen >= last->last_seen) {
            last->last_seen = seen->last_seen;
            last->uri = seen->orchestrator_uri;
        }
    }
    return rows;
}

static enum err find_rows(struct dashboard *dashboard,
                          struct orchestrator **rows, size_t *count)
{
    struct request *request = dashboard->request;
    struct scoring scoring = {.dashboard = dashboard};
    struct network network;
    enum err err = network_between(
        request->store, request->arena, &dashboard->computation.known,
        dashboard->org, dashboard->now_ms - STREAM_WINDOW_MS, dashboard->now_ms,
        &network);
    if (err)
        return err;
    *rows = rows_of(request->arena, &network, count);
    scoring.list = arena_array(request->arena, *count, sizeof *scoring.list);
    for (size_t i = 0; i < *count; i++) {
        text_index_add(&scoring.addresses, (*rows)[i].address, NULL);
        scoring.list[i] = (struct scores){.hour = ABSENT_INT,
                                          .no_swap.arena = request->arena,
                                          .score.arena = request->arena};
    }
    err = each_sla_row(request, &dashboard->computation, dashboard->since_ms,
                       dashboard_end_ms(dashboard), add_hour, &scoring);
    for (size_t i = 0; i < *count; i++)
        set_scores(&(*rows)[i], &scoring.list[i]);
    text_index_free(&scoring.addresses);
    list_sort(&list_of_orchestrators, *rows, *count);
    return err;
}

enum err answer_dashboard_orchestrators(struct request *request,
                                        struct reply *reply)
{
    struct listing listing;
    struct dashboard dashboard;
    struct orchestrator *rows;
    size_t count;
    enum err err = list_open(&listing, &list_of_orchestrators, request);
    if (!err)
        err = dashboard_open_at(&dashboard, request, listing.now_ms);
    if (!err)
        err = find_rows(&dashboard, &rows, &count);
    if (!err)
        list_answer(&listing, reply, &dashboard.computation.known, rows, count);
    return err;
}

enum err compat_dashboard_orchestrators(struct request *request,
                                        struct reply *reply)
{
    struct dashboard dashboard;
    struct orchestrator *rows;
    size_t count;
    dashboard_open_as_published(&dashboard, request, false);
    enum err err = find_rows(&dashboard, &rows, &count);
    if (!err)
        compat_array(reply, &list_of_orchestrators, rows, count);
    return err;
}
