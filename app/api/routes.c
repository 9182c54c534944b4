/*
 * routes.c: every path of the API with the parameters that it takes, and the
 * check that a request asks for nothing else.
 *
 * An unknown parameter is refused and not passed over: somebody who misspelt a
 * filter would otherwise read the unfiltered numbers as the filtered ones. For
 * the same reason what can only be empty is refused, and not answered with
 * nothing: an end before its start, a time that is still to come.
 */
#include "api/api_int.h"
#include "base/clock.h"
#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

#define AS_OF                                                                  \
    "the answer as of then: from the lines that had come in by that time; of " \
    "a time before the first line came in, from the events up to it by their " \
    "own time. meta.known_by says which. Rows are computed for it; where "     \
    "that "                                                                    \
    "takes too much memory it is 422, and start and end bound it; where what " \
    "had come in can no longer be told it is 410"
#define LENS                                                                   \
    "published: as the publisher's code computes; assay: as its documents "    \
    "define, always as one pass"
#define PASS                                                                   \
    "settled: each UTC day of an organisation is a pass of its own; whole: "   \
    "one pass over everything, computed for the question"

#define SAME_BY_ALL                                                            \
    "it is told as it was reported: the same by every lens and pass"

/* What many routes take alike, as rows of a table. */
#define BETWEEN                                                                \
    {"start", PARAMETER_TIME, NULL, NULL},                                     \
    {                                                                          \
        "end", PARAMETER_TIME, NULL, NULL                                      \
    }
#define COMPUTED_BY                                                            \
    {"lens", PARAMETER_CHOICE, LENS_NAMES, LENS},                              \
        {"pass", PARAMETER_CHOICE, PASS_NAMES, PASS},                          \
    {                                                                          \
        "as_of", PARAMETER_TIME, NULL, AS_OF                                   \
    }
#define PAGED                                                                  \
    {"limit", PARAMETER_LIMIT, NULL, NULL},                                    \
        {"cursor", PARAMETER_CURSOR, NULL, NULL},                              \
    {                                                                          \
        "pin", PARAMETER_PIN, NULL, NULL                                       \
    }
#define SHOWN_AS {"format", PARAMETER_CHOICE, "json|csv", NULL}, PAGED
#define WINDOW_OF                                                              \
    {                                                                          \
        "window", PARAMETER_WINDOW, NULL, NULL                                 \
    }
#define SEEN_BY {"org", PARAMETER_TEXT, NULL, NULL}, COMPUTED_BY

static const struct parameter list_of_scores[] = {
    BETWEEN,
    {"org", PARAMETER_TEXT, NULL, NULL},
    {"orchestrator", PARAMETER_TEXT, NULL, NULL},
    {"pipeline", PARAMETER_TEXT, NULL, NULL},
    {"model", PARAMETER_TEXT, NULL, NULL},
    {"gpu", PARAMETER_TEXT, NULL, NULL},
    COMPUTED_BY,
    SHOWN_AS,
    {0},
};

static const struct parameter list_of_percentiles[] = {
    BETWEEN,
    {"org", PARAMETER_TEXT, NULL, NULL},
    {"orchestrator", PARAMETER_TEXT, NULL, NULL},
    {"pipeline", PARAMETER_TEXT, NULL, NULL},
    {"model", PARAMETER_TEXT, NULL, NULL},
    {"gpu", PARAMETER_TEXT, NULL, NULL},
    {"metric", PARAMETER_CHOICE, SKETCH_METRIC_NAMES,
     "percentiles of this metric only"},
    {"by", PARAMETER_CHOICE, PERCENTILE_GROUPS,
     "what gets a row: each pipeline and model, or, which is the default, "
     "each of them of each orchestrator, or of each GPU; all else is merged"},
    COMPUTED_BY,
    SHOWN_AS,
    {0},
};

static const struct parameter list_of_demand[] = {
    BETWEEN,
    {"org", PARAMETER_TEXT, NULL, NULL},
    {"gateway", PARAMETER_TEXT, NULL, NULL},
    {"pipeline", PARAMETER_TEXT, NULL, NULL},
    {"model", PARAMETER_TEXT, NULL, NULL},
    COMPUTED_BY,
    SHOWN_AS,
    {0},
};

