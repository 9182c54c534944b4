/*
 * GPU rows (§3.7): who counts, averages and 95th percentiles.
 */
#include "rollup/rollup.h"

#include "harness.h"

#include <math.h>

static struct arena arena;

static struct hour_row hour_of(double fps, int64_t samples)
{
    struct exact_sum sum = {.arena = &arena};
    struct buf *bytes = arena_alloc(&arena, sizeof *bytes);
    struct buf *none = arena_alloc(&arena, sizeof *none);
    struct exact_sum zero = {.arena = &arena};
    exact_add(&sum, fps * (double)samples);
    exact_encode(bytes, &sum);
    exact_encode(none, &zero);
    return (struct hour_row){
        .org = text_of("acme"),
        .orchestrator_address = text_of("0xa"),
        .pipeline_id = text_of("live-video-to-video"),
        .model_id = text_of("m"),
        .status_samples = samples,
        .fps_sum = {bytes->data, bytes->length},
        .latency_sum = {none->data, none->length},
    };
}

static struct session_row session_of(const char *gpu, int64_t startup_ms)
{
    return (struct session_row){
        .gpu_id = {gpu, gpu ? text_of(gpu).length : 0},
        .requested_seen = 1,
        .startup_outcome = text_of("success"),
        .selection_outcome = text_of("selected"),
        .excusal_reason = text_of("none"),
        .startup_latency_ms = startup_ms,
        .e2e_latency_ms = ABSENT_INT,
        .ptff_ms = 100,
    };
}

TEST(only_hours_with_a_gpu_count_and_tails_do_not)
{
    struct hour_row hours[] = {hour_of(10, 5), hour_of(20, 5), hour_of(30, 5),
                               hour_of(40, 10)};
    struct session_row sessions[] = {session_of("gpu", 1000),
                                     session_of(NULL, 1), session_of("gpu", 1),
                                     session_of("gpu", ABSENT_INT)};
    hours[2].tail_artefact = 1;
    sessions[3].swap_count = 2;
    struct session_hour pairs[4];
    for (size_t i = 0; i < 4; i++)
        pairs[i] = (struct session_hour){&hours[i], &sessions[i], NULL};
    size_t count;
    struct gpu_row *rows =
        gpu_metrics_build(&arena, &lens_published, pairs, 4, &count);
    REQUIRE(count == 1);
    CHECK(text_is(rows[0].gpu_id, "gpu"));
    CHECK_EQ_INT(rows[0].known_sessions_count, 2);
    CHECK_EQ_DOUBLE(rows[0].avg_output_fps, 30);
    CHECK_EQ_DOUBLE(rows[0].p95_output_fps, 40);
    CHECK_EQ_INT(rows[0].startup_latency_sample_count, 1);
    CHECK_EQ_DOUBLE(rows[0].avg_startup_latency_ms, 1000);
    CHECK_EQ_DOUBLE(rows[0].avg_prompt_to_first_frame_ms, 100);
    CHECK_EQ_DOUBLE(rows[0].swap_rate, 0.5);
    CHECK_EQ_DOUBLE(rows[0].startup_failed_rate, 0);
    CHECK(isnan(rows[0].avg_e2e_latency_ms));
    CHECK(isnan(rows[0].p95_e2e_latency_ms));
    CHECK(isnan(rows[0].fps_jitter_coefficient));
    CHECK(rows[0].gpu_model_name.data == NULL);
}

/* Values of X are chosen so that sigma / mu is a plain number. */
TEST(jitter_is_sigma_over_mu_of_the_samples_of_an_hour)
{
    static const struct {
        double fps[4];
        size_t count;
        double jitter;
    } rows[] = {
        {{20, 20, 20}, 3, 0}, {{0.1, 0.1, 0.1, 0.1}, 4, 0},
        {{10, 30}, 2, 0.5},   {{9, 11, 9, 11}, 4, 0.1},
        {{5}, 1, NAN},        {{0}, 0, NAN},
    };
    EACH_ROW (row, rows) {
        struct exact_sum sum = {.arena = &arena};
        struct exact_sum squares = {.arena = &arena};
        for (size_t i = 0; i < row->count; i++) {
            exact_add(&sum, row->fps[i]);
            exact_add_square(&squares, row->fps[i]);
        }
        double jitter =
            exact_variation(&arena, &sum, &squares, (int64_t)row->count);
        CHECK_EQ_DOUBLE(jitter, row->jitter);
    }
    arena_free(&arena);
}
