/*
 * openapi.c: /v1/openapi.json, the description of every route (OpenAPI 3.1).
 *
 * Paths and parameters come from the table of routes, rows from the tables of
 * fields; only the shapes of other answers are written down here, in a
 * shorthand, and a test holds real answers against them. So a route cannot be
 * missing, and a column cannot be misspelt.
 *
 * The shorthand: {name:type,...} is an object with exactly these members, of
 * which those written name~ may be missing; [type] is an array; s text, i whole
 * number, n number, b truth, t time, o any object; ? after one of these, or
 * before an object or array, allows null; #Name is a schema of this document.
 */
#include "api/serving.h"
#include "journal/journal.h"

#include <ctype.h>
#include <string.h>

/* ---- shorthand ----------------------------------------------------------- */

static void schema(struct json_writer *writer, const char **at);

static void add_string(struct json_writer *writer, const char *key,
                       const char *value)
{
    json_key(writer, key);
    json_string(writer, value);
}

static void add_type(struct json_writer *writer, const char *type, bool null)
{
    if (!null) {
        add_string(writer, "type", type);
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
    add_string(writer, "$ref", buf_string(&path));
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
            add_type(writer, types[i].type, null);
    if (letter == 't')
        add_string(writer, "format", "date-time");
}

static void schema(struct json_writer *writer, const char **at)
{
    char first = *(*at)++;
    bool nullable = first == '?';
    if (nullable)
        first = *(*at)++;
    json_begin(writer, '{');
    if (first == '{') {
        add_type(writer, "object", nullable);
        object(writer, at);
    } else if (first == '[') {
        add_type(writer, "array", nullable);
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

static void add_schema(struct json_writer *writer, const char *key,
                       const char *shorthand)
{
    json_key(writer, key);
    schema(writer, &shorthand);
}

/* ---- rows ---------------------------------------------------------------- */

static const struct row_schema {
    const char *name;
    const struct fields *fields;
    const char *more; /* members beside the exported fields */
} row_schemas[] = {
    {"SlaRow", &sla_fields,
     "{fps_samples~:i,null_reason:s?,quality_note:s?,attribution_reasons:?[s],"
     "provisional:b,evidence_expired:b}"},
    {"DemandRow", &demand_fields, "{provisional:b,evidence_expired:b}"},
    {"GpuMetricsRow", &gpu_fields, "{provisional:b,evidence_expired:b}"},
    {"ModelRow", &model_fields, "{}"},
    {"OrchestratorRow", &orchestrator_fields, "{models:[s]}"},
    {"BatchSummaryRow", &batch_summary_fields, "{}"},
    {"LlmSummaryRow", &llm_summary_fields, "{}"},
    {"ByocSummaryRow", &byoc_summary_fields, "{}"},
    {"SessionRow", &session_fields, "{}"},
    {"SelectionRow", &selection_fields, "{pass:t,line:i}"},
    {"Run", &run_fields, "{line:i?,samples_line:i?}"},
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
    add_schema(writer, row->name, buf_string(&text));
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

static const struct described {
    const char *route; /* its path; after its method where that is not GET */
    const char *answer;
    bool csv;
} answers[] = {
    {"/healthz", "{status:s}", false},
    {"/v1/health", "#Health", false},
    {"/v1/streaming/sla", PAGE_OF("SlaRow"), true},
    {"/v1/streaming/demand", PAGE_OF("DemandRow"), true},
    {"/v1/streaming/gpu-metrics", PAGE_OF("GpuMetricsRow"), true},
    {"/v1/streaming/models", PAGE_OF("ModelRow"), true},
    {"/v1/streaming/orchestrators", PAGE_OF("OrchestratorRow"), true},
    {"/v1/requests/ai-batch/summary", PAGE_OF("BatchSummaryRow"), true},
    {"/v1/requests/ai-batch/llm-summary", PAGE_OF("LlmSummaryRow"), true},
    {"/v1/requests/byoc/summary", PAGE_OF("ByocSummaryRow"), true},
    {"/compat/v1/requests/ai-batch/summary", "[{pipeline:s," COMPAT_JOBS "}]",
     false},
    {"/compat/v1/requests/ai-batch/llm-summary",
     "[{model:s,total_requests:i,success_rate:n,avg_tokens_per_sec:n,"
     "avg_ttft_ms:n,avg_total_tokens:n}]",
     false},
    {"/compat/v1/requests/byoc/summary", "[{capability:s," COMPAT_JOBS "}]",
     false},
    {"/v1/sessions", PAGE_OF("SessionRow"), true},
    {"/v1/sessions/{key}", "#Session", false},
    {"/v1/runs", PAGE_OF("Run"), true},
    {"/v1/runs/{id}", "#Run", false},
    {"/v1/evidence/lines/{line}", "#EvidenceLine", false},
    {"POST /v1/ingest/events", "#Taken", false},
    {"/v1/tokens", "{data:[#Token]}", false},
    {"POST /v1/tokens",
     "{token:s,id:s,scope:s,org:s?,created_at:t,revoked_at:t?}", false},
    {"DELETE /v1/tokens/{id}", "{revoked:s}", false},
    {"/v1/metrics",
     "{sha256:s,rules:[s],statistics:[#Class],comparability:[#Class],"
     "reasons:[{reason:s,outcome:s,meaning:s}],metrics:[#Metric],"
     "switches:[{name:s,source:s,published:s,formula:s,effect:s}]}",
     false},
    {"/v1/openapi.json", "o", false},
    {"/compat/v1/streaming/sla",
     COMPAT_OF(COMPAT_KEY
               "requested_sessions:i,startup_success_sessions:i,"
               "effective_success_rate:n,no_swap_rate:n,avg_output_fps:n,"
               "sla_score:n"),
     false},
    {"/compat/v1/streaming/demand",
     COMPAT_OF("window_start:t,org:s,gateway:s,pipeline_id:s,model_id:s,"
               "requested_sessions:i,startup_success_sessions:i,"
               "effective_success_rate:n,total_minutes:n,no_orch_sessions:i"),
     false},
    {"/compat/v1/streaming/gpu-metrics",
     COMPAT_OF(COMPAT_KEY "gpu_model_name:s,known_sessions_count:i,"
                          "startup_success_sessions:i,avg_output_fps:n,"
                          "avg_e2e_latency_ms:n,swap_rate:n"),
     false},
    {"/compat/v1/streaming/models",
     "[{pipeline:s,model:s,warm_orch_count:i,gpu_slots:i,active_streams:i,"
     "available_capacity:i,avg_fps:n}]",
     false},
    {"/compat/v1/streaming/orchestrators",
     "[{address:s,uri:s,models:[s],gpu_count:i,last_seen:t}]", false},
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
     "repeats:i?,length:i,sha256:s,text:s?,base64~:s,block:?{number:i,index:i,"
     "state:s,lines:i,sha256:s,chain:s}}"},
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

static const struct described *described(const struct route *route)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (names(answers[i].route, route))
            return &answers[i];
    return NULL;
}

/* ---- parameters ---------------------------------------------------------- */

static void add_choices(struct json_writer *writer, const char *choices)
{
    add_type(writer, "string", false);
    json_key(writer, "enum");
    json_begin(writer, '[');
    while (*choices) {
        size_t length = strcspn(choices, "|");
        json_text(writer, (struct text){choices, length});
        choices += length;
        choices += *choices == '|';
    }
    json_end(writer, ']');
}

static void add_limits(struct json_writer *writer)
{
    add_type(writer, "integer", false);
    json_key(writer, "minimum");
    json_int(writer, 1);
    json_key(writer, "maximum");
    json_int(writer, LIMIT_MAX);
    json_key(writer, "default");
    json_int(writer, LIMIT_STANDARD);
}

static const char *meaning_of(enum parameter_kind kind)
{
    switch (kind) {
    case PARAMETER_TIME:
        return "a time of RFC 3339, or a day like 2026-01-08, in UTC";
    case PARAMETER_HOUR:
        return "the start of an hour, RFC 3339";
    case PARAMETER_LIMIT:
        return "rows of a page";
    case PARAMETER_CHOICE:
        return "one of these";
    case PARAMETER_CURSOR:
        return "next_cursor of the page before, unchanged; 410 where the "
               "state that it goes on in is no longer kept";
    case PARAMETER_PIN:
        return "an entity tag without quotes: these very rows, or 410";
    default:
        return "only rows that have this value; empty: that have none";
    }
}

static void add_parameter(struct json_writer *writer,
                          const struct parameter *parameter)
{
    json_begin(writer, '{');
    add_string(writer, "name", parameter->name);
    add_string(writer, "in", "query");
    add_string(writer, "description",
               parameter->meaning ? parameter->meaning
                                  : meaning_of(parameter->kind));
    json_key(writer, "schema");
    json_begin(writer, '{');
    if (parameter->kind == PARAMETER_CHOICE)
        add_choices(writer, parameter->choices);
    else if (parameter->kind == PARAMETER_LIMIT)
        add_limits(writer);
    else
        add_type(writer, "string", false);
    if (parameter->kind == PARAMETER_HOUR)
        add_string(writer, "format", "date-time");
    json_end(writer, '}');
    json_end(writer, '}');
}

/* What stands in braces in the path; false where nothing does. */
static bool path_parameter(const char *path, struct text *name)
{
    const char *open = strchr(path, '{');
    if (!open)
        return false;
    *name = (struct text){open + 1, strcspn(open + 1, "}")};
    return true;
}

static void add_parameters(struct json_writer *writer,
                           const struct route *route)
{
    struct text name;
    const struct parameter *one = route->parameters;
    json_key(writer, "parameters");
    json_begin(writer, '[');
    if (path_parameter(route->path, &name)) {
        json_begin(writer, '{');
        json_key(writer, "name");
        json_text(writer, name);
        add_string(writer, "in", "path");
        json_key(writer, "required");
        json_bool(writer, true);
        add_schema(writer, "schema", "s");
        json_end(writer, '}');
    }
    for (; one && one->name; one++)
        if (one->kind != PARAMETER_ANY)
            add_parameter(writer, one);
    json_end(writer, ']');
}

/* ---- operations ---------------------------------------------------------- */

static void add_content(struct json_writer *writer, const char *type,
                        const char *shorthand)
{
    json_key(writer, type);
    json_begin(writer, '{');
    add_schema(writer, "schema", shorthand);
    json_end(writer, '}');
}

static void add_answer(struct json_writer *writer, const char *status,
                       const char *description, const char *type,
                       const char *shorthand, bool csv)
{
    json_key(writer, status);
    json_begin(writer, '{');
    add_string(writer, "description", description);
    if (type) {
        json_key(writer, "content");
        json_begin(writer, '{');
        add_content(writer, type, shorthand);
        if (csv)
            add_content(writer, "text/csv", "s");
        json_end(writer, '}');
    }
    json_end(writer, '}');
}

static void add_answers(struct json_writer *writer, const struct route *route)
{
    const struct described *one = described(route);
    bool reads = strcmp(route->method, "GET") == 0;
    bool text = strcmp(route->path, "/metrics") == 0;
    json_key(writer, "responses");
    json_begin(writer, '{');
    add_answer(writer, reads ? "200" : "2XX", route->summary,
               text ? "text/plain" : "application/json",
               text  ? "s"
               : one ? one->answer
                     : "o",
               one && one->csv);
    if (reads && one)
        add_answer(writer, "304", "the client has it already", NULL, NULL,
                   false);
    add_answer(writer, "4XX", "what is wrong with the request",
               "application/problem+json", "#Problem", false);
    add_answer(writer, "5XX", "what is wrong here", "application/problem+json",
               "#Problem", false);
    json_end(writer, '}');
}

/* "get_v1_sessions_key" */
static void add_operation_id(struct json_writer *writer,
                             const struct route *route)
{
    struct buf name = {0};
    for (const char *at = route->method; *at; at++)
        buf_add_byte(&name, (uint8_t)tolower((unsigned char)*at));
    for (const char *at = route->path; *at; at++)
        if (isalnum((unsigned char)*at))
            buf_add_byte(&name, (uint8_t)*at);
        else if (name.data[name.length - 1] != '_')
            buf_add_byte(&name, '_');
    if (name.data[name.length - 1] == '_')
        name.length--;
    add_string(writer, "operationId", buf_string(&name));
    buf_free(&name);
}

static void add_security(struct json_writer *writer, enum scope scope)
{
    json_key(writer, "security");
    json_begin(writer, '[');
    if (scope == SCOPE_OPEN || scope == SCOPE_READ) {
        json_begin(writer, '{');
        json_end(writer, '}');
    }
    if (scope != SCOPE_OPEN) {
        json_begin(writer, '{');
        json_key(writer, "token");
        json_begin(writer, '[');
        json_end(writer, ']');
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

static void add_body(struct json_writer *writer, const struct route *route)
{
    if (strcmp(route->method, "POST") != 0)
        return;
    json_key(writer, "requestBody");
    json_begin(writer, '{');
    json_key(writer, "required");
    json_bool(writer, true);
    json_key(writer, "content");
    json_begin(writer, '{');
    add_content(writer, "application/json", "o");
    add_content(writer, "application/x-ndjson", "s");
    json_end(writer, '}');
    json_end(writer, '}');
}

static void add_operation(struct json_writer *writer, const struct route *route)
{
    struct buf method = {0};
    for (const char *at = route->method; *at; at++)
        buf_add_byte(&method, (uint8_t)tolower((unsigned char)*at));
    json_key(writer, buf_string(&method));
    buf_free(&method);
    json_begin(writer, '{');
    add_operation_id(writer, route);
    add_string(writer, "summary", route->summary);
    add_security(writer, route->scope);
    add_parameters(writer, route);
    add_body(writer, route);
    add_answers(writer, route);
    json_end(writer, '}');
}

static bool described_before(const struct route *route)
{
    for (const struct route *one = routes; one < route; one++)
        if (strcmp(one->path, route->path) == 0)
            return true;
    return false;
}

static void add_paths(struct json_writer *writer)
{
    json_key(writer, "paths");
    json_begin(writer, '{');
    for (const struct route *route = routes; route->path; route++) {
        if (described_before(route))
            continue;
        json_key(writer, route->path);
        json_begin(writer, '{');
        for (const struct route *one = route; one->path; one++)
            if (strcmp(one->path, route->path) == 0)
                add_operation(writer, one);
        json_end(writer, '}');
    }
    json_end(writer, '}');
}

/* ---- the document -------------------------------------------------------- */

static void add_info(struct json_writer *writer)
{
    json_key(writer, "info");
    json_begin(writer, '{');
    add_string(writer, "title", "assay");
    add_string(writer, "version", ASSAY_VERSION);
    add_string(writer, "summary",
               "The Livepeer network's published numbers, recomputed from "
               "the events under them.");
    json_key(writer, "license");
    json_begin(writer, '{');
    add_string(writer, "name", "MIT");
    add_string(writer, "identifier", "MIT");
    json_end(writer, '}');
    json_end(writer, '}');
}

static void add_servers(struct json_writer *writer)
{
    json_key(writer, "servers");
    json_begin(writer, '[');
    json_begin(writer, '{');
    add_string(writer, "url", "/");
    json_end(writer, '}');
    json_end(writer, ']');
}

static void add_components(struct json_writer *writer)
{
    json_key(writer, "components");
    json_begin(writer, '{');
    json_key(writer, "securitySchemes");
    json_begin(writer, '{');
    json_key(writer, "token");
    json_begin(writer, '{');
    add_string(writer, "type", "http");
    add_string(writer, "scheme", "bearer");
    json_end(writer, '}');
    json_end(writer, '}');
    json_key(writer, "schemas");
    json_begin(writer, '{');
    for (size_t i = 0; i < sizeof row_schemas / sizeof *row_schemas; i++)
        add_row_schema(writer, &row_schemas[i]);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        add_schema(writer, shapes[i].name, shapes[i].shorthand);
    json_end(writer, '}');
    json_end(writer, '}');
}

enum err answer_openapi(struct request *request, struct reply *reply)
{
    (void)request;
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    add_string(&writer, "openapi", "3.1.0");
    add_info(&writer);
    add_servers(&writer);
    add_paths(&writer);
    add_components(&writer);
    json_end(&writer, '}');
    return ERR_NONE;
}