static const struct parameter list_of_the_day[] = {
    {"org", PARAMETER_TEXT, NULL, NULL},
    {"orchestrator", PARAMETER_TEXT, NULL, NULL},
    {"pipeline", PARAMETER_TEXT, NULL, NULL},
    {"model", PARAMETER_TEXT, NULL, NULL},
    {"gpu", PARAMETER_TEXT, NULL, NULL},
    COMPUTED_BY,
    SHOWN_AS,
    {0},
};

/* Sums of jobs, by what the parameter NAME takes. */
#define SUMS_BY(name)                                                          \
    BETWEEN, {"org", PARAMETER_TEXT, NULL, NULL},                              \
        {"gateway", PARAMETER_TEXT, NULL, NULL},                               \
        {name, PARAMETER_TEXT, NULL, NULL}, COMPUTED_BY, SHOWN_AS,             \
    {                                                                          \
        0                                                                      \
    }

/* Jobs one by one, by what the parameter NAME takes beside the model. */
#define JOBS_BY(name)                                                          \
    BETWEEN, {"org", PARAMETER_TEXT, NULL, NULL},                              \
        {"gateway", PARAMETER_TEXT, NULL, NULL},                               \
        {"orchestrator", PARAMETER_TEXT, NULL, NULL},                          \
        {name, PARAMETER_TEXT, NULL, NULL},                                    \
        {"model", PARAMETER_TEXT, NULL, NULL},                                 \
        {"gpu", PARAMETER_TEXT, NULL, NULL}, COMPUTED_BY, SHOWN_AS,            \
    {                                                                          \
        0                                                                      \
    }

static const struct parameter jobs_by_pipeline[] = {JOBS_BY("pipeline")};
static const struct parameter jobs_by_capability[] = {JOBS_BY("capability")};

/* What was reported, the same by every lens and pass. */
static const struct parameter reports_by_capability[] = {
    BETWEEN,
    {"org", PARAMETER_TEXT, NULL, NULL},
    {"capability", PARAMETER_TEXT, NULL, NULL},
    {"lens", PARAMETER_CHOICE, LENS_NAMES, SAME_BY_ALL},
    {"pass", PARAMETER_CHOICE, PASS_NAMES, SAME_BY_ALL},
    {"as_of", PARAMETER_TIME, NULL, AS_OF},
    SHOWN_AS,
    {0},
};

static const struct parameter sums_by_pipeline[] = {SUMS_BY("pipeline")};
static const struct parameter sums_by_capability[] = {SUMS_BY("capability")};
static const struct parameter sums_by_model[] = {SUMS_BY("model")};

static const struct parameter list_of_payments[] = {
    BETWEEN,
    {"org", PARAMETER_TEXT, NULL, NULL},
    {"orchestrator", PARAMETER_TEXT, NULL, NULL},
    {"session", PARAMETER_TEXT, NULL, NULL},
    {"lens", PARAMETER_CHOICE, LENS_NAMES,
     "published: linked by request id alone; assay: by session id, too, and "
     "with the expected value"},
    SHOWN_AS,
    {0},
};

/* The publisher passes over what it does not know, and so it is done here. */
static const struct parameter compat_list[] = {
    {"start", PARAMETER_TEXT, NULL, NULL},
    {"end", PARAMETER_TEXT, NULL, NULL},
    {"limit", PARAMETER_TEXT, NULL, NULL},
    {"cursor", PARAMETER_TEXT, NULL, NULL},
    {"*", PARAMETER_ANY, NULL, NULL},
    {0},
};

static const struct parameter compat_nothing[] = {
    {"*", PARAMETER_ANY, NULL, NULL},
    {0},
};

static const struct parameter figures_of_a_window[] = {
    WINDOW_OF,
    SEEN_BY,
    {"pipeline", PARAMETER_TEXT, NULL, NULL},
    {"model_id", PARAMETER_TEXT, NULL, NULL},
    {0},
};
static const struct parameter pipelines_of_a_window[] = {
    WINDOW_OF, SEEN_BY, {"limit", PARAMETER_LIMIT, NULL, NULL}, {0}};
static const struct parameter list_of_a_window[] = {
    WINDOW_OF, SEEN_BY, SHOWN_AS, {0}};
