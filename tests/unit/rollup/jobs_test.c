/*
 * Batch and byoc jobs (§3.8) and the request demand made of them, from events
 * written by hand.
 */
#include "rollup/rollup.h"

#include "harness.h"

#include <math.h>
#include <string.h>

static struct arena arena;

enum { HOUR_MS = 3600000 };
#define DAY INT64_C(1767744000000)

static const char *string(struct text text)
{
    return text.data ? arena_text(&arena, text.data, text.length) : NULL;
}

static struct request_event event(enum family family, const char *id,
                                  int64_t ts, const char *json)
{
    size_t count;
    struct yyjson_val *data = json_parse(&arena, json, strlen(json));
    REQUIRE(data != NULL);
    struct request_event *made =
        request_events_read(&arena, family, data, &count);
    REQUIRE(count == 1);
    made->id = text_of(id);
    made->ts = ts;
    made->gateway = text_of("0xGate");
    return *made;
}

static struct request_event received(const char *request, int64_t ts)
{
    return event(FAMILY_BATCH_REQUEST, "received", ts,
                 arena_printf(&arena,
                              "{\"type\":\"ai_batch_request_received\","
                              "\"request_id\":\"%s\"}",
                              request));
}

/* A completion with further MEMBERS. */
static struct request_event completed(const char *request, int64_t ts,
                                      const char *members)
{
    return event(FAMILY_BATCH_REQUEST, "completed", ts,
                 arena_printf(&arena,
                              "{\"type\":\"ai_batch_request_completed\","
                              "\"request_id\":\"%s\",%s}",
                              request, members));
}

static struct capability_snapshot snapshot(int64_t ts, const char *json)
{
    struct capability_snapshot made = {.ts = ts};
    made.id = text_of("snapshot");
    made.elements = capability_read(
        &arena, json_parse(&arena, json, strlen(json)), &made.element_count);
    return made;
}

static struct job_facts facts_of(const struct request_event *events,
                                 size_t count)
{
    return (struct job_facts){.lens = &lens_published,
                              .org = text_of("acme"),
                              .from_ms = DAY,
                              .until_ms = DAY + 24 * HOUR_MS,
                              .events = events,
                              .event_count = count};
}

static const char offer[] =
    "[{\"address\":\"0xAA\",\"orch_uri\":\"https://O\",\"hardware\":["
    "{\"pipeline\":\"llm\",\"model_id\":\"M\",\"gpu_info\":[{\"id\":\"G\"}]},"
    "{\"pipeline\":\"openai-chat\",\"model_id\":\"Q\",\"gpu_info\":"
    "[{\"id\":\"H\"}]}]}]";

/* ---- batch --------------------------------------------------------------- */

TEST(a_batch_job_is_the_last_completion_of_its_request)
{
    struct request_event events[] = {
        received("r", DAY - 5000),
        completed("r", DAY + 1000, "\"tries\":1"),
        received("r", DAY + 2000),
        completed("r", DAY + 3000, "\"tries\":2,\"success\":true"),
        completed("", DAY + 3000, "\"tries\":9"),
        completed("late", DAY + 24 * HOUR_MS, "\"tries\":3"),
    };
    struct job_facts facts = facts_of(events, 6);
    size_t count;
    struct batch_job_row *rows = batch_jobs_build(&arena, &facts, &count);
    REQUIRE(count == 1);
    CHECK_EQ_INT(rows->completed_at, DAY + 3000);
    CHECK_EQ_INT(rows->received_at, DAY - 5000);
    CHECK_EQ_INT(rows->tries, 2);
    CHECK_EQ_INT(rows->success, 1);
    CHECK_EQ_TEXT(string(rows->gateway), "0xGate");
    CHECK_EQ_TEXT(string(rows->model_id), NULL);
    CHECK_EQ_TEXT(string(rows->llm_model), NULL);
    arena_free(&arena);
}

TEST(the_outcome_of_a_batch_job_follows_its_url_and_its_error)
{
    static const struct {
        const char *members;
        const char *outcome;
    } rows[] = {
        {"\"orch_url\":\"u\",\"error_type\":\"no_orchestrators\"", "selected"},
        {"\"error_type\":\"no_orchestrators\"", "no_orch"},
        {"\"error_type\":\"no_orchestrators\",\"success\":true", "unknown"},
        {"\"error_type\":\"timeout\"", "unknown"},
    };
    EACH_ROW (row, rows) {
        struct request_event one = completed("r", DAY, row->members);
        struct job_facts facts = facts_of(&one, 1);
        size_t count;
        struct batch_job_row *jobs = batch_jobs_build(&arena, &facts, &count);
        REQUIRE(count == 1);
        CHECK_EQ_TEXT(string(jobs->selection_outcome), row->outcome);
    }
    arena_free(&arena);
}

