#include "rollup/rollup.h"

#include "base/base64.h"
#include "base/clock.h"
#include "harness.h"
#include "stats/stats.h"

#include <math.h>

static struct arena arena;

static struct run run_at(int64_t started_at, const char *url,
                         enum reason reason)
{
    struct run run = run_empty();
    run.kind = text_of(RUN_KIND_LIVE);
    run.workflow = text_of("noop");
    run.model_id = text_of("noop");
    run.orchestrator_url = text_of(url);
    run.started_at = started_at;
    run_conclude(&run, reason);
    return run;
}

TEST(runs_become_hours)
{
    struct run runs[] = {
        run_at(MS_PER_HOUR + 5, "https://b.example", REASON_NONE),
        run_at(MS_PER_HOUR - 1, "https://b.example", REASON_NONE),
        run_at(MS_PER_HOUR, "https://b.example", REASON_NONE),
        run_at(MS_PER_HOUR, "https://b.example", REASON_NO_OUTPUT),
        run_at(MS_PER_HOUR, "https://b.example", REASON_ORCHESTRATOR_CAPPED),
        run_at(MS_PER_HOUR, "https://b.example", REASON_STOPPED),
        run_at(MS_PER_HOUR, "https://b.example", REASON_CONTROL_TARGETS_FAILED),
        run_at(MS_PER_HOUR, "https://a.example", REASON_NONE),
        run_at(MS_PER_HOUR, "https://a.example", REASON_NONE)};
    size_t count;
    runs[0].ptff_ms = 800;
    runs[2].ptff_ms = 700;
    runs[3].ptff_ms = 1;
    runs[8].kind = text_of(RUN_KIND_REACH);
    struct run_hours *making = run_hours_new();
    EACH_ROW (run, runs)
        run_hours_take(making, run);
    const struct run_hour *hours = run_hours_end(making, &count);
    REQUIRE(count == 3);
    CHECK_EQ_INT(hours[0].hour, 0);
    CHECK_EQ_INT(hours[0].ptff_ms.count, 0);
    CHECK(isnan(hours[0].ptff_ms.sum) && !hours[0].ptff_ms.histogram.data);
    CHECK(text_is(hours[1].orchestrator_url, "https://a.example"));
    CHECK_EQ_INT(hours[1].runs, 1);
    const struct run_hour *last = &hours[2];
    CHECK_EQ_INT(last->hour, MS_PER_HOUR);
    CHECK_EQ_INT(last->runs, 6);
    CHECK_EQ_INT(last->ok, 2);
    CHECK_EQ_INT(last->failed, 1);
    CHECK_EQ_INT(last->busy, 1);
    CHECK_EQ_INT(last->excused, 1);
    CHECK_EQ_INT(last->vantage_suspect, 1);
    CHECK_EQ_INT(last->ptff_ms.count, 2);
    CHECK_EQ_DOUBLE(last->ptff_ms.sum, 1500);
    CHECK_EQ_DOUBLE(last->ptff_ms.least, 700);
    CHECK_EQ_DOUBLE(last->ptff_ms.most, 800);
    struct histogram histogram = {.arena = &arena};
    struct text bytes;
    REQUIRE(base64_decode(&arena, last->ptff_ms.histogram, &bytes));
    REQUIRE(histogram_decode(&histogram, bytes));
    CHECK_EQ_DOUBLE(histogram_quantile(&histogram, 1), 800);
    run_hours_free(making);
    arena_free(&arena);
}

TEST(hours_that_were_handed_out_are_forgotten)
{
    struct run_hours *making = run_hours_new();
    struct run run = run_at(5, "https://a.example", REASON_NONE);
    size_t count;
    for (int i = 0; i < 3; i++) {
        run.ptff_ms = 100 * (i + 1);
        run.started_at = i * MS_PER_HOUR;
        run_hours_take(making, &run);
        const struct run_hour *hours = run_hours_end(making, &count);
        REQUIRE(count == 1);
        CHECK_EQ_INT(hours->hour, run.started_at);
        CHECK_EQ_DOUBLE(hours->ptff_ms.sum, run.ptff_ms);
        CHECK_EQ_INT(hours->runs, 1);
    }
    (void)run_hours_end(making, &count);
    CHECK_EQ_INT((int64_t)count, 0);
    run_hours_free(making);
}

/* Runs on two orchestrators that differ by 10 fps; the prompt makes EFFECT fps,
 * and the rest is a saw. Half of them have to wait for the model. */
static struct prompt_share *share_with(double effect, size_t runs_count)
{
    static const char *const prompts[] = {"p0", "p1", "p2", "p3", "p4"};
    struct prompt_shares *making = prompt_shares_new();
    size_t count;
    for (size_t i = 0; i < runs_count; i++) {
        struct run run = run_at(
            (int64_t)i, i % 2 ? "https://a.example" : "https://b", REASON_NONE);
        run.prompt_id = text_of(prompts[i / 2 % 5]);
        run.output_fps = 20 + 10 * (double)(i % 2) +
                         effect * (double)(i / 2 % 5) +
                         (double)(i * 7 % 11) / 10;
        run.cold = (int64_t)(i / 10 % 2);
        run.ptff_ms = run.output_fps * 10 + 30000 * (double)run.cold;
        prompt_shares_take(making, &run);
    }
    struct prompt_share *rows = prompt_shares_end(making, &arena, &count);
    prompt_shares_free(making);
    REQUIRE(count == 1);
    return rows;
}

TEST(what_prompts_explain)
{
    const struct prompt_share *row = share_with(2, 60);
    CHECK_EQ_INT(row->runs, 60);
    CHECK_EQ_INT(row->prompts, 5);
    CHECK_EQ_INT(row->orchestrators, 2);
    CHECK(row->output_fps_share > 0.95 && row->output_fps_share_low > 0.85);
    /* Cold runs are compared with cold ones. */
    CHECK(row->ptff_ms_share > 0.95 && row->ptff_ms_share_low > 0.85);
    row = share_with(0, 60);
    CHECK(row->output_fps_share < 0.1 && row->output_fps_share_low < 0);
    row = share_with(2, 12);
    CHECK(isnan(row->output_fps_share));
    arena_free(&arena);
}