static const struct parameter figures_of_a_day[] = {SEEN_BY, {0}};
static const struct parameter list_of_a_day[] = {SEEN_BY, SHOWN_AS, {0}};

static const struct parameter list_of_streams[] = {
    {"org", PARAMETER_TEXT, NULL, NULL},
    {"orchestrator", PARAMETER_TEXT, NULL, NULL},
    {"pipeline", PARAMETER_TEXT, NULL, NULL},
    {"model_id", PARAMETER_TEXT, NULL, NULL},
    {"gpu", PARAMETER_TEXT, NULL, NULL},
    {"lens", PARAMETER_CHOICE, LENS_NAMES, LENS},
    {"pass", PARAMETER_CHOICE, PASS_NAMES,
     "what is open is told at once: the same by every pass"},
    SHOWN_AS,
    {0},
};

static const struct parameter list_of_candidates[] = {
    {QUERY_REPEATED, PARAMETER_TEXT, NULL,
     "only who offers this: pipeline/model; given several times, any of them"},
    SEEN_BY,
    SHOWN_AS,
    {0},
};

/* The publisher's, of which all are passed over that are no such thing. */
static const struct parameter compat_dashboard[] = {
    {"window", PARAMETER_TEXT, NULL, NULL},
    {"pipeline", PARAMETER_TEXT, NULL, NULL},
    {"model_id", PARAMETER_TEXT, NULL, NULL},
    {"limit", PARAMETER_TEXT, NULL, NULL},
    {"*", PARAMETER_ANY, NULL, NULL},
    {0},
};
static const struct parameter compat_caps[] = {
    {QUERY_REPEATED, PARAMETER_TEXT, NULL, NULL},
    {"*", PARAMETER_ANY, NULL, NULL},
    {0},
};

static const struct parameter list_of_sessions[] = {
    BETWEEN,
    {"hour", PARAMETER_HOUR, NULL, NULL},
    {"org", PARAMETER_TEXT, NULL, NULL},
    {"orchestrator", PARAMETER_TEXT, NULL, NULL},
    {"pipeline", PARAMETER_TEXT, NULL, NULL},
    {"model", PARAMETER_TEXT, NULL, NULL},
    {"gpu", PARAMETER_TEXT, NULL, NULL},
    SHOWN_AS,
    {0},
};

static const struct parameter events_of_a_session[] = {
    PAGED,
    {0},
};

#define CLASSES "accepted|ignored|rejected"

static const struct parameter list_of_feeds[] = {
    {"source", PARAMETER_TEXT, NULL, NULL},
    {"org", PARAMETER_TEXT, NULL, NULL},
    {"class", PARAMETER_CHOICE, CLASSES, NULL},
    SHOWN_AS,
    {0},
};

static const struct parameter list_of_counts[] = {
    {"class", PARAMETER_CHOICE, CLASSES, NULL},
    {"reason", PARAMETER_TEXT, NULL, NULL},
    {"org", PARAMETER_TEXT, NULL, NULL},
    SHOWN_AS,
    {0},
};

static const struct parameter list_of_runs[] = {
    BETWEEN,
    {"orchestrator", PARAMETER_TEXT, NULL, NULL},
    {"workflow", PARAMETER_TEXT, NULL, NULL},
    {"model", PARAMETER_TEXT, NULL, NULL},
    {"kind", PARAMETER_CHOICE, RUN_KIND_REACH "|" RUN_KIND_LIVE, NULL},
    {"outcome", PARAMETER_CHOICE, "ok|failed|busy|excused|vantage_suspect",
     NULL},
    SHOWN_AS,
    {0},
};

static const struct parameter list_of_plans[] = {
    BETWEEN,
    {"plan", PARAMETER_TEXT, NULL, "only the plan that has this hash"},
    SHOWN_AS,
    {0},
};

static const struct parameter list_of_the_ledger[] = {
    BETWEEN,
    {"plan", PARAMETER_TEXT, NULL, NULL},
    {"orchestrator", PARAMETER_TEXT, NULL, NULL},
    {"workflow", PARAMETER_TEXT, NULL, NULL},
    {"model", PARAMETER_TEXT, NULL, NULL},
    {"state", PARAMETER_CHOICE,
     LEDGER_STARTED "|" LEDGER_ENDED "|" LEDGER_EXECUTED "|" LEDGER_SKIPPED,
     NULL},
    {"reason", PARAMETER_TEXT, NULL, NULL},
    SHOWN_AS,
    {0},
};

