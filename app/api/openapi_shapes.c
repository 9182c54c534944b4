/*
 * openapi_shapes.c: what the answers of all routes look like.
 *
 * Rows come from the tables of fields; only the shapes of other answers are
 * written down here, in a shorthand, and a test holds real answers against
 * them. So a column cannot be misspelt.
 *
 * The shorthand: {name:type,...} is an object with exactly these members, of
 * which those written name~ may be missing; [type] is an array; s text, i whole
 * number, n number, b truth, t time, o any object; ? after one of these, or
 * before an object or array, allows null; #Name is a schema of this document;
 * | between two stands for either.
 */
#include "api/openapi.h"
#include "api/supply.h"
#include "journal/journal.h"

#include <ctype.h>
#include <string.h>

/* ---- shorthand ----------------------------------------------------------- */

static void schema(struct json_writer *writer, const char **at);

void openapi_string(struct json_writer *writer, const char *key,
                    const char *value)
{
    json_key(writer, key);
    json_string(writer, value);
}

void openapi_type(struct json_writer *writer, const char *type, bool null)
{
    if (!null) {
        openapi_string(writer, "type", type);
        return;
    }
    json_key(writer, "type");
    json_begin(writer, '[');
    json_string(writer, type);
    json_string(writer, "null");
    json_end(writer, ']');
}

static struct text word_of(const char **at)
{
    struct text word = {*at, strcspn(*at, ":,{}[]?")};
    *at += word.length;
    return word;
}

static void add_required(struct json_writer *writer, const char *at)
{
    json_key(writer, "required");
    json_begin(writer, '[');
    for (int depth = 0; *at && depth >= 0;) {
        if (depth == 0 && isalpha((unsigned char)*at)) {
            struct text word = word_of(&at);
            if (word.data[word.length - 1] != '~')
                json_text(writer, word);
            at += strcspn(at, ",{}");
            continue;
        }
        depth += (*at == '{') - (*at == '}');
        at++;
    }
    json_end(writer, ']');
}

/* Behind the opening brace. */
static void object(struct json_writer *writer, const char **at)
{
    const char *members = *at;
    struct buf key = {0};
    json_key(writer, "properties");
    json_begin(writer, '{');
    while (**at && **at != '}') {
        struct text word = word_of(at);
        buf_clear(&key);
        buf_add(&key, word.data, word.length);
        key.length -= key.data[key.length - 1] == '~';
        json_key(writer, buf_string(&key));
        *at += **at == ':';
        schema(writer, at);
        *at += **at == ',';
    }
    *at += **at == '}';
    json_end(writer, '}');
    add_required(writer, members);
    json_key(writer, "additionalProperties");
    json_bool(writer, false);
    buf_free(&key);
}

static void reference(struct json_writer *writer, struct text name)
{
    struct buf path = {0};
    buf_printf(&path, "#/components/schemas/%.*s", (int)name.length, name.data);
    openapi_string(writer, "$ref", buf_string(&path));
    buf_free(&path);
}

static void scalar(struct json_writer *writer, char letter, bool null)
{
    static const struct {
        char letter;
        const char *type;
    } types[] = {{'s', "string"},  {'i', "integer"}, {'n', "number"},
                 {'b', "boolean"}, {'t', "string"},  {'o', "object"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].letter == letter)
            openapi_type(writer, types[i].type, null);
    if (letter == 't')
        openapi_string(writer, "format", "date-time");
}

static void schema(struct json_writer *writer, const char **at)
{
    char first = *(*at)++;
    bool nullable = first == '?';
    if (nullable)
        first = *(*at)++;
    json_begin(writer, '{');
    if (first == '{') {
        openapi_type(writer, "object", nullable);
        object(writer, at);
    } else if (first == '[') {
        openapi_type(writer, "array", nullable);
        json_key(writer, "items");
        schema(writer, at);
        *at += **at == ']';
    } else if (first == '#') {
        reference(writer, word_of(at));
    } else {
        bool null = **at == '?';
        *at += null;
        scalar(writer, first, null);
    }
    json_end(writer, '}');
}

