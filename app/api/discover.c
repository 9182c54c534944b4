/*
 * discover.c: /v1/discover/orchestrators: whom a gateway may ask for what, with
 * how well it went in the last two hours (§4.4); and the same under /compat as
 * the publisher answers.
 *
 * One row an orchestrator and pipeline. What streams is scored by its SLA, what
 * takes requests alone by how many succeeded; byoc's workers count as offers,
 * for whoever registered one and announces nothing. The publisher's score is 0
 * where there was no work; ours is null.
 */
#include "api/dashboard.h"
#include "base/index.h"

#include <math.h>
#include <stdlib.h>

enum { SCORED_MS = 2 * MS_PER_HOUR };

struct candidate {
    struct text address; /* a URI, as the publisher calls it */
    double score;        /* 0 to 1; NaN without work */
    int64_t last_seen_ms;
    int64_t last_seen;
    int64_t recent_work;
    struct text orch_address;
    struct text pipeline;
    /* what it is sorted by, beside these */
    int64_t score_ppm;
    int64_t capability_count;
    struct text_list capabilities; /* "pipeline/model" */
    bool streams;
};

static const struct field candidate_list[] = {
    FIELD(TEXT, candidate, address),
    FIELD(DOUBLE, candidate, score),
    FIELD(INT, candidate, last_seen_ms),
    FIELD(TIME, candidate, last_seen),
    FIELD(INT, candidate, recent_work),
    FIELD(TEXT, candidate, orch_address),
    FIELD(TEXT, candidate, pipeline),
    FIELD(INT, candidate, score_ppm),
    FIELD(INT, candidate, capability_count)};

const struct fields discover_fields = FIELDS(candidate_list, 2);

static const struct row_list list_of_candidates = {
    .fields = &discover_fields,
    .row_bytes = sizeof(struct candidate),
    .keys = {"-score_ppm", "-capability_count", "address", "orch_address",
             "pipeline"},
    .told_until = "last_seen",
    .texts_name = "capabilities",
    .texts_at = offsetof(struct candidate, capabilities),
    .compat = {"address", "score", "capabilities", "last_seen_ms", "#last_seen",
               "?recent_work"}};

/* ---- offers -------------------------------------------------------------- */

struct orchestrator {
    struct text address;
    struct text uri;
    int64_t last_seen;
};

struct discovery {
    struct dashboard dashboard;
    struct arena *arena;
    struct text_index addresses;
    struct orchestrator *orchestrators; /* by number */
    struct text_index keys;             /* of address and pipeline */
    struct candidate *rows;             /* by number */
};

static struct text kept(struct arena *arena, struct text text)
{
    return (struct text){arena_text(arena, text.data, text.length),
                         text.length};
}

static void see_orchestrator(struct discovery *discovery, struct text address,
                             struct text uri, int64_t last_seen)
{
    bool added;
    size_t number = text_index_add(&discovery->addresses, address, &added);
    if (added) {
        discovery->orchestrators =
            arena_grow(discovery->arena, discovery->orchestrators, number,
                       sizeof *discovery->orchestrators);
        discovery->orchestrators[number] = (struct orchestrator){
            .address = kept(discovery->arena, address), .last_seen = INT64_MIN};
    }
    struct orchestrator *one = &discovery->orchestrators[number];
    if (last_seen >= one->last_seen) {
        one->last_seen = last_seen;
        if (uri.length)
            one->uri = kept(discovery->arena, uri);
    }
}