static const struct parameter list_of_measured[] = {
    {"start", PARAMETER_TIME, NULL,
     "runs and hours from then on; without it a day back from the newest"},
    {"end", PARAMETER_TIME, NULL,
     "runs and hours before it, at most 31 days from start on; without it the "
     "newest is the last"},
    {"orchestrator", PARAMETER_TEXT, NULL, NULL},
    {"workflow", PARAMETER_TEXT, NULL, NULL},
    {"model", PARAMETER_TEXT, NULL, NULL},
    SHOWN_AS,
    {0},
};

const struct route routes[] = {
    {"/healthz", NULL, true, answer_alive, "is the process alive", SCOPE_OPEN,
     "GET"},
    {"/readyz", NULL, false, answer_ready,
     "can it serve and take events: store, disk, clock", SCOPE_OPEN, "GET"},
    {"/v1/health", NULL, false, answer_health, "what the store holds",
     SCOPE_READ, "GET"},
    {"/v1/streaming/sla", list_of_scores, false, answer_scores,
     "hourly scores with their components, newest first", SCOPE_READ, "GET"},
    {"/v1/streaming/demand", list_of_demand, false, answer_demand,
     "hourly demand of gateways, newest first", SCOPE_READ, "GET"},
    {"/v1/streaming/gpu-metrics", list_of_scores, false, answer_gpu_metrics,
     "hours of single GPUs, newest first", SCOPE_READ, "GET"},
    {"/v1/streaming/percentiles", list_of_percentiles, false,
     answer_percentiles,
     "percentiles of latencies and frames per second over any range of hours",
     SCOPE_READ, "GET"},
    {"/v1/streaming/models", list_of_the_day, false, answer_stream_models,
     "models offered within a day, with their streams", SCOPE_READ, "GET"},
    {"/v1/streaming/orchestrators", list_of_the_day, false,
     answer_stream_orchestrators,
     "orchestrators that offered a model within a day", SCOPE_READ, "GET"},
    {"/compat/v1/streaming/sla", compat_list, false, compat_sla,
     "scores exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/compat/v1/streaming/demand", compat_list, false, compat_demand,
     "demand exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/compat/v1/streaming/gpu-metrics", compat_list, false, compat_gpu_metrics,
     "GPU hours exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/compat/v1/streaming/models", compat_nothing, false, compat_models,
     "models exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/compat/v1/streaming/orchestrators", compat_nothing, false,
     compat_orchestrators, "orchestrators exactly as the publisher answers",
     SCOPE_READ, "GET"},
    {"/v1/requests/ai-batch/summary", sums_by_pipeline, false,
     answer_batch_summary, "batch jobs by pipeline, most first", SCOPE_READ,
     "GET"},
    {"/v1/requests/ai-batch/llm-summary", sums_by_model, false,
     answer_llm_summary, "requests to language models by model, most first",
     SCOPE_READ, "GET"},
    {"/v1/requests/byoc/summary", sums_by_capability, false,
     answer_byoc_summary, "attempts at byoc jobs by capability, most first",
     SCOPE_READ, "GET"},
    {"/compat/v1/requests/ai-batch/summary", compat_list, false,
     compat_batch_summary, "batch jobs exactly as the publisher answers",
     SCOPE_READ, "GET"},
    {"/compat/v1/requests/ai-batch/llm-summary", compat_list, false,
     compat_llm_summary,
     "requests to language models exactly as the publisher answers", SCOPE_READ,
     "GET"},
    {"/compat/v1/requests/byoc/summary", compat_list, false,
     compat_byoc_summary, "byoc jobs exactly as the publisher answers",
     SCOPE_READ, "GET"},
    {"/v1/requests/models", list_of_the_day, false, answer_request_models,
     "models offered for requests within a day, with their jobs", SCOPE_READ,
     "GET"},
    {"/v1/requests/orchestrators", list_of_the_day, false,
     answer_request_orchestrators,
     "orchestrators that offered a model for requests within a day", SCOPE_READ,
     "GET"},
    {"/v1/requests/ai-batch/jobs", jobs_by_pipeline, false, answer_batch_jobs,
     "batch jobs one by one, newest first", SCOPE_READ, "GET"},
    {"/v1/requests/byoc/jobs", jobs_by_capability, false, answer_byoc_jobs,
     "attempts at byoc jobs one by one, newest first", SCOPE_READ, "GET"},
    {"/v1/requests/byoc/workers", reports_by_capability, false,
     answer_byoc_workers, "workers reported, by capability", SCOPE_READ, "GET"},
    {"/v1/requests/byoc/auth", reports_by_capability, false, answer_byoc_auth,
     "authorisations reported, by capability", SCOPE_READ, "GET"},
    {"/compat/v1/requests/models", compat_nothing, false, compat_request_models,
     "models for requests exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/compat/v1/requests/orchestrators", compat_nothing, false,
     compat_request_orchestrators,
     "orchestrators for requests exactly as the publisher answers", SCOPE_READ,
     "GET"},
    {"/compat/v1/requests/ai-batch/jobs", compat_list, false, compat_batch_jobs,
     "batch jobs one by one exactly as the publisher answers", SCOPE_READ,
     "GET"},
    {"/compat/v1/requests/byoc/jobs", compat_list, false, compat_byoc_jobs,
     "byoc jobs one by one exactly as the publisher answers", SCOPE_READ,
     "GET"},
    {"/compat/v1/requests/byoc/workers", compat_list, false,
     compat_byoc_workers, "workers exactly as the publisher answers",
     SCOPE_READ, "GET"},
    {"/compat/v1/requests/byoc/auth", compat_list, false, compat_byoc_auth,
     "authorisations exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/v1/dashboard/kpi", figures_of_a_window, false, answer_dashboard_kpi,
     "figures of a window, with their change", SCOPE_READ, "GET"},
    {"/v1/dashboard/pipelines", pipelines_of_a_window, false,
     answer_dashboard_pipelines, "streams and jobs by pipeline, most first",
     SCOPE_READ, "GET"},
    {"/v1/dashboard/orchestrators", list_of_a_window, false,
     answer_dashboard_orchestrators,
     "orchestrators, what they offer, and how their sessions went", SCOPE_READ,
     "GET"},
    {"/v1/dashboard/gpu-capacity", figures_of_a_day, false, answer_gpu_capacity,
     "cards announced within a day, and those in use", SCOPE_READ, "GET"},
    {"/v1/dashboard/pipeline-catalog", list_of_a_day, false,
     answer_pipeline_catalog,
     "pipelines and models offered with hardware within a day", SCOPE_READ,
     "GET"},
    {"/v1/dashboard/pricing", list_of_a_day, false, answer_pricing,
     "prices announced within a day", SCOPE_READ, "GET"},
    {"/v1/dashboard/job-feed", list_of_streams, false, answer_job_feed,
     "streams that go on, the one heard of last first", SCOPE_READ, "GET"},
    {"/v1/discover/orchestrators", list_of_candidates, false, answer_discover,
     "whom to ask for what, best first", SCOPE_READ, "GET"},
    {"/compat/v1/dashboard/kpi", compat_dashboard, false, compat_dashboard_kpi,
     "dashboard/kpi exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/compat/v1/dashboard/pipelines", compat_dashboard, false,
     compat_dashboard_pipelines,
     "dashboard/pipelines exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/compat/v1/dashboard/orchestrators", compat_dashboard, false,
     compat_dashboard_orchestrators,
     "dashboard/orchestrators exactly as the publisher answers", SCOPE_READ,
     "GET"},
    {"/compat/v1/dashboard/gpu-capacity", compat_nothing, false,
     compat_gpu_capacity,
     "dashboard/gpu-capacity exactly as the publisher answers", SCOPE_READ,
     "GET"},
    {"/compat/v1/dashboard/pipeline-catalog", compat_nothing, false,
     compat_pipeline_catalog,
     "dashboard/pipeline-catalog exactly as the publisher answers", SCOPE_READ,
     "GET"},
    {"/compat/v1/dashboard/pricing", compat_nothing, false, compat_pricing,
     "dashboard/pricing exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/compat/v1/dashboard/job-feed", compat_dashboard, false, compat_job_feed,
     "dashboard/job-feed exactly as the publisher answers", SCOPE_READ, "GET"},
    {"/compat/v1/discover/orchestrators", compat_caps, false, compat_discover,
     "discover/orchestrators exactly as the publisher answers", SCOPE_READ,
     "GET"},
    {"/v1/metrics", NULL, false, answer_metrics,
     "what every figure means: definitions, classes, reasons, switches",
     SCOPE_READ, "GET"},
    {"/v1/openapi.json", NULL, false, answer_openapi,
     "this description of all routes", SCOPE_READ, "GET"},
    {"/v1/payments", list_of_payments, false, answer_payments,
     "payments with the sessions that they were made for, newest first",
     SCOPE_READ, "GET"},
    {"/v1/sessions", list_of_sessions, false, answer_sessions,
     "sessions, newest first", SCOPE_READ, "GET"},
    {"/v1/sessions/{key}", events_of_a_session, false, answer_session,
     "one session with its selections, hours and events", SCOPE_READ, "GET"},
    {"/v1/runs", list_of_runs, false, answer_runs,
     "own measurements of orchestrators, newest first", SCOPE_READ, "GET"},
    {"/v1/runs/{id}", NULL, false, answer_run,
     "one own measurement with its lines of evidence", SCOPE_READ, "GET"},
    {"/v1/measured", list_of_measured, false, answer_measured,
     "orchestrators: own figures with intervals beside the published ones",
     SCOPE_READ, "GET"},
    {"/v1/plan", list_of_plans, false, answer_plans,
     "plans of own runs, newest first, with their seeds once revealed",
     SCOPE_READ, "GET"},
    {"/v1/ledger", list_of_the_ledger, false, answer_ledger,
     "what became of each planned run, newest first", SCOPE_READ, "GET"},
    {"/v1/ledger/counts", list_of_the_ledger, false, answer_ledger_counts,
     "planned runs by what became of them, and why", SCOPE_READ, "GET"},
    {"/v1/evidence/feeds", list_of_feeds, false, answer_feeds,
     "where lines came from, and the hashes that vouch for them", SCOPE_READ,
     "GET"},
    {"/v1/evidence/counts", list_of_counts, false, answer_counts,
     "lines by what became of them, and why", SCOPE_READ, "GET"},
    {"/v1/evidence/lines", list_of_feeds, false, answer_lines,
     "lines of evidence with their hashes, oldest first", SCOPE_READ, "GET"},
    {"/v1/evidence/lines/{line}", NULL, false, answer_line,
     "one line of evidence exactly as it arrived", SCOPE_READ, "GET"},
    {"/v1/ingest/events", NULL, true, answer_ingest,
     "takes events; answers when they are durable", SCOPE_INGEST, "POST"},
    {"/v1/tokens", NULL, false, answer_tokens, "tokens without their secrets",
     SCOPE_ADMIN, "GET"},
    {"/v1/tokens", NULL, true, answer_token_new,
     "makes a token and tells its secret once", SCOPE_ADMIN, "POST"},
    {"/v1/tokens/{id}", NULL, true, answer_token_end, "revokes a token",
     SCOPE_ADMIN, "DELETE"},
    {0},
};