void openapi_schema(struct json_writer *writer, const char *key,
                    const char *shorthand)
{
    json_key(writer, key);
    if (!strchr(shorthand, '|')) {
        schema(writer, &shorthand);
        return;
    }
    json_begin(writer, '{');
    json_key(writer, "oneOf");
    json_begin(writer, '[');
    while (*shorthand) {
        schema(writer, &shorthand);
        shorthand += *shorthand == '|';
    }
    json_end(writer, ']');
    json_end(writer, '}');
}

/* ---- rows ---------------------------------------------------------------- */

/* Of hours by lens assay. */
#define LENS_EXTRAS                                                            \
    "fps_jitter_sum~:n?,fps_jitter_hour_count~:i?,cold_sessions~:i?,"          \
    "cold_startup_latency_sum_ms~:i?,cold_startup_latency_sample_count~:i?,"   \
    "avg_cold_startup_latency_ms~:n?,warm_startup_latency_sum_ms~:i?,"         \
    "warm_startup_latency_sample_count~:i?,avg_warm_startup_latency_ms~:n?,"   \
    "ingest_video_packet_jitter_sum_ms~:n?,"                                   \
    "ingest_video_packet_jitter_sample_count~:i?,"                             \
    "avg_ingest_video_packet_jitter_ms~:n?,"                                   \
    "ingest_audio_packet_jitter_sum_ms~:n?,"                                   \
    "ingest_audio_packet_jitter_sample_count~:i?,"                             \
    "avg_ingest_audio_packet_jitter_ms~:n?"

static const struct row_schema {
    const char *name;
    const struct fields *fields;
    const char *more; /* members beside the exported fields */
} row_schemas[] = {
    {"SlaRow", &sla_fields,
     "{" LENS_EXTRAS ",fps_samples~:i,fps_jitter_coefficient~:n?,"
     "null_reason:s?,quality_note:s?,attribution_reasons:?[s],"
     "provisional:b,evidence_expired:b}"},
    {"DemandRow", &demand_fields, "{provisional:b,evidence_expired:b}"},
    {"GpuMetricsRow", &gpu_fields,
     "{" LENS_EXTRAS ",provisional:b,evidence_expired:b}"},
    {"PercentileRow", &percentile_fields, "{}"},
    {"ModelRow", &model_fields, "{}"},
    {"OrchestratorRow", &supplier_fields, "{models:[s]}"},
    {"RequestModelRow", &request_model_fields, "{}"},
    {"RequestOrchestratorRow", &supplier_fields, "{capabilities:[s]}"},
    {"BatchJobRow", &batch_job_fields, "{line:i}"},
    {"ByocJobRow", &byoc_job_fields, "{line:i}"},
    {"ByocWorkerRow", &byoc_worker_fields, "{models:[s]}"},
    {"ByocAuthRow", &byoc_auth_fields, "{}"},
    {"BatchSummaryRow", &batch_summary_fields, "{}"},
    {"LlmSummaryRow", &llm_summary_fields, "{}"},
    {"ByocSummaryRow", &byoc_summary_fields, "{}"},
    {"FeedRow", &feed_fields, "{}"},
    {"CountRow", &count_fields, "{}"},
    {"LineRow", &line_fields, "{}"},
    {"DashboardOrchestrator", &dashboard_orchestrator_fields,
     "{pipelines:[s],pipelineModels:[{pipelineId:s,modelIds:[s]}]}"},
    {"CatalogRow", &catalog_fields, "{models:[s],regions:[s]}"},
    {"PricingRow", &pricing_fields, "{}"},
    {"JobFeedRow", &job_feed_fields, "{}"},
    {"Candidate", &discover_fields, "{capabilities:[s]}"},
    {"PaymentRow", &payment_fields, "{expected_value_wei~:s?}"},
    {"SessionRow", &session_fields, "{}"},
    {"SelectionRow", &selection_fields, "{pass:t,line:i}"},
    {"Run", &run_fields, "{line:i?,samples_line:i?}"},
    {"Plan", &plan_row_fields, "{}"},
    {"LedgerRow", &ledger_fields,
     "{orchestrator_address:s?,outcome:s?,line:i}"},
    {"LedgerCount", &ledger_count_fields, "{}"},
    {"MeasuredRow", &measured_fields, "{}"},
};