/* The snapshot is seen an hour before the completion: too old for it, but not
 * for the reception; and who was never received is looked for in 1970. */
TEST(a_batch_job_is_attributed_at_its_reception)
{
    static const struct {
        int64_t received_after; /* the snapshot; 0: never */
        const char *status;
        const char *address;
    } rows[] = {
        {60000, "resolved", "0xaa"},
        {11 * 60000, "stale", "0xaa"},
        {0, "unresolved", ""},
    };
    EACH_ROW (row, rows) {
        struct capability_snapshot seen = snapshot(DAY + 1000, offer);
        struct request_event events[] = {
            received(row->received_after ? "r" : "x",
                     DAY + 1000 + row->received_after),
            completed("r", DAY + HOUR_MS,
                      "\"pipeline\":\"llm\",\"model_id\":\"M\","
                      "\"orch_url\":\"https://o\""),
        };
        struct job_facts facts = facts_of(events, 2);
        facts.snapshots = &seen;
        facts.snapshot_count = 1;
        size_t count;
        struct batch_job_row *jobs = batch_jobs_build(&arena, &facts, &count);
        REQUIRE(count == 1);
        CHECK_EQ_TEXT(string(jobs->attribution_status), row->status);
        CHECK_EQ_TEXT(string(jobs->orchestrator_address), row->address);
        CHECK_EQ_TEXT(string(jobs->gpu_id), *row->address ? "G" : NULL);
    }
    arena_free(&arena);
}

/* ---- byoc ---------------------------------------------------------------- */

static struct request_event byoc(const char *id, int64_t ts,
                                 const char *members)
{
    return event(FAMILY_JOB_GATEWAY, id, ts,
                 arena_printf(&arena,
                              "{\"type\":\"job_gateway_completed\","
                              "\"capability\":\"openai-chat\",%s}",
                              members));
}

static struct request_event worker(int64_t ts, const char *url,
                                   const char *model)
{
    return event(FAMILY_WORKER, "worker", ts,
                 arena_printf(&arena,
                              "{\"capability\":\"openai-chat\","
                              "\"orchestrator_info\":{\"address\":\"0xAA\"},"
                              "\"worker_url\":\"%s\",\"price_per_unit\":7,"
                              "\"worker_options\":[{\"model\":\"%s\"}]}",
                              url, model));
}

TEST(every_attempt_is_a_byoc_job)
{
    struct request_event events[] = {
        byoc("a", DAY, "\"success\":false,\"error\":\"No Orchestrators left\""),
        byoc("b", DAY + 1,
             "\"success\":true,\"http_status\":200,"
             "\"charged_compute\":true"),
    };
    struct job_facts facts = facts_of(events, 2);
    size_t count;
    struct byoc_job_row *rows = byoc_jobs_build(&arena, &facts, &count);
    REQUIRE(count == 2);
    CHECK_EQ_TEXT(string(rows[0].event_id), "a");
    CHECK_EQ_TEXT(string(rows[0].selection_outcome), "no_orch");
    CHECK_EQ_TEXT(string(rows[1].selection_outcome), "unknown");
    CHECK_EQ_INT(rows[1].http_status, 200);
    CHECK_EQ_INT(rows[1].charged_compute, 1);
    CHECK(isnan(rows[1].price_per_unit));
    arena_free(&arena);
}

TEST(the_model_of_a_byoc_job_is_its_worker_s)
{
    static const char with_url[] =
        "\"worker_url\":\"https://W\",\"orchestrator_info\":"
        "{\"address\":\"0xaa\",\"url\":\"https://o\"}";
    static const char without_url[] =
        "\"orchestrator_info\":{\"address\":\"0xaa\",\"url\":\"https://o\"}";
    static const struct {
        const char *members;
        const char *urls[2]; /* of two workers, the older first */
        const char *model;
    } rows[] = {
        {with_url, {"https://w", "https://other"}, "first"},
        {with_url, {"https://W", "https://w"}, "second"},
        {with_url, {"https://other", ""}, "second"},
        {with_url, {"https://other", "https://another"}, "Q"},
        {without_url, {"https://w", "https://other"}, "second"},
    };
    EACH_ROW (row, rows) {
        struct capability_snapshot seen = snapshot(DAY, offer);
        struct request_event job = byoc("a", DAY + 1000, row->members);
        struct request_event workers[] = {
            worker(DAY - 2000, row->urls[0], "first"),
            worker(DAY + 999, row->urls[1], "second"),
            worker(DAY + 1001, "https://w", "too late"),
        };
        struct job_facts facts = facts_of(&job, 1);
        facts.workers = workers;
        facts.worker_count = 3;
        facts.snapshots = &seen;
        facts.snapshot_count = 1;
        size_t count;
        struct byoc_job_row *jobs = byoc_jobs_build(&arena, &facts, &count);
        REQUIRE(count == 1);
        CHECK_EQ_TEXT(string(jobs->model), row->model);
        CHECK_EQ_TEXT(string(jobs->selection_outcome), "selected");
    }
    arena_free(&arena);
}