/* ---- finding a route ----------------------------------------------------- */

static bool path_matches(const char *pattern, struct text path,
                         struct text *argument)
{
    size_t fixed = strcspn(pattern, "{");
    if (!pattern[fixed])
        return text_is(path, pattern);
    if (path.length <= fixed || memcmp(path.data, pattern, fixed) != 0)
        return false;
    *argument = (struct text){path.data + fixed, path.length - fixed};
    return true;
}

/* "GET, HEAD, POST" for the methods that path has. */
static void add_allowed(struct arena *arena, const char **allow,
                        const char *method)
{
    const char *more = strcmp(method, "GET") == 0 ? "GET, HEAD" : method;
    *allow = *allow ? arena_printf(arena, "%s, %s", *allow, more) : more;
}

const struct route *route_find(struct request *request, const char **allow)
{
    const char *method = request->method ? request->method : "GET";
    *allow = NULL;
    for (const struct route *route = routes; route->path; route++) {
        if (!path_matches(route->path, request->path, &request->argument))
            continue;
        if (strcmp(route->method, method) == 0)
            return route;
        add_allowed(request->arena, allow, route->method);
    }
    return NULL;
}

/* ---- parameters ---------------------------------------------------------- */

static const struct parameter *parameter_find(const struct route *route,
                                              struct text name)
{
    const struct parameter *one = route->parameters;
    for (; one && one->name; one++) {
        if (one->kind == PARAMETER_ANY || text_is(name, one->name))
            return one;
    }
    return NULL;
}

