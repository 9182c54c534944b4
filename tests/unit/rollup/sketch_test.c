/*
 * Distributions of rows, merged by key and stored by day.
 */
#include "rollup/sketch_groups.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

static struct text encoded_of(size_t samples, double value)
{
    struct histogram histogram = {.arena = &arena};
    struct buf bytes = {0};
    for (size_t i = 0; i < samples; i++)
        histogram_add(&histogram, value);
    histogram_encode(&bytes, &histogram);
    struct text text = {arena_text(&arena, bytes.data, bytes.length),
                        bytes.length};
    buf_free(&bytes);
    return text;
}

static struct sketch_key key_of(const char *orchestrator, const char *model)
{
    return (struct sketch_key){.orchestrator_address = text_of(orchestrator),
                               .pipeline_id = text_of("live"),
                               .model_id = text_of(model)};
}

static bool add(struct sketch_groups *groups, const char *orchestrator,
                const char *model, size_t samples, double fps, int64_t window)
{
    struct text encoded[SKETCH_METRICS] = {0};
    struct sketch_key key = key_of(orchestrator, model);
    encoded[SKETCH_OUTPUT_FPS] = encoded_of(samples, fps);
    return sketch_groups_add(groups, &key, encoded, window);
}

TEST(a_column_holds_each_metric_or_nothing)
{
    struct sketches sketches = sketches_of(&arena);
    struct text encoded[SKETCH_METRICS];
    CHECK(!sketches_encoded(&sketches).data);
    sketches_add(&sketches, SKETCH_PTFF, 1200);
    sketches_merge(&sketches, SKETCH_OUTPUT_FPS, encoded_of(9, 20));
    struct text column = sketches_encoded(&sketches);
    REQUIRE(sketches_read(column, encoded));
    CHECK_EQ_INT(encoded[SKETCH_STARTUP_LATENCY].length, 0);
    CHECK_EQ_INT(encoded[SKETCH_E2E_LATENCY].length, 0);
    CHECK(text_equal(encoded[SKETCH_PTFF], encoded_of(1, 1200)));
    CHECK(text_equal(encoded[SKETCH_OUTPUT_FPS], encoded_of(9, 20)));
    for (size_t cut = 0; cut < column.length; cut++)
        CHECK(!sketches_read((struct text){column.data, cut}, encoded));
    arena_free(&arena);
}

TEST(rows_of_one_key_are_one_group)
{
    struct sketch_groups groups = {0};
    CHECK(add(&groups, "0xb", "m", 3, 20, 1));
    CHECK(add(&groups, "0xa", "m", 1, 30, 3));
    CHECK(add(&groups, "0xb", "m", 4, 20, 2));
    sketch_groups_sort(&groups);
    REQUIRE(groups.count == 2);
    CHECK(text_is(groups.list[0].key.orchestrator_address, "0xa"));
    CHECK_EQ_INT(groups.list[1].of[SKETCH_OUTPUT_FPS].count, 7);
    CHECK_EQ_INT(groups.list[1].last_window, 2);
    struct text damaged[SKETCH_METRICS] = {{"\x09", 1}};
    struct sketch_key key = key_of("0xa", "m");
    CHECK(!sketch_groups_add(&groups, &key, damaged, 1));
    sketch_groups_free(&groups);
    arena_free(&arena);
}

static struct sketch_day stored_day(void)
{
    struct sketch_groups groups = {0};
    CHECK(add(&groups, "0xab", "m", 1, 30, 7));
    CHECK(add(&groups, "0xabc", "", 20, 20, 9));
    CHECK(add(&groups, "", "m", 8, 10, 8));
    sketch_groups_sort(&groups);
    struct sketch_day day = sketch_day_encode(&arena, &groups);
    sketch_groups_free(&groups);
    return day;
}

TEST(a_day_is_read_as_it_was_stored)
{
    static const struct {
        const char *orchestrator;
        const char *model;
        size_t samples;
        double fps;
    } rows[] = {{"", "m", 8, 10}, {"0xab", "m", 1, 30}, {"0xabc", "", 20, 20}};
    struct sketch_day day = stored_day();
    struct sketch_day_reader reader = sketch_day_read(&day);
    struct sketch_key key;
    struct text encoded[SKETCH_METRICS];
    bool more;
    CHECK_EQ_INT(day.last_window, 9);
    EACH_ROW (row, rows) {
        REQUIRE(sketch_day_next(&reader, &key, encoded, &more) && more);
        CHECK(text_is(key.orchestrator_address, row->orchestrator));
        CHECK(text_is(key.pipeline_id, "live"));
        CHECK(text_is(key.model_id, row->model));
        CHECK_EQ_INT(key.gpu_id.length, 0);
        CHECK_EQ_INT(encoded[SKETCH_PTFF].length, 0);
        CHECK(text_equal(encoded[SKETCH_OUTPUT_FPS],
                         encoded_of(row->samples, row->fps)));
    }
    CHECK(sketch_day_next(&reader, &key, encoded, &more) && !more);
    sketch_day_end(&reader);
    arena_free(&arena);
}

/* Whether all of DAY can be read. */
static bool is_whole(const struct sketch_day *day)
{
    struct sketch_day_reader reader = sketch_day_read(day);
    struct sketch_key key;
    struct text encoded[SKETCH_METRICS];
    bool more = true;
    bool whole = true;
    while (whole && more)
        whole = sketch_day_next(&reader, &key, encoded, &more);
    sketch_day_end(&reader);
    return whole;
}

TEST(a_damaged_day_is_refused)
{
    struct sketch_day day = stored_day();
    CHECK(is_whole(&day));
    for (size_t cut = 0; cut < day.keys.length; cut++) {
        struct sketch_day part = day;
        part.keys.length = cut;
        CHECK(!is_whole(&part));
    }
    struct sketch_day common = day;
    common.keys = (struct text){"\1\1\0", 3}; /* in common with nothing */
    CHECK(!is_whole(&common));
    struct sketch_day cut = day;
    cut.metrics[SKETCH_OUTPUT_FPS].length--;
    CHECK(!is_whole(&cut));
    struct sketch_day unread = day;
    unread.metrics[SKETCH_OUTPUT_FPS] = (struct text){NULL, 0};
    CHECK(is_whole(&unread));
    arena_free(&arena);
}
