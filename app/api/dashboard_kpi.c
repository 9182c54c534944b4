/*
 * dashboard_kpi.c: /v1/dashboard/kpi: the figures on top of the publisher's
 * dashboard (§4.4), and the same under /compat as the publisher answers.
 *
 * Hours with rows are buckets. Changes compare the second half of the buckets
 * with the first one, in percent, or in points where it is a rate; that of
 * orchestrators compares the window with the one before. Where the first one is
 * empty there is nothing to compare with: null, and 0 as published.
 */
#include "api/dashboard.h"

#include <math.h>

enum { BUCKETS_MAX = 170 }; /* hours of the widest window, both ends cut */

struct bucket {
    bool is_there;
    int64_t requested;
    int64_t effective; /* requested, and not failed */
    struct exact_sum minutes;
};

struct kpi {
    struct dashboard dashboard;
    int64_t first_hour;
    struct bucket buckets[BUCKETS_MAX];
    double observed; /* orchestrators in the window, */
    double before;   /* and in the one before */
    struct job_groups jobs;
};

/* ---- streams ------------------------------------------------------------- */

static bool fits(struct text wanted, struct text value)
{
    return !wanted.data || text_equal(wanted, value.data ? value : text_of(""));
}

static enum err add_hour(void *context, const void *pointer)
{
    const struct demand_row *row = pointer;
    struct kpi *kpi = context;
    int64_t at = (row->window_start - kpi->first_hour) / MS_PER_HOUR;
    if (!fits(kpi->dashboard.org, row->org) ||
        !fits(kpi->dashboard.pipeline, row->pipeline_id) ||
        !fits(kpi->dashboard.model, row->model_id) || at < 0 ||
        at >= BUCKETS_MAX)
        return ERR_NONE;
    struct bucket *bucket = &kpi->buckets[at];
    bucket->is_there = true;
    bucket->minutes.arena = kpi->dashboard.request->arena;
    bucket->requested += row->requested_sessions;
    bucket->effective +=
        row->requested_sessions - row->effective_failed_sessions;
    exact_add(&bucket->minutes, row->total_minutes);
    return ERR_NONE;
}

/* Empty hours make no bucket. */
static size_t close_ranks(struct bucket *buckets, int64_t *hours,
                          int64_t first_hour)
{
    size_t count = 0;
    for (size_t i = 0; i < BUCKETS_MAX; i++) {
        if (!buckets[i].is_there)
            continue;
        hours[count] = first_hour + (int64_t)i * MS_PER_HOUR;
        buckets[count++] = buckets[i];
    }
    return count;
}

static struct bucket sum_of(struct arena *arena, const struct bucket *buckets,
                            size_t count)
{
    struct bucket sum = {.minutes.arena = arena};
    for (size_t i = 0; i < count; i++) {
        sum.requested += buckets[i].requested;
        sum.effective += buckets[i].effective;
        exact_add_sum(&sum.minutes, &buckets[i].minutes);
    }
    return sum;
}

static double percent(double part, double whole)
{
    return whole != 0 ? part / whole * 100 : (double)NAN;
}

static double change(double first, double second)
{
    return percent(second - first, first);
}

/* ---- orchestrators ------------------------------------------------------- */

/* Everybody who announced himself, or, where pipeline or model is asked for,
 * who offered it. Rows are sorted by address. */
static enum err count_observed(struct kpi *kpi, int64_t from_ms,
                               int64_t until_ms, double *count)
{
    const struct dashboard *dashboard = &kpi->dashboard;
    struct request *request = dashboard->request;
    struct network network;
    struct text last = {0};
    enum err err = network_between(request->store, request->arena,
                                   &dashboard->computation.known,
                                   dashboard->org, from_ms, until_ms, &network);
    if (err)
        return err;
    bool filtered = dashboard->pipeline.data || dashboard->model.data;
    for (size_t i = 0; !filtered && i < network.sighting_count; i++) {
        struct text address = network.sightings[i].orch_address;
        *count += !last.data || !text_equal(address, last);
        last = address;
    }
    for (size_t i = 0; filtered && i < network.offer_count; i++) {
        const struct offer_row *offer = &network.offers[i];
        if (!text_is(offer->capability_family, "builtin") ||
            !fits(dashboard->pipeline, offer->pipeline_id) ||
            !fits(dashboard->model, offer->model_id))
            continue;
        *count += !last.data || !text_equal(offer->orch_address, last);
        last = offer->orch_address;
    }
    return ERR_NONE;
}

/* ---- the answer ---------------------------------------------------------- */

static void add_delta(const struct kpi *kpi, struct json_writer *writer,
                      const char *name, double value, double delta)
{
    json_key(writer, name);
    json_begin(writer, '{');
    add_figure(&kpi->dashboard, writer, "value", value);
    add_figure(&kpi->dashboard, writer, "delta", delta);
    json_end(writer, '}');
}

static double sessions_of(const struct bucket *bucket)
{
    return (double)bucket->requested;
}