bool route_takes_anything(const struct route *route)
{
    return parameter_find(route, text_of("*")) != NULL;
}

static enum err unknown(struct request *request, const struct route *route,
                        struct text name)
{
    const char *names[QUERY_PARAMETERS_MAX];
    size_t count = 0;
    struct buf list = {0};
    const struct parameter *one = route->parameters;
    for (; one && one->name; one++) {
        buf_printf(&list, "%s%s", count ? ", " : "", one->name);
        names[count++] = one->name;
    }
    const char *text = arena_text(request->arena, name.data, name.length);
    const char *near = nearest_word(text, names, count);
    enum err err;
    if (near)
        err = err_set(ERR_INPUT,
                      "there is no parameter \"%s\" here; \"%s\" is meant, "
                      "perhaps? Allowed are: %s",
                      text, near, buf_string(&list));
    else if (count > 0)
        err = err_set(ERR_INPUT,
                      "there is no parameter \"%s\" here; allowed are: %s",
                      text, buf_string(&list));
    else
        err = err_set(ERR_INPUT,
                      "this address takes no parameters, but "
                      "\"%s\" is given",
                      text);
    buf_free(&list);
    return err;
}

static enum err refuse(const struct query_parameter *given, const char *allowed)
{
    return err_set(ERR_INPUT, "parameter \"%.*s\" is \"%.*s\"; allowed %s",
                   (int)given->name.length, given->name.data,
                   (int)given->value.length, given->value.data, allowed);
}