/* ---- request demand ------------------------------------------------------ */

TEST(jobs_of_one_hour_and_key_are_one_row)
{
    struct request_event events[] = {
        received("a", DAY),
        completed("a", DAY + 10,
                  "\"pipeline\":\"llm\",\"model_id\":\"M\",\"success\":true,"
                  "\"orch_url\":\"https://O\",\"duration_ms\":100,"
                  "\"price_per_unit\":0.1"),
        event(FAMILY_LLM_REQUEST, "llm", DAY + 11,
              "{\"type\":\"llm_request_completed\",\"request_id\":\"a\","
              "\"model\":\"M\",\"total_tokens\":50,\"ttft_ms\":7,"
              "\"tokens_per_second\":2.5}"),
        completed("b", DAY + 20,
                  "\"pipeline\":\"llm\",\"model_id\":\"M\","
                  "\"orch_url\":\"https://o\",\"duration_ms\":300,"
                  "\"price_per_unit\":0.2"),
        byoc("c", DAY + 30, "\"success\":true"),
        completed("d", DAY + HOUR_MS, "\"pipeline\":\"llm\""),
        completed("e", DAY + HOUR_MS, "\"pipeline\":\"\""),
    };
    struct job_facts facts = facts_of(events, 7);
    struct jobs jobs;
    size_t count;
    jobs.batch = batch_jobs_build(&arena, &facts, &jobs.batch_count);
    jobs.byoc = byoc_jobs_build(&arena, &facts, &jobs.byoc_count);
    struct request_demand_row *rows =
        request_demand_build(&arena, &jobs, &count);
    REQUIRE(count == 3);
    CHECK_EQ_TEXT(string(rows[0].capability_family), "builtin");
    CHECK_EQ_TEXT(string(rows[0].orchestrator_uri), "https://o");
    CHECK_EQ_TEXT(string(rows[0].orchestrator_address), "");
    CHECK_EQ_INT(rows[0].job_count, 2);
    CHECK_EQ_INT(rows[0].selected_count, 2);
    CHECK_EQ_INT(rows[0].success_count, 1);
    CHECK_EQ_INT(rows[0].duration_ms_sum, 400);
    CHECK_EQ_DOUBLE(rows[0].price_sum, 0.1 + 0.2);
    CHECK_EQ_INT(rows[0].llm_request_count, 1);
    CHECK_EQ_INT(rows[0].llm_success_count, 1);
    CHECK_EQ_INT(rows[0].llm_total_tokens_sum, 50);
    CHECK_EQ_INT(rows[0].llm_ttft_ms_sum, 7);
    CHECK_EQ_DOUBLE(rows[0].llm_tokens_per_second_sum, 2.5);
    CHECK_EQ_INT(rows[0].capability_id, ABSENT_INT);
    CHECK_EQ_TEXT(string(rows[1].capability_family), "byoc");
    CHECK_EQ_TEXT(string(rows[1].pipeline_id), "openai-chat");
    CHECK_EQ_TEXT(string(rows[1].canonical_pipeline), NULL);
    CHECK_EQ_INT(rows[1].capability_id, 37);
    CHECK_EQ_INT(rows[1].position, 1);
    CHECK_EQ_INT(rows[2].window_start, DAY + HOUR_MS);
    CHECK_EQ_INT(rows[2].position, 0);
    arena_free(&arena);
}

TEST(sums_of_foreign_numbers_go_round)
{
    struct request_event events[] = {
        completed("a", DAY,
                  "\"pipeline\":\"p\",\"duration_ms\":9223372036854775807"),
        completed("b", DAY, "\"pipeline\":\"p\",\"duration_ms\":1"),
    };
    struct job_facts facts = facts_of(events, 2);
    struct jobs jobs = {0};
    size_t count;
    jobs.batch = batch_jobs_build(&arena, &facts, &jobs.batch_count);
    struct request_demand_row *rows =
        request_demand_build(&arena, &jobs, &count);
    REQUIRE(count == 1);
    CHECK_EQ_INT(rows->duration_ms_sum, INT64_MIN);
    arena_free(&arena);
}