static double minutes_of(const struct bucket *bucket)
{
    return exact_round(&bucket->minutes);
}

/* The publisher leaves an empty list out. */
static void add_hours(const struct kpi *kpi, struct json_writer *writer,
                      const char *name, const int64_t *hours, size_t count,
                      double (*value)(const struct bucket *bucket))
{
    if (kpi->dashboard.as_published && !count)
        return;
    json_key(writer, name);
    json_begin(writer, '[');
    for (size_t i = 0; i < count; i++) {
        json_begin(writer, '{');
        json_key(writer, "hour");
        json_window(writer, hours[i]);
        add_figure(&kpi->dashboard, writer, "value", value(&kpi->buckets[i]));
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

static void add_streaming(struct kpi *kpi, struct json_writer *writer)
{
    int64_t hours[BUCKETS_MAX];
    size_t count = close_ranks(kpi->buckets, hours, kpi->first_hour);
    size_t half = count / 2;
    struct arena *arena = kpi->dashboard.request->arena;
    struct bucket all = sum_of(arena, kpi->buckets, count);
    struct bucket first = sum_of(arena, kpi->buckets, half);
    struct bucket second = sum_of(arena, kpi->buckets + half, count - half);
    double rate = percent((double)all.effective, (double)all.requested);
    double rate_first =
        percent((double)first.effective, (double)first.requested);
    double rate_second =
        percent((double)second.effective, (double)second.requested);
    /* A half without sessions is a rate of 0 there. */
    if (kpi->dashboard.as_published && count > 1) {
        rate_first = isnan(rate_first) ? 0 : rate_first;
        rate_second = isnan(rate_second) ? 0 : rate_second;
    }
    add_delta(kpi, writer, "successRate", rate, rate_second - rate_first);
    add_delta(kpi, writer, "orchestratorsObserved", kpi->observed,
              change(kpi->before, kpi->observed));
    add_delta(kpi, writer, "dailyUsageMins", minutes_of(&all),
              change(minutes_of(&first), minutes_of(&second)));
    add_delta(kpi, writer, "dailySessionCount", (double)all.requested,
              change((double)first.requested, (double)second.requested));
    /* No fees are told of anywhere (§3.9). */
    double fees = kpi->dashboard.as_published ? 0 : (double)NAN;
    add_delta(kpi, writer, "dailyNetworkFeesEth", fees, fees);
    add_count(writer, "timeframeHours", kpi->dashboard.hours);
    add_hours(kpi, writer, "hourlySessions", hours, count, sessions_of);
    add_hours(kpi, writer, "hourlyUsage", hours, count, minutes_of);
}

static void add_requests(const struct kpi *kpi, struct json_writer *writer)
{
    const struct job_groups *jobs = &kpi->jobs;
    struct job_group batch = job_total(jobs->batch, jobs->batch_count);
    struct job_group byoc = job_total(jobs->byoc, jobs->byoc_count);
    json_key(writer, "ai_batch");
    json_begin(writer, '{');
    add_job_group(&kpi->dashboard, writer, &batch);
    json_end(writer, '}');
    json_key(writer, "byoc");
    json_begin(writer, '{');
    add_job_group(&kpi->dashboard, writer, &byoc);
    json_end(writer, '}');
}

static enum err gather(struct kpi *kpi)
{
    struct dashboard *dashboard = &kpi->dashboard;
    int64_t since_ms = dashboard->since_ms;
    int64_t window_ms = dashboard->now_ms - since_ms;
    kpi->first_hour = clock_hour_start(since_ms);
    enum err err =
        each_demand_row(dashboard->request, &dashboard->computation, since_ms,
                        dashboard_end_ms(dashboard), add_hour, kpi);
    if (!err)
        err = count_observed(kpi, since_ms, dashboard->now_ms, &kpi->observed);
    if (!err)
        err = count_observed(kpi, since_ms - window_ms, since_ms, &kpi->before);
    if (!err)
        err = dashboard_jobs(dashboard, &kpi->jobs);
    return err;
}

static enum err answer(struct kpi *kpi, struct reply *reply)
{
    enum err err = gather(kpi);
    if (err)
        return err;
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    json_key(&writer, "streaming");
    json_begin(&writer, '{');
    add_streaming(kpi, &writer);
    json_end(&writer, '}');
    json_key(&writer, "requests");
    json_begin(&writer, '{');
    add_requests(kpi, &writer);
    json_end(&writer, '}');
    json_end(&writer, '}');
    return ERR_NONE;
}

enum err answer_dashboard_kpi(struct request *request, struct reply *reply)
{
    struct kpi *kpi = arena_alloc(request->arena, sizeof *kpi);
    enum err err = dashboard_open(&kpi->dashboard, request);
    return err ? err : answer(kpi, reply);
}

enum err compat_dashboard_kpi(struct request *request, struct reply *reply)
{
    struct kpi *kpi = arena_alloc(request->arena, sizeof *kpi);
    dashboard_open_as_published(&kpi->dashboard, request, true);
    return answer(kpi, reply);
}