/* A number of up to four digits, or -1. */
static int64_t small_number(struct text text)
{
    int64_t number = 0;
    if (text.length < 1 || text.length > 4)
        return -1;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        number = number * 10 + (text.data[i] - '0');
    }
    return number;
}

/* Of "12h", "12" or "7d", or -1. */
static int64_t window_hours(struct text text)
{
    char unit = text.length ? text.data[text.length - 1] : '\0';
    text.length -= unit == 'h' || unit == 'd';
    int64_t number = small_number(text);
    return unit == 'd' && number > 0 ? 24 * number : number;
}

/* What stands between the quotes of an entity tag (conditional.c). */
static bool is_tag(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!memchr("0123456789abcdef", text.data[i], 16))
            return false;
    return text.length == TAG_DIGITS;
}

/* The number of WORD among CHOICES, -1 where it is none of them. */
static int choice_of(const char *choices, struct text word)
{
    for (int number = 0; *choices; number++) {
        size_t length = strcspn(choices, "|");
        if (text_equal((struct text){choices, length}, word))
            return number;
        choices += length;
        choices += *choices == '|';
    }
    return -1;
}

static enum err check_one(struct request *request,
                          const struct parameter *parameter,
                          const struct query_parameter *given)
{
    struct text value = given->value;
    int64_t number;
    switch (parameter->kind) {
    case PARAMETER_TEXT:
    case PARAMETER_ANY:
        break;
    case PARAMETER_PIN:
        if (!is_tag(value))
            return refuse(given, "is an entity tag without its quotes, as "
                                 "Content-Location names it");
        break;
    case PARAMETER_CURSOR:
        return cursor_open(request, value);
    case PARAMETER_HOUR:
    case PARAMETER_TIME:
        if (!clock_parse(value.data, value.length, &number))
            return refuse(given, "is a time like 2026-01-08T21:00:00Z, or a "
                                 "day like 2026-01-08, in UTC");
        if (parameter->kind == PARAMETER_HOUR &&
            number != clock_hour_start(number))
            return refuse(given, "is the start of an hour, like "
                                 "2026-01-08T21:00:00Z");
        break;
    case PARAMETER_LIMIT:
        number = small_number(value);
        if (number < 1 || number > LIMIT_MAX)
            return refuse(given, "is a whole number from 1 to 1000");
        break;
    case PARAMETER_WINDOW:
        if (window_hours(value) < 1 || window_hours(value) > WINDOW_HOURS_MAX)
            return refuse(given, "is a number of hours like 12h or 12, or of "
                                 "days like 7d, up to 168 hours");
        break;
    case PARAMETER_CHOICE:
        if (choice_of(parameter->choices, value) < 0)
            return refuse(given, arena_printf(request->arena, "is: %s",
                                              parameter->choices));
        break;
    }
    return ERR_NONE;
}