static char letter_of(enum field_kind kind)
{
    switch (kind) {
    case FIELD_INT:
        return 'i';
    case FIELD_DOUBLE:
        return 'n';
    case FIELD_TIME:
    case FIELD_WINDOW:
        return 't';
    default:
        return 's';
    }
}

/* One object of the fields and of what stands beside them. */
static void add_row_schema(struct json_writer *writer,
                           const struct row_schema *row)
{
    struct buf text = {0};
    buf_add_byte(&text, '{');
    for (size_t i = 0; i < row->fields->exported; i++)
        buf_printf(&text, "%s%s:%c?", i ? "," : "", row->fields->list[i].name,
                   letter_of(row->fields->list[i].kind));
    if (strcmp(row->more, "{}") != 0)
        buf_printf(&text, ",%s", row->more + 1);
    else
        buf_add_byte(&text, '}');
    openapi_schema(writer, row->name, buf_string(&text));
    buf_free(&text);
}

/* ---- answers ------------------------------------------------------------- */

#define PAGE_OF(row) "{data:[#" row "],pagination:#Pagination,meta:#Meta}"
#define COMPAT_OF(members)                                                     \
    "{data:[{" members "}],pagination:#CompatPagination,"                      \
    "meta:{generated_at:t,request_id:s}}"
#define COMPAT_KEY                                                             \
    "window_start:t,org:s,orchestrator_address:s,"                             \
    "pipeline_id:s,model_id:s,gpu_id:s,"
#define COMPAT_JOBS                                                            \
    "total_jobs:i,selected_jobs:i,no_orch_jobs:i,success_rate:n,"              \
    "avg_duration_ms:n"

#define SENDS(path, shape) .route = path, .answer = shape

/* With N for a figure, and M for what may be missing. */
#define DELTA(N) "{value:" N ",delta:" N "}"
#define HOURS(N) ":[{hour:t,value:" N "}]"
#define JOBS(N)                                                                \
    "total_jobs:i,selected_jobs:i,no_orch_jobs:i,success_rate:" N              \
    ",avg_duration_ms:" N
#define KPI_OF(N, M)                                                                                              \
    "{streaming:{successRate:" DELTA(N) ",orchestratorsObserved:" DELTA(                                          \
        N) ",dailyUsageMins:" DELTA(N) ",dailySessionCount:" DELTA(N) ",daily"                                    \
                                                                      "Networ"                                    \
                                                                      "kFeesE"                                    \
                                                                      "th"                                        \
                                                                      ":" DELTA(                                  \
                                                                          N) ",timeframeHours:i,hourlySessions" M \
                                                                      HOURS(                                      \
                                                                          N) ",hourlyUsage" M                     \
                                                                      HOURS(N) "},requests:{ai_batch:{" JOBS(     \
                                                                          N) "},byoc:{" JOBS(N) "}}}"
#define PIPELINES_OF(N, L)                                                     \
    "{streaming:[{name:s,mins:" N ",sessions:i,avgFps:" N                      \
    ",modelMins:[{model:s,mins:" N ",sessions:i,avgFps:" N                     \
    "}]}],requests:{by_pipeline:" L                                            \
    "[{pipeline:s," JOBS(N) "}],by_capability:" L                              \
                            "[{capability:s," JOBS(N) "}]}}"
#define CAPACITY                                                               \
    "{totalGPUs:i,activeGPUs:i,availableCapacity:i,models:[{model:s,count:i}]" \
    ",pipelineGPUs:[{name:s,gpus:i,models~:[{model:s,gpus:i}]}]}"

