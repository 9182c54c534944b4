/*
 * published_requests.c: what the publisher counts and sums of jobs that are no
 * streams: batch requests and custom containers (BYOC), by the hour.
 */
#include "metrics/metrics_int.h"

/* What all of them have in common. */
#define EXACT(field, phrase, of_unit, better)                                  \
    .name = field, .sets = METRIC_REQUESTS, .title = phrase, .unit = of_unit,  \
    .direction = better, .statistics = 'E', .comparability = 'C',              \
    .source = "publisher's resolver (api/internal/resolver/repo.go, request "  \
              "demand)"

const struct metric published_requests[] = {
    {EXACT("job_count", "jobs completed", "count", NEITHER_IS_BETTER),
     .definition = "Batch: requests of one org with a completed event, each "
                   "once. BYOC: completed events, so that every attempt "
                   "counts as a job."},
    {EXACT("selected_count", "jobs with an orchestrator", "count",
           NEITHER_IS_BETTER),
     .definition = "Jobs whose completed event names an orchestrator's URL."},
    {EXACT("no_orch_count", "jobs without an orchestrator", "count",
           LOWER_IS_BETTER),
     .definition = "Jobs that failed with the error type no_orchestrators."},
    {EXACT("success_count", "jobs that succeeded", "count", HIGHER_IS_BETTER),
     .definition = "Jobs whose completed event says success: any answer of the "
                   "runner, whatever is in it."},
    {EXACT("duration_ms_sum", "sum of durations", "ms", LOWER_IS_BETTER),
     .definition = "Sum of duration_ms of all jobs, failed ones included; the "
                   "published mean divides it by job_count."},
    {EXACT("price_sum", "sum of prices", "wei per unit", NEITHER_IS_BETTER),
     .definition = "Sum of price_per_unit over jobs: no cost, because units "
                   "are not counted."},
    {EXACT("llm_request_count", "requests of language models", "count",
           NEITHER_IS_BETTER),
     .definition = "Completed requests with figures of a language model."},
    {EXACT("llm_success_count", "of these, successful", "count",
           HIGHER_IS_BETTER),
     .definition = "Requests of language models whose event says success."},
    {EXACT("llm_total_tokens_sum", "sum of tokens", "count", NEITHER_IS_BETTER),
     .definition = "Sum of total_tokens, prompt and completion together."},
    {EXACT("llm_total_tokens_sample_count", "requests in that sum", "count",
           NEITHER_IS_BETTER),
     .definition = "Requests that reported total_tokens."},
    {EXACT("llm_tokens_per_second_sum", "sum of token rates", "1/s",
           HIGHER_IS_BETTER),
     .definition = "Sum of tokens_per_second, as reported by gateways."},
    {EXACT("llm_tokens_per_second_sample_count", "requests in that sum",
           "count", NEITHER_IS_BETTER),
     .definition = "Requests that reported tokens_per_second."},
    {EXACT("llm_ttft_ms_sum", "sum of times to the first token", "ms",
           LOWER_IS_BETTER),
     .definition = "Sum of ttft_ms, as reported by gateways."},
    {EXACT("llm_ttft_ms_sample_count", "requests in that sum", "count",
           NEITHER_IS_BETTER),
     .definition = "Requests that reported ttft_ms."},
    {EXACT("published", "whether the publisher shows the hour", "0 or 1",
           NEITHER_IS_BETTER),
     .definition = "0 for an hour in which no streaming session changed: the "
                   "publisher writes hours of jobs only together with those of "
                   "streams, so such an hour never appears."},
    {.name = NULL},
};