/* A wall clock of another machine may be ahead of ours by this much. */
enum { CLOCK_SLACK_MS = 5 * MS_PER_MINUTE };

/* Whether the time NAME is given, to a route that reads it as one. */
static bool time_given(const struct route *route, const struct request *request,
                       const char *name, int64_t *ms)
{
    const struct parameter *one = parameter_find(route, text_of(name));
    struct text value = parameter_text(request, name);
    return one && one->kind == PARAMETER_TIME && value.data &&
           clock_parse(value.data, value.length, ms);
}

/* Then its clock is another one, which only the store tells. */
static bool is_simulated(const struct request *request)
{
    return request->facts && request->facts->is_simulated;
}

/* Times that are well-formed, but leave nothing between them. */
static enum err check_times(const struct route *route, struct request *request,
                            struct text *wrong)
{
    int64_t start_ms;
    int64_t end_ms;
    int64_t as_of_ms;
    bool starts = time_given(route, request, "start", &start_ms);
    bool known = time_given(route, request, "as_of", &as_of_ms);
    *wrong = text_of("end");
    if (starts && time_given(route, request, "end", &end_ms) &&
        start_ms >= end_ms)
        return err_set(ERR_INPUT, "parameter \"end\" is not after \"start\": "
                                  "nothing lies between them");
    *wrong = text_of("as_of");
    if (known && !is_simulated(request) &&
        as_of_ms > clock_wall_ms() + CLOCK_SLACK_MS)
        return err_set(ERR_INPUT, "parameter \"as_of\" is still to come");
    if (known && starts && start_ms > as_of_ms)
        return err_set(ERR_INPUT, "parameter \"as_of\" is before \"start\": "
                                  "nothing was known of later");
    *wrong = (struct text){0};
    return ERR_NONE;
}

enum err parameters_check(const struct route *route, struct request *request,
                          struct text *wrong)
{
    for (size_t i = 0; i < request->query.count; i++) {
        const struct query_parameter *given = &request->query.list[i];
        const struct parameter *one = parameter_find(route, given->name);
        *wrong = given->name;
        enum err err = one ? check_one(request, one, given)
                           : unknown(request, route, given->name);
        if (err)
            return err;
    }
    return check_times(route, request, wrong);
}

struct text parameter_text(const struct request *request, const char *name)
{
    return query_string_value(&request->query, name);
}

const struct lens *parameter_lens(const struct request *request)
{
    struct text word = parameter_text(request, "lens");
    return text_is(word, "assay") ? &lens_assay : &lens_published;
}

enum pass parameter_pass(const struct request *request)
{
    struct text word = parameter_text(request, "pass");
    return word.data ? (enum pass)choice_of(PASS_NAMES, word) : PASS_SETTLED;
}

int64_t parameter_window_hours(const struct request *request)
{
    struct text value = parameter_text(request, "window");
    return value.data ? window_hours(value) : WINDOW_HOURS_STANDARD;
}

int64_t parameter_limit(const struct request *request)
{
    struct text value = parameter_text(request, "limit");
    return value.data ? small_number(value) : LIMIT_STANDARD;
}

int64_t parameter_time(const struct request *request, const char *name,
                       int64_t otherwise_ms)
{
    struct text value = parameter_text(request, name);
    int64_t ms = otherwise_ms;
    if (value.data && !clock_parse(value.data, value.length, &ms))
        abort(); /* parameters_check let it through */
    return ms;
}