static const struct described answers[] = {
    {SENDS("/healthz", "{status:s}"), .fresh = true},
    {SENDS("/readyz", "{status:s}"), .fresh = true},
    {SENDS("/v1/health", "#Health")},
    {SENDS("/v1/streaming/sla", PAGE_OF("SlaRow")), .csv = true},
    {SENDS("/v1/streaming/demand", PAGE_OF("DemandRow")), .csv = true},
    {SENDS("/v1/streaming/gpu-metrics", PAGE_OF("GpuMetricsRow")), .csv = true},
    {SENDS("/v1/streaming/percentiles", PAGE_OF("PercentileRow")), .csv = true},
    {SENDS("/v1/streaming/models", PAGE_OF("ModelRow")), .csv = true},
    {SENDS("/v1/streaming/orchestrators", PAGE_OF("OrchestratorRow")),
     .csv = true},
    {SENDS("/v1/requests/ai-batch/summary", PAGE_OF("BatchSummaryRow")),
     .csv = true},
    {SENDS("/v1/requests/ai-batch/llm-summary", PAGE_OF("LlmSummaryRow")),
     .csv = true},
    {SENDS("/v1/requests/byoc/summary", PAGE_OF("ByocSummaryRow")),
     .csv = true},
    {SENDS("/compat/v1/requests/ai-batch/summary",
           "[{pipeline:s," COMPAT_JOBS "}]")},
    {SENDS("/compat/v1/requests/ai-batch/llm-summary",
           "[{model:s,total_requests:i,success_rate:n,avg_tokens_per_sec:n,"
           "avg_ttft_ms:n,avg_total_tokens:n}]")},
    {SENDS("/compat/v1/requests/byoc/summary",
           "[{capability:s," COMPAT_JOBS "}]")},
    {SENDS("/v1/requests/models", PAGE_OF("RequestModelRow")), .csv = true},
    {SENDS("/v1/requests/orchestrators", PAGE_OF("RequestOrchestratorRow")),
     .csv = true},
    {SENDS("/v1/requests/ai-batch/jobs", PAGE_OF("BatchJobRow")), .csv = true},
    {SENDS("/v1/requests/byoc/jobs", PAGE_OF("ByocJobRow")), .csv = true},
    {SENDS("/v1/requests/byoc/workers", PAGE_OF("ByocWorkerRow")), .csv = true},
    {SENDS("/v1/requests/byoc/auth", PAGE_OF("ByocAuthRow")), .csv = true},
    {SENDS("/compat/v1/requests/models",
           "[{pipeline:s,model:s,job_type:s,warm_orch_count:i,gpu_slots:i,"
           "job_count_24h:i,success_rate:n,avg_duration_ms:n}]")},
    {SENDS("/compat/v1/requests/orchestrators",
           "[{address:s,uri:s,capabilities:[s],gpu_count:i,last_seen:t}]")},
    {SENDS("/compat/v1/requests/ai-batch/jobs",
           COMPAT_OF("request_id:s,org:s,gateway:s,pipeline:s,model_id:s,"
                     "completed_at:t,success:b,tries:i,duration_ms:i,"
                     "orch_url:s,selection_outcome:s,gpu_model_name:s,"
                     "attribution_status:s"))},
    {SENDS("/compat/v1/requests/byoc/jobs",
           COMPAT_OF("request_id:s,org:s,capability:s,model:s,completed_at:t,"
                     "success:b,duration_ms:i,http_status:i,orch_address:s,"
                     "orch_url:s,worker_url:s,selection_outcome:s,"
                     "gpu_model_name:s,attribution_status:s,error:s"))},
    {SENDS("/compat/v1/requests/byoc/workers",
           "[{capability:s,worker_count:i,models:[s],avg_price_per_unit:n}]")},
    {SENDS("/compat/v1/requests/byoc/auth",
           "[{capability:s,total_events:i,success_rate:n,failure_count:i}]")},
    {SENDS("/v1/dashboard/kpi", KPI_OF("n?", ""))},
    {SENDS("/v1/dashboard/pipelines", PIPELINES_OF("n?", ""))},
    {SENDS("/v1/dashboard/orchestrators", PAGE_OF("DashboardOrchestrator")),
     .csv = true},
    {SENDS("/v1/dashboard/gpu-capacity", CAPACITY)},
    {SENDS("/v1/dashboard/pipeline-catalog", PAGE_OF("CatalogRow")),
     .csv = true},
    {SENDS("/v1/dashboard/pricing", PAGE_OF("PricingRow")), .csv = true},
    {SENDS("/v1/dashboard/job-feed", PAGE_OF("JobFeedRow")), .csv = true},
    {SENDS("/v1/discover/orchestrators", PAGE_OF("Candidate")), .csv = true},
    {SENDS("/compat/v1/dashboard/kpi", KPI_OF("n", "~"))},
    {SENDS("/compat/v1/dashboard/pipelines", PIPELINES_OF("n", "?"))},
    {SENDS("/compat/v1/dashboard/orchestrators",
           "[{address:s,serviceUri~:s,knownSessions:i,successSessions:i,"
           "successRatio:n,effectiveSuccessRate:n?,noSwapRatio:n?,slaScore:n?,"
           "slaWindowStart~:t,pipelines:[s],pipelineModels:[{pipelineId:s,"
           "modelIds:[s]}],gpuCount:i}]")},
    {SENDS("/compat/v1/dashboard/gpu-capacity", CAPACITY)},
    {SENDS("/compat/v1/dashboard/pipeline-catalog",
           "[{id:s,name:s,models:[s],regions:[s]}]")},
    {SENDS("/compat/v1/dashboard/pricing",
           "?[{orchAddress:s,orchName~:s,pipeline:s,model~:s,"
           "priceWeiPerUnit:i,pixelsPerUnit:i,isWarm:b}]")},
    {SENDS("/compat/v1/dashboard/job-feed",
           "[{id:s,pipeline:s,model~:s,gateway:s,orchestratorAddress:s,"
           "orchestratorUrl~:s,state:s,inputFps:n,outputFps:n,firstSeen:t,"
           "lastSeen:t,durationSeconds:n}]")},
    {SENDS("/compat/v1/discover/orchestrators",
           "[{address:s,score:n,capabilities:[s],last_seen_ms:i,last_seen:t,"
           "recent_work:b}]")},
    {SENDS("/v1/payments", PAGE_OF("PaymentRow")), .csv = true},
    {SENDS("/v1/sessions", PAGE_OF("SessionRow")), .csv = true},
    {SENDS("/v1/sessions/{key}", "#Session")},
    {SENDS("/v1/runs", PAGE_OF("Run")), .csv = true},
    {SENDS("/v1/runs/{id}", "#Run")},
    {SENDS("/v1/measured", PAGE_OF("MeasuredRow")), .csv = true},
    {SENDS("/v1/plan", PAGE_OF("Plan")), .csv = true},
    {SENDS("/v1/ledger", PAGE_OF("LedgerRow")), .csv = true},
    {SENDS("/v1/ledger/counts", PAGE_OF("LedgerCount")), .csv = true},
    {SENDS("/v1/evidence/feeds", PAGE_OF("FeedRow")), .csv = true},
    {SENDS("/v1/evidence/counts", PAGE_OF("CountRow")), .csv = true},
    {SENDS("/v1/evidence/lines", PAGE_OF("LineRow")), .csv = true},
    {SENDS("/v1/evidence/lines/{line}", "#EvidenceLine")},
    {SENDS("POST /v1/ingest/events", "#Taken"), .body = "o|[o]", .lines = true,
     .fresh = true},
    {SENDS("/v1/tokens", "{data:[#Token]}"), .fresh = true},
    {SENDS("POST /v1/tokens",
           "{token:s,id:s,scope:s,org:s?,created_at:t,revoked_at:t?}"),
     .status = "201", .body = "{scope:s,org~:s?}", .fresh = true},
    {SENDS("DELETE /v1/tokens/{id}", "{revoked:s}"), .fresh = true},
    {SENDS("/v1/metrics",
           "{sha256:s,rules:[s],statistics:[#Class],comparability:[#Class],"
           "reasons:[{reason:s,outcome:s,meaning:s}],metrics:[#Metric],"
           "switches:[{name:s,source:s,published:s,formula:s,effect:s}]}")},
    {SENDS("/v1/openapi.json", "o")},
    {SENDS("/compat/v1/streaming/sla",
           COMPAT_OF(COMPAT_KEY
                     "requested_sessions:i,startup_success_sessions:i,"
                     "effective_success_rate:n,no_swap_rate:n,avg_output_fps:n,"
                     "sla_score:n"))},
    {SENDS("/compat/v1/streaming/demand",
           COMPAT_OF(
               "window_start:t,org:s,gateway:s,pipeline_id:s,model_id:s,"
               "requested_sessions:i,startup_success_sessions:i,"
               "effective_success_rate:n,total_minutes:n,no_orch_sessions:i"))},
    {SENDS("/compat/v1/streaming/gpu-metrics",
           COMPAT_OF(COMPAT_KEY "gpu_model_name:s,known_sessions_count:i,"
                                "startup_success_sessions:i,avg_output_fps:n,"
                                "avg_e2e_latency_ms:n,swap_rate:n"))},
    {SENDS(
        "/compat/v1/streaming/models",
        "[{pipeline:s,model:s,warm_orch_count:i,gpu_slots:i,active_streams:i,"
        "available_capacity:i,avg_fps:n}]")},
    {SENDS("/compat/v1/streaming/orchestrators",
           "[{address:s,uri:s,models:[s],gpu_count:i,last_seen:t}]")},
};