static void see_offer(struct discovery *discovery, struct text address,
                      struct text pipeline, struct text model, bool streams)
{
    struct arena *arena = discovery->arena;
    struct buf key = {0};
    bool added;
    buf_add_text(&key, address);
    buf_add_text(&key, pipeline);
    size_t number = text_index_add(&discovery->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (added) {
        discovery->rows =
            arena_grow(arena, discovery->rows, number, sizeof *discovery->rows);
        discovery->rows[number] =
            (struct candidate){.orch_address = kept(arena, address),
                               .pipeline = kept(arena, pipeline),
                               .score = (double)NAN};
    }
    struct candidate *row = &discovery->rows[number];
    row->streams |= streams;
    if (model.length)
        text_list_add(arena, &row->capabilities,
                      text_of(arena_printf(arena, "%.*s/%.*s",
                                           (int)pipeline.length, pipeline.data,
                                           (int)model.length, model.data)));
}

static void add_worker(void *context, const struct request_event *event)
{
    struct discovery *discovery = context;
    if (!event->capability.length || !event->address.length)
        return;
    see_orchestrator(discovery, event->address, text_of(""), event->ts);
    see_offer(discovery, event->address, event->capability, event->model,
              false);
}

static enum err gather(struct discovery *discovery)
{
    struct dashboard *dashboard = &discovery->dashboard;
    const struct knowledge *known = &dashboard->computation.known;
    struct supply_filter filter = {
        .now_ms = dashboard->now_ms, .known = known, .org = dashboard->org};
    struct offer_row *offers;
    size_t count;
    enum err err = supply_offers(dashboard->request, &filter, &offers, &count);
    for (size_t i = 0; !err && i < count; i++) {
        const struct offer_row *offer = &offers[i];
        if (!offer->pipeline_id.length)
            continue;
        see_orchestrator(discovery, offer->orch_address,
                         offer->orchestrator_uri, offer->last_seen);
        see_offer(discovery, offer->orch_address, offer->pipeline_id,
                  offer->model_id, offer->supports_stream == 1);
    }
    if (!err)
        err = each_request_event(dashboard->request, known, dashboard->org,
                                 GROUP_WORKERS,
                                 dashboard->now_ms - STREAM_WINDOW_MS,
                                 dashboard->now_ms, add_worker, discovery);
    return err;
}

/* ---- scores -------------------------------------------------------------- */

/* What went on under one address and pipeline, or URI and pipeline. */
struct work {
    struct exact_sum score;
    int64_t weight;
};

struct working {
    struct arena *arena;
    struct text org;
    struct text_index keys;
    struct work *list;
};

static struct buf work_key(struct text who, struct text pipeline)
{
    struct buf key = {0};
    buf_add_text(&key, who);
    buf_add_text(&key, pipeline);
    return key;
}

/* Made where there is none yet. */
static struct work *work_of(struct working *working, struct text who,
                            struct text pipeline)
{
    struct buf key = work_key(who, pipeline);
    bool added;
    size_t number = text_index_add(&working->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (added) {
        working->list = arena_grow(working->arena, working->list, number,
                                   sizeof *working->list);
        working->list[number] = (struct work){.score.arena = working->arena};
    }
    return &working->list[number];
}

static enum err add_sla(void *context, const void *pointer)
{
    const struct sla_row *row = pointer;
    struct working *working = context;
    if (!row->orchestrator_address.length ||
        (working->org.data && !text_equal(working->org, row->org)))
        return ERR_NONE;
    struct work *work =
        work_of(working, row->orchestrator_address, row->pipeline_id);
    double score = isnan(row->sla_score) ? 0 : row->sla_score / 100;
    exact_add(&work->score, score * (double)row->requested_sessions);
    work->weight += row->requested_sessions;
    return ERR_NONE;
}

static enum err add_demand(void *context, const void *pointer)
{
    const struct request_demand_row *row = pointer;
    struct working *working = context;
    if (!row->orchestrator_uri.length ||
        (working->org.data && !text_equal(working->org, row->org)))
        return ERR_NONE;
    struct work *work =
        work_of(working, row->orchestrator_uri, row->pipeline_id);
    exact_add(&work->score, (double)row->success_count);
    work->weight += row->job_count;
    return ERR_NONE;
}

/* As theirs, only hours that they show. */
static enum err add_published(void *context, const void *pointer)
{
    const struct request_demand_row *row = pointer;
    return row->published ? add_demand(context, pointer) : ERR_NONE;
}

static void set_score(struct candidate *row, const struct working *working,
                      struct text who)
{
    struct buf key = work_key(who, row->pipeline);
    ptrdiff_t number =
        text_index_find(&working->keys, (struct text){key.data, key.length});
    buf_free(&key);
    if (number >= 0)
        row->score = ratio_of(exact_round(&working->list[number].score),
                              working->list[number].weight);
}

static enum err score(struct discovery *discovery)
{
    struct dashboard *dashboard = &discovery->dashboard;
    int64_t since_ms = dashboard->now_ms - SCORED_MS;
    int64_t end_ms = dashboard_end_ms(dashboard);
    struct working streams = {.arena = discovery->arena, .org = dashboard->org};
    struct working requests = streams;
    enum err err = each_sla_row(dashboard->request, &dashboard->computation,
                                since_ms, end_ms, add_sla, &streams);
    if (!err)
        err = each_request_demand_row(
            dashboard->request, &dashboard->computation, since_ms, end_ms,
            dashboard->as_published ? add_published : add_demand, &requests);
    for (size_t i = 0; i < discovery->keys.count; i++) {
        struct candidate *row = &discovery->rows[i];
        if (row->streams)
            set_score(row, &streams, row->orch_address);
        else
            set_score(row, &requests, row->address);
    }
    text_index_free(&streams.keys);
    text_index_free(&requests.keys);
    return err;
}

/* ---- the answer ---------------------------------------------------------- */

static void set_orchestrator(const struct discovery *discovery,
                             struct candidate *row)
{
    ptrdiff_t number =
        text_index_find(&discovery->addresses, row->orch_address);
    const struct orchestrator *one = &discovery->orchestrators[number];
    row->address = one->uri.data ? one->uri : text_of("");
    row->last_seen = row->last_seen_ms = one->last_seen;
    text_list_settle(&row->capabilities);
    row->capability_count = (int64_t)row->capabilities.count;
}

/* To three decimals, halves to even, as theirs; what it is sorted by. */
static void set_order(struct candidate *row, bool as_published)
{
    row->recent_work = !isnan(row->score);
    double value = isnan(row->score) ? 0 : row->score;
    if (as_published)
        value = row->score = nearbyint(value * 1000) / 1000;
    row->score_ppm = (int64_t)nearbyint(value * 1000000);
}

/* Parameter caps, any of them; an empty one is none. */
static bool is_wanted(const struct request *request,
                      const struct candidate *row)
{
    bool any = false;
    for (size_t i = 0; i < request->query.count; i++) {
        const struct query_parameter *given = &request->query.list[i];
        if (!text_is(given->name, QUERY_REPEATED) || !given->value.length)
            continue;
        any = true;
        for (size_t k = 0; k < row->capabilities.count; k++)
            if (text_equal(given->value, row->capabilities.texts[k]))
                return true;
    }
    return !any;
}

static enum err find_candidates(struct discovery *discovery, size_t *count)
{
    struct request *request = discovery->dashboard.request;
    discovery->arena = request->arena;
    enum err err = gather(discovery);
    for (size_t i = 0; i < discovery->keys.count; i++)
        set_orchestrator(discovery, &discovery->rows[i]);
    if (!err)
        err = score(discovery);
    *count = 0;
    for (size_t i = 0; !err && i < discovery->keys.count; i++) {
        struct candidate row = discovery->rows[i];
        set_order(&row, discovery->dashboard.as_published);
        if (is_wanted(request, &row))
            discovery->rows[(*count)++] = row;
    }
    text_index_free(&discovery->addresses);
    text_index_free(&discovery->keys);
    list_sort(&list_of_candidates, discovery->rows, *count);
    return err;
}

enum err answer_discover(struct request *request, struct reply *reply)
{
    struct listing listing;
    struct discovery discovery = {0};
    size_t count;
    enum err err = list_open(&listing, &list_of_candidates, request);
    if (!err)
        err = dashboard_open_at(&discovery.dashboard, request, listing.now_ms);
    if (!err)
        err = find_candidates(&discovery, &count);
    if (!err)
        list_answer(&listing, reply, &discovery.dashboard.computation.known,
                    discovery.rows, count);
    return err;
}

enum err compat_discover(struct request *request, struct reply *reply)
{
    struct discovery discovery = {0};
    size_t count;
    dashboard_open_as_published(&discovery.dashboard, request, false);
    enum err err = find_candidates(&discovery, &count);
    if (!err)
        compat_array(reply, &list_of_candidates, discovery.rows, count);
    return err;
}