static const struct {
    const char *name;
    const char *shorthand;
} shapes[] = {
    {"Problem", "{type:s,title:s,status:i,detail:s,parameter~:s}"},
    {"Meta", "{generated_at:t?,simulated~:b,as_of~:t,known_by~:s}"},
    {"Pagination", "{next_cursor:s?,has_more:b,page_size:i}"},
    {"CompatPagination", "{next_cursor:s,has_more:b,page_size:i}"},
    {"Health",
     "{version:s,started_at:t,now:t,simulation:?{seed:i,honest:b,began_at:t,"
     "hour_ms:i},store:{directory:s,bytes:i,lines:i,"
     "raw_bytes:i,evidence_bytes:i,sessions:i,sla_rows:i,first_event:t?,"
     "last_event:t?},feeds:[{source:s,org:s,class:s,chain:s,open_sha256:s,"
     "lines:i,blocks:i,raw_bytes:i,stored_bytes:i,first_arrival:t?,"
     "last_arrival:t?}],counts:[{class:s,reason:s,org:s,received:i,unique:i}],"
     "families:[{family:s,org:s,unique:i}]}"},
    {"Session",
     "{session:#SessionRow,selections:[#SelectionRow],hours:[{window_start:t,"
     "status_samples:i,fps_positive_samples:i,running_samples:i,"
     "error_samples:i,latency_samples:i,tail_artefact:i,output_fps_sum:n?,"
     "latency_sum_ms:n?}],attribution:{snapshot_age_s:n?,"
     "nearest_snapshot_after_s:n?,sentences:[s]},selection_count:i,"
     "hour_count:i,event_count:i,pagination:#Pagination,"
     "events:[{ts:t,family:s,type:s,line:i,"
     "state:s?,fps:n?,orchestrator_address:s,orchestrator_url:s,gateway:s,"
     "note:s}]}"},
    {"EvidenceLine",
     "{line:i,source:s,org:s,class:s,kind:s,arrival:t,event_time:t?,"
     "repeats:i?,length:i,sha256:s,shown_bytes:i,text:s?,base64~:s,block:?"
     "{number:i,index:i,state:s,lines:i,sha256:s,chain:s}}"},
    {"Metric",
     "{name:s,sets:[s],title:s,unit:s,better:s,statistics:s?,comparability:s?,"
     "counterpart:s?,target:s?,definition:s,formula:s?,null_when:s?,source:s}"},
    {"Class", "{class:s,name:s,meaning:s}"},
    {"Token", "{id:s,scope:s,org:s?,created_at:t,revoked_at:t?}"},
    {"Taken",
     "{received:i,accepted:i,ignored:i,rejected:i,duplicates:i,by_reason:"
     "[{class:s,reason:s,received:i,duplicates:i,conflicts:i}],repeated:b}"},
};

static bool names(const char *name, const struct route *route)
{
    size_t method = strlen(route->method);
    if (strcmp(route->method, "GET") == 0)
        return strcmp(name, route->path) == 0;
    return strncmp(name, route->method, method) == 0 && name[method] == ' ' &&
           strcmp(name + method + 1, route->path) == 0;
}

const struct described *openapi_described(const struct route *route)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (names(answers[i].route, route))
            return &answers[i];
    return NULL;
}

void openapi_schemas(struct json_writer *writer)
{
    json_key(writer, "schemas");
    json_begin(writer, '{');
    for (size_t i = 0; i < sizeof row_schemas / sizeof *row_schemas; i++)
        add_row_schema(writer, &row_schemas[i]);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        openapi_schema(writer, shapes[i].name, shapes[i].shorthand);
    json_end(writer, '}');
}
